"""The control socket's name, and how a unix socket is reached wherever the folder that holds it lies."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Final

CONTROL_SOCKET: Final = "control.sock"
"""In the data folder; whoever may open it needs no password."""

LONGEST_PATH: Final = 107
"""Bytes in the path of a unix socket (sockaddr_un)."""

_DESCRIPTORS: Final = "/proc/self/fd"


def is_within_reach(path: str) -> bool:
    """Whether `within_reach` has a path for it: always on Linux, elsewhere when it is short enough."""
    return len(os.fsencode(path)) <= LONGEST_PATH or os.path.isdir(_DESCRIPTORS)  # noqa: PTH112 - pathlib takes its time


@contextlib.contextmanager
def within_reach(path: str) -> Iterator[str]:
    """A path to bind or connect to: the one given, or where that is too long, one by way of its open folder.

    Raises OSError when the folder cannot be opened.
    """
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield path
        return
    folder, name = os.path.split(path)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"{_DESCRIPTORS}/{descriptor}/{name}"
    finally:
        os.close(descriptor)
