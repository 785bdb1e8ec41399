"""From results to files, tables and the chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from chart import draw, rows
from compare import compared
from limits import load_limits
from results import as_json, heading, medians, read
from scenarios import load_scenarios
from summary import markdown, summary

ABOUT: dict[str, Any] = {
    "machine": {
        "date": "2025-01-01 00:00",
        "cpu": "A & B",
        "cores": 2,
        "system": "Linux",
        "python": "3.11",
        "commit": "",
    },
    "runs": 3,
    "brokers": {
        "amqpd": {"version": "amqpd, version 0", "settings": "defaults"},
        "rabbitmq": {"version": "RabbitMQ 3", "settings": "as installed"},
    },
}
NAMES = ["amqpd", "rabbitmq"]
CASES = [*load_scenarios(None, quick=False), *load_limits()]


def workload_run(rate: float, cpu: float) -> dict[str, Any]:
    phase = {"messages": int(rate), "seconds": 1.0, "rate": rate, "loader_cpu": 0.5}
    return {"consumed": phase, "published": phase, "broker_cpu": cpu}


RESULTS = {
    "auto-ack": {
        "amqpd": [workload_run(rate, 1.0) for rate in (700_000, 900_000, 800_000)],
        "rabbitmq": [workload_run(100_000, 12.0)],
    },
    "idle": {"amqpd": [{"resident": 50.0}], "rabbitmq": [{"resident": 140.0}]},
}


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_workload_has_its_medians_ratio_and_verdict() -> None:
    lines = list(summary(CASES, RESULTS, NAMES, markdown))
    assert cells(lines[2]) == [
        "16 B transient, automatic acks",
        *("800,000/s", "1.00", "100,000/s", "12.00", "8.00", "40% + 40%", "≥ 8x, ≤ 1.2 µs", "yes"),
    ]


def test_a_limit_has_its_target_and_verdict() -> None:
    lines = list(summary(CASES, RESULTS, NAMES, markdown))
    assert cells(lines[-1]) == ["idle broker: memory", "≤ 40 MB", "50.0 MB", "140.0 MB", "no"]


def test_what_failed_is_not_met() -> None:
    results = {"idle": {"amqpd": [{"error": "it was dark"}]}}
    assert cells(list(summary(CASES, results, ["amqpd"], markdown))[-1])[-2:] == ["failed", "no"]


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_text(as_json(ABOUT, RESULTS))
    assert read(file) == (ABOUT, RESULTS)
    assert len(list(heading(ABOUT))) == 4


def test_medians_are_taken_value_by_value() -> None:
    (run,) = medians(RESULTS)["auto-ack"]["amqpd"]
    assert run["consumed"]["rate"] == 800_000
    assert medians({"x": {"b": [{"error": "no"}, {"rate": 1.0}]}}) == {"x": {"b": [{"rate": 1.0}]}}
    assert medians({"x": {"b": [{"error": "no"}]}}) == {"x": {"b": [{"error": "no"}]}}


def test_files_are_compared_by_ratio() -> None:
    after = {"auto-ack": {"amqpd": [workload_run(1_600_000, 0.5)], "rabbitmq": [workload_run(200_000, 12.0)]}}
    rows = list(compared(RESULTS, after))
    assert rows[1] == ["auto-ack", "amqpd", "800,000/s", "1,600,000/s", "2.00", "1.00", "0.50", "0.50", "1.00"]


def test_the_chart_has_a_bar_for_each_broker() -> None:
    picture = ET.fromstring(draw(ABOUT, rows(RESULTS)))
    bars = [path for path in picture.iter("{http://www.w3.org/2000/svg}path") if path.get("class") in NAMES]
    assert len(bars) == 2
