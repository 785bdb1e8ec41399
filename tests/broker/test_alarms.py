"""Alarms: reasons, and who hears of them."""

from __future__ import annotations

import pytest

from amqpd.broker.alarms import LOW_ON_DISK, LOW_ON_MEMORY, Alarms


def test_without_alarms_there_is_no_reason() -> None:
    assert Alarms().reason == ""


@pytest.mark.parametrize("reasons", [(LOW_ON_DISK, LOW_ON_MEMORY), (LOW_ON_MEMORY, LOW_ON_DISK)])
def test_reasons_are_joined_as_rabbitmq_joins_them_whichever_came_first(reasons: tuple[str, str]) -> None:
    alarms = Alarms()
    for reason in reasons:
        alarms.raise_(reason)
    assert alarms.reason == "low on disk & memory"
    assert alarms.raised == reasons
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


# --- one reason, several sources


def test_a_reason_lasts_until_its_last_source_lets_go() -> None:
    alarms = Alarms()
    heard: list[str] = []
    alarms.listen(lambda: heard.append(alarms.reason))
    assert alarms.raise_(LOW_ON_DISK, "free space") is True
    assert alarms.raise_(LOW_ON_DISK, "a failing write") is False
    assert alarms.clear(LOW_ON_DISK, "free space") is False
    assert alarms.reason == LOW_ON_DISK
    assert alarms.clear(LOW_ON_DISK, "a failing write") is True
    assert alarms.reason == ""
    assert heard == [LOW_ON_DISK, ""]


def test_a_source_cannot_let_go_of_what_another_holds() -> None:
    alarms = Alarms()
    alarms.raise_(LOW_ON_DISK, "free space")
    assert alarms.clear(LOW_ON_DISK, "a failing write") is False
    assert alarms.clear(LOW_ON_DISK) is False
    assert alarms.raised == (LOW_ON_DISK,)


def test_a_source_holds_a_reason_once_however_often_it_raises_it() -> None:
    alarms = Alarms()
    alarms.raise_(LOW_ON_MEMORY, "watermark")
    alarms.raise_(LOW_ON_MEMORY, "watermark")
    assert alarms.clear(LOW_ON_MEMORY, "watermark") is True
