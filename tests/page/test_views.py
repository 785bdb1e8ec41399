"""Every part of the page, with something to show."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import BasicConsume, BasicConsumeOk, QueueDeclare, QueueDeclareOk

from .conftest import Site, expect, go, page_url, publish

PLACES = ("", "connections", "channels", "exchanges", "queues", "users", "vhosts", "policies", "limits", "definitions")
OBJECTS = ("users/guest", "vhosts/%2F", "exchanges/%2F/amq.topic")


@pytest.fixture
def consumer(site: Site, declared: Callable[..., str]) -> Iterator[tuple[Client, str]]:
    """A client that consumes from a queue, and the queue's name."""
    queue = declared("consumed", messages=2)
    with site.client() as client:
        client.channel(1)
        client.call(1, BasicConsume(queue=queue, consumer_tag="page-consumer"), BasicConsumeOk)
        yield client, queue


def test_the_overview_has_numbers_charts_and_the_node(enter: Callable[..., Any], consumer: object) -> None:
    page = enter()
    expect(page.locator(".tile", has_text="unacked").locator(".number")).not_to_have_text("0")
    expect(page.locator(".tile", has_text="connections").locator(".number")).not_to_have_text("0")
    expect(page.get_by_role("img", name=re.compile("^Messages in queues: Ready "))).to_be_visible()
    expect(
        page.get_by_role("img", name=re.compile("^Message rates: Publish .*; at most .* in the last"))
    ).to_be_visible()
    expect(page.locator(".gauge", has_text="Memory")).to_contain_text("MiB")
    expect(page.get_by_role("table", name="Listeners")).to_contain_text("amqp")


@pytest.mark.ours("/api/amqpd/history is an addition")
def test_the_charts_go_back_to_before_one_looked(enter: Callable[..., Any], site: Site) -> None:
    with site.client() as client:
        client.channel(1)
        for _ in range(3):
            client.publish(1, "", "page.nowhere")
        client.close()
    history = site.call("GET", "amqpd/history")
    assert history["message_stats"]["publish"][-1] >= 3
    assert len(history["times"]) == len(history["queue_totals"]["messages_ready"])
    page = enter()
    expect(page.locator("polyline").first).to_have_attribute("points", re.compile(r"\d"))


def test_connections_and_channels_lead_to_each_other(enter: Callable[..., Any], consumer: tuple[Client, str]) -> None:
    client, queue = consumer
    port = client.socket.getsockname()[1]
    page = enter("connections")
    page.get_by_role("link", name=re.compile(f":{port}$")).click()
    expect(page.get_by_role("heading", name=re.compile("^Connection 127"))).to_be_focused()
    expect(page.get_by_text("What the client says of itself")).to_be_visible()
    expect(page.locator(".facts", has_text="AMQP 0-9-1").first).to_contain_text("guest")
    page.get_by_role("link", name=re.compile(r"\(1\)$")).click()
    expect(page.get_by_role("heading", name=re.compile("^Channel "))).to_be_visible()
    expect(page.locator(".tile", has_text="unacked").locator(".number")).to_have_text("2")
    expect(page.get_by_role("cell", name="page-consumer")).to_be_visible()
    page.get_by_role("link", name=queue).click()
    expect(page.get_by_role("heading", name=queue)).to_be_visible()
    expect(page.get_by_role("cell", name="page-consumer")).to_be_visible()


def test_channels_are_listed(enter: Callable[..., Any], consumer: tuple[Client, str]) -> None:
    port = consumer[0].socket.getsockname()[1]
    page = enter("channels")
    expect(page.get_by_role("row", name=re.compile(f":{port} "))).to_contain_text("running")


def test_exchanges_are_listed_with_the_default_one(enter: Callable[..., Any]) -> None:
    page = enter("exchanges")
    expect(page.get_by_role("row", name=re.compile("amq.topic")).first).to_contain_text("topic")
    page.get_by_role("link", name="(AMQP default)").first.click()
    expect(page.get_by_role("heading", name="Exchange (AMQP default)")).to_be_visible()


def test_rabbitmqs_addresses_work(enter: Callable[..., Any], declared: Callable[..., str]) -> None:
    queue = declared("addressed", messages=1)
    page = enter(f"queues/%2F/{queue}")
    expect(page.get_by_role("heading", name=queue)).to_be_visible()
    expect(page.locator(".tile", has_text="ready").locator(".number")).to_have_text("1")
    go(page, "queues")
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name=queue)).to_be_visible()


def test_what_is_not_there_is_told(enter: Callable[..., Any]) -> None:
    page = enter("nosuch")
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    go(page, "queues/%2F/nosuch")
    expect(page.get_by_text("This is not there (any more).")).to_be_visible()


