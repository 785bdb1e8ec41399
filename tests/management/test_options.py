"""How much the HTTP API shows, and how, as the configuration says."""

from __future__ import annotations

import pytest

from amqpd.management.headers import with_headers
from amqpd.management.rates import Rates
from amqpd.management.server import Options, local
from amqpd.message import make_message
from tests.amqp.pair import Pair
from tests.management.harness import Api

DISABLED = {"error": "bad_request", "reason": "Stats in management UI are disabled on this node"}

WITHOUT = ["?disable_stats=true", ""]
"""A query that wants no statistics, and one to a broker that has none."""


@pytest.fixture
def api() -> Api:
    """A connection with a channel, and a queue with a message."""
    api = Api()
    api.vhost.declare_queue("q").push(make_message("", "q", b"x"))
    Pair(api.broker).channel(1)
    return api


def disabled(api: Api, query: str) -> Api:
    api.management.options = Options(disable_stats=not query)
    return api


@pytest.mark.parametrize("query", WITHOUT)
def test_an_overview_without_statistics_counts_objects(api: Api, query: str) -> None:
    found = disabled(api, query).get(f"/overview{query}").json
    assert found["disable_stats"] is True
    assert found["object_totals"] == {"queues": 1, "exchanges": len(api.vhost.exchanges), "connections": 1}
    assert found["node"] == api.broker.node
    assert not {"message_stats", "churn_rates", "queue_totals", "listeners", "contexts"} & set(found)


@pytest.mark.parametrize("query", WITHOUT)
@pytest.mark.parametrize("path", ["/consumers", "/consumers/%2F", "/vhosts/%2F/channels"])
def test_what_only_statistics_know_is_refused(api: Api, query: str, path: str) -> None:
    answer = disabled(api, query).get(path + query)
    assert (answer.status, answer.json) == (400, DISABLED)


@pytest.mark.parametrize("query", WITHOUT)
@pytest.mark.parametrize(
    ("path", "there", "missing"),
    [
        ("/connections", {"name", "user", "client_properties"}, {"recv_oct", "recv_oct_details", "channels", "state"}),
        ("/channels", {"name", "number", "connection_details"}, {"messages_unacknowledged", "consumer_count", "state"}),
        ("/queues", {"name", "durable", "arguments"}, {"messages", "message_bytes", "consumers"}),
        ("/exchanges", {"name", "type", "arguments"}, {"message_stats"}),
        ("/vhosts", {"name", "description", "tags"}, {"messages", "messages_details", "message_stats"}),
        ("/nodes", {"name", "type", "running", "being_drained"}, {"mem_used", "fd_used"}),
    ],
)
def test_objects_without_statistics_are_as_they_were_made(
    api: Api, query: str, path: str, there: set[str], missing: set[str]
) -> None:
    [*_, shown] = disabled(api, query).get(path + query).json
    assert there <= set(shown)
    assert not missing & set(shown)


def test_one_object_without_statistics_is_too(api: Api) -> None:
    disabled(api, "")
    [connection] = api.broker.connections.open
    name = connection.name.replace(" ", "%20").replace(">", "%3E")
    for path, missing in (
        (f"/connections/{name}", "recv_oct"),
        (f"/channels/{name}%20(1)", "consumer_details"),
        ("/queues/%2F/q", "messages"),
        ("/exchanges/%2F/amq.direct", "incoming"),
        ("/vhosts/%2F", "messages"),
        (f"/nodes/{api.broker.node}", "mem_used"),
    ):
        answer = api.get(path)
        assert (answer.status, missing in answer.json) == (200, False), path
    assert api.get("/amqpd/history").status == 404


def test_the_owner_of_the_broker_has_statistics_regardless(api: Api) -> None:
    api.management.options = Options(disable_stats=True)
    api.app = local(api.app)
    assert api.get("/queues/%2F/q", login=None).json["messages"] == 1
    assert "os_pid" in api.get("/nodes", login=None).json[0]
    assert "queue_totals" not in api.get("/overview?disable_stats=true", login=None).json


def test_queues_may_have_totals_all_the_same(api: Api) -> None:
    assert api.get("/queues?disable_stats=true&enable_queue_totals=true").json[0]["messages"] == 1
    api.management.options = Options(disable_stats=True, enable_queue_totals=True)
    for shown in (*api.get("/queues").json, api.get("/queues/%2F/q").json):
        assert (shown["messages"], shown["messages_ready"], shown["messages_unacknowledged"]) == (1, 1, 0)
        assert "message_bytes" not in shown
    assert api.get("/overview").json["enable_queue_totals"] is True


def test_without_rates_nothing_is_told_of_messages_that_come_and_go(api: Api) -> None:
    assert "message_stats" in api.get("/queues/%2F/q").json
    api.management.options = Options(rates_mode="none")
    api.management.rates = api.management.views._rates = Rates(api.broker, off=True)
    shown = api.get("/queues/%2F/q").json
    assert "message_stats" not in shown
    assert shown["messages"] == 1
    overview = api.get("/overview").json
    assert (overview["rates_mode"], overview["message_stats"]) == ("none", {})
    assert api.get("/nodes").json[0]["rates_mode"] == "none"


def test_tags_are_shown(api: Api) -> None:
    api.management.options = Options(cluster_tags={"region": "eu"}, node_tags={"zone": "a"})
    overview = api.get("/overview").json
    assert (overview["cluster_tags"], overview["node_tags"]) == ({"region": "eu"}, {"zone": "a"})


def test_who_asks_is_told_how_long_a_session_is_to_last(api: Api) -> None:
    assert "login_session_timeout" not in api.get("/whoami").json
    api.management.options = Options(login_session_timeout=30)
    assert api.get("/whoami").json["login_session_timeout"] == 30


def test_answers_have_the_headers_that_are_wanted_instead_of_their_own(api: Api) -> None:
    assert api.at("/").headers["x-frame-options"] == "DENY"
    api.app = with_headers(api.app, {"X-Frame-Options": "SAMEORIGIN", "Strict-Transport-Security": "max-age=1"})
    for path in ("/", "/api/overview", "/api/nothing"):
        headers = api.at(path).headers
        assert (headers["x-frame-options"], headers["strict-transport-security"]) == ("SAMEORIGIN", "max-age=1")
    assert api.at("/").headers["x-content-type-options"] == "nosniff"
