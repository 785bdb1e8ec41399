"""What a command has to ask of backends that answer later, and its second attempt when they have.

A command asks before it does anything. Where the answer is not there, it is abandoned with `Undecided`, to be handled
once more, from the start, when it is; then what it was told so far is known. So handlers are written as if every answer
came at once, and where all of them do, nothing of this happens.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from ..auth.base import Answer
from ..auth.pending import Pending


class Undecided(Exception):
    """A command has to wait for an answer. Raised before it has changed anything."""

    def __init__(self, question: Hashable, pending: Pending[Any]) -> None:
        super().__init__(question)
        self.question = question
        self.pending = pending


class Inquiry:
    """The questions of one command at a time. As a context it spans an attempt: what it was told is forgotten when it
    is through, whether or not it succeeded."""

    __slots__ = ("_answers", "_awaited")

    def __init__(self) -> None:
        self._answers: dict[Hashable, Any] = {}
        self._awaited: Undecided | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or not issubclass(kind, Undecided):
            self._answers.clear()

    @property
    def waiting(self) -> bool:
        """Whether the command waits for an answer."""
        return self._awaited is not None

    def ask(self, question: Hashable, ask: Callable[[], Answer | Pending[Answer]]) -> Answer:
        """The answer; `ask` is called unless it is known. Raises Undecided when it is on its way."""
        if question in self._answers:
            known: Answer = self._answers[question]
            return known
        answer = ask()
        if isinstance(answer, Pending):
            raise Undecided(question, answer)
        return answer

    def wait(self, undecided: Undecided, then: Callable[[], None]) -> None:
        """Call back when the answer is there, unless it is not waited for any more."""
        self._awaited = undecided

        def answered(answer: Any) -> None:
            if self._awaited is undecided:
                self._awaited = None
                self._answers[undecided.question] = answer
                then()

        undecided.pending.then(answered)

    def take_for_answer(self, answer: Any, then: Callable[[], None]) -> None:
        """Wait no longer: this is to be the answer."""
        assert self._awaited is not None
        self._answers[self._awaited.question] = answer
        self._awaited = None
        then()

    def drop(self) -> None:
        """The command is not to be handled any more."""
        self._awaited = None
        self._answers.clear()
