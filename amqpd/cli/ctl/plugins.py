"""rabbitmq-plugins: keeps the file of enabled plug-ins, and knows which of them amqpd has built in.

The broker reads the file when it starts. A name that nobody knows is warned of and left out: a script that enables it
is not to fail for it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from ...config.plugins import BUILT_IN, PLUGINS, has_effect, read_file
from ...errors import StartupError
from ..probe import Silent, greet, locate, target_of
from .call import Call
from .formats import Done, Value

FILE: Final = "/etc/rabbitmq/enabled_plugins"


def file() -> Path:
    """Where the list of enabled plug-ins is."""
    return Path(os.environ.get("RABBITMQ_ENABLED_PLUGINS_FILE") or FILE)


def enabled() -> list[str]:
    """What the file lists; nothing when there is none. Raises StartupError for a file that is no list."""
    return read_file(file()) if file().exists() else []


def _write(names: Iterable[str]) -> None:
    """Put the list in the file. Where that cannot be, what is built in is there all the same."""
    listed = f"[{','.join(sorted(names))}].\n"
    temporary = file().with_name(f".{file().name}.{os.getpid()}")
    try:
        temporary.write_text(listed)
        temporary.replace(file())
    except OSError as error:
        temporary.unlink(missing_ok=True)
        _warn(f"cannot write {file()}, nothing is recorded: {error.strerror}")


def _warn(text: str) -> None:
    print(f"Warning: {text}", file=sys.stderr)


def _known(names: Sequence[str]) -> list[str]:
    """Those that are plug-ins; of the others a word."""
    for name in names:
        if name not in PLUGINS:
            _warn(f"there is no plugin {name}; it is ignored")
        elif not has_effect(name):
            _warn(f"this version of amqpd does nothing for {name}")
    return [name for name in names if name in PLUGINS]


def _change(call: Call, after: set[str], announcement: str) -> None:
    before = set(enabled())
    call.banner(announcement)
    print("The following plugins have been configured:" if after else "All plugins have been disabled.")
    for name in sorted(after):
        print(f"  {name}")
    print(f"Applying plugin configuration to {call.node}...")
    if after == before:
        print("Plugin configuration unchanged.")
        return
    _write(after)
    for names, done in ((after - before, "enabled"), (before - after, "disabled")):
        if names:
            print(f"The following plugins have been {done}:")
            for name in sorted(names):
                print(f"  {name}")
    print(f"\nset {len(after)} plugins.\nOffline change; changes will take effect at broker restart.")


def _named(call: Call) -> list[str]:
    if call.flag("all"):
        return [*PLUGINS]
    if not call.arguments:
        call.invalid("not enough arguments.")
    return [name for argument in call.arguments for name in argument.split(",") if name]


def enable(call: Call) -> None:
    """Add to the list."""
    names = _named(call)
    _change(call, set(enabled()) | set(_known(names)), "\n".join([f"Enabling plugins on node {call.node}:", *names]))


def disable(call: Call) -> None:
    """Take from the list."""
    names = _named(call)
    gone = set(enabled()) if call.flag("all") else set(_known(names))
    title = f"Disabling ALL plugins on node {call.node}"
    if not call.flag("all"):
        title = "\n".join([f"Disabling plugins on node {call.node}:", *names])
    _change(call, set(enabled()) - gone, title)


def set_(call: Call) -> None:
    """Make it the list."""
    names = [name for argument in call.arguments for name in argument.split(",") if name]
    _change(call, set(_known(names)), "\n".join([f"Enabling plugins on node {call.node}:", *names]))


def is_enabled(call: Call) -> Done:
    """Are all of them?"""
    names = _named(call)
    noun, verb = ("plugin", "is") if len(names) == 1 else ("plugins", "are")
    call.banner(f"Asking node {call.node} if {noun} {', '.join(names)} {verb} enabled...")
    there = {*enabled(), *BUILT_IN}
    if not call.flag("offline"):
        there.update(_at_work(call))
    missing = [name for name in names if name not in there]
    if missing:
        noun, verb = ("Plugin", "is") if len(missing) == 1 else ("Plugins", "are")
        message = (
            f"{noun} {', '.join(missing)} {verb} not enabled on node {call.node}. Enabled plugins and dependencies:"
            f" {', '.join(sorted(there))}"
        )
        call.fail(f"Error:\n{message}", message=message, result="error")
    message = f"{noun.capitalize()} {', '.join(names)} {verb} enabled on node {call.node}"
    return Done(always=message, data={"message": message, "result": "ok"})


def list_(call: Call) -> Value:
    """Which there are: E = in the list, e = built in or set, * = at work in a broker that answers."""
    pattern = call.arguments[0] if call.arguments else ".*"
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        call.invalid(f"'{pattern}' is no regular expression: {error}")
    explicit = set(enabled())
    at_work = set() if call.flag("offline") else _at_work(call)
    there = {*BUILT_IN, *at_work}
    shown = [name for name in sorted({*PLUGINS, *explicit}) if wanted.search(name)]
    if call.flag("enabled"):
        shown = [name for name in shown if name in explicit]
    elif call.flag("implicitly_enabled"):
        shown = [name for name in shown if name in explicit or name in there]
    call.banner(f'Listing plugins with pattern "{pattern}" ...')
    status = "running" if at_work else "node_down"
    if call.flag("minimal"):
        names = [{"name": name} for name in shown]
        return Value("\n".join(shown), {"format": "minimal", "plugins": names, "status": status})
    lines = []
    if not call.quiet:
        lines += [
            " Configured: E = explicitly enabled; e = implicitly enabled",
            f" | Status: {f'* = running on {call.node}' if at_work else f'[failed to contact {call.node}]'}",
            " |/",
        ]
    for name in shown:
        configured = "E" if name in explicit else "e" if name in there else " "
        lines.append(f"[{configured}{'*' if name in at_work else ' '}] {name}")
    plugins = [
        {
            "enabled": "enabled" if name in explicit else "implicit" if name in there else "not_enabled",
            "name": name,
            "running": name in at_work,
        }
        for name in shown
    ]
    return Value("\n".join(lines), {"format": "normal", "plugins": plugins, "status": status})


def directories(call: Call) -> None:
    """Where the list is."""
    call.banner(f"Listing plugin directories used by node {call.node}")
    print(f"Enabled plugins file: {file()}")


def _at_work(call: Call) -> set[str]:
    """What a broker that answers has at work; nothing when none does."""
    from ..http import Refusal  # noqa: PLC0415 - not for what is done without a broker

    try:
        return {*call.api.get("/nodes")[0]["enabled_plugins"], *BUILT_IN}
    except (StartupError, Refusal):
        pass
    try:
        greet(target_of(locate(None, None, os.environ)), 1.0)
    except (Silent, ValueError):
        return set()
    return set(BUILT_IN)
