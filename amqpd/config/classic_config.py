"""RabbitMQ's classic configuration, rabbitmq.config and advanced.config, as entries of a rabbitmq.conf.

`[{rabbit, [{tcp_listeners, [5672]}]}].` says the same as `listeners.tcp.1 = 5672`; what that means is in
`rabbitmq_keys`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, Final

from ..errors import StartupError
from .erlang_terms import Atom, Tuple, read_terms
from .rabbitmq_conf import Entry, as_word

_PREFIXES: Final = {
    "rabbit": "",
    "rabbitmq_management": "management.",
    "rabbitmq_management_agent": "management_agent.",
    "rabbitmq_prometheus": "prometheus.",
    "rabbitmq_mqtt": "mqtt.",
    "rabbitmq_web_mqtt": "web_mqtt.",
    "rabbitmq_stomp": "stomp.",
    "rabbitmq_web_stomp": "web_stomp.",
    "rabbitmq_stream": "stream.",
    "rabbitmq_auth_backend_http": "auth_http.",
    "rabbitmq_auth_backend_oauth2": "auth_oauth2.",
    "rabbitmq_auth_backend_ldap": "auth_ldap.",
    "rabbitmq_auth_backend_cache": "auth_cache.",
    "ra": "raft.",
    "kernel": "kernel.",
    "mnesia": "mnesia_",
    "ssl": "runtime.ssl.",
    "os_mon": "runtime.os_mon.",
    "sysmon_handler": "sysmon_handler.",
}
"""What comes before the keys of an application; others' have its name."""

_RENAMED: Final = {
    "tcp_listeners": "listeners.tcp",
    "ssl_listeners": "listeners.ssl",
    "mqtt.tcp_listeners": "mqtt.listeners.tcp",
    "mqtt.ssl_listeners": "mqtt.listeners.ssl",
    "management.tcp_config": "management.tcp",
    "management.ssl_config": "management.ssl",
    "management.cors_allow_origins": "management.cors.allow_origins",
    "prometheus.tcp_config": "prometheus.tcp",
    "prometheus.ssl_config": "prometheus.ssl",
    "web_mqtt.tcp_config": "web_mqtt.tcp",
    "web_mqtt.ssl_config": "web_mqtt.ssl",
    "web_mqtt.port": "web_mqtt.tcp.port",
    "log_root": "log.dir",
    "product_name": "product.name",
    "product_version": "product.version",
    "num_tcp_acceptors": "num_acceptors.tcp",
    "num_ssl_acceptors": "num_acceptors.ssl",
    "writer_gc_threshold": "socket_writer.gc_threshold",
    "msg_store_shutdown_timeout": "message_store_shutdown_timeout",
    "permit_deprecated_features": "deprecated_features.permit",
    "disk_free_limit.mem_relative": "disk_free_limit.relative",
    "log.console.enabled": "log.console",
    "log.file.file": "log.file",
    "log.exchange.enabled": "log.exchange",
    "cluster_nodes": "cluster_formation.classic_config.nodes",
}
"""What rabbitmq.conf calls differently."""

_NUMBERED: Final = frozenset(
    (
        "listeners.tcp",
        "listeners.ssl",
        "mqtt.listeners.tcp",
        "mqtt.listeners.ssl",
        "auth_mechanisms",
        "auth_backends",
        "ssl_options.versions",
        "ssl_options.ciphers",
        "management.ssl.versions",
        "management.ssl.ciphers",
        "management.cors.allow_origins",
        "cluster_formation.classic_config.nodes",
    )
)
_NAMED: Final = frozenset(("loopback_users", "default_user_tags"))
_RIGHTS: Final = ("configure", "write", "read")
_EITHER: Final = {"vm_memory_high_watermark": "relative", "disk_free_limit": "absolute"}
"""Keys that are a plain value, or say of which kind it is."""


