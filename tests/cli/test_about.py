"""What the command says of itself."""

from __future__ import annotations

import os

import pytest

from amqpd import __version__
from amqpd.compiled import is_compiled
from tests.cli.command import amqpd


@pytest.mark.parametrize("word", ["version", "--version"])
def test_the_version_is_the_packages(word: str) -> None:
    done = amqpd(word)
    runs = "compiled" if is_compiled() else "pure Python"
    assert (done.returncode, done.stdout) == (os.EX_OK, f"amqpd {__version__} ({runs})\n")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_told_how_to_complete(shell: str) -> None:
    done = amqpd("completion", shell)
    assert done.returncode == os.EX_OK
    assert f"_AMQPD_COMPLETE={shell}_complete" in done.stdout
    assert "_AMQPCTL_COMPLETE=1" in done.stdout
    assert "operator_policies" in done.stdout  # amqpadmin's


def test_an_unknown_shell_is_a_usage_error() -> None:
    assert amqpd("completion", "tcsh").returncode == os.EX_USAGE


def test_commands_and_options_are_completed() -> None:
    done = amqpd(_AMQPD_COMPLETE="bash_complete", COMP_WORDS="amqpd pi", COMP_CWORD="1")
    assert done.stdout == "plain,ping\n"
    done = amqpd(_AMQPD_COMPLETE="bash_complete", COMP_WORDS="amqpd run --write", COMP_CWORD="2")
    assert done.stdout == "plain,--write-url\n"
