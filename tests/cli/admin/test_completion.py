"""What shells complete of amqpadmin's command lines, asked of the shells themselves."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from amqpd.cli.admin.main import completion

LINES = {
    "amqpadmin dec": {"declare"},
    "amqpadmin -V / declare q": {"queue"},
    "amqpadmin declare queue du": {"durable="},
    "amqpadmin queues declare --na": {"--name"},
    "amqpadmin list queues messages_r": set(),
    "amqpadmin --table": {"--table-style"},
    "amqpadmin publish routing": {"routing_key="},
}

BASH = """
read -ra COMP_WORDS <<< "$1"
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_amqpadmin amqpadmin "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.mark.parametrize("line", LINES)
@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes_both_grammars(line: str) -> None:
    script = f"set -u\n{completion('amqpadmin', 'bash')}\n{BASH}"
    done = subprocess.run(["bash", "--norc", "-c", script, "bash", line], capture_output=True, text=True, check=True)
    assert (set(done.stdout.split()), done.stderr) == (LINES[line], "")


@pytest.mark.parametrize("line", LINES)
@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish")
def test_fish_does_as_well(line: str) -> None:
    script = f"{completion('amqpadmin', 'fish')}\ncomplete -C '{line}'"
    done = subprocess.run(["fish", "-N", "-c", script], capture_output=True, text=True, check=True)
    assert ({each.partition("\t")[0] for each in done.stdout.splitlines()}, done.stderr) == (LINES[line], "")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh")
def test_zsh_reads_it() -> None:
    script = f"autoload -U compinit; compinit -u -D\n{completion('amqpadmin', 'zsh')}\nwhich _amqpadmin"
    done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, check=True)
    assert "COMP_WORDS[@]:1" not in done.stdout  # zsh has no arithmetic there
    assert done.stderr == ""
