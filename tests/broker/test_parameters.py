"""Runtime parameters: kept by component, vhost and name; components say what they may be and hear of them."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.broker.broker import Broker
from amqpd.broker.parameters import Parameter
from amqpd.clock import VirtualClock
from amqpd.errors import NoSuchObject, OperatorError, ValidationFailed
from amqpd.store.memory import MemoryStore


class Even:
    """A component whose values are even numbers."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def validate(self, vhost: str, name: str, value: Any) -> None:
        if value % 2:
            raise ValidationFailed(f"{value} is odd")

    def changed(self, vhost: str, name: str, value: Any) -> None:
        self.heard.append(("changed", vhost, name, value))

    def cleared(self, vhost: str, name: str) -> None:
        self.heard.append(("cleared", vhost, name))


def new_broker(store: MemoryStore | None = None) -> tuple[Broker, Even]:
    broker, even = Broker(store or MemoryStore(), VirtualClock()), Even()
    broker.parameters.register("even", even)
    return broker, even


def test_a_component_hears_what_is_new() -> None:
    broker, even = new_broker()
    for value in (2, 2, 4):
        broker.parameters.set("even", "/", "n", value)
    broker.parameters.clear("even", "/", "n")
    assert even.heard == [("changed", "/", "n", 2), ("changed", "/", "n", 4), ("cleared", "/", "n")]


def test_what_it_refuses_is_not_set() -> None:
    broker, even = new_broker()
    broker.parameters.set("even", "/", "n", 2)
    with pytest.raises(ValidationFailed, match="3 is odd"):
        broker.parameters.set("even", "/", "n", 3)
    assert broker.parameters.get("even", "/", "n") == 2
    assert len(even.heard) == 1


def test_what_is_not_there() -> None:
    parameters = new_broker()[0].parameters
    with pytest.raises(ValidationFailed, match="component odd not found"):
        parameters.set("odd", "/", "n", 2)
    with pytest.raises(NoSuchObject, match="Virtual host 'nope' does not exist"):
        parameters.set("even", "nope", "n", 2)
    for missing in (parameters.clear, parameters.get):
        with pytest.raises(NoSuchObject, match="Parameter does not exist"):
            missing("even", "/", "n")
    with pytest.raises(NoSuchObject, match="Parameter does not exist"):
        parameters.clear_global("n")


def test_policies_have_a_way_of_their_own() -> None:
    broker, _ = new_broker()
    with pytest.raises(OperatorError, match="policies may not be set using this method"):
        broker.parameters.set("policy", "/", "p", {})
    with pytest.raises(OperatorError, match="policies may not be cleared using this method"):
        broker.parameters.clear("policy", "/", "p")
    broker.policies.set("/", "p", "", {"expires": 1})
    broker.operator_policies.set("/", "o", "", {"expires": 1})
    assert [(found.component, found.name) for found in broker.parameters.list()] == [("operator_policy", "o")]
    assert [found.name for found in broker.parameters.list("policy", "/")] == ["p"]


def test_they_are_listed_by_component_and_vhost() -> None:
    broker, _ = new_broker()
    broker.add_vhost("v")
    for vhost, name in (("v", "b"), ("/", "b"), ("/", "a")):
        broker.parameters.set("even", vhost, name, 2)
    listed = broker.parameters.list("even")
    assert [(found.vhost, found.name) for found in listed] == [("/", "a"), ("/", "b"), ("v", "b")]
    assert broker.parameters.list(vhost="v") == [Parameter("even", "v", "b", 2)]


def test_they_are_there_after_a_restart_whoever_asks_for_them_then() -> None:
    store = MemoryStore()
    broker, _ = new_broker(store)
    broker.parameters.set("even", "/", "n", 2)
    broker.parameters.set("even", "/", "gone", 2)
    broker.parameters.clear("even", "/", "gone")
    broker.parameters.set_global("g", {"a": [1, 2.5, None, "é\ud800", 10**30]})
    broker.parameters.set_global("gone", 1)
    broker.parameters.clear_global("gone")
    broker, even = new_broker(store)
    assert even.heard == [("changed", "/", "n", 2)]
    assert broker.parameters.globals == {"g": {"a": [1, 2.5, None, "é\ud800", 10**30]}}


def test_the_value_kept_is_not_the_callers() -> None:
    parameters = new_broker()[0].parameters
    value = [1]
    parameters.set_global("g", value)
    value.append(2)
    assert parameters.globals == {"g": [1]}


@pytest.mark.parametrize("name", ["", "x" * 256, "\ud800"])
def test_a_name_that_cannot_be_kept(name: str) -> None:
    parameters = new_broker()[0].parameters
    with pytest.raises(OperatorError):
        parameters.set_global(name, 1)
    with pytest.raises(OperatorError):
        parameters.set("even", "/", name, 2)


def test_what_happens_to_them_is_told() -> None:
    broker, _ = new_broker()
    told: list[tuple[str, dict[str, Any]]] = []
    broker.events.listen(lambda name, fields: told.append((name, dict(fields))))
    broker.parameters.set("even", "/", "n", 2)
    broker.parameters.clear("even", "/", "n")
    broker.parameters.set_global("g", 1)
    broker.parameters.clear_global("g")
    who = {"user_who_performed_action": "rmq-internal"}
    of_vhost = {"name": "n", "vhost": "/", "component": "even", **who}
    of_all = {"name": "g", "component": "global", **who}
    assert told == [
        ("parameter.set", {**of_vhost, "value": 2}),
        ("parameter.cleared", of_vhost),
        ("parameter.set", {**of_all, "value": 1}),
        ("parameter.cleared", of_all),
    ]
