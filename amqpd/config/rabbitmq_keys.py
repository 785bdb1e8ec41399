"""What the keys of rabbitmq.conf mean: one table, from patterns of keys to settings.

In a pattern `*` is one word of a key, `**` any further ones. A key whose setting there is not (yet) is said to be not
supported. Values are read as RabbitMQ reads them, which is not always as amqpd.toml has them: `2k` is 2048 here.
"""

from __future__ import annotations

import difflib
import functools
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from decimal import Decimal
from enum import Enum, auto
from typing import Any, Final, NamedTuple

from ..errors import StartupError
from .findings import Finding, Layer, Verdict
from .rabbitmq_conf import Entry
from .settings import SETTINGS, InvalidSetting, converted, is_setting

NOT_YET: Final = "not supported yet"

_UNITS: Final = {
    "": 1,
    **{prefix + ending: 1024**power for power, prefix in enumerate("kmgtp", 1) for ending in ("", "i", "ib")},
    **{prefix + "b": 1000**power for power, prefix in enumerate("kmgtp", 1)},
}

_HOUR: Final = 3_600_000
_DURATIONS: Final = {
    "ms": 1,
    "s": 1000,
    "m": 60_000,
    "h": _HOUR,
    "d": 24 * _HOUR,
    "w": 7 * 24 * _HOUR,
    "f": 14 * 24 * _HOUR,
}

LEVELS: Final = {
    "debug": "debug",
    "info": "info",
    "notice": "warning",
    "warning": "warning",
    "error": "error",
    "critical": "critical",
    "alert": "critical",
    "emergency": "critical",
    "none": "none",
}
"""RabbitMQ's log levels, and the ones that let the same through here."""


class Unsupported(Exception):
    """A value that makes sense to RabbitMQ, and not here."""


class Fold(Enum):
    """How several keys become one setting."""

    LAST = auto()  # they do not: the last one counts
    LIST = auto()  # their values, by the number or name that ends the key
    NAMES = auto()  # the names that end the keys whose value is true
    TABLES = auto()  # tables of what ends the keys, one for each name that follows the setting's
    PAIRS = auto()  # one table of their values, by the name that ends the keys
    BACKENDS = auto()  # names, or what ends with `.authn` and `.authz` as two of them with a slash between
    NAMED = auto()  # tables of the names that end the keys, with one field for the value, that of the setting's record
    EACH = auto()  # each is a setting of its own name, and the first one, if none is so called, that of the row


class Row(NamedTuple):
    """What one key does, or a family of them."""

    pattern: str
    setting: str = ""  # empty: nothing, for the reason noted
    read: Callable[[str], Any] = str
    fold: Fold = Fold.LAST
    verdict: Verdict = Verdict.EFFECTIVE
    note: str = ""

    @property
    def works(self) -> bool:
        return self.verdict is Verdict.EFFECTIVE and is_setting(self.setting)


# --- reading values; ValueError says what was expected


def integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,30}", text):
        raise ValueError("a number")
    return int(text)


def size(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,30})([a-zA-Z]*)", text)
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None:
        raise ValueError("a number of bytes, such as 512MiB")
    number: int = int(match[1]) * unit
    return number


def flag(text: str) -> bool:
    if text not in ("true", "false", "on", "off"):
        raise ValueError("true or false")
    return text in ("true", "on")


