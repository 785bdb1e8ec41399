"""All layers together: which is stronger, what is said, and where a value comes from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amqpd.config import Config, Verdict, check, load, read
from amqpd.errors import StartupError

TESTCONTAINERS = """\
listeners.tcp.default = 5672
management.tcp.port = 15672
loopback_users.guest = false
log.console.level = debug
"""

COMPOSE = """\
# docker-compose, mounted as /etc/rabbitmq/rabbitmq.conf
loopback_users = none
listeners.tcp.1 = :::5672
default_user = $(RABBITMQ_USER)
default_pass = '$(RABBITMQ_SECRET)'
default_vhost = /
default_permissions.configure = .*
heartbeat = 30
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 1GB
collect_statistics_interval = 10000
queue_master_locator = min-masters
consumer_timeout = 31622400000
"""

KUBERNETES = """\
cluster_formation.peer_discovery_backend = rabbit_peer_discovery_k8s
cluster_formation.k8s.host = kubernetes.default.svc.cluster.local
cluster_formation.k8s.address_type = hostname
cluster_formation.node_cleanup.interval = 10
cluster_formation.node_cleanup.only_log_warning = true
cluster_partition_handling = autoheal
queue_master_locator=min-masters
loopback_users.guest = false
"""

CLASSIC = """\
[
  {rabbit,
    [
      {tcp_listeners, [5672]},
      {loopback_users, []},
      {default_user, <<"guest">>},
      {default_pass, <<"guest">>},
      {log_levels, [{connection, info}]},
      {heartbeat, 580}
    ]},
  {rabbitmq_management, [{listener, [{port, 15672}]}]}
].
"""


def written(tmp_path: Path, name: str, text: str) -> Path:
    file = tmp_path / name
    file.write_text(text)
    return file


# --- files people have


def test_what_testcontainers_mounts(tmp_path: Path) -> None:
    found = load(written(tmp_path, "rabbitmq-testcontainers.conf", TESTCONTAINERS), {})
    assert (found.tcp_listeners, found.loopback_users, found.log_console_level) == ((("", 5672),), (), "debug")


def test_what_compose_files_mount(tmp_path: Path) -> None:
    environment = {"RABBITMQ_USER": "bob", "RABBITMQ_SECRET": "x#y"}
    found = load(written(tmp_path, "rabbitmq.conf", COMPOSE), environment)
    assert (found.default_user, found.default_pass, found.heartbeat) == ("bob", "x#y", 30)
    assert (found.tcp_listeners, found.loopback_users, found.consumer_timeout) == ((("::", 5672),), (), 31622400000)


def test_what_kubernetes_mounts_refuses_nothing(tmp_path: Path) -> None:
    found = load(written(tmp_path, "rabbitmq.conf", KUBERNETES), {}, strict=True)
    assert found.loopback_users == ()
    assert {level for level, _ in found.remarks} == {"info"}


def test_a_classic_file(tmp_path: Path) -> None:
    found = load(written(tmp_path, "rabbitmq.config", CLASSIC), {})
    assert (found.tcp_listeners, found.loopback_users, found.heartbeat) == ((("", 5672),), (), 580)
    assert found.log_connection_level == "info"


# --- which is stronger


def test_each_layer_is_stronger_than_the_one_before(tmp_path: Path) -> None:
    toml = written(tmp_path, "amqpd.toml", "heartbeat = 2\nchannel_max = 2\nframe_max = 5002\nhandshake_timeout = 2")
    conf = "heartbeat = 1\nchannel_max = 1\nframe_max = 5001\nhandshake_timeout = 1\nmax_message_size = 1\n"
    environment = {
        "RABBITMQ_CONFIG_FILE": str(written(tmp_path, "rabbitmq.conf", conf)),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-rabbit heartbeat 3 channel_max 3 frame_max 5003",
        "AMQPD_CHANNEL_MAX": "4",
        "AMQPD_HEARTBEAT": "4",
    }
    found = read(toml, environment, {"heartbeat": 5})
    config = found.config
    assert (config.heartbeat, config.channel_max, config.frame_max) == (5, 4, 5003)
    assert (config.handshake_timeout, config.max_message_size, config.consumer_timeout) == (2, 1, 1_800_000)
    assert found.places == {
        "heartbeat": "command line",
        "channel_max": "AMQPD_CHANNEL_MAX",
        "frame_max": "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
        "handshake_timeout": str(toml),
        "max_message_size": f"{tmp_path / 'rabbitmq.conf'}:5",
    }


def test_a_port_in_the_environment_keeps_the_address_of_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "amqpd.toml", 'listeners.tcp.default = "0.0.0.0:5"')
    assert load(file, {"RABBITMQ_NODE_PORT": "6"}).tcp_listeners == (("0.0.0.0", 6),)


def test_a_folder_of_rabbitmqs_may_be_named(tmp_path: Path) -> None:
    written(tmp_path, "rabbitmq.conf", "heartbeat = 7")
    written(tmp_path, "enabled_plugins", "[rabbitmq_event_exchange].")
    found = load(tmp_path, {})
    assert (found.heartbeat, found.event_exchange) == (7, True)


def test_remarks_do_not_make_configurations_differ() -> None:
    assert load(None, {"RABBITMQ_ERLANG_COOKIE": "x"}) == Config()


# --- what cannot be


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("heartbeat = x", "'heartbeat' is 'x', but has to be a number of bytes, such as 512MiB"),
        ("frame_max = 12", "'frame_max' is 12, but has to be at least 4096"),
        ("heartbeat", "'heartbeat' is not 'key = value'"),
    ],
)
def test_what_cannot_be_is_named_with_file_and_line(tmp_path: Path, line: str, error: str) -> None:
    file = written(tmp_path, "rabbitmq.conf", f"# x\n{line}\n")
    with pytest.raises(StartupError) as caught:
        load(file, {})
    assert (caught.value.exit_code, str(caught.value)) == (os.EX_CONFIG, f"{file}:2: {error}")


def test_an_unknown_key_is_warned_of_or_refused_when_strict(tmp_path: Path) -> None:
    file = written(tmp_path, "rabbitmq.conf", "\nheartbeet = 10")
    said = f"{file}:2: unknown key 'heartbeet'; did you mean 'heartbeat'?"
    assert load(file, {}).remarks == (("warning", said),)
    with pytest.raises(StartupError) as caught:
        load(file, {}, strict=True)
    assert (caught.value.exit_code, str(caught.value)) == (os.EX_CONFIG, said)


def test_a_value_that_is_overridden_has_to_be_right_all_the_same(tmp_path: Path) -> None:
    file = written(tmp_path, "rabbitmq.conf", "heartbeat = x")
    with pytest.raises(StartupError):
        load(file, {"AMQPD_HEARTBEAT": "5"})


# --- check


def test_checking_says_something_of_each_key(tmp_path: Path) -> None:
    file = written(tmp_path, "rabbitmq.conf", "heartbeat = 5\nhipe_compile = true\nlog.syslog = true\nnonsense = 1")
    assert [(finding.key, finding.verdict) for finding in check(file, {})] == [
        ("heartbeat", Verdict.EFFECTIVE),
        ("hipe_compile", Verdict.ACCEPTED),
        ("log.syslog", Verdict.IGNORED),
        ("nonsense", Verdict.UNKNOWN),
    ]


def test_checking_finds_what_is_out_of_bounds(tmp_path: Path) -> None:
    file = written(tmp_path, "rabbitmq.conf", "heartbeat = 5\nframe_max = 12")
    assert [str(finding) for finding in check(file, {})] == [
        f"{file}:1: 'heartbeat' is effective",
        f"{file}:2: 'frame_max' is 12, but has to be at least 4096",
    ]


def test_checking_an_amqpd_toml_names_all_that_is_wrong(tmp_path: Path) -> None:
    file = written(tmp_path, "amqpd.toml", 'heartbeat = "x"\nheartbeet = 1\nframe_max = 8192')
    assert [finding.verdict for finding in check(file, {})] == [Verdict.WRONG, Verdict.WRONG, Verdict.EFFECTIVE]


@given(
    st.sampled_from(["rabbitmq.conf", "rabbitmq.config", "enabled_plugins", "amqpd.toml", "x"]),
    st.text(max_size=40) | st.sampled_from([TESTCONTAINERS, COMPOSE, KUBERNETES, CLASSIC]),
    st.text(max_size=3),
    st.integers(0, 200),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_in_any_file_is_read_or_refused_in_one_line(
    tmp_path: Path, name: str, text: str, more: str, at: int
) -> None:
    file = tmp_path / name
    file.write_text(text[:at] + more + text[at:], errors="backslashreplace")
    try:
        load(file, {})
    except StartupError as error:
        problem = str(error)
        assert "\n" not in problem
        assert str(file) in problem
    try:
        check(file, {})
    except StartupError as error:
        problem = str(error)
        assert str(file) in problem
