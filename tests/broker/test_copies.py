"""CC and BCC: the routing keys they name, and where those lead."""

from __future__ import annotations

import pytest

from amqpd.broker.broker import Broker
from amqpd.broker.copies import further_keys
from amqpd.clock import VirtualClock
from amqpd.errors import PreconditionFailed
from amqpd.message import make_message
from amqpd.store.memory import MemoryStore
from amqpd.wire.fields import RawString


def test_the_keys_are_those_in_cc_and_then_those_in_bcc() -> None:
    assert further_keys({"BCC": ["c"], "CC": ["a", "b"], "other": ["d"]}) == ("a", "b", "c")
    assert further_keys({}) == ()
    assert further_keys({"CC": [], "BCC": [1, None, RawString(b"\xff"), "a"]}) == ("a",)


@pytest.mark.parametrize(("value", "kind"), [("a", "longstr"), (None, "void"), (True, "bool")])
def test_anything_but_an_array_is_refused(value: object, kind: str) -> None:
    with pytest.raises(PreconditionFailed) as refused:
        further_keys({"BCC": value})
    assert refused.value.explanation == f'invalid message: {{unacceptable_type_in_header,"BCC",{kind}}}'


def test_a_route_with_further_keys_is_remembered_apart() -> None:
    vhost = Broker(MemoryStore(), VirtualClock()).vhosts["/"]
    exchange = vhost.exchange("")
    one, other = vhost.declare_queue("one"), vhost.declare_queue("other")
    message = make_message("", "one", b"")
    for _ in range(2):
        assert vhost.route(exchange, message).queues == (one,)
        assert vhost.route(exchange, message, ("other",)).queues == (one, other)
        assert vhost.route(exchange, message, ("one", "nowhere")).queues == (one,)
    assert vhost.route(exchange, message, ("other",)) is vhost.route(exchange, message, ("other",))
