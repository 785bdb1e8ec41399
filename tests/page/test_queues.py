"""Queues: declared, filled, looked into, emptied and deleted by hand."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from amqpd.wire.methods import BasicConsume, BasicConsumeOk

from .conftest import Site, agree, expect, publish, unfold


def test_a_queue_is_declared_with_arguments(enter: Callable[..., Any], site: Site, name: Callable[..., str]) -> None:
    queue = name("declared")
    page = enter("queues")
    drawer = unfold(page, "Add a queue")
    drawer.get_by_label("Name", exact=True).fill(queue)
    drawer.get_by_label("Durable").uncheck()
    drawer.get_by_role("button", name="x-max-length", exact=True).click()
    drawer.get_by_label("Arguments: value").last.fill("5")
    drawer.get_by_role("button", name="Add queue").click()
    expect(page.get_by_role("row", name=re.compile(re.escape(queue)))).to_contain_text("Lim")
    found = site.queue(queue)
    assert (found["arguments"]["x-max-length"], found["durable"]) == (5, False)


def test_what_the_broker_says_against_it_is_shown(enter: Callable[..., Any], declared: Callable[..., str]) -> None:
    queue = declared("other")
    page = enter("queues")
    drawer = unfold(page, "Add a queue")
    drawer.get_by_role("button", name="Add queue").click()
    expect(drawer.get_by_role("alert")).to_have_text("Name is missing")
    drawer.get_by_label("Name", exact=True).fill("amq.mine")
    drawer.get_by_role("button", name="Add queue").click()
    expect(drawer.get_by_role("alert")).to_contain_text("Names that begin with “amq.” are")
    drawer.get_by_label("Name", exact=True).fill(queue)
    drawer.get_by_role("button", name="Add queue").click()
    expect(drawer.get_by_role("alert")).to_contain_text("inequivalent arg 'durable'")


def test_messages_are_published_looked_at_and_taken(
    enter: Callable[..., Any], site: Site, declared: Callable[..., str]
) -> None:
    queue = declared("messages")
    page = enter(f"queues/%2F/{queue}")
    drawer = unfold(page, "Publish a message")
    drawer.get_by_label("Payload", exact=True).fill("first\nsecond line")
    drawer.get_by_label("Headers: name").fill("retries")
    drawer.get_by_label("Headers: value").fill("3")
    drawer.get_by_label("Headers: type").first.select_option("Number")
    drawer.get_by_role("button", name="content_type").click()
    drawer.get_by_label("Properties: value").last.fill("text/plain")
    drawer.get_by_role("button", name="Publish message").click()
    expect(page.get_by_text("Message published.", exact=True)).to_be_visible()

    drawer = unfold(page, "Get messages")
    drawer.get_by_role("button", name="Get messages").click()
    message = page.get_by_role("article")
    expect(message).to_contain_text("second line")
    expect(message).to_contain_text("retries:3")
    expect(message).to_contain_text("content_type:text/plain")
    assert [each["payload"] for each in peeked(site, queue)] == ["first\nsecond line"]

    drawer.get_by_label("How").select_option("get, and remove")
    drawer.get_by_role("button", name="Get messages").click()
    expect(message).to_be_visible()
    drawer.get_by_role("button", name="Get messages").click()
    expect(drawer.get_by_text("Queue is empty.")).to_be_visible()


@pytest.mark.ours("peeking is an addition")
def test_what_consumers_hold_is_shown_and_who(
    enter: Callable[..., Any], site: Site, declared: Callable[..., str]
) -> None:
    queue = declared("held", messages=1)
    with site.client() as client:
        client.channel(1)
        client.call(1, BasicConsume(queue=queue, consumer_tag="holder"), BasicConsumeOk)
        page = enter(f"queues/%2F/{queue}")
        drawer = unfold(page, "Get messages")
        drawer.get_by_role("button", name="Get messages").click()
        expect(drawer.get_by_text("Queue is empty.")).to_be_visible()
        drawer.get_by_label("How").select_option("peek at what consumers hold")
        drawer.get_by_role("button", name="Get messages").click()
        expect(page.get_by_role("article")).to_contain_text("holder on 127.0.0.1:")


def peeked(site: Site, queue: str) -> Any:
    body = {"count": 10, "ackmode": "ack_requeue_true", "encoding": "auto"}
    return site.call("POST", f"queues/%2F/{queue}/get", body)


def test_octets_that_are_no_text_are_shown_in_base64(enter: Callable[..., Any], declared: Callable[..., str]) -> None:
    queue = declared("octets")
    page = enter(f"queues/%2F/{queue}")
    drawer = unfold(page, "Publish a message")
    drawer.get_by_label("Payload encoding").select_option("base64")
    drawer.get_by_label("Payload", exact=True).fill("not base64!")
    drawer.get_by_role("button", name="Publish message").click()
    expect(drawer.get_by_role("alert")).not_to_be_empty()
    drawer.get_by_label("Payload", exact=True).fill("/wD+")
    drawer.get_by_role("button", name="Publish message").click()
    expect(page.get_by_text("Message published.", exact=True)).to_be_visible()
    drawer = unfold(page, "Get messages")
    drawer.get_by_role("button", name="Get messages").click()
    expect(page.get_by_role("article")).to_contain_text("/wD+")


def test_a_queue_is_purged_only_when_one_agrees(
    enter: Callable[..., Any], site: Site, declared: Callable[..., str]
) -> None:
    queue = declared("purged", messages=3)
    page = enter(f"queues/%2F/{queue}")
    number = page.locator(".tile", has_text="ready").locator(".number")
    expect(number).to_have_text("3")
    drawer = unfold(page, "Purge")
    drawer.get_by_role("button", name="Purge messages").click()
    expect(page.get_by_role("dialog")).to_contain_text("3 ready messages will be lost")
    agree(page, "Cancel")
    drawer.get_by_role("button", name="Purge messages").click()
    agree(page, "Purge")
    expect(number).to_have_text("0")


def test_a_queue_is_deleted_unless_it_is_not_empty(enter: Callable[..., Any], declared: Callable[..., str]) -> None:
    queue = declared("deleted", messages=1)
    page = enter(f"queues/%2F/{queue}")
    drawer = unfold(page, "Delete this queue")
    drawer.get_by_label("Only if empty").check()
    drawer.get_by_role("button", name="Delete queue").click()
    agree(page, "Delete")
    expect(drawer.get_by_role("alert")).to_contain_text(queue)
    drawer.get_by_label("Only if empty").uncheck()
    drawer.get_by_role("button", name="Delete queue").click()
    agree(page, "Delete")
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    expect(page.get_by_text(f"Queue {queue} deleted.")).to_be_visible()
    expect(page.get_by_role("link", name=queue)).to_have_count(0)


def test_a_queue_is_bound_and_unbound(enter: Callable[..., Any], declared: Callable[..., str]) -> None:
    queue = declared("bound")
    page = enter(f"queues/%2F/{queue}")
    drawer = unfold(page, "Add a binding")
    drawer.get_by_label("From exchange").fill("amq.topic")
    drawer.get_by_label("Routing key").fill("order.#")
    drawer.get_by_role("button", name="Bind").click()
    row = page.get_by_role("row", name=re.compile("amq.topic"))
    expect(row).to_contain_text("order.#")
    row.get_by_role("button", name="Unbind").click()
    expect(row).to_have_count(0)
    drawer.get_by_label("From exchange").fill("nosuch")
    drawer.get_by_role("button", name="Bind").click()
    expect(drawer.get_by_role("alert")).not_to_be_empty()


def test_a_list_is_filtered_and_sorted_by_the_broker_and_the_address_says_how(
    enter: Callable[..., Any], site: Site, declared: Callable[..., str]
) -> None:
    queues = [declared(f"sorted.{letter}") for letter in "abc"]
    for times, queue in enumerate(queues):
        for _ in range(times):
            publish(site, queue, "x")
    page = enter("queues")
    page.get_by_label("Filter").fill(r"sorted\.[bc]$")
    expect(page.get_by_text("No name matches the filter.")).to_be_visible()
    page.get_by_label("regex").check()
    links = page.locator("tbody tr td:first-child a")
    expect(links).to_have_text(queues[1:])
    page.get_by_role("button", name="Total").click()
    expect(page.get_by_role("columnheader", name="Total")).to_have_attribute("aria-sort", "descending")
    expect(links).to_have_text([queues[2], queues[1]])
    page.reload()
    expect(links).to_have_text([queues[2], queues[1]])
    page.get_by_label("Filter").fill("(")
    expect(page.get_by_role("alert")).to_contain_text("no regular expression")


def test_the_default_exchange_publishes_and_says_when_nothing_was_routed(
    enter: Callable[..., Any], name: Callable[..., str]
) -> None:
    page = enter("exchanges/%2F/amq.default")
    drawer = unfold(page, "Publish a message")
    drawer.get_by_label("Routing key").fill(name("nobody"))
    drawer.get_by_role("button", name="Publish message").click()
    expect(page.get_by_text("Message published, but NOT routed.")).to_be_visible()
