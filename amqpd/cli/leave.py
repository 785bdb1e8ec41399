"""How the commands end: with an exit code, whatever becomes of what they print.

Output goes to pipes that are closed early, to terminals that are gone and to disks that are full.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import NoReturn


def carry_out(program: str, act: Callable[[], int]) -> NoReturn:
    """Do it, and leave with the code that comes of it: 1 when nobody reads on, 74 when output cannot be written."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed from the start: nobody wants to know
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 - pathlib takes its time
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115
    try:
        code = act()
        sys.stdout.flush()
    except BrokenPipeError:
        code = 1
    except OSError as error:
        code = os.EX_IOERR
        with contextlib.suppress(OSError):
            print(f"{program}: {error.strerror or error}", file=sys.stderr)
    give_up_unwritten()
    sys.exit(code)


def give_up_unwritten() -> None:
    """What was printed and cannot be written is thrown away, or Python would complain of it at the very end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            stream.flush()
