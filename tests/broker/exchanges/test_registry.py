"""Exchange types of others: registered by code that has the class, or announced by an installed package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from amqpd.broker import exchanges
from amqpd.broker.binding import Binding
from amqpd.broker.broker import Broker
from amqpd.broker.exchanges import Exchange, find_type, register
from amqpd.clock import VirtualClock
from amqpd.message import Message
from amqpd.store.memory import MemoryStore
from tests.broker.exchange_contract import ExchangeContract, message

PLUGIN = '''
"""A package of somebody else's, with an exchange type."""

from amqpd.broker.exchanges.fanout import FanoutExchange


class LoudExchange(FanoutExchange):
    type = "x-loud"
'''


class ReverseExchange(Exchange):
    """Matches the bindings whose key is the routing key read backwards: as small as a type can be."""

    type = "x-reverse"
    by_routing_key = True

    def bind(self, binding: Binding) -> None:
        """Nothing to prepare."""

    def unbind(self, binding: Binding) -> None:
        """Nothing to undo."""

    def match(self, message: Message) -> Iterable[Binding]:
        return [each for each in self.outgoing.values() if each.routing_key == message.routing_key[::-1]]

    def reason(self, binding: Binding, message: Message, matched: bool) -> str:
        return f"'{binding.routing_key}' is{'' if matched else ' not'} '{message.routing_key}' backwards"


class TestReverseExchange(ExchangeContract):
    exchange_type = ReverseExchange
    keys = ("", "ab", "ba", "aa")
    messages = tuple(message(key) for key in ("", "ab", "ba", "aa", "b"))

    def expected(self, binding: Binding, message: Message) -> bool:
        return list(binding.routing_key) == list(reversed(message.routing_key))


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Types registered in a test are forgotten after it."""
    monkeypatch.setattr(exchanges, "_types", dict(exchanges._types))
    exchanges._announced.cache_clear()
    yield
    exchanges._announced.cache_clear()


@pytest.mark.parametrize("name", ["direct", "fanout", "topic", "headers"])
def test_the_four_types_of_the_specification_are_known(name: str) -> None:
    found = find_type(name)
    assert found is not None
    assert found.type == name


@pytest.mark.parametrize(
    "name",
    [
        "x-consistent-hash",
        "x-random",
        "x-local-random",
        "x-modulus-hash",
        "x-recent-history",
        "x-delayed-message",
    ],
)
def test_the_types_of_rabbitmqs_plugins_are_known(name: str) -> None:
    found = find_type(name)
    assert found is not None
    assert found.type == name


@pytest.mark.parametrize("name", ["", "x-reverse", "Direct", "system"])
def test_other_types_are_not(name: str) -> None:
    assert find_type(name) is None


def test_a_registered_type_is_known_under_its_name() -> None:
    register(ReverseExchange)
    assert find_type("x-reverse") is ReverseExchange


def test_a_type_may_be_registered_again_but_not_replaced() -> None:
    register(ReverseExchange)
    register(ReverseExchange)

    class Other(ReverseExchange):
        pass

    with pytest.raises(ValueError, match="exchange type 'x-reverse' is registered already"):
        register(Other)
    assert find_type("x-reverse") is ReverseExchange


def test_a_registered_type_can_be_declared_and_routes() -> None:
    register(ReverseExchange)
    vhost = Broker(MemoryStore(), VirtualClock()).vhosts["/"]
    exchange = vhost.declare_exchange("x", "x-reverse")
    queue = vhost.declare_queue("q")
    vhost.bind("x", "q", "ab", {}, to_queue=True)
    assert vhost.route(exchange, message("ba")).queues == (queue,)
    assert vhost.route(exchange, message("ab")).queues == ()
    assert exchange.explain(message("ba"))[0].reason == "'ab' is 'ba' backwards"


def test_a_registered_type_survives_a_restart() -> None:
    register(ReverseExchange)
    store = MemoryStore()
    Broker(store, VirtualClock()).vhosts["/"].declare_exchange("x", "x-reverse", durable=True)
    assert isinstance(Broker(store, VirtualClock()).vhosts["/"].exchange("x"), ReverseExchange)


def test_a_type_that_an_installed_package_announces_is_found_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loud_plugin.py").write_text(PLUGIN)
    info = tmp_path / "loud_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[amqpd.exchange_types]\nx-loud = loud_plugin:LoudExchange\n")
    monkeypatch.syspath_prepend(tmp_path)

    found = find_type("x-loud")
    assert found is not None
    assert (found.__name__, found.type) == ("LoudExchange", "x-loud")
    assert find_type("x-loud") is found
    assert find_type("x-quiet") is None
    vhost = Broker(MemoryStore(), VirtualClock()).vhosts["/"]
    assert vhost.declare_exchange("x", "x-loud").type == "x-loud"
