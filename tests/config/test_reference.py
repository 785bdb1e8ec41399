"""The tables of keys and variables in the README."""

from __future__ import annotations

from pathlib import Path

from amqpd.config.environment import ALIASES, VARIABLES
from amqpd.config.rabbitmq_keys import ROWS
from amqpd.config.reference import honoured, without_effect

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_has_what_is_honoured() -> None:
    assert honoured() in README.read_text(), "put what `amqpd config keys` prints into README.md"


def test_every_key_and_variable_is_in_one_table_or_the_other() -> None:
    effective, others = honoured(), without_effect()
    for name in (*ALIASES, *VARIABLES, *(row.pattern for row in ROWS)):
        assert f"`{name}`" in effective or f"`{name}`" in others, name
