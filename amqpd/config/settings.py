"""Settings: one table of them, with defaults and what each may be. `layers` fills it.

A key is written `a.b` here, as tables `[a]` in amqpd.toml, and as `AMQPD_A_B` in the environment. Names are those of
rabbitmq.conf where it has the setting. `conf/amqpd.toml` shows them all.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from ..errors import StartupError
from .addresses import FAMILIES, Address, address_of, addresses, is_listener

HASHING_CHOICES: Final = (
    "rabbit_password_hashing_sha256",
    "rabbit_password_hashing_sha512",
    "rabbit_password_hashing_md5",
)

VALIDATOR_CHOICES: Final = (
    "rabbit_credential_validator_accept_everything",
    "rabbit_credential_validator_min_password_length",
    "rabbit_credential_validator_password_regexp",
)
BACKEND_CHOICES: Final = ("local_filesystem",)

QUEUE_TYPES: Final = ("classic", "quorum", "stream")

COMPAT_CHOICES: Final = ("default", "3.12", "3.13", "4.0", "4.1", "4.2", "4.3")

VERSIONS: Final = ("tlsv1.3", "tlsv1.2", "tlsv1.1", "tlsv1")
MECHANISMS: Final = ("PLAIN", "AMQPLAIN", "EXTERNAL", "ANONYMOUS")
LOGIN_FROM: Final = ("distinguished_name", "common_name", "subject_alternative_name")
BACKENDS: Final = ("internal", "http", "oauth2", "cache")
ALGORITHMS: Final = (
    *(f"{kind}{size}" for kind in ("RS", "PS", "ES", "HS") for size in (256, 384, 512)),
    "EdDSA",
)
SAN_TYPES: Final = ("dns", "ip", "email", "uri", "other_name")

MAX_BODY: Final = 512 << 20
"""The largest `max_message_size`, as in RabbitMQ."""

MAX_SIZE: Final = (1 << 63) - 1
MAX_INT: Final = (1 << 31) - 1

MAX_SHARE: Final = 1000
"""The largest multiple of the memory that some limit may be."""

LOG_LEVELS: Final = ("debug", "info", "warning", "error", "critical", "none")
OWN_LEVELS: Final = ("", *LOG_LEVELS)
LOG_FORMATS: Final = ("console", "json")
RATES_MODES: Final = ("none", "basic", "detailed")
APPLY_TO: Final = ("all", "queues", "classic_queues", "quorum_queues", "streams", "exchanges")

BY_COMPAT: Final = ("compat", "true", "false")
"""For what `compat` decides unless it is said otherwise."""

SECRET: Final = object()
"""Stands for a value with a password in it, which no message shows."""

HIDDEN: Final = "********"
"""Stands for a secret where settings are shown."""

_UNITS: Final = {
    "": 1,
    **{prefix + ending: 1000**power for power, prefix in enumerate("kmgt", 1) for ending in ("", "b")},
    **{prefix + "ib": 1024**power for power, prefix in enumerate("kmgt", 1)},
}


class InvalidSetting(StartupError):
    """A setting's value that cannot be."""

    def __init__(self, key: str, value: Any, expected: str) -> None:
        shown = "something else" if value is SECRET or (key == "default_pass" and value) else repr(value)
        super().__init__(f"'{key}' is {shown}, but has to be {expected}", os.EX_CONFIG)
        self.key = key
        self.expected = expected


def _setting(
    key: str,
    default: Any,
    explanation: str,
    choices: tuple[str, ...] = (),
    record: type[Any] | None = None,
    *,
    table: bool = False,
) -> Any:
    """`record` is what each table of a list of them is; a `table` is one with names of the operator's choice."""
    metadata = {"key": key, "explanation": explanation, "choices": choices, "record": record, "table": table}
    return field(default=default, metadata=metadata, repr=not key.endswith(("_pass", "password", "definitions_json")))


@dataclass(frozen=True, slots=True)
class DefaultUser:
    """A user that every new vhost with a matching name is to have."""

    name: str
    password: str | None = field(default=None, repr=False)  # None: no password lets the user in
    tags: tuple[str, ...] = ()
    vhost_pattern: str = ".*"
    configure: str = ".*"
    write: str = ".*"
    read: str = ".*"


def _number_of_record() -> Any:
    """A number in a table that may be left out."""
    return field(default=None, metadata={"number": True})


@dataclass(frozen=True, slots=True)
class DefaultLimits:
    """Limits that every new vhost with a matching name is to have. Below 0: none; None: nothing is said of it."""

    name: str
    pattern: str = ".*"
    max_connections: int | None = _number_of_record()
    max_queues: int | None = _number_of_record()


