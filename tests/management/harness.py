"""The HTTP API without sockets: requests go straight into the application."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from amqpd.auth.chain import Chain, Link
from amqpd.auth.internal import InternalUsers
from amqpd.broker.broker import Broker
from amqpd.broker.vhost import VHost
from amqpd.clock import VirtualClock
from amqpd.management import page
from amqpd.management.api import RESOURCES
from amqpd.management.resources import application
from amqpd.management.server import Listener, Management
from amqpd.store.memory import MemoryStore
from tests.fakes import RecordingLog


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Api:
    """A broker in memory, and its HTTP API; options are of `Management`."""

    def __init__(self, **options: Any) -> None:
        self.clock = VirtualClock()
        self.broker = Broker(MemoryStore(), self.clock)
        self.users = InternalUsers(self.broker)
        self.users.add("guest", "guest", ["administrator"])
        self.users.set_permissions("guest", "/", configure=".*", write=".*", read=".*")
        self.log = RecordingLog()
        chain = Chain([Link(self.users, self.users)], self.users, ("guest",))
        self.management = Management(
            self.broker,
            chain,
            chain,
            self.users,
            self.log,
            listeners=[Listener("amqp", "127.0.0.1", 5672), Listener("http", "127.0.0.1", 15672)],
            server_properties={"version": "4.2.9", "product": "RabbitMQ", "cluster_name": "amqpd@localhost"},
            **options,
        )
        self.app = application(self.management, RESOURCES, page.routes())

    @property
    def vhost(self) -> VHost:
        return self.broker.vhosts["/"]

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.request("PUT", path, body, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.request("POST", path, body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.request("DELETE", path, **options)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        login: str | None = "guest:guest",
        headers: dict[str, str] | None = None,
        peer: tuple[str, int] = ("127.0.0.1", 40000),
        prefix: str = "",
    ) -> Answer:
        """`body` is bytes as they are, or a value for JSON; `path` goes on after /api."""
        return self.at(f"{prefix}/api{path}", method, body, login=login, headers=headers, peer=peer)

    def at(self, path: str, method: str = "GET", body: Any = None, **options: Any) -> Answer:
        """The same at any path."""
        return asyncio.run(self.ask(method, path, body, **options))

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        login: str | None = "guest:guest",
        headers: dict[str, str] | None = None,
        peer: tuple[str, int] = ("127.0.0.1", 40000),
    ) -> Answer:
        """The same within a loop that runs."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        if login is not None:
            sent.append((b"authorization", b"Basic " + base64.b64encode(login.encode())))
        return await self._request(method, path, data, sent, peer)

    async def _request(
        self, method: str, target: str, body: bytes, headers: list[tuple[bytes, bytes]], peer: tuple[str, int]
    ) -> Answer:
        raw, _, query = target.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(raw),
            "raw_path": raw.encode(),
            "query_string": query.encode(),
            "headers": headers,
            "client": peer,
            "server": ("127.0.0.1", 15672),
        }
        answer: list[dict[str, Any]] = []
        incoming = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not incoming:
                await asyncio.Event().wait()  # the client stays
            return incoming.pop(0)

        async def send(message: Any) -> None:
            answer.append(message)

        await self.app(scope, receive, send)
        pairs = {name.decode(): value.decode() for name, value in answer[0]["headers"]}
        return Answer(answer[0]["status"], pairs, b"".join([part.get("body", b"") for part in answer[1:]]))