def read_text(text: str, file: str) -> list[Entry]:
    """The entries of a file's text. Raises StartupError 78 naming the line."""
    found: list[Entry] = []
    for term in read_terms(text, file):
        applications = _pairs(term)
        if applications is None:
            raise StartupError(f"{file}:1: it has to be a list of {{application, [{{key, value}}, ...]}}", os.EX_CONFIG)
        for application, settings, line in applications:
            pairs = _pairs(settings)
            if pairs is None:
                problem = f"{{{application}, ...}} has to have a list of {{key, value}}"
                raise StartupError(f"{file}:{line}: {problem}", os.EX_CONFIG)
            for key, value, at in pairs:
                found += entries_of(application, key, value, f"{file}:{at}")
    return found


def entries_of(application: str, key: str, value: Any, place: str) -> Iterator[Entry]:
    """What `{application, [{key, value}]}` says."""
    return _flattened(_PREFIXES.get(application, f"{application}.") + key, value, place)


def _flattened(name: str, value: Any, place: str) -> Iterator[Entry]:
    name = _RENAMED.get(name, name)
    pairs = _pairs(value)
    if isinstance(value, Tuple) and value.items[:1] == ("encrypted",):
        yield Entry(name, "encrypted:", place)
    elif name == "log_levels":
        yield from (Entry(f"log.{category}.level", _text(level), place) for category, level, _ in pairs or ())
    elif name.startswith("log.categories."):
        yield from _flattened("log." + name.removeprefix("log.categories."), value, place)
    elif name == "default_permissions" and isinstance(value, list) and len(value) == 3:
        yield from (Entry(f"{name}.{right}", _text(each), place) for right, each in zip(_RIGHTS, value, strict=True))
    elif name in _NUMBERED and isinstance(value, list):
        yield from _numbered(name, value, place)
    elif name in _NAMED and isinstance(value, list):
        yield from (Entry(f"{name}.{as_word(_text(each))}", "true", place) for each in value)
        if not value:
            yield Entry(name, "none", place)
    elif name in _EITHER:
        kind, amount = value.items if isinstance(value, Tuple) and len(value.items) == 2 else (_EITHER[name], value)
        name = f"{name}.{kind}"
        yield Entry(_RENAMED.get(name, name), _text(amount), place)
    elif pairs:
        file = place.rpartition(":")[0]
        for key, each, line in pairs:
            yield from _flattened(f"{name}.{as_word(key)}", each, f"{file}:{line}" if line else place)
    else:
        yield Entry(name, _text(value), place)


def _numbered(name: str, values: Iterable[Any], place: str) -> Iterator[Entry]:
    number = 0
    for number, value in enumerate(values, 1):
        if isinstance(value, Tuple) and name == "auth_backends" and len(value.items) == 2:
            yield Entry(f"{name}.{number}.authn", _text(value.items[0]), place)
            yield Entry(f"{name}.{number}.authz", _text(value.items[1]), place)
        elif isinstance(value, Tuple):
            yield Entry(f"{name}.{number}", ":".join(map(_text, value.items)), place)
        else:
            yield Entry(f"{name}.{number}", _text(value), place)
    if not number:
        yield Entry(name, "none", place)


def _pairs(term: Any) -> list[tuple[str, Any, int]] | None:
    """A property list: keys, values and their lines; `key` alone is `{key, true}`. None when it is something else."""
    if not isinstance(term, list):
        return None
    found = []
    for item in term:
        if isinstance(item, Tuple) and len(item.items) == 2 and isinstance(item.items[0], str):
            found.append((str(item.items[0]), item.items[1], item.line))
        elif isinstance(item, Atom):
            found.append((str(item), Atom("true"), 0))
        else:
            return None
    return found


def _text(term: Any) -> str:
    """A value as rabbitmq.conf has it; of what cannot be one there, how it looks here."""
    if isinstance(term, Tuple):
        return "{" + ",".join(map(_text, term.items)) + "}"
    if isinstance(term, list):
        return "[" + ",".join(map(_text, term)) + "]"
    return str(term)
