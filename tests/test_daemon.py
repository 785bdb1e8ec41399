"""All of it put together, in this process: timers, a full disk, and a store that fails."""

from __future__ import annotations

import asyncio
import errno
import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import lmdb
import pytest
import structlog

from amqpd import __version__
from amqpd.clock import Clock, VirtualClock
from amqpd.config import Config
from amqpd.daemon import Daemon, compat_of, node_name, server_properties
from amqpd.errors import StartupError
from amqpd.log import configure, get_logger
from amqpd.store.lmdb_store import LmdbStore
from amqpd.wire.methods import (
    BasicAck,
    BasicConsume,
    BasicConsumeOk,
    BasicDeliver,
    BasicGet,
    BasicGetOk,
    ChannelClose,
    ConfirmSelect,
    ConfirmSelectOk,
    ConnectionBlocked,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionUnblocked,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
)
from amqpd.wire.properties import Properties
from tests.listeners.harness import AsyncClient, run, until

PERSISTENT = Properties(delivery_mode=2)


def config(folder: Path, **settings: Any) -> Config:
    return Config(
        **{"listener": "127.0.0.1:0", "data_dir": str(folder), "sync": False, "management": False, **settings}
    )


@asynccontextmanager
async def running(settings: Config, clock: Clock | None = None) -> AsyncIterator[Daemon]:
    daemon = Daemon(settings, clock)
    await daemon.start()
    try:
        yield daemon
    finally:
        await daemon.stop()


async def connect(daemon: Daemon, **options: Any) -> AsyncClient:
    return await AsyncClient.connect(daemon.addresses[0], **options)


def the_store(daemon: Daemon) -> LmdbStore:
    return daemon._stores[0][0]


