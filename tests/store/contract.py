"""What every store keeps to. A store's own tests subclass `StoreContract` and provide the fixture `opened`.

A store may hold changes in several places before they are durable. The fixture is parametrized over those, and
`Opened.advance` moves what was changed so far to the place in question: all tests hold wherever the changes are.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from amqpd.message import Message, make_message
from amqpd.store.base import MAX_SEQ, Counters, Kind, Recovered, Returns, Store
from amqpd.store.batch import PUT_COST
from amqpd.wire.properties import Properties


class Opened:
    """A store that was opened and has recovered, and can be again."""

    def __init__(self, open_store: Callable[[], Store], advance: Callable[[Store], None]) -> None:
        self._open_store = open_store
        self._advance = advance
        self.store: Store = open_store()
        self.recovered: Recovered = self.store.recover()

    def advance(self) -> None:
        """Bring what was changed so far to where the fixture wants it."""
        self._advance(self.store)

    def restart(self) -> None:
        """Close the store, and open one on what it left."""
        self.store.close()
        self.store = self._open_store()
        self.recovered = self.store.recover()

    def put(self, queue_id: int, seq: int, body: bytes, *, message_id: int = 0) -> Message:
        message = make_message("x", "k", body, Properties(delivery_mode=2))
        message.id = message_id
        self.store.put(queue_id, seq, message)
        return message

    def put_shared(self, body: bytes, *places: tuple[int, int]) -> Message:
        """Put one message into several queues."""
        message = make_message("x", "k", body, Properties(delivery_mode=2))
        message.id = self.store.new_message_id()
        for queue_id, seq in places:
            self.store.put(queue_id, seq, message)
        return message

    def read(self, queue_id: int, first: int = 0, limit: int = 1000) -> list[tuple[int, bytes]]:
        return [(seq, message.body) for seq, message, _ in self.store.read(queue_id, first, limit)]


class StoreContract:
    # --- deadlines

    def test_a_deadline_comes_back_with_its_message(self, opened: Opened) -> None:
        plain = make_message("x", "k", b"plain", Properties(delivery_mode=2))
        shared = make_message("x", "k", b"shared", Properties(delivery_mode=2))
        shared.id = opened.store.new_message_id()
        opened.store.put(1, 0, plain, 1_800_000_000_123)
        opened.store.put(1, 1, plain)
        opened.store.put(1, 2, shared, 5)
        opened.store.put(2, 0, shared)
        for _ in range(2):
            found = [(seq, message.body, deadline) for seq, message, deadline in opened.store.read(1, 0, 10)]
            assert found == [(0, b"plain", 1_800_000_000_123), (1, b"plain", 0), (2, b"shared", 5)]
            assert [deadline for _, _, deadline in opened.store.read(2, 0, 10)] == [0]
            opened.restart()
        opened.store.drop(1)
        opened.restart()
        assert opened.read(1) == []
        assert opened.read(2) == [(0, b"shared")]

    # --- how often messages came back

    def test_how_often_a_message_came_back_is_kept(self, opened: Opened) -> None:
        for seq in range(4):
            opened.put(1, seq, b"x")
        opened.put(2, 0, b"x")
        opened.store.returned(1, 0, Returns(1, 1))
        opened.store.returned(1, 2, Returns(1, 2))
        opened.store.returned(2, 0, Returns(7, 9, 1_700_000_000_000))
        opened.advance()
        opened.store.returned(1, 2, Returns(2, 3))
        for _ in range(2):
            assert opened.store.returns(1, 0, MAX_SEQ) == {0: (1, 1, 0), 2: (2, 3, 0)}
            assert opened.store.returns(1, 1, 3) == {2: (2, 3, 0)}
            assert opened.store.returns(1, 0, 1) == {0: (1, 1, 0)}
            assert opened.store.returns(2, 0, 0) == {0: (7, 9, 1_700_000_000_000)}
            assert opened.store.returns(3, 0, MAX_SEQ) == {}
            opened.restart()

    def test_returns_are_forgotten_with_their_message(self, opened: Opened) -> None:
        messages = [opened.put(1, seq, b"x") for seq in range(4)]
        opened.put(2, 0, b"x")
        for seq in range(4):
            opened.store.returned(1, seq, Returns(1, 1))
        opened.store.returned(2, 0, Returns(1, 1))
        opened.advance()
        opened.store.delete(1, 0, messages[0])
        opened.store.drop(1, 2, 2)
        opened.restart()
        assert opened.store.returns(1, 0, MAX_SEQ) == {1: (1, 1, 0), 3: (1, 1, 0)}
        opened.store.drop(1)
        opened.restart()
        assert opened.store.returns(1, 0, MAX_SEQ) == {}
        assert opened.store.returns(2, 0, MAX_SEQ) == {0: (1, 1, 0)}

    def test_returns_of_a_message_that_was_never_written_leave_nothing(self, opened: Opened) -> None:
        message = opened.put(1, 0, b"x")
        opened.store.returned(1, 0, Returns(1, 1))
        opened.store.delete(1, 0, message)
        opened.put(1, 1, b"x")
        opened.store.returned(1, 1, Returns(1, 1))
        opened.store.drop(1, 1, 1)
        opened.put(1, 2, b"x")
        opened.restart()
        assert opened.store.returns(1, 0, MAX_SEQ) == {}

    def test_moments_are_kept_of_what_a_drop_leaves(self, opened: Opened) -> None:
        """What a stream does: each message has its moment, and the oldest go."""
        for seq in range(6):
            message = make_message("x", "k", bytes(seq), Properties(delivery_mode=1 + seq % 2))
            opened.store.put(1, seq, message, 1_800_000_000_000 + seq)
            if seq in (1, 3):
                opened.advance()
        opened.store.drop(1, 0, 2)
        for _ in range(2):
            found = [(seq, message.persistent, moment) for seq, message, moment in opened.store.read(1, 3, 10)]
            assert found == [(seq, seq % 2 == 1, 1_800_000_000_000 + seq) for seq in (3, 4, 5)]
            opened.restart()
        assert opened.recovered.counters[1] == Counters(messages=3, bytes=12, next_seq=6)

    # --- messages

    def test_a_new_store_holds_nothing(self, opened: Opened) -> None:
        assert opened.recovered == Recovered()
        assert opened.read(1) == []

    def test_messages_are_read_in_order(self, opened: Opened) -> None:
        for seq, body in ((0, b"a"), (1, b"b"), (2, b"c")):
            opened.put(1, seq, body)
            opened.advance()
        assert opened.read(1) == [(0, b"a"), (1, b"b"), (2, b"c")]

    def test_a_read_starts_where_it_is_told_and_ends_at_its_limit(self, opened: Opened) -> None:
        for seq in range(6):
            opened.put(1, seq * 10, bytes((seq,)))
            if seq in (1, 3):
                opened.advance()
        for first in range(60):
            for limit in (1, 2, 3, 6):
                expected = [(seq * 10, bytes((seq,))) for seq in range(6) if seq * 10 >= first][:limit]
                assert opened.read(1, first, limit) == expected
        assert opened.read(1, 51) == []

    def test_a_read_is_of_one_queue(self, opened: Opened) -> None:
        for queue_id in (1, 2, 256, MAX_SEQ):
            opened.put(queue_id, 5, str(queue_id).encode())
            opened.advance()
        assert opened.read(1) == [(5, b"1")]
        assert opened.read(256) == [(5, b"256")]
        assert opened.read(MAX_SEQ) == [(5, str(MAX_SEQ).encode())]
        assert opened.read(3) == []

    def test_a_message_comes_back_whole(self, opened: Opened) -> None:
        sent = make_message("exchänge", "a.b", b"\x00body", Properties(delivery_mode=2, headers={"a": [1, None]}))
        opened.store.put(1, 0, sent)
        opened.advance()
        opened.restart()
        ((_, message, _),) = opened.store.read(1, 0, 1)
        assert (message.exchange, message.routing_key) == ("exchänge", "a.b")
        assert message.address.wire == sent.address.wire
        assert (message.header, message.body, message.size) == (sent.header, sent.body, sent.size)
        assert message.persistent is True
        assert message.properties == sent.properties

    def test_a_transient_message_stays_one(self, opened: Opened) -> None:
        opened.store.put(1, 0, make_message("", "q", b"body"))
        opened.advance()
        assert opened.store.read(1, 0, 1)[0][1].persistent is False

    @pytest.mark.parametrize("size", [0, 1, 511, 4096, 1 << 20])
    def test_a_body_may_have_any_size(self, opened: Opened, size: int) -> None:
        opened.put(1, 0, bytes(size))
        opened.advance()
        opened.restart()
        assert opened.read(1) == [(0, bytes(size))]
        assert opened.recovered.counters[1].bytes == size

    def test_messages_survive_a_restart(self, opened: Opened) -> None:
        opened.put(1, 0, b"a")
        opened.advance()
        opened.put(1, 1, b"b")
        opened.restart()
        opened.restart()
        assert opened.read(1) == [(0, b"a"), (1, b"b")]

    def test_a_deleted_message_is_gone(self, opened: Opened) -> None:
        message = opened.put(1, 0, b"a")
        opened.put(1, 1, b"b")
        opened.advance()
        opened.store.delete(1, 0, message)
        opened.restart()
        assert opened.read(1) == [(1, b"b")]

    def test_a_message_deleted_at_once_was_never_there(self, opened: Opened) -> None:
        opened.store.delete(1, 0, opened.put(1, 0, b"a"))
        opened.advance()
        assert opened.read(1) == []
        opened.restart()
        assert opened.read(1) == []

    def test_a_message_that_was_read_can_be_deleted(self, opened: Opened) -> None:
        opened.put(1, 0, b"a")
        opened.advance()
        opened.restart()
        ((seq, message, _),) = opened.store.read(1, 0, 1)
        opened.store.delete(1, seq, message)
        opened.restart()
        assert opened.read(1) == []
        assert opened.recovered.counters[1].messages == 0

    # --- dropping

    def test_a_dropped_queue_leaves_nothing(self, opened: Opened) -> None:
        opened.put(1, 0, b"a")
        opened.put(2, 0, b"other")
        opened.advance()
        opened.put(1, 1, b"b")
        opened.store.drop(1)
        opened.restart()
        assert opened.read(1) == []
        assert opened.read(2) == [(0, b"other")]
        assert set(opened.recovered.counters) == {2}

    def test_a_range_is_dropped_with_both_its_ends(self, opened: Opened) -> None:
        for seq in range(6):
            opened.put(1, seq, bytes((seq,)))
            if seq in (1, 3):
                opened.advance()
        opened.store.drop(1, 1, 4)
        opened.restart()
        assert opened.read(1) == [(0, b"\x00"), (5, b"\x05")]
        assert opened.recovered.counters[1] == Counters(messages=2, bytes=2, next_seq=6)

    def test_what_lies_behind_a_dropped_range_can_be_read_at_once(self, opened: Opened) -> None:
        for seq in range(4):
            opened.put(1, seq, bytes((seq,)))
        opened.advance()
        opened.store.drop(1, 0, 1)
        assert opened.read(1, 2) == [(2, b"\x02"), (3, b"\x03")]

    def test_dropping_what_is_not_there_does_nothing(self, opened: Opened) -> None:
        opened.put(1, 0, b"a")
        opened.store.drop(2)
        opened.store.drop(1, 5, 9)
        opened.advance()
        opened.restart()
        assert opened.read(1) == [(0, b"a")]

    def test_a_message_put_after_a_drop_is_kept(self, opened: Opened) -> None:
        opened.put(1, 0, b"old")
        opened.advance()
        opened.store.drop(1, 0, 0)
        opened.put(1, 1, b"new")
        opened.restart()
        assert opened.read(1) == [(1, b"new")]

    def test_an_id_may_be_used_again_once_it_was_dropped(self, opened: Opened) -> None:
        opened.put(1, 0, b"old")
        opened.put(1, 1, b"old")
        opened.advance()
        opened.store.delivered(1, 1)
        opened.store.drop(1)
        opened.put(1, 0, b"new")
        opened.restart()
        assert opened.read(1) == [(0, b"new")]
        assert opened.recovered.counters[1] == Counters(messages=1, bytes=3, next_seq=1, delivered=-1)

    def test_a_delete_and_a_drop_of_the_same_message_count_once(self, opened: Opened) -> None:
        message = opened.put(1, 0, b"a")
        opened.put(1, 1, b"b")
        opened.advance()
        opened.store.delete(1, 0, message)
        opened.store.drop(1, 0, 1)
        opened.put(1, 2, b"c")
        opened.restart()
        assert opened.read(1) == [(2, b"c")]
        assert opened.recovered.counters[1] == Counters(messages=1, bytes=1, next_seq=3)

    # --- counters

    def test_counters_tell_what_is_stored_without_reading_it(self, opened: Opened) -> None:
        first = opened.put(1, 0, b"a")
        opened.put(1, 1, b"bb")
        opened.advance()
        opened.put(1, 2, b"ccc")
        opened.store.delete(1, 0, first)
        opened.restart()
        assert opened.recovered.counters == {1: Counters(messages=2, bytes=5, next_seq=3)}

    def test_the_next_seq_is_above_all_that_were_stored_even_those_that_are_gone(self, opened: Opened) -> None:
        message = opened.put(1, 41, b"a")
        opened.advance()
        opened.restart()
        opened.store.delete(1, 41, message)
        opened.restart()
        assert opened.recovered.counters[1] == Counters(messages=0, bytes=0, next_seq=42)

    def test_deliveries_are_remembered_with_the_next_change(self, opened: Opened) -> None:
        for seq in range(3):
            opened.put(1, seq, b"a")
        opened.advance()
        opened.store.delivered(1, 0)
        opened.store.delivered(1, 1)
        opened.put(1, 3, b"a")
        opened.restart()
        assert opened.recovered.counters[1].delivered == 1

    def test_the_highest_seq_delivered_counts(self, opened: Opened) -> None:
        for seq in range(3):
            opened.put(1, seq, b"a")
        opened.store.delivered(1, 2)
        opened.store.delivered(1, 0)
        opened.advance()
        opened.store.delivered(1, 1)
        opened.put(1, 3, b"a")
        opened.restart()
        assert opened.recovered.counters[1].delivered == 2

    def test_no_seq_above_the_next_was_delivered(self, opened: Opened) -> None:
        """Else a message that was never out would come back marked redelivered."""
        first = opened.put(1, 0, b"a")
        opened.advance()
        second = opened.put(1, 1, b"b")
        opened.store.delivered(1, 1)
        opened.store.delete(1, 1, second)
        opened.store.delete(1, 0, first)
        opened.restart()
        counters = opened.recovered.counters.get(1, Counters())
        assert counters.delivered < counters.next_seq

    # --- content shared by queues

    def test_a_shared_message_is_in_each_queue(self, opened: Opened) -> None:
        opened.put_shared(b"shared", (1, 0), (2, 7))
        opened.advance()
        opened.restart()
        assert opened.read(1) == [(0, b"shared")]
        assert opened.read(2) == [(7, b"shared")]

    def test_a_shared_message_stays_for_the_other_queues(self, opened: Opened) -> None:
        message = opened.put_shared(b"shared", (1, 0), (2, 0), (3, 0))
        opened.advance()
        opened.store.delete(1, 0, message)
        opened.advance()
        opened.store.drop(2)
        opened.restart()
        assert opened.read(1) == opened.read(2) == []
        assert opened.read(3) == [(0, b"shared")]

    def test_a_shared_message_that_was_read_can_be_deleted_everywhere(self, opened: Opened) -> None:
        opened.put_shared(b"shared", (1, 0), (2, 0))
        opened.advance()
        opened.restart()
        for queue_id in (1, 2):
            ((seq, message, _),) = opened.store.read(queue_id, 0, 1)
            opened.store.delete(queue_id, seq, message)
        opened.restart()
        assert opened.read(1) == opened.read(2) == []

    def test_a_shared_message_may_leave_a_queue_before_it_was_written(self, opened: Opened) -> None:
        message = opened.put_shared(b"shared", (1, 0), (2, 0))
        opened.store.delete(1, 0, message)
        opened.advance()
        opened.restart()
        assert opened.read(1) == []
        assert opened.read(2) == [(0, b"shared")]

    def test_ids_of_messages_are_not_in_use(self, opened: Opened) -> None:
        used = {opened.put_shared(b"a", (1, seq), (2, seq)).id for seq in range(3)}
        assert len(used) == 3
        assert 0 not in used
        opened.advance()
        opened.restart()
        assert opened.store.new_message_id() not in used

    # --- definitions

    def test_a_definition_comes_back_as_it_was(self, opened: Opened) -> None:
        definition = {
            "text": "ünï",
            "bytes": b"\x00\xff",
            "number": -(1 << 62),
            "yes": True,
            "nothing": None,
            "list": [1, "a", b"b", {"c": False}],
            "table": {"deep": {"deeper": []}},
        }
        opened.store.define(Kind.QUEUE, 1, definition)
        opened.advance()
        opened.restart()
        assert opened.recovered.definitions[Kind.QUEUE] == {1: definition}

    def test_kinds_and_ids_keep_definitions_apart(self, opened: Opened) -> None:
        for kind in Kind:
            for definition_id in (0, 1, 256, MAX_SEQ):
                opened.store.define(kind, definition_id, {"name": f"{kind} {definition_id}"})
                opened.advance()
        opened.restart()
        for kind in Kind:
            assert opened.recovered.definitions[kind] == {
                definition_id: {"name": f"{kind} {definition_id}"} for definition_id in (0, 1, 256, MAX_SEQ)
            }

    def test_definitions_are_recovered_in_order_of_their_ids(self, opened: Opened) -> None:
        for definition_id in (1, 2, 300):
            opened.store.define(Kind.EXCHANGE, definition_id, {})
            opened.advance()
        opened.restart()
        assert list(opened.recovered.definitions[Kind.EXCHANGE]) == [1, 2, 300]

    def test_a_definition_takes_the_place_of_the_former(self, opened: Opened) -> None:
        opened.store.define(Kind.QUEUE, 1, {"name": "old"})
        opened.advance()
        opened.store.define(Kind.QUEUE, 1, {"name": "new"})
        opened.restart()
        assert opened.recovered.definitions[Kind.QUEUE] == {1: {"name": "new"}}

    def test_what_is_undefined_is_gone(self, opened: Opened) -> None:
        opened.store.define(Kind.QUEUE, 1, {"name": "q"})
        opened.store.define(Kind.EXCHANGE, 1, {"name": "x"})
        opened.advance()
        opened.store.undefine(Kind.QUEUE, 1)
        opened.store.undefine(Kind.QUEUE, 2)
        opened.restart()
        assert opened.recovered.definitions[Kind.QUEUE] == {}
        assert opened.recovered.definitions[Kind.EXCHANGE] == {1: {"name": "x"}}

    def test_what_is_defined_after_it_was_undefined_is_there(self, opened: Opened) -> None:
        opened.store.define(Kind.QUEUE, 1, {"name": "old"})
        opened.advance()
        opened.store.undefine(Kind.QUEUE, 1)
        opened.store.define(Kind.QUEUE, 1, {"name": "new"})
        opened.restart()
        assert opened.recovered.definitions[Kind.QUEUE] == {1: {"name": "new"}}

    # --- commits

    def test_without_changes_everything_is_committed(self, opened: Opened) -> None:
        called: list[str] = []
        opened.store.when_committed(lambda: called.append("now"))
        assert called == ["now"]

    def test_callbacks_come_in_the_order_they_were_asked_for(self, opened: Opened) -> None:
        called: list[int] = []

        def note(number: int) -> Callable[[], None]:
            return lambda: called.append(number)

        for number in range(6):
            opened.put(1, number, b"a")
            opened.store.when_committed(note(number))
            if number % 2:
                opened.advance()
        opened.store.close()
        assert called == list(range(6))

    def test_a_callback_may_change_things_and_wait_for_them(self, opened: Opened) -> None:
        called: list[str] = []

        def more() -> None:
            called.append("first")
            opened.put(1, 1, b"b")
            opened.store.when_committed(lambda: called.append("second"))

        opened.put(1, 0, b"a")
        opened.store.when_committed(more)
        opened.advance()
        opened.restart()
        assert called == ["first", "second"]
        assert opened.read(1) == [(0, b"a"), (1, b"b")]

    def test_a_callback_is_not_overtaken_when_its_changes_undid_each_other(self, opened: Opened) -> None:
        called: list[str] = []
        message = opened.put(1, 0, b"a")
        opened.store.when_committed(lambda: called.append("first"))
        opened.store.delete(1, 0, message)
        opened.store.when_committed(lambda: called.append("second"))
        opened.advance()
        opened.store.close()
        assert called == ["first", "second"]

    def test_nothing_lags_when_all_is_committed(self, opened: Opened) -> None:
        opened.put(1, 0, b"abc")
        assert opened.store.lag in (0, 3 + PUT_COST)
        opened.store.when_committed(lambda: None)
        opened.advance()
        opened.restart()
        assert opened.store.lag == 0
