"""Imports what the configuration names when a broker starts: in one commit, and before anybody can connect."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ..auth.internal import InternalUsers
from ..broker.broker import Broker
from .document import Document
from .export import INTERNAL_PREFIX
from .files import Configured
from .importing import Outcome, at_once, importing

DIGEST: Final = f"{INTERNAL_PREFIX}_imported_definitions"
"""The global parameter that keeps what was imported last."""


def import_at_start(
    broker: Broker,
    users: InternalUsers,
    configured: Configured,
    defaults: Iterable[Document] = (),
    *,
    skip_if_unchanged: bool = False,
) -> Outcome | None:
    """Import what was read, on top of defaults; None when it is to be skipped if it was imported last time already.

    Raises DefinitionsError, and has changed nothing then.
    """
    if skip_if_unchanged and broker.parameters.globals.get(DIGEST) == configured.digest:
        return None
    outcome = at_once(importing(broker, users, [*defaults, *configured.documents]))
    if skip_if_unchanged:
        broker.parameters.set_global(DIGEST, configured.digest)
    return outcome


def default_vhost(configured: Configured, name: str) -> Document:
    """The vhost of a first start; none when the definitions have vhosts of their own, as in RabbitMQ."""
    return Document({} if configured.has("vhosts") else {"vhosts": [{"name": name}]})


def default_user(
    configured: Configured, name: str, password: str, tags: Iterable[str], vhost: str, permissions: dict[str, str]
) -> Document:
    """The user of a first start; none when the definitions have users of their own.

    RabbitMQ makes none in either case, and nobody can log in. The permissions are for the default vhost; where that is
    not made, for those that are.
    """
    if configured.has("users"):
        return Document({})
    made = [entry.name() for document in configured.documents for entry in document.entries("vhosts")]
    places = [vhost] if not made or vhost in made else made
    user: dict[str, Any] = {"name": name, "password": password, "tags": list(tags)}
    return Document(
        {"users": [user], "permissions": [{"user": name, "vhost": place, **permissions} for place in places]},
        "default_user",
    )