@dataclass(frozen=True, slots=True)
class DefaultPolicy:
    """An operator policy that every new vhost with a matching name is to have. What is None, it does not set."""

    name: str
    vhost_pattern: str = ".*"
    queue_pattern: str = ".*"
    apply_to: str = field(default="all", metadata={"choices": APPLY_TO})
    expires: int | None = _number_of_record()  # milliseconds, as the next
    message_ttl: int | None = _number_of_record()
    max_length: int | None = _number_of_record()
    max_length_bytes: int | None = _number_of_record()
    max_in_memory_length: int | None = _number_of_record()
    max_in_memory_bytes: int | None = _number_of_record()
    delivery_limit: int | None = _number_of_record()
    queue_version: int | None = _number_of_record()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that tokens are signed with."""

    name: str
    file: str = ""  # in PEM


@dataclass(frozen=True, slots=True)
class ScopeAlias:
    """A scope that stands for others."""

    name: str
    scope: str = ""  # with blanks between several


@dataclass(frozen=True, slots=True)
class Config:
    """All settings. Sizes are in bytes, and may be given with a unit, such as 64MiB."""

    tcp_listeners: tuple[Address, ...] = _setting(
        "listeners.tcp.default", (Address("127.0.0.1", 5672),), "where clients connect; port 0 = any free one"
    )
    ssl_listeners: tuple[Address, ...] = _setting("listeners.ssl.default", (), "where they connect with TLS")
    backlog: int = _setting("tcp_listen_options.backlog", 4096, "connections that may wait to be accepted")
    nodelay: bool = _setting("tcp_listen_options.nodelay", True, "send small packets at once")
    keepalive: bool = _setting("tcp_listen_options.keepalive", False, "have the kernel look for peers that are gone")
    sndbuf: int = _setting("tcp_listen_options.sndbuf", 0, "bytes the kernel buffers on the way out; 0 = as it likes")
    recbuf: int = _setting("tcp_listen_options.recbuf", 0, "bytes the kernel buffers on the way in; 0 = as it likes")
    send_timeout: int = _setting(
        "tcp_listen_options.send_timeout",
        30_000,
        "milliseconds until a peer that takes nothing of what waits for it is given up; 0 = never",
    )
    certfile: str = _setting("ssl_options.certfile", "", "certificate to show, and those it depends on, in PEM")
    keyfile: str = _setting("ssl_options.keyfile", "", "its key, in PEM; none = it is in the certfile")
    key_password: str = _setting("ssl_options.password", "", "the key's password")
    cacertfile: str = _setting("ssl_options.cacertfile", "", "whose certificates clients may show, in PEM")
    verify: str = _setting("ssl_options.verify", "verify_none", "ask for certificates", ("verify_none", "verify_peer"))
    fail_if_no_peer_cert: bool = _setting(
        "ssl_options.fail_if_no_peer_cert", False, "with verify_peer: refuse clients that have no certificate"
    )
    depth: int = _setting("ssl_options.depth", 10, "certificates between a client's and its root, at most")
    tls_versions: tuple[str, ...] = _setting(
        "ssl_options.versions", ("tlsv1.3", "tlsv1.2"), "versions of TLS", VERSIONS
    )
    ciphers: tuple[str, ...] = _setting("ssl_options.ciphers", (), "ciphers, by OpenSSL's names; none = its own choice")
    honor_cipher_order: bool = _setting(
        "ssl_options.honor_cipher_order", True, "choose ciphers by our preference, not the client's"
    )
    sni_certfiles: tuple[str, ...] = _setting(
        "ssl_options.sni_certfiles", (), "PEM files with other certificates and keys, for the host names they have"
    )
    ssl_handshake_timeout: int = _setting("ssl_handshake_timeout", 5_000, "milliseconds a TLS handshake may take")
    auth_mechanisms: tuple[str, ...] = _setting(
        "auth_mechanisms", ("PLAIN", "AMQPLAIN", "ANONYMOUS"), "ways to log in, in order", MECHANISMS
    )
    auth_backends: tuple[str, ...] = _setting(
        "auth_backends",
        ("internal",),
        "who is asked in turn: internal, http, oauth2, cache, or a pair as http/internal",
    )
    cached_backend: str = _setting("auth_cache.cached_backend", "internal", "what cache remembers, or a pair")
    cache_ttl: int = _setting("auth_cache.cache_ttl", 15_000, "milliseconds it does")
    cache_refusals: bool = _setting("auth_cache.cache_refusals", False, "remember refusals, too")
    http_method: str = _setting("auth_http.http_method", "get", "how the server is asked", ("get", "post"))
    http_user_path: str = _setting(
        "auth_http.user_path", "http://localhost:8000/auth/user", "URL that says who may log in"
    )
    http_vhost_path: str = _setting(
        "auth_http.vhost_path", "http://localhost:8000/auth/vhost", "URL that says who may enter a vhost"
    )
    http_resource_path: str = _setting(
        "auth_http.resource_path",
        "http://localhost:8000/auth/resource",
        "URL that says who may use a queue or exchange",
    )
    http_topic_path: str = _setting(
        "auth_http.topic_path", "http://localhost:8000/auth/topic", "URL that says who may use a routing key"
    )
    http_request_timeout: int = _setting("auth_http.request_timeout", 15_000, "milliseconds an answer may take")
    http_connection_timeout: int = _setting(
        "auth_http.connection_timeout", 15_000, "milliseconds of these until there is a connection"
    )
    http_disclosure: bool = _setting(
        "auth_http.authorization_failure_disclosure", False, "tell clients the server's reason for a refusal"
    )
    http_cacertfile: str = _setting(
        "auth_http.ssl_options.cacertfile", "", "whose certificate the server may have, in PEM; none = the system's"
    )
    http_certfile: str = _setting("auth_http.ssl_options.certfile", "", "certificate to show it, in PEM")
    http_keyfile: str = _setting("auth_http.ssl_options.keyfile", "", "its key, in PEM; none = it is in the certfile")
    http_key_password: str = _setting("auth_http.ssl_options.password", "", "the key's password")
    http_verify: str = _setting(
        "auth_http.ssl_options.verify", "verify_peer", "look at its certificate", ("verify_peer", "verify_none")
    )
    oauth2_resource_server_id: str = _setting(
        "auth_oauth2.resource_server_id", "", "the name of this broker: what tokens have among their audience"
    )
    oauth2_scope_prefix: str = _setting(
        "auth_oauth2.scope_prefix", "{resource_server_id}.", "what scopes begin with that are meant for this broker"
    )
    oauth2_additional_scopes_key: str = _setting(
        "auth_oauth2.additional_scopes_key", "", "claims with more scopes, by blanks; a.b is b in a"
    )
    oauth2_scope_aliases: tuple[ScopeAlias, ...] = _setting(
        "auth_oauth2.scope_aliases", (), "scopes that stand for others", record=ScopeAlias
    )
    oauth2_username_claims: tuple[str, ...] = _setting(
        "auth_oauth2.preferred_username_claims", ("sub", "client_id"), "claims with the user's name; the first counts"
    )
    oauth2_verify_aud: bool = _setting("auth_oauth2.verify_aud", True, "only tokens for this audience count")
    oauth2_require_exp: bool = _setting("auth_oauth2.require_exp", True, "only tokens that expire count")
    oauth2_signing_keys: tuple[SigningKey, ...] = _setting(
        "auth_oauth2.signing_keys", (), "keys of tokens, in PEM files", record=SigningKey
    )
    oauth2_default_key: str = _setting("auth_oauth2.default_key", "", "the key of tokens that name none")
    oauth2_jwks_url: str = _setting("auth_oauth2.jwks_url", "", "URL of keys of tokens, as a JSON Web Key Set")
    oauth2_issuer: str = _setting("auth_oauth2.issuer", "", "URL of who makes tokens, to find jwks_url from")
    oauth2_discovery_path: str = _setting(
        "auth_oauth2.discovery_endpoint_path", ".well-known/openid-configuration", "where below it"
    )
    oauth2_algorithms: tuple[str, ...] = _setting(
        "auth_oauth2.algorithms", (), "algorithms tokens may be signed by; none = those of the key", ALGORITHMS
    )
    oauth2_cacertfile: str = _setting(
        "auth_oauth2.https.cacertfile", "", "whose certificates these servers may have, in PEM; none = the system's"
    )
    oauth2_verify: str = _setting(
        "auth_oauth2.https.verify", "verify_peer", "look at their certificates", ("verify_peer", "verify_none")
    )
    anonymous_login_user: str = _setting("anonymous_login_user", "", "who those are that log in with ANONYMOUS")
    anonymous_login_pass: str = _setting("anonymous_login_pass", "", "that user's password")
    ssl_cert_login_from: str = _setting(
        "ssl_cert_login_from", "distinguished_name", "where in a certificate EXTERNAL finds the user's name", LOGIN_FROM
    )
    ssl_cert_login_san_type: str = _setting(
        "ssl_cert_login_san_type", "dns", "which kind of subject_alternative_name", SAN_TYPES
    )
    ssl_cert_login_san_index: int = _setting("ssl_cert_login_san_index", 0, "and which of those")
    data_dir: str = _setting("data_dir", ".amqpd", "folder for what has to survive a restart")
    memory: bool = _setting("memory", False, "keep everything in memory; nothing survives a restart")
    sync: bool = _setting("store.sync", True, "sync every commit; without, a power cut may lose confirmed messages")
    map_size: int = _setting("store.map_size", 1 << 40, "address space for the store, an upper limit for its size")
    lag_limit: int = _setting("store.lag_limit", 64 << 20, "bytes not yet on disk above which publishers wait")
    queue_memory: int = _setting("queue_memory", 96 << 20, "bytes of messages kept in memory; beyond, queues page")
    default_vhost: str = _setting("default_vhost", "/", "vhost made at the first start")
    default_user: str = _setting("default_user", "guest", "user made at the first start")
    memory_watermark: float = _setting(
        "vm_memory_high_watermark.relative", 0.6, "share of memory above which publishers are blocked, 0 to 1"
    )
    memory_watermark_size: int = _setting(
        "vm_memory_high_watermark.absolute", 0, "the same in bytes; 0 = the share counts"
    )
    memory_monitor_interval: int = _setting(
        "memory_monitor_interval", 2500, "milliseconds between looks at the memory, at most"
    )
    disk_free_limit: int = _setting(
        "disk_free_limit.absolute", 50_000_000, "bytes of free disk space below which publishers are blocked"
    )
    disk_free_share: float = _setting(
        "disk_free_limit.relative", 0.0, "the same as a share of memory; 0 = the bytes count"
    )
    default_pass: str = _setting("default_pass", "guest", "that user's password")
    default_user_tags: tuple[str, ...] = _setting("default_user_tags", ("administrator",), "that user's tags")
    default_configure: str = _setting("default_permissions.configure", ".*", "what that user may declare and delete")
    default_write: str = _setting("default_permissions.write", ".*", "what that user may publish to")
    default_read: str = _setting("default_permissions.read", ".*", "what that user may consume from")
    default_users: tuple[DefaultUser, ...] = _setting(
        "default_users", (), "users of new vhosts with matching names", record=DefaultUser
    )
    default_limits: tuple[DefaultLimits, ...] = _setting(
        "default_limits.vhosts", (), "limits of new vhosts with matching names", record=DefaultLimits
    )
    default_policies: tuple[DefaultPolicy, ...] = _setting(
        "default_policies.operator", (), "operator policies of new vhosts with matching names", record=DefaultPolicy
    )
    password_hashing_module: str = _setting(
        "password_hashing_module", HASHING_CHOICES[0], "how new passwords are kept", HASHING_CHOICES
    )
    validation_backend: str = _setting(
        "credential_validator.validation_backend", VALIDATOR_CHOICES[0], "what new passwords must be", VALIDATOR_CHOICES
    )
    validation_min_length: int = _setting("credential_validator.min_length", 5, "how long, at least")
    validation_regexp: str = _setting("credential_validator.regexp", ".*", "what is to be found in them")
    load_definitions: str = _setting(
        "load_definitions", "", "file of definitions to import at the start, or folder of such"
    )
    definitions_json: str = _setting("definitions_json", "", "definitions to import at the start themselves")
    definitions_backend: str = _setting(
        "definitions.import_backend", BACKEND_CHOICES[0], "where definitions are", BACKEND_CHOICES
    )
    skip_definitions: bool = _setting(
        "definitions.skip_if_unchanged", False, "do not import what was imported already, whatever became of it"
    )
    definitions_env: bool = _setting("definitions.env", False, "${NAME} in definitions is a variable's value")
    strict_definitions: bool = _setting(
        "definitions.strict", False, "with definitions no default vhost and user, as in RabbitMQ"
    )
    loopback_users: tuple[str, ...] = _setting("loopback_users", ("guest",), "users let in from this machine only")
    channel_max: int = _setting("channel_max", 2047, "channels open at a time on a connection; 0 = no limit")
    channels_per_node: int = _setting(
        "channel_max_per_node", 0, "channels open at a time, on all connections; 0 = no limit"
    )
    consumer_max: int = _setting("consumer_max_per_channel", 0, "consumers at a time on a channel; 0 = no limit")
    max_connections: int = _setting("max_connections", 0, "connections open at a time; 0 = no limit")
    vhost_max: int = _setting("vhost_max", 0, "vhosts there may be; 0 = no limit")
    exchange_limit: int = _setting("cluster_exchange_limit", 0, "exchanges there may be, in all vhosts; 0 = no limit")
    queue_limit: int = _setting("cluster_queue_limit", 0, "queues there may be, in all vhosts; 0 = no limit")
    default_queue_type: str = _setting(
        "default_queue_type", "classic", "of queues declared without one, where it can be", QUEUE_TYPES
    )
    frame_max: int = _setting("frame_max", 131072, "largest frame, in bytes; 0 = no limit")
    heartbeat: int = _setting("heartbeat", 60, "seconds between heartbeats proposed to clients; 0 = none")
    handshake_timeout: int = _setting("handshake_timeout", 10_000, "milliseconds until a connection must be open")
    max_handshakes: int = _setting(
        "max_handshakes", 4096, "connections that have not logged in, above which the oldest goes; 0 = no limit"
    )
    consumer_timeout: int = _setting("consumer_timeout", 1_800_000, "milliseconds to settle a delivery; 0 = any time")
    max_message_size: int = _setting("max_message_size", 128 << 20, "largest body, in bytes")
    compat: str = _setting("compat", "default", "follow this RabbitMQ version where versions differ", COMPAT_CHOICES)
    permit_transient_queues: str = _setting(
        "deprecated_features.permit.transient_nonexcl_queues",
        "compat",
        "queues neither durable nor exclusive may be declared; compat = as in that version",
        BY_COMPAT,
    )
    permit_global_qos: str = _setting(
        "deprecated_features.permit.global_qos",
        "compat",
        "basic.qos with global set is for the channel; compat = as in that version",
        BY_COMPAT,
    )
    product: str = _setting("product", "RabbitMQ", "product announced; some clients go by it")
    product_version: str = _setting("product_version", "", "its version; empty = that of compat")
    node_name: str = _setting("node_name", "", "name of the node, as rabbit@host; empty = amqpd@ and the host's name")
    cluster_name: str = _setting("cluster_name", "", "name announced for the whole; empty = the node's")
    cluster_tags: tuple[tuple[str, str], ...] = _setting(
        "cluster_tags", (), "what there is to say of the whole, for the HTTP API to show", table=True
    )
    node_tags: tuple[tuple[str, str], ...] = _setting("node_tags", (), "and of the node", table=True)
    motd_file: str = _setting("motd_file", "", "file whose text is logged at the start")
    trace: bool = _setting("trace", False, "copy all that is published and delivered to amq.rabbitmq.trace")
    event_exchange: bool = _setting("event_exchange", False, "tell what happens in the broker to amq.rabbitmq.event")
    management: bool = _setting("management.enabled", True, "serve the HTTP API")
    management_ip: str = _setting("management.tcp.ip", "127.0.0.1", "address of the HTTP API")
    management_port: int = _setting("management.tcp.port", 15672, "port of the HTTP API; 0 = any free one")
    disable_stats: bool = _setting("management.disable_stats", False, "leave statistics out of the HTTP API")
    enable_queue_totals: bool = _setting(
        "management.enable_queue_totals", False, "but not how many messages there are in queues"
    )
    rates_mode: str = _setting("management.rates_mode", "basic", "count messages by the second", RATES_MODES)
    login_session_timeout: int = _setting(
        "management.login_session_timeout", 0, "minutes until the web page forgets who signed in; 0 = when it is closed"
    )
    content_type_options: str = _setting(
        "management.headers.content_type_options", "", "header X-Content-Type-Options of all answers; empty = as it is"
    )
    xss_protection: str = _setting("management.headers.xss_protection", "", "X-XSS-Protection")
    frame_options: str = _setting("management.headers.frame_options", "", "X-Frame-Options")
    referrer_policy: str = _setting("management.headers.referrer_policy", "", "Referrer-Policy")
    hsts_policy: str = _setting("management.hsts.policy", "", "Strict-Transport-Security")
    csp_policy: str = _setting("management.csp.policy", "", "Content-Security-Policy")
    https_ip: str = _setting("management.ssl.ip", "127.0.0.1", "address of the HTTP API with TLS")
    https_port: int = _setting("management.ssl.port", 15671, "port of the HTTP API with TLS; 0 = any free one")
    https_certfile: str = _setting(
        "management.ssl.certfile", "", "certificate to show there, and those it depends on, in PEM; none = no TLS"
    )
    https_keyfile: str = _setting("management.ssl.keyfile", "", "its key, in PEM; none = it is in the certfile")
    https_password: str = _setting("management.ssl.password", "", "the key's password")
    https_cacertfile: str = _setting("management.ssl.cacertfile", "", "whose certificates clients may show, in PEM")
    https_verify: str = _setting(
        "management.ssl.verify", "verify_none", "ask for certificates", ("verify_none", "verify_peer")
    )
    https_fail_if_no_peer_cert: bool = _setting(
        "management.ssl.fail_if_no_peer_cert", False, "with verify_peer: refuse clients that have no certificate"
    )
    https_versions: tuple[str, ...] = _setting(
        "management.ssl.versions", ("tlsv1.3", "tlsv1.2"), "versions of TLS", VERSIONS
    )
    https_ciphers: tuple[str, ...] = _setting(
        "management.ssl.ciphers", (), "ciphers, by OpenSSL's names; none = its own choice"
    )
    https_honor_cipher_order: bool = _setting(
        "management.ssl.honor_cipher_order", True, "choose ciphers by our preference, not the client's"
    )
    management_prefix: str = _setting("management.path_prefix", "", "what all paths of the HTTP API begin with")
    management_body_limit: int = _setting(
        "management.http.max_body_size", 20_000_000, "largest body of a request to the HTTP API, in bytes"
    )
    request_timeout: int = _setting(
        "management.tcp.request_timeout", 5_000, "milliseconds in which a request has to begin, up to its body; 0 = any"
    )
    idle_timeout: int = _setting(
        "management.tcp.idle_timeout", 60_000, "milliseconds between requests, and without a byte within one; 0 = any"
    )
    inactivity_timeout: int = _setting(
        "management.tcp.inactivity_timeout", 300_000, "milliseconds in which the body of a request has to come; 0 = any"
    )
    cors_origins: tuple[str, ...] = _setting(
        "management.cors.allow_origins", (), "web sites whose pages may use the HTTP API; * = all"
    )
    cors_max_age: int = _setting("management.cors.max_age", 1800, "seconds for which browsers remember that they may")
    prometheus: bool = _setting("prometheus.enabled", False, "serve metrics on a port of their own")
    prometheus_ip: str = _setting("prometheus.tcp.ip", "127.0.0.1", "address for metrics")
    prometheus_port: int = _setting("prometheus.tcp.port", 15692, "port for metrics; 0 = any free one")
    prometheus_path: str = _setting("prometheus.path", "/metrics", "path of the metrics there")
    per_object_metrics: bool = _setting(
        "prometheus.return_per_object_metrics", False, "metrics of each object, instead of sums"
    )
    log_level: str = _setting("log.level", "info", "least severity logged", LOG_LEVELS)
    log_format: str = _setting("log.format", "console", "lines for people, or JSON", LOG_FORMATS)
    log_console: bool = _setting("log.console", True, "log to standard output")
    log_console_level: str = _setting("log.console_level", "", "least severity there; empty = log.level", OWN_LEVELS)
    log_dir: str = _setting("log.dir", "", "folder for log files; empty = where amqpd is started")
    log_file: str = _setting("log.file", "", "file to log to; false = none; empty = amqpd.log if there is a log.dir")
    log_file_level: str = _setting("log.file_level", "", "least severity there; empty = log.level", OWN_LEVELS)
    log_file_format: str = _setting("log.file_format", "console", "lines for people, or JSON, there", LOG_FORMATS)
    log_exchange: bool = _setting("log.exchange", False, "log to the exchange amq.rabbitmq.log")
    log_exchange_level: str = _setting("log.exchange_level", "", "least severity there; empty = log.level", OWN_LEVELS)
    log_exchange_format: str = _setting("log.exchange_format", "console", "text, or JSON, there", LOG_FORMATS)
    log_connection_level: str = _setting("log.levels.connection", "", "of connections; empty = log.level", OWN_LEVELS)
    log_queue_level: str = _setting("log.levels.queue", "", "of queues; empty = log.level", OWN_LEVELS)
    log_channel_level: str = _setting("log.levels.channel", "", "of channels; empty = log.level", OWN_LEVELS)

    remarks: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """Level and text of what is to be said about where it came from: what has no effect, or not the one meant."""

    def __post_init__(self) -> None:
        for key, value, least, most in (
            ("management.tcp.port", self.management_port, 0, 0xFFFF),
            ("management.login_session_timeout", self.login_session_timeout, 0, MAX_INT),
            ("prometheus.tcp.port", self.prometheus_port, 0, 0xFFFF),
            ("management.ssl.port", self.https_port, 0, 0xFFFF),
            ("management.http.max_body_size", self.management_body_limit, 0, MAX_SIZE),
            ("management.tcp.request_timeout", self.request_timeout, 0, MAX_SIZE),
            ("management.tcp.idle_timeout", self.idle_timeout, 0, MAX_SIZE),
            ("management.tcp.inactivity_timeout", self.inactivity_timeout, 0, MAX_SIZE),
            ("management.cors.max_age", self.cors_max_age, 0, MAX_SIZE),
            ("channel_max", self.channel_max, 0, 0xFFFF),
            ("channel_max_per_node", self.channels_per_node, 0, MAX_SIZE),
            ("consumer_max_per_channel", self.consumer_max, 0, MAX_SIZE),
            ("max_connections", self.max_connections, 0, MAX_SIZE),
            ("vhost_max", self.vhost_max, 0, MAX_SIZE),
            ("cluster_exchange_limit", self.exchange_limit, 0, MAX_SIZE),
            ("cluster_queue_limit", self.queue_limit, 0, MAX_SIZE),
            ("frame_max", self.frame_max, 4096, 0xFFFFFFFF),
            ("heartbeat", self.heartbeat, 0, 0xFFFF),
            ("handshake_timeout", self.handshake_timeout, 1, MAX_SIZE),
            ("consumer_timeout", self.consumer_timeout, 0, MAX_SIZE),
            ("max_message_size", self.max_message_size, 1, MAX_BODY),
            ("queue_memory", self.queue_memory, 0, MAX_SIZE),
            ("vm_memory_high_watermark.relative", self.memory_watermark, 0, 1),
            ("vm_memory_high_watermark.absolute", self.memory_watermark_size, 0, MAX_SIZE),
            ("memory_monitor_interval", self.memory_monitor_interval, 1, MAX_SIZE),
            ("disk_free_limit.absolute", self.disk_free_limit, 0, MAX_SIZE),
            ("disk_free_limit.relative", self.disk_free_share, 0, MAX_SHARE),
            ("max_handshakes", self.max_handshakes, 0, MAX_SIZE),
            ("store.map_size", self.map_size, 1 << 20, MAX_SIZE),
            ("store.lag_limit", self.lag_limit, 0, MAX_SIZE),
            ("tcp_listen_options.backlog", self.backlog, 1, MAX_INT),
            ("tcp_listen_options.sndbuf", self.sndbuf, 0, MAX_INT),
            ("tcp_listen_options.recbuf", self.recbuf, 0, MAX_INT),
            ("ssl_options.depth", self.depth, 0, MAX_INT),
            ("ssl_handshake_timeout", self.ssl_handshake_timeout, 1, MAX_SIZE),
            ("tcp_listen_options.send_timeout", self.send_timeout, 0, MAX_SIZE),
            ("ssl_cert_login_san_index", self.ssl_cert_login_san_index, 0, MAX_INT),
            ("credential_validator.min_length", self.validation_min_length, 0, MAX_SIZE),
            ("auth_cache.cache_ttl", self.cache_ttl, 0, MAX_SIZE),
            ("auth_http.request_timeout", self.http_request_timeout, 1, MAX_SIZE),
            ("auth_http.connection_timeout", self.http_connection_timeout, 1, MAX_SIZE),
        ):
            if value < least and not (key == "frame_max" and value == 0):
                raise _invalid(key, value, f"at least {least}")
            if value > most:
                raise _invalid(key, value, f"at most {most}")
        self._check_web()
        self._check_backends()
        for key, text, expected in (
            ("data_dir", self.data_dir, "a folder"),
            ("default_vhost", self.default_vhost, "a name"),
            ("management.tcp.ip", self.management_ip, "an address"),
            ("prometheus.tcp.ip", self.prometheus_ip, "an address"),
            ("management.ssl.ip", self.https_ip, "an address"),
            ("default_user", self.default_user, "a name"),
            ("default_pass", self.default_pass, "a password; none is never right"),
        ):
            if not text:
                raise _invalid(key, text, expected)

        for key, names, expected in (
            ("auth_mechanisms", self.auth_mechanisms, "at least one name"),
            ("auth_backends", self.auth_backends, "at least one name"),
            ("ssl_options.versions", self.tls_versions, "at least one version"),
            ("management.ssl.versions", self.https_versions, "at least one version"),
        ):
            if not names:
                raise _invalid(key, names, expected)
        if not self.tcp_listeners and not self.ssl_listeners:
            raise StartupError("'listeners.tcp' and 'listeners.ssl' are none, and one is needed", os.EX_CONFIG)
        if self.ssl_listeners and not self.certfile:
            raise StartupError("'listeners.ssl' needs a certificate: set 'ssl_options.certfile'", os.EX_CONFIG)
        if bool(self.anonymous_login_user) != bool(self.anonymous_login_pass):
            raise StartupError("'anonymous_login_user' and 'anonymous_login_pass' need each other", os.EX_CONFIG)

    def _check_web(self) -> None:
        """What is served over HTTP."""
        if self.management_prefix and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", self.management_prefix):
            raise _invalid("management.path_prefix", self.management_prefix, "a path such as /rabbit")
        if not self.prometheus_path.startswith("/"):
            raise _invalid("prometheus.path", self.prometheus_path, "a path, from / on")
        for name, header in (
            ("headers.content_type_options", self.content_type_options),
            ("headers.xss_protection", self.xss_protection),
            ("headers.frame_options", self.frame_options),
            ("headers.referrer_policy", self.referrer_policy),
            ("hsts.policy", self.hsts_policy),
            ("csp.policy", self.csp_policy),
        ):
            if not header.isascii() or (header and not header.isprintable()):
                raise _invalid(f"management.{name}", header, "what a header can hold: a line of ASCII")

    def _check_backends(self) -> None:
        used: set[str] = set()
        for key, names in (
            ("auth_backends", self.auth_backends),
            ("auth_cache.cached_backend", (self.cached_backend,)),
        ):
            for name in names:
                pair = backend_pair(name)
                if len(pair) != 2 or not set(pair) <= set(BACKENDS):
                    raise _invalid(key, name, f"{', '.join(BACKENDS)}, or two of them as http/internal")
                if key != "auth_backends" and "cache" in pair:
                    raise _invalid(key, name, "another backend")
                used |= set(pair)
        for key, url in (
            ("auth_http.user_path", self.http_user_path),
            ("auth_http.vhost_path", self.http_vhost_path),
            ("auth_http.resource_path", self.http_resource_path),
            ("auth_http.topic_path", self.http_topic_path),
        ):
            if not _is_url(url):
                raise _invalid(key, url, "a URL such as http://localhost:8000/auth/user")
        for key, url in (("auth_oauth2.jwks_url", self.oauth2_jwks_url), ("auth_oauth2.issuer", self.oauth2_issuer)):
            if url and not _is_url(url):
                raise _invalid(key, url, "a URL such as https://localhost:8443/keys")
        if "oauth2" in used and not self.oauth2_resource_server_id:
            raise StartupError("'auth_backends' has oauth2, and needs 'auth_oauth2.resource_server_id'", os.EX_CONFIG)

    @property
    def log_path(self) -> Path | None:
        """The file to log to, if any."""
        if self.log_file == "false" or not (self.log_file or self.log_dir):
            return None
        return Path(self.log_dir) / (self.log_file or "amqpd.log")


SETTINGS: Final = {setting.metadata["key"]: setting for setting in fields(Config) if setting.metadata}
"""Every setting's dataclass field, by key."""


