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
    bindings = page.get_by_role("region", name="Bindings from this exchange")
    row = bindings.get_by_role("row", name=re.compile(re.escape(queue)))
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
    page.get_by_role("region", name="Bindings from this exchange").get_by_role("link", name=other).click()
    incoming = page.get_by_role("region", name="Bindings to this exchange")
    expect(incoming.get_by_role("link", name=one)).to_be_visible()


@pytest.fixture
def routes(site: Site, name: Callable[..., str], declared: Callable[..., str]) -> tuple[str, str, str]:
    """A topic exchange, and two queues bound to it for orders and mail."""
    exchange, orders, mail = name("topics"), declared("orders", messages=2), declared("mail")
    site.call("PUT", f"exchanges/%2F/{exchange}", {"type": "topic"})
    for queue, key in ((orders, "order.#"), (mail, "mail.*"), (mail, "letter.*")):
        site.call("POST", f"bindings/%2F/e/{exchange}/q/{queue}", {"routing_key": key})
    return exchange, orders, mail


def test_an_exchange_is_a_picture_of_what_is_bound_to_it(
    enter: Callable[..., Any], routes: tuple[str, str, str]
) -> None:
    exchange, orders, _ = routes
    page = enter(f"exchanges/%2F/{exchange}")
    picture = page.get_by_role("group", name=re.compile("its bindings and their queues"))
    expect(picture.locator(".label").last).to_have_text("order.#")
    assert sorted(picture.locator(".label").all_text_contents()) == ["letter.*", "mail.*", "order.#"]
    expect(picture.locator("a.queue").last).to_contain_text("2 ready")
    expect(picture.locator(".consumers").first).to_have_text("noconsumer")
    picture.locator("a.queue").last.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=orders)).to_be_visible()


@pytest.mark.ours("/api/amqpd/route is an addition")
def test_where_messages_go_is_shown_and_why(
    enter: Callable[..., Any], site: Site, routes: tuple[str, str, str]
) -> None:
    exchange, orders, mail = routes
    page = enter(f"exchanges/%2F/{exchange}")
    drawer = unfold(page, "Publish a message")
    drawer.get_by_label("Routing key").fill("order.new")
    drawer.get_by_role("button", name="Where would it go?").click()
    expect(drawer.locator(".verdict")).to_have_text(f"It would be routed to 1 queue: {orders}")
    expect(drawer.get_by_role("row", name=re.compile("^yes"))).to_contain_text("# stands for 'new'")
    expect(drawer.get_by_role("row", name=re.compile("^no"))).to_have_count(2)
    expect(page.locator(".diagram .taken > .label")).to_have_text("order.#")
    assert site.queue(orders)["messages"] == 2

    drawer.get_by_role("button", name="Publish message").click()
    expect(drawer.locator(".verdict")).to_have_text(f"Routed to 1 queue: {orders}")
    drawer.get_by_label("Routing key").fill("nowhere")
    drawer.get_by_role("button", name="Publish message").click()
    expect(drawer.locator(".verdict")).to_contain_text("Routed to no queue")
    expect(page.locator(".diagram .taken")).to_have_count(0)
    drawer.get_by_role("button", name="Clear").click()
    expect(page.locator(".diagram .marked")).to_have_count(0)
    assert (site.queue(orders)["messages"], site.queue(mail)["messages"]) == (3, 0)


def test_predeclared_exchanges_cannot_be_deleted(enter: Callable[..., Any]) -> None:
    page = enter("exchanges/%2F/amq.direct")
    expect(page.get_by_text("Publish a message")).to_be_visible()
    expect(page.get_by_text("Delete this exchange")).to_have_count(0)


def test_a_connection_is_closed_with_a_reason(enter: Callable[..., Any], site: Site) -> None:
    with site.client() as client:
        port = client.socket.getsockname()[1]
        page = enter("connections")
        page.get_by_role("link", name=re.compile(f":{port}$")).click()
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
