"""Names and values are text, whatever they look like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicConsume, BasicConsumeOk, ConnectionStart, ConnectionStartOk, ConnectionTune
from amqpd.wire.spec import PROTOCOL_HEADER

from .conftest import Site, expect, publish, unfold

EVIL = [
    "<img src=x onerror=\"document.title='owned'\">",
    "<script>document.title='owned'</script>",
    "\"'><svg onload=document.title='owned'>",
    "javascript:document.title='owned'",
    "{{7*7}} ${7*7} &lt;b&gt; %3Cb%3E",
    "a/b?c=d&e#f",
    "\u202eright to left ☃",
]


@pytest.fixture
def evil_things(site: Site) -> Any:
    for name in EVIL:
        encoded = quote(name, safe="")
        site.call("PUT", f"queues/%2F/{encoded}", {"durable": False, "arguments": {"x-dead-letter-exchange": name}})
        site.call("PUT", f"exchanges/%2F/{encoded}", {"type": "topic", "durable": False})
        body = {"routing_key": name, "arguments": {name: name}}
        site.call("POST", f"bindings/%2F/e/{encoded}/q/{encoded}", body)
        publish(site, name, name, {"headers": {name: name}, "content_type": name})
    yield
    for name in EVIL:
        for kind in ("queues", "exchanges"):
            site.call("DELETE", f"{kind}/%2F/{quote(name, safe='')}")


def test_names_are_shown_as_they_are(enter: Callable[..., Any], evil_things: None) -> None:
    page = enter("queues")
    for place in ("queues", "exchanges"):
        page.get_by_role("link", name=place.capitalize(), exact=True).click()
        for name in EVIL:
            expect(page.locator("td a").filter(has_text=name)).to_have_count(1)
    for name in EVIL:
        for place in ("exchanges", "queues"):
            page.evaluate("hash => { location.hash = hash }", f"#/{place}/%2F/{quote(name, safe='')}")
            expect(page.locator("h1 .name")).to_have_text(name)
            expect(page.locator("td .name").filter(has_text=name).first).to_be_visible()
            expect(page.locator("td dl").filter(has_text=name).first).to_be_visible()
        drawer = unfold(page, "Get messages")
        drawer.get_by_role("button", name="Get messages").click()
        expect(page.get_by_label("Payload", exact=True).and_(page.locator("article pre"))).to_have_text(name)
    assert page.evaluate("document.querySelectorAll('main img, main script, main svg[onload]').length") == 0
    assert "owned" not in page.title() or page.title().startswith("Queue ")


def test_what_clients_say_of_themselves_is_text_too(enter: Callable[..., Any], site: Site) -> None:
    evil = EVIL[0]
    with Client(site.amqp_url, handshake=False) as client:
        client.write(PROTOCOL_HEADER)
        client.expect(0, ConnectionStart)
        told = {"connection_name": evil, "product": evil, "platform": evil, evil: evil, "capabilities": {}}
        client.send(0, ConnectionStartOk(told, "PLAIN", b"\x00guest\x00guest"))
        client.tune = client.expect(0, ConnectionTune)
        client.open()
        client.channel(1)
        queue = f"page.told.{client.socket.getsockname()[1]}"
        site.call("PUT", f"queues/%2F/{queue}", {"auto_delete": True, "durable": False})
        client.call(1, BasicConsume(queue=queue, consumer_tag=evil), BasicConsumeOk)
        page = enter("connections")
        expect(page.get_by_role("cell").filter(has_text=evil)).to_have_count(2)
        page.get_by_role("row").filter(has_text=evil).get_by_role("link").click()
        expect(page.locator("dd").filter(has_text=evil).first).to_be_visible()
        page.evaluate("hash => { location.hash = hash }", f"#/queues/%2F/{queue}")
        expect(page.get_by_role("cell").filter(has_text=evil)).to_be_visible()
        assert page.evaluate("document.querySelectorAll('main img').length") == 0
