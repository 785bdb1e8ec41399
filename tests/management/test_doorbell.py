"""The control socket before anybody has come."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from amqpd.control import within_reach
from amqpd.management.doorbell import Doorbell
from tests.fakes import RecordingLog


def test_who_cannot_be_answered_is_turned_away_and_the_next_one_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    log = RecordingLog()
    attempts = 0

    async def fail(listening: socket.socket) -> None:
        nonlocal attempts
        attempts += 1
        raise RuntimeError("not today")

    async def main() -> None:
        doorbell = Doorbell(path, fail, log)
        doorbell.listen()
        for _ in range(2):
            reader, writer = await asyncio.open_unix_connection(path)
            assert await asyncio.wait_for(reader.read(), 10) == b""
            writer.close()
        await doorbell.close()

    asyncio.run(main())
    assert attempts == 2
    assert [text for _, text, _ in log.lines] == ["the control socket cannot be answered"] * 2
    assert not path.exists()


def test_it_can_lie_deep(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["a folder of a name that is not short"] * 5)
    folder.mkdir(parents=True)

    async def main() -> None:
        rung = asyncio.Event()

        async def answer(listening: socket.socket) -> None:
            listening.close()
            rung.set()

        doorbell = Doorbell(folder / "control.sock", answer, RecordingLog())
        doorbell.listen()
        with within_reach(str(doorbell.path)) as reached:
            _, writer = await asyncio.open_unix_connection(reached)
        await asyncio.wait_for(rung.wait(), 10)
        writer.close()
        await doorbell.close()

    asyncio.run(main())
    assert not list(folder.iterdir())


def test_only_its_owner_may_ring(tmp_path: Path) -> None:
    async def main() -> None:
        async def answer(listening: socket.socket) -> None:
            listening.close()

        doorbell = Doorbell(tmp_path / "control.sock", answer, RecordingLog())
        doorbell.listen()
        assert doorbell.path.stat().st_mode & 0o777 == 0o600
        await doorbell.close()

    asyncio.run(main())
