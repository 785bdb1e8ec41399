"""The page refreshes itself, copes with silence, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import QueueDeclare, QueueDeclareOk

from .conftest import expect, go, page_url

COUNTING = """
    window.timers = new Set();
    const {setTimeout: set, clearTimeout: clear} = window;
    window.setTimeout = (call, ...rest) => {
        const number = set(() => { window.timers.delete(number); call(); }, ...rest);
        window.timers.add(number);
        return number;
    };
    window.clearTimeout = (number) => { window.timers.delete(number); clear(number); };
"""

PLACES = ["queues", "exchanges", "connections", "channels", "", "exchanges/%2F/amq.topic", "users"]


def test_going_about_leaves_no_timers_listeners_or_elements(enter: Callable[..., Any]) -> None:
    page = enter(script=COUNTING)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def round_trip() -> tuple[int, int, int]:
        for place in PLACES:
            go(page, place)
            page.locator("main .card, main .tiles").first.wait_for()
        go(page, "queues")
        page.get_by_role("heading", name="Queues").wait_for()
        page.wait_for_function("() => document.querySelector('.count')?.textContent && window.timers.size === 1")
        session.send("HeapProfiler.collectGarbage")
        found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        return page.evaluate("window.timers.size"), found["JSEventListeners"], found["Nodes"]

    round_trip()
    _, listeners, nodes = round_trip()
    for _ in range(4):
        timers, listeners_now, nodes_now = round_trip()
    assert timers == 1
    assert listeners_now <= listeners * 1.1
    assert nodes_now <= nodes * 1.1


def test_refreshing_keeps_what_one_types_and_where_one_is(
    enter: Callable[..., Any], declared: Callable[..., str]
) -> None:
    queue = declared("kept")
    page = enter("queues")
    page.get_by_label("Refresh").select_option("every 2 s")
    link = page.get_by_role("link", name=queue)
    link.focus()
    page.get_by_text("Add a queue").click()
    page.get_by_label("Name", exact=True).fill("half a na")
    row = link.element_handle()
    with page.expect_response(lambda response: "/api/queues" in response.url):
        pass
    with page.expect_response(lambda response: "/api/queues" in response.url):
        pass
    expect(page.get_by_label("Name", exact=True)).to_have_value("half a na")
    assert page.evaluate("element => element.isConnected", row)


def test_nothing_is_asked_while_the_tab_is_hidden(enter: Callable[..., Any]) -> None:
    page = enter("queues", script=COUNTING)
    page.wait_for_function("() => window.timers.size === 1")
    hide = "hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
    page.evaluate(f"{hide} document.dispatchEvent(new Event('visibilitychange')) }}", True)
    assert page.evaluate("window.timers.size") == 0
    with page.expect_response(lambda response: "/api/queues" in response.url):
        page.evaluate(f"{hide} document.dispatchEvent(new Event('visibilitychange')) }}", False)


@pytest.fixture
def another(tmp_path: Path) -> Iterator[BrokerProcess]:
    """A broker that a test may stop, or fill."""
    with BrokerProcess("--memory", "--http-port", "0") as broker:
        yield broker


@pytest.mark.ours("it is about a broker of ours")
def test_a_broker_that_is_gone_is_told_and_found_again(enter: Callable[..., Any], another: BrokerProcess) -> None:
    url = page_url(another)
    page = enter("queues", url=url)
    page.get_by_role("heading", name="Queues").wait_for()
    page.get_by_label("Refresh").select_option("every 2 s")
    another.stop()
    expect(page.get_by_role("alert")).to_contain_text("The broker does not answer. Trying again in 4 seconds.")
    another.log.clear()
    another.options = ("--memory", "--http-port", url.rstrip("/").rpartition(":")[2])
    another.start()
    page.get_by_role("button", name="Try now").click()
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.ours("it takes RabbitMQ half a minute to declare so many")
def test_ten_thousand_queues_are_shown_a_page_at_a_time(enter: Callable[..., Any], another: BrokerProcess) -> None:
    with Client(another.url) as client:
        client.channel(1)
        client.send(1, *[QueueDeclare(queue=f"many.{number:05}", nowait=True) for number in range(9999)])
        client.call(1, QueueDeclare(queue="many.last"), QueueDeclareOk)
        page = enter(url=page_url(another))
        expect(page.locator(".tile", has_text="queues").locator(".number")).to_have_text("10,000")
        page.evaluate("() => { window.began = performance.now(); location.hash = '#/queues' }")
        page.locator("tbody tr:nth-child(100)").wait_for()
        took = page.evaluate("performance.now() - window.began")
        assert took < 1500  # milliseconds; a tenth of it, on a machine that does nothing else
        expect(page.get_by_text("Page 1 of 100")).to_be_visible()
        page.get_by_role("button", name="Next").click()
        expect(page.locator("tbody td a").first).to_have_text("many.00100")
        page.get_by_label("Filter").fill("many.0999")
        expect(page.get_by_text("9 of 10,000 entries")).to_be_visible()
