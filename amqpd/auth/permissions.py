"""Permissions: for each user and vhost three patterns, and for topic exchanges two more that routing keys match.

Changes are kept in the store, told to the connections of the user, and to whoever listens to events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ..broker.broker import Broker
from ..errors import OperatorError
from ..patterns import Pattern
from ..store.base import Kind, Recovered
from .base import Action, User

CLIENT_ID: Final = "{client_id}"

MOST_CLIENTS: Final = 1000
"""Client ids whose patterns a topic permission keeps compiled."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What a user may do in a vhost, to exchanges and queues whose names match."""

    user: str
    vhost: str
    configure: Pattern
    write: Pattern
    read: Pattern
    id: int  # in the store

    def pattern(self, action: Action) -> Pattern:
        if action is Action.CONFIGURE:
            return self.configure
        return self.write if action is Action.WRITE else self.read

    def described(self) -> dict[str, str]:
        return {
            "user": self.user,
            "vhost": self.vhost,
            "configure": self.configure.text,
            "write": self.write.text,
            "read": self.read.text,
        }


class TopicPattern:
    """A pattern in which `{username}` and `{vhost}` stand for a user's, and `{client_id}` for that of each client."""

    def __init__(self, text: str, user: str, vhost: str) -> None:
        """Raises OperatorError, which says what is wrong with it."""
        self.text = text
        Pattern(text)
        self._expanded = text.replace("{username}", re.escape(user)).replace("{vhost}", re.escape(vhost))
        self._of_clients: dict[str, Pattern] = {"": Pattern(self._expanded)}

    def matches(self, routing_key: str, client_id: str) -> bool:
        if CLIENT_ID not in self._expanded:
            client_id = ""
        pattern = self._of_clients.get(client_id)
        if pattern is None:
            if len(self._of_clients) >= MOST_CLIENTS:
                self._of_clients = {"": self._of_clients[""]}
            try:
                pattern = Pattern(self._expanded.replace(CLIENT_ID, re.escape(client_id)))
            except OperatorError:  # with so long an id
                return False
            self._of_clients[client_id] = pattern
        return pattern.matches(routing_key)


@dataclass(frozen=True, slots=True)
class TopicPermission:
    """What a user may publish to a topic exchange, and bind to it."""

    user: str
    vhost: str
    exchange: str
    write: TopicPattern
    read: TopicPattern
    id: int  # in the store

    def described(self) -> dict[str, str]:
        return {
            "user": self.user,
            "vhost": self.vhost,
            "exchange": self.exchange,
            "write": self.write.text,
            "read": self.read.text,
        }


@dataclass(slots=True)
class _OfUser:
    """All that one user may do."""

    in_vhosts: dict[str, Permission] = field(default_factory=dict)
    topics: dict[tuple[str, str], TopicPermission] = field(default_factory=dict)  # by vhost and exchange


