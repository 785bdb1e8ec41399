"""What every exchange type keeps to. A type's own tests subclass `ExchangeContract` and fill in its examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from hypothesis import given
from hypothesis import strategies as st

from amqpd.broker.binding import Binding
from amqpd.broker.exchanges import Exchange
from amqpd.broker.memory import Memory
from amqpd.broker.queue import Queue
from amqpd.message import Message, make_message
from amqpd.store.memory import MemoryStore
from amqpd.wire.properties import Properties


def message(routing_key: str = "", headers: dict[str, Any] | None = None) -> Message:
    return make_message("x", routing_key, b"body", Properties(headers=headers))


def queue(name: str) -> Queue:
    return Queue(name, 1, MemoryStore(), None, Memory(1 << 20))


def bind(exchange: Exchange, routing_key: str = "", arguments: dict[str, Any] | None = None, to: str = "q") -> Binding:
    """Bind an exchange as a vhost does."""
    destination = queue(to)
    exchange.check_binding(destination, routing_key, arguments or {})
    binding = Binding(exchange, destination, routing_key, arguments)
    exchange.outgoing[binding.key] = binding
    exchange.bind(binding)
    return binding


def unbind(exchange: Exchange, binding: Binding) -> None:
    del exchange.outgoing[binding.key]
    exchange.unbind(binding)


def matched(exchange: Exchange, message: Message) -> list[Binding]:
    """The bindings a message matches, in the order they were made."""
    found = list(exchange.match(message))
    assert len(set(found)) == len(found), "a binding was matched twice"
    assert set(found) <= set(exchange.outgoing.values())
    return [binding for binding in exchange.outgoing.values() if binding in found]


def check_explanation(exchange: Exchange, message: Message) -> None:
    """What an exchange says of a message agrees with where it sends it."""
    verdicts = exchange.explain(message)
    assert [verdict.binding for verdict in verdicts] == list(exchange.outgoing.values())
    assert {verdict.binding for verdict in verdicts if verdict.matched} == set(exchange.match(message))
    for verdict in verdicts:
        assert verdict.reason
        assert "\n" not in verdict.reason


class ExchangeContract:
    exchange_type: ClassVar[type[Exchange]]
    keys: ClassVar[Sequence[str]]
    """Binding keys to try."""
    arguments: ClassVar[Sequence[dict[str, Any]]] = ({},)
    """Arguments of bindings to try."""
    declared_with: ClassVar[dict[str, Any]] = {}
    """Arguments of the exchange."""
    messages: ClassVar[Sequence[Message]]
    """Messages to try: some of them match some of the bindings."""

    def expected(self, binding: Binding, message: Message) -> bool:
        """Whether they match, said as simply as can be."""
        raise NotImplementedError

    def make(self, **properties: Any) -> Exchange:
        return self.exchange_type("x", **{"arguments": self.declared_with, **properties})

    def bound(self, exchange: Exchange, choices: Iterable[tuple[str, dict[str, Any], str]]) -> list[Binding]:
        """Make the bindings, those that are equal once."""
        return [
            bind(exchange, key, arguments, to)
            for key, arguments, to in choices
            if Binding(exchange, queue(to), key, arguments).key not in exchange.outgoing
        ]

    def choices(self) -> st.SearchStrategy[list[tuple[str, dict[str, Any], str]]]:
        return st.lists(
            st.tuples(st.sampled_from(self.keys), st.sampled_from(self.arguments), st.sampled_from("pqr")), max_size=8
        )

    def test_it_has_a_name_of_its_own(self) -> None:
        assert self.exchange_type.type
        assert self.make().name == "x"

    def test_it_keeps_the_properties_every_exchange_has(self) -> None:
        arguments = {**self.declared_with, "alternate-exchange": "other"}
        exchange = self.make(durable=True, auto_delete=True, internal=True, arguments=arguments)
        assert (exchange.durable, exchange.auto_delete, exchange.internal) == (True, True, True)
        assert exchange.alternate == "other"
        plain = self.make()
        assert (plain.durable, plain.auto_delete, plain.internal, plain.alternate) == (False, False, False, None)
        assert not plain.is_queue

    def test_without_bindings_nothing_matches(self) -> None:
        for each in self.messages:
            assert matched(self.make(), each) == []
            assert self.make().explain(each) == []

    def test_some_of_the_examples_match_and_are_delivered_to_every_destination(self) -> None:
        exchange = self.make()
        bindings = self.bound(
            exchange, [(key, args, to) for key in self.keys for args in self.arguments for to in "pq"]
        )
        hits = 0
        for each in self.messages:
            expected = [binding for binding in bindings if self.expected(binding, each)]
            assert matched(exchange, each) == expected
            assert len([binding for binding in expected if binding.destination.name == "p"]) == len(expected) // 2
            hits += len(expected)
        assert hits

    @given(st.data())
    def test_messages_match_the_bindings_they_should(self, data: st.DataObject) -> None:
        exchange = self.make()
        bindings = self.bound(exchange, data.draw(self.choices()))
        for each in self.messages:
            assert matched(exchange, each) == [binding for binding in bindings if self.expected(binding, each)]

    @given(st.data())
    def test_what_was_unbound_does_not_match_and_the_rest_still_does(self, data: st.DataObject) -> None:
        exchange = self.make()
        bindings = self.bound(exchange, data.draw(self.choices()))
        gone = data.draw(st.sets(st.sampled_from(bindings))) if bindings else set()
        for binding in data.draw(st.permutations(sorted(gone, key=bindings.index))):
            unbind(exchange, binding)
        for each in self.messages:
            assert matched(exchange, each) == [
                binding for binding in bindings if binding not in gone and self.expected(binding, each)
            ]

    @given(st.data())
    def test_a_binding_can_be_made_again_after_it_was_removed(self, data: st.DataObject) -> None:
        exchange = self.make()
        for _ in range(3):
            bindings = self.bound(exchange, data.draw(self.choices()))
            for each in self.messages:
                assert matched(exchange, each) == [binding for binding in bindings if self.expected(binding, each)]
            for binding in bindings:
                unbind(exchange, binding)
        for each in self.messages:
            assert matched(exchange, each) == []

    @given(st.data())
    def test_matching_changes_nothing(self, data: st.DataObject) -> None:
        exchange = self.make()
        self.bound(exchange, data.draw(self.choices()))
        first = [matched(exchange, each) for each in self.messages]
        assert [matched(exchange, each) for each in self.messages] == first

    @given(st.data())
    def test_the_explanation_agrees_with_what_is_matched(self, data: st.DataObject) -> None:
        exchange = self.make()
        self.bound(exchange, data.draw(self.choices()))
        for each in self.messages:
            check_explanation(exchange, each)

    @given(st.data())
    def test_an_answer_remembered_by_routing_key_is_right_for_all_messages(self, data: st.DataObject) -> None:
        exchange = self.make()
        if not exchange.by_routing_key:
            return
        self.bound(exchange, data.draw(self.choices()))
        for each in self.messages:
            other = make_message("y", each.routing_key, b"", Properties(headers={"a": 1}, delivery_mode=2))
            assert matched(exchange, other) == matched(exchange, each)


class ChoiceContract(ExchangeContract):
    """For types that choose one of the bindings for each message, by a rule of their own."""

    def make(self, **properties: Any) -> Exchange:
        """Random types are to be made predictable here."""
        return super().make(**properties)

    def test_some_of_the_examples_match_and_are_delivered_to_every_destination(self) -> None:
        exchange = self.make()
        for key in self.keys:
            for to in "pq":
                if Binding(exchange, queue(to), key).key not in exchange.outgoing:
                    bind(exchange, key, to=to)
        for each in self.messages:
            assert len(matched(exchange, each)) == 1

    @given(st.data())
    def test_messages_match_the_bindings_they_should(self, data: st.DataObject) -> None:
        exchange = self.make()
        bindings = self.bound(exchange, data.draw(self.choices()))
        for each in self.messages:
            assert len(matched(exchange, each)) == min(1, len(bindings))

    @given(st.data())
    def test_what_was_unbound_does_not_match_and_the_rest_still_does(self, data: st.DataObject) -> None:
        exchange = self.make()
        bindings = self.bound(exchange, data.draw(self.choices()))
        gone = data.draw(st.sets(st.sampled_from(bindings))) if bindings else set()
        for binding in data.draw(st.permutations(sorted(gone, key=bindings.index))):
            unbind(exchange, binding)
        for each in self.messages:
            found = matched(exchange, each)
            assert len(found) == min(1, len(bindings) - len(gone))
            assert not gone.intersection(found)

    @given(st.data())
    def test_a_binding_can_be_made_again_after_it_was_removed(self, data: st.DataObject) -> None:
        exchange = self.make()
        for _ in range(3):
            bindings = self.bound(exchange, data.draw(self.choices()))
            for each in self.messages:
                assert len(matched(exchange, each)) == min(1, len(bindings))
            for binding in bindings:
                unbind(exchange, binding)
        for each in self.messages:
            assert matched(exchange, each) == []
