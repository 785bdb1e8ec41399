"""Log lines for queues: when one is made, and when it goes. They are for debugging, and cost something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_TOLD: Final = {"queue.created": "queue created", "queue.deleted": "queue deleted"}


class QueueLog:
    """Listens to a broker's events."""

    def __init__(self, log: Any) -> None:
        self._log = log

    def __call__(self, event: str, fields: Mapping[str, Any]) -> None:
        text = _TOLD.get(event)
        if text is not None:
            user = fields["user_who_performed_action"]
            self._log.debug(text, queue=fields["name"], vhost=fields["vhost"], user=user)
