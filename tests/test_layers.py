"""Imports point one way: the table of the architecture, read from the sources."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import amqpd

ROOT = Path(amqpd.__file__).parent

MAY_IMPORT = {
    "wire": set(),
    "errors": {"wire"},
    "message": {"wire", "errors"},
    "clock": set(),
    "log": set(),
    "collector": {"clock"},
    "compiled": set(),
    "control": set(),
    "config": {"errors"},
    "process": {"clock", "config", "errors", "__version__"},
    "machine": set(),
    "patterns": {"errors"},
    "watermarks": {"broker", "clock", "errors"},
    "provisions": {"auth", "broker", "collector", "config", "definitions", "errors"},
    "vhost_defaults": {"auth", "broker", "config", "errors", "patterns"},
    "store": {"message", "errors", "wire.fields", "wire.schema", "wire.spec"},
    "definitions": {"auth", "broker", "errors", "patterns", "wire.fields", "wire.spec"},
    "auth": {"errors", "patterns", "clock", "store.base", "broker.broker", "wire.fields", "wire.spec"},
    "broker": {
        "patterns",
        "message",
        "errors",
        "clock",
        "store.base",
        "wire.fields",
        "wire.properties",
        "wire.rewrite",
        "wire.spec",
    },
    "amqp": {"wire", "message", "errors", "broker", "auth", "clock", "store.base"},
    "listeners": {"amqp", "broker", "auth", "config", "clock", "errors", "wire.spec"},
    "management": {
        "amqp",
        "auth",
        "broker",
        "clock",
        "control",
        "definitions",
        "errors",
        "message",
        "patterns",
        "store.base",
        "watermarks",
        "wire",
        "__version__",
    },
    "testing": {"wire", "daemon", "config"},
    "fetch": {"auth"},
    "access": {"auth", "clock", "config", "errors", "fetch"},
    "daemon": {
        "access",
        "amqp",
        "auth",
        "broker",
        "clock",
        "collector",
        "config",
        "control",
        "errors",
        "listeners",
        "log",
        "machine",
        "management",
        "patterns",
        "process",
        "provisions",
        "store",
        "vhost_defaults",
        "watermarks",
        "__version__",
    },
    "cli": {
        "broker.compat",  # which RabbitMQ it passes for
        "compiled",
        "config",
        "control",
        "daemon",
        "errors",
        "log",
        "process",
        "testing.client",  # what speaks AMQP for commands
        "wire.methods",
        "wire.properties",
        "wire.spec",
        "__version__",
    },
    "__main__": {"cli"},
    "__init__": {"compiled"},
}
"""For each package or module: what else of amqpd it may import. A whole package, or one module of it."""

MAY_TOUCH_ASYNCIO = {
    "listeners",
    "management",
    "daemon",
    "fetch",
    "process",
    "store/committer.py",
    "cli/http.py",
    "cli/probe.py",
}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def layer_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """What a module imports, by full name, type-checking imports included."""
    package = ["amqpd", *path.relative_to(ROOT).parent.parts]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            if node.module is None or module == "amqpd":
                found |= {f"{module}.{alias.name}" for alias in node.names}
            else:
                found.add(module)
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_lies_to_its_left(path: Path) -> None:
    layer = layer_of(path)
    allowed = MAY_IMPORT[layer] | {layer}
    for imported in imports_of(path):
        if not imported.startswith("amqpd."):
            continue
        inside = imported.removeprefix("amqpd.")
        assert any(inside == one or inside.startswith(one + ".") for one in allowed), f"{layer} imports {inside}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_asyncio_stays_at_the_edge(path: Path) -> None:
    relative = str(path.relative_to(ROOT))
    if layer_of(path) in MAY_TOUCH_ASYNCIO or relative in MAY_TOUCH_ASYNCIO:
        return
    assert not {
        name for name in imports_of(path) if name.split(".")[0] in ("asyncio", "uvloop", "socket", "threading")
    } or (layer_of(path) == "testing")
