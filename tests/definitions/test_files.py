"""Definitions that a configuration names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from amqpd.definitions.files import read
from amqpd.errors import StartupError


def test_without_a_file_there_are_none() -> None:
    assert read("") is None


def test_a_folder_is_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text('{"queues": [{"name": "q", "vhost": "v"}]}')
    (tmp_path / "a.json").write_text('{"vhosts": [{"name": "v"}]}')
    (tmp_path / "notes.txt").write_text("no JSON")
    found = read(str(tmp_path))
    assert found is not None
    assert [document.source for document in found.documents] == [str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    assert found.has("vhosts")
    assert not found.has("users")


def test_a_text_comes_after_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    found = read(str(tmp_path / "a.json"), '{"users": [{"name": "ann"}]}')
    assert found is not None
    assert found.source == f"{tmp_path / 'a.json'}, definitions_json"
    assert found.has("users")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=r"cannot read definitions .*nowhere.json: No such file") as refused:
        read(str(tmp_path / "nowhere.json"))
    assert refused.value.exit_code == os.EX_NOINPUT


def test_what_has_no_sense_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"queues": }')
    with pytest.raises(StartupError, match=r"a.json: not JSON, in line 1") as refused:
        read(str(file))
    assert refused.value.exit_code == os.EX_DATAERR


def test_the_digest_is_of_what_it_says() -> None:
    one, same, other = read("", '{"a": 1}'), read("", '{"a": 1}'), read("", '{"a": 2}')
    assert one is not None
    assert same is not None
    assert other is not None
    assert one.digest == same.digest != other.digest


def test_variables_stand_where_they_are_named() -> None:
    text = r'{"users": [{"name": "ann", "password": "${SECRET}"}], "queues": [{"name": "^q$", "n": ${N}}]}'
    found = read("", text, environment={"SECRET": 'a "quoted" \\ word', "N": "7"})
    assert found is not None
    content = found.documents[0].content
    assert content["users"][0]["password"] == 'a "quoted" \\ word'
    assert content["queues"][0] == {"name": "^q$", "n": 7}


def test_a_variable_that_is_not_there_is_named() -> None:
    with pytest.raises(StartupError, match="definitions_json: line 2: there is no variable SECRET in the environment"):
        read("", '{\n"a": "${SECRET}"}', environment={})


def test_variables_are_left_alone_unless_asked_for() -> None:
    found = read("", '{"a": "${SECRET}"}')
    assert found is not None
    assert found.documents[0].content == {"a": "${SECRET}"}


def test_the_file_of_one_vhost_makes_it() -> None:
    text = (
        '{"rabbitmq_definition_format": "single_virtual_host", "original_vhost_name": "shop", "description": "d",'
        ' "limits": {"max-queues": 2}, "queues": [{"name": "q"}]}'
    )
    found = read("", text, default_vhost="/")
    assert found is not None
    vhost, content = found.documents
    assert vhost.content == {"vhosts": [{"name": "shop", "description": "d", "limits": {"max-queues": 2}}]}
    assert [entry.vhost for entry in content.entries("queues")] == ["shop"]


def test_entries_that_name_no_vhost_are_for_the_default_one() -> None:
    found = read("", '{"queues": [{"name": "a"}, {"name": "b", "vhost": "v"}]}', default_vhost="main")
    assert found is not None
    assert [entry.vhost for document in found.documents for entry in document.entries("queues")] == ["main", "v"]
