"""The examples of README.md, run as they stand.

An example is a ```python block that imports pika or aio_pika. It connects to 127.0.0.1:5672, where this puts the
address of the broker under test. Its messages are the bytes literals in it, and it prints them.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from amqpd.testing.client import Client
from amqpd.wire.methods import QueueDelete, QueueDeleteOk

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
HOST = r"(?:127\.0\.0\.1|localhost)"


def examples(library: str) -> list[str]:
    blocks = BLOCK.findall(README.read_text(encoding="utf-8"))
    return [block for block in blocks if re.search(rf"^(?:import|from) {library}\b", block, re.MULTILINE)]


def readdress(example: str, url: str) -> str:
    """The example, connecting to another broker. It has to name the address it connects to."""
    parts = urlsplit(url)
    replaced, in_urls = re.subn(rf"@{HOST}(?::5672)?(?=[/\"'])", f"@{parts.hostname}:{parts.port}", example)
    replaced, in_parameters = re.subn(
        rf"ConnectionParameters\((?:host=)?[\"']{HOST}[\"'](?:, (?:port=)?5672)?",
        f'ConnectionParameters("{parts.hostname}", {parts.port}',
        replaced,
    )
    assert in_urls + in_parameters, f"no address of the broker is to be seen in\n{example}"
    return replaced


def messages(tree: ast.AST) -> list[str]:
    literals = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [literal.decode() for literal in literals if isinstance(literal, bytes) and literal]


def declared_queues(tree: ast.AST) -> list[str]:
    found = []
    for call in ast.walk(tree):
        match call:
            case ast.Call(func=ast.Attribute(attr="queue_declare" | "declare_queue"), args=args, keywords=keywords):
                values = [*args, *(keyword.value for keyword in keywords)]
                found += [v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
    return found


@pytest.mark.parametrize("library", ["pika", "aio_pika"])
def test_the_readmes_example_runs_as_pasted(library: str, broker_url: str, client: Client, tmp_path: Path) -> None:
    found = examples(library)
    assert found, f"README.md has no ```python block that imports {library}"
    for example in found:
        tree = ast.parse(example)
        assert messages(tree), f"no message, as a bytes literal, is to be seen in\n{example}"
        script = tmp_path / "example.py"
        script.write_text(readdress(example, broker_url), encoding="utf-8")
        try:
            process = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=30)
        finally:
            for queue in declared_queues(tree):
                client.call(1, QueueDelete(queue=queue), QueueDeleteOk)
        assert process.returncode == 0, process.stderr
        for message in messages(tree):
            assert message in process.stdout
