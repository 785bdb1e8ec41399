"""What the keys of rabbitmq.conf mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.config import SETTINGS, Config, DefaultLimits, DefaultPolicy
from amqpd.config.findings import Finding, Layer, Verdict
from amqpd.config.rabbitmq_conf import parse, resolved
from amqpd.config.rabbitmq_keys import LEVELS, ROWS, nearest, row_for, tables, translate
from amqpd.config.settings import config_of, is_setting


def translated(text: str) -> Layer:
    return translate(resolved(parse(text, "F"), {}))


def values(text: str) -> dict[str, Any]:
    layer = translated(text)
    assert not [finding for finding in layer.findings if finding.verdict is Verdict.WRONG]
    return {key: value.value for key, value in layer.values.items()}


def configured(text: str) -> Config:
    return config_of(values(text))


def finding(text: str) -> Finding:
    (found,) = translated(text).findings
    return found


# --- values


@pytest.mark.parametrize(
    ("written", "listener"),
    [
        ("5673", "5673"),
        ("127.0.0.1:5673", "127.0.0.1:5673"),
        ("::1:5673", "[::1]:5673"),
        (":::5673", "[::]:5673"),
        ("[::1]:5673", "[::1]:5673"),
        ("localhost:0", "localhost:0"),
    ],
)
def test_a_listener_is_a_port_or_an_address_with_one(written: str, listener: str) -> None:
    (found,) = configured(f"listeners.tcp.default = {written}").tcp_listeners
    assert str(found) == listener


def test_listeners_are_those_that_are_named_and_no_others() -> None:
    found = configured(
        "listeners.tcp.1 = 127.0.0.1:5673\nlisteners.tcp.lan = 5674\nlisteners.ssl.default = 5671\n"
        "ssl_options.certfile = c"
    )
    assert (found.tcp_listeners, found.ssl_listeners) == ((("127.0.0.1", 5673), ("", 5674)), (("", 5671),))
    found = configured("listeners.tcp = none\nlisteners.tcp.1 = 5672\nlisteners.ssl.1 = 5671\nssl_options.certfile = c")
    assert (found.tcp_listeners, found.ssl_listeners) == ((), (("", 5671),))


def test_tls_and_logins_are_as_they_are_written() -> None:
    found = configured(
        "listeners.ssl.default = 5671\nssl_options.certfile = c\nssl_options.keyfile = k\nssl_options.cacertfile = a\n"
        "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = true\nssl_options.depth = 3\n"
        "ssl_options.versions.1 = tlsv1.3\nssl_options.versions.2 = tlsv1.2\nssl_options.password = p\n"
        "auth_mechanisms.1 = EXTERNAL\nauth_mechanisms.2 = PLAIN\nssl_cert_login_from = common_name\n"
        "tcp_listen_options.backlog = 128\ntcp_listen_options.nodelay = false\nssl_handshake_timeout = 7000"
    )
    assert (found.certfile, found.keyfile, found.cacertfile, found.key_password) == ("c", "k", "a", "p")
    assert (found.verify, found.fail_if_no_peer_cert, found.depth) == ("verify_peer", True, 3)
    assert (found.tls_versions, found.auth_mechanisms) == (("tlsv1.3", "tlsv1.2"), ("EXTERNAL", "PLAIN"))
    assert (found.ssl_cert_login_from, found.backlog, found.nodelay) == ("common_name", 128, False)
    assert found.ssl_handshake_timeout == 7000


@pytest.mark.parametrize("written", ["x", "65536", ":5672", "127.0.0.1", "127.0.0.1:x"])
def test_anything_else_is_no_listener(written: str) -> None:
    found = finding(f"listeners.tcp.1 = {written}")
    assert str(found) == f"F:1: 'listeners.tcp.1' is {written!r}, but has to be PORT or ADDRESS:PORT"


def test_a_unix_socket_is_said_not_to_be_supported() -> None:
    assert "Unix sockets are not supported" in str(finding("listeners.tcp.local = unix:/run/amqp.sock:0"))


@pytest.mark.parametrize(
    ("text", "users"),
    [
        ("loopback_users = none", ()),
        ("loopback_users.guest = false", ()),
        ("loopback_users.guest = true", ("guest",)),
        ("loopback_users.bob = true", ("bob",)),
        ("loopback_users.a = true\nloopback_users.b = false\nloopback_users.c\\.d = true", ("a", "c.d")),
        ("loopback_users.bob = true\nloopback_users = none", ()),
        ("loopback_users = none\nloopback_users.bob = true", ()),
    ],
)
def test_loopback_users_are_those_whose_key_is_true(text: str, users: tuple[str, ...]) -> None:
    assert configured(text).loopback_users == users


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("1000", 1000),
        ("2k", 2048),
        ("2K", 2048),
        ("2kB", 2000),
        ("2KB", 2000),
        ("2KiB", 2048),
        ("2M", 2 << 20),
        ("2MB", 2_000_000),
        ("2MiB", 2 << 20),
    ],
)
def test_sizes_have_rabbitmqs_units(written: str, size: int) -> None:
    assert configured(f"max_message_size = {written}").max_message_size == size


@pytest.mark.parametrize("written", ["2 MB", "1.5M", "2X", "-1", "M", "9" * 31])
def test_anything_else_is_no_size(written: str) -> None:
    assert finding(f"max_message_size = {written}").verdict is Verdict.WRONG


@pytest.mark.parametrize(
    ("text", "setting", "value"),
    [
        ("heartbeat = 580", "heartbeat", 580),
        ("frame_max = 8192", "frame_max", 8192),
        ("channel_max = 100", "channel_max", 100),
        ("max_channels_per_connection = 100", "channel_max", 100),
        ("handshake_timeout = 20000", "handshake_timeout", 20000),
        ("consumer_timeout = 3600000", "consumer_timeout", 3600000),
        ("consumer_timeout = undefined", "consumer_timeout", 0),
        ("default_user = bob", "default_user", "bob"),
        ("default_pass = 'x#y'", "default_pass", "x#y"),
        ("cluster_name = mine", "cluster_name", "mine"),
        ("product.name = Mine", "product", "Mine"),
        ("product.version = 1.2", "product_version", "1.2"),
        ("deprecated_features.permit.global_qos = false", "deprecated_features.permit.global_qos", "false"),
        (
            "deprecated_features.permit.transient_nonexcl_queues = true",
            "deprecated_features.permit.transient_nonexcl_queues",
            "true",
        ),
        ("log.console = false", "log.console", False),
        ("log.console.level = debug", "log.console_level", "debug"),
        ("log.console.level = notice", "log.console_level", "warning"),
        ("log.console.formatter = json", "log.format", "json"),
        ("log.console.formatter = plaintext", "log.format", "console"),
        ("channel_max_per_node = 100", "channel_max_per_node", 100),
        ("channel_max_per_node = infinity", "channel_max_per_node", 0),
        ("management.disable_stats = true", "management.disable_stats", True),
        ("management.rates_mode = none", "management.rates_mode", "none"),
        ("management.login_session_timeout = 60", "management.login_session_timeout", 60),
        ("management.headers.frame_options = DENY", "management.headers.frame_options", "DENY"),
        ("management.hsts.policy = max-age=31536000", "management.hsts.policy", "max-age=31536000"),
        ("prometheus.tcp.port = 9000", "prometheus.tcp.port", 9000),
        ("prometheus.tcp.ip = 0.0.0.0", "prometheus.tcp.ip", "0.0.0.0"),
        ("prometheus.path = /m", "prometheus.path", "/m"),
        ("prometheus.return_per_object_metrics = true", "prometheus.return_per_object_metrics", True),
        ("log.file = /x.log", "log.file", "/x.log"),
        ("log.file = false", "log.file", "false"),
        ("log.file.level = none", "log.file_level", "none"),
        ("log.dir = /var/log", "log.dir", "/var/log"),
        ("log.default.level = error", "log.level", "error"),
        ("log.connection.level = warning", "log.levels.connection", "warning"),
        ("log.channel.level = emergency", "log.levels.channel", "critical"),
        ("log.queue.level = debug", "log.levels.queue", "debug"),
        ("log.exchange = true", "log.exchange", True),
        ("log.exchange.level = error", "log.exchange_level", "error"),
    ],
)
def test_a_key_is_a_setting(text: str, setting: str, value: Any) -> None:
    assert values(text) == {setting: value}
    assert getattr(configured(text), SETTINGS[setting].name) == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("heartbeat = soon", "'heartbeat' is 'soon', but has to be a number of bytes, such as 512MiB"),
        ("log.console = maybe", "'log.console' is 'maybe', but has to be true or false"),
        (
            "log.console.level = loud",
            f"'log.console.level' is 'loud', but has to be one of {', '.join(LEVELS)}",
        ),
        ("loopback_users = all", "'loopback_users' is 'all', but has to be one of none"),
        ("frame_max = 9k", "'frame_max' is '9k', but has to be a number"),
    ],
)
def test_a_value_that_cannot_be_is_named_with_its_place(text: str, expected: str) -> None:
    found = finding(f"\n{text}")
    assert found.verdict is Verdict.WRONG
    assert str(found) == f"F:2: {expected}"


def test_an_encrypted_value_cannot_be_read() -> None:
    assert "'default_pass' is encrypted, which amqpd cannot read" in str(finding("default_pass = encrypted:xyz"))


# --- what does nothing


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("heartbeet", "; did you mean 'heartbeat'?"),
        ("log.consol.level", "; did you mean 'log.console.level'?"),
        ("default_permission.read", "; did you mean 'default_permissions.read'?"),
        ("zzzz.zzzz", ""),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(key: str, hint: str) -> None:
    found = finding(f"{key} = 1")
    assert (found.verdict, str(found)) == (Verdict.UNKNOWN, f"F:1: unknown key '{key}'{hint}")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("hipe_compile = true", Verdict.ACCEPTED),
        ("cluster_formation.peer_discovery_backend = rabbit_peer_discovery_k8s", Verdict.ACCEPTED),
        ("cluster_formation.k8s.host = kubernetes.default.svc", Verdict.ACCEPTED),
        ("cluster_partition_handling = autoheal", Verdict.ACCEPTED),
        ("queue_master_locator = min-masters", Verdict.ACCEPTED),
        ("collect_statistics_interval = 10000", Verdict.ACCEPTED),
        ("vm_memory_high_watermark_paging_ratio = 0.5", Verdict.ACCEPTED),
        ("num_acceptors.tcp = 10", Verdict.ACCEPTED),
        ("raft.wal_max_size_bytes = 1000", Verdict.ACCEPTED),
        ("management_agent.disable_metrics_collector = true", Verdict.ACCEPTED),
        ("deprecated_features.permit.management_metrics_collection = true", Verdict.ACCEPTED),
        ("default_policies.operator.a.classic_queues.ha_mode = all", Verdict.ACCEPTED),
        ("log.file.rotation.size = 10485760", Verdict.IGNORED),
        ("log.syslog = true", Verdict.IGNORED),
        ("definitions.https.url = https://x/d.json", Verdict.IGNORED),
        ("proxy_protocol = true", Verdict.IGNORED),
        ("stomp.listeners.tcp.1 = 61613", Verdict.IGNORED),
        ("deprecated_features.permit.nonsense = true", Verdict.UNKNOWN),
    ],
)
def test_what_has_no_effect_is_said_to_have_none(text: str, verdict: Verdict) -> None:
    found = finding(text)
    assert found.verdict is verdict
    assert found.note or verdict is Verdict.UNKNOWN
    assert not translated(text).values


def test_findings_are_in_the_order_of_the_file() -> None:
    text = "heartbeat = 1\nhipe_compile = true\nnonsense = 1\nframe_max = 9000\n"
    assert [found.key for found in translated(text).findings] == text.replace(" = ", "\n").split("\n")[:-1:2]


def test_the_first_listener_is_the_default_one_when_none_is_so_called() -> None:
    assert values("listeners.tcp.1 = 5673") == {"listeners.tcp.default": "5673"}
    layer = translated("listeners.tcp.lan = 5673\nlisteners.tcp.default = 5674")
    assert layer.values["listeners.tcp.default"].value == "5674"


def test_tables_are_made_of_keys_with_a_name_in_them() -> None:
    text = """
        default_users.bob.password = 'x#y'
        default_users.al\\.ice.tags = administrator, monitoring
        default_users.bob.read = ^q
    """
    entries = parse(text, "F")
    assert tables([(entry, entry.value) for entry in entries]) == [
        {"name": "bob", "password": "x#y", "read": "^q"},
        {"name": "al.ice", "tags": ["administrator", "monitoring"]},
    ]


def test_what_new_vhosts_are_to_have_has_names_as_well() -> None:
    found = configured("""
        default_limits.vhosts.1.pattern = ^dev
        default_limits.vhosts.1.max_connections = 10
        default_limits.vhosts.all.max_queues = -1
        default_policies.operator.a.expires = 1h
        default_policies.operator.a.queue_pattern = apple
        default_policies.operator.a.vhost_pattern = banana
        default_policies.operator.a.apply_to = quorum_queues
        default_policies.operator.b\\.c.max_length_bytes = 1MB
        default_policies.operator.b\\.c.classic_queues.queue_version = 2
    """)
    assert found.default_limits == (DefaultLimits("1", "^dev", max_connections=10), DefaultLimits("all", max_queues=-1))
    assert found.default_policies == (
        DefaultPolicy("a", "banana", "apple", "quorum_queues", expires=3_600_000),
        DefaultPolicy("b.c", max_length_bytes=1_000_000, queue_version=2),
    )


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [("1500", 1500), ("1500ms", 1500), ("1.5s", 1500), ("0.1ms", 1), ("1h30m", 5_400_000), ("2w", 1_209_600_000)],
)
def test_durations_have_rabbitmqs_units(written: str, milliseconds: int) -> None:
    found = configured(f"default_policies.operator.x.message_ttl = {written}")
    assert found.default_policies[0].message_ttl == milliseconds


@pytest.mark.parametrize("written", ["", "h", "1x", "-1s", "1h 1m", "1.5"])
def test_anything_else_is_no_duration(written: str) -> None:
    text = str(finding(f"default_policies.operator.x.message_ttl = '{written}'"))
    assert text.endswith("has to be a duration, such as 30s or 1h")


def test_a_policy_for_what_there_is_not_is_found_at_its_line() -> None:
    [found] = translated("default_policies.operator.x.apply_to = ponds").findings
    assert str(found).startswith(
        "F:1: 'apply_to' in a table of 'default_policies.operator' has to be one of all, queues,"
    )


def test_tags_are_one_table() -> None:
    found = configured("cluster_tags.region = eu-1\ncluster_tags.tier\\.2 = x y\nnode_tags.zone = a")
    assert found.cluster_tags == (("region", "eu-1"), ("tier.2", "x y"))
    assert found.node_tags == (("zone", "a"),)


def test_of_keys_for_the_same_setting_the_last_counts() -> None:
    layer = translated("channel_max = 5\nmax_channels_per_connection = 6")
    assert layer.values["channel_max"] == (6, "F:2")
    assert str(layer.findings[0]) == "F:1: 'channel_max' has no effect: 'max_channels_per_connection' (F:2) is stronger"


# --- the table


def words(text: str) -> list[str]:
    return text.split()


EFFECTIVE = words("""
    listeners.tcp.default listeners.tcp.1 listeners.tcp.local listeners.tcp loopback_users.guest loopback_users.bob
    loopback_users load_definitions management.load_definitions definitions.import_backend definitions.local.path
    definitions.skip_if_unchanged management.tcp.port management.tcp.ip management.listener.port management.listener.ip
    management.listener.ssl default_user default_pass default_vhost default_user_tags.administrator
    default_permissions.configure default_permissions.read default_permissions.write default_users.bob.password
    default_users.bob.tags default_users.bob.vhost_pattern default_users.bob.configure default_users.bob.read
    default_users.bob.write vm_memory_high_watermark.relative vm_memory_high_watermark.absolute
    disk_free_limit.absolute disk_free_limit.relative log.console log.console.level log.console.formatter log.file
    log.file.level log.dir log.default.level log.connection.level log.channel.level log.queue.level log.exchange
    log.exchange.level heartbeat frame_max channel_max max_channels_per_connection max_connections max_message_size
    channel_max_per_node consumer_max_per_channel vhost_max handshake_timeout tcp_listen_options.backlog
    tcp_listen_options.nodelay tcp_listen_options.keepalive tcp_listen_options.sndbuf tcp_listen_options.recbuf
    tcp_listen_options.send_timeout
    listeners.ssl.default listeners.ssl.1 ssl_options.cacertfile ssl_options.certfile ssl_options.keyfile
    ssl_options.password ssl_options.verify ssl_options.fail_if_no_peer_cert ssl_options.depth ssl_options.versions.1
    ssl_options.ciphers.1 ssl_options.honor_cipher_order management.ssl.port management.ssl.cacertfile
    management.ssl.certfile management.ssl.keyfile auth_backends.1 auth_backends.1.authn auth_backends.1.authz
    auth_mechanisms.1 ssl_cert_login_from anonymous_login_user anonymous_login_pass password_hashing_module
    credential_validator.validation_backend credential_validator.min_length credential_validator.regexp consumer_timeout
    default_queue_type deprecated_features.permit.transient_nonexcl_queues deprecated_features.permit.global_qos
    default_limits.vhosts.all.max_connections default_policies.operator.all.expires cluster_name cluster_tags.region
    node_tags.zone product.name product.version motd_file prometheus.path prometheus.return_per_object_metrics
    prometheus.tcp.port prometheus.tcp.ip mqtt.allow_anonymous mqtt.vhost mqtt.exchange mqtt.prefetch
    mqtt.subscription_ttl mqtt.max_session_expiry_interval_seconds mqtt.listeners.tcp.default
    mqtt.listeners.ssl.default mqtt.max_packet_size_authenticated mqtt.durable_queue_type mqtt.default_user
    mqtt.default_pass web_mqtt.tcp.port web_mqtt.ws_path management.path_prefix management.cors.allow_origins.1
    management.login_session_timeout management.disable_stats management.rates_mode
    management.headers.content_type_options auth_http.user_path auth_http.vhost_path auth_ldap.servers.1
    auth_oauth2.resource_server_id
