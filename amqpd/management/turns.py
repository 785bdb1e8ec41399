"""Long work in the broker's own loop, cut up so that others have their turn."""

from __future__ import annotations

import asyncio
import time
from typing import Final

SLICE: Final = 0.004
"""Seconds of work before others have their turn."""


class Turns:
    """Counts the time since others had theirs."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    @property
    def due(self) -> bool:
        return time.perf_counter() - self._since >= SLICE

    async def give(self) -> None:
        """Let others have their turn."""
        await asyncio.sleep(0)
        self._since = time.perf_counter()
