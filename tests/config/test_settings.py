"""Settings: defaults, a file, the environment and options, each stronger than the one before."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from amqpd.config import (
    SETTINGS,
    Config,
    DefaultLimits,
    DefaultPolicy,
    DefaultUser,
    environment_name,
    files,
    load,
    misspelt,
)
from amqpd.errors import StartupError

CONF = Path(__file__).parent.parent.parent / "conf" / "amqpd.toml"


def loaded(
    toml: str | None = None,
    tmp_path: Path | None = None,
    environment: dict[str, str] | None = None,
    **options: Any,
) -> Config:
    file = None
    if toml is not None:
        assert tmp_path is not None
        file = tmp_path / "amqpd.toml"
        file.write_text(toml)
    return load(file, environment or {}, {key.replace("__", "."): value for key, value in options.items()})


def refused(toml: str | None = None, tmp_path: Path | None = None, **layers: Any) -> StartupError:
    with pytest.raises(StartupError) as caught:
        loaded(toml, tmp_path, **layers)
    assert "\n" not in str(caught.value)
    return caught.value


# --- layers


def test_without_anything_the_defaults_hold() -> None:
    assert loaded() == Config()
    assert Config().tcp_listeners == (("127.0.0.1", 5672),)


def test_a_file_changes_defaults(tmp_path: Path) -> None:
    found = loaded('heartbeat = 10\n[log]\nlevel = "debug"\n[listeners.tcp]\ndefault = "0.0.0.0:1234"', tmp_path)
    assert (found.heartbeat, found.log_level, found.tcp_listeners) == (10, "debug", (("0.0.0.0", 1234),))
    assert found.frame_max == Config().frame_max


def test_tables_and_dotted_keys_are_the_same(tmp_path: Path) -> None:
    assert loaded('log.level = "debug"', tmp_path) == loaded('[log]\nlevel = "debug"', tmp_path)


def test_the_environment_is_stronger_than_the_file(tmp_path: Path) -> None:
    found = loaded("heartbeat = 10\nchannel_max = 10", tmp_path, {"AMQPD_HEARTBEAT": "20", "OTHER": "30"})
    assert (found.heartbeat, found.channel_max) == (20, 10)


def test_options_are_stronger_than_the_environment(tmp_path: Path) -> None:
    found = loaded(
        'data_dir = "file"', tmp_path, {"AMQPD_DATA_DIR": "environment", "AMQPD_MEMORY": "true"}, data_dir="option"
    )
    assert (found.data_dir, found.memory) == ("option", True)


def test_an_option_that_was_not_given_changes_nothing() -> None:
    assert loaded(environment={"AMQPD_LOG_LEVEL": "debug"}, log__level=None).log_level == "debug"


def test_the_real_environment_is_asked_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMQPD_HEARTBEAT", "7")
    assert load().heartbeat == 7


@pytest.mark.parametrize("key", SETTINGS)
def test_every_setting_can_come_from_the_environment(key: str) -> None:
    name = environment_name(key)
    assert name == name.upper()
    assert name.startswith("AMQPD_")
    default = SETTINGS[key].default
    text = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
    if key.startswith("listeners."):
        text = text or "none"
    assert loaded(environment={name: text}) == Config()


def test_names_in_the_environment_are_unambiguous() -> None:
    names = [environment_name(key) for key in SETTINGS]
    assert len(set(names)) == len(names)


# --- values


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        ("64MiB", 64 << 20),
        ("64 MiB", 64 << 20),
        ("64mib", 64 << 20),
        ("10k", 10_000),
        ("10kB", 10_000),
        ("10KiB", 10 << 10),
        ("2M", 2_000_000),
        ("2GB", 2_000_000_000),
        ("1GiB", 1 << 30),
        ("1TiB", 1 << 40),
        (" 5000 ", 5000),
    ],
)
def test_a_size_may_have_a_unit(tmp_path: Path, text: str, size: int) -> None:
    assert loaded(f'queue_memory = "{text}"', tmp_path).queue_memory == size
    assert loaded(environment={"AMQPD_QUEUE_MEMORY": text}).queue_memory == size


@pytest.mark.parametrize("text", ["", "many", "1.5GiB", "64XB", "-1", "1 2", "0x10", "MiB", "64MiBs"])
def test_anything_else_is_no_number(text: str) -> None:
    error = refused(environment={"AMQPD_QUEUE_MEMORY": text})
    assert error.exit_code == os.EX_CONFIG
    assert str(error) == f"'queue_memory' is {text!r}, but has to be a number"


@pytest.mark.parametrize("value", ["true", "1.5", '["1"]', "{ a = 1 }"])
def test_a_number_in_a_file_is_an_integer_or_has_a_unit(tmp_path: Path, value: str) -> None:
    assert refused(f"heartbeat = {value}", tmp_path).exit_code == os.EX_CONFIG


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("TRUE", True), ("1", True), ("yes", True), ("false", False), ("0", False), ("No", False)],
)
def test_yes_and_no_may_be_said_in_several_ways(text: str, value: bool) -> None:
    assert loaded(environment={"AMQPD_MEMORY": text}).memory is value


@pytest.mark.parametrize("text", ["", "maybe", "2", "on"])
def test_anything_else_is_neither(text: str) -> None:
    assert str(refused(environment={"AMQPD_MEMORY": text})) == f"'memory' is {text!r}, but has to be true or false"


def test_a_number_is_no_yes_in_a_file(tmp_path: Path) -> None:
    assert refused("memory = 1", tmp_path).exit_code == os.EX_CONFIG


@pytest.mark.parametrize(
    ("text", "users"), [("guest", ("guest",)), ("a,b", ("a", "b")), (" a , b ", ("a", "b")), ("", ()), (",", ())]
)
def test_a_list_is_written_with_commas_in_the_environment(text: str, users: tuple[str, ...]) -> None:
    assert loaded(environment={"AMQPD_LOOPBACK_USERS": text}).loopback_users == users


@pytest.mark.parametrize(("toml", "users"), [("[]", ()), ('["a", "b"]', ("a", "b")), ('"a,b"', ("a", "b"))])
def test_a_list_is_a_list_in_a_file(tmp_path: Path, toml: str, users: tuple[str, ...]) -> None:
    assert loaded(f"loopback_users = {toml}", tmp_path).loopback_users == users


@pytest.mark.parametrize("toml", ["[1]", "5", "true"])
def test_a_list_is_of_names(tmp_path: Path, toml: str) -> None:
    assert "has to be a list of names" in str(refused(f"loopback_users = {toml}", tmp_path))


def test_a_string_is_a_string(tmp_path: Path) -> None:
    assert "'data_dir' is 5, but has to be a string" in str(refused("data_dir = 5", tmp_path))


@pytest.mark.parametrize(
    ("key", "value", "choices"),
    [
        ("log.level", "loud", "debug, info, warning, error, critical, none"),
        ("log.format", "xml", "console, json"),
        ("compat", "4.9", "default, 3.12, 3.13, 4.0, 4.1, 4.2, 4.3"),
    ],
)
def test_a_choice_is_one_of_those_there_are(key: str, value: str, choices: str) -> None:
    error = refused(environment={environment_name(key): value})
    assert str(error) == f"'{key}' is '{value}', but has to be one of {choices}"


@pytest.mark.parametrize(("text", "share"), [("0.4", 0.4), (" 1 ", 1.0), ("0", 0.0), (".5", 0.5), ("1.", 1.0)])
def test_a_share_is_a_decimal(text: str, share: float) -> None:
    assert loaded(environment={"AMQPD_VM_MEMORY_HIGH_WATERMARK_RELATIVE": text}).memory_watermark == share


@pytest.mark.parametrize(("toml", "share"), [("0.4", 0.4), ("1", 1.0), ('"0.4"', 0.4)])
def test_a_share_in_a_file_may_be_a_number(tmp_path: Path, toml: str, share: float) -> None:
    assert loaded(f"vm_memory_high_watermark.relative = {toml}", tmp_path).memory_watermark == share


@pytest.mark.parametrize("toml", ["true", "nan", "inf", '"40%"', '""', '"-0.1"', "[0.4]"])
def test_anything_else_is_no_share(tmp_path: Path, toml: str) -> None:
    error = refused(f"vm_memory_high_watermark.relative = {toml}", tmp_path)
    assert "has to be a share such as 0.6" in str(error)


@pytest.mark.parametrize("value", ["-0.1", "1.01"])
def test_a_watermark_is_a_share_of_what_there_is(tmp_path: Path, value: str) -> None:
    assert "'vm_memory_high_watermark.relative' is" in str(
        refused(f"vm_memory_high_watermark.relative = {value}", tmp_path)
    )


def test_limits_of_alarms_may_be_sizes(tmp_path: Path) -> None:
    found = loaded('vm_memory_high_watermark.absolute = "512MiB"\ndisk_free_limit.absolute = "2GB"', tmp_path)
    assert (found.memory_watermark_size, found.disk_free_limit) == (512 << 20, 2_000_000_000)


# --- what cannot be


@pytest.mark.parametrize(
    ("key", "least"),
    [
        ("frame_max", 4096),
        ("channel_max", 0),
        ("heartbeat", 0),
        ("handshake_timeout", 1),
        ("max_message_size", 1),
        ("queue_memory", 0),
        ("vm_memory_high_watermark.absolute", 0),
        ("memory_monitor_interval", 1),
        ("disk_free_limit.absolute", 0),
        ("max_handshakes", 0),
        ("store.map_size", 1 << 20),
        ("store.lag_limit", 0),
    ],
)
def test_a_number_may_be_this_small_and_no_smaller(key: str, least: int) -> None:
    name = SETTINGS[key].name
    assert getattr(load(None, {}, {key: least}), name) == least
    with pytest.raises(StartupError) as caught:
        load(None, {}, {key: -1 if key == "frame_max" else least - 1})
    assert caught.value.exit_code == os.EX_CONFIG
    assert f"'{key}' is" in str(caught.value)
    assert f"has to be at least {least}" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "most"),
    [
        ("channel_max", 0xFFFF),
        ("heartbeat", 0xFFFF),
        ("frame_max", 0xFFFFFFFF),
        ("max_message_size", 512 << 20),
        ("store.map_size", (1 << 63) - 1),
    ],
)
def test_a_number_may_be_this_large_and_no_larger(key: str, most: int) -> None:
    assert getattr(load(None, {}, {key: most}), SETTINGS[key].name) == most
    with pytest.raises(StartupError, match=f"'{key}' is {most + 1}, but has to be at most {most}"):
        load(None, {}, {key: most + 1})


@pytest.mark.parametrize("key", ["data_dir", "default_user", "default_pass"])
def test_names_are_not_empty(key: str) -> None:
    error = refused(environment={environment_name(key): ""})
    assert error.exit_code == os.EX_CONFIG
    assert f"'{key}' is '', but has to be a" in str(error)


def test_what_is_misspelt_in_the_environment_is_found() -> None:
    line = "unknown setting AMQPD_HARTBEAT in the environment; did you mean AMQPD_HEARTBEAT?"
    assert misspelt({"AMQPD_HARTBEAT": "5", "AMQPD_HEARTBEAT": "5", "HARTBEAT": "5"}) == [line]
    assert misspelt({"AMQPD_LOGLEVEL": "debug"})


@pytest.mark.parametrize("name", ["AMQPD_SERVICE_HOST", "AMQPD_PORT", "AMQPD_PORT_5672_TCP", "AMQPD_CRASH_ROUNDS"])
def test_what_others_may_set_is_not_taken_for_ours(name: str) -> None:
    assert misspelt({name: "5"}) == []


def test_no_limit_for_frames_is_written_0() -> None:
    assert load(None, {}, {"frame_max": 0}).frame_max == 0


@pytest.mark.parametrize(
    ("listener", "address"),
    [
        ("0.0.0.0:5672", ("0.0.0.0", 5672)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:65535", ("::1", 65535)),
        ("[::]:5672", ("::", 5672)),
        ("5672", ("", 5672)),
        (5672, ("", 5672)),
    ],
)
def test_a_listener_is_an_address_and_a_port_or_a_port_on_all(listener: str | int, address: tuple[str, int]) -> None:
    (found,) = load(None, {}, {"listeners.tcp.default": listener}).tcp_listeners
    assert found == address
    assert load(None, {}, {"listeners.tcp.default": str(found)}).tcp_listeners == (address,)


@pytest.mark.parametrize(
    "listener", ["", ":5672", "localhost", "localhost:", "a:b", "a:65536", "a:-1", "a:²", "unix:/path:0x", "None"]
)
def test_anything_else_is_no_listener(listener: str) -> None:
    error = refused(environment={"AMQPD_LISTENERS_TCP_DEFAULT": listener})
    assert error.exit_code == os.EX_CONFIG
    assert str(error) == f"'listeners.tcp.default' is {listener!r}, but has to be ADDRESS:PORT, PORT or none"


@pytest.mark.parametrize("value", ["true", "1.5", '["127.0.0.1:5672"]'])
def test_neither_is_anything_but_a_string_or_a_number(tmp_path: Path, value: str) -> None:
    assert "has to be ADDRESS:PORT" in str(refused(f"listeners.tcp.default = {value}", tmp_path))


def test_there_may_be_several_listeners_by_names_of_ones_choice(tmp_path: Path) -> None:
    found = loaded(
        '[listeners.tcp]\nlan = "192.0.2.1:5672"\n[listeners.ssl]\ndefault = 5671\nother = "[::1]:5670"\n'
        '[ssl_options]\ncertfile = "c"',
        tmp_path,
    )
    assert found.tcp_listeners == (("127.0.0.1", 5672), ("192.0.2.1", 5672))
    assert found.ssl_listeners == (("", 5671), ("::1", 5670))


def test_a_layer_adds_listeners_and_replaces_those_of_the_same_name(tmp_path: Path) -> None:
    found = loaded(
        '[listeners.tcp]\ndefault = "a:1"\nlan = "b:2"',
        tmp_path,
        {"AMQPD_LISTENERS_TCP_LAN": "c:3", "AMQPD_LISTENERS_TCP_WIDE": "d:4"},
        listeners__tcp__default="e:5",
    )
    assert found.tcp_listeners == (("e", 5), ("c", 3), ("d", 4))


def test_none_takes_one_away_and_none_for_all_takes_all(tmp_path: Path) -> None:
    toml = '[listeners.tcp]\nlan = "b:2"'
    assert loaded(toml, tmp_path, {"AMQPD_LISTENERS_TCP_DEFAULT": "none"}).tcp_listeners == (("b", 2),)
    certificate = {"AMQPD_LISTENERS_SSL_DEFAULT": "5671", "AMQPD_SSL_OPTIONS_CERTFILE": "c"}
    assert loaded(toml, tmp_path, {"AMQPD_LISTENERS_TCP": "none", **certificate}).tcp_listeners == ()
    assert loaded('listeners.tcp = "none"', tmp_path, {"AMQPD_LISTENERS_TCP_LAN": "b:2"}).tcp_listeners == (("b", 2),)


def test_nowhere_to_listen_is_refused() -> None:
    assert str(refused(environment={"AMQPD_LISTENERS_TCP": "none"})) == (
        "'listeners.tcp' and 'listeners.ssl' are none, and one is needed"
    )


def test_a_family_of_listeners_is_none_or_has_names(tmp_path: Path) -> None:
    error = refused('listeners.tcp = "127.0.0.1:5672"', tmp_path)
    assert str(error).endswith(
        "'listeners.tcp' is '127.0.0.1:5672', but has to be none; addresses have names, as in listeners.tcp.default"
    )


def test_tls_needs_a_certificate() -> None:
    error = refused(environment={"AMQPD_LISTENERS_SSL_DEFAULT": "5671"})
    assert str(error) == "'listeners.ssl' needs a certificate: set 'ssl_options.certfile'"


@pytest.mark.parametrize(
    ("key", "value", "choices"),
    [
        ("auth_mechanisms", "PLAIN,SCRAM", "PLAIN, AMQPLAIN, EXTERNAL, ANONYMOUS"),
        ("ssl_options.versions", "tlsv1.3,sslv3", "tlsv1.3, tlsv1.2, tlsv1.1, tlsv1"),
    ],
)
def test_each_of_a_list_of_choices_is_one_of_those_there_are(key: str, value: str, choices: str) -> None:
    wrong = value.partition(",")[2]
    error = refused(environment={environment_name(key): value})
    assert str(error) == f"'{key}' is '{wrong}', but has to be one of {choices}"
    assert "at least one" in str(refused(environment={environment_name(key): ""}))


def test_an_anonymous_user_has_a_name_and_a_password() -> None:
    for key in ("anonymous_login_user", "anonymous_login_pass"):
        assert "need each other" in str(refused(environment={environment_name(key): "x"}))


# --- files that cannot be read


def test_a_file_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"cannot read configuration file .*nope\.toml: No such file") as caught:
        load(tmp_path / "nope.toml", {})
    assert caught.value.exit_code == os.EX_NOINPUT


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(StartupError) as caught:
        load(tmp_path, {})
    assert caught.value.exit_code == os.EX_NOINPUT


@pytest.mark.parametrize("content", [b"heartbeat = ", b"[log", b"a = 1\na = 2", b"\xff\xfe", b"heartbeat 10"])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "amqpd.toml"
    file.write_bytes(content)
    with pytest.raises(StartupError) as caught:
        load(file, {})
    assert caught.value.exit_code == os.EX_CONFIG
    assert f"configuration file {file} is not TOML" in str(caught.value)


@pytest.mark.parametrize(
    ("toml", "hint"),
    [
        ("heartbeet = 10", "unknown key 'heartbeet' in configuration file {file}; did you mean 'heartbeat'?"),
        ('[log]\nlevle = "debug"', "unknown key 'log.levle' in configuration file {file}; did you mean 'log.level'?"),
        ("datadir = 1", "unknown key 'datadir' in configuration file {file}; did you mean 'data_dir'?"),
        (
            "zzzzzz = 1",
            "unknown key 'zzzzzz' in configuration file {file}; conf/amqpd.toml lists those there are",
        ),
    ],
)
def test_an_unknown_key_is_refused_and_the_nearest_named(tmp_path: Path, toml: str, hint: str) -> None:
    error = refused(toml, tmp_path)
    assert error.exit_code == os.EX_CONFIG
    assert str(error) == hint.format(file=tmp_path / "amqpd.toml")


def test_a_table_where_a_value_belongs_is_an_unknown_key(tmp_path: Path) -> None:
    assert refused("[heartbeat]\nseconds = 1", tmp_path).exit_code == os.EX_CONFIG


# --- tables


DEFAULT_USER_KEYS = ("name", "password", "tags", "vhost_pattern", "configure", "write", "read")


def test_a_list_of_tables_comes_from_a_file_or_as_json_from_the_environment(tmp_path: Path) -> None:
    expected = (
        DefaultUser("alice", "secret", ("monitoring", "x"), read="^r"),
        DefaultUser("bob", vhost_pattern="^dev"),
    )
    toml = """
        [[default_users]]
        name = "alice"
        password = "secret"
        tags = ["monitoring", "x"]
        read = "^r"
        [[default_users]]
        name = "bob"
        vhost_pattern = "^dev"
    """
    assert loaded(toml, tmp_path).default_users == expected
    json = '[{"name": "alice", "password": "secret", "tags": ["monitoring", "x"], "read": "^r"}'
    json += ', {"name": "bob", "vhost_pattern": "^dev"}]'
    assert loaded(environment={"AMQPD_DEFAULT_USERS": json}).default_users == expected


def test_numbers_in_tables_may_have_units_and_may_be_left_out(tmp_path: Path) -> None:
    toml = """
        [[default_limits.vhosts]]
        name = "dev"
        pattern = "^dev"
        max_connections = -1

        [[default_policies.operator]]
        name = "short"
        queue_pattern = "^amq"
        apply_to = "queues"
        message_ttl = 60000
        max_length_bytes = "1MiB"
    """
    found = loaded(toml, tmp_path)
    assert found.default_limits == (DefaultLimits("dev", "^dev", max_connections=-1),)
    assert found.default_policies == (
        DefaultPolicy("short", queue_pattern="^amq", apply_to="queues", message_ttl=60000, max_length_bytes=1 << 20),
    )


@pytest.mark.parametrize(
    ("toml", "text"),
    [
        ('max_queues = "x"', "'max_queues' in a table of 'default_limits.vhosts' has to be a number"),
        ("max_queues = true", "'max_queues' in a table of 'default_limits.vhosts' has to be a number"),
        ("max_queue = 1", "unknown key 'max_queue' in a table of 'default_limits.vhosts'; known are name, pattern, "),
    ],
)
def test_a_number_in_a_table_that_is_none_is_refused(tmp_path: Path, toml: str, text: str) -> None:
    assert text in str(refused(f'[[default_limits.vhosts]]\nname = "x"\n{toml}', tmp_path))


def test_a_table_of_an_operators_own_names_is_not_taken_apart(tmp_path: Path) -> None:
    expected = (("region", "eu-1"), ("a.b", "c"))
    assert loaded('[cluster_tags]\nregion = "eu-1"\n"a.b" = "c"', tmp_path).cluster_tags == expected
    assert loaded(environment={"AMQPD_CLUSTER_TAGS": '{"region": "eu-1", "a.b": "c"}'}).cluster_tags == expected
    assert loaded(environment={"AMQPD_CLUSTER_TAGS": ""}).cluster_tags == ()


@pytest.mark.parametrize("json", ["{x", "[]", '"x"', '{"a": 1}', '{"a": {"b": "c"}}'])
def test_a_table_that_is_none_is_refused(json: str) -> None:
    assert "'node_tags' is " in str(refused(environment={"AMQPD_NODE_TAGS": json}))


@pytest.mark.parametrize(
    ("key", "value"),
    [("prometheus.path", "metrics"), ("management.csp.policy", "a\nb"), ("management.headers.frame_options", "ä")],
)
def test_what_is_no_path_or_header_is_refused(key: str, value: str) -> None:
    assert f"'{key}' is {value!r}, but has to be" in str(refused(environment={environment_name(key): value}))


@pytest.mark.parametrize(
    ("json", "text"),
    [
        ("{secret", "'default_users' is something else, but has to be a list of tables, in JSON"),
        ('{"name": "secret"}', "'default_users' is something else, but has to be a list of tables"),
        ('["secret"]', "'default_users' is something else, but has to be a list of tables"),
        ('[{"password": "secret"}]', "a table of 'default_users' has no name"),
        ('[{"name": ""}]', "a table of 'default_users' has no name"),
        ('[{"name": "x", "password": 5}]', "'password' in a table of 'default_users' has to be a string"),
        ('[{"name": "x", "tags": "a"}]', "'tags' in a table of 'default_users' has to be a list of names"),
        (
            '[{"name": "x", "pasword": "secret"}]',
            "unknown key 'pasword' in a table of 'default_users'; known are " + ", ".join(DEFAULT_USER_KEYS),
        ),
    ],
)
def test_a_table_that_cannot_be_is_refused_without_showing_a_password(json: str, text: str) -> None:
    error = refused(environment={"AMQPD_DEFAULT_USERS": json})
    assert (error.exit_code, str(error)) == (os.EX_CONFIG, text)


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    text = "'default_pass' is something else, but has to be a string"
    assert text in str(refused("default_pass = 12345", tmp_path))
    assert "secret" not in repr(DefaultUser("alice", "secret"))
    assert "secret" not in repr(Config(default_pass="secret"))


# --- the file that lists them all


def test_the_example_lists_every_setting_with_its_default() -> None:
    content = tomllib.loads(CONF.read_text())
    assert set(files._flattened(content)) == set(SETTINGS)
    assert load(CONF, {}) == Config()


def test_the_example_says_why_before_each_setting() -> None:
    explained = False
    for line in CONF.read_text().splitlines():
        if line.startswith("#"):
            explained = True
        elif not line or line.startswith("["):
            explained = False
        elif not line.startswith("default_pass"):
            assert explained, line


def test_every_setting_has_an_explanation() -> None:
    for key, setting in SETTINGS.items():
        assert setting.metadata["explanation"], key


@pytest.mark.parametrize(
    ("toml", "text"),
    [
        ('auth_backends = ["ldap"]', "'auth_backends' is 'ldap', but has to be internal, http, oauth2, cache, or two"),
        ('auth_backends = ["http/"]', "'auth_backends' is 'http/', but has to be internal"),
        ('auth_backends = ["a/b/c"]', "'auth_backends' is 'a/b/c', but has to be internal"),
        ("auth_backends = []", "'auth_backends' is (), but has to be at least one name"),
        (
            'auth_cache.cached_backend = "cache"',
            "'auth_cache.cached_backend' is 'cache', but has to be another backend",
        ),
        ('auth_http.user_path = "ldap://x"', "'auth_http.user_path' is 'ldap://x', but has to be a URL"),
        ('auth_oauth2.issuer = "x"', "'auth_oauth2.issuer' is 'x', but has to be a URL"),
        ('auth_backends = ["oauth2"]', "needs 'auth_oauth2.resource_server_id'"),
        ("auth_oauth2.signing_keys = [{ name = 'k', fil = 'x' }]", "unknown key 'fil' in a table of"),
        ('auth_oauth2.algorithms = ["none"]', "'auth_oauth2.algorithms' is 'none', but has to be one of RS256"),
    ],
)
def test_backends_that_cannot_be_are_refused(tmp_path: Path, toml: str, text: str) -> None:
    assert text in str(refused(toml, tmp_path))
