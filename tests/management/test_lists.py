"""Pages, order, choice and columns of lists."""

from __future__ import annotations

import pytest

from tests.management.harness import Api


@pytest.fixture
def api() -> Api:
    """Queues q0 to q9, with as many messages as their number."""
    api = Api()
    for number in reversed(range(10)):
        api.vhost.declare_queue(f"q{number}", durable=number % 2 == 0)
        for _ in range(number):
            api.post("/exchanges/%2F/amq.default/publish", _publish(f"q{number}"))
    return api


def _publish(queue: str) -> dict[str, object]:
    return {"properties": {}, "routing_key": queue, "payload": "x", "payload_encoding": "string"}


def names(api: Api, query: str) -> list[str]:
    found = api.get(f"/queues?{query}").json
    return [each["name"] for each in (found["items"] if isinstance(found, dict) else found)]


def test_a_list_is_sorted_by_name_unless_told_otherwise(api: Api) -> None:
    assert names(api, "") == [f"q{number}" for number in range(10)]


def test_it_is_sorted_by_any_column(api: Api) -> None:
    assert names(api, "sort=messages&sort_reverse=true")[:2] == ["q9", "q8"]
    assert names(api, "sort=message_stats.publish")[-1] == "q9"
    assert names(api, "sort=nosuch") == names(api, "")


def test_a_page_says_of_how_many_it_is_one(api: Api) -> None:
    found = api.get("/queues?page=2&page_size=3").json
    assert [each["name"] for each in found.pop("items")] == ["q3", "q4", "q5"]
    assert found == {
        "filtered_count": 10,
        "item_count": 3,
        "page": 2,
        "page_count": 4,
        "page_size": 3,
        "total_count": 10,
    }


def test_pages_are_of_what_was_chosen(api: Api) -> None:
    found = api.get("/queues?page=1&name=Q[12]&use_regex=true").json
    assert (found["filtered_count"], found["total_count"]) == (2, 10)
    assert names(api, "page=1&name=7") == ["q7"]


@pytest.mark.parametrize("query", ["page=x", "page=1&page_size=x", "page=1&name=(&use_regex=true"])
def test_what_makes_no_page_is_refused(api: Api, query: str) -> None:
    answer = api.get(f"/queues?{query}")
    assert (answer.status, answer.json["reason"]) == (400, "Pagination parameters are invalid")


@pytest.mark.parametrize(("page", "size"), [("0", "5"), ("1", "501"), ("1", "0"), ("-1", "1")])
def test_there_are_no_such_pages(api: Api, page: str, size: str) -> None:
    answer = api.get(f"/queues?page={page}&page_size={size}")
    reason = f"Invalid pagination parameters: page number {page}, page size {size}"
    assert (answer.status, answer.json) == (400, {"error": "invalid_pagination_parameters", "reason": reason})


def test_a_page_behind_the_last_is_refused(api: Api) -> None:
    answer = api.get("/queues?page=3&page_size=10")
    reason = "Page out of range, page: 3 page size: 10, len: 10"
    assert answer.json == {"error": "page_out_of_range", "reason": reason}


def test_only_the_columns_asked_for_are_shown(api: Api) -> None:
    assert api.get("/queues?columns=name,messages,nosuch").json[3] == {"name": "q3", "messages": 3}


def test_a_column_may_lie_inside_another(api: Api) -> None:
    found = api.get("/queues?columns=message_stats.publish").json
    assert found[2] == {"message_stats": {"publish": 2}}


def test_an_empty_list_is_one(api: Api) -> None:
    assert api.get("/connections").json == []


LISTS = ("queues", "exchanges", "bindings", "vhosts", "users", "permissions", "topic-permissions", "policies",
         "operator-policies", "parameters", "global-parameters", "vhost-limits", "user-limits")  # fmt: skip


@pytest.mark.parametrize("kind", LISTS)
def test_a_column_says_the_same_alone_as_among_all(api: Api, kind: str) -> None:
    api.put("/vhosts/other", {})
    api.put("/queues/other/s", {"arguments": {"x-queue-type": "stream"}})
    api.put("/users/anna", {"password": "secret", "tags": ""})
    api.put("/permissions/other/anna", {"configure": "", "write": "a", "read": "b"})
    api.put("/topic-permissions/other/anna", {"exchange": "amq.topic", "write": "a", "read": "b"})
    for policies in ("policies", "operator-policies"):
        api.put(f"/{policies}/other/p", {"pattern": "^q", "definition": {"max-length": 10}, "apply-to": "queues"})
    api.put("/global-parameters/g", {"value": 1})
    api.put("/vhost-limits/other/max-queues", {"value": 100})
    api.put("/user-limits/anna/max-channels", {"value": 100})
    api.put("/exchanges/other/x", {"type": "topic", "durable": False})
    everything = api.get(f"/{kind}").json
    for column in {column for each in everything for column in each}:
        alone = api.get(f"/{kind}?columns={column}").json
        assert alone == [{column: each[column]} if column in each else {} for each in everything], column
    assert everything or kind == "parameters"


def test_no_statistics_are_known_when_they_are_not_wanted(api: Api) -> None:
    assert api.get("/queues?columns=name,messages&disable_stats=true").json[0] == {"name": "q0"}
    assert api.get("/queues?columns=messages&disable_stats=true&enable_queue_totals=true").json[3] == {"messages": 3}


def test_an_expression_that_could_take_forever_does_not(api: Api) -> None:
    api.vhost.declare_queue("a" * 200)
    assert api.get("/queues?page=1&name=(a%2B)%2B$&use_regex=true").status == 400
    assert names(api, f"name={'a' * 199}.&use_regex=true") == ["a" * 200]


def test_the_columns_of_a_single_object_can_be_chosen(api: Api) -> None:
    api.vhost.declare_queue("q")
    assert api.get("/queues/%2F/q?columns=name,messages").json == {"name": "q", "messages": 0}
    assert api.get("/overview?columns=object_totals.queues").json == {"object_totals": {"queues": 11}}
    assert api.get("/nodes?columns=name").json == [{"name": api.broker.node}]
