"""Policies: which of them apply to what, when, and what becomes of an object then."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.broker.broker import Broker
from amqpd.broker.policies import EXCHANGES, Policies, Policy
from amqpd.broker.queue import Queue
from amqpd.broker.stream import Stream
from amqpd.errors import NoSuchObject, ValidationFailed
from tests.broker.steps import Stage, consume, drain, take

TYPES = ("classic", "quorum", "stream")


def policies(*found: Policy, operator: tuple[Policy, ...] = ()) -> Policies:
    all_of_them = Policies()
    for policy in found:
        all_of_them.put("policy", policy)
    for policy in operator:
        all_of_them.put("operator_policy", policy)
    return all_of_them


def winner(found: Policies, kind: str, name: str) -> str | None:
    applied = found.find(kind, name)
    return applied.policy.name if applied is not None and applied.policy is not None else None


# --- matching


def test_nothing_applies_where_there_are_no_policies() -> None:
    assert policies().find("classic", "q") is None


@pytest.mark.parametrize(
    ("apply_to", "kinds"),
    [
        ("all", {*TYPES, EXCHANGES}),
        ("queues", set(TYPES)),
        ("exchanges", {EXCHANGES}),
        ("classic_queues", {"classic"}),
        ("quorum_queues", {"quorum"}),
        ("streams", {"stream"}),
    ],
)
def test_a_policy_is_for_the_kinds_it_names(apply_to: str, kinds: set[str]) -> None:
    found = policies(Policy("p", "", {"max-length-bytes": 1}, 0, apply_to))
    assert {kind for kind in (*TYPES, EXCHANGES) if winner(found, kind, "x")} == kinds


def test_it_passes_by_queues_that_cannot_have_all_it_sets() -> None:
    found = policies(Policy("p", "", {"max-length-bytes": 1, "max-age": "1h"}))
    assert [kind for kind in (*TYPES, EXCHANGES) if winner(found, kind, "x")] == ["stream", EXCHANGES]


def test_the_highest_priority_wins_and_among_equals_the_first_name() -> None:
    found = policies(
        Policy("b", "", {"expires": 1}, 1.5),
        Policy("a", "", {"expires": 1}, 1.5),
        Policy("low", "", {"expires": 1}, -3),
        Policy("else", "^z", {"expires": 1}, 9),
    )
    assert winner(found, "classic", "q") == "a"
    assert winner(found, "classic", "z") == "else"
    found.remove("policy", "a")
    assert winner(found, "classic", "q") == "b"


def test_objects_with_the_same_policies_share_what_applies() -> None:
    found = policies(Policy("p", "", {"expires": 1}), operator=(Policy("o", "", {"expires": 2}),))
    applied = found.find("classic", "one")
    assert applied is not None
    assert found.find("classic", "other") is applied
    assert applied.definition == {"expires": 1}
    found.put("policy", Policy("elsewhere", "^x", {"expires": 3}))
    assert found.find("classic", "one", applied) is applied  # nothing has changed for it


# --- setting and clearing


def test_a_policy_is_set_in_place_of_the_one_with_its_name() -> None:
    stage = Stage()
    queue = stage.queue()
    for length in (1, 2):
        stage.broker.policies.set("/", "p", "", {"max-length": length})
        assert queue.effective == {"x-queue-type": "classic", "x-max-length": length}
    stage.broker.policies.clear("/", "p")
    assert queue.effective is queue.arguments
    assert queue.policies is None
    with pytest.raises(NoSuchObject, match="Parameter does not exist"):
        stage.broker.policies.clear("/", "p")


def test_setting_the_same_again_changes_nothing() -> None:
    stage = Stage()
    queue = stage.queue()
    stage.broker.policies.set("/", "p", "", {"expires": 1000})
    applied = queue.policies
    stage.broker.policies.set("/", "p", "", {"expires": 1000})
    assert queue.policies is applied


def test_what_cannot_be_changes_nothing() -> None:
    stage = Stage()
    queue = stage.queue()
    stage.broker.policies.set("/", "p", "", {"max-length": 1})
    with pytest.raises(ValidationFailed):
        stage.broker.policies.set("/", "p", "(", {"max-length": 2})
    with pytest.raises(NoSuchObject, match="Virtual host 'nope' does not exist"):
        stage.broker.policies.set("nope", "p", "", {"max-length": 2})
    assert queue.effective == {"x-queue-type": "classic", "x-max-length": 1}


@pytest.mark.parametrize("pattern", ["(" * 2000 + ")" * 2000, "a{99999999999999}", r"\Qa\E"])
def test_a_pattern_that_would_be_misread_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationFailed, match="pattern should be regular expression but is invalid"):
        Stage().broker.policies.set("/", "p", pattern, {"max-length": 1})


def test_a_pattern_may_name_classes_of_characters() -> None:
    stage = Stage()
    stage.broker.policies.set("/", "p", "^[[:alpha:]]$", {"max-length": 1})
    assert stage.queue("a").effective == {"x-queue-type": "classic", "x-max-length": 1}
    assert stage.queue("1").effective == {"x-queue-type": "classic"}


def test_a_pattern_that_python_could_match_for_ever_is_answered() -> None:
    stage = Stage()
    stage.broker.policies.set("/", "p", "^(a+)+$", {"max-length": 1})
    assert stage.queue("a" * 60 + "b").effective == {"x-queue-type": "classic"}


def test_apply_to_is_one_of_six() -> None:
    with pytest.raises(ValidationFailed) as error:
        Stage().broker.policies.set("/", "p", "", {"max-length": 1}, apply_to="x")
    assert str(error.value) == (
        "apply-to 'x' unrecognised; should be one of: 'queues', 'classic_queues',  'quorum_queues', 'streams',"
        " 'exchanges', or 'all'"
    )


def test_what_has_no_effect_here_is_said() -> None:
    broker = Stage().broker
    assert broker.policies.set("/", "p", "", {"ha-mode": "all", "max-length": 1}) == [
        "'ha-mode' has no effect: it needs a cluster"
    ]
    assert broker.policies.set("/", "p", "", {"federation-upstream-set": "all"}) == [
        "'federation-upstream-set' has no effect: it needs federation"
    ]
    assert broker.policies.set("/", "p", "", {"max-length": 1}) == []


def test_policies_are_there_after_a_restart_before_queues_are_used() -> None:
    stage = Stage()
    stage.broker.policies.set("/", "p", "^q", {"max-length": 2, "expires": 60_000}, 7, "queues")
    stage.broker.operator_policies.set("/", "o", "", {"max-length": 1})
    stage.queue(durable=True)
    stage.restart()
    queue = stage.vhost.queues["q"]
    assert isinstance(queue, Queue)
    assert queue.effective == {"x-queue-type": "classic", "x-max-length": 1, "x-expires": 60_000}
    stage.publish(b"1", b"2", delivery_mode=2)
    assert drain(queue) == [b"2"]
    assert [parameter.value for parameter in stage.broker.parameters.list("policy")] == [
        {"pattern": "^q", "definition": {"max-length": 2, "expires": 60_000}, "priority": 7, "apply-to": "queues"}
    ]
    stage.broker.policies.clear("/", "p")
    stage.broker.operator_policies.clear("/", "o")
    stage.restart()
    assert stage.vhost.queues["q"].policies is None


# --- what changes with a policy


def test_a_queue_without_limits_has_nobody_watching_over_it_again() -> None:
    stage = Stage()
    queue = stage.queue()
    stage.broker.policies.set("/", "p", "", {"max-length": 1})
    assert queue.limits is not None
    stage.broker.policies.clear("/", "p")
    assert queue.limits is None
    stage.broker.policies.set("/", "p", "", {"message-ttl": 1000})
    stage.publish(b"mortal")
    stage.broker.policies.clear("/", "p")
    stage.clock.advance(2)
    assert queue.message_count == 0
    stage.broker.policies.set("/", "p", "", {"message-ttl": 1000})
    stage.broker.policies.clear("/", "p")
    assert queue.limits is None


def test_a_lot_that_is_too_much_goes_little_by_little() -> None:
    stage = Stage()
    queue = stage.queue()
    stage.publish(*[b"x"] * 25_000)
    stage.broker.policies.set("/", "p", "", {"max-length": 10})
    assert queue.message_count == 15_000
    stage.clock.advance(1)
    assert queue.message_count == 10


def test_many_queues_follow_little_by_little_whatever_comes_in_between() -> None:
    stage = Stage()
    names = [str(number) for number in range(5000)]
    for name in names:
        stage.queue(name)
    stage.broker.policies.set("/", "p", "", {"max-length": 1})
    assert 0 < sum([queue.policies is not None for queue in stage.vhost.queues.values()]) < 5000
    stage.vhost.delete_queue(stage.vhost.queues[names.pop()])
    assert stage.queue("new").effective == {"x-queue-type": "classic", "x-max-length": 1}
    stage.clock.advance(0.0015)
    stage.broker.policies.set("/", "p", "", {"max-length": 2})
    stage.broker.policies.set("/", "p", "", {"max-length": 3})
    stage.clock.advance(0.1)
    assert {queue.effective["x-max-length"] for queue in stage.vhost.queues.values()} == {3}
    stage.broker.policies.clear("/", "p")
    stage.clock.advance(0.1)
    assert {queue.policies for queue in stage.vhost.queues.values()} == {None}
    assert stage.clock.deadline() is None


def test_the_time_a_queue_may_be_unused_begins_anew() -> None:
    stage = Stage()
    queue = stage.queue()
    stage.clock.advance(100)
    stage.broker.policies.set("/", "p", "", {"expires": 10_000})
    stage.clock.advance(9)
    stage.broker.policies.set("/", "p", "", {"expires": 5000})
    stage.clock.advance(4)
    assert not queue.deleted
    stage.clock.advance(2)
    assert queue.deleted


def test_a_queue_that_expires_no_more_stays() -> None:
    stage = Stage()
    queue = stage.queue()
    stage.broker.policies.set("/", "p", "", {"expires": 5000})
    stage.broker.policies.clear("/", "p")
    stage.clock.advance(100)
    assert not queue.deleted


def test_times_and_limits_beyond_all_measure_do_no_harm() -> None:
    stage = Stage()
    queue = stage.queue(durable=True)
    huge = 10**400
    stage.broker.policies.set(
        "/", "p", "", {"expires": huge, "message-ttl": huge, "max-length": huge, "max-length-bytes": huge}
    )
    stage.publish(b"a", delivery_mode=2)
    stage.clock.advance(10)
    stage.restart()
    assert stage.broker.parameters.get("policy", "/", "p")["definition"]["max-length"] == huge
    queue = stage.vhost.queues["q"]  # type: ignore[assignment]
    assert drain(queue) == [b"a"]


def test_an_expiring_consumer_timeout_may_come_from_a_policy() -> None:
    stage = Stage()
    queue = stage.queue()
    timeouts = stage.broker.timeouts
    before = timeouts.timeout_of(queue)
    stage.broker.policies.set("/", "p", "", {"consumer-timeout": 5000})
    assert timeouts.timeout_of(queue) == 5000
    stage.broker.policies.clear("/", "p")
    assert timeouts.timeout_of(queue) == before


def test_a_quorum_queue_takes_over_a_delivery_limit() -> None:
    stage = Stage()
    queue = stage.queue(durable=True, queue_type="quorum")
    stage.publish(b"a", delivery_mode=2)
    stage.broker.policies.set("/", "p", "", {"delivery-limit": 0})
    queue.requeue([take(queue)])
    assert queue.message_count == 0


def test_a_stream_takes_over_retention() -> None:
    stage = Stage()
    stage.broker.policies.set("/", "segments", "", {"stream-max-segment-size-bytes": 10})
    stream = stage.vhost.declare_queue("q", durable=True, arguments={"x-queue-type": "stream"})
    assert isinstance(stream, Stream)
    stage.publish(*[b"12345"] * 8)
    stage.broker.policies.set(
        "/", "segments", "", {"stream-max-segment-size-bytes": 10, "max-length-bytes": 20, "max-age": "1h"}
    )
    assert (stream.first_offset, stream.max_age) == (4, 3_600_000)
    stage.restart()
    stream = stage.vhost.queues["q"]  # type: ignore[assignment]
    assert (stream.first_offset, stream.max_bytes) == (4, 20)
    stage.broker.policies.clear("/", "segments")
    stage.publish(*[b"12345"] * 8)
    assert stream.first_offset == 4


def test_an_alternate_exchange_takes_effect_and_ceases_to() -> None:
    stage = Stage()
    vhost = stage.vhost
    vhost.declare_exchange("x", "direct")
    vhost.declare_exchange("fallback", "fanout")
    queue = stage.queue()
    vhost.bind("fallback", "q", "", {}, to_queue=True)
    stage.publish(b"lost", exchange="x")
    stage.broker.policies.set("/", "p", "^(x|)$", {"alternate-exchange": "fallback"}, apply_to="exchanges")
    stage.publish(b"caught", exchange="x")
    stage.publish(b"the default exchange has none", to="nowhere")
    stage.broker.policies.clear("/", "p")
    stage.publish(b"lost", exchange="x")
    assert drain(queue) == [b"caught"]


def test_a_consumer_gets_nothing_that_a_new_limit_drops() -> None:
    stage = Stage()
    queue = stage.queue()
    stage.publish(b"1", b"2", b"3")
    stage.broker.policies.set("/", "p", "", {"max-length": 1})
    _, sink = consume(queue)
    assert sink.bodies == [b"3"]


# --- what is told


def test_what_happens_to_policies_is_told() -> None:
    stage = Stage()
    stage.queue()
    told: list[tuple[str, dict[str, Any]]] = []
    stage.broker.events.listen(lambda name, fields: told.append((name, dict(fields))))
    broker = stage.broker
    broker.policies.set("/", "p", "q", {"expires": 9}, 3)
    broker.policies.clear("/", "p")
    broker.operator_policies.set("/", "o", "x", {"expires": 9})
    broker.operator_policies.clear("/", "o")
    who = {"user_who_performed_action": "rmq-internal"}
    content = {"pattern": "q", "definition": {"expires": 9}, "priority": 3, "apply-to": "all"}
    queue = {"name": "q", "vhost": "/", "type": "rabbit_classic_queue"}
    value = {"pattern": "x", "definition": {"expires": 9}, "priority": 0, "apply-to": "all"}
    operator = {"name": "o", "vhost": "/"}
    assert told == [
        ("queue.policy.updated", {**queue, **content, **who}),
        ("policy.set", {"name": "p", "vhost": "/", **content, **who}),
        ("queue.policy.cleared", {**queue, **who}),
        ("policy.cleared", {"name": "p", "vhost": "/", **who}),
        ("parameter.set", {**operator, "component": "operator_policy", "value": value, **who}),
        ("policy.set", {**operator, **value, **who}),
        ("parameter.cleared", {**operator, "component": "operator_policy", **who}),
        ("operator.policy.cleared", {**operator, **who}),
    ]


def test_it_can_be_told_to_the_event_exchange() -> None:
    stage = Stage(event_exchange=True)
    sink = stage.queue("sink")
    stage.vhost.bind("amq.rabbitmq.event", "sink", "#", {}, to_queue=True)
    broker: Broker = stage.broker
    broker.policies.set("/", "p", "^q", {"expires": 9, "max-length": 10**30}, 1.5)
    broker.parameters.set_global("g", [1, None, {"a": 10**30, "\ud800": "\udfff", "k" * 300: 1.5}])
    broker.vhost_limits.set("/", "max-queues", 10**30)
    assert sink.message_count > 4
