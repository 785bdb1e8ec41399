"""The README's words on scripts and CI: commands and options it names are there, and its example is run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from amqpd.cli.commands import amqpd as command
from amqpd.cli.ctl.verbs import VERBS
from tests.cli.command import CLEAN, PATIENCE

README = (Path(__file__).parents[2] / "README.md").read_text()
SECTION = README.partition("## From scripts and CI\n")[2].partition("\n## ")[0]
COMMAND_LINE = README.partition("## Command line\n")[2].partition("\n## ")[0]


def options_of(name: str | None) -> set[str]:
    """What the command, or a subcommand, takes."""
    with click.Context(command) as context:
        found = command if name is None else command.get_command(context, name)
    assert found is not None, name
    return {option for parameter in found.params for option in parameter.opts}


def test_every_option_in_the_table_is_there() -> None:
    named = set(re.findall(r"^\| `(--[a-z-]+)|, `(--[a-z-]+)", SECTION, re.MULTILINE))
    options = {first or second for first, second in named}
    assert len(options) == 8
    assert options <= options_of(None)
    assert options <= options_of("run")


@pytest.mark.parametrize(
    "line", re.findall(r"^(?:    |- run: )(amqpd .*?)(?: +#.*)?$", SECTION + COMMAND_LINE, re.MULTILINE)
)
def test_every_command_is_as_the_command_has_it(line: str) -> None:
    words = shlex.split(line)[1:]
    words = words[: words.index("--")] if "--" in words else words
    name = words[0] if words[0] in command.list_commands(click.Context(command)) else None
    assert {word for word in words if word.startswith("-")} <= options_of(name)


def test_every_verb_of_amqpctl_is_there() -> None:
    verbs = re.findall(r"^    amqpctl ([a-z_]+)", COMMAND_LINE, re.MULTILINE)
    assert len(verbs) > 5
    assert set(verbs) <= set(VERBS)


def test_a_command_finds_a_broker() -> None:
    script = "import os, pika; pika.BlockingConnection(pika.URLParameters(os.environ['AMQP_URL'])).close()"
    done = subprocess.run(
        [sys.executable, "-m", "amqpd", "exec", "--", sys.executable, "-c", script],
        capture_output=True, text=True, timeout=PATIENCE, env=CLEAN,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (os.EX_OK, "")