def is_table(key: str) -> bool:
    """Whether a key is a table whose names an operator chooses."""
    return key in SETTINGS and SETTINGS[key].metadata["table"]


def backend_pair(text: str) -> list[str]:
    """Who says who somebody is, and who says what they may do, as `auth_backends` has it; RabbitMQ's names, too."""
    authn, slash, authz = text.partition("/")
    return [
        {"oauth": "oauth2"}.get(name, name)
        for name in [part.strip().removeprefix("rabbit_auth_backend_") for part in (authn, authz if slash else authn)]
    ]


def _is_url(text: str) -> bool:
    return re.fullmatch(r"https?://[^/?#\s]+[^#\s]*", text) is not None and text.isascii()


def is_setting(key: str) -> bool:
    """Whether a key may be set."""
    return key in SETTINGS or is_listener(key)


def is_secret(key: str) -> bool:
    """Whether a setting is nobody else's business."""
    last = key.rpartition(".")[2]
    return last.endswith(("pass", "password", "secret")) or last in ("default_users", "definitions_json")


def config_of(values: Mapping[str, Any], remarks: tuple[tuple[str, str], ...] = ()) -> Config:
    """The configuration with these settings, by key, and defaults for the others. Raises InvalidSetting."""
    found = {SETTINGS[key].name: converted(key, value) for key, value in values.items() if not is_listener(key)}
    listeners = {key: converted(key, value) for key, value in values.items() if is_listener(key)}
    for family in FAMILIES:
        setting: Any = SETTINGS[f"{family}.default"]
        found[setting.name] = addresses(family, listeners, setting.default)
    return Config(**found, remarks=remarks)


