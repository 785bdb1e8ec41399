"""The broker's end with its parent, where the kernel does not tell: tests/cli/test_run.py has the rest."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from amqpd.process import parent
from amqpd.process.parent import LOOK_EVERY, EndWithInput, EndWithParent
from tests.listeners.harness import loop_factories, run, until

from .running import Running


def test_a_look_now_and_then_finds_that_the_parent_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent.sys, "platform", "elsewhere")
    attendant = EndWithParent()
    running = Running()
    attendant.started(running)
    running.clock.advance(10 * LOOK_EVERY)
    assert running.reasons == []
    before = os.getppid()
    monkeypatch.setattr(parent.os, "getppid", lambda: 1)
    running.clock.advance(LOOK_EVERY)
    assert running.reasons == [f"process {before}, which started this one, is gone"]
    running.clock.advance(10 * LOOK_EVERY)
    assert len(running.reasons) == 1


def test_a_parent_that_is_gone_already_is_noticed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent.sys, "platform", "elsewhere")
    attendant = EndWithParent()
    monkeypatch.setattr(parent.os, "getppid", lambda: 1)
    running = Running()
    attendant.started(running)
    assert len(running.reasons) == 1


@contextmanager
def standard_input(descriptor: int) -> Iterator[None]:
    """Have it read from here."""
    kept = os.dup(0)
    os.dup2(descriptor, 0)
    try:
        yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


@pytest.mark.parametrize("factory", loop_factories())
def test_the_end_of_input_is_the_end(factory: object) -> None:
    reading, writing = os.pipe()

    async def main() -> None:
        running = Running()
        EndWithInput().started(running)
        os.write(writing, b"not yet")
        await asyncio.sleep(0)
        assert running.reasons == []
        os.close(writing)
        await until(lambda: bool(running.reasons))
        assert running.reasons == ["standard input has ended"]

    with standard_input(reading):
        run(factory, main)  # type: ignore[arg-type]
    os.close(reading)
