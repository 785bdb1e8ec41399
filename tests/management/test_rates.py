"""Rates from counters that were looked at before."""

from __future__ import annotations

import asyncio

from amqpd.broker.broker import Broker
from amqpd.broker.traffic import Traffic
from amqpd.clock import VirtualClock
from amqpd.management.rates import ATTENTION, EXCHANGE_NAMES, FEW, Rates
from amqpd.message import make_message
from amqpd.store.memory import MemoryStore
from tests.management.harness import Api


class Bench:
    """Rates over a broker with one queue; rounds are made by hand."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.broker = Broker(MemoryStore(), self.clock)
        self.queue = self.broker.vhosts["/"].declare_queue("q")
        self.rates = Rates(self.broker)

    @property
    def traffic(self) -> Traffic:
        return self.queue.traffic

    def round_after(self, seconds: float) -> None:
        self.clock.advance(seconds)
        asyncio.run(self.rates._round())


def test_counters_show_once_they_counted() -> None:
    bench = Bench()
    assert bench.rates.stats(bench.traffic) == {}
    bench.traffic.published = 3
    assert bench.rates.stats(bench.traffic) == {"publish": 3, "publish_details": {"rate": 0.0}}


def test_a_rate_is_the_growth_since_the_round_before_the_last() -> None:
    bench = Bench()
    bench.round_after(5)
    bench.traffic.published = 100
    bench.round_after(5)
    bench.traffic.published = 300
    bench.clock.advance(5)
    assert bench.rates.stats(bench.traffic)["publish_details"] == {"rate": 30.0}


def test_rounds_go_on_unasked_only_where_there_is_little_to_go_over() -> None:
    bench = Bench()
    assert bench.rates.wanted
    for number in range(FEW):
        bench.broker.vhosts["/"].declare_queue(f"q{number}")
    assert not bench.rates.wanted
    bench.rates.look()
    assert bench.rates.wanted
    bench.clock.advance(ATTENTION + 1)
    assert not bench.rates.wanted


def test_deliver_get_is_all_that_went_out() -> None:
    bench = Bench()
    bench.traffic.delivered, bench.traffic.delivered_no_ack, bench.traffic.got, bench.traffic.got_no_ack = 1, 2, 3, 4
    assert bench.rates.stats(bench.traffic)["deliver_get"] == 10


def test_exchanges_have_names_of_their_own() -> None:
    bench = Bench()
    bench.traffic.published, bench.traffic.routed = 2, 5
    stats = bench.rates.stats(bench.traffic, EXCHANGE_NAMES)
    assert (stats["publish_in"], stats["publish_out"]) == (2, 5)


def test_what_is_new_since_the_last_round_has_no_rate_yet() -> None:
    bench = Bench()
    bench.round_after(5)
    later = bench.broker.vhosts["/"].declare_queue("later")
    later.traffic.published = 10
    assert bench.rates.stats(later.traffic)["publish_details"] == {"rate": 0.0}


def test_idle_is_what_was_seen_with_the_same_counts_before() -> None:
    bench = Bench()
    seen = bench.clock.time()
    assert bench.rates.idle_since(bench.traffic) == seen
    bench.clock.advance(60)
    assert bench.rates.idle_since(bench.traffic) == seen
    bench.traffic.acked = 1
    assert bench.rates.idle_since(bench.traffic) is None


def test_nothing_is_kept_of_what_is_gone() -> None:
    bench = Bench()
    bench.rates.idle_since(bench.traffic)
    bench.broker.vhosts["/"].delete_queue(bench.queue)
    bench.round_after(5)
    assert bench.rates._idle == {}


def test_totals_have_rates_of_the_vhosts_they_are_of() -> None:
    api = Api()
    api.put("/vhosts/v")
    api.put("/queues/v/q", {})
    api.put("/queues/%2F/q", {})
    api.put("/users/u", {"password": "x", "tags": "management"})
    api.put("/permissions/v/u", {"configure": "", "write": "", "read": ""})
    api.get("/overview")
    asyncio.run(api.management.rates._round())
    for vhost, count in (("v", 10), ("/", 5)):
        for _ in range(count):
            api.broker.vhosts[vhost].queues["q"].push(make_message("", "q", b""))
    api.clock.advance(5)
    totals = api.get("/overview").json["queue_totals"]
    assert (totals["messages"], totals["messages_details"], totals["messages_ready_details"]) == (
        15,
        {"rate": 3.0},
        {"rate": 3.0},
    )
    assert api.get("/overview", login="u:x").json["queue_totals"]["messages_details"] == {"rate": 2.0}
    assert api.get("/vhosts/v").json["messages_details"] == {"rate": 2.0}
    api.put("/queues/v/r", {})
    assert api.get("/overview").json["churn_rates"]["queue_declared_details"] == {"rate": 0.2}