def test_without_statistics_nothing_is_made_up(visit: Callable[..., Any], tmp_path: Path) -> None:
    config = tmp_path / "amqpd.toml"
    config.write_text("management.disable_stats = true\n")
    with BrokerProcess("--memory", "--http-port", "0", "-c", str(config)) as broker:
        with Client(broker.url) as client:
            client.channel(1)
            client.call(1, QueueDeclare(queue="full", durable=True), QueueDeclareOk)
        url = page_url(broker)
        page = visit("#/", url=url, signed_in=True)
        expect(page.locator(".frame > .note")).to_contain_text("shows no statistics")
        expect(page.locator(".tile", has_text="ready")).to_contain_text("\u2013")
        expect(page.locator(".tile", has_text="queues")).to_contain_text("1")
        assert not page.locator("body").get_by_text("undefined").count()
        go(page, "queues")
        expect(page.get_by_role("row", name="full")).to_contain_text("\u2013")


def test_numbers_are_live(enter: Callable[..., Any], site: Site, declared: Callable[..., str]) -> None:
    queue = declared("live")
    page = enter(f"queues/%2F/{queue}")
    page.get_by_label("Refresh").select_option("every 2 s")
    number = page.locator(".tile", has_text="ready").locator(".number")
    expect(number).to_have_text("0")
    publish(site, queue, "one")
    expect(number).to_have_text("1")


def test_everything_has_a_name_and_nothing_sticks_out_on_a_phone(enter: Callable[..., Any], consumer: object) -> None:
    page = enter(width=360)
    nameless, too_wide = {}, {}
    for place in PLACES + OBJECTS:
        page.evaluate("document.querySelector('main').replaceChildren()")
        go(page, f"{place}?{place}")  # another address than before, also for the first
        expect(page.locator("main .card, main .tiles").first).to_be_visible()
        if place in OBJECTS:
            expect(page.locator("main table, main svg").first).to_be_visible()
        for summary in page.locator("summary").all():
            summary.click()
        nameless[place] = page.evaluate(
            """() => [...document.querySelectorAll("input, select, textarea, button, a, summary")]
                .filter((one) => !one.labels?.length && !one.getAttribute("aria-label") && !one.textContent.trim())
                .map((one) => one.outerHTML)"""
        )
        too_wide[place] = page.evaluate("document.documentElement.scrollWidth") > 360
    assert [place for place, found in nameless.items() if found] == []
    assert [place for place, found in too_wide.items() if found] == []


def test_it_works_by_keyboard(enter: Callable[..., Any], declared: Callable[..., str]) -> None:
    queue = declared("typed")
    page = enter("queues")
    expect(page.get_by_role("link", name=queue)).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type(queue)
    expect(page.get_by_role("status").filter(has_text=re.compile("^1 (of|entry)"))).to_be_visible()
    page.get_by_role("link", name=queue).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=queue)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.reload()
    page.locator(".frame").wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()


def test_large_type_is_remembered(enter: Callable[..., Any]) -> None:
    page = enter()
    size = "parseFloat(getComputedStyle(document.body).fontSize)"
    before = page.evaluate(size)
    page.get_by_role("button", name="large type").click()
    expect(page.get_by_role("button", name="large type")).to_have_attribute("aria-pressed", "true")
    page.reload()
    page.locator(".frame").wait_for()
    assert page.evaluate(size) > before * 1.4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system_and_can_be_read(scheme: str, enter: Callable[..., Any]) -> None:
    page = enter("queues", color_scheme=scheme)
    ratios = page.evaluate(
        """() => {
            const style = getComputedStyle(document.documentElement);
            const light = (name) => {
                const hex = style.getPropertyValue(name).trim();
                const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
                const linear = parts.map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
                return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
            };
            const pairs = [
                ["--ink", "--ground"], ["--ink", "--paper"], ["--quiet", "--ground"], ["--quiet", "--paper"],
                ["--quiet", "--raised"], ["--accent", "--paper"], ["--accent", "--raised"],
                ["--accent", "--accent-soft"], ["--accent-ink", "--accent"], ["--good", "--good-soft"],
                ["--warn", "--warn-soft"], ["--bad", "--bad-soft"], ["--bad", "--paper"],
                ["--ink", "--accent-soft"], ["--quiet", "--accent-soft"],
            ];
            const shapes = ["--accent", "--line2", "--line3", "--line4", "--field", "--good", "--bad"];
            const wished = [...pairs.map((pair) => [...pair, 4.5]), ...shapes.map((one) => [one, "--paper", 3])];
            return wished.map(([one, other, least]) => {
                const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
                return [one, other, (high + 0.05) / (low + 0.05), least];
            });
        }"""
    )
    assert [pair for pair in ratios if pair[2] < pair[3]] == []
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(16, 21, 23)") == (scheme == "dark")