""")
"""What RabbitMQ's users count on: the keys that most files out there have, and CI services set."""

NOT_YET = {
    "management": words("""
        management.listener.ssl
    """),
    "authentication backends": words("""
        auth_ldap.servers.1
    """),
    "MQTT": words("""
        mqtt.allow_anonymous mqtt.vhost mqtt.exchange mqtt.prefetch mqtt.subscription_ttl
        mqtt.max_session_expiry_interval_seconds mqtt.listeners.tcp.default mqtt.listeners.ssl.default
        mqtt.max_packet_size_authenticated mqtt.durable_queue_type mqtt.default_user mqtt.default_pass
        web_mqtt.tcp.port web_mqtt.ws_path
    """),
}
"""Those of them without effect, by what they wait for. This shrinks: a setting with the name its row has in the table
makes a key effective, and takes it out here."""


@pytest.mark.parametrize(
    ("text", "backends"),
    [
        ("auth_backends.1 = rabbit_auth_backend_http", ("http",)),
        (
            "auth_backends.2 = internal\nauth_backends.10 = oauth\nauth_backends.1 = cache",
            ("cache", "internal", "oauth2"),
        ),
        ("auth_backends.1.authz = internal\nauth_backends.1.authn = http\nauth_backends.2 = internal", None),
        ("auth_backends.1.authn = http", ("http",)),
        ("auth_backends.1.authz = http", ("http",)),
    ],
)
def test_backends_are_names_or_pairs_in_the_order_of_their_numbers(text: str, backends: tuple[str, ...] | None) -> None:
    found = configured(f"auth_oauth2.resource_server_id = r\n{text}")
    assert found.auth_backends == (backends or ("http/internal", "internal"))


