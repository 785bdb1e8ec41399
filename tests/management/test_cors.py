"""What pages of other web sites are permitted, and the paths the API is found at."""

from __future__ import annotations

import pytest

from amqpd.management.cors import Cors
from tests.management.harness import Answer, Api

SITE = "https://example.org"


@pytest.fixture
def api() -> Api:
    api = Api()
    api.management.cors = Cors([SITE], 60)
    return api


def permits(answer: Answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def test_a_site_that_is_configured_may_use_the_api(api: Api) -> None:
    answer = api.get("/whoami", headers={"Origin": SITE})
    assert permits(answer) == {"access-control-allow-origin": SITE, "access-control-allow-credentials": "true"}
    assert answer.headers["vary"] == "origin"
    assert "access-control-allow-origin" in permits(api.get("/whoami", login=None, headers={"Origin": SITE}))


def test_a_browser_that_asks_first_is_told_all(api: Api) -> None:
    headers = {"Origin": SITE, "Access-Control-Request-Headers": "authorization"}
    answer = api.request("OPTIONS", "/users/u", login=None, headers=headers)
    assert answer.status == 200
    assert permits(answer) == {
        "access-control-allow-origin": SITE,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "HEAD, GET, PUT, DELETE, OPTIONS",
        "access-control-max-age": "60",
        "access-control-allow-headers": "authorization",
    }


@pytest.mark.parametrize("origin", ["https://other.org", "null", "*"])
def test_others_may_not(api: Api, origin: str) -> None:
    assert permits(api.get("/whoami", headers={"Origin": origin})) == {}


def test_all_sites_may_use_it_without_credentials_of_the_browser(api: Api) -> None:
    api.management.cors = Cors(["*"])
    assert permits(api.get("/whoami", headers={"Origin": "https://other.org"})) == {"access-control-allow-origin": "*"}


def test_the_api_is_found_behind_a_prefix_too() -> None:
    api = Api(path_prefix="/rabbit")
    api.put("/queues/%2F/a%2Fb")
    assert api.get("/../rabbit/api/queues/%2F/a%2Fb").status == 404
    for prefix in ("", "/rabbit"):
        assert api.request("GET", "/queues/%2F/a%2Fb", prefix=prefix).json["name"] == "a/b"
    assert api.request("GET", "/whoami", prefix="/other").status == 404
    assert api.request("GET", "/whoami", prefix="/rabbits").status == 404


def test_a_body_over_the_limit_that_is_configured_is_refused() -> None:
    api = Api(body_limit=10)
    assert api.put("/queues/%2F/q", b" " * 11).json["reason"] == "Exceeded HTTP request body size limit"
    assert api.put("/queues/%2F/q", b" " * 10).status == 201
