"""Headers that an operator wants in all answers, such as those that tell browsers to be careful."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


def with_headers(app: ASGIApp, headers: Mapping[str, str]) -> ASGIApp:
    """The application, whose answers have these headers, in place of what it gives them itself."""
    if not headers:
        return app

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await app(scope, receive, send_with_headers)

    return answering
