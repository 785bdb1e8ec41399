"""Whatever is exported can be imported elsewhere, and is exported there as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from amqpd.errors import OperatorError
from amqpd.wire.spec import ProtocolError
from tests.definitions.steps import Premises
from tests.strategies import short_strings, tables

EXAMPLE = Path(__file__).parents[2] / "conf" / "definitions.json"
FILES = Path(__file__).parent / "files"

names = st.text("abc.é/ ", min_size=1, max_size=4) | short_strings.filter(bool)
few = st.sampled_from(["a", "b", "c.d", "ü"])
patterns = st.sampled_from(["", ".*", "^a", r"^(a|b)\.", "$^"])
queue_arguments = st.fixed_dictionaries(
    {},
    optional={
        "x-queue-type": st.sampled_from(["classic", "quorum", "stream"]),
        "x-max-length": st.integers(0, 1000),
        "x-message-ttl": st.integers(0, 1 << 30),
        "x-dead-letter-exchange": few,
        "x-other": st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        "x-list": st.lists(st.integers(-(1 << 63), (1 << 63) - 1)),
        "x-table": tables,
    },
)
binding_arguments = st.dictionaries(  # without values that only the wire tells apart
    short_strings, st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1) | st.text() | st.none(), max_size=3
)
definitions = st.sampled_from([{"max-length": 1}, {"expires": 9, "message-ttl": 8}, {"alternate-exchange": "x"}])
steps = st.one_of(
    st.tuples(st.just("vhost"), names, st.text(), st.sampled_from(["", "classic", "quorum", "stream"])),
    st.tuples(st.just("user"), few, st.text(min_size=1), st.lists(st.sampled_from(["management", "odd tag"]))),
    st.tuples(st.just("permission"), few, patterns, patterns, patterns),
    st.tuples(st.just("topic"), few, few, patterns, patterns),
    st.tuples(st.just("global"), names, st.none() | st.integers() | st.text() | st.lists(st.booleans())),
    st.tuples(st.just("policy"), names, patterns, definitions, st.integers(-5, 5)),
    st.tuples(st.just("operator"), names, patterns, st.just({"max-length": 3}), st.floats(-5, 5)),
    st.tuples(st.just("limit"), st.sampled_from(["max-queues", "max-connections"]), st.integers(-1, 3)),
    st.tuples(st.just("exchange"), few, st.sampled_from(["direct", "fanout", "topic", "headers"]), st.booleans()),
    st.tuples(st.just("queue"), names, st.booleans(), st.booleans(), queue_arguments),
    st.tuples(
        st.just("binding"), few | st.just("amq.topic"), few, st.booleans(), st.text(max_size=20), binding_arguments
    ),
    st.tuples(st.just("exclusive"), few),
)


def take(premises: Premises, step: tuple[Any, ...], place: str) -> None:
    """Do something, if it can be done."""
    broker, users = premises.broker, premises.users
    vhost = broker.vhosts[place]
    match step:
        case "vhost", name, description, queue_type:
            broker.add_vhost(name, description=description, tags=[name], default_queue_type=queue_type)
        case "user", name, password, tags:
            users.put(name, password, tags, limits={"max-channels": len(tags)})
        case "permission", name, *some:
            users.set_permissions(name, place, **dict(zip(("configure", "write", "read"), some, strict=True)))
        case "topic", name, exchange, write, read:
            users.set_topic_permissions(name, place, exchange, write=write, read=read)
        case "global", name, value:
            broker.parameters.set_global(name, value)
        case "policy", name, pattern, definition, priority:
            broker.policies.set(place, name, pattern, definition, priority)
        case "operator", name, pattern, definition, priority:
            broker.operator_policies.set(place, name, pattern, definition, priority)
        case "limit", name, value:
            broker.vhost_limits.set(place, name, value)
        case "exchange", name, type_name, durable:
            vhost.declare_exchange(name, type_name, durable=durable, internal=name == "b")
        case "queue", name, durable, auto_delete, arguments:
            vhost.declare_queue(name, durable=durable, auto_delete=auto_delete, arguments=arguments)
        case "binding", source, name, to_queue, key, arguments:
            vhost.bind(source, name, key, arguments, to_queue=to_queue)
        case "exclusive", name:
            vhost.declare_queue(name, exclusive=True, owner=premises)


@given(st.lists(st.tuples(steps, st.integers(0, 2)), max_size=40))
def test_what_is_exported_is_imported_as_it_was(taken: list[tuple[tuple[Any, ...], int]]) -> None:
    premises = Premises()
    for step, number in taken:
        places = list(premises.broker.vhosts)
        try:
            take(premises, step, places[number % len(places)])
        except (OperatorError, ProtocolError):
            continue
    file = premises.give()
    text = json.dumps(file, allow_nan=False)
    elsewhere = Premises()
    outcome = elsewhere.take_file(json.loads(text))
    assert outcome.warnings == []
    assert json.dumps(elsewhere.give()) == text
    assert not elsewhere.take_file(file).changed
    for name in premises.broker.vhosts:
        third = Premises()
        third.broker.add_vhost(name, default_queue_type=premises.broker.vhosts[name].default_queue_type)
        third.take_file(premises.give(name), vhost=name)
        for section in ("queues", "exchanges", "bindings", "policies", "parameters"):
            assert third.give(name)[section] == premises.give(name)[section]


def test_the_example_can_be_imported() -> None:
    premises = Premises()
    outcome = premises.take_file(json.loads(EXAMPLE.read_text()))
    assert outcome.warnings == []
    assert str(outcome) == (
        "2 users, 2 vhosts, 3 permissions, 2 exchanges, 1 topic permission, 1 policy, 3 queues, 3 bindings"
    )
    again = Premises()
    again.take_file(premises.give())
    assert again.give() == premises.give()


def test_an_export_of_rabbitmq_3_can_be_imported() -> None:
    premises = Premises()
    outcome = premises.take_file(json.loads((FILES / "exported-by-3.10.json").read_text()))
    assert str(outcome) == (
        "2 users, 1 vhost, 2 permissions, 2 exchanges, 1 topic permission, 1 global parameter, 1 policy, 2 parameters,"
        " 2 queues, 3 bindings"
    )
    assert [line.partition(": ")[2] for line in outcome.warnings] == [
        "'ha-mode' has no effect: it needs a cluster",
        "'ha-params' has no effect: it needs a cluster",
        "'ha-sync-mode' has no effect: it needs a cluster",
        "left out, there is no shovel here",
        "left out, the name is reserved",
        "left out, there is no queue 'amq.gen-Zr2hnkdTZ1c5Qb1vD3QkQA'",
    ]
    assert premises.broker.vhosts["billing"].max_queues == 50


def test_an_export_of_rabbitmq_4_can_be_imported() -> None:
    premises = Premises()
    file = json.loads((FILES / "exported-by-4.1.json").read_text())
    assert premises.take_file(file).warnings == []
    found = premises.give()
    for section in ("users", "permissions", "topic_permissions", "policies", "exchanges", "bindings"):
        assert found[section] == file[section]
    assert found["queues"] == sorted(file["queues"], key=lambda queue: (queue["vhost"], queue["name"]))
    for ours, theirs in zip(found["vhosts"], file["vhosts"], strict=True):
        assert ours.pop("limits") == {}
        assert ours == theirs


def test_a_file_written_by_hand_can_be_imported() -> None:
    premises = Premises()
    outcome = premises.take_file(json.loads((FILES / "by-hand.json").read_text()))
    assert outcome.warnings == []
    assert str(outcome) == "2 users, 2 permissions, 1 exchange, 1 queue, 1 binding"
