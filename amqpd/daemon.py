"""The composition root: builds store, broker, users and listeners from a configuration, runs them, and stops them.

Stopping goes backwards: no new connections, farewell to the clients, commit, close.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import importlib
import os
import platform
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from . import __version__, machine
from .access import Access
from .amqp.connection import ConnectionSettings
from .auth.attempts import Attempts, Counted
from .auth.base import Authenticator, Authorizer, Credentials
from .auth.internal import InternalUsers, PasswordRules
from .auth.sasl import Anonymous, External, Mechanism, on_offer
from .auth.throttle import Throttled
from .broker.alarms import LOW_ON_DISK
from .broker.broker import DEFAULT_VHOST, Broker
from .broker.compat import Compat, compat_for
from .broker.log_exchange import LogExchange
from .broker.parameters import CLUSTER_NAME
from .broker.queue_log import QueueLog
from .broker.vhost import Quotas
from .clock import Clock
from .collector import IdleCollector
from .config import Config
from .config.dump import effective
from .config.plugins import at_work
from .control import CONTROL_SOCKET
from .errors import OperatorError, StartupError
from .listeners.admission import Admission
from .listeners.amqp import AmqpListener
from .listeners.sockets import SocketOptions
from .listeners.stream import Turn
from .listeners.tls import TlsFiles, TlsOptions
from .log import Log, Target, get_logger
from .management.doorbell import Doorbell
from .patterns import Pattern
from .process import Announcement, Attendant
from .provisions import import_definitions, read_definitions
from .store.base import Store
from .store.committer import Committer
from .store.lmdb_store import LmdbStore
from .store.memory import MemoryStore
from .vhost_defaults import VHostDefaults
from .watermarks import Watermarks

if TYPE_CHECKING:
    from .management.server import ManagementServer

FAREWELL_TIMEOUT: Final = 3.0
"""Seconds clients have to answer connection.close when the broker stops."""

LEAST_LAG: Final = 1 << 20
"""Bytes that may be on their way to a disk however little room there is."""

CAPABILITIES: Final = (
    "publisher_confirms",
    "exchange_exchange_bindings",
    "basic.nack",
    "consumer_cancel_notify",
    "connection.blocked",
    "consumer_priorities",
    "authentication_failure_close",
    "per_consumer_qos",
    "direct_reply_to",
)
"""What clients may rely on; they change their behaviour by it."""


class Daemon:
    """A running broker, in an event loop that somebody else runs."""

    def __init__(self, config: Config, clock: Clock | None = None, log: Log | None = None) -> None:
        self.config = config
        self.clock = clock or Clock()
        self._started_at = self.clock.now()
        self.addresses: list[tuple[str, int]] = []  # where it listens, once started
        self.tls_addresses: list[tuple[str, int]] = []  # where it does with TLS
        self.management_addresses: list[tuple[str, int]] = []  # where it serves the HTTP API
        self.https_addresses: list[tuple[str, int]] = []  # where it does with TLS
        self.management_url = ""  # of the HTTP API, once started
        self.metrics_addresses: list[tuple[str, int]] = []  # where it serves metrics alone
        self.failure: BaseException | None = None  # what stopped it, when it stopped by itself
        self.broker: Broker
        self.users: InternalUsers
        self.watermarks: Watermarks
        self._defaults: VHostDefaults
        self._log = get_logger()
        self._log_output = log
        self._queue_log: QueueLog | None = None
        self._stop_log_exchange: Callable[[], None] | None = None
        self._stores: list[tuple[LmdbStore, Committer]] = []
        self._listeners: list[AmqpListener] = []
        self._settings: list[ConnectionSettings] = []  # of their connections
        self._access: Access | None = None
        self._tls: TlsFiles | None = None
        self._https: TlsFiles | None = None
        self._management: ManagementServer | None = None
        self._doorbell: Doorbell | None = None
        self._stopped = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Open the store and accept connections. Raises StartupError when that cannot be."""
        config = self.config
        loop = asyncio.get_running_loop()
        definitions = read_definitions(config)
        store, pager = self._open_stores()
        try:
            compat = compat_of(config)
            recovered = store.recover()
            self.broker = Broker(
                store,
                self.clock,
                recovered=recovered,
                pager=pager,
                memory_limit=config.queue_memory,
                consumer_timeout=config.consumer_timeout,
                compat=compat,
                node=node_name(config),
                event_exchange=config.event_exchange,
                default_vhost=config.default_vhost,
                make_default_vhost=definitions is None,
                quotas=Quotas(config.vhost_max, config.exchange_limit, config.queue_limit),
                default_queue_type=config.default_queue_type,
                tracing=config.trace,
            )
            self.broker.events.on_warning = self._warn
            self.users = InternalUsers(self.broker, recovered, rules=password_rules(config))
            self.broker.when_vhost_deleted.append(self.users.permissions.forget_vhost)
            self._defaults = VHostDefaults(self.broker, self.users, config)
            self.broker.when_vhost_added.append(self._defaults.provide)
            self._log_queues(logs_queues(config))
            if definitions is not None:
                import_definitions(self.broker, self.users, definitions, config, self._log)
            elif self.broker.fresh:
                self._provide_users()
            self._log_to_exchange()
            self.clock.on_earlier = self._set_timer
            self._set_timer()
            self._access = Access(config, self.users, self.clock, self._log)
            authorizer = self._access.chain
            authenticator = Throttled(authorizer, self.clock)
            attempts = Attempts()
            self.watermarks = self._make_watermarks()
            self.watermarks.start()
            await self._listen(Counted(authenticator, attempts, "amqp091"), authorizer, Turn(loop))
            for kind, addresses in (("TCP", self.addresses), ("TLS (SSL)", self.tls_addresses)):
                for host, port in addresses:
                    self._log.info(f"started {kind} listener on {_joined(host, port)}")
            at_http = Counted(authenticator, attempts, "http")
            if config.management or config.prometheus:
                await self._start_management(at_http, authorizer, attempts)
            if not config.memory:
                self._await_control(at_http, authorizer, attempts)
        except BaseException:
            for listener in self._listeners:
                listener.stop_accepting()
            self._stop_logging_to_exchange()
            self._close_stores()
            raise

    def say_ready(self) -> None:
        """Log the line that tools wait for, once all is as they expect."""
        self._log.info(f"Server startup complete; {len(at_work(self.config))} plugins started.")
        self._log.info(f"connect to {self.url}")
        if self.management_url:
            self._log.info(f"web page on {self.management_url}")

    def _provide_users(self) -> None:
        """The default user, and what vhosts are to have; at the first start, or else it would be recreated."""
        config = self.config
        try:
            self.users.provide(
                config.default_user,
                config.default_pass,
                config.default_user_tags,
                config.default_vhost,
                configure=config.default_configure,
                write=config.default_write,
                read=config.default_read,
            )
            self._defaults.provide(config.default_vhost)
        except OperatorError as error:
            raise StartupError(f"cannot make the default users: {error}", os.EX_CONFIG) from error

    def _make_management(
        self, authenticator: Authenticator, authorizer: Authorizer, attempts: Attempts
    ) -> ManagementServer:
        # takes as long to import as all the rest, and clients can connect already
        from .management.cors import Cors  # noqa: PLC0415
        from .management.patience import Patience  # noqa: PLC0415
        from .management.server import Listener, Management, ManagementServer, Options  # noqa: PLC0415

        config = self.config
        management = Management(
            self.broker,
            authenticator,
            authorizer,
            self.users,
            self._log,
            listeners=[
                *(Listener("amqp", host, port) for host, port in self.addresses),
                *(
                    Listener("amqp/ssl", host, port, config.certfile, config.cacertfile)
                    for host, port in self.tls_addresses
                ),
            ],
            attempts=attempts,
            settings=effective(config),
            log_files=_log_files(config),
            server_properties={**server_properties(config), CLUSTER_NAME: self._cluster_name()},
            announce=self._announce,
            path_prefix=config.management_prefix,
            body_limit=config.management_body_limit,
            patience=Patience(
                config.request_timeout / 1000, config.idle_timeout / 1000, config.inactivity_timeout / 1000
            ),
            cors=Cors(config.cors_origins, config.cors_max_age),
            data_dir="" if config.memory else config.data_dir,
            mechanisms=tuple(mechanisms(config, encrypted=bool(self.tls_addresses))),
            plugins=at_work(config),
            watermarks=self.watermarks,
            options=Options(
                disable_stats=config.disable_stats,
                enable_queue_totals=config.enable_queue_totals,
                rates_mode=config.rates_mode,
                login_session_timeout=config.login_session_timeout,
                per_object_metrics=config.per_object_metrics,
                cluster_tags=dict(config.cluster_tags),
                node_tags=dict(config.node_tags),
                headers=headers_of(config),
            ),
            control=self,
        )
        management.started_at = self._started_at
        return ManagementServer(management)

    async def _start_management(self, authenticator: Authenticator, authorizer: Authorizer, attempts: Attempts) -> None:
        """Serve the HTTP API, and metrics, as far as they are wanted. Raises StartupError when it cannot listen."""
        config = self.config
        self._management = server = self._make_management(authenticator, authorizer, attempts)
        try:
            if config.management:
                await self._serve_api(server)
            if config.prometheus:
                host, port = await server.start_metrics(
                    config.prometheus_ip, config.prometheus_port, config.prometheus_path
                )
                self.metrics_addresses = [(host, port)]
                self._log.info(f"Prometheus metrics: HTTP (non-TLS) listener started on port {port}")
        except BaseException:
            await server.stop()
            raise

    async def _serve_api(self, server: ManagementServer) -> None:
        from .management.server import Listener  # noqa: PLC0415

        config = self.config
        host, port = await server.start(config.management_ip, config.management_port)
        server.management.listeners.append(Listener("http", host, port))
        self.management_addresses = [(host, port)]
        self.management_url = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        self._log.info(f"started HTTP listener on {_joined(host, port)}")
        if config.https_certfile:
            self._https = TlsFiles(https_options(config), self._log)
            self._https.watch(self.clock)
            host, port = await server.start(config.https_ip, config.https_port, self._https.standing_context())
            server.management.listeners.append(
                Listener("https", host, port, config.https_certfile, config.https_cacertfile)
            )
            self.https_addresses = [(host, port)]
            self._log.info(f"started HTTPS listener on {_joined(host, port)}")

    def _await_control(self, authenticator: Authenticator, authorizer: Authorizer, attempts: Attempts) -> None:
        """Have the owner of the data folder find the API there. Raises StartupError when that cannot be."""

        async def answer(listening: socket.socket) -> None:
            if self._management is None:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(None, importlib.import_module, "amqpd.management.server")
                self._management = self._make_management(authenticator, authorizer, attempts)
            await self._management.start_local(listening)

        self._doorbell = Doorbell(Path(self.config.data_dir) / CONTROL_SOCKET, answer, self._log)
        self._doorbell.listen()

    @property
    def url(self) -> str:
        """Where clients connect. It shows a password only where that is everybody's."""
        name, password = self.config.default_user, self.config.default_pass
        login = f"{name}:{password}" if (name, password) == ("guest", "guest") else f"{name}:PASSWORD"
        scheme, addresses = ("amqp", self.addresses) if self.addresses else ("amqps", self.tls_addresses)
        vhost = quote(self.home, safe="") if self.home != "/" else ""
        return f"{scheme}://{login}@{_joined(*addresses[0])}/{vhost}"

    @property
    def announcement(self) -> Announcement:
        """Where clients connect, for scripts."""
        return Announcement.of(
            self.config,
            {
                "amqp": self.addresses,
                "amqps": self.tls_addresses,
                "http": self.management_addresses,
                "http/prometheus": self.metrics_addresses,
                "https": self.https_addresses,
            },
            self.home,
        )

    @property
    def home(self) -> str:
        """The vhost that clients are told: the default one, or where there is none, one the default user may enter."""
        wanted, permissions = self.config.default_vhost, self.users.permissions
        others = (name for name in self.broker.vhosts if permissions.find(self.config.default_user, name) is not None)
        return wanted if wanted in self.broker.vhosts else next(others, wanted)

    def request_stop(self, reason: str) -> None:
        """Have `run_until_stopped` return, as a signal would."""
        self._log.info(f"stopping: {reason}")
        self._stopped.set()

    def suspend(self, *, send_away: bool) -> None:
        """See `management.api.control.Control`; so are the following."""
        for listener in self._listeners:
            listener.stop_accepting()
        if send_away:
            self.broker.connections.close_all("broker forced connection closure with reason 'shutdown'")
            for vhost in self.broker.vhosts.values():
                vhost.forget_transients()
        self._log.info("no connections are accepted until the listeners are resumed")

    async def resume(self) -> None:
        for listener in self._listeners:
            if not listener.accepting:
                for host, port in self.tls_addresses if listener.encrypted else self.addresses:
                    await listener.start(host, port)
        self._log.info("connections are accepted")

    def reset(self) -> None:
        broker = self.broker
        for user in list(self.users.all):
            self.users.delete(user)
        for vhost in list(broker.vhosts.values()):
            vhost.protected = False
            broker.delete_vhost(vhost.name)
        for name in list(broker.parameters.globals):
            broker.parameters.clear_global(name)
        broker.add_vhost(self.config.default_vhost)
        self._provide_users()
        self._stop_logging_to_exchange()
        self._log_to_exchange()  # that of the new vhost
        self._log.info("everything was reset: vhosts, queues, messages, users")

    def collect(self) -> None:
        gc.collect()

    def set_log_level(self, level: str) -> None:
        if self._log_output is not None:
            self._log_output.set_level(level)
        self._log_queues(level == "debug")
        self._log.info(f"from now on lines of level {level} and above are logged")

    def stop_at_signals(self) -> None:
        """From now on SIGTERM and SIGINT stop it in an orderly way, also while it starts. SIGHUP reloads."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        on_terminal = _on_terminal()

        def hang_up() -> None:
            if on_terminal and not _on_terminal():
                self.request_stop("its terminal was closed")
            else:
                self.reload()

        loop.add_signal_handler(signal.SIGHUP, hang_up)

    async def stop(self) -> None:
        """Take leave of the clients, commit, and close everything."""
        if self._doorbell is not None:
            await self._doorbell.close()
        if self._management is not None:
            await self._management.stop()
        for listener in self._listeners:
            listener.stop_accepting()
        explanation = "broker forced connection closure with reason 'shutdown'"
        await asyncio.gather(
            *[listener.close_connections(explanation, FAREWELL_TIMEOUT) for listener in self._listeners]
        )
        if self._access is not None:
            self._access.close()
        self.watermarks.stop()
        if self._timer is not None:
            self._timer.cancel()
        self._stop_logging_to_exchange()
        self._close_stores()
        self._log.info("Server stopped")

    def reload(self) -> None:
        """Read again what may change while it runs: certificates and keys."""
        for files in (self._tls, self._https):
            if files is not None:
                files.reload()
        if self._tls is self._https is None:
            self._log.info("nothing to reload: there are no TLS listeners")

    async def run_until_stopped(self, attendants: Sequence[Attendant] = ()) -> None:
        """Run until SIGTERM or SIGINT, until `request_stop`, or until the store fails; then stop."""
        await self._stopped.wait()
        for attendant in attendants:
            attendant.stopping()
        if self.failure is None:
            await self.stop()
        elif self._doorbell is not None:
            await self._doorbell.close()

    async def _listen(self, authenticator: Authenticator, authorizer: Authorizer, turn: Turn) -> None:
        """Open what clients connect to, without TLS and with it."""
        config = self.config
        log = get_logger(category="connection")
        admission = Admission(
            self.clock, log, handshakes=config.max_handshakes, descriptors=machine.allow_descriptors()
        )
        options = SocketOptions(
            config.backlog, config.nodelay, config.keepalive, config.sndbuf, config.recbuf, config.send_timeout / 1000
        )
        if config.ssl_listeners:
            self._tls = TlsFiles(tls_options(config), self._log)
            self._tls.watch(self.clock)
            if "EXTERNAL" in config.auth_mechanisms and config.verify != "verify_peer":
                self._log.warning("nobody can log in with EXTERNAL unless ssl_options.verify is verify_peer")
        for tls, wanted, found in (
            (None, config.tcp_listeners, self.addresses),
            (self._tls, config.ssl_listeners, self.tls_addresses),
        ):
            if not wanted:
                continue
            settings = connection_settings(config, encrypted=tls is not None)
            settings.announce(cluster_name=self._cluster_name())
            self._settings.append(settings)
            listener = AmqpListener(
                self.broker,
                authenticator,
                authorizer,
                settings,
                turn,
                log,
                admission,
                options=options,
                tls=tls,
                tls_timeout=config.ssl_handshake_timeout / 1000,
            )
            self._listeners.append(listener)
            for host, port in wanted:
                found.extend(await listener.start(host, port))

    def _cluster_name(self) -> str:
        """As it is configured, or was set, or by default."""
        config = self.config
        known = self.broker.parameters.globals.get(CLUSTER_NAME)
        return config.cluster_name or (known if isinstance(known, str) and known else node_name(config))

    def _announce(self, **properties: Any) -> None:
        for settings in self._settings:
            settings.announce(**properties)

    def _open_stores(self) -> tuple[Store, Store | None]:
        """The durable store, and the one that queues page transient messages to."""
        config = self.config
        if config.memory:
            return MemoryStore(), None
        folder = Path(config.data_dir)
        store = self._open_store(LmdbStore(folder / "store", sync=config.sync, map_size=config.map_size))
        try:
            pager = self._open_store(LmdbStore(folder / "paging", sync=False, map_size=config.map_size, fresh=True))
        except BaseException:
            self._close_stores()
            raise
        return store, pager

    def _open_store(self, store: LmdbStore) -> LmdbStore:
        committer = Committer(
            store,
            asyncio.get_running_loop(),
            on_trouble=functools.partial(self._no_room, store),
            on_relief=functools.partial(self._room_again, store),
            on_failure=self._store_failed,
            on_written=self._written,
        )
        committer.start()
        self._stores.append((store, committer))
        return store

    def _close_stores(self) -> None:
        stores, self._stores = self._stores, []
        for store, committer in stores:
            if committer.stop():
                store.close()

    def _no_room(self, store: LmdbStore, error: BaseException) -> None:
        self._log.error("cannot write to disk, publishers are blocked", folder=str(store.folder), error=str(error))
        self.broker.alarms.raise_(LOW_ON_DISK, str(store.folder))

    def _room_again(self, store: LmdbStore) -> None:
        self._log.info("disk writes go on", folder=str(store.folder))
        self.broker.alarms.clear(LOW_ON_DISK, str(store.folder))

    def _written(self, size: int) -> None:
        self.watermarks.written(size)

    def _make_watermarks(self) -> Watermarks:
        config, broker = self.config, self.broker

        def used() -> int:
            """What the process occupies: that is what gets it killed. Never less than what it knows it keeps, which
            may lie in swap, and has to do where the system does not tell."""
            return max(broker.held_bytes, machine.resident_memory() or 0)

        def free() -> int:
            """What the stores may still write. Their files never shrink, so what is unused in them counts; so does what
            is on its way there. A map that gets full is as bad as a disk, and looked at the same way."""
            room = machine.free_space(Path(config.data_dir))
            limit = self.watermarks.disk_limit
            spaces = [store.space() for store, _ in self._stores]
            maps = [space.left + limit - min(limit, space.map_size // 10) for space in spaces]
            lag = sum([store.lag for store, _ in self._stores])
            return min(room + sum([space.spare for space in spaces]), *maps) - lag

        def tell_room(room: int) -> None:
            """No more is to be on its way to the disk than leaves room for as much again."""
            broker.lag_limit = max(LEAST_LAG, room // 2)

        return Watermarks(
            broker.alarms,
            self.clock,
            self._log,
            node=broker.node,
            total=machine.total_memory(),
            used=used,
            free=None if config.memory else free,
            memory=config.memory_watermark_size or config.memory_watermark,
            disk=config.disk_free_share or config.disk_free_limit,
            tell_room=tell_room,
            relieve=machine.give_memory_back,
            memory_interval=config.memory_monitor_interval / 1000,
        )

    def _warn(self, text: str, fields: Mapping[str, Any]) -> None:
        self._log.warning(text, **fields)

    def _store_failed(self, error: BaseException) -> None:
        """No confirm could be honest any more: stop at once, leaving the disk as it is."""
        self._log.critical("the store failed", folder=self.config.data_dir, error=str(error))
        self.failure = error
        self._stopped.set()

    def _log_queues(self, wanted: bool) -> None:
        """Have lines about queues logged, or not: where nobody listens, events cost nothing."""
        if wanted and self._queue_log is None:
            self._queue_log = QueueLog(get_logger(category="queue"))
            self.broker.events.listen(self._queue_log)
        elif not wanted and self._queue_log is not None:
            self.broker.events.unlisten(self._queue_log)
            self._queue_log = None

    def _log_to_exchange(self) -> None:
        """Lines become messages in a turn of their own: they may be logged in the midst of anything."""
        config = self.config
        vhost = self.broker.vhost(DEFAULT_VHOST)
        if not config.log_exchange or self._log_output is None or vhost is None:
            return
        content_type = "application/json" if config.log_exchange_format == "json" else "text/plain"
        exchange = LogExchange(vhost, self.clock, self.broker.node, content_type)
        loop = asyncio.get_running_loop()

        def write(level: str, line: str) -> None:
            loop.call_soon(exchange.publish, level, line)

        self._stop_log_exchange = self._log_output.attach(
            Target(write, config.log_exchange_format, config.log_exchange_level)
        )

    def _stop_logging_to_exchange(self) -> None:
        if self._stop_log_exchange is not None:
            self._stop_log_exchange()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.clock.deadline()
        if deadline is not None:
            delay = max(0.0, deadline - self.clock.now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._run_timers)

    def _run_timers(self) -> None:
        self._timer = None
        self.clock.run_due()
        self._set_timer()


def connection_settings(config: Config, *, encrypted: bool) -> ConnectionSettings:
    """What the connections of a listener are offered, with TLS or without."""
    return ConnectionSettings(
        channel_max=config.channel_max,
        channels_per_node=config.channels_per_node,
        consumer_max=config.consumer_max,
        max_connections=config.max_connections,
        frame_max=config.frame_max,
        frame_min=compat_of(config).frame_min,
        heartbeat=config.heartbeat,
        handshake_timeout=config.handshake_timeout / 1000,
        max_message_size=config.max_message_size,
        lag_limit=config.lag_limit,
        server_properties=server_properties(config),
        mechanisms=mechanisms(config, encrypted=encrypted),
    )


def mechanisms(config: Config, *, encrypted: bool) -> dict[str, Mechanism]:
    """The ways to log in."""
    anonymous = None
    if config.anonymous_login_user:
        anonymous = Anonymous(Credentials(config.anonymous_login_user, config.anonymous_login_pass.encode()))
    external = External(config.ssl_cert_login_from, config.ssl_cert_login_san_type, config.ssl_cert_login_san_index)
    return on_offer(config.auth_mechanisms, encrypted=encrypted, external=external, anonymous=anonymous)


def tls_options(config: Config) -> TlsOptions:
    return TlsOptions(
        certfile=config.certfile,
        keyfile=config.keyfile,
        password=config.key_password,
        cacertfile=config.cacertfile,
        verify_peer=config.verify == "verify_peer",
        fail_if_no_peer_cert=config.fail_if_no_peer_cert,
        depth=config.depth,
        versions=config.tls_versions,
        ciphers=config.ciphers,
        honor_cipher_order=config.honor_cipher_order,
        sni_certfiles=config.sni_certfiles,
    )


def https_options(config: Config) -> TlsOptions:
    return TlsOptions(
        certfile=config.https_certfile,
        keyfile=config.https_keyfile,
        password=config.https_password,
        cacertfile=config.https_cacertfile,
        verify_peer=config.https_verify == "verify_peer",
        fail_if_no_peer_cert=config.https_fail_if_no_peer_cert,
        versions=config.https_versions,
        ciphers=config.https_ciphers,
        honor_cipher_order=config.https_honor_cipher_order,
        prefix="management.ssl",
    )


def password_rules(config: Config) -> PasswordRules:
    """How passwords are kept and what is asked of them. Raises StartupError for a pattern that cannot be."""
    backend = config.validation_backend.removeprefix("rabbit_credential_validator_")
    pattern = config.validation_regexp if backend == "password_regexp" else None
    try:
        Pattern(config.validation_regexp)
    except OperatorError as error:
        raise StartupError(f"'credential_validator.regexp': {error}", os.EX_CONFIG) from error
    least_size = config.validation_min_length if backend == "min_password_length" else 0
    return PasswordRules(config.password_hashing_module, least_size, pattern)


def logs_queues(config: Config) -> bool:
    """Whether anybody wants the lines about queues, which are for debugging."""
    levels = (config.log_level, config.log_console_level, config.log_file_level, config.log_exchange_level)
    return config.log_queue_level == "debug" or (not config.log_queue_level and "debug" in levels)


def headers_of(config: Config) -> dict[str, str]:
    """What the answers of the HTTP API are to say besides."""
    named = {
        "X-Content-Type-Options": config.content_type_options,
        "X-XSS-Protection": config.xss_protection,
        "X-Frame-Options": config.frame_options,
        "Referrer-Policy": config.referrer_policy,
        "Strict-Transport-Security": config.hsts_policy,
        "Content-Security-Policy": config.csp_policy,
    }
    return {name: value for name, value in named.items() if value}


def node_name(config: Config) -> str:
    """What this broker is called, as RabbitMQ's nodes are."""
    name = config.node_name or "amqpd"
    return name if "@" in name else f"{name}@{socket.gethostname()}"


