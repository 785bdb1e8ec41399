"""Definitions that a broker is started with, as whoever starts it sees them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import QueueDeclare, QueueDeclareOk
from tests.cli.command import OURS, refused

FILE = {"queues": [{"name": "jobs", "arguments": {"x-max-length": 5}}]}


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(OURS) and name != "AMQPD_PURE":
            monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "definitions.json"
    file.write_text(json.dumps(FILE))
    return file


def has_jobs(url: str) -> bool:
    with Client(url) as client:
        client.channel(1)
        found = client.call(1, QueueDeclare(queue="jobs", passive=True), QueueDeclareOk).queue
        client.close()
    return found == "jobs"


def test_they_are_there_when_clients_connect_and_one_line_says_so(file: Path, tmp_path: Path) -> None:
    with BrokerProcess("-D", str(tmp_path / "data"), "--definitions", str(file)) as broker:
        assert has_jobs(broker.url)
    told = [line for line in broker.log if "definitions" in line]
    assert len(told) == 1
    assert "imported definitions: 1 user, 1 vhost, 1 permission, 1 queue" in told[0]
    with BrokerProcess("-D", str(tmp_path / "data"), "--definitions", str(file)) as broker:
        assert has_jobs(broker.url)
    assert [line for line in broker.log if "definitions" in line] == []


def test_rabbitmq_conf_names_them(file: Path, tmp_path: Path) -> None:
    for line in (
        f"load_definitions = {file}",
        f"management.load_definitions = {file}",
        f"definitions.import_backend = local_filesystem\ndefinitions.local.path = {tmp_path / 'definitions'}",
    ):
        (tmp_path / "definitions").mkdir(exist_ok=True)
        (tmp_path / "definitions" / "d.json").write_text(json.dumps(FILE))
        (tmp_path / "rabbitmq.conf").write_text(line + "\n")
        with BrokerProcess("--memory", "-c", str(tmp_path / "rabbitmq.conf")) as broker:
            assert has_jobs(broker.url)
        assert not [line for line in broker.log if "warning" in line]


@pytest.mark.parametrize("name", ["AMQPD_DEFINITIONS", "AMQPD_DEFINITIONS_JSON", "RABBITMQ_DEFINITIONS_FILE"])
def test_so_do_variables(file: Path, name: str) -> None:
    value = file.read_text() if name.endswith("JSON") else str(file)
    with BrokerProcess("--memory", environment={name: value}) as broker:
        assert has_jobs(broker.url)


def test_variables_may_hold_what_files_should_not(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(
        '{"users": [{"name": "guest", "password": "${SECRET}", "tags": []}], "vhosts": [{"name": "/"}],'
        '"permissions": [{"user": "guest", "vhost": "/", "configure": "", "write": "", "read": ".*"}],'
        '"queues": [{"name": "jobs"}]}'
    )
    options = ("--memory", "--definitions", str(tmp_path / "d.json"), "--definitions-env")
    with BrokerProcess(*options, environment={"SECRET": "guest"}) as broker:
        assert has_jobs(broker.url)
    code, line = refused("-p", "0", *options)
    assert (code, line.endswith("d.json: line 1: there is no variable SECRET in the environment")) == (65, True)


def test_a_bad_file_is_named_with_its_entry_and_leaves_nothing(file: Path, tmp_path: Path) -> None:
    file.write_text(json.dumps({"queues": [*FILE["queues"], {"name": "q", "durable": "yes"}]}))
    data = str(tmp_path / "data")
    code, line = refused("-p", "0", "-D", data, "--definitions", str(file))
    assert code == os.EX_DATAERR
    assert line == (
        f"amqpd: cannot import the definitions: {file}: queues[1] ('q' in vhost '/'): 'durable' has to be true or false"
    )
    with BrokerProcess("-D", data) as broker, Client(broker.url):
        pass  # as at a first start


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    code, line = refused("-p", "0", "--memory", "--definitions", str(tmp_path / "no.json"))
    assert (code, line) == (
        os.EX_NOINPUT,
        f"amqpd: cannot read definitions {tmp_path / 'no.json'}: No such file or directory",
    )


def test_strict_leaves_nobody_who_can_log_in() -> None:
    environment = {"AMQPD_DEFINITIONS_JSON": '{"vhosts": [{"name": "v"}]}'}
    with BrokerProcess("--memory", "--strict-definitions", environment=environment) as broker:
        pass
    assert [line for line in broker.log if "[warning] nobody can log in" in line.replace("  ", " ")]