def converted(key: str, value: Any) -> Any:
    """A value as the setting has it, from the text or the TOML it was written as. Raises InvalidSetting."""
    if is_listener(key):
        try:
            return address_of(key, value)
        except ValueError as error:
            raise _invalid(key, value, str(error)) from None
    setting = SETTINGS[key]
    default = setting.default
    choices = setting.metadata["choices"]
    if setting.metadata["record"] is not None:
        return _records(key, setting.metadata["record"], value)
    if setting.metadata["table"]:
        return _pairs(key, value)
    if isinstance(default, bool):
        if isinstance(value, str) and value.lower() in ("true", "false", "1", "0", "yes", "no"):
            return value.lower() in ("true", "1", "yes")
        if not isinstance(value, bool):
            raise _invalid(key, value, "true or false")
    elif isinstance(default, int):
        return _number(key, value)
    elif isinstance(default, float):
        return _share(key, value)
    elif isinstance(default, tuple):
        return _names(key, choices, value)
    elif choices:
        text = str(value).lower() if isinstance(value, bool) else value
        if text not in choices:
            raise _invalid(key, value, f"one of {', '.join(filter(None, choices))}")
        return text
    elif not isinstance(value, str):
        raise _invalid(key, value, "a string")
    return value


def _names(key: str, choices: tuple[str, ...], value: Any) -> tuple[str, ...]:
    """A list, as TOML has it or with commas."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise _invalid(key, value, "a list of names")
    names = tuple(item.strip() for item in items if item.strip())
    for name in names:
        if choices and name not in choices:
            raise _invalid(key, name, f"one of {', '.join(choices)}")
    return names


def _records(key: str, record: type[Any], value: Any) -> tuple[Any, ...]:
    """A list of tables, as TOML has them; from the environment, as JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value or "[]")
        except ValueError:
            raise _invalid(key, SECRET, "a list of tables, in JSON") from None
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, Mapping) for item in value):
        raise _invalid(key, SECRET, "a list of tables")
    return tuple(_record(key, record, item) for item in value)


