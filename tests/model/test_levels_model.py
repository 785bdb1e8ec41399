"""A quorum queue with priorities, against lists: whatever is done, what comes next is what the lists say.

Versions change with restarts, so that lines of one version are served by the rules of another. Large bodies make the
queue page.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from amqpd.broker.compat import PROFILES
from amqpd.broker.entry import Entry
from amqpd.broker.queue import Queue
from amqpd.store.memory import MemoryStore
from tests.broker.steps import Stage

VERSIONS = ("3.13", "4.2", "4.3")


class LevelsAgainstLists(RuleBasedStateMachine):
    @initialize(version=st.sampled_from(VERSIONS), pages=st.booleans())
    def set_up(self, version: str, pages: bool) -> None:
        self.version = version
        self.large = 1 << 20 if pages else 3
        self.stage = Stage(
            MemoryStore(), pager=MemoryStore(), memory_limit=1 if pages else 1 << 30, compat=PROFILES[version]
        )
        self.queue: Queue = self.stage.queue(durable=True, queue_type="quorum", delivery_limit=-1)
        self.lines: dict[int, list[int]] = {4: []}  # by priority: numbers, in order
        self.out: dict[int, tuple[Entry, int]] = {}  # by number: with its line
        self.counts: dict[int, int] = {}  # by number: how often it came back
        self.turn = 0
        self.shared = version != "4.3"
        self.published = 0

    # --- the model

    def line_of(self, priority: int | None) -> int:
        if priority is None or self.version == "3.13":
            return 4
        if self.version == "4.2":
            return 4 if priority <= 4 else 5
        return min(priority, 31)

    def next(self) -> tuple[int, int] | None:
        """(line, number) of what comes next."""
        waiting = sorted([priority for priority, line in self.lines.items() if line], reverse=True)
        if not waiting:
            return None
        chosen = waiting[0]
        low = [priority for priority in waiting if priority <= 4]
        if self.shared and self.turn == 2 and low and self.lines[low[0]][0] < self.lines[chosen][0]:
            chosen = low[0]
        return chosen, self.lines[chosen][0]

    # --- what is done

    @rule(priority=st.none() | st.sampled_from([0, 3, 4, 5, 9, 31, 200]), large=st.booleans())
    def publish(self, priority: int | None, large: bool) -> None:
        number = self.published
        self.published += 1
        body = number.to_bytes(4, "big") + bytes(self.large if large else 0)
        self.stage.publish(body, priority=priority)
        line = self.line_of(priority)
        self.lines.setdefault(line, []).append(number)

    @rule(settle=st.booleans())
    def get(self, settle: bool) -> None:
        expected = self.next()
        entry = self.queue.get(False)
        if expected is None:
            assert entry is None
            return
        assert entry is not None
        line, number = expected
        assert int.from_bytes(entry.message.body[:4], "big") == number
        assert entry.message.headers.get("x-delivery-count", 0) == self.counts.get(number, 0)
        self.lines[line].pop(0)
        if self.queue.levels is not None:
            self.turn = 0 if self.turn == 2 else self.turn + 1
        if settle:
            self.queue.settle(entry)
        else:
            self.out[number] = (entry, line)

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def requeue(self, data: st.DataObject) -> None:
        numbers = data.draw(st.sets(st.sampled_from(sorted(self.out)), min_size=1))
        self.queue.requeue([self.out[number][0] for number in numbers])
        for number in numbers:
            _, line = self.out.pop(number)
            self.lines[line] = sorted([*self.lines[line], number])
            self.counts[number] = self.counts.get(number, 0) + 1

    @rule()
    def purge(self) -> None:
        assert self.queue.purge() == sum(map(len, self.lines.values()))
        self.lines = {line: [] for line in self.lines}

    @rule(version=st.sampled_from(VERSIONS))
    def restart(self, version: str) -> None:
        self.stage._options["compat"] = PROFILES[version]
        self.stage.restart()
        self.queue = self.stage.vhost.queues["q"]  # type: ignore[assignment]
        self.version = version
        self.turn = 0
        if len(self.lines) > 1:
            self.shared = version != "4.3"
        for number, (_, line) in self.out.items():
            self.lines[line] = sorted([*self.lines[line], number])
        self.out = {}

    @invariant()
    def counts_agree(self) -> None:
        if not hasattr(self, "queue"):
            return
        assert self.queue.message_count == sum(map(len, self.lines.values()))
        assert self.queue.unacked == len(self.out)
        if self.queue.levels is not None:
            lines = self.queue.levels.lines
            assert self.queue.ready.length == sum(line.length for line in lines)
            assert self.queue.paged == sum(line.paged for line in lines)
            assert self.queue.ready.length == 0 or all(line.length or not line.paged for line in lines)
        else:
            self.turn = 0
            self.shared = self.version != "4.3"


def test_a_quorum_queue_with_priorities_holds_what_lists_hold() -> None:
    run_state_machine_as_test(LevelsAgainstLists, settings=settings(max_examples=200, stateful_step_count=40))
