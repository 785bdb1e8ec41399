"""RabbitMQ's plug-ins by name: what of them amqpd has, and which setting switches it on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from ..errors import StartupError
from .erlang_terms import Atom, read_terms
from .findings import Layer, Value, Verdict
from .rabbitmq_conf import text_of
from .rabbitmq_keys import NOT_YET
from .settings import SETTINGS, Config


class Plugin(NamedTuple):
    """What enabling a plug-in does."""

    verdict: Verdict
    note: str
    setting: str = ""  # switched on
    value: str = "true"


_BUILT_IN: Final = "amqpd has it built in"
_ALL_ALONG: Final = Plugin(Verdict.EFFECTIVE, _BUILT_IN)
_LATER: Final = Plugin(Verdict.IGNORED, NOT_YET)
_NONE: Final = Plugin(Verdict.ACCEPTED, "amqpd is one node")


def _switched(setting: str, value: str = "true") -> Plugin:
    return Plugin(Verdict.EFFECTIVE, "", setting, value)


PLUGINS: Final = {
    "rabbitmq_consistent_hash_exchange": _ALL_ALONG,
    "rabbitmq_delayed_message_exchange": _ALL_ALONG,
    "rabbitmq_random_exchange": _ALL_ALONG,
    "rabbitmq_recent_history_exchange": _ALL_ALONG,
    "rabbitmq_sharding": Plugin(Verdict.IGNORED, "of it, amqpd has x-modulus-hash"),
    "rabbitmq_message_timestamp": _LATER,
    "rabbitmq_event_exchange": _switched("event_exchange"),
    "rabbitmq_management": _switched("management.enabled"),
    "rabbitmq_management_agent": Plugin(Verdict.ACCEPTED, "comes with what needs it"),
    "rabbitmq_prometheus": _switched("prometheus.enabled"),
    "rabbitmq_mqtt": _switched("mqtt.enabled"),
    "rabbitmq_web_mqtt": _switched("web_mqtt.enabled"),
    "rabbitmq_web_dispatch": Plugin(Verdict.ACCEPTED, "comes with what needs it"),
    "rabbitmq_tracing": _LATER,
    "rabbitmq_top": _LATER,
    "rabbitmq_shovel": _LATER,
    "rabbitmq_shovel_management": _LATER,
    "rabbitmq_federation": _LATER,
    "rabbitmq_federation_management": _LATER,
    "rabbitmq_stream": _LATER,
    "rabbitmq_stream_management": _LATER,
    "rabbitmq_stomp": _LATER,
    "rabbitmq_web_stomp": _LATER,
    "rabbitmq_amqp1_0": _LATER,
    "rabbitmq_auth_mechanism_ssl": Plugin(Verdict.ACCEPTED, "name EXTERNAL in auth_mechanisms"),
    "rabbitmq_auth_backend_http": Plugin(Verdict.ACCEPTED, "name http in auth_backends"),
    "rabbitmq_auth_backend_oauth2": Plugin(Verdict.ACCEPTED, "name oauth2 in auth_backends"),
    "rabbitmq_auth_backend_ldap": _LATER,
    "rabbitmq_auth_backend_cache": Plugin(Verdict.ACCEPTED, "name cache in auth_backends"),
    "rabbitmq_trust_store": _LATER,
    "rabbitmq_jms_topic_exchange": _LATER,
    "rabbitmq_peer_discovery_aws": _NONE,
    "rabbitmq_peer_discovery_common": _NONE,
    "rabbitmq_peer_discovery_consul": _NONE,
    "rabbitmq_peer_discovery_etcd": _NONE,
    "rabbitmq_peer_discovery_k8s": _NONE,
    "rabbitmq_web_mqtt_examples": _LATER,
    "rabbitmq_web_stomp_examples": _LATER,
}


BUILT_IN: Final = tuple(name for name, plugin in PLUGINS.items() if plugin is _ALL_ALONG)
"""Those whose work is always done."""


def has_effect(name: str) -> bool:
    """Whether enabling this plug-in changes what a broker does, or would, were it not built in."""
    plugin = PLUGINS[name]
    return plugin.verdict is Verdict.EFFECTIVE and (not plugin.setting or plugin.setting in SETTINGS)


def at_work(config: Config) -> list[str]:
    """The plug-ins whose work a broker with this configuration does."""
    return [
        name
        for name, plugin in PLUGINS.items()
        if has_effect(name) and (not plugin.setting or getattr(config, SETTINGS[plugin.setting].name))
    ]


def read_file(file: Path) -> list[str]:
    """The names in an enabled_plugins file. Raises StartupError: 66 when it cannot be read, 78 naming the line."""
    terms = read_terms(text_of(file), str(file))
    if len(terms) != 1 or not isinstance(terms[0], list) or not all(isinstance(name, Atom) for name in terms[0]):
        raise StartupError(f"{file}:1: it has to be one list, [rabbitmq_management, ...].", os.EX_CONFIG)
    return [str(name) for name in terms[0]]


ON_BY_DEFAULT: Final = {"rabbitmq_management": "management.enabled"}
"""Where somebody lists plug-ins and leaves out one of these, its setting is off, as it would be in RabbitMQ."""


def enable(names: Sequence[str], place: str) -> Layer:
    """What enabling just these plug-ins sets."""
    layer = Layer()
    for name, setting in ON_BY_DEFAULT.items():
        if name not in names:
            layer.values[setting] = Value("false", place)
    for name in names:
        plugin = PLUGINS.get(name)
        if plugin is None:
            layer.add(Verdict.UNKNOWN, name, place, "amqpd has no such plug-in")
        elif plugin.setting and plugin.setting not in SETTINGS:
            layer.add(Verdict.IGNORED, name, place, NOT_YET)
        elif plugin.setting:
            layer.set(plugin.setting, plugin.value, name, place)
        else:
            layer.add(plugin.verdict, name, place, plugin.note)
    return layer
