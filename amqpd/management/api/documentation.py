"""What there is: a page for people, made from the table of resources, and what a path is for."""

from __future__ import annotations

import functools
from html import escape
from typing import TYPE_CHECKING, Final

from ..page import CONTENT_TYPES, File, file_of, respond
from ..resources import Resource, Right

if TYPE_CHECKING:
    from starlette.responses import Response

    from ..call import Call

WHO: Final = {
    Right.ANYBODY: "anybody",
    Right.USER: "any user of the API",
    Right.VHOST: "who may enter the vhost",
    Right.POLICIES: "policymaker of the vhost",
    Right.MONITORING: "monitoring",
    Right.ADMINISTRATOR: "administrator",
}

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>HTTP API · amqpd</title>
<link rel="icon" href="../icon.svg">
<link rel="stylesheet" href="../style.css">
</head>
<body>
<main class="document">
<p><a href="../">← amqpd</a></p>
<h1>HTTP API</h1>
<p>RabbitMQ's paths, verbs and names, with HTTP's basic authentication. Names in a path are percent-encoded: the vhost
<code>/</code> is <code>%2F</code>; the default exchange is <code>amq.default</code>. Bodies are JSON.</p>
<p>Lists take <code>page</code> and <code>page_size</code> (at most 500), <code>name</code> (part of a name, or an
expression with <code>use_regex=true</code>), <code>sort</code> and <code>sort_reverse=true</code>, and
<code>columns</code>; columns may be dotted, as in <code>message_stats.publish_details.rate</code>.</p>
<pre>curl -u guest:guest -X PUT http://127.0.0.1:15672/api/queues/%2F/orders -d '{{"durable": true}}'</pre>
<p>Paths below <code>/api/amqpd</code> are additions; all others are RabbitMQ's.</p>
<div class="card"><table class="grid">
<thead><tr><th scope="col">Path</th><th scope="col">Methods</th><th scope="col">For whom</th></tr></thead>
<tbody>
{rows}
</tbody></table></div>
</main>
</body>
</html>
"""


def show_documentation(call: Call) -> Response:
    return respond(call.request, _documentation())


@functools.lru_cache(1)
def _documentation() -> File:
    from . import RESOURCES  # noqa: PLC0415 - the table that has this page, too

    rows = "\n".join([_row(resource) for resource in sorted(RESOURCES, key=lambda resource: resource.path)])
    return file_of(_PAGE.format(rows=rows).encode(), CONTENT_TYPES[".html"])


def _row(resource: Resource) -> str:
    who = WHO[resource.right]
    if resource.read is not None and resource.read is not resource.right:
        who += f"; to read, {WHO[resource.read]}"
    cells = [f"<code>/api{escape(resource.path)}</code>", " ".join(resource.handlers), escape(who)]
    return f"<tr>{''.join([f'<td>{cell}</td>' for cell in cells])}</tr>"


RESOURCES = (Resource("/index.html", Right.ANYBODY, get=show_documentation),)
