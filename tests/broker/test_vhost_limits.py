"""Limits of vhosts: connections and queues."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.broker.broker import Broker
from amqpd.broker.vhost import Quotas
from amqpd.clock import VirtualClock
from amqpd.errors import NoSuchObject, OperatorError, PreconditionFailed, ValidationFailed
from amqpd.store.memory import MemoryStore


def new_broker(store: MemoryStore | None = None, **options: Any) -> Broker:
    return Broker(store or MemoryStore(), VirtualClock(), **options)


def test_each_limit_is_set_and_lifted_by_itself() -> None:
    broker = new_broker()
    vhost, limits = broker.vhosts["/"], broker.vhost_limits
    limits.set("/", "max-queues", 5)
    limits.set("/", "max-connections", 0)
    assert (vhost.max_queues, vhost.max_connections) == (5, 0)
    assert limits.limits("/") == {"max-queues": 5, "max-connections": 0}
    limits.clear("/", "max-queues")
    assert (vhost.max_queues, vhost.max_connections) == (None, 0)
    for _ in range(2):
        limits.clear("/", "max-connections")
    assert (vhost.max_queues, vhost.max_connections) == (None, None)
    assert broker.parameters.list("vhost-limits") == []


def test_a_negative_limit_is_none() -> None:
    broker = new_broker()
    broker.vhost_limits.set("/", "max-queues", -1)
    assert broker.vhosts["/"].max_queues is None


def test_what_is_no_limit() -> None:
    limits = new_broker().vhost_limits
    with pytest.raises(ValidationFailed, match="max-queues should be a number, actually was true"):
        limits.set("/", "max-queues", True)
    with pytest.raises(ValidationFailed, match="Unrecognised terms"):
        limits.set("/", "max-foo", 1)
    with pytest.raises(NoSuchObject):
        limits.set("nope", "max-queues", 1)
    with pytest.raises(NoSuchObject):
        limits.clear("nope", "max-queues")
    with pytest.raises(ValidationFailed, match="limits not a list 5"):
        new_broker().parameters.set("vhost-limits", "/", "limits", 5)
    with pytest.raises(ValidationFailed, match="are called 'limits', not 'others'"):
        new_broker().parameters.set("vhost-limits", "/", "others", {})


def test_queues_of_all_kinds_count_and_those_there_are_may_be_declared_again() -> None:
    broker = new_broker()
    vhost = broker.vhosts["/"]
    vhost.declare_queue("a", exclusive=True, owner=(owner := object()))
    vhost.declare_queue("b", durable=True, arguments={"x-queue-type": "stream"})
    broker.vhost_limits.set("/", "max-queues", 2)
    for arguments in ({}, {"x-queue-type": "stream"}):
        with pytest.raises(PreconditionFailed) as error:
            vhost.declare_queue("c", durable=True, arguments=arguments)
        assert error.value.explanation == "cannot declare queue 'c': queue limit in vhost '/' (2) is reached"
    vhost.declare_queue("b", durable=True, arguments={"x-queue-type": "stream"})
    vhost.delete_exclusive_queues(owner)
    vhost.declare_queue("c")


def test_limits_are_there_after_a_restart() -> None:
    store = MemoryStore()
    new_broker(store).vhost_limits.set("/", "max-queues", 5)
    assert new_broker(store).vhosts["/"].max_queues == 5


def test_what_happens_to_them_is_told() -> None:
    broker = new_broker()
    told: list[tuple[str, dict[str, Any]]] = []
    broker.events.listen(lambda name, fields: told.append((name, dict(fields))))
    broker.vhost_limits.set("/", "max-queues", 5)
    broker.vhost_limits.clear("/", "max-queues")
    of_both = {"name": "limits", "vhost": "/", "user_who_performed_action": "rmq-internal"}
    assert [event for event in told if event[0].startswith("vhost.")] == [
        ("vhost.limits.set", {**of_both, "max-queues": 5}),
        ("vhost.limits.cleared", of_both),
    ]


# --- of the whole broker


def test_a_broker_may_have_so_many_queues() -> None:
    broker = new_broker(quotas=Quotas(queues=1))
    broker.vhosts["/"].declare_queue("a")
    with pytest.raises(PreconditionFailed) as error:
        broker.add_vhost("v").declare_queue("b")
    assert error.value.explanation == "cannot declare queue 'b': queue limit in cluster (1) is reached"


def test_a_broker_may_have_so_many_exchanges() -> None:
    broker = new_broker(quotas=Quotas(exchanges=8))
    vhost = broker.vhosts["/"]
    vhost.declare_exchange("a", "direct")
    with pytest.raises(PreconditionFailed) as error:
        vhost.declare_exchange("b", "direct")
    assert error.value.explanation == "cannot declare exchange 'b' in vhost '/': exchange limit of 8 is reached"
    vhost.declare_exchange("a", "direct")


def test_a_broker_may_have_so_many_vhosts() -> None:
    broker = new_broker(quotas=Quotas(vhosts=2))
    broker.add_vhost("v")
    with pytest.raises(OperatorError, match="cannot create vhost 'w': vhost limit of 2 is reached"):
        broker.add_vhost("w")
    broker.add_vhost("v", description="is there")
