"""README and conf/amqpd.toml name whatever there is to be used, and the README's table names tests that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from amqpd.broker import arguments, exchanges
from amqpd.config.settings import SETTINGS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
EXAMPLE = (ROOT / "conf" / "amqpd.toml").read_text()

ARGUMENTS = sorted(
    {
        *arguments._QUEUE_ARGUMENTS_4_3,
        *arguments._STREAM_ARGUMENTS,
        *arguments._CONSUMER_ARGUMENTS,
        *arguments._CONSUMER_4_3,
        *arguments._STREAM_CONSUMERS_ONLY,
        "alternate-exchange",
    }
)


def support_table() -> list[list[str]]:
    """The cells of each row."""
    lines = README[README.index("| feature | supported |") :].split("\n\n", 1)[0].splitlines()
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def keys_of(table: dict[str, object], prefix: str = "") -> list[str]:
    found = []
    for key, value in table.items():
        found += keys_of(value, f"{prefix}{key}.") if isinstance(value, dict) else [prefix + key]
    return found


@pytest.mark.parametrize("argument", ARGUMENTS)
def test_arguments_are_in_the_readme(argument: str) -> None:
    assert f"`{argument}`" in README


@pytest.mark.parametrize("kind", sorted(exchanges._types))
def test_exchange_types_are_in_the_readme(kind: str) -> None:
    assert f"`{kind}`" in README or re.search(rf"\b{kind}\b[a-z ,]* exchanges", README)


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings_are_in_the_example_or_the_readme(setting: str) -> None:
    assert setting in keys_of(tomllib.loads(EXAMPLE)) or f"`{setting}`" in README


@pytest.mark.parametrize("row", support_table(), ids=lambda row: row[0])
def test_what_the_table_says_is_supported_has_tests_that_exist(row: list[str]) -> None:
    feature, supported, tests = row
    assert feature
    files = re.findall(r"`([^`]+)`", tests)
    assert files or supported == "no"
    assert [file for file in files if not (ROOT / "tests" / file).is_file()] == []