class Permissions:
    """Everybody's permissions. Whether the user is there is for the caller to know."""

    def __init__(self, broker: Broker, recovered: Recovered) -> None:
        """Raises OperatorError when what was recovered makes no sense."""
        self._broker = broker
        self._of: dict[str, _OfUser] = {}
        for kept_id, kept in recovered.definitions[Kind.PERMISSION].items():
            self._keep(_permission(kept_id, kept))
        for kept_id, kept in recovered.definitions[Kind.TOPIC_PERMISSION].items():
            self._keep_topic(_topic_permission(kept_id, kept))

    def __iter__(self) -> Iterator[Permission]:
        for of_user in self._of.values():
            yield from of_user.in_vhosts.values()

    def topics(self) -> Iterator[TopicPermission]:
        for of_user in self._of.values():
            yield from of_user.topics.values()

    # --- asking

    def find(self, user: str, vhost: str) -> Permission | None:
        of_user = self._of.get(user)
        return None if of_user is None else of_user.in_vhosts.get(vhost)

    def find_topic(self, user: str, vhost: str, exchange: str) -> TopicPermission | None:
        of_user = self._of.get(user)
        return None if of_user is None else of_user.topics.get((vhost, exchange))

    def may(self, user: User, action: Action, vhost: str, name: str) -> bool:
        """Not at all without a permission for the vhost."""
        permission = self.find(user.name, vhost)
        return permission is not None and permission.pattern(action).matches(name)

    def may_use_topic(self, user: User, action: Action, vhost: str, exchange: str, routing_key: str) -> bool:
        """Freely without a permission for the exchange."""
        permission = self.find_topic(user.name, vhost, exchange)
        if permission is None:
            return True
        pattern = permission.write if action is Action.WRITE else permission.read
        return pattern.matches(routing_key, user.client_id)

    # --- changing

    def set(self, user: str, vhost: str, configure: str, write: str, read: str) -> None:
        """Raises OperatorError for a pattern that cannot be."""
        former = self.find(user, vhost)
        fields = {"user": user, "vhost": vhost, "configure": configure, "write": write, "read": read}
        permission = _permission(former.id if former else next(self._broker.ids), fields)
        self._keep(permission)
        self._broker.store.define(Kind.PERMISSION, permission.id, fields)
        self._changed(user, "permission.created", fields)

    def clear(self, user: str, vhost: str) -> None:
        """Nothing happens to what is not there, but it is told all the same, as RabbitMQ does."""
        permission = self.find(user, vhost)
        if permission is not None:
            del self._of[user].in_vhosts[vhost]
            self._broker.store.undefine(Kind.PERMISSION, permission.id)
        self._changed(user, "permission.deleted", {"user": user, "vhost": vhost})

    def set_topic(self, user: str, vhost: str, exchange: str, write: str, read: str) -> None:
        """Raises OperatorError for a pattern that cannot be."""
        former = self.find_topic(user, vhost, exchange)
        fields = {"user": user, "vhost": vhost, "exchange": exchange, "write": write, "read": read}
        permission = _topic_permission(former.id if former else next(self._broker.ids), fields)
        self._keep_topic(permission)
        self._broker.store.define(Kind.TOPIC_PERMISSION, permission.id, fields)
        self._changed(user, "topic.permission.created", fields)

    def clear_topic(self, user: str, vhost: str, exchange: str | None = None) -> None:
        """For one exchange, or for all of a vhost."""
        of_user = self._of.get(user)
        for permission in list(of_user.topics.values()) if of_user else ():
            if permission.vhost == vhost and exchange in (None, permission.exchange):
                self._forget_topic(permission)
        self._changed(user, "topic.permission.deleted", {"user": user, "vhost": vhost})

    def forget_user(self, user: str) -> None:
        """All of a user's, who is gone."""
        of_user = self._of.pop(user, None)
        if of_user is not None:
            for permission in of_user.in_vhosts.values():
                self._broker.store.undefine(Kind.PERMISSION, permission.id)
            for topic in of_user.topics.values():
                self._broker.store.undefine(Kind.TOPIC_PERMISSION, topic.id)

    def forget_vhost(self, vhost: str) -> None:
        """Everybody's in a vhost, which is gone."""
        for topic in [topic for topic in self.topics() if topic.vhost == vhost]:
            self._forget_topic(topic)
            self._changed(topic.user, "topic.permission.deleted", {"user": topic.user, "vhost": vhost})
        for user in [permission.user for permission in self if permission.vhost == vhost]:
            self.clear(user, vhost)

    def _keep(self, permission: Permission) -> None:
        self._of.setdefault(permission.user, _OfUser()).in_vhosts[permission.vhost] = permission

    def _keep_topic(self, permission: TopicPermission) -> None:
        topics = self._of.setdefault(permission.user, _OfUser()).topics
        topics[permission.vhost, permission.exchange] = permission

    def _forget_topic(self, permission: TopicPermission) -> None:
        del self._of[permission.user].topics[permission.vhost, permission.exchange]
        self._broker.store.undefine(Kind.TOPIC_PERMISSION, permission.id)

    def _changed(self, user: str, event: str, fields: dict[str, str]) -> None:
        self._broker.connections.permissions_changed(user)
        if self._broker.events.listeners:
            self._broker.events.tell(event, **fields)


def _permission(kept_id: int, kept: Any) -> Permission:
    configure, write, read = [Pattern(kept[name]) for name in ("configure", "write", "read")]
    return Permission(kept["user"], kept["vhost"], configure, write, read, kept_id)


def _topic_permission(kept_id: int, kept: Any) -> TopicPermission:
    user, vhost = kept["user"], kept["vhost"]
    write, read = TopicPattern(kept["write"], user, vhost), TopicPattern(kept["read"], user, vhost)
    return TopicPermission(user, vhost, kept["exchange"], write, read, kept_id)
