"""What the measurements of memory, scale, start and fairness rest on."""

from __future__ import annotations

import inspect

import pytest
from loader.frames import LoadError, NumberedDeliveries, publish_block
from loader.workload import Workload
from scale import KINDS
from scale.answers import Answers

from amqpd.testing.client import ClientSession
from amqpd.wire.methods import BasicDeliver, ChannelClose, ChannelOpenOk, QueueDeclareOk
from amqpd.wire.properties import encode_header
from amqpd.wire.writer import content_frames, method_frame


def deliveries(numbers: list[int], size: int = 32) -> bytes:
    frames = b""
    for tag, number in enumerate(numbers, 1):
        method = BasicDeliver("c", tag, redelivered=False, exchange="", routing_key="q")
        body = number.to_bytes(8, "little") + bytes(size - 8)
        frames += b"".join(content_frames(1, method, encode_header(None, size), body, 131072))
    return frames


def test_numbered_messages_have_to_come_in_order() -> None:
    counter = NumberedDeliveries(32)
    data = deliveries(list(range(50)))
    for start in range(0, len(data), 77):
        counter.feed(memoryview(data)[start : start + 77])
    assert counter.count == 50


@pytest.mark.parametrize("numbers", [[0, 2, 1], [1, 2, 3], [0, 0, 1]])
def test_another_order_is_an_error(numbers: list[int]) -> None:
    with pytest.raises(LoadError, match="another order"):
        NumberedDeliveries(32).feed(memoryview(deliveries(numbers)))


def test_numbers_are_written_where_the_bodies_begin() -> None:
    block = publish_block(Workload(size=32, numbered=True), 0, 131072)
    block.stamp(1, 7)
    session = ClientSession()
    session.feed(bytes(block.data[: 2 * block.stride]))
    assert [int.from_bytes(session.next().body[:8], "little") for _ in range(2)] == [0, 7]  # type: ignore[union-attr]


def test_answers_are_counted_however_they_are_cut() -> None:
    data = method_frame(1, ChannelOpenOk()) + method_frame(1, QueueDeclareOk("q", 0, 0)) * 3
    for size in (1, 5, 11, 100):
        answers = Answers()
        found = [method for start in range(0, len(data), size) for method in answers.feed(data[start : start + size])]
        assert found == [ChannelOpenOk.id, *[QueueDeclareOk.id] * 3]


def test_a_close_is_no_answer() -> None:
    with pytest.raises(LoadError, match="ChannelClose"):
        Answers().feed(method_frame(1, ChannelClose(404, "no", 0, 0)))


@pytest.mark.parametrize("quick", [False, True])
def test_the_limits_of_the_file_fit_their_kinds(quick: bool) -> None:
    from limits import load_limits
    from scenarios import load_scenarios

    limits = load_limits(quick=quick)
    for limit in limits:
        inspect.signature(KINDS[limit.kind]).bind(None, **limit.options)
        if "workload" in limit.options:
            Workload.from_table(limit.options["workload"])
    names = [each.name for each in (*limits, *load_scenarios(None, quick=quick))]
    assert len(set(names)) == len(names)
