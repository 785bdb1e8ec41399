"""rabbitmq-server: RabbitMQ's usual files and variables, as far as they are about the process."""

from __future__ import annotations

from pathlib import Path

from amqpd.cli.rabbitmq.server import defaults, options


def test_usual_files_are_named_where_they_are_there(tmp_path: Path) -> None:
    assert defaults({}, tmp_path) == {}
    (tmp_path / "rabbitmq.conf").touch()
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "enabled_plugins").touch()
    assert defaults({}, tmp_path) == {
        "RABBITMQ_CONFIG_FILE": f"{tmp_path}/rabbitmq.conf",
        "RABBITMQ_CONFIG_FILES": f"{tmp_path}/conf.d",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{tmp_path}/enabled_plugins",
    }
    assert "RABBITMQ_CONFIG_FILE" not in defaults({"RABBITMQ_CONFIG_FILE": "/mine.conf"}, tmp_path)


def test_a_list_of_plugins_that_is_not_there_enables_none(tmp_path: Path) -> None:
    named = {"RABBITMQ_ENABLED_PLUGINS_FILE": str(tmp_path / "enabled_plugins")}
    assert defaults(named, tmp_path) == {"AMQPD_MANAGEMENT_ENABLED": "false"}
    assert defaults({**named, "AMQPD_MANAGEMENT_ENABLED": "true"}, tmp_path) == {}
    (tmp_path / "enabled_plugins").touch()
    assert defaults(named, tmp_path) == {}


def test_variables_about_the_process_become_options() -> None:
    assert options({}, detached=False) == []
    assert options({"RABBITMQ_PID_FILE": "/run/pid"}, detached=False) == ["--pidfile", "/run/pid"]
    assert options({"RABBITMQ_LOG_BASE": "/log"}, detached=False) == []
    assert options({"RABBITMQ_LOG_BASE": "/log"}, detached=True) == ["--detach", "--log-file", "/log/amqpd.log"]
