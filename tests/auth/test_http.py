"""What the HTTP backend asks, word for word, and what it makes of the answers."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.auth.base import Action, Credentials, Denied, Refusal, User
from amqpd.auth.http import RECHECK, HttpBackend, Paths, Request, Response, Unanswered
from amqpd.auth.pending import Pending
from tests.fakes import LOCAL, RecordingLog

ALICE = User("alice", frozenset({"b", "a"}))


class Server:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._pending: Pending[Response | Unanswered]

    def __call__(self, request: Request) -> Pending[Response | Unanswered]:
        self.requests.append(request)
        self._pending = Pending()
        return self._pending

    def answer(self, answer: Response | Unanswered | str) -> None:
        self._pending.resolve(Response(200, answer.encode()) if isinstance(answer, str) else answer)


class Place:
    def __init__(self, method: str = "post", *, discloses: bool = False) -> None:
        self.server = Server()
        self.log = RecordingLog()
        paths = Paths("http://h/u", "http://h/v", "http://h/r", "http://h/t", method)
        self.backend = HttpBackend(self.server, paths, self.log, discloses=discloses)

    def heard(self, pending: Any, answer: Response | Unanswered | str) -> Any:
        """What comes of a question that is answered so."""
        found: list[Any] = []
        pending.then(found.append)
        assert not found
        self.server.answer(answer)
        return found[0]

    def login(self, answer: Response | Unanswered | str, password: bytes | None = b"pw") -> Any:
        return self.heard(self.backend.authenticate(Credentials("alice", password), LOCAL), answer)

    def entry(self, answer: Response | Unanswered | str) -> Any:
        return self.heard(self.backend.may_enter(ALICE, "/", LOCAL), answer)


def test_requests_are_those_of_rabbitmq() -> None:
    place = Place()
    backend, requests = place.backend, place.server.requests
    backend.authenticate(Credentials("älice b", b"p&w=+%\xff"), LOCAL)
    backend.authenticate(Credentials("cert", None, "client 1"), LOCAL)
    backend.may_enter(ALICE, "/", LOCAL)
    backend.may(ALICE, Action.CONFIGURE, "v", "queue", "q.1")
    backend.may_use_topic(ALICE, Action.WRITE, "v", "e", "a.#")
    assert [(request.method, request.url) for request in requests] == [
        ("POST", "http://h/u"),
        ("POST", "http://h/u"),
        ("POST", "http://h/v"),
        ("POST", "http://h/r"),
        ("POST", "http://h/t"),
    ]
    topic = b"&routing_key=a.%23&variable_map.username=alice&variable_map.vhost=v"
    assert [request.form for request in requests] == [
        b"username=%C3%A4lice+b&password=p%26w%3D%2B%25%FF",
        b"username=cert&client_id=client+1",
        b"username=alice&vhost=%2F&ip=127.0.0.1&tags=a+b",
        b"username=alice&vhost=v&resource=queue&name=q.1&permission=configure&tags=a+b",
        b"username=alice&vhost=v&resource=topic&name=e&permission=write&tags=a+b" + topic,
    ]


def test_with_get_parameters_are_in_the_query() -> None:
    place = Place("get")
    place.backend.authenticate(Credentials("alice", b"pw"), LOCAL)
    assert place.server.requests == [Request("GET", "http://h/u?username=alice&password=pw")]
    assert "pw" not in repr(place.server.requests)


@pytest.mark.parametrize(
    ("answer", "tags"),
    [("allow", ""), ("  ALLOW\n", ""), ("allow administrator  management", "administrator management")],
)
def test_allow_lets_in_with_its_tags(answer: str, tags: str) -> None:
    assert Place().login(answer) == User("alice", frozenset(tags.split()), recheck=RECHECK)
    assert Place().login(Response(201, answer.encode())).tags == frozenset(tags.split())


def test_who_was_let_in_elsewhere_gets_no_tags_here() -> None:
    place = Place()
    admitted = place.heard(place.backend.admit(Credentials("alice", b"pw"), LOCAL), "allow administrator")
    assert admitted == User("alice", recheck=RECHECK)


def test_deny_refuses_and_its_reason_is_logged() -> None:
    refusal = Refusal("Denied by the backing HTTP service")
    assert Place().login("deny") == Place().login("Deny") == refusal
    place = Place()
    assert place.login("deny too late") == refusal
    assert place.log.lines == [("info", "HTTP authentication denied", {"user": "alice", "reason": "too late"})]
    assert place.entry("deny") is False
    assert place.entry("deny it is night") == Denied()
    assert place.log.lines[1][2]["reason"] == "it is night"


def test_the_reason_is_told_to_clients_where_that_is_wanted() -> None:
    assert Place(discloses=True).entry("deny it is night") == Denied("it is night")


NONSENSE: list[Any] = [
    "",
    "yes",
    "allowed",
    "allowadministrator",
    "<html>allow</html>",
    "true",
    "denyallow",
    "\x00allow",
    Response(200, b"\xff\xfe"),
    Response(204, b"allow"),
    Response(302, b"allow"),
    Response(401, b"allow"),
    Response(404, b"deny"),
    Response(500, b"allow administrator"),
    Unanswered("timeout"),
    Unanswered("failed_connect"),
]


@pytest.mark.parametrize("answer", NONSENSE)
def test_nonsense_lets_nobody_in(answer: Any) -> None:
    place = Place()
    refusal = place.login(answer)
    assert isinstance(refusal, Refusal)
    assert refusal.failed
    for verdict in (
        place.entry(answer),
        place.heard(place.backend.may(ALICE, Action.READ, "/", "queue", "q"), answer),
        place.heard(place.backend.may_use_topic(ALICE, Action.READ, "/", "e", "k"), answer),
    ):
        assert isinstance(verdict, Denied)
        assert verdict.failed
        assert verdict.addition
        assert not verdict
    assert "the HTTP authentication service failed" in place.log.texts("error")


def test_only_a_login_has_tags() -> None:
    verdict = Place().entry("allow administrator")
    assert verdict == Denied("bad_response", failed=True)


def test_no_password_is_logged() -> None:
    for answer in ("allow", "deny", "deny no", *NONSENSE):
        place = Place("get")
        place.login(answer, b"s3cret")
        assert "s3cret" not in repr(place.log.lines)
