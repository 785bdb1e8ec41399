"""Settings: defaults, a file, the environment and options, each stronger than the one before."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from amqpd.config import SETTINGS, Config, environment_name, files, load, misspelt
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
    assert Config().address == ("127.0.0.1", 5672)


def test_a_file_changes_defaults(tmp_path: Path) -> None:
    found = loaded('heartbeat = 10\n[log]\nlevel = "debug"\n[listeners.tcp]\ndefault = "0.0.0.0:1234"', tmp_path)
    assert (found.heartbeat, found.log_level, found.address) == (10, "debug", ("0.0.0.0", 1234))
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
    text = ",".join(default) if isinstance(default, tuple) else str(default)
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
    ],
)
def test_a_listener_is_an_address_and_a_port(listener: str, address: tuple[str, int]) -> None:
    assert load(None, {}, {"listeners.tcp.default": listener}).address == address


@pytest.mark.parametrize("listener", ["", "5672", ":5672", "localhost", "localhost:", "a:b", "a:65536", "a:-1", "a:²"])
def test_anything_else_is_no_listener(listener: str) -> None:
    error = refused(environment={"AMQPD_LISTENERS_TCP_DEFAULT": listener})
    assert error.exit_code == os.EX_CONFIG
    assert str(error) == f"'listeners.tcp.default' is {listener!r}, but has to be ADDRESS:PORT"


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
