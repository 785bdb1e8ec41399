"""Measurements of what a broker takes and how long it makes others wait: memory, many of a kind, start, fairness.

Each module holds one kind: a function that gets a broker and the options of limits.toml, and returns plain numbers by
name. They start the broker afresh, since what a process once took it may never give back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .backlog import backlog
from .connections import connections
from .fairness import fairness
from .idle import idle
from .listing import listing
from .queues import queues
from .start import start

KINDS: Mapping[str, Callable[..., dict[str, Any]]] = {
    kind.__name__: kind for kind in (idle, connections, queues, backlog, start, fairness, listing)
}
