"""Tokens as passwords: whose count, who they make somebody, what they permit, and until when."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest

from amqpd.auth.base import Action, Credentials, Denied, Refusal, User
from amqpd.auth.http import Request, Response, Unanswered
from amqpd.auth.keys import PAUSE, BadKey, Key, Keys, key_from_jwk, key_from_pem
from amqpd.auth.oauth2 import MOST_SCOPES, Oauth2Backend, ResourceServer, TokenUser
from amqpd.auth.pending import Pending
from amqpd.clock import VirtualClock
from tests.auth.tokens import EC, ED, NOW, OTHER_RSA, RSA, SECRET, jwk, pem, token
from tests.fakes import LOCAL, RecordingLog

FAILED = "Authentication using an OAuth 2/JWT token failed: "


class Place:
    def __init__(self, static: dict[str, Key] | None = None, *, url: str = "", issuer: str = "", **server: Any) -> None:
        self.clock = VirtualClock(NOW)
        self.log = RecordingLog()
        self.requests: list[Request] = []
        self._open: list[Pending[Response | Unanswered]] = []
        if static is None:
            static = {"k": key_from_pem(pem(RSA))}
        keys = Keys(static, self.clock, self.log, self._fetch, url=url, issuer=issuer)
        settings = {"id": "rabbitmq", "scope_prefix": "rabbitmq.", **server}
        self.backend = Oauth2Backend(ResourceServer(**settings), keys, self.clock)

    def _fetch(self, request: Request) -> Pending[Response | Unanswered]:
        self.requests.append(request)
        self._open.append(Pending())
        return self._open[-1]

    def serve(self, *keys: Any, status: int = 200, body: bytes | None = None) -> None:
        """Answer the oldest request, with a key set."""
        body = json.dumps({"keys": keys}).encode() if body is None else body
        self._open.pop(0).resolve(Response(status, body))

    def fail(self) -> None:
        self._open.pop(0).resolve(Unanswered("timeout"))

    def login(self, shown: bytes | None) -> Any:
        return self.backend.authenticate(Credentials("whatever", shown), LOCAL)

    def user(self, **claims: Any) -> TokenUser:
        found = self.login(token(**claims))
        assert isinstance(found, TokenUser), found
        return found

    def refused(self, shown: bytes | None) -> str:
        """Why it does not count."""
        found = self.login(shown)
        assert isinstance(found, Refusal)
        assert not found.failed
        assert found.reason.startswith(FAILED)
        return found.reason.removeprefix(FAILED)


def outcome(pending: Any) -> Any:
    assert isinstance(pending, Pending)
    found: list[Any] = []
    pending.then(found.append)
    return found[0] if found else None


# --- whose tokens count


def test_a_token_says_who_somebody_is_and_until_when() -> None:
    user = Place().user()
    assert (user.name, user.tags, user.expires) == ("alice", {"management"}, NOW + 3600)
    assert user.scopes == ("read:*/*", "tag:management")


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        (b"guest", "provided token is invalid"),
        (b"", "provided token is invalid"),
        (b"\xff\x00", "provided token is invalid"),
        (b"a.b.c", "provided token is invalid"),
        (b"..", "provided token is invalid"),
        (b"." * 5000, "provided token is invalid"),
        (None, "there is none"),
        (token(OTHER_RSA), "signature_invalid"),
        (token().rpartition(b".")[0] + b"." + token(sub="bob").rpartition(b".")[2], "signature_invalid"),
        (token(kid="other"), "key_not_found"),
        (token(kid=None), "key_not_found"),
        (token(aud="other"), "no_matching_aud_found"),
        (token(aud=["a", "b"]), "no_matching_aud_found"),
        (token(aud=None), "no_aud_found"),
        (token(exp=None), "Provided JWT token has no exp claim"),
        (token(exp=NOW), f"Provided JWT token has expired at timestamp {NOW} (validated at {NOW})"),
        (token(exp=NOW - 5), f"Provided JWT token has expired at timestamp {NOW - 5} (validated at {NOW})"),
        (token(scope=[f"rabbitmq.{number}" for number in range(MOST_SCOPES + 1)]), "too_many_scopes"),
    ],
)
def test_what_does_not_count(shown: bytes | None, why: str) -> None:
    assert Place().refused(shown) == why


@pytest.mark.parametrize("exp", ["tomorrow", True, float("nan"), float("inf"), -1, 1e300, [1]])
def test_an_end_that_is_no_time_does_not_count(exp: Any) -> None:
    assert Place().refused(token(exp=exp)) == "Provided JWT token has an invalid exp claim: value is not a number"


def test_neither_audience_nor_end_are_needed_where_that_is_said() -> None:
    lax = Place(verify_aud=False, require_exp=False)
    for audience in ("other", None):
        user = lax.user(aud=audience, exp=None)
        assert user.expires is None
    assert "has expired" in lax.refused(token(exp=NOW))


@pytest.mark.parametrize("audience", ["rabbitmq", "a rabbitmq b", ["a", "rabbitmq"]])
def test_an_audience_may_have_several_names(audience: Any) -> None:
    assert Place().user(aud=audience).name == "alice"


def b64(value: Any) -> bytes:
    return base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip(b"=")


def unsigned(header: dict[str, Any], payload: Any = None) -> bytes:
    claims = {"sub": "alice", "aud": "rabbitmq", "exp": NOW + 3600, "scope": "rabbitmq.tag:administrator"}
    return b".".join([b64(header), b64(claims if payload is None else payload), b""])


def test_a_token_without_a_signature_never_counts() -> None:
    for algorithm in ("none", "None", "", "RS256", None, 5):
        assert Place().refused(unsigned({"alg": algorithm, "kid": "k"})) in (
            "provided token is invalid",
            "signature_invalid",
        )


def test_a_public_key_is_no_secret() -> None:
    """The attack of old: signed with what everybody knows, in an algorithm that takes any bytes."""
    header, payload = b64({"alg": "HS256", "kid": "k"}), b64({"sub": "alice", "aud": "rabbitmq", "exp": NOW + 60})
    import hashlib
    import hmac

    signature = b64(hmac.new(pem(RSA), header + b"." + payload, hashlib.sha256).digest())
    assert Place().refused(b".".join([header, payload, signature])) == "provided token is invalid"


def test_a_key_that_comes_with_the_token_does_not_count() -> None:
    header = {
        "alg": "RS256",
        "kid": "other",
        "jwk": jwk(OTHER_RSA, "other"),
        "jku": "http://evil/",
        "x5u": "http://evil/",
    }
    payload = {"sub": "alice", "aud": "rabbitmq", "exp": NOW + 3600}
    made = jwt.encode(payload, OTHER_RSA, "RS256", header).encode()
    place = Place()
    assert place.refused(made) == "key_not_found"
    assert not place.requests


@pytest.mark.parametrize(
    "payload", [[], "x", 5, None, {"sub": {"a": 1}, "aud": {"rabbitmq": 1}, "exp": NOW + 60, "scope": {"a": 1}}]
)
def test_claims_of_the_wrong_kind_are_no_claims(payload: Any) -> None:
    body = b64({"alg": "RS256", "kid": "k"}) + b"." + b64(payload)
    signature = b64(jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).sign(body, RSA))
    assert Place().refused(body + b"." + signature) in ("provided token is invalid", "no_matching_aud_found")


def test_a_token_made_to_exhaust_the_parser_is_no_token() -> None:
    deep = b"[" * 100_000
    assert Place().refused(b64(deep) + b"." + b64(deep) + b".x") == "provided token is invalid"
    body = b64({"alg": "RS256", "kid": "k"}) + b"." + b64(deep)
    signature = b64(jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).sign(body, RSA))
    assert Place().refused(body + b"." + signature) == "provided token is invalid"


@pytest.mark.parametrize(
    ("key", "made"),
    [
        (key_from_pem(pem(RSA)), token(RSA, "PS512")),
        (key_from_pem(pem(EC)), token(EC, "ES256")),
        (key_from_pem(pem(ED)), token(ED, "EdDSA")),
        (key_from_jwk(jwk(SECRET, algorithm=jwt.algorithms.HMACAlgorithm)), token(SECRET, "HS384")),
        (key_from_jwk({"kty": "MAC", "value": SECRET.decode(), "alg": "HMACSHA256"}), token(SECRET, "HS256")),
    ],
)
def test_kinds_of_keys(key: Key, made: bytes) -> None:
    assert isinstance(Place({"k": key}).login(made), TokenUser)
    assert Place({"k": key_from_pem(pem(OTHER_RSA))}).refused(made) in (
        "signature_invalid",
        "provided token is invalid",
    )


def test_only_some_algorithms_may_count() -> None:
    place = Place(algorithms=("RS512",))
    assert place.refused(token()) == "provided token is invalid"
    assert isinstance(place.login(token(RSA, "RS512")), TokenUser)
    only = Place({"k": key_from_jwk(jwk(RSA, alg="RS512"))})
    assert only.refused(token()) == "provided token is invalid"


@pytest.mark.parametrize(
    "made",
    [
        {},
        {"kty": "RSA"},
        {"kty": "x"},
        {"kty": 5},
        jwk(RSA, use="enc"),
        jwk(RSA, alg="ES256"),
        jwk(RSA, alg="none"),
        {**jwk(RSA), "n": "!"},
        {**jwk(RSA), "n": 5},
        {"kty": "MAC"},
        {"kty": "EC", "crv": "P-256", "x": "a", "y": "b"},
    ],
)
def test_a_key_that_is_none_is_said_to_be(made: dict[str, Any]) -> None:
    with pytest.raises(BadKey):
        key_from_jwk(made)


def test_a_file_without_a_key_is_said_to_be() -> None:
    for text in (b"", b"-----BEGIN CERTIFICATE-----\nx", b"-----BEGIN PUBLIC KEY-----\nx"):
        with pytest.raises(BadKey):
            key_from_pem(text)


def test_tokens_that_name_no_key_are_of_the_default_one() -> None:
    assert isinstance(Place(default_key="k").login(token(kid=None)), TokenUser)


# --- keys that are fetched


def test_keys_are_fetched_when_one_is_unknown() -> None:
    place = Place({}, url="https://h/keys")
    answer = place.login(token())
    assert outcome(answer) is None
    assert place.requests == [Request("GET", "https://h/keys")]
    place.serve(jwk(RSA, use="sig"))
    assert outcome(answer).name == "alice"
    assert isinstance(place.login(token()), TokenUser)
    assert len(place.requests) == 1


def test_all_who_need_a_key_wait_for_the_same_answer() -> None:
    place = Place({}, url="https://h/keys")
    answers = [place.login(token(sub=str(number))) for number in range(3)]
    assert len(place.requests) == 1
    place.serve(jwk(RSA))
    assert [outcome(answer).name for answer in answers] == ["0", "1", "2"]


def test_keys_are_not_fetched_more_often_than_every_so_many_seconds() -> None:
    place = Place({}, url="https://h/keys")
    answer = place.login(token(kid="unknown"))
    place.serve(jwk(RSA))
    assert outcome(answer) == Refusal(f"{FAILED}key_not_found")
    assert place.refused(token(kid="another")) == "key_not_found"
    place.clock.advance(PAUSE)
    answer = place.login(token(OTHER_RSA, kid="new"))
    place.serve(jwk(OTHER_RSA, "new"))
    assert isinstance(outcome(answer), TokenUser)
    assert place.refused(token()) == "key_not_found"  # no longer one of the set


def test_keys_of_files_stay_beside_those_fetched() -> None:
    place = Place({"k": key_from_pem(pem(RSA))}, url="https://h/keys")
    answer = place.login(token(OTHER_RSA, kid="new"))
    place.serve(jwk(OTHER_RSA, "new"), {"kty": "EC", "kid": "bad"}, "nonsense", {"kid": 5})
    assert isinstance(outcome(answer), TokenUser)
    assert isinstance(place.login(token()), TokenUser)
    assert place.log.texts("warning") == ["a signing key is of no use"]


def test_the_issuer_says_where_keys_are() -> None:
    place = Place({}, issuer="https://h/.well-known/openid-configuration")
    answer = place.login(token())
    place.serve(body=b'{"jwks_uri": "https://h/k"}')
    assert [request.url for request in place.requests] == ["https://h/.well-known/openid-configuration", "https://h/k"]
    place.serve(jwk(RSA))
    assert isinstance(outcome(answer), TokenUser)


@pytest.mark.parametrize("body", [b"", b"x", b"{}", b"[]", b"5", b'{"keys": 5}', b'{"keys": []}', b"[" * 100_000])
@pytest.mark.parametrize("status", [200, 404])
def test_nonsense_instead_of_keys_lets_nobody_in_and_is_forgotten(body: bytes, status: int) -> None:
    for place in (Place({}, url="https://h/keys"), Place({}, issuer="https://h/i")):
        answer = place.login(token())
        place.serve(status=status, body=body)
        assert outcome(answer) == Refusal(f"{FAILED}the signing keys cannot be had", failed=True)
        assert place.log.texts("error") == ["failed to download signing keys"]
        place.clock.advance(PAUSE)
        again = place.login(token())
        place.fail()
        assert outcome(again).failed


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/", 5, None])
def test_keys_come_over_http_alone(url: Any) -> None:
    place = Place({}, issuer="https://h/i")
    answer = place.login(token())
    place.serve(body=json.dumps({"jwks_uri": url}).encode())
    assert outcome(answer).failed
    assert len(place.requests) == 1


def test_what_is_no_token_costs_nothing() -> None:
    place = Place({}, url="https://h/keys")
    assert place.refused(b"guest") == "provided token is invalid"
    assert not place.requests


# --- who somebody is


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({}, "alice"),
        ({"sub": None, "client_id": "service"}, "service"),
        ({"sub": None, "client_id": ["x"]}, "unknown"),
        ({"sub": None}, "unknown"),
    ],
)
def test_the_name_is_that_of_the_first_claim_there_is(claims: dict[str, Any], name: str) -> None:
    assert Place(default_key="k").user(**claims).name == name


def test_names_may_come_from_other_claims() -> None:
    assert Place(username_claims=("user_name", "email")).user(email="a@b").name == "a@b"


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "rabbitmq.a  b rabbitmq.a"}, ["a"]),
        ({"scope": ["rabbitmq.b", "rabbitmq.a", 5, None]}, ["a", "b"]),
        ({"scope": 5}, []),
        ({"scope": "rabbitmqx.a rabbitmq"}, []),
        ({"scope": "rabbitmq.a", "roles": "rabbitmq.b"}, ["a", "b"]),
        ({"scope": None, "roles": ["rabbitmq.b"]}, ["b"]),
        ({"scope": None, "roles": {"rabbitmq": ["c", "d"], "other": ["e"]}}, ["c", "d"]),
        ({"scope": None, "roles": {"rabbitmq": "c d"}}, ["c", "d"]),
        ({"scope": None, "deep": {"down": ["rabbitmq.f"]}}, ["f"]),
        ({"scope": None, "deep": [{"down": "rabbitmq.f"}, {"down": ["rabbitmq.g"]}, 5]}, ["f", "g"]),
        ({"scope": None, "deep": {"down": {"down": "rabbitmq.f"}}}, []),
        ({"scope": None, "authorization": {"permissions": [{"scopes": ["rabbitmq.h"], "rsid": "x"}]}}, ["h"]),
        ({"scope": "admin other"}, ["tag:administrator", "x"]),
    ],
)
def test_where_scopes_are_found(claims: dict[str, Any], scopes: list[str]) -> None:
    place = Place(
        additional_scopes_key="roles deep.down", scope_aliases={"admin": "rabbitmq.tag:administrator rabbitmq.x"}
    )
    assert list(place.user(**claims).scopes) == scopes


def test_scopes_may_begin_with_something_else_or_nothing() -> None:
    assert Place(scope_prefix="").user(scope="read:*/* x").scopes == ("read:*/*", "x")
    assert Place(scope_prefix="api://r/").user(scope="api://r/read:*/* rabbitmq.x").scopes == ("read:*/*",)


# --- what they may do


def test_scopes_permit_what_they_say_and_nothing_else() -> None:
    place = Place()
    backend = place.backend
    user = place.user(scope="rabbitmq.read:%2F/q.* rabbitmq.write:v/e/{sub}.* rabbitmq.configure:*/x")
    assert [backend.may_enter(user, vhost, LOCAL) for vhost in ("/", "v", "w")] == [True, True, True]
    assert [backend.may(user, Action.READ, "/", "queue", name) for name in ("q.1", "p")] == [True, False]
    assert not backend.may(user, Action.READ, "v", "queue", "q.1")
    assert not backend.may(user, Action.WRITE, "/", "queue", "q.1")
    assert backend.may(user, Action.WRITE, "v", "exchange", "e")
    assert backend.checks_topics(user, "v", "e")
    keys = ("alice.1", "bob.1")
    assert [backend.may_use_topic(user, Action.WRITE, "v", "e", key) for key in keys] == [True, False]
    assert not backend.may_use_topic(user, Action.READ, "/", "q.1", "k")  # the scope says nothing of keys


def test_who_has_no_scope_for_a_vhost_does_not_enter() -> None:
    place = Place()
    assert place.backend.may_enter(place.user(scope="rabbitmq.tag:administrator"), "/", LOCAL) is False


def test_an_expired_token_permits_nothing() -> None:
    place = Place()
    user = place.user()
    place.clock.advance(3600)
    text = f"Provided JWT token has expired at timestamp {NOW + 3600} (validated at {NOW + 3600})"
    assert place.backend.may_enter(user, "/", LOCAL) == Denied(text, failed=True)
    assert not place.backend.may(user, Action.READ, "/", "queue", "q")
    assert not place.backend.may_use_topic(user, Action.READ, "/", "e", "k")


def test_a_token_counts_for_who_was_let_in_elsewhere_but_gives_no_tags() -> None:
    admitted = Place().backend.admit(Credentials("alice", token()), LOCAL)
    assert isinstance(admitted, TokenUser)
    assert admitted.tags == frozenset()
    assert admitted.scopes


# --- a new token


def test_a_new_token_takes_the_place_of_the_former() -> None:
    place = Place()
    renewed = place.backend.update_secret(place.user(), token(exp=NOW + 9000, scope="rabbitmq.write:*/*"), LOCAL)
    assert isinstance(renewed, TokenUser)
    assert (renewed.expires, renewed.tags, renewed.scopes) == (NOW + 9000, frozenset(), ("write:*/*",))


def test_a_new_token_of_somebody_else_or_that_does_not_count_is_refused() -> None:
    place = Place()
    user = place.user()
    refusal = Refusal("Not allowed to change username on refreshed token")
    assert place.backend.update_secret(user, token(sub="bob"), LOCAL) == refusal
    assert isinstance(place.backend.update_secret(user, token(exp=NOW), LOCAL), Refusal)


def test_a_new_token_may_have_to_wait_for_its_key() -> None:
    place = Place(url="https://h/keys")
    answer = place.backend.update_secret(place.user(), token(OTHER_RSA, kid="new"), LOCAL)
    place.serve(jwk(OTHER_RSA, "new"))
    assert isinstance(outcome(answer), TokenUser)


def test_no_token_is_logged_or_shown() -> None:
    place = Place(url="https://h/keys")
    shown = token(OTHER_RSA)
    for one in (shown, token(aud="x"), token(kid="x")):
        place.login(one)
        assert one.decode() not in repr(place.log.lines)
    assert "alice" not in repr(place.user().claims) or "claims" not in repr(place.user())
    assert isinstance(place.user(), User)
