"""The handlers of the API, a module for each kind of object; `RESOURCES` is the table of them all."""

from __future__ import annotations

from . import (
    bindings,
    connections,
    control,
    definitions,
    documentation,
    exchanges,
    features,
    health,
    history,
    logins,
    messages,
    overview,
    parameters,
    permissions,
    plugins,
    policies,
    publishing,
    queues,
    users,
    vhosts,
)

RESOURCES = (
    *overview.RESOURCES,
    *connections.RESOURCES,
    *exchanges.RESOURCES,
    *publishing.RESOURCES,
    *queues.RESOURCES,
    *messages.RESOURCES,
    *bindings.RESOURCES,
    *vhosts.RESOURCES,
    *users.RESOURCES,
    *permissions.RESOURCES,
    *policies.RESOURCES,
    *parameters.RESOURCES,
    *features.RESOURCES,
    *logins.RESOURCES,
    *plugins.RESOURCES,
    *definitions.RESOURCES,
    *health.RESOURCES,
    *control.RESOURCES,
    *history.RESOURCES,
    *documentation.RESOURCES,
)
"""Every path below /api. Of two that match, the first counts."""
