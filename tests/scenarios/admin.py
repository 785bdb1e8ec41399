"""Vhosts, users and permissions made for a scenario, on whichever broker it runs.

Of RabbitMQ the management API is asked, on the AMQP port plus 10000. Of ours, which has none yet, the objects behind
one are, in a broker that runs in a thread of this process; once it has one, `Management` does for both.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from amqpd.config import Config
from amqpd.config.addresses import Address
from amqpd.daemon import Daemon
from amqpd.testing.client import Client
from tests.fakes import RecordingLog

PASSWORD = "pa55 wörd"


class Admin(Protocol):
    """An operator of a broker."""

    address: str  # host and port

    def add_vhost(self, name: str) -> None: ...

    def delete_vhost(self, name: str) -> None: ...

    def put_user(self, name: str, password: str, tags: Iterable[str] = ()) -> None: ...

    def delete_user(self, name: str) -> None: ...

    def set_permissions(self, user: str, vhost: str, *, configure: str, write: str, read: str) -> None: ...

    def clear_permissions(self, user: str, vhost: str) -> None: ...

    def set_topic_permissions(self, user: str, vhost: str, exchange: str, *, write: str, read: str) -> None: ...

    def set_limits(self, user: str, limits: Mapping[str, int]) -> None: ...


class Management:
    """Over the management API of the broker at an AMQP URL."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        port = parts.port or 5672
        self.address = f"{parts.hostname}:{port}"
        self._api = f"http://{parts.hostname}:{port + 10000}/api/"
        login = f"{parts.username or 'guest'}:{parts.password or 'guest'}"
        self._authorization = "Basic " + base64.b64encode(login.encode()).decode()

    def add_vhost(self, name: str) -> None:
        self._request("PUT", f"vhosts/{_quoted(name)}", {})

    def delete_vhost(self, name: str) -> None:
        self._request("DELETE", f"vhosts/{_quoted(name)}")

    def put_user(self, name: str, password: str, tags: Iterable[str] = ()) -> None:
        self._request("PUT", f"users/{_quoted(name)}", {"password": password, "tags": ",".join(tags)})

    def delete_user(self, name: str) -> None:
        self._request("DELETE", f"users/{_quoted(name)}")

    def set_permissions(self, user: str, vhost: str, *, configure: str, write: str, read: str) -> None:
        body = {"configure": configure, "write": write, "read": read}
        self._request("PUT", f"permissions/{_quoted(vhost)}/{_quoted(user)}", body)

    def clear_permissions(self, user: str, vhost: str) -> None:
        self._request("DELETE", f"permissions/{_quoted(vhost)}/{_quoted(user)}")

    def set_topic_permissions(self, user: str, vhost: str, exchange: str, *, write: str, read: str) -> None:
        body = {"exchange": exchange, "write": write, "read": read}
        self._request("PUT", f"topic-permissions/{_quoted(vhost)}/{_quoted(user)}", body)

    def set_limits(self, user: str, limits: Mapping[str, int]) -> None:
        for name, value in limits.items():
            self._request("PUT", f"user-limits/{_quoted(user)}/{name}", {"value": value})

    def _request(self, method: str, path: str, body: Any = None) -> None:
        request = urllib.request.Request(
            self._api + path,
            None if body is None else json.dumps(body).encode(),
            {"authorization": self._authorization, "content-type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                response.read()
        except urllib.error.HTTPError as error:
            if not (method == "DELETE" and error.code == 404):
                raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error


class InThread:
    """In the event loop of a thread that runs a broker of ours."""

    def __init__(self) -> None:
        self.address = ""
        self._daemon: Daemon
        self._loop: asyncio.AbstractEventLoop
        self._over: asyncio.Event
        self._started = threading.Event()
        self._thread = threading.Thread(target=asyncio.run, args=(self._run(),), daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._started.wait(20), "the broker did not start"

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(20)

    def add_vhost(self, name: str) -> None:
        self._call(lambda: self._daemon.broker.add_vhost(name))

    def delete_vhost(self, name: str) -> None:
        """It goes with the broker."""

    def put_user(self, name: str, password: str, tags: Iterable[str] = ()) -> None:
        self._call(lambda: self._daemon.users.put(name, password, tags=tags))

    def delete_user(self, name: str) -> None:
        if name in self._daemon.users.all:
            self._call(lambda: self._daemon.users.delete(name))

    def set_permissions(self, user: str, vhost: str, *, configure: str, write: str, read: str) -> None:
        users = self._daemon.users
        self._call(lambda: users.set_permissions(user, vhost, configure=configure, write=write, read=read))

    def clear_permissions(self, user: str, vhost: str) -> None:
        self._call(lambda: self._daemon.users.clear_permissions(user, vhost))

    def set_topic_permissions(self, user: str, vhost: str, exchange: str, *, write: str, read: str) -> None:
        users = self._daemon.users
        self._call(lambda: users.set_topic_permissions(user, vhost, exchange, write=write, read=read))

    def set_limits(self, user: str, limits: Mapping[str, int]) -> None:
        self._call(lambda: self._daemon.users.set_limits(user, limits))

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._daemon = Daemon(Config(memory=True, management=False, tcp_listeners=(Address("127.0.0.1", 0),)))
        self._daemon._log = RecordingLog()
        await self._daemon.start()
        host, port = self._daemon.addresses[0]
        self.address = f"{host}:{port}"
        self._started.set()
        await self._over.wait()
        await self._daemon.stop()

    def _call(self, operation: Callable[[], object]) -> None:
        async def called() -> None:
            operation()

        asyncio.run_coroutine_threadsafe(called(), self._loop).result(20)


class Premises:
    """A vhost of a test's own, and people in it."""

    def __init__(self, admin: Admin) -> None:
        self.admin = admin
        self.vhost = f"v.{secrets.token_hex(4)}"
        self._people: list[str] = []
        self._clients: list[Client] = []
        admin.add_vhost(self.vhost)

    def user(self, configure: str = "", write: str = "", read: str = "", *, tags: Iterable[str] = ()) -> str:
        """A new user, who may do this here."""
        name = self.stranger(tags=tags)
        self.admin.set_permissions(name, self.vhost, configure=configure, write=write, read=read)
        return name

    def stranger(self, *, tags: Iterable[str] = ()) -> str:
        """A new user, who may not even enter."""
        name = f"u.{secrets.token_hex(4)}"
        self._people.append(name)
        self.admin.put_user(name, PASSWORD, tags)
        return name

    def connect(self, user: str, *, vhost: str | None = None, password: str = PASSWORD, **options: Any) -> Client:
        """A connection of a user, with channel 1 open."""
        url = f"amqp://{quote(user)}:{quote(password)}@{self.admin.address}/{_quoted(vhost or self.vhost)}"
        client = Client(url, **options)
        self._clients.append(client)
        if options.get("handshake", True):
            client.channel(1)
        return client

    def owner(self) -> Client:
        """A connection of somebody who may do everything here."""
        return self.connect(self.user(".*", ".*", ".*"))

    def close(self) -> None:
        for client in self._clients:
            client.drop()
        for name in self._people:
            self.admin.delete_user(name)
        self.admin.delete_vhost(self.vhost)


@contextlib.contextmanager
def administering(broker_url: str | None) -> Iterator[Admin]:
    """An operator of the broker at this URL, or of one of our own."""
    if broker_url is not None:
        yield Management(broker_url)
        return
    admin = InThread()
    admin.start()
    try:
        yield admin
    finally:
        admin.stop()


def _quoted(name: str) -> str:
    return quote(name, safe="")