def compat_of(config: Config) -> Compat:
    """The profile that is configured, but for what is permitted or not by name."""
    permits = {"true": True, "false": False}
    return compat_for(
        config.compat,
        version=config.product_version,
        transient_queues=permits.get(config.permit_transient_queues),
        global_qos=permits.get(config.permit_global_qos),
    )


def _log_files(config: Config) -> list[str]:
    """Where the log goes, in RabbitMQ's words."""
    files = [] if config.log_path is None else [str(config.log_path.absolute())]
    return [*files, "<stdout>"] if config.log_console else files


def server_properties(config: Config) -> dict[str, Any]:
    """What connection.start tells clients about us (RabbitMQ's rabbit_reader:server_properties)."""
    return {
        "capabilities": dict.fromkeys(CAPABILITIES, True),
        "cluster_name": config.cluster_name or node_name(config),
        "copyright": "Copyright (c) the amqpd authors",
        "information": f"amqpd {__version__}, a broker for RabbitMQ's clients. Licensed under Apache-2.0.",
        "platform": f"Python {platform.python_version()}",
        "product": config.product,
        "version": compat_of(config).version,
        "amqpd_version": __version__,
    }


def run(config: Config, log_output: Log, attendants: Sequence[Attendant] = ()) -> int:
    """Run a broker until it is told to stop. Returns the exit code; raises StartupError when it cannot start."""
    daemon = Daemon(config, log=log_output)

    async def main() -> None:
        daemon.stop_at_signals()
        await daemon.start()
        try:
            for attendant in attendants:
                attendant.started(daemon)
        except StartupError:
            for attendant in attendants:
                attendant.stopping()
            await daemon.stop()
            raise
        daemon.say_ready()
        log_output.flush()  # whoever waits for it to start need not wait for the timer
        IdleCollector(daemon.clock).start()
        await daemon.run_until_stopped(attendants)

    with contextlib.ExitStack() as stack:
        for attendant in attendants:
            attendant.prepare()
            stack.callback(attendant.stopped)
        runner = stack.enter_context(asyncio.Runner(loop_factory=_loop_factory()))
        stack.enter_context(log_output.gathering(runner.get_loop().call_later))
        runner.run(main())
    return os.EX_OK if daemon.failure is None else os.EX_IOERR


def _joined(host: str, port: int) -> str:
    return f"{f'[{host}]' if ':' in host else host}:{port}"


def _on_terminal() -> bool:
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def _loop_factory() -> Any:
    """uvloop's, where there is one for this platform."""
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ImportError:
        return None
    return uvloop.new_event_loop
