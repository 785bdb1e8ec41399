"""Definitions over HTTP: a file to download, and to upload."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amqpd.definitions.importing import AT_ONCE
from tests.management.harness import Api


@pytest.fixture
def api() -> Api:
    return Api()


def test_the_whole_broker_is_exported(api: Api) -> None:
    api.vhost.declare_queue("q", durable=True)
    answer = api.get("/definitions")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json["rabbitmq_definition_format"] == "cluster"
    assert answer.json["rabbitmq_version"] == "4.2.9"
    assert [user["name"] for user in answer.json["users"]] == ["guest"]
    assert [queue["name"] for queue in answer.json["queues"]] == ["q"]
    assert answer.json["bindings"] == []


def test_thousands_of_queues_are_exported(api: Api) -> None:
    for number in range(1201):
        api.vhost.declare_queue(f"q{number:04}")
    assert [queue["name"] for queue in api.get("/definitions").json["queues"]] == [f"q{n:04}" for n in range(1201)]


def test_what_is_known_already_is_not_sent_again(api: Api) -> None:
    known = api.get("/definitions").headers["etag"]
    again = api.get("/definitions", headers={"If-None-Match": known})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", known)
    api.put("/queues/%2F/q")
    changed = api.get("/definitions", headers={"If-None-Match": known})
    assert changed.status == 200
    assert changed.headers["etag"] != known


def test_a_form_goes_on_to_an_address_only(api: Api) -> None:
    form = (
        b'--b\r\ncontent-disposition: form-data; name="file"\r\n\r\n{}\r\n'
        b'--b\r\ncontent-disposition: form-data; name="redirect"\r\n\r\n/\nx: y\r\n--b--'
    )
    answer = api.post("/definitions", form, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert (answer.status, answer.json["reason"]) == (400, "redirect has to be an address")


def test_a_vhost_is_exported(api: Api) -> None:
    api.broker.add_vhost("v").declare_queue("mine")
    api.vhost.declare_queue("other")
    found = api.get("/definitions/v").json
    assert found["rabbitmq_definition_format"] == "single_virtual_host"
    assert [queue["name"] for queue in found["queues"]] == ["mine"]


def test_it_can_be_saved_under_a_name(api: Api) -> None:
    assert api.get("/definitions?download=x.json").headers["content-disposition"] == "attachment; filename=x.json"
    assert api.get("/definitions?download=a%20b").status == 400


def test_what_was_exported_can_be_imported_elsewhere(api: Api) -> None:
    api.broker.policies.set("/", "p", "^q", {"max-length": 5})
    api.vhost.declare_queue("q", durable=True)
    api.vhost.bind("amq.topic", "q", "#", {}, to_queue=True)
    elsewhere = Api()
    assert elsewhere.post("/definitions", api.get("/definitions").json).status == 204
    assert elsewhere.get("/definitions").json == api.get("/definitions").json
    (line,) = elsewhere.log.texts("info")
    assert line == "imported definitions: 1 user, 1 vhost, 1 policy, 1 queue, 1 binding"


def test_a_file_is_imported_into_a_vhost(api: Api) -> None:
    api.broker.add_vhost("v")
    api.vhost.declare_queue("q")
    assert api.post("/definitions/v", api.get("/definitions/%2F").json).status == 204
    assert set(api.broker.vhosts["v"].queues) == {"q"}


def test_many_are_imported(api: Api) -> None:
    queues = [{"name": f"q{number}", "vhost": "/"} for number in range(3 * AT_ONCE)]
    assert api.post("/definitions", {"queues": queues}).status == 204
    assert len(api.vhost.queues) == 3 * AT_ONCE


def test_a_form_may_bring_the_file(api: Api) -> None:
    file = json.dumps({"queues": [{"name": "q", "vhost": "/"}]})
    fields = {"redirect": "/#/import", "file": file}

    def body(names: list[str]) -> bytes:
        parts = [
            f'--xyz\r\nContent-Disposition: form-data; name="{name}"; filename="d.json"\r\n\r\n{fields[name]}\r\n'
            for name in names
        ]
        return ("".join(parts) + "--xyz--\r\n").encode()

    headers = {"content-type": 'multipart/form-data; boundary="xyz"'}
    answer = api.post("/definitions", body(["file", "redirect"]), headers=headers)
    assert (answer.status, answer.headers["location"]) == (303, "/#/import")
    assert "q" in api.vhost.queues
    assert api.post("/definitions", body(["file"]), headers=headers).status == 204
    answer = api.post("/definitions", body(["redirect"]), headers=headers)
    assert (answer.status, answer.json["reason"]) == (400, "the form has no file")
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=abc"):
        assert api.post("/definitions", body(["file"]), headers={"content-type": content_type}).status == 400


@pytest.mark.parametrize(
    ("path", "body", "status", "answer"),
    [
        ("/definitions", b"{", 400, {"error": "bad_request", "reason": "failed_to_parse_json"}),
        ("/definitions", b"[]", 400, {"error": "bad_request", "reason": "failed_to_parse_json"}),
        ("/definitions/nowhere", b"{}", 404, {"error": "not_found", "reason": "vhost_not_found"}),
        (
            "/definitions",
            {"queues": [{"name": "q", "vhost": "/"}, {"name": "p", "vhost": "nowhere"}]},
            400,
            {
                "error": "bad_request",
                "reason": "queues[1] ('p' in vhost 'nowhere'): Virtual host 'nowhere' does not exist",
            },
        ),
    ],
)
def test_what_cannot_be_imported_is_refused(api: Api, path: str, body: Any, status: int, answer: object) -> None:
    refused = api.post(path, body)
    assert (refused.status, refused.json) == (status, answer)
    assert not api.vhost.queues


def test_a_vhost_that_is_not_there_has_none(api: Api) -> None:
    answer = api.get("/definitions/nowhere")
    assert (answer.status, answer.json["reason"]) == (400, "vhost_not_found")


def test_an_empty_file_is_fine(api: Api) -> None:
    assert api.post("/definitions", b"").status == 204


@pytest.mark.parametrize("path", ["/definitions", "/definitions/%2F"])
def test_they_are_for_administrators(api: Api, path: str) -> None:
    api.users.add("ann", "x", ["monitoring", "policymaker"])
    api.users.set_permissions("ann", "/", configure=".*", write=".*", read=".*")
    assert api.get(path, login="ann:x").status == 401
    assert api.post(path, {}, login="ann:x").status == 401
