"""A configuration as text."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.config import SETTINGS, Config, read
from amqpd.config.dump import as_toml, effective, rendered
from amqpd.config.settings import is_secret
from amqpd.errors import StartupError


def test_a_dump_is_an_amqpd_toml_that_says_the_same(tmp_path: Path) -> None:
    environment = {
        "AMQPD_HEARTBEAT": "5",
        "AMQPD_LOOPBACK_USERS": "a,b",
        "RABBITMQ_NODENAME": 'x"y\\z@ö',
        "AMQPD_CLUSTER_TAGS": '{"a.b": "c", "ö": "\\""}',
        "AMQPD_DEFAULT_LIMITS_VHOSTS": '[{"name": "x", "max_queues": 5}]',
    }
    loaded = read(None, environment)
    text = rendered(loaded)
    assert [line.split(" = ")[0] for line in text.splitlines()] == list(SETTINGS)
    assert "heartbeat = 5  # AMQPD_HEARTBEAT\n" in text
    assert "frame_max = 131072  # default\n" in text
    dumped = tmp_path / "dumped.toml"
    dumped.write_text(text)
    assert read(dumped, {}).config == loaded.config


def test_passwords_are_not_in_it_unless_they_are_the_default(tmp_path: Path) -> None:
    text = rendered(read(None, {"RABBITMQ_DEFAULT_PASS": "wonder"}))
    assert "wonder" not in text
    assert 'default_pass = "********"  # RABBITMQ_DEFAULT_PASS\n' in text
    assert 'default_pass = "guest"  # default\n' in rendered(read(None, {}))


@pytest.mark.parametrize("setting", [("DEFAULT_PASS", "wonder"), ("DEFAULT_USERS", '[{"name": "a", "password": "b"}]')])
def test_what_is_hidden_in_a_dump_does_not_become_a_password(tmp_path: Path, setting: tuple[str, str]) -> None:
    dumped = tmp_path / "dumped.toml"
    dumped.write_text(rendered(read(None, {f"AMQPD_{setting[0]}": setting[1]})))
    with pytest.raises(
        StartupError, match=f"'{setting[0].lower()}' is \\*{{8}}, which 'amqpd config dump' shows for it"
    ):
        read(dumped, {})


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("default_pass", True),
        ("ssl_options.password", True),
        ("anonymous_login_pass", True),
        ("default_users", True),
        ("password_hashing_module", False),
        ("default_user", False),
    ],
)
def test_what_is_secret(key: str, secret: bool) -> None:
    assert is_secret(key) is secret


@given(
    st.text(st.characters(exclude_categories=["Cs"]))
    | st.booleans()
    | st.integers(0, 1 << 62)
    | st.lists(st.text("a\"\\'#"))
)
def test_any_value_comes_back_from_toml(value: object) -> None:
    assert tomllib.loads(f"x = {as_toml(value)}")["x"] == value


def test_the_default_configuration_has_no_remarks() -> None:
    assert Config().remarks == ()


def test_what_is_effective_is_plain_values_without_passwords() -> None:
    config = Config(default_pass="not for all", cluster_tags=(("region", "eu"),))
    shown = effective(config)
    assert shown.keys() == SETTINGS.keys()
    assert shown["default_pass"] == "********"
    assert shown["cluster_tags"] == {"region": "eu"}
    assert shown["listeners.tcp.default"] == ["127.0.0.1:5672"]
    assert json.loads(json.dumps(shown)) == shown
