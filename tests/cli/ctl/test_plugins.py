"""rabbitmq-plugins: the list of enabled plug-ins, in RabbitMQ's file and words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amqpd.config.plugins import BUILT_IN, PLUGINS

from .conftest import Call


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> Path:
    """Where the list is; nothing is there yet."""
    monkeypatch.setenv("RABBITMQ_ENABLED_PLUGINS_FILE", str(tmp_path / "enabled_plugins"))
    return tmp_path / "enabled_plugins"


def test_what_is_enabled_is_in_the_file(call: Call, file: Path) -> None:
    code, output, _ = call("rabbitmq-plugins", "enable", "--offline", "rabbitmq_shovel", "rabbitmq_management")
    assert code == os.EX_OK
    assert output == (
        "Enabling plugins on node rabbit@here:\n"
        "rabbitmq_shovel\n"
        "rabbitmq_management\n"
        "The following plugins have been configured:\n"
        "  rabbitmq_management\n"
        "  rabbitmq_shovel\n"
        "Applying plugin configuration to rabbit@here...\n"
        "The following plugins have been enabled:\n"
        "  rabbitmq_management\n"
        "  rabbitmq_shovel\n"
        "\n"
        "set 2 plugins.\n"
        "Offline change; changes will take effect at broker restart.\n"
    )
    assert file.read_text() == "[rabbitmq_management,rabbitmq_shovel].\n"
    assert list(file.parent.iterdir()) == [file]


def test_names_may_be_separated_by_commas(call: Call, file: Path) -> None:
    assert call("rabbitmq-plugins", "-q", "enable", "rabbitmq_top,rabbitmq_mqtt")[0] == os.EX_OK
    assert file.read_text() == "[rabbitmq_mqtt,rabbitmq_top].\n"


def test_what_is_enabled_already_changes_nothing(call: Call, file: Path) -> None:
    file.write_text("[ rabbitmq_top ,\n 'rabbitmq_mqtt' ].\n")
    code, output, _ = call("rabbitmq-plugins", "enable", "rabbitmq_top")
    assert code == os.EX_OK
    assert output.endswith("Plugin configuration unchanged.\n")


def test_what_is_disabled_is_gone(call: Call, file: Path) -> None:
    file.write_text("[rabbitmq_mqtt,rabbitmq_top].")
    code, output, _ = call("rabbitmq-plugins", "disable", "rabbitmq_mqtt")
    assert code == os.EX_OK
    assert "The following plugins have been disabled:\n  rabbitmq_mqtt\n" in output
    assert file.read_text() == "[rabbitmq_top].\n"
    code, output, _ = call("rabbitmq-plugins", "disable", "--all")
    assert "All plugins have been disabled.\n" in output
    assert file.read_text() == "[].\n"


def test_what_is_set_replaces_the_list(call: Call, file: Path) -> None:
    file.write_text("[rabbitmq_mqtt,rabbitmq_top].")
    assert call("rabbitmq-plugins", "set", "rabbitmq_shovel")[0] == os.EX_OK
    assert file.read_text() == "[rabbitmq_shovel].\n"
    assert call("rabbitmq-plugins", "set")[0] == os.EX_OK
    assert file.read_text() == "[].\n"


def test_all_can_be_enabled(call: Call, file: Path) -> None:
    assert call("rabbitmq-plugins", "enable", "--all")[0] == os.EX_OK
    assert file.read_text() == f"[{','.join(sorted(PLUGINS))}].\n"


def test_an_unknown_name_is_warned_of_and_left_out(call: Call, file: Path) -> None:
    code, _, errors = call("rabbitmq-plugins", "enable", "rabbitmq_nonsense", BUILT_IN[0])
    assert (code, errors) == (os.EX_OK, "Warning: there is no plugin rabbitmq_nonsense; it is ignored\n")
    assert file.read_text() == f"[{BUILT_IN[0]}].\n"


def test_what_amqpd_does_nothing_for_is_warned_of_and_kept(call: Call, file: Path) -> None:
    code, _, errors = call("rabbitmq-plugins", "enable", "rabbitmq_stomp")
    assert (code, errors) == (os.EX_OK, "Warning: this version of amqpd does nothing for rabbitmq_stomp\n")
    assert file.read_text() == "[rabbitmq_stomp].\n"


def test_where_nothing_can_be_recorded_a_script_goes_on(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "nowhere" / "enabled_plugins"
    monkeypatch.setenv("RABBITMQ_ENABLED_PLUGINS_FILE", str(file))
    code, _, errors = call("rabbitmq-plugins", "enable", BUILT_IN[0])
    assert code == os.EX_OK
    assert errors == f"Warning: cannot write {file}, nothing is recorded: No such file or directory\n"


def test_whether_plugins_are_enabled_is_an_exit_code(call: Call, file: Path) -> None:
    file.write_text("[rabbitmq_top].")
    found = call("rabbitmq-plugins", "is_enabled", "rabbitmq_top")
    assert found == (
        os.EX_OK,
        (
            "Asking node rabbit@here if plugin rabbitmq_top is enabled...\n"
            "Plugin rabbitmq_top is enabled on node rabbit@here\n"
        ),
        "",
    )
    found = call("rabbitmq-plugins", "-q", "is_enabled", BUILT_IN[0], "rabbitmq_top")
    assert found == (os.EX_OK, f"Plugins {BUILT_IN[0]}, rabbitmq_top are enabled on node rabbit@here\n", "")
    code, output, errors = call("rabbitmq-plugins", "-q", "is_enabled", "rabbitmq_top", "rabbitmq_mqtt")
    assert (code, output) == (os.EX_UNAVAILABLE, "")
    assert errors.startswith("Error:\nPlugin rabbitmq_mqtt is not enabled on node rabbit@here. Enabled plugins and")


def test_the_list_shows_what_is_enabled_and_runs(call: Call, file: Path) -> None:
    file.write_text("[rabbitmq_shovel].")
    code, output, _ = call("rabbitmq-plugins", "list", "shovel|hash")
    assert code == os.EX_OK
    assert output == (
        'Listing plugins with pattern "shovel|hash" ...\n'
        " Configured: E = explicitly enabled; e = implicitly enabled\n"
        " | Status: * = running on rabbit@here\n"
        " |/\n"
        "[e*] rabbitmq_consistent_hash_exchange\n"
        "[E ] rabbitmq_shovel\n"
        "[  ] rabbitmq_shovel_management\n"
    )


def test_the_list_can_be_names_only(call: Call, file: Path) -> None:
    file.write_text("[rabbitmq_shovel].")
    assert call("rabbitmq-plugins", "list", "-q", "-E", "-m")[1] == "rabbitmq_shovel\n"
    assert call("rabbitmq-plugins", "list", "-q", "-e", "-m")[1].splitlines() == sorted([*BUILT_IN, "rabbitmq_shovel"])


def test_a_file_that_is_no_list_is_left_alone(call: Call, file: Path) -> None:
    file.write_text("rabbitmq_management\n")
    code, _, errors = call("rabbitmq-plugins", "enable", "rabbitmq_top")
    assert code == os.EX_CONFIG
    assert errors.startswith(f"Error: {file}:")
    assert file.read_text() == "rabbitmq_management\n"


def test_where_the_list_is_can_be_asked(call: Call, file: Path) -> None:
    assert call("rabbitmq-plugins", "-q", "directories")[1] == f"Enabled plugins file: {file}\n"


@pytest.mark.parametrize("arguments", [[], ["enable"], ["is_enabled"], ["list", "("], ["nonsense"]], ids=" ".join)
def test_what_cannot_be_is_a_usage_error(arguments: list[str], call: Call, file: Path) -> None:
    assert call("rabbitmq-plugins", *arguments)[0] == os.EX_USAGE
