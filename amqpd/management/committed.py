"""Waiting for the disk: the API says that something is done once it would survive a crash."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from ..store.base import Store

T = TypeVar("T")


async def committed(store: Store) -> None:
    """Return once all that was changed so far is durable."""
    done = asyncio.get_running_loop().create_future()
    store.when_committed(lambda: None if done.done() else done.set_result(None))
    await done


async def once_committed(store: Store, answer: T) -> T:
    """An answer that is given once all that was changed so far is durable."""
    await committed(store)
    return answer
