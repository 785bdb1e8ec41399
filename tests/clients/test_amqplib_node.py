"""amqplib, the client of Node.js programs: its calls in node/scenarios.js, whole programs in node/programs.js."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "node"
SCENARIOS = [
    (script, sentence)
    for script in ("scenarios.js", "programs.js")
    for sentence in re.findall(r"^scenario\('(.+)',", (FOLDER / script).read_text(encoding="utf-8"), re.MULTILINE)
]

PATH = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
"""Where node is looked for first: pip puts it beside python."""


def run(command: str, *arguments: str, timeout: float) -> None:
    """Run node or npm; the test fails with what it wrote when it does."""
    found = shutil.which(command, path=PATH)
    assert found, f"{command} is neither installed beside python nor on the PATH: pip install -e '.[test]'"
    process = subprocess.Popen(
        [found, *arguments],
        cwd=FOLDER,
        env={**os.environ, "PATH": PATH},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # pip's node is a script that starts node, and both have to go
    )
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        pytest.fail(f"{command} did not end within {timeout:.0f} s:\n{output}")
    assert process.returncode == 0, f"{command} ended with {process.returncode}:\n{output}"


@pytest.fixture(scope="session")
def amqplib() -> None:
    """Installs the version of package.json, once."""
    wanted = json.loads((FOLDER / "package.json").read_text())["dependencies"]["amqplib"]
    installed = FOLDER / "node_modules" / "amqplib" / "package.json"
    if not installed.exists() or json.loads(installed.read_text())["version"] != wanted:
        run("npm", "install", "--no-package-lock", "--no-save", "--no-audit", "--no-fund", timeout=100)


@pytest.mark.parametrize(("script", "sentence"), SCENARIOS, ids=[words.replace(" ", "_") for _, words in SCENARIOS])
def test_amqplib(script: str, sentence: str, amqplib: None, broker_url: str, name: Callable[..., str]) -> None:
    run("node", script, broker_url, name("node"), sentence, timeout=30)