def test_what_a_cache_stands_for_may_be_a_pair() -> None:
    assert configured("auth_cache.cached_backend = http").cached_backend == "http"
    text = "auth_cache.cached_backend.authn = http\nauth_cache.cached_backend.authz = internal"
    assert configured(text).cached_backend == "http/internal"


def test_signing_keys_and_aliases_are_tables_of_what_ends_their_keys() -> None:
    found = configured(
        "auth_oauth2.signing_keys.a\\.b = k.pem\nauth_oauth2.signing_keys.c = l.pem\nauth_oauth2.scope_aliases.s = x y"
    )
    assert [(key.name, key.file) for key in found.oauth2_signing_keys] == [("a.b", "k.pem"), ("c", "l.pem")]
    assert [(alias.name, alias.scope) for alias in found.oauth2_scope_aliases] == [("s", "x y")]


def test_what_users_count_on_is_effective_but_for_what_is_to_come() -> None:
    without_effect = set()
    for key in EFFECTIVE:
        row = row_for(key)
        assert row is not None, f"{key} is unknown"
        if not row.works:
            without_effect.add(key)
    assert without_effect == {key for keys in NOT_YET.values() for key in keys}


def test_a_key_that_is_not_supported_yet_says_so() -> None:
    key = next(row.pattern for row in ROWS if row.setting and not row.works and "*" not in row.pattern)
    assert str(finding(f"{key} = 1")) == f"F:1: '{key}' has no effect: not supported yet"