def test_it_starts_takes_clients_and_stops(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(config(tmp_path)) as daemon:
            await (await connect(daemon)).leave()
            port = daemon.addresses[0][1]
            assert daemon.url == f"amqp://guest:guest@127.0.0.1:{port}/"
        assert daemon.failure is None

    run(asyncio.new_event_loop, main)


def test_a_password_of_somebodys_is_not_shown(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(config(tmp_path, memory=True, default_user="alice", default_pass="secret")) as daemon:
            assert "secret" not in daemon.url
            assert "alice:PASSWORD@" in daemon.url

    run(asyncio.new_event_loop, main)


def test_stores_are_released_when_it_cannot_start(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(config(tmp_path / "one")) as daemon:
            taken = daemon.addresses[0][1]
            with pytest.raises(StartupError) as caught:
                await Daemon(config(tmp_path / "two", listener=f"127.0.0.1:{taken}")).start()
            assert caught.value.exit_code == os.EX_UNAVAILABLE
            with pytest.raises(StartupError) as caught:
                await Daemon(config(tmp_path / "one")).start()
            assert caught.value.exit_code == os.EX_TEMPFAIL
        for name in ("one", "two"):
            async with running(config(tmp_path / name)):
                pass

    run(asyncio.new_event_loop, main)


def test_the_loop_runs_the_timers_of_the_clock(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(config(tmp_path, memory=True), Clock()) as daemon:
            rung: list[str] = []
            daemon.clock.call_later(0.02, lambda: rung.append("second"))
            daemon.clock.call_later(0.01, lambda: rung.append("first"))
            daemon.clock.call_later(3600, lambda: rung.append("never"))
            await until(lambda: len(rung) == 2)
            assert rung == ["first", "second"]

    run(asyncio.new_event_loop, main)


def test_a_client_that_says_nothing_is_dropped_in_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(config(tmp_path, memory=True, handshake_timeout=20)) as daemon:
            client = await connect(daemon, log_in=False)
            assert await client.receive() is None
            await client.drop()

    run(asyncio.new_event_loop, main)


async def publisher(daemon: Daemon) -> AsyncClient:
    client = await connect(daemon)
    await client.call(1, QueueDeclare(queue="q", durable=True), QueueDeclareOk)
    await client.call(1, ConfirmSelect(), ConfirmSelectOk)
    return client


def test_publishers_are_blocked_while_there_is_no_room_and_nothing_is_lost(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(config(tmp_path, map_size=1 << 20)) as daemon:
            client = await publisher(daemon)
            client.write(client.session.encode_publish(1, "", "q", bytes(4 << 20), PERSISTENT))
            await until(lambda: daemon.broker.alarms.reason != "")
            client.write(client.session.encode_publish(1, "", "q", b"more", PERSISTENT))
            assert (await client.expect(ConnectionBlocked)).reason == "low on disk"
            # room is made; the thread is between two attempts, or the map is in use and it is tried again
            for _ in range(100):
                try:
                    the_store(daemon)._env.set_mapsize(64 << 20)
                    break
                except lmdb.Error:
                    await asyncio.sleep(0.01)
            kinds = set()
            acked = 0
            while acked < 2 or ConnectionUnblocked not in kinds:
                command = await client.receive()
                assert command is not None
                kinds.add(type(command.method))
                if isinstance(command.method, BasicAck):
                    acked = command.method.delivery_tag
            assert kinds == {ConnectionUnblocked, BasicAck}
            await client.leave()
        async with running(config(tmp_path, map_size=64 << 20)) as daemon:
            assert daemon.broker.vhosts["/"].queue("q", None).message_count == 2

    run(asyncio.new_event_loop, main)


def test_it_stops_when_the_store_fails_and_confirms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        daemon = Daemon(config(tmp_path))
        await daemon.start()
        client = await publisher(daemon)
        failure = OSError(errno.EIO, "input/output error")

        def fail(batch: object) -> None:
            raise failure

        monkeypatch.setattr(the_store(daemon), "write", fail)
        client.write(client.session.encode_publish(1, "", "q", b"body", PERSISTENT))
        await daemon.run_until_stopped()
        assert daemon.failure is failure
        assert client.session.next() is None
        daemon._listener.stop_accepting()
        await daemon._listener.close_connections("", 0.0)
        while (command := await client.receive()) is not None:
            assert not isinstance(command.method, BasicAck)
        await client.drop()
        ((store, committer), (pager, paging)) = daemon._stores
        assert committer.stop() is False
        assert paging.stop() is True
        pager.close()
        os.close(store._lock)
        store._env.close()

    run(asyncio.new_event_loop, main)


def test_clients_that_answer_its_farewell_are_waited_for(tmp_path: Path) -> None:
    async def main() -> None:
        daemon = Daemon(config(tmp_path))
        await daemon.start()
        client = await publisher(daemon)
        stopping = asyncio.create_task(daemon.stop())
        await client.expect(ConnectionClose)
        assert not stopping.done()
        client.send(0, ConnectionCloseOk())
        await stopping
        assert await client.receive() is None
        await client.drop()

    run(asyncio.new_event_loop, main)


def test_time_may_be_virtual(tmp_path: Path) -> None:
    async def main() -> None:
        clock = VirtualClock()
        async with running(config(tmp_path, memory=True), clock) as daemon:
            client = await connect(daemon, log_in=False)
            await until(lambda: clock.deadline() is not None)
            clock.advance(10)
            assert await client.receive() is None
            await client.drop()

    run(asyncio.new_event_loop, main)


def test_the_consumer_timeout_is_a_setting(tmp_path: Path) -> None:
    async def main() -> None:
        clock = VirtualClock()
        async with running(config(tmp_path, memory=True, consumer_timeout=1000), clock) as daemon:
            client = await connect(daemon)
            await client.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
            client.write(client.session.encode_publish(1, "", "q", b"body"))
            await client.call(1, BasicGet(queue="q"), BasicGetOk)
            clock.advance(2)
            assert "Timeout value used: 1000 ms" in (await client.expect(ChannelClose)).reply_text
            await client.drop()

    run(asyncio.new_event_loop, main)


def test_server_properties_follow_the_settings(tmp_path: Path) -> None:
    properties = server_properties(config(tmp_path, product="Rabbit", compat="4.1"))
    assert (properties["product"], properties["version"]) == ("Rabbit", "4.1.8")
    assert properties["amqpd_version"] == __version__
    assert all(value is True for value in properties["capabilities"].values())


def test_names_and_permissions_are_settings(tmp_path: Path) -> None:
    settings = config(tmp_path, compat="4.3", product_version="9.9", node_name="rabbit@here", cluster_name="all of us")
    properties = server_properties(settings)
    assert (properties["version"], properties["cluster_name"]) == ("9.9", "all of us")
    assert node_name(settings) == "rabbit@here"
    assert server_properties(config(tmp_path, node_name="rabbit@here"))["cluster_name"] == "rabbit@here"
    assert node_name(config(tmp_path, node_name="rabbit")).startswith("rabbit@")
    assert node_name(config(tmp_path)).startswith("amqpd@")


@pytest.mark.parametrize(("permitted", "allowed"), [("compat", False), ("true", True)])
def test_transient_queues_may_be_permitted_whatever_the_version(tmp_path: Path, permitted: str, allowed: bool) -> None:
    compat = compat_of(config(tmp_path, compat="4.3", permit_transient_queues=permitted))
    assert compat.transient_queues is allowed
    assert not compat.global_qos


def test_lines_of_the_log_are_messages_when_asked_for(tmp_path: Path) -> None:
    async def main() -> None:
        stream = io.StringIO()
        log = configure("info", "console", stream, further_levels=["error"])
        daemon = Daemon(config(tmp_path, memory=True, log_exchange=True, log_exchange_level="error"), log=log)
        await daemon.start()
        client = await connect(daemon)
        await client.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
        await client.call(1, QueueBind(queue="q", exchange="amq.rabbitmq.log", routing_key="#"), QueueBindOk)
        other = await connect(daemon)
        await other.call(1, QueueDeclare(queue="nope", passive=True), ChannelClose)
        await client.call(1, BasicConsume(queue="q", no_ack=True), BasicConsumeOk)
        delivery = await client.expect(BasicDeliver)
        assert (delivery.exchange, delivery.routing_key) == ("amq.rabbitmq.log", "error")
        await client.drop()
        await other.drop()
        await daemon.stop()
        get_logger().error("after the end")
        assert "channel error" in stream.getvalue()

    try:
        run(asyncio.new_event_loop, main)
    finally:
        structlog.reset_defaults()
