"""When a batch waits for consumers, and when that is given up."""

from __future__ import annotations

from amqpd.message import make_message
from amqpd.store.base import Kind
from amqpd.store.batch import Batch
from amqpd.store.patience import BULK, LONGEST, STEP, Patience

SIZE = 1024
MANY = 2 * BULK // SIZE


def batch(puts: int = MANY, *, undone: int = 0, deleted: int = 0) -> Batch:
    """A batch of messages of which some were taken back, and that deletes some of earlier batches."""
    made = Batch()
    message = make_message("", "q", bytes(SIZE))
    for seq in range(puts):
        made.put(1, 1000 + seq, message)
    for seq in range(undone):
        made.delete(1, 1000 + seq, message)
    for seq in range(deleted):
        made.delete(1, seq, message)
    return made


def taught(*lessons: tuple[Batch, bool]) -> Patience:
    patience = Patience()
    for lesson, waited in lessons:
        patience.learn(lesson, waited=waited)
    return patience


def test_nothing_is_waited_for_at_first() -> None:
    assert Patience().seconds(batch()) == 0.0


def test_nor_where_nobody_consumes() -> None:
    assert taught((batch(), False)).seconds(batch()) == 0.0


def test_nor_for_a_trickle() -> None:
    assert taught((batch(10, undone=10), False)).seconds(batch()) == 0.0


def test_a_large_flow_that_is_consumed_is_worth_a_wait() -> None:
    assert taught((batch(deleted=MANY), False)).seconds(batch()) == 2 * STEP
    assert taught((batch(undone=MANY), False)).seconds(batch()) == 2 * STEP


def test_a_wait_has_an_end() -> None:
    assert taught((batch(100 * MANY, undone=100 * MANY), False)).seconds(batch()) == LONGEST


def test_definitions_are_not_kept_waiting() -> None:
    patience = taught((batch(undone=MANY), False))
    declaring = batch()
    declaring.definitions[Kind.QUEUE, 1] = {}
    assert patience.seconds(declaring) == 0.0


def test_what_pays_goes_on() -> None:
    assert taught(*[(batch(undone=MANY), True)] * 10).seconds(batch()) > 0.0


def test_what_does_not_pay_is_tried_ever_less_often() -> None:
    patience = taught((batch(deleted=MANY), False))
    gaps = []
    for _ in range(4):
        assert patience.seconds(batch()) > 0.0
        patience.learn(batch(deleted=MANY), waited=True)  # consumed, but not soon enough
        gap = 0
        while patience.seconds(batch()) == 0.0:
            patience.learn(batch(deleted=MANY), waited=False)
            gap += 1
        gaps.append(gap)
    assert gaps == [1, 2, 4, 8]
