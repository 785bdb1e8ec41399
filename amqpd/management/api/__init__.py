"""The handlers of the API, a module for each kind of object; `RESOURCES` is the table of them all."""

from __future__ import annotations

from . import bindings, connections, definitions, documentation, exchanges, health, history, overview, queues, vhosts

RESOURCES = (
    *overview.RESOURCES,
    *connections.RESOURCES,
    *exchanges.RESOURCES,
    *queues.RESOURCES,
    *bindings.RESOURCES,
    *vhosts.RESOURCES,
    *definitions.RESOURCES,
    *health.RESOURCES,
    *history.RESOURCES,
    *documentation.RESOURCES,
)
"""Every path below /api. Of two that match, the first counts."""
