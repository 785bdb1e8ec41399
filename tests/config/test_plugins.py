"""Plug-ins by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amqpd.broker.exchanges import find_type
from amqpd.config import Config
from amqpd.config.findings import Verdict
from amqpd.config.plugins import BUILT_IN, PLUGINS, at_work, enable, has_effect, read_file
from amqpd.errors import StartupError


def test_a_file_is_a_list_of_names(tmp_path: Path) -> None:
    file = tmp_path / "enabled_plugins"
    file.write_text("%% made by hand\n[rabbitmq_management,\n rabbitmq_mqtt].\n")
    assert read_file(file) == ["rabbitmq_management", "rabbitmq_mqtt"]
    file.write_text("[].")
    assert read_file(file) == []


@pytest.mark.parametrize("text", ["", "rabbitmq_mqtt.", '["rabbitmq_mqtt"].', "[a]. [b].", "[a", "[{a}]."])
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "enabled_plugins"
    file.write_text(text)
    with pytest.raises(StartupError) as caught:
        read_file(file)
    assert caught.value.exit_code == os.EX_CONFIG
    assert str(caught.value).startswith(f"{file}:1: ")


def test_enabling_one_sets_what_stands_for_it() -> None:
    layer = enable(["rabbitmq_event_exchange"], "F")
    assert layer.values["event_exchange"] == ("true", "F")


def test_metrics_on_a_port_of_their_own_are_a_plugin() -> None:
    assert enable(["rabbitmq_prometheus"], "F").values["prometheus.enabled"] == ("true", "F")
    assert "rabbitmq_prometheus" in at_work(Config(prometheus=True))
    assert "rabbitmq_prometheus" not in at_work(Config())


def test_what_is_built_in_needs_nothing() -> None:
    layer = enable(["rabbitmq_consistent_hash_exchange", "rabbitmq_delayed_message_exchange"], "F")
    assert list(layer.values) == ["management.enabled"]
    assert {finding.verdict for finding in layer.findings} == {Verdict.EFFECTIVE}


@pytest.mark.parametrize(("names", "enabled"), [(["rabbitmq_management"], "true"), (["rabbitmq_prometheus"], "false")])
def test_a_list_without_management_is_one_without_its_api(names: list[str], enabled: str) -> None:
    assert enable(names, "F").values["management.enabled"] == (enabled, "F")


def test_an_unknown_one_is_said_to_be() -> None:
    (finding,) = enable(["rabbitmq_nonsense"], "F").findings
    assert str(finding) == "F: unknown key 'rabbitmq_nonsense'; amqpd has no such plug-in"


@pytest.mark.parametrize("name", PLUGINS)
def test_every_one_is_said_something_about(name: str) -> None:
    (finding,) = enable([name], "F").findings
    assert finding.verdict in (Verdict.EFFECTIVE, Verdict.ACCEPTED, Verdict.IGNORED)


# --- at work


TYPES = {
    "rabbitmq_consistent_hash_exchange": "x-consistent-hash",
    "rabbitmq_delayed_message_exchange": "x-delayed-message",
    "rabbitmq_random_exchange": "x-random",
    "rabbitmq_recent_history_exchange": "x-recent-history",
}


def test_what_is_said_to_be_built_in_is() -> None:
    assert set(BUILT_IN) == set(TYPES)
    for exchange_type in TYPES.values():
        assert find_type(exchange_type) is not None


def test_what_is_at_work_follows_the_settings() -> None:
    built_in = set(BUILT_IN)
    assert set(at_work(Config(management=False))) == built_in
    assert set(at_work(Config(management=True))) == {*built_in, "rabbitmq_management"}
    assert set(at_work(Config(management=False, event_exchange=True))) == {*built_in, "rabbitmq_event_exchange"}


def test_what_has_no_effect_is_not_at_work() -> None:
    assert not has_effect("rabbitmq_stomp")
    assert all(has_effect(name) for name in at_work(Config()))
