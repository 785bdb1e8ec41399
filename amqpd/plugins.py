"""RabbitMQ's plug-ins: which there are, and which of them amqpd has built in."""

from __future__ import annotations

from typing import Final

BUILT_IN: Final = (
    "rabbitmq_consistent_hash_exchange",
    "rabbitmq_delayed_message_exchange",
    "rabbitmq_random_exchange",
    "rabbitmq_recent_history_exchange",
)
"""What these do is always there."""

EVENT_EXCHANGE: Final = "rabbitmq_event_exchange"
"""Built in as well, but off until the setting `event_exchange` says so."""

MANAGEMENT: Final = ("rabbitmq_management", "rabbitmq_management_agent")
"""Built in and on, unless the setting `management.enabled` says otherwise."""

KNOWN: Final = (
    *BUILT_IN,
    EVENT_EXCHANGE,
    *MANAGEMENT,
    "rabbitmq_amqp1_0",
    "rabbitmq_auth_backend_cache",
    "rabbitmq_auth_backend_http",
    "rabbitmq_auth_backend_internal_loopback",
    "rabbitmq_auth_backend_ldap",
    "rabbitmq_auth_backend_oauth2",
    "rabbitmq_auth_mechanism_ssl",
    "rabbitmq_aws",
    "rabbitmq_federation",
    "rabbitmq_federation_management",
    "rabbitmq_federation_prometheus",
    "rabbitmq_jms_topic_exchange",
    "rabbitmq_mqtt",
    "rabbitmq_peer_discovery_aws",
    "rabbitmq_peer_discovery_common",
    "rabbitmq_peer_discovery_consul",
    "rabbitmq_peer_discovery_etcd",
    "rabbitmq_peer_discovery_k8s",
    "rabbitmq_prometheus",
    "rabbitmq_sharding",
    "rabbitmq_shovel",
    "rabbitmq_shovel_management",
    "rabbitmq_shovel_prometheus",
    "rabbitmq_stomp",
    "rabbitmq_stream",
    "rabbitmq_stream_management",
    "rabbitmq_top",
    "rabbitmq_tracing",
    "rabbitmq_trust_store",
    "rabbitmq_web_dispatch",
    "rabbitmq_web_mqtt",
    "rabbitmq_web_mqtt_examples",
    "rabbitmq_web_stomp",
    "rabbitmq_web_stomp_examples",
)
"""What a RabbitMQ brings along, and the delayed-message exchange, which many add."""


def running(*, event_exchange: bool, management: bool) -> tuple[str, ...]:
    """The plug-ins whose work a broker with these settings does."""
    return (*BUILT_IN, *([EVENT_EXCHANGE] if event_exchange else []), *(MANAGEMENT if management else []))
