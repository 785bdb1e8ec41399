"""rabbitmq-plugins: keeps the file of enabled plug-ins, and knows which of them amqpd has built in.

The broker reads the file when it starts. A name that nobody knows is warned of and left out: a script that enables it
is not to fail for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import click

from ...config.plugins import BUILT_IN, PLUGINS, has_effect, read_file
from ..probe import Silent, greet, locate, target_of
from .call import Call, Refused, Verb, answer, expect
from .diagnostics import version

FILE: Final = "/etc/rabbitmq/enabled_plugins"


def main(name: str, arguments: Sequence[str]) -> int:
    """Carry out a command line; returns the exit code."""
    return answer(name, arguments, VERBS, _unknown)


def _unknown(verb: str) -> Refused:
    return Refused(f"\nCommand '{verb}' not found. \n\nCommands: {', '.join(VERBS)}", os.EX_USAGE)


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
    click.echo(f"Warning: {text}", err=True)


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
    click.echo("The following plugins have been configured:" if after else "All plugins have been disabled.")
    for name in sorted(after):
        click.echo(f"  {name}")
    click.echo(f"Applying plugin configuration to {call.node}...")
    if after == before:
        click.echo("Plugin configuration unchanged.")
        return
    _write(after)
    for names, done in ((after - before, "enabled"), (before - after, "disabled")):
        if names:
            click.echo(f"The following plugins have been {done}:")
            for name in sorted(names):
                click.echo(f"  {name}")
    click.echo(f"\nset {len(after)} plugins.\nOffline change; changes will take effect at broker restart.")


def _named(call: Call) -> list[str]:
    if "all" in call.flags:
        return [*PLUGINS]
    expect(call, 1)
    return [name for argument in call.arguments for name in argument.split(",") if name]


def enable(call: Call) -> None:
    """Add to the list."""
    names = _named(call)
    _change(call, set(enabled()) | set(_known(names)), "\n".join([f"Enabling plugins on node {call.node}:", *names]))


def disable(call: Call) -> None:
    """Take from the list."""
    names = _named(call)
    gone = set(enabled()) if "all" in call.flags else set(_known(names))
    title = f"Disabling ALL plugins on node {call.node}"
    if "all" not in call.flags:
        title = "\n".join([f"Disabling plugins on node {call.node}:", *names])
    _change(call, set(enabled()) - gone, title)


def set_(call: Call) -> None:
    """Make it the list."""
    names = [name for argument in call.arguments for name in argument.split(",") if name]
    _change(call, set(_known(names)), "\n".join([f"Enabling plugins on node {call.node}:", *names]))


def is_enabled(call: Call) -> None:
    """Are all of them?"""
    names = _named(call)
    noun, verb = ("plugin", "is") if len(names) == 1 else ("plugins", "are")
    call.banner(f"Asking node {call.node} if {noun} {', '.join(names)} {verb} enabled...")
    there = {*enabled(), *BUILT_IN}
    missing = [name for name in names if name not in there]
    if missing:
        noun, verb = ("Plugin", "is") if len(missing) == 1 else ("Plugins", "are")
        raise Refused(
            f"Error:\n{noun} {', '.join(missing)} {verb} not enabled on node {call.node}. Enabled plugins and"
            f" dependencies: {', '.join(sorted(there))}",
            os.EX_UNAVAILABLE,
        )
    click.echo(f"{noun.capitalize()} {', '.join(names)} {verb} enabled on node {call.node}")


def list_(call: Call) -> None:
    """Which there are: E = in the list, e = built in, * = at work in a broker that answers."""
    expect(call, 0, 1)
    pattern = call.arguments[0] if call.arguments else ".*"
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise click.UsageError(f"'{pattern}' is no regular expression: {error}") from error
    explicit = set(enabled())
    shown = [name for name in sorted({*PLUGINS, *explicit}) if wanted.search(name)]
    if "enabled" in call.flags:
        shown = [name for name in shown if name in explicit]
    elif "implicitly_enabled" in call.flags:
        shown = [name for name in shown if name in explicit or name in BUILT_IN]
    call.banner(f'Listing plugins with pattern "{pattern}" ...')
    if "minimal" in call.flags:
        for name in shown:
            click.echo(name)
        return
    runs = _answers()
    if not call.quiet:
        click.echo(" Configured: E = explicitly enabled; e = implicitly enabled")
        click.echo(f" | Status: {f'* = running on {call.node}' if runs else f'[failed to contact {call.node}]'}")
        click.echo(" |/")
    width = max(map(len, shown), default=0)
    for name in shown:
        configured = "E" if name in explicit else "e" if name in BUILT_IN else " "
        at_work = "*" if runs and name in BUILT_IN else " "
        click.echo(f"[{configured}{at_work}] {name:<{width}}".rstrip())


def directories(call: Call) -> None:
    """Where the list is."""
    call.banner(f"Listing plugin directories used by node {call.node}")
    click.echo(f"Enabled plugins file: {file()}")


def _answers() -> bool:
    try:
        greet(target_of(locate(None, None, os.environ)), 1.0)
    except (Silent, ValueError):
        return False
    return True


VERBS: Final[dict[str, Verb]] = {
    "list": list_,
    "enable": enable,
    "disable": disable,
    "set": set_,
    "is_enabled": is_enabled,
    "directories": directories,
    "version": version,
}
