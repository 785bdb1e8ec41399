"""What is compiled, and that the same sources run uncompiled."""

from __future__ import annotations

import ast
import gc
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

import amqpd
from amqpd.broker.entry import enter
from amqpd.compiled import is_compiled
from amqpd.message import make_message

PACKAGE = Path(amqpd.__file__).parent
ROOT = PACKAGE.parent
PATIENCE = 300


def named_in_setup() -> list[str]:
    """The tuple in setup.py."""
    for node in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "COMPILED":
            found = ast.literal_eval(node.value)
            assert isinstance(found, tuple)
            return list(found)
    raise AssertionError("setup.py names no modules to compile")


COMPILED = named_in_setup()


def test_setup_names_the_modules_that_have_c_types() -> None:
    typed = [path.relative_to(ROOT).with_suffix("").as_posix() for path in PACKAGE.rglob("*.pxd")]
    assert sorted(COMPILED) == sorted(typed)


@pytest.mark.parametrize("module", COMPILED)
def test_a_compiled_module_is_plain_python_too(module: str) -> None:
    tree = ast.parse((ROOT / f"{module}.py").read_text())
    for node in ast.walk(tree):
        assert not isinstance(node, (ast.AsyncFunctionDef, ast.Await)), "no coroutines"
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            assert not {"cython", "logging", "structlog", "asyncio"} & set(names), f"line {node.lineno}"


@pytest.mark.skipif(not is_compiled(), reason="they are plain Python here")
def test_what_comes_by_the_million_is_no_concern_of_the_cycle_collector() -> None:
    message = make_message("", "queue", b"body")
    assert not gc.is_tracked(message)
    assert not gc.is_tracked(enter(1, message, False))


def run(*command: str | Path, **environment: str) -> str:
    """What a command printed; it has to succeed."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AMQPD_", "PYTHONPATH", "PIP_"))}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, env={**env, **environment}, cwd="/"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


SHOW = "import amqpd.wire.buffers as b, amqpd.broker.queue as q; print(b.__file__); print(q.__file__)"


def test_on_request_the_sources_are_run() -> None:
    for line in run(sys.executable, "-c", SHOW, PYTHONPATH=str(ROOT), AMQPD_PURE="1").splitlines():
        assert line.endswith(".py")


def test_what_is_compiled_is_run_where_it_is() -> None:
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    built = (PACKAGE / "wire" / f"buffers{suffix}").exists()
    for line in run(sys.executable, "-c", SHOW, PYTHONPATH=str(ROOT)).splitlines():
        assert line.endswith(suffix) is built
    if not os.environ.get("AMQPD_PURE"):
        assert is_compiled() is built


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of what a wheel is made from, with nothing built in it."""
    copy = tmp_path / "sources"
    shutil.copytree(PACKAGE, copy / "amqpd", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    return copy


def installed(sources: Path, **environment: str) -> tuple[str, str]:
    """Build a wheel, install it into an empty venv: what the build said, and what `amqpd --version` says there."""
    folder = sources.parent
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    options = ("-v", "--no-deps", "--no-build-isolation", "-w", folder)
    said = run(*pip, "wheel", *options, sources, **environment)
    (wheel,) = folder.glob("amqpd-*.whl")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    # its dependencies are those of this environment
    run(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel)
    site = next((folder / "venv").glob("lib/python*/site-packages"))
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    where = run(python, "-c", "import amqpd; print(amqpd.__file__)")
    assert where.startswith(str(site)), where
    return said, run(folder / "venv" / "bin" / "amqpd", "--version")


@pytest.mark.timeout(2 * PATIENCE)
def test_a_wheel_builds_and_installs(sources: Path) -> None:
    wanted = {"AMQPD_PURE": "1"} if os.environ.get("AMQPD_PURE") else {}
    _, version = installed(sources, **wanted)
    assert version == f"amqpd {amqpd.__version__} ({'pure Python' if wanted or not is_compiled() else 'compiled'})\n"


@pytest.mark.timeout(2 * PATIENCE)
def test_without_a_compiler_it_installs_uncompiled_and_says_so(sources: Path) -> None:
    said, version = installed(sources, CC="/nonexistent/cc")
    assert said.count("amqpd: nothing is compiled, and all the slower for it") == 1
    assert version == f"amqpd {amqpd.__version__} (pure Python)\n"
