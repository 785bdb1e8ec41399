"""The web page: files that are sent as they are, from memory, to anybody; what they show comes from the API.

Paths are looked up among the files there are, so none leads elsewhere. Browsers ask again each time, and are told
what they have is still right by its ETag.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

FOLDER: Final = Path(__file__).parent / "static"

CONTENT_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Nothing from elsewhere, nothing inline, no text ever taken for HTML."""

MOVED: Final = {
    "/api": "api/index.html",
    "/doc/stats.html": "api/index.html",
    "/cli": "cli/index.html",
    "/cli/": "cli/index.html",
}
"""Where RabbitMQ has something, and where it is here."""


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent."""

    content: bytes
    content_type: str
    etag: str


def routes() -> Sequence[Route]:
    return [
        *[Route(path, functools.partial(_moved, to=target)) for path, target in MOVED.items()],
        Route("/{path:path}", send),
    ]


async def send(request: Request) -> Response:
    """A file of the page, or 304 when the browser has it already."""
    path = request.path_params["path"] or "index.html"
    response = respond(request, files().get(path))
    if path == "index.html":
        response.headers["Link"] = modules()
    return response


def respond(request: Request, file: File | None) -> Response:
    if file is None:
        return Response("Not found\n", status_code=404, media_type="text/plain", headers=HEADERS)
    headers = {**HEADERS, "ETag": file.etag}
    if _has(request.headers.get("if-none-match", ""), file.etag):
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers={**headers, "Content-Type": file.content_type})


def file_of(content: bytes, content_type: str) -> File:
    return File(content, content_type, f'"{hashlib.sha256(content).hexdigest()[:20]}"')


@functools.lru_cache(1)
def files() -> dict[str, File]:
    """Every file, by its path below /; read when the first is asked for."""
    return {
        path.relative_to(FOLDER).as_posix(): file_of(path.read_bytes(), CONTENT_TYPES[path.suffix])
        for path in sorted(FOLDER.rglob("*"))
        if path.suffix in CONTENT_TYPES
    }


@functools.lru_cache(1)
def modules() -> str:
    """A Link header that has browsers fetch all modules at once, not one import after another."""
    return ", ".join([f"<{path}>; rel=modulepreload" for path in files() if path.endswith(".js")])


async def _moved(request: Request, to: str) -> Response:
    depth = request.scope["raw_path"].count(b"/") - 1
    return RedirectResponse("../" * depth + to, status_code=301)  # relative, so that it holds behind a proxy's prefix


def _has(given: str, etag: str) -> bool:
    """Whether If-None-Match names it (RFC 9110, 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in given.split(",")]
    return etag in tags or tags == ["*"]