def _record(key: str, record: type[Any], table: Mapping[str, Any]) -> Any:
    known = {each.name: each for each in fields(record)}
    made: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            raise StartupError(
                f"unknown key '{name}' in a table of '{key}'; known are {', '.join(known)}", os.EX_CONFIG
            )
        made[name] = _member(f"'{name}' in a table of '{key}'", known[name], value)
    if not made.get("name"):
        raise StartupError(f"a table of '{key}' has no name", os.EX_CONFIG)
    return record(**made)


def _member(place: str, member: Field[Any], value: Any) -> Any:
    """What a table has under one of its names."""
    choices = member.metadata.get("choices", ())
    if "number" in member.metadata:
        try:
            return _number(place, value)
        except InvalidSetting as error:
            raise StartupError(f"{place} has to be {error.expected}", os.EX_CONFIG) from None
    listed = isinstance(member.default, tuple)
    if not isinstance(value, list if listed else str) or not all(isinstance(item, str) for item in value):
        raise StartupError(f"{place} has to be {'a list of names' if listed else 'a string'}", os.EX_CONFIG)
    if choices and value not in choices:
        raise StartupError(f"{place} has to be one of {', '.join(choices)}", os.EX_CONFIG)
    return tuple(value) if listed else value


def _pairs(key: str, value: Any) -> tuple[tuple[str, str], ...]:
    """A table of strings, as TOML has it; from the environment, as JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value or "{}")
        except ValueError:
            raise _invalid(key, value, "a table of strings, in JSON") from None
    if not isinstance(value, Mapping) or not all(isinstance(item, str) for item in value.values()):
        raise _invalid(key, value, "a table of strings")
    return tuple(value.items())


def _number(key: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(r"([0-9]{1,30})\s*([a-zA-Z]*)", value.strip()) if isinstance(value, str) else None
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise _invalid(key, value, "a number")
    number: int = int(match[1]) * unit
    return number


def _share(key: str, value: Any) -> float:
    if isinstance(value, str) and re.fullmatch(r"\d+(\.\d*)?|\.\d+", value.strip()):
        return float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise _invalid(key, value, "a share such as 0.6")


def _invalid(key: str, value: Any, expected: str) -> InvalidSetting:
    return InvalidSetting(key, value, expected)
