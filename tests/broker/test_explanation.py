"""Why messages go where they go."""

from __future__ import annotations

from amqpd.broker.explanation import Explanation, explain
from amqpd.broker.vhost import VHost
from amqpd.message import make_message
from tests.broker.steps import Stage


def explained(vhost: VHost, exchange: str, key: str, *keys: str) -> Explanation:
    return explain(vhost, vhost.exchanges[exchange], make_message(exchange, key, b""), keys)


def told(found: Explanation) -> list[tuple[str, bool, bool]]:
    """Exchange by exchange: its name, whether it is an alternate one, whether anything matched there."""
    return [
        (step.exchange.name, step.as_alternate, any(verdict.matched for _, verdict in step.verdicts))
        for step in found.steps
    ]


def names(found: Explanation) -> list[str]:
    return [queue.name for queue in found.queues]


def test_every_binding_has_its_verdict_and_reason() -> None:
    stage = Stage()
    for name in "ab":
        stage.queue(name)
        stage.vhost.bind("amq.direct", name, name, {}, to_queue=True)
    found = explained(stage.vhost, "amq.direct", "a")
    assert names(found) == ["a"]
    assert [(verdict.matched, verdict.reason) for _, verdict in found.steps[0].verdicts] == [
        (True, "binding key 'a' equals routing key 'a'"),
        (False, "binding key 'b' is not routing key 'a'"),
    ]


def test_the_default_exchange_knows_queues_by_name() -> None:
    stage = Stage()
    stage.queue("a")
    found = explained(stage.vhost, "", "a")
    ((_, verdict),) = found.steps[0].verdicts
    assert (names(found), verdict.matched) == (["a"], True)
    assert explained(stage.vhost, "", "b") == Explanation(explained(stage.vhost, "", "b").steps, [])


def test_exchanges_lead_to_each_other_once() -> None:
    stage = Stage()
    vhost = stage.vhost
    stage.queue("q")
    vhost.bind("amq.fanout", "amq.direct", "", {}, to_queue=False)
    vhost.bind("amq.direct", "amq.fanout", "k", {}, to_queue=False)
    vhost.bind("amq.direct", "q", "k", {}, to_queue=True)
    found = explained(vhost, "amq.fanout", "k")
    assert told(found) == [("amq.fanout", False, True), ("amq.direct", False, True)]
    assert [step.reached_from and step.reached_from.name for step in found.steps] == [None, "amq.fanout"]
    assert names(found) == ["q"]


def test_what_matches_nothing_goes_to_the_alternate_exchange() -> None:
    stage = Stage()
    stage.queue("q")
    stage.vhost.declare_exchange("x", "direct", arguments={"alternate-exchange": "amq.fanout"})
    stage.vhost.declare_exchange("y", "direct", arguments={"alternate-exchange": "none"})
    stage.vhost.bind("amq.fanout", "q", "", {}, to_queue=True)
    found = explained(stage.vhost, "x", "k")
    assert told(found) == [("x", False, False), ("amq.fanout", True, True)]
    assert names(found) == ["q"]
    missing = explained(stage.vhost, "y", "k").steps[0]
    assert (missing.alternate, missing.alternate_exists) == ("none", False)


def test_further_keys_are_asked_about_too() -> None:
    stage = Stage()
    for name in "ab":
        stage.queue(name)
        stage.vhost.bind("amq.direct", name, name, {}, to_queue=True)
    found = explained(stage.vhost, "amq.direct", "a", "b")
    assert names(found) == ["a", "b"]
    assert [key for key, _ in found.steps[0].verdicts] == ["a", "a", "b", "b"]


def test_it_is_the_way_messages_take() -> None:
    stage = Stage()
    vhost = stage.vhost
    for name in "abc":
        stage.queue(name)
    vhost.declare_exchange("x", "topic", arguments={"alternate-exchange": "amq.fanout"})
    vhost.bind("x", "a", "k.*", {}, to_queue=True)
    vhost.bind("x", "amq.direct", "#.d", {}, to_queue=False)
    vhost.bind("amq.direct", "b", "k.d", {}, to_queue=True)
    vhost.bind("amq.fanout", "c", "", {}, to_queue=True)
    for key in ("k.d", "k.x", "q.d", "none", ""):
        route = vhost.route(vhost.exchange("x"), make_message("x", key, b""))
        assert set(explained(vhost, "x", key).queues) == set(route.queues)


def test_nothing_is_kept_or_counted() -> None:
    stage = Stage()
    stage.queue("q")
    vhost = stage.vhost
    vhost.declare_exchange("r", "x-recent-history")
    vhost.bind("r", "q", "", {}, to_queue=True)
    assert names(explained(vhost, "r", "k")) == ["q"]
    assert list(vhost.exchanges["r"].replay()) == []
    assert vhost.exchanges["r"].traffic.published == 0
