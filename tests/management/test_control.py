"""What is below /api/amqpd for operators: the process around the broker, limits, and trying a password."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.watermarks import Watermarks

from .harness import Api


class Process:
    """Remembers what it was asked to do."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def request_stop(self, reason: str) -> None:
        self.asked.append(("stop", reason))

    def suspend(self, *, send_away: bool) -> None:
        self.asked.append(("suspend", send_away))

    async def resume(self) -> None:
        self.asked.append("resume")

    def reset(self) -> None:
        self.asked.append("reset")

    def collect(self) -> None:
        self.asked.append("collect")

    def set_log_level(self, level: str) -> None:
        self.asked.append(("log level", level))


@pytest.fixture
def api() -> Api:
    return Api()


def test_the_process_is_asked(api: Api) -> None:
    process = api.management.control = Process()
    for path, body in (("stop", {"reason": "enough"}), ("suspend", None), ("suspend", {"connections": "keep"}),
                       ("resume", None), ("reset", None), ("collect", None)):  # fmt: skip
        assert api.post(f"/amqpd/{path}", body).status == 204
    assert process.asked == [("stop", "enough"), ("suspend", True), ("suspend", False), "resume", "reset", "collect"]
    assert api.post("/amqpd/suspend", {"connections": "some"}).status == 400


def test_the_level_of_the_log_is_set(api: Api) -> None:
    process = api.management.control = Process()
    assert api.put("/amqpd/log-level", {"level": "debug"}).status == 204
    assert process.asked == [("log level", "debug")]
    assert "one of debug, info" in api.put("/amqpd/log-level", {"level": "loud"}).json["reason"]
    assert api.put("/amqpd/log-level", {}).status == 400


def test_a_broker_within_another_process_leaves_that_alone(api: Api) -> None:
    for path in ("stop", "suspend", "resume", "reset", "collect"):
        assert api.post(f"/amqpd/{path}").status == 503
    assert api.put("/amqpd/memory-limit", {"absolute": 1}).status == 503
    assert api.put("/amqpd/disk-limit", {"absolute": 1}).status == 503
    assert api.put("/amqpd/log-level", {"level": "debug"}).status == 503


@pytest.mark.parametrize(
    "path", ["stop", "suspend", "resume", "reset", "collect", "authenticate", "memory-limit", "disk-limit", "log-level"]
)
def test_all_of_it_is_for_administrators(path: str, api: Api) -> None:
    api.management.control = Process()
    api.users.add("monitor", "monitor", ["monitoring"])
    method = "PUT" if path.endswith(("limit", "level")) else "POST"
    assert api.request(method, f"/amqpd/{path}", login="monitor:monitor").status == 401
    assert api.request(method, f"/amqpd/{path}", login=None).status == 401


def test_a_password_is_tried(api: Api) -> None:
    assert api.post("/amqpd/authenticate", {"name": "guest", "password": "guest"}).json == {
        "ok": True, "name": "guest", "tags": ["administrator"],
    }  # fmt: skip
    assert api.post("/amqpd/authenticate", {"name": "guest", "password": "wrong"}).json == {
        "ok": False, "reason": "user 'guest' - invalid credentials",
    }  # fmt: skip
    assert api.post("/amqpd/authenticate", {"name": "guest"}).status == 400


def test_limits_are_bytes_or_shares(api: Api) -> None:
    watermarks = api.management.watermarks = Watermarks(
        api.broker.alarms, api.clock, api.log, node="n", total=1000, used=lambda: 500, free=lambda: 500, memory=0.9,
        disk=10,
    )  # fmt: skip
    assert api.put("/amqpd/memory-limit", {"absolute": 400}).status == 204
    assert (watermarks.memory_limit, api.broker.alarms.reason) == (400, "low on memory")
    assert api.put("/amqpd/memory-limit", {"fraction": 0.6}).status == 204
    assert (watermarks.memory_limit, api.broker.alarms.reason) == (600, "")
    assert api.put("/amqpd/disk-limit", {"fraction": 0.7}).status == 204
    assert (watermarks.disk_limit, api.broker.alarms.reason) == (700, "low on disk")
    for body in ({}, {"absolute": 1, "fraction": 0.5}, {"absolute": "1"}, {"absolute": -1}, {"fraction": 1.5}):
        assert api.put("/amqpd/memory-limit", body).status == 400, body
