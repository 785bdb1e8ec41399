"""Vhosts: list and look at them."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from ..call import Call
from ..lists import listing
from ..resources import Resource, Right


async def list_vhosts(call: Call) -> Response:
    keys = {"name": lambda vhost: vhost.name}
    return await listing(call, call.vhosts(), call.management.views.vhost, keys, default_sort=("name",))


def show_vhost(call: Call) -> Any:
    return call.management.views.vhost(call.vhost)


RESOURCES = (
    Resource("/vhosts", Right.USER, get=list_vhosts),
    Resource("/vhosts/{vhost}", Right.VHOST, get=show_vhost),
)