def either(*choices: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return text

    return read


def port(text: str) -> int:
    number = integer(text)
    if not 0 <= number <= 0xFFFF:
        raise ValueError("a port")
    return number


def listener(text: str) -> str:
    """`5672`, and `::1:5672` as [ADDRESS]:PORT."""
    host, colon, number = text.rpartition(":")
    if host.startswith(("unix:", "/")):
        raise Unsupported("Unix sockets are not supported")
    if not re.fullmatch("[0-9]{1,5}", number) or int(number) > 0xFFFF or (colon and not host):
        raise ValueError("PORT or ADDRESS:PORT")
    if not colon:
        return number  # on all addresses
    host = host.removeprefix("[").removesuffix("]")
    return f"[{host}]:{number}" if ":" in host else f"{host}:{number}"


def fraction(text: str) -> str:
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        raise ValueError("a number such as 0.6")
    return text


def duration(text: str) -> int:
    """Milliseconds, from `1h30m` and the like, or a number of them."""
    if re.fullmatch("[0-9]{1,30}", text):
        return int(text)
    parts = re.findall(r"([0-9]{1,30}(?:\.[0-9]{1,9})?)(ms|[smhdwf])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError("a duration, such as 30s or 1h")
    return math.ceil(sum(Decimal(number) * _DURATIONS[unit] for number, unit in parts))


def no_limit(word: str, read: Callable[[str], int]) -> Callable[[str], int]:
    """`infinity` and the like, which is 0 here."""
    return lambda text: 0 if text == word else read(text)


def level(text: str) -> str:
    if text not in LEVELS:
        raise ValueError(f"one of {', '.join(LEVELS)}")
    return LEVELS[text]


def log_format(text: str) -> str:
    return {"plaintext": "console", "json": "json"}[either("plaintext", "json")(text)]


def backend(text: str) -> str:
    names = {"oauth": "oauth2", "rabbit_auth_backend_oauth2": "oauth2"}
    return names.get(text, text.removeprefix("rabbit_auth_backend_"))


def mechanism(text: str) -> str:
    if text == "RABBIT-CR-DEMO":
        raise Unsupported("RABBIT-CR-DEMO is a demonstration; clients use PLAIN")
    return text


def hashing(text: str) -> str:
    return either("rabbit_password_hashing_sha256", "rabbit_password_hashing_sha512", "rabbit_password_hashing_md5")(
        text
    )


def tls_version(text: str) -> str:
    return either("tlsv1.3", "tlsv1.2", "tlsv1.1", "tlsv1")(text)


def local_import(text: str) -> str:
    if "local" not in text:
        raise Unsupported("definitions come from a file, see load_definitions")
    return "local_filesystem"


def permitted(text: str) -> str:
    return str(flag(text)).lower()


# --- the table

_E: Final = Verdict.EFFECTIVE


def _same(keys: str, read: Callable[[str], Any] = str) -> tuple[Row, ...]:
    """Keys that are settings of the same name."""
    return tuple(Row(key, key, read) for key in keys.split())


def _not(verdict: Verdict, keys: str, note: str, prefix: str = "") -> tuple[Row, ...]:
    return tuple(Row(prefix + key, verdict=verdict, note=note) for key in keys.split())


def _tls(prefix: str) -> tuple[Row, ...]:
    """What follows `ssl_options.` and the like."""
    return (
        *_same(f"{prefix}.cacertfile {prefix}.certfile {prefix}.keyfile {prefix}.password"),
        Row(f"{prefix}.verify", f"{prefix}.verify", either("verify_peer", "verify_none")),
        *_same(f"{prefix}.fail_if_no_peer_cert {prefix}.honor_cipher_order", flag),
        Row(f"{prefix}.depth", f"{prefix}.depth", integer),
        Row(f"{prefix}.versions.*", f"{prefix}.versions", tls_version, Fold.LIST),
        Row(f"{prefix}.ciphers.*", f"{prefix}.ciphers", str, Fold.LIST),
        *_not(
            Verdict.ACCEPTED,
            "honor_ecc_order secure_renegotiate client_renegotiation reuse_sessions log_alert log_level"
            " bypass_pem_cache",
            "OpenSSL decides",
            f"{prefix}.",
        ),
        *_not(
            Verdict.IGNORED,
            "dh dhfile cert cacerts.* key.* psk_identity crl_check",
            "not supported; certificates and keys come from certfile, keyfile and cacertfile",
            f"{prefix}.",
        ),
    )


def _tables(setting: str, keys: str, read: Callable[[str], Any] = str) -> tuple[Row, ...]:
    """Keys of tables with names."""
    return tuple(Row(f"{setting}.*.{key}", setting, read, Fold.TABLES) for key in keys.split())


def _pair(pattern: str, setting: str) -> tuple[Row, ...]:
    """A backend, or who says who somebody is, and who says what they may do."""
    return tuple(Row(f"{pattern}{ending}", setting, backend, Fold.BACKENDS) for ending in ("", ".authn", ".authz"))


def _web(prefix: str) -> tuple[Row, ...]:
    """A listener of the management plugin's kind."""
    return (
        Row(f"{prefix}.tcp.port", f"{prefix}.tcp.port", port),
        Row(f"{prefix}.tcp.ip", f"{prefix}.tcp.ip"),
        Row(f"{prefix}.ssl.port", f"{prefix}.ssl.port", port),
        Row(f"{prefix}.ssl.ip", f"{prefix}.ssl.ip"),
        *_tls(f"{prefix}.ssl"),
        *_not(
            Verdict.ACCEPTED,
            "*.backlog *.compress *.idle_timeout *.inactivity_timeout *.request_timeout *.shutdown_timeout"
            " *.max_keepalive",
            "a matter of RabbitMQ's web server",
            f"{prefix}.",
        ),
    )


ROWS: Final = (
    # listeners
    Row("listeners.tcp", "listeners.tcp", either("none")),
    Row("listeners.tcp.*", "listeners.tcp.default", listener, Fold.EACH),
    Row("listeners.ssl", "listeners.ssl", either("none")),
    Row("listeners.ssl.*", "listeners.ssl.default", listener, Fold.EACH),
    *_same("tcp_listen_options.backlog tcp_listen_options.sndbuf tcp_listen_options.recbuf", size),
    *_same("tcp_listen_options.nodelay tcp_listen_options.keepalive", flag),
    *_same("tcp_listen_options.send_timeout", no_limit("infinity", integer)),
    *_not(Verdict.ACCEPTED, "tcp_listen_options tcp_listen_options.**", "a matter of Erlang's sockets"),
    Row("ssl_options", verdict=Verdict.ACCEPTED, note="without ssl_options there are none"),
    *_tls("ssl_options"),
    Row("ssl_options.sni.**", verdict=Verdict.IGNORED, note="write it in amqpd.toml"),
    *_same("handshake_timeout ssl_handshake_timeout", no_limit("infinity", integer)),
    *_not(Verdict.ACCEPTED, "num_acceptors.* socket_writer.** ssl_allow_poodle_attack", "a matter of Erlang's sockets"),
    *_not(Verdict.IGNORED, "reverse_dns_lookups", "hosts are shown as addresses"),
    *_not(Verdict.IGNORED, "proxy_protocol", NOT_YET),
    # users
    *_same("default_user default_pass default_vhost"),
    *_same("default_permissions.configure default_permissions.read default_permissions.write"),
    Row("default_user_tags.*", "default_user_tags", flag, Fold.NAMES),
    Row("default_users.*.*", "default_users", str, Fold.TABLES),
    Row("loopback_users", "loopback_users", either("none"), Fold.NAMES),
    Row("loopback_users.*", "loopback_users", flag, Fold.NAMES),
    Row("password_hashing_module", "password_hashing_module", hashing),
    *_same("credential_validator.validation_backend credential_validator.regexp"),
    *_same("credential_validator.min_length", integer),
    # who may log in, and how
    Row("auth_mechanisms.*", "auth_mechanisms", mechanism, Fold.LIST),
    *_pair("auth_backends.*", "auth_backends"),
    *_pair("auth_cache.cached_backend", "auth_cache.cached_backend"),
    *_same("auth_cache.cache_ttl", integer),
    *_same("auth_cache.cache_refusals", flag),
    *_not(Verdict.ACCEPTED, "auth_cache.cache_module", "there is one kind of cache"),
    Row(
        "ssl_cert_login_from",
        "ssl_cert_login_from",
        either("distinguished_name", "common_name", "subject_alternative_name"),
    ),
    Row("ssl_cert_login_san_type", "ssl_cert_login_san_type"),
    Row("ssl_cert_login_san_index", "ssl_cert_login_san_index", integer),
    *_same("anonymous_login_user anonymous_login_pass"),
    *_same(
        "auth_http.http_method auth_http.user_path auth_http.vhost_path auth_http.resource_path auth_http.topic_path"
    ),
    *_same("auth_http.request_timeout auth_http.connection_timeout", integer),
    *_same("auth_http.authorization_failure_disclosure", flag),
    *_same(
        "auth_http.ssl_options.cacertfile auth_http.ssl_options.certfile auth_http.ssl_options.keyfile"
        " auth_http.ssl_options.password"
    ),
    Row("auth_http.ssl_options.verify", "auth_http.ssl_options.verify", either("verify_peer", "verify_none")),
    *_not(Verdict.ACCEPTED, "auth_http.ssl_options.hostname_verification", "names are compared, with wildcards"),
    *_not(Verdict.IGNORED, "auth_http.ssl_options auth_http.ssl_options.**", "OpenSSL decides"),
    *_same(
        "auth_oauth2.resource_server_id auth_oauth2.scope_prefix auth_oauth2.additional_scopes_key"
        " auth_oauth2.default_key auth_oauth2.jwks_url auth_oauth2.issuer auth_oauth2.discovery_endpoint_path"
        " auth_oauth2.https.cacertfile"
    ),
    Row("auth_oauth2.jwks_uri", "auth_oauth2.jwks_url"),
    *_same("auth_oauth2.verify_aud auth_oauth2.require_exp", flag),
    Row("auth_oauth2.scope_aliases.*", "auth_oauth2.scope_aliases", str, Fold.NAMED),
    Row("auth_oauth2.signing_keys.*", "auth_oauth2.signing_keys", str, Fold.NAMED),
    Row("auth_oauth2.preferred_username_claims.*", "auth_oauth2.preferred_username_claims", str, Fold.LIST),
    Row("auth_oauth2.algorithms.*", "auth_oauth2.algorithms", str, Fold.LIST),
    Row("auth_oauth2.https.verify", "auth_oauth2.https.verify", either("verify_peer", "verify_none")),
    Row("auth_oauth2.https.peer_verification", "auth_oauth2.https.verify", either("verify_peer", "verify_none")),
    *_not(Verdict.ACCEPTED, "auth_oauth2.https.hostname_verification", "names are compared, with wildcards"),
    *_not(
        Verdict.ACCEPTED,
        "auth_oauth2.token_endpoint auth_oauth2.end_session_endpoint auth_oauth2.authorization_endpoint",
        "of no use to a broker without a login page",
    ),
    *_same("auth_oauth2.** auth_ldap.**"),
    # limits
    *_same("heartbeat max_message_size", size),
    *_same("frame_max", integer),
    Row("channel_max", "channel_max", integer),
    Row("max_channels_per_connection", "channel_max", integer),
    Row("max_connections", "max_connections", no_limit("infinity", integer)),
    Row("connection_max", "max_connections", no_limit("infinity", integer)),
    *_same("channel_max_per_node consumer_max_per_channel", no_limit("infinity", integer)),
    *_same("vhost_max cluster_exchange_limit cluster_queue_limit", no_limit("infinity", integer)),
    Row("consumer_timeout", "consumer_timeout", no_limit("undefined", integer)),
    Row("default_queue_type", "default_queue_type", either("classic", "quorum", "stream")),
    *_tables("default_limits.vhosts", "pattern"),
    *_tables("default_limits.vhosts", "max_connections max_queues", integer),
    *_tables("default_policies.operator", "vhost_pattern queue_pattern apply_to"),
    *_tables("default_policies.operator", "expires message_ttl", duration),
    *_tables("default_policies.operator", "max_length max_in_memory_length delivery_limit", integer),
    *_tables("default_policies.operator", "max_length_bytes max_in_memory_bytes", size),
    *_tables("default_policies.operator", "classic_queues.queue_version", integer),
    *_not(
        Verdict.ACCEPTED,
        "ha_mode ha_params ha_sync_mode",
        "amqpd is one node",
        "default_policies.operator.*.classic_queues.",
    ),
    *_not(Verdict.ACCEPTED, "initial_frame_max", "frames are read as they come"),
    # alarms
    Row("vm_memory_high_watermark.relative", "vm_memory_high_watermark.relative", fraction),
    Row("vm_memory_high_watermark.absolute", "vm_memory_high_watermark.absolute", size),
    Row("disk_free_limit.relative", "disk_free_limit.relative", fraction),
    Row("disk_free_limit.absolute", "disk_free_limit.absolute", size),
    Row("memory_monitor_interval", "memory_monitor_interval", integer),
    Row("total_memory_available_override_value", "total_memory_available_override_value", size),
    *_not(
        Verdict.ACCEPTED,
        "vm_memory_high_watermark_paging_ratio vm_memory_calculation_strategy"
        " background_gc_enabled background_gc_target_interval",
        "amqpd pages by queue_memory, and watches memory itself",
    ),
    # definitions
    *_same("load_definitions definitions.skip_if_unchanged"),
    Row("management.load_definitions", "load_definitions"),
    Row("definitions.local.path", "load_definitions"),
    Row("definitions.import_backend", "definitions.import_backend", local_import),
    *_not(
        Verdict.IGNORED,
        "definitions.https.url definitions.tls.**",
        "definitions come from a file, see load_definitions",
    ),
    *_not(Verdict.ACCEPTED, "definitions.hashing.algorithm", "skip_if_unchanged needs none"),
    # log
    Row("log.console", "log.console", flag),
    Row("log.console.level", "log.console_level", level),
    Row("log.console.formatter", "log.format", log_format),
    Row("log.file", "log.file"),
    Row("log.file.level", "log.file_level", level),
    Row("log.file.formatter", "log.file_format", log_format),
    Row("log.dir", "log.dir"),
    Row("log.default.level", "log.level", level),
    Row("log.connection.level", "log.levels.connection", level),
    Row("log.channel.level", "log.levels.channel", level),
    Row("log.queue.level", "log.levels.queue", level),
    Row("log.exchange", "log.exchange", flag),
    Row("log.exchange.level", "log.exchange_level", level),
    Row("log.exchange.formatter", "log.exchange_format", log_format),
    *_not(
        Verdict.ACCEPTED,
        "log.console.use_colors log.console.stdio log.*.color_esc_seqs.* log.*.formatter.**"
        " log.mirroring.level log.federation.level log.upgrade.level log.ra.level log.prelaunch.level"
        " log.ldap.level log.feature_flags.level",
        "amqpd logs nothing of that",
    ),
    *_not(Verdict.IGNORED, "log.*.rotation.**", "files are not rotated; use logrotate with copytruncate"),
    *_not(Verdict.IGNORED, "log.*.file", "a category has no file of its own"),
    *_not(Verdict.IGNORED, "log.syslog log.syslog.** log.journald log.journald.**", "log to the console or a file"),
    # what it calls itself
    *_same("cluster_name motd_file"),
    Row("product.name", "product"),
    Row("product.version", "product_version"),
    Row("cluster_tags.*", "cluster_tags", str, Fold.PAIRS),
    Row("node_tags.*", "node_tags", str, Fold.PAIRS),
    *(
        Row(f"deprecated_features.permit.{feature}", f"deprecated_features.permit.{feature}", permitted)
        for feature in ("transient_nonexcl_queues", "global_qos")
    ),
    *_not(
        Verdict.ACCEPTED,
        "classic_queue_mirroring management_metrics_collection queue_master_locator ram_node_type amqp_address_v1"
        " amqp_filter_set_bug",
        "amqpd has nothing of the kind",
        "deprecated_features.permit.",
    ),
    # management, prometheus
    *_same("management.tcp.request_timeout management.tcp.idle_timeout management.tcp.inactivity_timeout", integer),
    *_web("management"),
    Row("management.listener.port", "management.tcp.port", port),
    Row("management.listener.ip", "management.tcp.ip"),
    Row("management.listener.ssl", "management.listener.ssl", flag),
    *_tls("management.listener.ssl_opts"),
    *_same("management.path_prefix management.hsts.policy management.csp.policy"),
    *_same("management.headers.content_type_options management.headers.xss_protection"),
    *_same("management.headers.frame_options management.headers.referrer_policy"),
    *_same("management.login_session_timeout management.cors.max_age", integer),
    *_same("management.disable_stats management.enable_queue_totals management.disable_basic_auth", flag),
    Row("management.rates_mode", "management.rates_mode", either("none", "basic", "detailed")),
    Row("management.cors.allow_origins", "management.cors.allow_origins", either("none"), Fold.LIST),
    Row("management.cors.allow_origins.*", "management.cors.allow_origins", str, Fold.LIST),
    Row("management.http.max_body_size", "management.http.max_body_size", size),
    *_not(
        Verdict.ACCEPTED,
        "management.http_log_dir management.db_cache_multiplier management.sample_retention_policies.**"
        " management.listener.server.** management_agent.** management.process_stats_gc_timeout"
        " management.delegate_count collect_statistics collect_statistics_interval",
        "statistics are always fresh",
    ),
    *_not(Verdict.IGNORED, "management.oauth_** management.enable_uaa management.uaa_** management.oauth2.**", NOT_YET),
    *_web("prometheus"),
    *_same("prometheus.path"),
    *_same("prometheus.return_per_object_metrics", flag),
    *_not(Verdict.ACCEPTED, "prometheus.filter_aggregated_queue_metrics_pattern", "amqpd has nothing of the kind"),
    Row("event_exchange.vhost", verdict=Verdict.IGNORED, note="events are told in the default vhost"),
    # mqtt
    Row("mqtt.listeners.tcp", "mqtt.listeners.tcp", either("none")),
    Row("mqtt.listeners.tcp.*", "mqtt.listeners.tcp.default", listener, Fold.EACH),
    Row("mqtt.listeners.ssl", "mqtt.listeners.ssl", either("none")),
    Row("mqtt.listeners.ssl.*", "mqtt.listeners.ssl.default", listener, Fold.EACH),
    *_same("mqtt.allow_anonymous mqtt.ssl_cert_login", flag),
    *_same("mqtt.vhost mqtt.exchange mqtt.default_user mqtt.default_pass mqtt.durable_queue_type"),
    *_same("mqtt.prefetch mqtt.subscription_ttl mqtt.max_session_expiry_interval_seconds mqtt.login_timeout", integer),
    *_same("mqtt.max_packet_size_authenticated mqtt.max_packet_size_unauthenticated", size),
    *_not(
        Verdict.ACCEPTED,
        "mqtt.tcp_listen_options mqtt.tcp_listen_options.** mqtt.num_acceptors.* mqtt.retained_message_store"
        " mqtt.retained_message_store_dets_sync_interval mqtt.sparkplug mqtt.proxy_protocol mqtt.topic_alias_maximum",
        "a matter of Erlang",
    ),
    Row("web_mqtt.tcp.port", "web_mqtt.tcp.port", port),
    Row("web_mqtt.tcp.ip", "web_mqtt.tcp.ip"),
    Row("web_mqtt.ws_path", "web_mqtt.ws_path"),
    *_not(Verdict.IGNORED, "web_mqtt.**", NOT_YET),
    # what amqpd has not
    *_not(
        Verdict.ACCEPTED,
        "cluster_formation.** cluster_partition_handling cluster_partition_handling.** cluster_keepalive_interval"
        " net_ticktime distribution.** mirroring_sync_batch_size mirroring_sync_max_throughput"
        " queue_master_locator queue_leader_locator delegate_count aws.** kernel.** mnesia_**",
        "amqpd is one node",
    ),
    *_not(
        Verdict.ACCEPTED,
        "raft.** quorum_queue.** classic_queue.** stream_queue.** queue_index_embed_msgs_below"
        " queue_index_max_journal_entries message_store_shutdown_timeout"
        " msg_store_** vhost_restart_strategy metadata_store.**"
        " lazy_queue_explicit_gc_run_operation_threshold",
        "amqpd stores in its own way",
    ),
    *_not(
        Verdict.ACCEPTED,
        "hipe_compile erlang.** sysmon_handler.** default_worker_pool_size runtime.** vm_args.**",
        "a matter of Erlang",
    ),
    *_not(
        Verdict.IGNORED, "stomp.** web_stomp.** stream.** amqp1_0.** trust_store.**", "amqpd has nothing of the kind"
    ),
    *_not(Verdict.IGNORED, "rabbitmq_shovel.** rabbitmq_federation.**", NOT_YET),
)
"""Every key known. A key is what the first row whose pattern it matches says."""


def _expression(pattern: str) -> re.Pattern[str]:
    parts = [
        ".+" if part == "**" else r"(?:\\\.|[^.])+" if part == "*" else re.escape(part)
        for part in re.split(r"(\*\*|\*)", pattern)
    ]
    return re.compile("".join(parts))


_EXACT: Final = {row.pattern: row for row in reversed(ROWS) if "*" not in row.pattern}


@functools.cache
def _families() -> list[tuple[re.Pattern[str], Row]]:
    return [(_expression(row.pattern), row) for row in ROWS if "*" in row.pattern]


def row_for(key: str) -> Row | None:
    """The row that says what a key does, if it is known."""
    exact = _EXACT.get(key)
    return exact or next((row for expression, row in _families() if expression.fullmatch(key)), None)


def nearest(key: str) -> str:
    """A hint at the known key that may be meant, or nothing."""
    names = [row.pattern for row in ROWS if not row.pattern.endswith("**")]
    near = difflib.get_close_matches(key, names, 1, 0.75)
    return f"did you mean '{near[0]}'?" if near else ""


def translate(entries: Sequence[Entry]) -> Layer:
    """The settings that entries of a rabbitmq.conf stand for. What is wrong is among the findings."""
    layer = Layer()
    together: dict[tuple[str, Fold], list[tuple[Entry, Any]]] = {}
    for entry in entries:
        row = row_for(entry.key)
        if entry.value.startswith("encrypted:"):
            note = f"'{entry.key}' is encrypted, which amqpd cannot read; $(NAME) takes a value from the environment"
            layer.add(Verdict.WRONG, entry.key, entry.place, note)
        elif row is None:
            layer.add(Verdict.UNKNOWN, entry.key, entry.place, nearest(entry.key))
        elif row.verdict is not Verdict.EFFECTIVE:
            layer.add(row.verdict, entry.key, entry.place, row.note)
        elif not is_setting(row.setting):
            layer.add(Verdict.IGNORED, entry.key, entry.place, NOT_YET)
        else:
            try:
                value = row.read(entry.value)
            except ValueError as error:
                layer.findings.append(_wrong(entry, str(error)))
            except Unsupported as reason:
                layer.add(Verdict.IGNORED, entry.key, entry.place, str(reason))
            else:
                together.setdefault((row.setting, row.fold), []).append((entry, value))
    for (setting, fold), found in together.items():
        _settle(layer, setting, fold, found)
    order = {entry.key: number for number, entry in enumerate(entries)}
    layer.findings.sort(key=lambda finding: order[finding.key])
    return layer


def _settle(layer: Layer, setting: str, fold: Fold, found: list[tuple[Entry, Any]]) -> None:
    """Fold the entries of one setting into its value."""
    off = next((each for each in found if fold in (Fold.LIST, Fold.NAMES) and each[1] == "none"), None)
    if fold is Fold.EACH:
        _set_each(layer, setting, found)
        return
    counting = [off] if off is not None else found[-1:] if fold is Fold.LAST else found
    stronger = counting[-1][0]
    for entry, _ in found:
        if all(entry is not other for other, _ in counting):
            layer.add(Verdict.IGNORED, entry.key, entry.place, f"'{stronger.key}' ({stronger.place}) is stronger")
    if off is not None:
        value: Any = ()
    elif fold is Fold.LIST:
        value = tuple(value for _, value in sorted(found, key=lambda each: _by_last_word(each[0])))
    elif fold is Fold.NAMES:
        value = tuple(entry.words[-1] for entry, value in found if value)
    elif fold is Fold.TABLES:
        value = tables(found, len(setting.split(".")))
    elif fold is Fold.PAIRS:
        value = {entry.words[-1]: value for entry, value in found}
    elif fold is Fold.BACKENDS:
        value = ",".join(pairs(found))
    elif fold is Fold.NAMED:
        _, named = fields(SETTINGS[setting].metadata["record"])
        value = [{"name": entry.words[-1], named.name: text} for entry, text in found]
    else:
        value = counting[-1][1]
    for entry, _ in counting:
        _set(layer, setting, value, entry)


def _set_each(layer: Layer, setting: str, found: list[tuple[Entry, Any]]) -> None:
    """Settings of the entries' own names; one has to be the row's, which else kept its default beside them."""
    named = [entry.key for entry, _ in found]
    for number, (entry, value) in enumerate(found):
        own = setting if setting not in named and number == 0 else entry.key
        if is_setting(own):
            _set(layer, own, value, entry)
        else:
            layer.add(Verdict.IGNORED, entry.key, entry.place, "several are not supported yet")


def _set(layer: Layer, setting: str, value: Any, entry: Entry) -> None:
    try:
        if setting in SETTINGS:
            converted(setting, value)
    except InvalidSetting as error:
        layer.findings.append(_wrong(entry, error.expected))
    except StartupError as error:  # of a part of the value
        layer.add(Verdict.WRONG, entry.key, entry.place, str(error))
    else:
        layer.set(setting, value, entry.key, entry.place)


def tables(found: Sequence[tuple[Entry, Any]], depth: int = 1) -> list[dict[str, Any]]:
    """`x.NAME.KEY = value` as a table for each name, which so many words come before; tags are a list."""
    made: dict[str, dict[str, Any]] = {}
    for entry, value in found:
        name, key = entry.words[depth], entry.words[-1]
        listed = [tag.strip() for tag in value.split(",") if tag.strip()] if key == "tags" else value
        made.setdefault(name, {"name": name})[key] = listed
    return list(made.values())


def pairs(found: Sequence[tuple[Entry, Any]]) -> list[str]:
    """`x.N = A` as A; `x.N.authn = A` and `x.N.authz = B` as A/B, and one alone as if it were both."""
    made: dict[str, dict[str, str]] = {}
    for entry, value in sorted(found, key=lambda each: _by_number(each[0])):
        *_, last = entry.words
        whole = last not in ("authn", "authz")
        made.setdefault(entry.key if whole else entry.key.removesuffix(f".{last}"), {})["" if whole else last] = value
    return [parts[""] if "" in parts else "/".join(parts[each] for each in sorted(parts)) for parts in made.values()]


def _by_last_word(entry: Entry) -> tuple[int, str]:
    word = entry.words[-1]
    return (int(word), "") if word.isascii() and word.isdigit() else (1 << 64, word)


def _by_number(entry: Entry) -> tuple[int, str]:
    number = next((word for word in entry.words if word.isascii() and word.isdigit()), "")
    return (int(number), "") if number else (1 << 64, entry.key)


def _wrong(entry: Entry, expected: str) -> Finding:
    note = f"'{entry.key}' is {entry.value!r}, but has to be {expected}"
    return Finding(Verdict.WRONG, entry.key, entry.place, note)
