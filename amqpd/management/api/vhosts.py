"""Vhosts: list and look at them."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ...broker.vhost import VHost
from ..call import Call
from ..lists import listing
from ..resources import Resource, Right
from ..views import without_stats


async def list_vhosts(call: Call) -> Response:
    keys = {"name": lambda vhost: vhost.name}
    basics = call.without_stats

    def view(vhost: VHost) -> dict[str, Any]:
        shown = call.management.views.vhost(vhost)
        return without_stats(shown) if basics else shown

    return await listing(call, call.vhosts(), view, keys, default_sort=("name",))


def show_vhost(call: Call) -> Any:
    shown = call.management.views.vhost(call.vhost)
    return without_stats(shown) if call.without_stats else shown


RESOURCES = (
    Resource("/vhosts", Right.USER, get=list_vhosts),
    Resource("/vhosts/{vhost}", Right.VHOST, get=show_vhost),
)
