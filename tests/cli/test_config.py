"""`amqpd config`, and what the broker makes of its configuration, as processes."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from amqpd.config.reference import honoured, without_effect
from amqpd.testing.client import Client
from tests.cli.command import amqpd, refused
from tests.cli.test_main import Start, start

__all__ = ["start"]  # a fixture


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


# --- config check


def test_check_says_of_each_key_what_it_does(tmp_path: Path) -> None:
    file = written(tmp_path, "rabbitmq.conf", "heartbeat = 5\nhipe_compile = true\nheartbeet = 1\n")
    done = amqpd("config", "check", file)
    assert (done.returncode, done.stderr) == (os.EX_OK, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["KEY", "WHERE"]
    assert lines[1:] == [
        ["effective", "heartbeat", f"{file}:1"],
        ["accepted", "hipe_compile", f"{file}:2", "a", "matter", "of", "Erlang"],
        ["unknown", "heartbeet", f"{file}:3", "did", "you", "mean", "'heartbeat'?"],
    ]


def test_check_leaves_with_78_when_something_is_wrong(tmp_path: Path) -> None:
    file = written(tmp_path, "rabbitmq.conf", "heartbeat = soon\nframe_max = 8192\n")
    done = amqpd("config", "check", file)
    assert done.returncode == os.EX_CONFIG
    assert "'heartbeat' is 'soon', but has to be" in done.stdout
    assert "effective  frame_max" in done.stdout


def test_check_can_be_strict(tmp_path: Path) -> None:
    file = written(tmp_path, "rabbitmq.conf", "heartbeet = 1\n")
    assert amqpd("config", "check", file).returncode == os.EX_OK
    assert amqpd("config", "check", "--strict-config", file).returncode == os.EX_CONFIG


def test_check_refuses_what_makes_no_sense_with_its_line(tmp_path: Path) -> None:
    file = written(tmp_path, "rabbitmq.config", "[\n{rabbit, [}].")
    assert refused("config", "check", file) == (os.EX_CONFIG, f"amqpd: {file}:2: '}}' is not expected here")


def test_check_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    code, line = refused("config", "check", str(tmp_path / "nope.conf"))
    assert code == os.EX_NOINPUT
    assert "nope.conf" in line


def test_check_takes_a_folder_and_a_file_that_sets_nothing(tmp_path: Path) -> None:
    written(tmp_path, "enabled_plugins", "[rabbitmq_event_exchange].")
    assert "rabbitmq_event_exchange" in amqpd("config", "check", str(tmp_path)).stdout
    assert amqpd("config", "check", written(tmp_path, "x.conf", "# nothing\n")).stdout.strip() == "nothing is set"


# --- config dump and keys


def test_dump_shows_all_settings_and_no_password(tmp_path: Path) -> None:
    file = written(tmp_path, "rabbitmq.conf", "default_pass = wonder\nheartbeat = 5\nnonsense = 1\n")
    done = amqpd("config", "dump", "-c", file, RABBITMQ_NODE_PORT="5673", AMQPD_CHANNEL_MAX="7")
    assert done.returncode == os.EX_OK
    assert "wonder" not in done.stdout
    found = tomllib.loads(done.stdout)
    assert (found["heartbeat"], found["channel_max"]) == (5, 7)
    assert found["listeners"]["tcp"]["default"] == "127.0.0.1:5673"
    assert f"heartbeat = 5  # {file}:2" in done.stdout
    assert done.stderr == f"amqpd: {file}:3: unknown key 'nonsense'\n"


def test_dump_finds_the_file_the_broker_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, "amqpd.toml", "heartbeat = 9")
    assert "heartbeat = 9  # amqpd.toml" in amqpd("config", "dump").stdout


def test_options_of_a_command_come_after_it() -> None:
    done = amqpd("-c", "amqpd.toml", "config", "dump")
    assert done.returncode == os.EX_USAGE
    assert "options of 'config' come after that word" in done.stderr


def test_keys_are_listed_as_markdown() -> None:
    assert amqpd("config", "keys").stdout == honoured()
    assert amqpd("config", "keys", "--all").stdout == f"{honoured()}\n{without_effect()}"


# --- the broker


def test_the_broker_takes_rabbitmqs_files_and_variables(start: Start, tmp_path: Path) -> None:
    conf = "listeners.tcp.default = 127.0.0.1:0\nheartbeat = 8\nloopback_users.guest = false\nhipe_compile = true\n"
    variables = {
        "RABBITMQ_CONFIG_FILE": written(tmp_path, "rabbitmq.conf", conf).removesuffix(".conf"),
        "RABBITMQ_DEFAULT_USER": "alice",
        "RABBITMQ_DEFAULT_PASS": "wonder",
        "RABBITMQ_ERLANG_COOKIE": "x",
        "RABBITMQ_VM_MEMORY_HIGH_WATERMARK": "0.4",
    }
    broker = start("--memory", **variables)
    with Client(broker.url.replace("guest:guest", "alice:wonder")) as client:
        assert client.tune is not None
        assert client.tune.heartbeat == 8
        client.close()
    lines = [line.split(" ", 2)[2] for line in broker.log if "no effect" in line]
    assert f"[info] {tmp_path / 'rabbitmq.conf'}:4: 'hipe_compile' has no effect: a matter of Erlang" in lines
    assert any(line.startswith("[warning] 'RABBITMQ_VM_MEMORY_HIGH_WATERMARK' has no effect") for line in lines)
    assert not any("wonder" in line for line in broker.log)


def test_the_broker_refuses_unknown_keys_when_told_to(tmp_path: Path) -> None:
    file = written(tmp_path, "rabbitmq.conf", "\nheartbeet = 1\n")
    code, line = refused("--strict-config", "-c", file)
    assert code == os.EX_CONFIG
    assert line == f"amqpd: {file}:2: unknown key 'heartbeet'; did you mean 'heartbeat'?"


def test_the_log_may_go_to_a_file_too(start: Start, tmp_path: Path) -> None:
    broker = start("--memory", AMQPD_LOG_DIR=str(tmp_path / "log"), AMQPD_LOG_FILE_LEVEL="debug")
    with Client(broker.url) as client:
        client.close()
    broker.stop()
    text = (tmp_path / "log" / "amqpd.log").read_text()
    assert "Server startup complete" in text
    assert "connection closed" in text
    assert not any("connection closed" in line for line in broker.log)


def test_a_log_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    code, line = refused("--memory", "-p", "0", AMQPD_LOG_FILE=str(tmp_path))
    assert (code, line) == (os.EX_CANTCREAT, f"amqpd: cannot write the log to {tmp_path}: Is a directory")


def test_lines_about_connections_may_be_left_out(start: Start, tmp_path: Path) -> None:
    broker = start("--memory", "-c", written(tmp_path, "rabbitmq.conf", "log.connection.level = error\n"))
    with Client(broker.url) as client:
        client.close()
    broker.stop()
    assert not any("connection opened" in line for line in broker.log)
    assert any("Server stopped" in line for line in broker.log)


def test_the_message_of_the_day_is_logged(start: Start, tmp_path: Path) -> None:
    motd = written(tmp_path, "motd", "Be nice.\nTwice.\n")
    broker = start("--memory", "-c", written(tmp_path, "rabbitmq.conf", f"motd_file = {motd}\n"))
    texts = [line.split("] ", 1)[1] for line in broker.log]
    assert texts[:2] == ["Be nice.", "Twice."]
    code, line = refused("--memory", "-p", "0", AMQPD_MOTD_FILE=str(tmp_path / "nope"))
    assert code == os.EX_NOINPUT
    assert "nope" in line
