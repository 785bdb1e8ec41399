"""Variables of the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.config import SETTINGS, Config, load
from amqpd.config.environment import ALIASES, VARIABLES, amqpd_variables, misspelt, rabbitmq_variables, with_env_file
from amqpd.config.findings import Verdict
from amqpd.config.layers import read
from amqpd.errors import StartupError


def loaded(**environment: str) -> Config:
    return load(None, environment)


def remarks(**environment: str) -> list[str]:
    return [text for _, text in loaded(**environment).remarks]


def refused(**environment: str) -> str:
    with pytest.raises(StartupError) as caught:
        loaded(**environment)
    assert caught.value.exit_code == os.EX_CONFIG
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "setting", "expected"),
    [
        ("RABBITMQ_DEFAULT_USER", "bob", "default_user", "bob"),
        ("RABBITMQ_DEFAULT_PASS", "x", "default_pass", "x"),
        ("RABBITMQ_USERNAME", "bob", "default_user", "bob"),
        ("RABBITMQ_PASSWORD", "x", "default_pass", "x"),
        ("RABBITMQ_NODENAME", "rabbit@here", "node_name", "rabbit@here"),
        ("RABBITMQ_NODE_PORT", "5673", "listeners.tcp.default", "127.0.0.1:5673"),
        ("RABBITMQ_NODE_IP_ADDRESS", "0.0.0.0", "listeners.tcp.default", "0.0.0.0:5672"),
        ("RABBITMQ_NODE_IP_ADDRESS", "::1", "listeners.tcp.default", "[::1]:5672"),
        ("RABBITMQ_MNESIA_DIR", "/data", "data_dir", "/data"),
        ("RABBITMQ_MNESIA_BASE", "/data", "data_dir", "/data/amqpd"),
        ("RABBITMQ_LOG_BASE", "/log", "log.dir", "/log"),
        ("RABBITMQ_LOGS", "/log/x.log", "log.file", "/log/x.log"),
        ("RABBITMQ_LOG", "debug", "log.level", "debug"),
        ("RABBITMQ_LOG", "+color,connection=warning", "log.levels.connection", "warning"),
        ("RABBITMQ_LOG", "+json", "log.format", "json"),
        ("RABBITMQ_PRODUCT_NAME", "Mine", "product", "Mine"),
        ("RABBITMQ_PRODUCT_VERSION", "9.9", "product_version", "9.9"),
        ("RABBITMQ_ENABLED_PLUGINS", "rabbitmq_event_exchange", "event_exchange", True),
        ("RABBITMQ_PLUGINS", "rabbitmq_event_exchange, rabbitmq_top", "event_exchange", True),
        ("AMQPD_PROFILE", "4.3", "compat", "4.3"),
    ],
)
def test_a_variable_is_a_setting(name: str, value: str, setting: str, expected: Any) -> None:
    found = getattr(loaded(**{name: value}), SETTINGS[setting].name)
    assert (str(found[0]) if setting == "listeners.tcp.default" else found) == expected


def test_the_port_and_the_address_go_together() -> None:
    found = loaded(RABBITMQ_NODE_PORT="5673", RABBITMQ_NODE_IP_ADDRESS="0.0.0.0")
    assert found.tcp_listeners == (("0.0.0.0", 5673),)


def test_the_data_folder_has_the_name_of_the_node() -> None:
    assert loaded(RABBITMQ_MNESIA_BASE="/data", RABBITMQ_NODENAME="rabbit@here").data_dir == "/data/rabbit@here"
    assert loaded(RABBITMQ_MNESIA_BASE="/data", RABBITMQ_MNESIA_DIR="/mine").data_dir == "/mine"


def test_rabbitmqs_own_names_are_stronger_than_bitnamis() -> None:
    assert loaded(RABBITMQ_DEFAULT_USER="a", RABBITMQ_USERNAME="b").default_user == "a"


def test_logs_to_standard_output_go_nowhere_else() -> None:
    assert loaded(RABBITMQ_LOG_BASE="/log").log_path == Path("/log/amqpd.log")
    found = loaded(RABBITMQ_LOG_BASE="/log", RABBITMQ_LOGS="-")
    assert (found.log_console, found.log_path) == (True, None)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("RABBITMQ_NODE_PORT", "tcp://10.0.0.1:5672", "RABBITMQ_NODE_PORT: 'tcp://10.0.0.1:5672' is no port"),
        ("RABBITMQ_NODE_PORT", "99999", "RABBITMQ_NODE_PORT: 'listeners.tcp.default' is '127.0.0.1:99999', but"),
        ("RABBITMQ_LOG", "loud", "RABBITMQ_LOG: 'loud' is not one of debug, info"),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-rabbit log_levels [{", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:"),
        (
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "-rabbit frame_max 5",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: 'frame_max' is 5, but has to be at least 4096",
        ),
    ],
)
def test_a_value_that_cannot_be_is_named_with_its_variable(name: str, value: str, problem: str) -> None:
    assert refused(**{name: value}).startswith(problem)


def test_an_empty_variable_is_none() -> None:
    assert loaded(RABBITMQ_DEFAULT_USER="", RABBITMQ_NODE_PORT="", RABBITMQ_CONFIG_FILE="") == Config()


def test_what_rabbitmqs_image_refuses_is_warned_of() -> None:
    found = loaded(RABBITMQ_VM_MEMORY_HIGH_WATERMARK="0.4", RABBITMQ_SSL_CERTFILE="/c.pem")
    assert [level for level, _ in found.remarks] == ["warning", "warning"]
    assert "RABBITMQ_SSL_CERTFILE" in found.remarks[0][1]


@pytest.mark.parametrize("name", ["RABBITMQ_ERLANG_COOKIE", "RABBITMQ_DIST_PORT", "RABBITMQ_USE_LONGNAME"])
def test_what_is_erlangs_is_taken_in(name: str) -> None:
    ((level, text),) = loaded(**{name: "x"}).remarks
    assert (level, text) == ("info", f"'{name}' has no effect: there is no Erlang here")


@pytest.mark.parametrize("name", ["RABBITMQ_SERVICE_HOST", "RABBITMQ_PORT_5672_TCP", "RABBITMQ_URL", "RABBITMQ_HOST"])
def test_what_others_set_is_passed_over(name: str) -> None:
    assert loaded(**{name: "x"}).remarks == ()


def test_a_misspelt_one_is_pointed_out() -> None:
    assert remarks(RABBITMQ_DEFAULT_PASSS="x") == [
        "unknown setting RABBITMQ_DEFAULT_PASSS in the environment; did you mean RABBITMQ_DEFAULT_PASS?"
    ]
    assert misspelt({"AMQPD_PROFIL": "x"}) == [
        "unknown setting AMQPD_PROFIL in the environment; did you mean AMQPD_PROFILE?"
    ]


def test_erlang_arguments_may_have_settings() -> None:
    arguments = (
        "-rabbit log_levels [{connection,error},{default,warning}] consumer_timeout 7200000"
        " -rabbitmq_management load_definitions '\"/d.json\"' +S 1:1 -setcookie x -rabbit heartbeat 30"
    )
    found = loaded(RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=arguments)
    assert (found.log_connection_level, found.log_level) == ("error", "warning")
    assert (found.consumer_timeout, found.heartbeat) == (7_200_000, 30)


def test_erlang_arguments_without_settings_have_no_effect() -> None:
    ((level, _),) = loaded(
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2 -kernel inet_dist_use_interface {127,0,0,1}"
    ).remarks
    assert level == "info"


# --- the file of variables


def test_variables_may_be_in_a_file_and_are_weaker_there(tmp_path: Path) -> None:
    file = tmp_path / "rabbitmq-env.conf"
    file.write_text(
        "# mine\nNODENAME=hare@here\nexport RABBITMQ_NODE_PORT=5673\n"
        "LOG_BASE='/var/log/a b'\nMNESIA_BASE=${BASE_FOLDER}/mnesia # there\n\nDEFAULT_USER=$NODENAME\n"
    )
    environment = {"RABBITMQ_CONF_ENV_FILE": str(file), "BASE_FOLDER": "/base", "RABBITMQ_NODE_PORT": "5674"}
    assert with_env_file(environment) == {
        "RABBITMQ_CONF_ENV_FILE": str(file),
        "RABBITMQ_NODENAME": "hare@here",
        "RABBITMQ_NODE_PORT": "5674",
        "RABBITMQ_LOG_BASE": "/var/log/a b",
        "RABBITMQ_MNESIA_BASE": "/base/mnesia",
        "RABBITMQ_DEFAULT_USER": "hare@here",
    }


@pytest.mark.parametrize("line", ["if [ x ]; then", "ulimit -n 1000", "NODENAME='x"])
def test_a_script_that_does_more_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "rabbitmq-env.conf"
    file.write_text(f"NODENAME=x\n{line}\n")
    assert refused(RABBITMQ_CONF_ENV_FILE=str(file)).startswith(f"{file}:2: ")


def test_no_file_is_no_variables() -> None:
    assert loaded(RABBITMQ_CONF_ENV_FILE="/nowhere/x") == Config()


# --- the table


@pytest.mark.parametrize("name", VARIABLES)
def test_every_variable_does_something_or_says_why_not(name: str) -> None:
    variable = VARIABLES[name]
    assert variable.setting or variable.note or variable.summary
    assert (variable.read is None) or variable.summary
    assert bool(variable.note) or variable.verdict is Verdict.EFFECTIVE


@given(st.sampled_from(list(VARIABLES)), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_value_is_read_or_refused_with_the_variable(name: str, value: str) -> None:
    if name.endswith(("_FILE", "_FILES")):
        return
    try:
        read(None, {name: value})
    except StartupError as error:
        problem = str(error)
        assert "\n" not in problem
        assert name in problem


def test_a_name_whose_setting_is_still_to_come_says_so() -> None:
    for alias, setting in ALIASES.items():
        if setting not in SETTINGS:
            assert remarks(**{alias: "x"}) == [f"'{alias}' has no effect: not supported yet"]


def test_both_kinds_are_layers_of_their_own() -> None:
    assert amqpd_variables({"AMQPD_HEARTBEAT": "5"}).values["heartbeat"] == ("5", "AMQPD_HEARTBEAT")
    assert rabbitmq_variables({"RABBITMQ_DEFAULT_USER": "x"}, {}).values["default_user"] == (
        "x",
        "RABBITMQ_DEFAULT_USER",
    )
