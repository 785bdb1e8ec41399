"""Whether a batch should wait for consumers before it is written.

A message that is consumed before it was written need not be, and where bodies are large or many, writing is most of
the work. Where consumers keep up with such a flow, a batch waits for them: not for long, and only as long as it pays.
What they take meanwhile is confirmed at once; only what they leave is confirmed later than it could have been.
"""

from __future__ import annotations

from typing import Final

from .batch import Batch

BULK: Final = 256 << 10
"""Bytes of bodies in a batch below which it is written without ado."""

STEP: Final = 0.005
"""Seconds to wait for each `BULK` bytes of the batch before."""

LONGEST: Final = 0.05
"""Seconds a batch waits at most."""

MOST: Final = 32 << 20
"""Bytes of bodies at which it waits no longer."""

_WORTH: Final = 0.5
"""The share of messages that have to be consumed meanwhile for a wait to be worth it."""

_MOST_RESTS: Final = 64


class Patience:
    """Learns from each batch whether the next is to wait."""

    def __init__(self) -> None:
        self._bulk = 0  # bytes put into the last batch
        self._keeping_up = False  # about as much was consumed meanwhile
        self._rests = 0  # batches not to wait with
        self._penalty = 1  # rests after the next wait that is in vain

    def seconds(self, batch: Batch) -> float:
        """How long the open batch is to wait; 0 = not at all."""
        if not self._keeping_up or self._bulk < BULK or batch.definitions:
            return 0.0
        if self._rests:
            self._rests -= 1
            return 0.0
        return min(LONGEST, STEP * self._bulk / BULK)

    def learn(self, batch: Batch, *, waited: bool) -> None:
        """A batch is complete."""
        undone = batch.undone
        self._bulk = batch.total_bytes
        self._keeping_up = undone + batch.deleted >= batch.total * _WORTH > 0
        if waited:
            in_vain = undone < batch.total * _WORTH
            self._rests = self._penalty if in_vain else 0
            self._penalty = min(2 * self._penalty, _MOST_RESTS) if in_vain else 1
