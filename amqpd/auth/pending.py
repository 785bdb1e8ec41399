"""Answers that are still on their way: what a backend gives who has to ask somebody else, over the network.

A tiny future without a loop. The one who asked registers with `then`, once; the backend calls `resolve`, once, whatever
comes of it: that it gives up in time is its promise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")
U = TypeVar("U")


class Pending(Generic[T]):
    """An answer to come."""

    __slots__ = ("_answer", "_callbacks", "resolved")

    def __init__(self) -> None:
        self.resolved = False
        self._answer: T
        self._callbacks: list[Callable[[T], None]] = []

    def __bool__(self) -> NoReturn:
        """A question that is open is neither yes nor no; taken for a yes, it would let everybody in."""
        raise TypeError("the answer is not there yet")

    def then(self, callback: Callable[[T], None]) -> None:
        """Have the answer handed over: when it comes, or at once when it is there."""
        if self.resolved:
            callback(self._answer)
        else:
            self._callbacks.append(callback)

    def map(self, function: Callable[[T], U]) -> Pending[U]:
        """What this makes of the answer, when it comes."""
        result: Pending[U] = Pending()
        self.then(lambda answer: result.resolve(function(answer)))
        return result

    def resolve(self, answer: T) -> None:
        """This is the answer. What comes after the first does not count."""
        if self.resolved:
            return
        self.resolved = True
        self._answer = answer
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(answer)
