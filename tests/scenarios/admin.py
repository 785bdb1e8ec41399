"""Vhosts, users and permissions made for a scenario, over the management API of whichever broker it runs on."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from web import Web

from amqpd.testing.client import Client

PASSWORD = "pa55 wörd"


class Admin:
    """An operator of a broker."""

    def __init__(self, web: Web) -> None:
        parts = urlsplit(web.amqp)
        self.address = f"{parts.hostname}:{parts.port}"
        self._web = web

    def add_vhost(self, name: str) -> None:
        self._ask("PUT", f"vhosts/{_quoted(name)}", {})

    def delete_vhost(self, name: str) -> None:
        self._ask("DELETE", f"vhosts/{_quoted(name)}")

    def put_user(self, name: str, password: str, tags: Iterable[str] = ()) -> None:
        self._ask("PUT", f"users/{_quoted(name)}", {"password": password, "tags": ",".join(tags)})

    def delete_user(self, name: str) -> None:
        self._ask("DELETE", f"users/{_quoted(name)}")

    def set_permissions(self, user: str, vhost: str, *, configure: str, write: str, read: str) -> None:
        body = {"configure": configure, "write": write, "read": read}
        self._ask("PUT", f"permissions/{_quoted(vhost)}/{_quoted(user)}", body)

    def clear_permissions(self, user: str, vhost: str) -> None:
        self._ask("DELETE", f"permissions/{_quoted(vhost)}/{_quoted(user)}")

    def set_topic_permissions(self, user: str, vhost: str, exchange: str, *, write: str, read: str) -> None:
        body = {"exchange": exchange, "write": write, "read": read}
        self._ask("PUT", f"topic-permissions/{_quoted(vhost)}/{_quoted(user)}", body)

    def set_limits(self, user: str, limits: Mapping[str, int]) -> None:
        for name, value in limits.items():
            self._ask("PUT", f"user-limits/{_quoted(user)}/{name}", {"value": value})

    def _ask(self, method: str, path: str, body: Any = None) -> None:
        answer = self._web.ask(method, f"/{path}", body)
        gone = method == "DELETE" and answer.status == 404
        assert gone or answer.status < 300, f"{method} {path}: {answer}"


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


def _quoted(name: str) -> str:
    return quote(name, safe="")
