"""Where `amqpctl` begins: reads the command line, has the verb done, and shows what comes of it."""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Final, NoReturn

from ...errors import StartupError
from ..leave import carry_out
from .call import FORMATTERS, Call, Misused, Parsed, Refused, Rehearsed, Verb, parse
from .formats import Result, Value, shown, title
from .verbs import NOT_HERE, VERBS

_ANYTHING: Final = {option: kind for verb in VERBS.values() for option, kind in verb.options.items()}
"""All options of all verbs, to find the verb among them."""

_AT_A_TIME: Final = 1000  # lines to print


def main(arguments: Sequence[str] | None = None, tool: str = "amqpctl") -> NoReturn:
    """Carry out a command line, and leave with an exit code of sysexits.h."""
    if os.environ.get("_AMQPCTL_COMPLETE") and arguments is None:
        _complete()
    words = sys.argv[1:] if arguments is None else arguments
    carry_out(tool, lambda: answer(tool, words))


def answer(tool: str, words: Sequence[str]) -> int:
    """Carry out a command line; returns the exit code."""
    call: Call | None = None
    try:
        call = _called(tool, words)
        if call is not None:
            _print(shown(_done(call, _function(call.verb)), call))
    except Rehearsed:
        return os.EX_OK
    except (Refused, Misused) as error:
        print(error, file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return 130
    finally:
        if call is not None:
            call.close()
    return os.EX_OK


def _print(lines: Iterator[str]) -> None:
    """Many at a time, since the output may be unbuffered."""
    while some := list(itertools.islice(lines, _AT_A_TIME)):
        print("\n".join(some))


def _done(call: Call, function: Callable[[Call], Result]) -> Result:
    """What came of it; whatever goes wrong on the way to the broker becomes RabbitMQ's words for that."""
    if call.timeout == 0:
        raise call.timed_out()
    try:
        return function(call)
    except Misused as misused:
        raise Misused(f"{misused}\n{_given(call.words)}\n{usage(call.tool, call.verb)}", misused.code) from None
    except StartupError as error:
        from .checks import unreachable  # noqa: PLC0415

        if _is_ours(error) and error.exit_code == os.EX_TEMPFAIL and call.timeout is not None:
            timed_out = call.timed_out()
            raise Refused(f"{timed_out}\n\n{error}", timed_out.code) from error
        if _is_ours(error):
            raise unreachable(call, error, error.exit_code) from error
        raise Refused(f"Error: {error}", error.exit_code) from error
    except Exception as error:
        http = sys.modules.get("amqpd.cli.http")
        if http is None or not isinstance(error, http.Refusal):
            raise
        raise Refused(f"Error:\n{_reason(error)}", _code(error)) from error


def _is_ours(error: StartupError) -> bool:
    return type(error).__name__ in ("Unreachable", "Silent")


def _reason(error: Exception) -> str:
    status, path = error.status, error.path  # type: ignore[attr-defined]
    if status == 404 and path.startswith("/amqpd/"):
        return "this broker has no such operation: amqpd's own is asked for"
    if status == 401:
        return f"access refused: {error}"
    return str(error)


def _code(error: Exception) -> int:
    status: int = error.status  # type: ignore[attr-defined]
    return {401: os.EX_NOPERM, 403: os.EX_NOPERM, 404: os.EX_DATAERR}.get(status, os.EX_UNAVAILABLE)


def _function(verb: Verb) -> Callable[[Call], Result]:
    module, _, name = verb.place.partition(":")
    function: Callable[[Call], Result] = getattr(import_module(f".{module}", __package__), name)
    return function


# --- the command line


def _called(tool: str, words: Sequence[str]) -> Call | None:
    """The call; None when all that was wanted was help. Raises Misused."""
    name = next(iter(parse(words, _ANYTHING).words), None)
    if name is None:
        if {"--help", "-h", "-?"} & set(words):
            print(overview(tool))
            return None
        raise Misused(overview(tool))
    verb = VERBS.get(name)
    if verb is None:
        raise Misused(_unknown(tool, name))
    parsed = parse(words, verb.options)
    parsed.words.remove(name)
    call = Call(tool, verb, tuple(words), tuple(parsed.words), parsed.options)
    if call.flag("help"):
        print(_help_of(tool, verb))
        return None
    _check(call, parsed)
    return call


def _check(call: Call, parsed: Parsed) -> None:
    """Raises Misused for options that are none, and for too few or too many arguments."""
    try:
        if parsed.invalid and call.verb.place != NOT_HERE:
            lines = "\n".join([f"{option} : {value}" for option, value in parsed.invalid])
            call.invalid(f"Invalid options for this command:\n{lines}")
        if call.timeout is not None and call.timeout < 0:
            call.invalid(f"Invalid options for this command:\n--timeout : {call.timeout:g}")
        if call.formatter not in FORMATTERS:
            call.invalid(f"the formatter '{call.formatter}' is not there: {', '.join(FORMATTERS)}")
        if len(call.arguments) < call.verb.least:
            call.invalid("not enough arguments.")
        if call.verb.most is not None and len(call.arguments) > call.verb.most:
            call.invalid("too many arguments.")
    except Misused as misused:
        raise Misused(f"{misused}\n{_given(call.words)}\n{usage(call.tool, call.verb)}", misused.code) from None


def _given(words: Sequence[str]) -> str:
    return f"Arguments given:\n\t{' '.join(words)}\n"


def _unknown(tool: str, name: str) -> str:
    import difflib  # noqa: PLC0415 - for misspellings only

    near = difflib.get_close_matches(name, VERBS, 1, 0.75)
    if near:
        return f"\nCommand '{name}' not found. \nDid you mean '{near[0]}'? \n"
    return f"\nCommand '{name}' not found. \n{overview(tool)}"


# --- help


def usage(tool: str, verb: Verb) -> str:
    """How a verb is called."""
    return f"{title('Usage')}\n\n{tool} [--node <node>] [--longnames] [--quiet] {verb.name} {verb.usage}".rstrip()


def overview(tool: str) -> str:
    """All verbs."""
    lines = [
        "",
        title("Usage"),
        "",
        f"{tool} [--node <node>] [--timeout <timeout>] [--longnames] [--quiet] <command> [<command options>]",
        "",
        "The broker is asked through the socket in its data folder (-D <folder>, $AMQPD_DATA_DIR, .amqpd), or where",
        "--url <http://user:password@host:port> or $AMQPCTL_URL say; else on port 15672 of this machine.",
        "",
        "Available commands:",
    ]
    group = ""
    for verb in VERBS.values():
        if verb.group != group:
            group = verb.group
            lines += ["", f"{title(group)}:", ""]
        lines.append(f"   {verb.name:<37} {verb.about}")
    return "\n".join([*lines, "", f"Use '{tool} help <command>' to learn more about a specific command"])


def _help_of(tool: str, verb: Verb) -> str:
    from .lists import BINDING, CHANNEL, CONNECTION, CONSUMER, EXCHANGE, QUEUE  # noqa: PLC0415

    columns = {
        "list_queues": QUEUE,
        "list_exchanges": EXCHANGE,
        "list_bindings": BINDING,
        "list_connections": CONNECTION,
        "list_channels": CHANNEL,
        "list_consumers": CONSUMER,
    }.get(verb.name)
    parts = ["", usage(tool, verb), "", f"{verb.about}.", ""]
    if columns:
        parts += [title("Arguments and Options"), "", "<column>", f"\tmust be one of {', '.join(sorted(columns))}", ""]
    parts += [title("General Options"), "", _GENERAL]
    return "\n".join(parts)


_GENERAL: Final = """\
short            | long                | description
-----------------|---------------------|--------------------------------
-?               | --help              | displays command help
-n <node>        | --node <node>       | the node's name, as messages are to have it
-D <folder>      | --data-dir <folder> | asks the broker of this data folder
                 | --url <url>         | asks the HTTP API there
-t <n>           | --timeout <n>       | for commands that support it, operation timeout in seconds
-q               | --quiet             | suppress informational messages
-s               | --silent            | suppress informational messages and table header row
-p <vhost>       | --vhost <vhost>     | for commands that are scoped to a virtual host, virtual host to use
                 | --formatter <name>  | json, json_stream, csv, table, pretty_table, erlang"""


def help_(call: Call) -> Value:
    if call.flag("list_commands"):
        return Value("\n".join(VERBS), list(VERBS))
    if not call.arguments:
        return Value(overview(call.tool), list(VERBS))
    (name,) = call.arguments
    if name not in VERBS:
        raise Refused(_unknown(call.tool, name), os.EX_USAGE)
    return Value(_help_of(call.tool, VERBS[name]), VERBS[name].usage)


def autocomplete(call: Call) -> Value:
    prefix = call.arguments[0] if call.arguments else ""
    found = [name for name in VERBS if name.startswith(prefix)]
    return Value("\n".join(found), found)


def _complete() -> NoReturn:
    """What may come next on a command line that a shell is completing, one a line: words so far in COMP_WORDS."""
    words = re.split(r"[ \n]", os.environ.get("COMP_WORDS", ""))
    number = int(os.environ.get("COMP_CWORD", "1"))
    current = words[number] if number < len(words) else ""
    verb = next((VERBS[word] for word in words[1:number] if word in VERBS), None)
    if current.startswith("-"):
        options = ["node", "quiet", "silent", "vhost", "timeout", "formatter", "no-table-headers", "url", "data-dir"]
        options += [option.replace("_", "-") for option in (verb.options if verb else ())]
        found = [f"--{option}" for option in options]
    elif words[number - 1 : number] == ["--formatter"]:
        found = list(FORMATTERS)
    elif verb is None or verb.name == "help":
        found = list(VERBS)
    else:
        found = _columns_of(verb)
    print("\n".join([each for each in found if each.startswith(current)]))
    sys.exit(os.EX_OK)


def _columns_of(verb: Verb) -> list[str]:
    if not verb.name.startswith("list_"):
        return []
    from . import lists  # noqa: PLC0415

    table = getattr(lists, verb.name.removeprefix("list_").removesuffix("s").upper(), {})
    return list(table)