def test_patterns_are_there_once() -> None:
    patterns = [row.pattern for row in ROWS]
    assert sorted(set(patterns)) == sorted(patterns)


def test_every_row_can_be_reached() -> None:
    for row in ROWS:
        key = row.pattern.replace("**", "x1.y1").replace("*", "z1")
        assert row_for(key) is row, row.pattern


def test_a_row_names_a_setting_or_says_why_there_is_none() -> None:
    for row in ROWS:
        assert bool(row.setting) == (row.verdict is Verdict.EFFECTIVE), row.pattern
        assert row.note or row.setting, row.pattern


KEYS = st.sampled_from([row.pattern.replace("*", "x") for row in ROWS])
TEXTS = st.text(st.characters(exclude_characters="\n'$", exclude_categories=["Cs"]), min_size=1, max_size=12)
VALUES = TEXTS | st.sampled_from(["none", "true", "false", "1", "5672", "127.0.0.1:5672", "2GB", "info", "infinity"])


@given(st.lists(st.tuples(KEYS, VALUES), max_size=5))
def test_any_value_is_translated_or_refused_with_its_line(pairs: list[tuple[str, str]]) -> None:
    text = "\n".join(f"{key} = '{value}'" for key, value in pairs)
    layer = translated(text)
    for found in layer.findings:
        assert found.place.startswith("F:")
        assert "\n" not in str(found)
    if not any(found.verdict is Verdict.WRONG for found in layer.findings):
        for setting in layer.values:
            assert is_setting(setting)


@given(st.text(max_size=20))
def test_any_word_may_have_a_near_key(key: str) -> None:
    assert nearest(key) == "" or nearest(key).startswith("did you mean '")


def test_an_unknown_part_of_a_table_is_found_at_its_line() -> None:
    [found] = translated("default_users.bob.passwort = x").findings
    assert found.place == "F:1"
    assert "unknown key 'passwort' in a table of 'default_users'" in str(found)
