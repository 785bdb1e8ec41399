"""The files of the page, how they are sent, and what else people find at RabbitMQ's addresses."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from amqpd.management.api import RESOURCES
from amqpd.management.page import CONTENT_TYPES, FOLDER, files
from tests.management.harness import Answer, Api


@pytest.fixture
def api() -> Api:
    return Api()


def get(api: Api, path: str, method: str = "GET", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.at(path, method, headers=named, login=None)


def test_the_page_is_there_for_anybody(api: Api) -> None:
    answer = get(api, "/")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b'<script type="module" src="app.js">' in answer.body


def test_the_page_has_all_modules_fetched_at_once(api: Api) -> None:
    named = re.findall(r"<([^>]+)>; rel=modulepreload", get(api, "/").headers["link"])
    assert named == [path for path in files() if path.endswith(".js")]
    assert "link" not in get(api, "/style.css").headers


@pytest.mark.parametrize("path", sorted(files()))
def test_every_file_is_sent_with_its_type_and_strict_rules(api: Api, path: str) -> None:
    answer = get(api, f"/{path}")
    assert answer.status == 200
    assert answer.headers["content-type"] == CONTENT_TYPES[f".{path.rpartition('.')[2]}"]
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_what_a_browser_has_is_not_sent_again(api: Api) -> None:
    first = get(api, "/style.css")
    assert first.headers["cache-control"] == "no-cache"
    for tag in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = get(api, "/style.css", if_none_match=tag)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert get(api, "/style.css", if_none_match='"other"').status == 200


def test_head_and_get_are_all_there_is(api: Api) -> None:
    assert get(api, "/", "HEAD").headers["etag"] == get(api, "/").headers["etag"]
    assert get(api, "/", "POST").status == 405


@pytest.mark.parametrize(
    "path",
    [
        "/nosuch.js",
        "/lib",
        "/lib/",
        "//etc/passwd",
        "/../page.py",
        "/lib/../../page.py",
        "/%2e%2e/page.py",
        "/..%2fpage.py",
        "/style.css/",
        "/package.json",
        "/app.js%00",
    ],
)
def test_nothing_else_is_there(api: Api, path: str) -> None:
    answer = get(api, path)
    assert (answer.status, answer.body) == (404, b"Not found\n")


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/api", "api/index.html"),
        ("/api/", "../api/index.html"),
        ("/cli", "cli/index.html"),
        ("/cli/", "../cli/index.html"),
        ("/doc/stats.html", "../api/index.html"),
    ],
)
def test_rabbitmqs_addresses_lead_on(api: Api, path: str, to: str) -> None:
    answer = get(api, path)
    assert (answer.status, answer.headers["location"]) == (301, to)


def test_the_api_is_described_from_the_table_of_its_resources(api: Api) -> None:
    answer = get(api, "/api/index.html")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    for resource in RESOURCES:
        assert f"<code>/api{resource.path}</code>".encode() in answer.body
    assert get(api, "/api/index.html", if_none_match=answer.headers["etag"]).status == 304


def test_what_the_api_does_not_have_stays_json(api: Api) -> None:
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        answer = get(api, "/api/nosuch", method)
        assert (answer.status, answer.json["error"]) == (404, "Object Not Found")


def test_the_history_ends_now(api: Api) -> None:
    api.put("/queues/%2F/q")
    api.clock.advance(100)
    body = {"properties": {}, "routing_key": "q", "payload": "x", "payload_encoding": "string"}
    api.post("/exchanges/%2F/amq.default/publish", body)
    api.management.rates.history.append(api.management.rates.sample())
    api.clock.advance(5)
    api.post("/exchanges/%2F/amq.default/publish", body)
    found = api.get("/amqpd/history").json
    now = int(api.clock.time() * 1000)
    assert found["times"] == [now - 5000, now]
    assert found["queue_totals"]["messages_ready"] == [1, 2]
    assert found["message_stats"]["deliver_get"] == [0, 0]
    assert {len(counts) for counts in found["message_stats"].values()} == {2}


def test_the_history_is_for_monitoring_since_it_is_of_all_vhosts(api: Api) -> None:
    api.users.add("m", "x", frozenset({"management"}))
    api.users.add("w", "x", frozenset({"monitoring"}))
    assert [api.get("/amqpd/history", login=login).status for login in ("m:x", "w:x")] == [401, 200]


class Inline(HTMLParser):
    """Looks for what a strict policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag in ("style", "iframe", "object") or (tag == "script" and "src" not in names):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name.startswith("on")]
        for name in ("src", "href"):
            if "//" in (names.get(name) or ""):
                self.found.append(str(names[name]))


def test_pages_have_nothing_inline_and_nothing_from_elsewhere(api: Api) -> None:
    pages = {path: file.content for path, file in files().items() if path.endswith(".html")}
    for content in (*pages.values(), get(api, "/api/index.html").body):
        looking = Inline()
        looking.feed(content.decode())
        assert looking.found == []


def test_no_module_makes_html_of_text_or_reaches_elsewhere() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function"
        r"|https?://(?!www\.w3\.org/2000/svg)|@import|url\((?!#)"
    )
    for path, file in files().items():
        if path.endswith((".js", ".css")):
            assert forbidden.search(file.content.decode()) is None, path


def test_every_module_is_used() -> None:
    used = {"app.js"}
    for path in FOLDER.rglob("*.js"):
        for target in re.findall(r'from "(\.[^"]+)"', path.read_text()):
            used.add((path.parent / target).resolve().relative_to(FOLDER).as_posix())
    assert used == {path for path in files() if path.endswith(".js")}
