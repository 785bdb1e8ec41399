"""All of it put together, in this process: timers, a full disk, and a store that fails."""

from __future__ import annotations

import asyncio
import errno
import io
import os
import shutil
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import lmdb
import pytest
import structlog

from amqpd import __version__
from amqpd.auth.base import Credentials, User
from amqpd.auth.internal import PasswordRules
from amqpd.clock import Clock, VirtualClock
from amqpd.config import Address, Config, DefaultLimits, DefaultPolicy, DefaultUser
from amqpd.daemon import (
    Daemon,
    compat_of,
    logs_queues,
    mechanisms,
    node_name,
    password_rules,
    server_properties,
)
from amqpd.daemon import run as daemon_run
from amqpd.errors import StartupError
from amqpd.log import configure, get_logger
from amqpd.process import Attendant, Running
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
from tests.certificates import Authority
from tests.fakes import LOCAL, REMOTE
from tests.listeners.harness import AsyncClient, run, until

PERSISTENT = Properties(delivery_mode=2)


def config(folder: Path, **settings: Any) -> Config:
    return Config(
        **{
            "tcp_listeners": (Address("127.0.0.1", 0),),
            "data_dir": str(folder),
            "sync": False,
            "management": False,
            **settings,
        }
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


def test_it_listens_wherever_it_is_told_to_with_tls_and_without(tmp_path: Path) -> None:
    async def main() -> None:
        authority = Authority(tmp_path)
        tls = {"certfile": authority.issue(), "ssl_listeners": (Address("127.0.0.1", 0), Address("127.0.0.2", 0))}
        plain = (Address("127.0.0.1", 0), Address("127.0.0.3", 0))
        async with running(config(tmp_path, memory=True, tcp_listeners=plain, **tls)) as daemon:
            assert [host for host, _ in daemon.addresses] == ["127.0.0.1", "127.0.0.3"]
            assert [host for host, _ in daemon.tls_addresses] == ["127.0.0.1", "127.0.0.2"]
            clients = [await AsyncClient.connect(address) for address in daemon.addresses]
            for address in daemon.tls_addresses:
                clients.append(await AsyncClient.connect(address, tls=authority.client()))  # noqa: PERF401
            assert len(daemon.broker.connections.open) == 4
            for client in clients:
                await client.leave()
        async with running(config(tmp_path, memory=True, tcp_listeners=(), **tls)) as daemon:
            assert daemon.url == f"amqps://guest:guest@127.0.0.1:{daemon.tls_addresses[0][1]}/"

    run(asyncio.new_event_loop, main)


def test_when_one_of_them_cannot_be_had_none_is_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(config(tmp_path / "one", memory=True)) as daemon:
            taken = Address(*daemon.addresses[0])
            free = Address("127.0.0.2", taken.port)
            with pytest.raises(StartupError) as caught:
                await Daemon(config(tmp_path / "two", memory=True, tcp_listeners=(free, taken))).start()
            assert caught.value.exit_code == os.EX_UNAVAILABLE
            await asyncio.sleep(0)
            async with running(config(tmp_path / "three", memory=True, tcp_listeners=(free,))):
                pass
            certificate = Authority(tmp_path).issue()
            with pytest.raises(StartupError, match="choose another port with listeners"):
                await Daemon(config(tmp_path, memory=True, ssl_listeners=(taken,), certfile=certificate)).start()

    run(asyncio.new_event_loop, main)


def test_a_listener_offers_the_ways_to_log_in_that_work_there(tmp_path: Path) -> None:
    everything = config(
        tmp_path,
        auth_mechanisms=("PLAIN", "AMQPLAIN", "EXTERNAL", "ANONYMOUS"),
        anonymous_login_user="guest",
        anonymous_login_pass="guest",
    )
    assert list(mechanisms(everything, encrypted=False)) == ["PLAIN", "AMQPLAIN", "ANONYMOUS"]
    assert list(mechanisms(everything, encrypted=True)) == ["PLAIN", "AMQPLAIN", "EXTERNAL", "ANONYMOUS"]
    for encrypted in (False, True):
        assert list(mechanisms(Config(), encrypted=encrypted)) == ["PLAIN", "AMQPLAIN"]


def test_anonymous_clients_are_the_configured_user(tmp_path: Path) -> None:
    async def main() -> None:
        anonymous = {"anonymous_login_user": "guest", "anonymous_login_pass": "guest"}
        async with running(config(tmp_path, memory=True, **anonymous)) as daemon:
            client = await connect(daemon, mechanism="ANONYMOUS")
            (connection,) = daemon.broker.connections.open
            assert connection.username == "guest"
            await client.leave()

    run(asyncio.new_event_loop, main)


def test_reloading_takes_new_certificates(tmp_path: Path) -> None:
    async def main() -> None:
        file = tmp_path / "server.pem"
        authority = Authority(tmp_path)
        shutil.copy(authority.issue(), file)
        tls = {"certfile": str(file), "ssl_listeners": (Address("127.0.0.1", 0),)}
        async with running(config(tmp_path, memory=True, **tls)) as daemon:
            former = daemon._tls.context  # type: ignore[union-attr]
            shutil.copy(authority.issue(), file)
            daemon.reload()
            assert daemon._tls.context is not former  # type: ignore[union-attr]
        async with running(config(tmp_path, memory=True)) as daemon:
            daemon.reload()

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
                await Daemon(config(tmp_path / "two", tcp_listeners=(Address("127.0.0.1", taken),))).start()
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


def test_stores_without_room_hold_the_alarm_each_for_itself(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(config(tmp_path)) as daemon:
            (store, _), (pager, _) = daemon._stores
            alarms = daemon.broker.alarms
            full = OSError(errno.ENOSPC, "no space left on device")
            daemon._no_room(store, full)
            daemon._no_room(pager, full)
            daemon._room_again(pager)
            assert alarms.reason == "low on disk"
            daemon._room_again(store)
            assert alarms.reason == ""

    run(asyncio.new_event_loop, main)


def test_the_watermarks_are_settings_and_can_be_moved(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(config(tmp_path, memory_watermark=0.0), VirtualClock()) as daemon:
            client = await connect(daemon)
            await client.call(1, QueueDeclare(queue="q"), QueueDeclareOk)
            client.write(client.session.encode_publish(1, "", "q", b"body"))
            assert (await client.expect(ConnectionBlocked)).reason == "low on memory"
            daemon.watermarks.set_vm_memory_high_watermark(1.0)
            await client.expect(ConnectionUnblocked)
            daemon.watermarks.set_disk_free_limit(1 << 60)
            client.write(client.session.encode_publish(1, "", "q", b"body"))
            assert (await client.expect(ConnectionBlocked)).reason == "low on disk"
            daemon.watermarks.set_disk_free_limit(0)
            await client.expect(ConnectionUnblocked)
            await client.leave()

    run(asyncio.new_event_loop, main)


@pytest.mark.parametrize(
    ("settings", "memory", "disk"),
    [
        ({}, 0.6, 50_000_000),
        ({"memory_watermark": 0.4, "disk_free_share": 1.0}, 0.4, 1.0),
        ({"memory_watermark_size": 1 << 30, "disk_free_limit": 1000}, 1 << 30, 1000),
    ],
)
def test_limits_are_sizes_or_shares(tmp_path: Path, settings: dict[str, Any], memory: float, disk: float) -> None:
    async def main() -> None:
        async with running(config(tmp_path, **settings)) as daemon:
            marks = daemon.watermarks
            total = marks.memory_total
            assert marks.memory_limit == (int(total * memory) if isinstance(memory, float) else memory)
            assert marks.disk_limit == (int(total * disk) if isinstance(disk, float) else disk)
            assert marks.memory_used > 0
            assert marks.disk_free is not None

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
        for listener in daemon._listeners:
            listener.stop_accepting()
            await listener.close_connections("", 0.0)
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


def test_what_the_broker_warns_of_is_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        async with running(config(tmp_path)) as daemon:
            daemon.broker.events.warn("something is odd", queue="q")

    configure("warning", "console")
    try:
        run(asyncio.new_event_loop, main)
    finally:
        structlog.reset_defaults()
    assert "[warning] something is odd queue=q\n" in capsys.readouterr().out


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
        log = configure("info", "console", stream)
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


# --- those who are told


class Recording(Attendant):
    """Remembers what it was told, and may do something when the broker has started."""

    def __init__(self, told: list[str], then: Callable[[], None] = lambda: None) -> None:
        self.told = told
        self.then = then

    def prepare(self) -> None:
        self.told.append("prepare")

    def started(self, running: Running) -> None:
        port = running.announcement.ports["amqp"]
        socket.create_connection(("127.0.0.1", port)).close()
        self.told.append("started")
        self.then()

    def stopping(self) -> None:
        self.told.append("stopping")

    def stopped(self) -> None:
        self.told.append("stopped")


class Refusing(Attendant):
    def prepare(self) -> None:
        raise StartupError("better not", os.EX_TEMPFAIL)


def run_daemon(settings: Config, attendants: list[Attendant]) -> tuple[int, str]:
    """Run it until it stops by itself: the exit code, and the log."""
    log = io.StringIO()
    return daemon_run(settings, configure("info", "console", log), attendants), log.getvalue()


def test_attendants_are_told_of_each_moment(tmp_path: Path) -> None:
    told: list[str] = []
    end = Recording(told, lambda: os.kill(os.getpid(), signal.SIGTERM))  # as it might come while it starts
    code, log = run_daemon(config(tmp_path), [end])
    assert told == ["prepare", "started", "stopping", "stopped"]
    assert code == os.EX_OK
    assert log.rstrip().endswith("Server stopped")


def test_it_can_be_asked_to_stop_for_a_reason(tmp_path: Path) -> None:
    class Asking(Attendant):
        def started(self, running: Running) -> None:
            running.request_stop("enough")

    code, log = run_daemon(config(tmp_path, memory=True), [Asking()])
    assert code == os.EX_OK
    assert "[info] stopping: enough\n" in log


def test_nothing_is_opened_when_one_says_better_not(tmp_path: Path) -> None:
    told: list[str] = []
    with pytest.raises(StartupError, match="better not"):
        run_daemon(config(tmp_path / "data"), [Recording(told), Refusing(), Recording(told)])
    assert told == ["prepare", "stopped"]
    assert not (tmp_path / "data").exists()


def test_it_stops_in_order_when_one_fails_at_the_end_of_the_start(tmp_path: Path) -> None:
    def fail() -> None:
        raise StartupError("no room for the URL", os.EX_CANTCREAT)

    told: list[str] = []
    with pytest.raises(StartupError, match="no room"):
        run_daemon(config(tmp_path), [Recording(told, fail)])
    assert told == ["prepare", "started", "stopping", "stopped"]
    store = LmdbStore(tmp_path / "store")  # which nobody holds any more
    store.recover()
    store.close()


# --- users


def login(user: str, password: str) -> Credentials:
    return Credentials(user, password.encode())


def test_the_first_start_makes_the_vhost_and_the_user_that_the_settings_say(tmp_path: Path) -> None:
    async def main() -> None:
        settings = config(
            tmp_path,
            default_vhost="shop",
            default_user="alice",
            default_pass="secret",
            default_user_tags=("monitoring", "impersonator"),
            default_configure="^c",
            default_write="^w",
            default_read="^r",
        )
        async with running(settings) as daemon:
            assert list(daemon.broker.vhosts) == ["shop"]
            alice = daemon.users.authenticate(login("alice", "secret"), REMOTE)
            assert alice == User("alice", frozenset({"monitoring", "impersonator"}))
            assert [each.described() for each in daemon.users.permissions] == [
                {"user": "alice", "vhost": "shop", "configure": "^c", "write": "^w", "read": "^r"}
            ]
            assert daemon.url.endswith("/shop")

    run(asyncio.new_event_loop, main)


def test_later_starts_make_nothing_and_change_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with running(config(tmp_path)) as daemon:
            daemon.users.add("bob", "pw")
        async with running(config(tmp_path, default_pass="changed", default_user="alice")) as daemon:
            assert list(daemon.users.all) == ["guest", "bob"]
            assert isinstance(daemon.users.authenticate(login("guest", "guest"), LOCAL), User)
            daemon.users.delete("guest")
        async with running(config(tmp_path)) as daemon:
            assert list(daemon.users.all) == ["bob"]
            daemon.users.delete("bob")
        async with running(config(tmp_path)) as daemon:
            assert not daemon.users.all
            assert not list(daemon.users.permissions)

    run(asyncio.new_event_loop, main)


def test_in_memory_every_start_is_the_first(tmp_path: Path) -> None:
    async def main() -> None:
        for _ in range(2):
            async with running(config(tmp_path, memory=True)) as daemon:
                daemon.users.delete("guest")

    run(asyncio.new_event_loop, main)


def test_further_users_get_their_permissions_in_new_vhosts_whose_names_match(tmp_path: Path) -> None:
    async def main() -> None:
        users = (
            DefaultUser("ops", "pw", ("monitoring",), configure="", write="", read="^metrics"),
            DefaultUser("dev", "pw", vhost_pattern="^dev-"),
        )
        async with running(config(tmp_path, default_users=users)) as daemon:
            assert list(daemon.users.all) == ["guest", "ops"]
            daemon.users.change_password("ops", "new")
            daemon.broker.add_vhost("dev-1")
            daemon.broker.add_vhost("prod")
            assert {(each.user, each.vhost, each.read.text) for each in daemon.users.permissions} == {
                ("guest", "/", ".*"),
                ("ops", "/", "^metrics"),
                ("ops", "dev-1", "^metrics"),
                ("ops", "prod", "^metrics"),
                ("dev", "dev-1", ".*"),
            }
            assert isinstance(daemon.users.authenticate(login("ops", "new"), REMOTE), User)

    run(asyncio.new_event_loop, main)


def test_the_first_vhost_has_what_new_ones_are_to_have_and_does_not_get_it_again(tmp_path: Path) -> None:
    settings = config(
        tmp_path,
        default_limits=(DefaultLimits("all", max_queues=5),),
        default_policies=(DefaultPolicy("all", max_length=9),),
    )

    async def main() -> None:
        async with running(settings) as daemon:
            assert daemon.broker.vhosts["/"].max_queues == 5
            assert daemon.broker.vhosts["/"].declare_queue("q").effective["x-max-length"] == 9
            daemon.broker.vhost_limits.clear("/", "max-queues")
            daemon.broker.operator_policies.clear("/", "all")
        async with running(settings) as daemon:
            assert daemon.broker.vhosts["/"].max_queues is None
            assert daemon.broker.parameters.list("operator_policy") == []

    run(asyncio.new_event_loop, main)


def test_what_new_vhosts_cannot_have_stops_the_start(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(StartupError, match="what new vhosts are to have cannot be: no policy provided"):
            await Daemon(config(tmp_path, default_policies=(DefaultPolicy("x"),))).start()

    run(asyncio.new_event_loop, main)


async def fetched(url: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of an answer."""

    def fetch() -> tuple[int, dict[str, str], str]:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, dict(answer.headers), answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), error.read().decode()

    return await asyncio.get_running_loop().run_in_executor(None, fetch)


@pytest.mark.parametrize("path", ["/metrics", "/", "/a/b/"])
def test_metrics_may_have_a_port_of_their_own_without_the_api(tmp_path: Path, path: str) -> None:
    settings = config(tmp_path, memory=True, prometheus=True, prometheus_port=0, prometheus_path=path)

    async def main() -> None:
        async with running(settings) as daemon:
            [(host, port)] = daemon.metrics_addresses
            assert daemon.announcement.ports["http/prometheus"] == port
            url = daemon.announcement.urls["http/prometheus"]
            assert url == f"http://{host}:{port}{path}"
            status, _, text = await fetched(url)
            assert (status, "rabbitmq_build_info" in text, "rabbitmq_queue_messages_ready 0.0" in text) == (
                200,
                True,
                True,
            )
            assert 'vhost="/"' in (await fetched(f"{url.rstrip('/')}/per-object"))[2]
            for elsewhere in ("/api/overview", "/metrics/x", "/x"):
                assert (await fetched(f"http://{host}:{port}{elsewhere}"))[0] == 404
            assert daemon.management_addresses == []

    run(asyncio.new_event_loop, main)


def test_metrics_and_the_api_are_listed_with_what_there_is_to_say_of_them(tmp_path: Path) -> None:
    settings = config(
        tmp_path,
        memory=True,
        management=True,
        management_port=0,
        prometheus=True,
        prometheus_port=0,
        frame_options="SAMEORIGIN",
        cluster_tags=(("region", "eu"),),
        rates_mode="detailed",
    )

    async def main() -> None:
        async with running(settings) as daemon:
            status, headers, _ = await fetched(daemon.management_url)
            assert (status, headers["x-frame-options"]) == (200, "SAMEORIGIN")
            management = daemon._management.management if daemon._management else None
            assert management is not None
            protocols = [listener.protocol for listener in management.listeners]
            assert protocols == ["amqp", "http", "http/prometheus"]
            assert (management.options.cluster_tags, management.options.rates_mode) == ({"region": "eu"}, "detailed")

    run(asyncio.new_event_loop, main)


def test_a_port_for_metrics_that_is_taken_stops_the_start(tmp_path: Path) -> None:
    async def main() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(StartupError) as caught:
                await Daemon(config(tmp_path, memory=True, prometheus=True, prometheus_port=port)).start()
            assert str(caught.value).endswith("choose another one for prometheus.tcp.port")

    run(asyncio.new_event_loop, main)


@pytest.mark.parametrize(
    ("settings", "logged"),
    [
        ({"log_level": "debug"}, True),
        ({"log_file_level": "debug"}, True),
        ({"log_queue_level": "debug"}, True),
        ({"log_level": "debug", "log_queue_level": "info"}, False),
        ({}, False),
    ],
)
def test_queues_are_logged_where_somebody_debugs(tmp_path: Path, settings: dict[str, Any], logged: bool) -> None:
    assert logs_queues(config(tmp_path, **settings)) is logged

    async def main() -> None:
        async with running(config(tmp_path, memory=True, **settings)) as daemon:
            assert bool(daemon.broker.events.listeners) is logged

    run(asyncio.new_event_loop, main)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"default_read": "*"}, "cannot make the default users: regular expression '*' is invalid: nothing to repeat"),
        (
            {"default_users": (DefaultUser("x", vhost_pattern="("),)},
            "cannot make the default users: regular expression",
        ),
        ({"validation_regexp": "("}, "'credential_validator.regexp': regular expression '(' is invalid"),
        (
            {"validation_backend": "rabbit_credential_validator_min_password_length", "validation_min_length": 6},
            "cannot make the default users: minimum required password length is 6",
        ),
    ],
)
def test_default_users_that_cannot_be_stop_the_start(tmp_path: Path, settings: dict[str, Any], text: str) -> None:
    async def main() -> None:
        with pytest.raises(StartupError) as caught:
            await Daemon(config(tmp_path, **settings)).start()
        assert str(caught.value).startswith(text)
        assert caught.value.exit_code == os.EX_CONFIG

    run(asyncio.new_event_loop, main)


def test_passwords_are_kept_and_checked_as_the_settings_say(tmp_path: Path) -> None:
    settings = config(
        tmp_path,
        password_hashing_module="rabbit_password_hashing_sha512",
        validation_backend="rabbit_credential_validator_password_regexp",
        validation_regexp="[0-9]",
        validation_min_length=100,
    )
    assert password_rules(settings) == PasswordRules("rabbit_password_hashing_sha512", 0, "[0-9]")
    assert password_rules(config(tmp_path)) == PasswordRules()
