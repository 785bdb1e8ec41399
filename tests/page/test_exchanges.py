"""Exchanges: declared, bound, published to and deleted by hand; and connections closed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from amqpd.wire.methods import ConnectionClose

from .conftest import Site, agree, expect, go, unfold


def test_an_exchange_routes_to_what_is_bound_to_it(
    enter: Callable[..., Any], name: Callable[..., str], declared: Callable[..., str]
) -> None:
    exchange, queue = name("exchange"), declared("queue")
    page = enter("exchanges")
    drawer = unfold(page, "Add an exchange")
    drawer.get_by_label("Name", exact=True).fill(exchange)
    drawer.get_by_label("Type", exact=True).select_option("headers")
    drawer.get_by_role("button", name="Add exchange").click()
    page.get_by_role("link", name=exchange).click()

    drawer = unfold(page, "Add a binding")
    drawer.get_by_label("Name", exact=True).fill(queue)
    drawer.get_by_label("Arguments: name").fill("x-match")
    drawer.get_by_label("Arguments: value").fill("all")
    drawer.get_by_label("Arguments: name").last.fill("colour")
    drawer.get_by_label("Arguments: value").last.fill("red")
    drawer.get_by_role("button", name="Bind").click()
    row = page.get_by_role("row", name=re.compile(re.escape(queue)))
    expect(row).to_contain_text("colour:red")

    drawer = unfold(page, "Publish a message")
    for colour, told in (("blue", "Message published, but NOT routed."), ("red", "Message published.")):
        drawer.get_by_label("Headers: name").first.fill("colour")
        drawer.get_by_label("Headers: value").first.fill(colour)
        drawer.get_by_role("button", name="Publish message").click()
        expect(page.get_by_text(told, exact=True)).to_be_visible()

    row.get_by_role("button", name="Unbind").click()
    expect(row).to_have_count(0)
    drawer = unfold(page, "Delete this exchange")
    drawer.get_by_role("button", name="Delete exchange").click()
    agree(page, "Delete")
    expect(page.get_by_role("heading", name="Exchanges")).to_be_visible()
    expect(page.get_by_role("link", name=exchange)).to_have_count(0)


def test_exchanges_are_bound_to_exchanges(enter: Callable[..., Any], site: Site, name: Callable[..., str]) -> None:
    one, other = name("one"), name("other")
    for exchange in (one, other):
        site.call("PUT", f"exchanges/%2F/{exchange}", {"type": "fanout"})
    page = enter(f"exchanges/%2F/{one}")
    drawer = unfold(page, "Add a binding")
    drawer.get_by_label("To", exact=True).select_option("exchange")
    drawer.get_by_label("Name", exact=True).fill(other)
    drawer.get_by_role("button", name="Bind").click()
    page.get_by_role("link", name=other).click()
    incoming = page.get_by_role("region", name="Bindings to this exchange")
    expect(incoming.get_by_role("link", name=one)).to_be_visible()


def test_predeclared_exchanges_cannot_be_deleted(enter: Callable[..., Any]) -> None:
    page = enter("exchanges/%2F/amq.direct")
    expect(page.get_by_text("Publish a message")).to_be_visible()
    expect(page.get_by_text("Delete this exchange")).to_have_count(0)


def test_a_connection_is_closed_with_a_reason(enter: Callable[..., Any], site: Site) -> None:
    with site.client() as client:
        port = client.socket.getsockname()[1]
        page = enter("connections")
        page.get_by_role("link", name=re.compile(f":{port} ->")).click()
        drawer = unfold(page, "Close this connection")
        drawer.get_by_label("Reason").fill("tidying up")
        drawer.get_by_role("button", name="Close connection").click()
        agree(page, "Close connection")
        expect(page.get_by_role("heading", name="Connections")).to_be_visible()
        assert client.expect(0, ConnectionClose).reply_text == "CONNECTION_FORCED - tidying up"


@pytest.mark.parametrize("place", ["queues", "exchanges", "connections", "channels"])
def test_an_empty_filter_result_says_so(place: str, enter: Callable[..., Any]) -> None:
    page = enter()
    go(page, f"{place}?name=%00nothing")
    expect(page.get_by_text("No name matches the filter.")).to_be_visible()
