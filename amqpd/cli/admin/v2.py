"""rabbitmqadmin v2: `queues declare --name q --type quorum`, or the same with the verb first.

Done is done without a word; what is listed is a table. Exit codes are those of sysexits.h. `actions` are what commands
do, `commands` is the table of them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ...errors import StartupError
from ..http import Api, Refusal
from .connection import Unusable, api_of, settings_of
from .styles import STYLES, bare, drawn

OPTIONS: Final[Mapping[str, type]] = {
    "config": str,
    "node": str,
    "host": str,
    "hostname": str,
    "port": str,
    "base_uri": str,
    "path_prefix": str,
    "vhost": str,
    "username": str,
    "password": str,
    "insecure": bool,
    "use_tls": bool,
    "tls_ca_cert_file": str,
    "tls_cert_file": str,
    "tls_key_file": str,
    "timeout": int,
    "quiet": bool,
    "verbose": bool,
    "non_interactive": bool,
    "table_style": str,
    "help": bool,
    "version": bool,
    "url": str,
    "data_dir": str,
}
"""Before the command, or anywhere."""

SHORT: Final = {
    "c": "config",
    "N": "node",
    "H": "host",
    "P": "port",
    "U": "base_uri",
    "V": "vhost",
    "u": "username",
    "p": "password",
    "k": "insecure",
    "q": "quiet",
    "v": "verbose",
    "h": "help",
    "D": "data_dir",
}

_SETTINGS: Final = {
    "host": "hostname",
    "insecure": "ssl_insecure",
    "use_tls": "ssl",
    "tls_ca_cert_file": "ssl_ca_cert_file",
    "tls_cert_file": "ssl_cert_file",
    "tls_key_file": "ssl_key_file",
    "timeout": "request_timeout",
}


class Fault(Exception):
    """It ends here, with this on standard error, and this exit code."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


class Option(NamedTuple):
    """What a command takes."""

    name: str
    needed: bool
    default: str | None
    short: str = ""
    alone: bool = False  # takes no value


class Command(NamedTuple):
    """A noun's verb."""

    options: tuple[Option, ...]
    act: Callable[[Call], None]
    positional: str = ""  # a value without an option


class Call:
    """One command, as it was called."""

    def __init__(self, tool: str, noun: str, given: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        self.tool = tool
        self.noun = noun
        self.given = given
        self.settings = settings
        self._api: Api | None = None

    @property
    def api(self) -> Api:
        if self._api is None:
            self._api = api_of(self.settings)
        return self._api

    def close(self) -> None:
        if self._api is not None:
            self._api.close()

    @property
    def vhost(self) -> str:
        return str(self.settings.get("vhost") or "/")

    @property
    def quiet(self) -> bool:
        return bool(self.settings.get("quiet"))

    def __getitem__(self, option: str) -> Any:
        return self.given.get(option)

    def flag(self, option: str, default: bool | None = None) -> bool | None:
        """A truth value that is spelt out. Raises Fault 64."""
        value = self.given.get(option)
        if value is None or isinstance(value, bool):
            return default if value is None else value
        if value.lower() not in ("true", "false"):
            raise Fault(f"error: invalid value '{value}' for '--{option}': true or false", os.EX_USAGE)
        return bool(value.lower() == "true")

    def json(self, option: str) -> Any:
        """A value that is JSON. Raises Fault 65."""
        text = self.given[option]
        try:
            return json.loads(text)
        except ValueError:
            raise Fault(f"`{text}` is not a valid JSON value for --{option}", os.EX_DATAERR) from None

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Show it in the style that is wanted."""
        style = str(self.settings.get("table_style") or next(iter(STYLES)))
        if style not in STYLES:
            raise Fault(f"error: invalid value '{style}' for '--table-style': {', '.join(STYLES)}", os.EX_USAGE)
        lines = bare(columns, rows) if self.settings.get("non_interactive") else drawn(columns, rows, STYLES[style])
        for line in lines:
            print(line)


def run(tool: str, command: Command, noun: str, given: Mapping[str, Any], options: Mapping[str, Any]) -> int:
    """Carry out a command; returns the exit code."""
    call: Call | None = None
    try:
        spelt = {_SETTINGS.get(option, option): value for option, value in options.items()}
        call = Call(tool, noun, _complete(command, given), settings_of(spelt, os.environ))
        try:
            command.act(call)
        except Refusal as refusal:
            if refusal.status == 404 and given.get("idempotently"):
                return os.EX_OK
            raise
    except Fault as fault:
        print(fault, file=sys.stderr)
        return fault.code
    except Unusable as error:
        print(f"error: {error}", file=sys.stderr)
        return os.EX_USAGE
    except Refusal as refusal:
        print(f"{_status(refusal)}: {refusal.text}", file=sys.stderr)
        return _CODES.get(refusal.status, os.EX_SOFTWARE if refusal.status >= 500 else os.EX_DATAERR)
    except StartupError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    finally:
        if call is not None:
            call.close()
    return os.EX_OK


_CODES: Final = {401: os.EX_NOPERM, 403: os.EX_NOPERM}


def _status(refusal: Refusal) -> str:
    return f"API responded with status {refusal.status} to {refusal.path}"


def _complete(command: Command, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options with their defaults. Raises Fault 64 when one is missing."""
    missing = [option.name for option in command.options if option.needed and given.get(option.name) is None]
    if command.positional and given.get(command.positional) is None:
        missing.append(command.positional)
    if missing:
        wanted = "\n".join([f"  --{option} <{option}>" for option in missing])
        raise Fault(f"error: the following required arguments were not provided:\n{wanted}", os.EX_USAGE)
    defaults = {option.name: option.default for option in command.options if option.default is not None}
    return {**defaults, **{option: value for option, value in given.items() if value is not None}}
