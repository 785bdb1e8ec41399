"""How RabbitMQ's control commands are called: a verb among options, sysexits codes, a banner for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

if TYPE_CHECKING:
    from ..http import Api

TIMEOUT: Final = 60.0
"""Seconds that commands have, unless told otherwise."""

FOR_PROGRAMS: Final = frozenset({"json", "json_stream", "csv"})
"""Formatters whose output is nothing but the result."""

FORMATTERS: Final = (*FOR_PROGRAMS, "table", "pretty_table", "erlang", "string", "report", "plugins")


class Refused(Exception):
    """The command leaves with this code, and this said on standard error."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class NoStatistics(Refused):
    """What was asked for is shown together with statistics only."""

    def __init__(self) -> None:
        super().__init__(
            "Error:\nthe broker shows no statistics over HTTP (management.disable_stats)", os.EX_UNAVAILABLE
        )


class Misused(Exception):
    """The command line is wrong: what is said goes before RabbitMQ's list of arguments and usage."""

    def __init__(self, text: str, code: int = os.EX_USAGE) -> None:
        super().__init__(text)
        self.code = code


class Rehearsed(Exception):
    """It was to be said what would be done, and no more (--dry-run)."""


class Verb(NamedTuple):
    """A command, as the table of verbs has it."""

    name: str
    place: str  # module:function in this package
    least: int  # arguments
    most: int | None  # None: any number
    usage: str  # after the name
    about: str
    group: str
    options: Mapping[str, type]  # besides those of all verbs; bool ones stand alone


class Call:
    """One command, as it was called."""

    def __init__(
        self,
        tool: str,
        verb: Verb,
        words: tuple[str, ...],
        arguments: tuple[str, ...],
        options: dict[str, Any],
        api: Api | None = None,
    ) -> None:
        self.tool = tool  # the name it is called by
        self.verb = verb
        self.words = words  # the command line
        self.arguments = arguments
        self.options = options
        self._api = api

    @property
    def node(self) -> str:
        return str(self.options.get("node") or os.environ.get("RABBITMQ_NODENAME") or f"amqpd@{os.uname().nodename}")

    @property
    def vhost(self) -> str:
        return str(self.options.get("vhost", "/"))

    @property
    def timeout(self) -> float | None:
        """Seconds; None unless it was said."""
        chosen: float | None = self.options.get("timeout")
        return chosen

    @property
    def formatter(self) -> str:
        return str(self.options.get("formatter", "table"))

    @property
    def silent(self) -> bool:
        return bool(self.options.get("silent"))

    @property
    def quiet(self) -> bool:
        return bool(self.options.get("quiet")) or self.silent

    @property
    def headers(self) -> bool:
        """Whether tables have a first row of names."""
        return not (self.silent or self.options.get("no_table_headers"))

    def flag(self, name: str) -> bool:
        return bool(self.options.get(name))

    @property
    def columns(self) -> list[str]:
        """The arguments, where they name columns: separated by blanks or commas."""
        return [name for argument in self.arguments for name in argument.split(",") if name]

    def banner(self, text: str) -> None:
        """What it is about to do, for people."""
        if not self.quiet and self.formatter not in FOR_PROGRAMS:
            print(text, flush=True)
        if self.flag("dry_run"):
            raise Rehearsed

    @property
    def api(self) -> Api:
        """The broker's. Raises Unreachable when there can be none."""
        if self.flag("dry_run"):
            raise Rehearsed
        if self._api is None:
            from ..http import Api, find  # noqa: PLC0415 - health checks do without

            try:
                place = find(self.options.get("url"), self.options.get("data_dir"), os.environ)
            except ValueError as error:
                raise Misused(f"Error: {error}") from error
            self._api = Api(place, self.timeout or TIMEOUT)
        return self._api

    def close(self) -> None:
        if self._api is not None:
            self._api.close()

    def timed_out(self) -> Refused:
        """The broker did not answer within the time there was."""
        milliseconds = int(1000 * (TIMEOUT if self.timeout is None else self.timeout))
        return Refused(
            f"Error: operation {self.verb.name} on node {self.node} timed out. Timeout value used: {milliseconds}",
            os.EX_TEMPFAIL,
        )

    def fail(self, text: str, code: int = os.EX_UNAVAILABLE, **fields: Any) -> NoReturn:
        """Leave with an error that is JSON, and 69, where programs want that."""
        if self.formatter in ("json", "json_stream"):
            raise Refused(
                json.dumps(fields, separators=(",", ":"), ensure_ascii=False, sort_keys=True), os.EX_UNAVAILABLE
            )
        raise Refused(text, code)

    def deny(self, text: str, code: int = os.EX_UNAVAILABLE) -> NoReturn:
        """Leave with an error in the form that RabbitMQ gives most."""
        raise Refused(f"Error:\n{text}", code)

    def statistic(self, found: Mapping[str, Any], name: str) -> Any:
        """What an answer of the API has unless it goes without statistics, as over a URL it may."""
        if name not in found:
            raise NoStatistics
        return found[name]

    def no_vhost(self, name: str | None = None) -> NoReturn:
        """Leave: the vhost is not there."""
        raise Refused(f"Virtual host '{self.vhost if name is None else name}' does not exist", os.EX_DATAERR)

    def invalid(self, text: str, code: int = os.EX_USAGE) -> NoReturn:
        """Leave: an argument cannot be."""
        raise Misused(f"Error (argument validation): {text}", code)

    def bad_argument(self, text: str = "") -> NoReturn:
        """Leave: an argument has no sense."""
        self.invalid(f"Bad argument: {text}" if text else "Bad argument.", os.EX_DATAERR)

    def secret(self, index: int) -> str:
        """A password among the arguments; else the first line of the input. Leaves when there is none."""
        if len(self.arguments) > index:
            return self.arguments[index]
        if sys.stdin.isatty():
            import getpass  # noqa: PLC0415

            given = getpass.getpass("Password: ")
        else:
            print("Password: ", flush=True)
            given = sys.stdin.readline().rstrip("\r\n")
        if not given:
            self.deny("Password is not provided via argument or stdin", os.EX_SOFTWARE)
        return given


