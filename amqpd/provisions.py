"""Definitions that a configuration names, imported when the broker starts; with what a first start has besides."""

from __future__ import annotations

import os
from typing import Any

from .auth.internal import InternalUsers
from .broker.broker import Broker
from .collector import no_collection
from .config import Config
from .definitions.document import Document
from .definitions.files import Configured, read
from .definitions.starting import default_user, default_vhost, import_at_start
from .errors import OperatorError, StartupError


def read_definitions(config: Config) -> Configured | None:
    """What is to be imported. Raises StartupError when it cannot be read, or has no sense."""
    return read(
        config.load_definitions,
        config.definitions_json,
        environment=os.environ if config.definitions_env else None,
        default_vhost=None if config.strict_definitions else config.default_vhost,
    )


def import_definitions(broker: Broker, users: InternalUsers, definitions: Configured, config: Config, log: Any) -> None:
    """Import definitions, at a first start with the default vhost and user where they have none.

    All of it, or nothing: raises StartupError when something of it cannot be. One line tells what is new; nothing, that
    nothing is.
    """
    defaults = _defaults(definitions, config) if broker.fresh and not config.strict_definitions else []
    try:
        with no_collection():
            outcome = import_at_start(broker, users, definitions, defaults, skip_if_unchanged=config.skip_definitions)
    except OperatorError as error:
        raise StartupError(f"cannot import the definitions: {error}", os.EX_DATAERR) from error
    if outcome is None or not outcome.changed:
        log.debug("the definitions are all there already", source=definitions.source)
        return
    told = outcome.told
    if any(document.has("users") for document in defaults):
        told += f"; they have no users, so there is the default user '{config.default_user}'"
    log.info(told, source=definitions.source)
    if not users.all:
        log.warning("nobody can log in: the definitions have no users, and definitions.strict is set")
    for line in outcome.complaints:
        log.warning(line)


def _defaults(definitions: Configured, config: Config) -> list[Document]:
    permissions = {
        "configure": config.default_configure,
        "write": config.default_write,
        "read": config.default_read,
    }
    name, vhost = config.default_user, config.default_vhost
    return [
        default_vhost(definitions, vhost),
        default_user(definitions, name, config.default_pass, config.default_user_tags, vhost, permissions),
    ]
