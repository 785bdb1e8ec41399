"""Where the command `amqpd` begins.

A health check that runs every second should cost next to nothing: a plain `amqpd ping` is answered from here, without
loading what reads all the other command lines.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from ..errors import StartupError
from .leave import carry_out


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Carry out a command line, the process's own or another, and leave with an exit code of sysexits.h."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["ping"] and _is_plain(words[1:]):
        with contextlib.suppress(ValueError):  # a URL that is none: told by the command as all have it
            carry_out("amqpd", lambda: _ping(words[1:]))
    from .commands import call  # noqa: PLC0415 - loads click

    carry_out("amqpd", lambda: call(words))


def _is_plain(words: list[str]) -> bool:
    """Whether these are no more than perhaps a URL and --quiet."""
    others = [word for word in words if word not in ("-q", "--quiet")]
    return len(others) <= 1 and others[:1] != [""] and not any(word.startswith("-") for word in others)


def _ping(words: list[str]) -> int:
    """As `ping.ping`, which has all the options."""
    from .probe import TIMEOUT, greet, locate, target_of  # noqa: PLC0415

    urls = [word for word in words if not word.startswith("-")]
    try:
        target = target_of(locate(urls[0] if urls else None, None, os.environ))
        greet(target, TIMEOUT)
    except StartupError as error:
        print(f"amqpd: {error}", file=sys.stderr)
        return error.exit_code
    if len(urls) == len(words):
        print(f"{target} answers")
    return os.EX_OK