_GLOBAL: Final[Mapping[str, type]] = {
    "node": str,
    "quiet": bool,
    "silent": bool,
    "longnames": bool,
    "vhost": str,
    "timeout": float,
    "formatter": str,
    "printer": str,
    "file": str,
    "erlang_cookie": str,
    "rabbitmq_home": str,
    "mnesia_dir": str,
    "plugins_dir": str,
    "enabled_plugins_file": str,
    "script_name": str,
    "dry_run": bool,
    "no_table_headers": bool,
    "table_headers": bool,
    "help": bool,
    "url": str,
    "data_dir": str,
}

_SHORT: Final = {
    "n": "node",
    "q": "quiet",
    "s": "silent",
    "l": "longnames",
    "p": "vhost",
    "t": "timeout",
    "?": "help",
    "h": "help",
    "D": "data_dir",
}

_SHORT_OF_VERBS: Final = {
    "pid": "P",
    "if_empty": "e",
    "if_unused": "u",
    "implicitly_enabled": "e",
    "enabled": "E",
    "minimal": "m",
    "verbose": "v",
    "all": "a",
    "number": "N",
}


class Parsed(NamedTuple):
    """A command line, taken apart."""

    words: list[str]  # that are no options
    options: dict[str, Any]
    invalid: list[tuple[str, str]]  # options that are none, or whose value is none


def parse(words: Sequence[str], options: Mapping[str, type]) -> Parsed:
    """Take a command line apart; options may be anywhere, and what comes after `--` is none."""
    known = {**_GLOBAL, **options}
    letters = {**_SHORT, **{_SHORT_OF_VERBS[name]: name for name in options if name in _SHORT_OF_VERBS}}
    parsed = Parsed([], {}, [])
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            parsed.words.extend(rest)
            break
        if not word.startswith("-") or len(word) == 1:
            parsed.words.append(word)
            continue
        spelt, equals, value = word.partition("=")
        name = spelt[2:].replace("-", "_") if word.startswith("--") else letters.get(spelt[1:], "")
        kind = known.get(name)
        if kind is None:
            parsed.invalid.append((spelt, value))
        elif kind is bool:
            parsed.options[name] = value != "false" if equals else True
        else:
            if not equals:
                if not rest or (rest[0].startswith("-") and len(rest[0]) > 1 and not _is_number(rest[0])):
                    parsed.invalid.append((spelt, ""))
                    continue
                value = rest.pop(0)
            try:
                parsed.options[name] = kind(value)
            except ValueError:
                parsed.invalid.append((spelt, value))
    return parsed


def _is_number(word: str) -> bool:
    return word[1:].replace(".", "", 1).isdigit()
