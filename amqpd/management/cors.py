"""Pages of other web sites that may use the API: what their browsers want to be told (CORS; rabbit_mgmt_cors)."""

from __future__ import annotations

from collections.abc import Collection

from starlette.requests import Request
from starlette.responses import Response


class Cors:
    """The sites, and for how many seconds browsers may remember them."""

    def __init__(self, origins: Collection[str] = (), max_age: int = 1800) -> None:
        self._origins = frozenset(origins)
        self._max_age = max_age

    def allow(self, request: Request, response: Response, methods: str) -> None:
        """Put into a response what the page that asks is permitted, if anything is; `methods` are those of the path."""
        headers = response.headers
        headers["vary"] = "origin"
        origin = request.headers.get("origin", "null")
        if origin in ("null", "*"):
            return
        if origin in self._origins:
            headers["access-control-allow-origin"] = origin
            headers["access-control-allow-credentials"] = "true"
        elif "*" in self._origins:
            headers["access-control-allow-origin"] = "*"
        else:
            return
        if request.method == "OPTIONS":
            headers["access-control-allow-methods"] = methods
            headers["access-control-max-age"] = str(self._max_age)
            wanted = request.headers.get("access-control-request-headers")
            if wanted is not None:
                headers["access-control-allow-headers"] = wanted
