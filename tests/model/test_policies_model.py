"""Policies against a model: what is in effect is a function of arguments and policies, whatever came first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amqpd.broker.arguments import CLASSIC, QUORUM, STREAM
from amqpd.broker.broker import Broker
from amqpd.broker.limits import QueueLimits
from amqpd.broker.policy_settings import suits
from amqpd.broker.stream import Stream
from amqpd.clock import VirtualClock
from amqpd.store.memory import MemoryStore

NUMBERS = st.integers(1, 100)
AGES = st.sampled_from(["1h", "2h", "1D"])
NAMES = st.sampled_from(["a", "b"])
OVERFLOWS = st.sampled_from(["drop-head", "reject-publish"])

VALUES = {
    "message-ttl": NUMBERS,
    "expires": NUMBERS,
    "max-length": NUMBERS,
    "max-length-bytes": NUMBERS,
    "overflow": OVERFLOWS,
    "dead-letter-exchange": NAMES,
    "delivery-limit": st.integers(-1, 100),
    "max-age": AGES,
    "stream-max-segment-size-bytes": NUMBERS,
}
SMALLEST = {"message-ttl", "expires", "max-length", "max-length-bytes"}
OF_OPERATORS = SMALLEST | {"overflow", "delivery-limit"}
OF_TYPE = {
    CLASSIC: SMALLEST | {"overflow", "dead-letter-exchange"},
    QUORUM: SMALLEST | {"overflow", "dead-letter-exchange", "delivery-limit"},
    STREAM: {"max-length-bytes", "max-age", "stream-max-segment-size-bytes"},
}


def definitions(keys: set[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={key: VALUES[key] for key in sorted(keys)}).filter(bool)


@st.composite
def declarations(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments a queue may have."""
    queue_type = draw(st.sampled_from([CLASSIC, QUORUM, STREAM]))
    own = draw(st.fixed_dictionaries({}, optional={key: VALUES[key] for key in sorted(OF_TYPE[queue_type])}))
    return {"x-queue-type": queue_type, **{f"x-{key}": value for key, value in own.items()}}


def wanted(arguments: Mapping[str, Any], policy: Mapping[str, Any], operator: Mapping[str, Any]) -> dict[str, Any]:
    """What is in effect, one key at a time."""
    queue_type = arguments["x-queue-type"]
    found = dict(arguments)
    for key in OF_TYPE[queue_type]:
        says = [each[key] for each in (policy, operator) if key in each]
        own = [arguments[f"x-{key}"]] if f"x-{key}" in arguments else []
        if not says:
            continue
        if key == "delivery-limit":
            value = says[0]
            for other in [*says[1:], *own]:
                value = max(value, other) if -1 in (value, other) else min(value, other)
        elif queue_type == STREAM:
            value = min(says) if key in SMALLEST else says[0]
        elif key in SMALLEST:
            value = min([*says, *own])
        elif key == "overflow":
            value = says[-1] if queue_type == QUORUM or not own else own[0]
        else:
            value = (own or says)[0]
        found[f"x-{key}"] = value
    return found


@given(declarations(), definitions(set(VALUES)), definitions(OF_OPERATORS))
def test_what_is_in_effect_is_a_function_of_three(
    arguments: dict[str, Any], policy: dict[str, Any], operator: dict[str, Any]
) -> None:
    broker = Broker(MemoryStore(), VirtualClock())
    broker.policies.set("/", "p", "", policy)
    broker.operator_policies.set("/", "o", "", operator)
    queue = broker.vhosts["/"].declare_queue("q", durable=True, arguments=arguments)
    queue_type = arguments["x-queue-type"]
    assert queue.effective == wanted(
        arguments, policy if suits(policy, queue_type) else {}, operator if suits(operator, queue_type) else {}
    )


STEPS = st.one_of(
    st.tuples(st.just("declare"), st.sampled_from(["q1", "q2", "r1"]), declarations()),
    st.tuples(st.just("delete"), st.sampled_from(["q1", "q2", "r1"])),
    st.tuples(st.just("set"), NAMES, st.sampled_from(["^q", "1$", ""]), definitions(set(VALUES)), st.integers(0, 2)),
    st.tuples(
        st.just("set operator"), NAMES, st.sampled_from(["^q", "1$"]), definitions(OF_OPERATORS), st.integers(0, 2)
    ),
    st.tuples(st.just("clear"), NAMES),
    st.tuples(st.just("clear operator"), NAMES),
    st.tuples(st.just("restart")),
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_the_order_in_which_policies_come_and_go_does_not_matter(steps: list[tuple[Any, ...]]) -> None:
    store = MemoryStore()
    broker = Broker(store, VirtualClock())
    for step in steps:
        vhost = broker.vhosts["/"]
        component = broker.operator_policies if "operator" in step[0] else broker.policies
        match step:
            case ("declare", name, arguments) if name not in vhost.queues:
                vhost.declare_queue(name, durable=True, arguments=arguments)
            case ("delete", name) if name in vhost.queues:
                vhost.delete_queue(vhost.queues[name])
            case (("set" | "set operator"), name, pattern, definition, priority):
                component.set("/", name, pattern, definition, priority)
            case (("clear" | "clear operator"), name):
                kind = "operator_policy" if "operator" in step[0] else "policy"
                if any(found.name == name for found in broker.parameters.list(kind)):
                    component.clear("/", name)
            case ("restart",):
                broker = Broker(store, VirtualClock())
    fresh = Broker(MemoryStore(), VirtualClock())
    for kind, component in (("policy", fresh.policies), ("operator_policy", fresh.operator_policies)):
        for found in broker.parameters.list(kind):
            value = found.value
            component.set("/", found.name, value["pattern"], value["definition"], value["priority"])
    for queue in broker.vhosts["/"].queues.values():
        fresh.vhosts["/"].declare_queue(queue.name, durable=True, arguments=queue.arguments)
    assert {name: force(queue) for name, queue in broker.vhosts["/"].queues.items()} == {
        name: force(queue) for name, queue in fresh.vhosts["/"].queues.items()
    }


def force(queue: Any) -> Any:
    """What is in force in a queue."""
    if isinstance(queue, Stream):
        return (queue.effective, queue.max_age, queue.max_bytes, queue.segment_size)
    limits = queue.limits
    if not isinstance(limits, QueueLimits):
        return (queue.effective, None)
    ignored = ("_queue", "_vhost", "_clock", "_timer", "_used_at", "_mortal")
    return (queue.effective, {name: value for name, value in vars(limits).items() if name not in ignored})
