"""With ten thousand queues: answers come soon, and nobody waits long for another's. Limits are wide; `make bench`
measures."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.management.harness import Api

QUEUES = 10_000

SOON = 2.0
"""Seconds for a page; it takes some milliseconds."""

HELD_UP = 0.25
"""Seconds that others may wait, at most."""


@pytest.fixture(scope="module")
def api() -> Api:
    api = Api()
    for number in range(QUEUES):
        api.vhost.declare_queue(f"q{number:05}", durable=True)
    return api


@pytest.mark.parametrize(
    "path",
    [
        "/queues?page=1",
        "/queues?page=100&sort=messages&sort_reverse=true",
        "/queues?page=1&name=99$&use_regex=true",
        "/queues?page=1&sort=message_stats.publish",
        "/queues?columns=name,messages",
        "/bindings",
        "/overview",
        "/vhosts",
    ],
)
def test_nobody_is_held_up(api: Api, path: str) -> None:
    async def main() -> tuple[float, float]:
        longest = 0.0

        async def others() -> None:
            nonlocal longest
            while True:
                begun = time.monotonic()
                await asyncio.sleep(0)
                longest = max(longest, time.monotonic() - begun)

        beside = asyncio.create_task(others())
        await asyncio.sleep(0)
        begun = time.monotonic()
        answer = await api.ask("GET", f"/api{path}")
        took = time.monotonic() - begun
        beside.cancel()
        assert answer.status == 200
        return took, longest

    took, longest = min((asyncio.run(main()) for _ in range(3)), key=lambda each: each[1])  # others may hold us up, too
    assert longest < HELD_UP
    assert took < SOON or "page=1" not in path
