"""A file of definitions as it was written."""

from __future__ import annotations

import pytest

from amqpd.definitions import DefinitionsError, Document


@pytest.mark.parametrize("text", ["", " \n", b"\xef\xbb\xbf{}", "\ufeff{}", b"{}"])
def test_an_empty_one_has_nothing(text: str | bytes) -> None:
    assert not list(Document.parse(text).entries("queues"))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{\n "queues": [}', "d.json: not JSON, in line 2, column 13: Expecting value"),
        (b"\xff{}", "d.json: the text is not UTF-8"),
        ("[]", "d.json: definitions have to be a JSON object"),
        ('{"a": NaN}', "d.json: not JSON: NaN is no JSON number"),
        ("[" * 100_000, "d.json: not JSON: "),
        (f'{{"a": {"1" * 5000}}}', "d.json: not JSON: "),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(text: str | bytes, fault: str) -> None:
    with pytest.raises(DefinitionsError) as refused:
        Document.parse(text, "d.json")
    assert str(refused.value).startswith(fault)


@pytest.mark.parametrize(
    ("content", "single"),
    [
        ({"rabbitmq_definition_format": "single_virtual_host"}, True),
        ({"rabbit_version": "3.10.8", "queues": [{"name": "q"}], "parameters": [{"vhost": "v"}]}, True),
        ({"rabbitmq_definition_format": "cluster", "vhosts": [{"name": "v"}], "queues": [{"name": "q"}]}, False),
        ({"queues": [{"name": "q", "vhost": "/"}]}, False),
        ({"users": [{"name": "u"}]}, False),
    ],
)
def test_the_file_of_one_vhost_is_known(content: dict[str, object], single: bool) -> None:
    assert Document(content).is_of_one_vhost is single
