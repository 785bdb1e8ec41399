"""Configuration files: which there are, and of which kind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amqpd.config import default_file
from amqpd.config.files import Kind, RabbitFiles, kind_of, named_files, rabbit_file, rabbit_folder, read_any
from amqpd.config.findings import Verdict
from amqpd.errors import StartupError


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("amqpd.toml", "", Kind.TOML),
        ("amqpd.toml", "[{rabbit, []}].", Kind.TOML),
        ("rabbitmq.conf", "heartbeat = 10", Kind.CONF),
        ("rabbitmq.conf", "", Kind.CONF),
        ("rabbitmq.conf", "% x\n[{rabbit, []}].", Kind.TERMS),
        ("rabbitmq.config", "[{rabbit, []}].", Kind.TERMS),
        ("rabbitmq.config", "[].", Kind.TERMS),
        ("rabbitmq.config", "nonsense", Kind.TERMS),
        ("enabled_plugins", "[rabbitmq_management].", Kind.PLUGINS),
        ("enabled_plugins", "%% made\n[a,\n b].\n", Kind.PLUGINS),
        ("settings", '[log]\nlevel = "debug"', Kind.TOML),
        ("settings", "log.console.level = debug", Kind.CONF),
        ("settings", "\n [ {rabbit, []} ].", Kind.TERMS),
    ],
)
def test_the_kind_of_a_file_is_in_its_ending_or_its_text(tmp_path: Path, name: str, text: str, kind: Kind) -> None:
    file = tmp_path / name
    file.write_text(text)
    assert kind_of(file) is kind


def test_a_folder_is_one() -> None:
    assert kind_of(Path()) is Kind.FOLDER


# --- amqpd.toml


def test_amqpd_toml_is_looked_for_where_it_is_started_and_in_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, home, own = tmp_path / "work", tmp_path / "home", tmp_path / "own"
    work.mkdir()
    monkeypatch.chdir(work)
    for folder in (home / ".config" / "amqpd", own / "amqpd"):
        folder.mkdir(parents=True)
        (folder / "amqpd.toml").touch()
    assert default_file({"HOME": str(home)}) == home / ".config" / "amqpd" / "amqpd.toml"
    assert default_file({"HOME": str(home), "XDG_CONFIG_HOME": str(own)}) == own / "amqpd" / "amqpd.toml"
    (work / "amqpd.toml").touch()
    assert default_file({"XDG_CONFIG_HOME": str(own)}) == Path("amqpd.toml")


# --- RabbitMQ's


def test_a_folder_has_all_that_rabbitmq_would_read(tmp_path: Path) -> None:
    folder = tmp_path
    (folder / "conf.d").mkdir()
    for name in (
        "rabbitmq.conf",
        "conf.d/20-b.conf",
        "conf.d/10-a.conf",
        "conf.d/x.txt",
        "advanced.config",
        "other.conf",
    ):
        (folder / name).touch()
    (folder / "enabled_plugins").write_text("[].")
    assert rabbit_folder(folder) == RabbitFiles(
        (folder / "rabbitmq.conf", folder / "conf.d" / "10-a.conf", folder / "conf.d" / "20-b.conf"),
        folder / "advanced.config",
        folder / "enabled_plugins",
    )


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="it has no rabbitmq") as caught:
        rabbit_folder(tmp_path)
    assert caught.value.exit_code == os.EX_NOINPUT


def test_beside_a_file_conf_d_is_read(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.conf").touch()
    assert rabbit_file(tmp_path / "mine.conf").main == (tmp_path / "mine.conf", tmp_path / "conf.d" / "a.conf")


@pytest.mark.parametrize("named", ["rabbitmq", "rabbitmq.conf"])
def test_a_variable_names_the_file_with_or_without_its_ending(tmp_path: Path, named: str) -> None:
    (tmp_path / "rabbitmq.conf").touch()
    files, missing = named_files({"RABBITMQ_CONFIG_FILE": str(tmp_path / named)})
    assert (files.main, missing) == ((tmp_path / "rabbitmq.conf",), [])


def test_a_variable_names_the_other_files(tmp_path: Path) -> None:
    for name in ("more/b.conf", "more/a.conf", "more/c.txt", "advanced.config", "plugins"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    environment = {
        "RABBITMQ_CONFIG_FILES": str(tmp_path / "more"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(tmp_path / "advanced"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(tmp_path / "plugins"),
    }
    files, _ = named_files(environment)
    more = (tmp_path / "more" / "a.conf", tmp_path / "more" / "b.conf")
    assert files == RabbitFiles(more, tmp_path / "advanced.config", tmp_path / "plugins")
    files, _ = named_files({"RABBITMQ_CONFIG_FILES": str(tmp_path / "more" / "a*")})
    assert files.main == more[:1]


def test_what_is_given_is_stronger_than_what_a_variable_names(tmp_path: Path) -> None:
    (tmp_path / "a.conf").touch()
    given = RabbitFiles((tmp_path / "mine.conf",))
    files, _ = named_files({"RABBITMQ_CONFIG_FILE": str(tmp_path / "a.conf")}, given)
    assert files.main == given.main


def test_a_file_that_is_named_and_not_there_is_a_finding(tmp_path: Path) -> None:
    files, (finding,) = named_files({"RABBITMQ_CONFIG_FILE": str(tmp_path / "nope")})
    assert files == RabbitFiles()
    assert finding.verdict is Verdict.IGNORED
    assert str(finding) == f"'RABBITMQ_CONFIG_FILE' has no effect: there is no file {tmp_path / 'nope'}"


def test_later_files_are_stronger_and_advanced_config_is_the_strongest(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "rabbitmq.conf").write_text("heartbeat = 1\nframe_max = 5001\nchannel_max = 1\n")
    (tmp_path / "conf.d" / "1.conf").write_text("frame_max = 5002\nchannel_max = 2\n")
    (tmp_path / "advanced.config").write_text("[{rabbit, [{channel_max, 3}]}].")
    layer = read_any(tmp_path, {})
    assert {key: value.value for key, value in layer.values.items()} == {
        "heartbeat": 1,
        "frame_max": 5002,
        "channel_max": 3,
    }
    assert layer.values["channel_max"].place == f"{tmp_path / 'advanced.config'}:1"
