"""The control socket: a unix socket in the data folder, through which its owner uses the HTTP API without a password.

It is there whether or not the API listens on a port, and loads what answers it only when somebody comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from ..control import is_within_reach, within_reach
from ..errors import StartupError

Answer = Callable[[socket.socket], Awaitable[None]]
"""Serves what comes in on a listening socket from now on."""


class Doorbell:
    """Waits for the first who comes."""

    def __init__(self, path: Path, answer: Answer, log: Any) -> None:
        self.path = path
        self._answer = answer
        self._log = log
        self._listening: socket.socket | None = None
        self._opening: asyncio.Task[None] | None = None

    def listen(self) -> None:
        """Open the socket, for this user only. Raises StartupError 73 when it cannot be made there; a path that is too
        long for this system is only warned of.
        """
        if not is_within_reach(str(self.path)):
            self._log.warning("no control socket: the path of the data folder is too long", path=str(self.path))
            return
        self._listening = bound(self.path)
        asyncio.get_running_loop().add_reader(self._listening.fileno(), self._ring)

    async def close(self) -> None:
        """Remove the socket. Whoever answers stops by itself."""
        if self._listening is None:
            return
        asyncio.get_running_loop().remove_reader(self._listening.fileno())
        if self._opening is not None:
            with contextlib.suppress(Exception):
                await self._opening
        self._listening.close()
        self._listening = None
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def _ring(self) -> None:
        assert self._listening is not None
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._listening.fileno())
        self._opening = loop.create_task(self._open(self._listening.dup()))

    async def _open(self, listening: socket.socket) -> None:
        try:
            await self._answer(listening)
        except Exception as error:  # noqa: BLE001 - the broker goes on without
            self._log.error("the control socket cannot be answered", path=str(self.path), error=str(error))
            listening.close()
            self._turn_away()

    def _turn_away(self) -> None:
        """Whoever rang is not to wait in vain; the next is asked in anew."""
        if self._listening is None:
            return
        with contextlib.suppress(OSError):
            self._listening.accept()[0].close()
        asyncio.get_running_loop().add_reader(self._listening.fileno(), self._ring)


def bound(path: Path) -> socket.socket:
    """A listening socket there, that nobody else may open. Raises StartupError 73."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with within_reach(str(path)) as reached:
            listening.bind(reached)
        listening.listen(64)
    except OSError as error:
        listening.close()
        raise StartupError(f"cannot make the control socket {path}: {error}", os.EX_CANTCREAT) from error
    finally:
        os.umask(before)
    listening.setblocking(False)
    return listening
