"""The local random exchange: as the random one, for queues near the publisher. On one node every queue is near."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import PreconditionFailed
from ..arguments import CLASSIC, Arguments
from .base import Exchange
from .random_choice import RandomExchange

if TYPE_CHECKING:
    from ..stream import AnyQueue


class LocalRandomExchange(RandomExchange):
    """Binds classic queues only, with an empty key."""

    type = "x-local-random"

    def check_binding(self, destination: AnyQueue | Exchange, routing_key: str, arguments: Arguments) -> None:
        if routing_key:
            raise PreconditionFailed(f"Non empty binding '{routing_key}' key not permitted")
        if isinstance(destination, Exchange):
            raise PreconditionFailed("Destination not found")
        queue_type = destination.arguments.get("x-queue-type", CLASSIC)
        if queue_type != CLASSIC:
            raise PreconditionFailed(f"Queue type rabbit_{queue_type}_queue not valid for this exchange type")
