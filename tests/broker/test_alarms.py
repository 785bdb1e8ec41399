"""Alarms: reasons, and who hears of them."""

from __future__ import annotations

from amqpd.broker.alarms import Alarms


def test_without_alarms_there_is_no_reason() -> None:
    assert Alarms().reason == ""


def test_reasons_are_joined_in_the_order_they_were_raised() -> None:
    alarms = Alarms()
    alarms.raise_("low on disk")
    alarms.raise_("low on memory")
    assert alarms.reason == "low on disk & low on memory"
    alarms.clear("low on disk")
    assert alarms.reason == "low on memory"
    alarms.clear("low on memory")
    assert alarms.reason == ""


def test_listeners_hear_of_each_change_once() -> None:
    alarms = Alarms()
    heard: list[str] = []
    alarms.listen(lambda: heard.append(alarms.reason))
    alarms.raise_("low on disk")
    alarms.raise_("low on disk")
    alarms.clear("nothing")
    alarms.clear("low on disk")
    alarms.clear("low on disk")
    assert heard == ["low on disk", ""]


def test_a_listener_may_leave_even_while_it_is_told() -> None:
    alarms = Alarms()
    heard: list[str] = []

    def once() -> None:
        heard.append(alarms.reason)
        alarms.unlisten(once)

    alarms.listen(once)
    alarms.listen(lambda: heard.append("other"))
    alarms.raise_("low on disk")
    alarms.clear("low on disk")
    assert sorted(heard) == ["low on disk", "other", "other"]


def test_leaving_twice_does_nothing() -> None:
    alarms = Alarms()
    alarms.unlisten(lambda: None)
