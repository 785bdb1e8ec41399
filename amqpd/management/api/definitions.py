"""Definitions: a file of all there is, or of one vhost, to download and to upload."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from typing import Any, Final

from starlette.responses import Response

from ...definitions import About, DefinitionsError, Document, importing, sections_of_all, sections_of_vhost
from ..call import Call
from ..committed import committed
from ..errors import HttpError, bad_request
from ..resources import Resource, Right, encode

AT_ONCE: Final = 500
"""Entries that are sent before others have their turn."""

_TOKEN: Final = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
"""What a file may be called in a header (RFC 9110)."""

_BOUNDARY: Final = re.compile(r'boundary=(?:"([^"]+)"|([^\s;]+))', re.IGNORECASE)
_FIELD: Final = re.compile(rb'content-disposition:[^\r\n]*[;\s]name="?([^";\r\n]*)', re.IGNORECASE)


async def export_definitions(call: Call) -> Response:
    management = call.management
    properties = management.server_properties
    about = About(
        str(properties.get("version", "")),
        str(properties.get("product", "")),
        cluster_name=str(properties.get("cluster_name", call.broker.node)),
    )
    name = call.request.query_params.get("download")
    if name is not None and not _TOKEN.fullmatch(name):
        raise bad_request("the name to download as is no token")
    if call.has("vhost"):
        vhost = call.broker.vhosts.get(call.path("vhost"))
        if vhost is None:
            raise bad_request("vhost_not_found")
        sections = sections_of_vhost(call.broker, vhost, about)
    else:
        sections = sections_of_all(call.broker, management.users, about)
    pieces = [piece.encode() async for piece in _pieces(sections)]
    digest = hashlib.blake2b(digest_size=16)
    for piece in pieces:
        digest.update(piece)
    headers = {"Content-Type": "application/json", "Cache-Control": "no-cache", "ETag": f'"{digest.hexdigest()}"'}
    if headers["ETag"] in call.request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if name is not None:
        headers["Content-Disposition"] = f"attachment; filename={name}"
    return Response(b"".join(pieces), headers=headers)


async def import_definitions(call: Call) -> Any:
    """Answers when all of it would survive a crash."""
    broker, vhost = call.broker, None
    if call.has("vhost"):
        vhost = call.path("vhost")
        if vhost not in broker.vhosts:
            raise HttpError(404, "not_found", "vhost_not_found")
    uploaded, redirect = _uploaded(call)
    try:
        document = Document.parse(uploaded, vhost=vhost)
    except DefinitionsError:
        raise bad_request("failed_to_parse_json") from None
    steps = importing(broker, call.management.users, [document], user=call.user.name)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            outcome = end.value
            break
        await asyncio.sleep(0)
    await committed(broker.store)
    log = call.management.log.bind(user=call.user.name)
    log.info(outcome.told)
    for line in outcome.complaints:
        log.warning(line)
    return Response(status_code=303, headers={"Location": redirect}) if redirect else None


def _uploaded(call: Call) -> tuple[bytes, str]:
    """What is to be imported, as it is or as the file of a form; and where the form wants to go on."""
    content_type = call.request.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/form-data"):
        return call.raw_body, ""
    match = _BOUNDARY.search(content_type)
    fields: dict[str, bytes] = {}
    if match is not None:
        for part in (b"\r\n" + call.raw_body).split(b"\r\n--" + (match[1] or match[2]).encode("latin-1"))[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            named = _FIELD.search(head)
            if named is not None:
                fields[named[1].decode("latin-1")] = content
    if "file" not in fields:
        raise bad_request("the form has no file")
    redirect = fields.get("redirect", b"").decode("latin-1").strip()
    if not (redirect.isascii() and (redirect.isprintable() or not redirect)):
        raise bad_request("redirect has to be an address")
    return fields["file"], redirect


async def _pieces(sections: Iterator[tuple[str, Any]]) -> AsyncIterator[str]:
    opening = "{"
    for key, value in sections:
        yield f"{opening}{encode(key)}:"
        opening = ","
        if not isinstance(value, Iterator):
            yield encode(value)
            continue
        before = "["
        while some := list(islice(value, AT_ONCE)):
            yield before + ",".join([encode(each) for each in some])
            before = ","
            await asyncio.sleep(0)
        yield "[]" if before == "[" else "]"
    yield "}"


RESOURCES = (
    Resource("/definitions", Right.ADMINISTRATOR, get=export_definitions, post=import_definitions),
    Resource("/definitions/{vhost}", Right.ADMINISTRATOR, get=export_definitions, post=import_definitions),
)
