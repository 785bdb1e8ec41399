"""The image, as far as that can be told without a container engine: its instructions, and what they run, replayed.

The build's commands are run in a folder instead of a root file system, without what takes root: packages of the
distribution, and users.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from amqpd.cli.rabbitmq import SCRIPTS
from amqpd.testing.client import Client
from tests.cli.command import CLEAN, PATIENCE

from .dockerfile import Stage, is_in_context, stages

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "conf" / "Dockerfile"
IGNORE = (ROOT / "conf" / "Dockerfile.dockerignore").read_text()
ENTRYPOINT = ROOT / "conf" / "docker-entrypoint.sh"

BUILDING = 300
"""Seconds that building a wheel may take."""


@pytest.fixture(scope="module")
def parsed() -> tuple[Stage, Stage]:
    build, image = stages(DOCKERFILE.read_text())
    return build, image


# --- its instructions


def test_both_stages_have_the_same_slim_python(parsed: tuple[Stage, Stage]) -> None:
    build, image = parsed
    assert build.base == image.base == "python:3.11-slim"
    assert (build.name, image.name) == ("build", None)


def test_what_is_copied_is_there_and_in_the_context(parsed: tuple[Stage, Stage]) -> None:
    for stage in parsed:
        for copy in stage.all("COPY"):
            *sources, target = copy.words
            assert len(sources) == 1 or target.endswith("/")
            if "from" in copy.options:
                assert copy.options["from"] == "build"
                continue
            for source in sources:
                assert (ROOT / source).exists(), source
                assert is_in_context(source, IGNORE), source


def test_all_that_a_wheel_is_made_from_is_copied_and_nothing_else_is_sent(parsed: tuple[Stage, Stage]) -> None:
    build, _ = parsed
    copied = {source for copy in build.all("COPY") for source in copy.words[:-1]}
    assert copied == {"pyproject.toml", "setup.py", "README.md", "LICENSE", "amqpd"}
    assert is_in_context("amqpd/broker/queue.pxd", IGNORE)
    for path in (".git/config", ".venv/bin/python", "tests/fakes.py", "perf/load.py", "conf/amqpd.toml",
                 "amqpd/broker/queue.cpython-311-x86_64-linux-gnu.so", "amqpd/__pycache__/x.pyc"):  # fmt: skip
        assert not is_in_context(path, IGNORE), path


def test_the_image_has_no_compiler_and_the_build_has(parsed: tuple[Stage, Stage]) -> None:
    build, image = parsed
    assert any("gcc" in run.text for run in build.all("RUN"))
    assert not any("apt-get" in run.text or "gcc" in run.text for run in image.all("RUN"))
    assert any("(compiled)" in run.text for run in build.all("RUN"))


def test_it_does_not_run_as_root(parsed: tuple[Stage, Stage]) -> None:
    _, image = parsed
    made = next(run for run in image.all("RUN") if "useradd" in run.text)
    assert image.last("USER").text == "amqpd"
    assert "useradd --system --uid 999 --gid 999" in made.text
    words = [instruction.word for instruction in image.instructions]
    assert words.index("USER") > max(place for place, word in enumerate(words) if word in ("RUN", "COPY"))


def test_ports_and_volume_are_those_of_the_official_image(parsed: tuple[Stage, Stage]) -> None:
    _, image = parsed
    assert image.last("EXPOSE").words == ["4369", "5671", "5672", "15671", "15672", "15691", "15692", "25672"]
    assert image.last("VOLUME").words == ["/var/lib/amqpd"]
    assert image.environment["AMQPD_DATA_DIR"] == image.last("WORKDIR").text == "/var/lib/amqpd"
    assert any("ln -s /var/lib/amqpd /var/lib/rabbitmq" in run.text for run in image.all("RUN"))


def test_what_it_runs_is_where_it_is_copied_to(parsed: tuple[Stage, Stage]) -> None:
    _, image = parsed
    assert image.last("ENTRYPOINT").words == ["docker-entrypoint.sh"]
    assert any(copy.words[-1] == "/usr/local/bin/docker-entrypoint.sh" for copy in image.all("COPY"))
    assert image.last("CMD").words == ["rabbitmq-server"]
    assert image.environment["PATH"].startswith("/opt/amqpd/bin:")
    assert os.access(ENTRYPOINT, os.X_OK)


def test_its_health_is_a_ping(parsed: tuple[Stage, Stage]) -> None:
    _, image = parsed
    check = image.last("HEALTHCHECK")
    assert set(check.options) == {"interval", "timeout", "start-period", "retries"}
    assert check.text.removeprefix("CMD ") == '["amqpd", "ping", "--quiet"]'


@pytest.mark.parametrize("script", [*ENTRYPOINT.parent.glob("*.sh")], ids=lambda path: path.name)
def test_scripts_are_right_for_a_plain_shell(script: Path) -> None:
    assert script.read_text().startswith("#!/bin/sh\n")
    subprocess.run(["sh", "-n", script], check=True, timeout=PATIENCE)


# --- what it runs, in a folder


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory, parsed: tuple[Stage, Stage]) -> Path:
    """A folder in the place of `/`, where the build's commands were run."""
    root = tmp_path_factory.mktemp("image")
    build, _ = parsed
    source = root / build.last("WORKDIR").text.lstrip("/")
    source.mkdir()
    for copy in build.all("COPY"):
        *names, _ = copy.words
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
            else:
                shutil.copy(ROOT / name, source / name)
    (root / "opt").mkdir()
    venv.create(root / "opt" / "amqpd", symlinks=True)
    site = next((root / "opt" / "amqpd").glob("lib/python*/site-packages"))
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")  # in place of a package index
    commands = [command.strip() for run in build.all("RUN") for command in run.text.split("&&")]
    made, install, compiled, shims = commands[-4:]
    assert made == "python -m venv /opt/amqpd"
    assert install == "/opt/amqpd/bin/pip install --no-cache-dir ."
    python = root / "opt" / "amqpd" / "bin" / "python"
    offline = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python, "install", "-q",
               "--no-deps", "--no-build-isolation", "."]  # fmt: skip
    environment = {name: value for name, value in CLEAN.items() if not name.startswith(("PYTHONPATH", "PIP_"))}
    environment["AMQPD_PURE"] = "1"  # what is compiled has its tests
    subprocess.run(offline, cwd=source, check=True, capture_output=True, timeout=BUILDING, env=environment)
    assert compiled == "/opt/amqpd/bin/amqpd version | grep -F '(compiled)'"
    replayed = compiled.replace("(compiled)", "(pure Python)")
    for command in (replayed, shims):
        subprocess.run(
            command.replace("/opt/", f"{root}/opt/"), shell=True, check=True, capture_output=True, env=environment
        )
    etc = root / "etc" / "rabbitmq"
    (etc / "conf.d").mkdir(parents=True)
    (root / "var").mkdir()
    script = root / "docker-entrypoint.sh"
    script.write_text(ENTRYPOINT.read_text().replace("etc=/etc/rabbitmq", f"etc='{etc}'"))
    script.chmod(0o755)
    return root


def environment_of(prefix: Path, stage: Stage, **more: str) -> dict[str, str]:
    """That of a process in the image."""
    given = {
        name: value.replace("/opt/", f"{prefix}/opt/").replace("/var/lib/amqpd", f"{prefix}/var")
        for name, value in stage.environment.items()
    }
    given["PATH"] = given["PATH"].replace("$PATH", os.environ["PATH"])
    return {"HOME": str(prefix), "AMQPD_PURE": "1", **given, **more}


def test_the_commands_are_on_the_path(prefix: Path, parsed: tuple[Stage, Stage]) -> None:
    assert all(os.access(prefix / "opt" / "amqpd" / "bin" / name, os.X_OK) for name in ("amqpd", *SCRIPTS))


def shown(prefix: Path, stage: Stage, *arguments: str, **environment: str) -> dict[str, str]:
    """What the entry point would run a broker with: its words under '', and AMQPD's variables."""
    fake = prefix / "fake"
    fake.mkdir(exist_ok=True)
    for name in ("rabbitmq-server", "amqpd"):
        (fake / name).write_text('#!/bin/sh\necho "=$(basename "$0") $*"; env\n')
        (fake / name).chmod(0o755)
    given = environment_of(prefix, stage, **environment)
    given["PATH"] = f"{fake}:{given['PATH']}"
    done = subprocess.run(
        [prefix / "docker-entrypoint.sh", *arguments], capture_output=True, text=True, timeout=PATIENCE, env=given
    )
    assert (done.returncode, done.stderr) == (0, "")
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


OPEN = {
    "AMQPD_LISTENERS_TCP_DEFAULT": "0.0.0.0:5672",
    "AMQPD_MANAGEMENT_TCP_IP": "0.0.0.0",
    "AMQPD_PROMETHEUS_ENABLED": "true",
    "AMQPD_PROMETHEUS_TCP_IP": "0.0.0.0",
    "AMQPD_LOOPBACK_USERS": "",
}
"""What the entry point says where nobody else does."""


@pytest.mark.parametrize(
    ("arguments", "runs"),
    [
        ([], "rabbitmq-server "),
        (["rabbitmq-server"], "rabbitmq-server "),
        (["--memory", "-p", "1"], "rabbitmq-server --memory -p 1"),
        (["amqpd", "-c", "a b"], "amqpd -c a b"),
    ],
)
def test_a_container_takes_a_command_or_options(
    arguments: list[str], runs: str, prefix: Path, parsed: tuple[Stage, Stage]
) -> None:
    found = shown(prefix, parsed[1], *arguments)
    assert found[""] == runs
    assert OPEN.items() <= found.items()


@pytest.mark.parametrize(
    ("environment", "listener"),
    [
        ({"RABBITMQ_NODE_PORT": "5673"}, "0.0.0.0:5673"),
        ({"RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1"}, "127.0.0.1:5672"),
        ({"RABBITMQ_NODE_IP_ADDRESS": "::"}, "[::]:5672"),
        ({"AMQPD_LISTENERS_TCP_DEFAULT": "127.0.0.1:1"}, "127.0.0.1:1"),
    ],
    ids=str,
)
def test_variables_say_where_it_listens(
    environment: dict[str, str], listener: str, prefix: Path, parsed: tuple[Stage, Stage]
) -> None:
    assert shown(prefix, parsed[1], **environment)["AMQPD_LISTENERS_TCP_DEFAULT"] == listener


@pytest.mark.parametrize(
    "place", ["rabbitmq.conf", "conf.d/20-mine.conf", "advanced.config", "mine.conf", "more/a.conf"]
)
@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("listeners.tcp.default = 5673", "AMQPD_LISTENERS_TCP_DEFAULT"),
        ("loopback_users.guest = true", "AMQPD_LOOPBACK_USERS"),
        ("management.tcp.ip = 127.0.0.1", "AMQPD_MANAGEMENT_TCP_IP"),
        ("prometheus.tcp.ip = 127.0.0.1", "AMQPD_PROMETHEUS_TCP_IP"),
        ("[{rabbit, [{tcp_listeners, [5673]}]}].", "AMQPD_LISTENERS_TCP_DEFAULT"),
        ("# listeners.tcp.default = 5673\nheartbeat = 10", None),
    ],
    ids=["listeners", "loopback", "management", "prometheus", "terms", "comment"],
)
def test_what_a_file_says_is_left_to_it(
    line: str, left: str | None, place: str, prefix: Path, parsed: tuple[Stage, Stage]
) -> None:
    etc = prefix / "etc" / "rabbitmq"
    (etc / place).parent.mkdir(exist_ok=True)
    (etc / place).write_text(line + "\n")
    more = {}
    if place == "mine.conf":
        more["RABBITMQ_CONFIG_FILE"] = str(etc / "mine")  # with or without its ending
    if place == "more/a.conf":
        more["RABBITMQ_CONFIG_FILES"] = str(etc / "more")
    try:
        found = shown(prefix, parsed[1], **more)
    finally:
        (etc / place).unlink()
    assert set(OPEN) - set(found) == ({left} if left else set())


@pytest.mark.parametrize("by", ["file", "variable", "setting"])
def test_who_names_plugins_decides_about_metrics(by: str, prefix: Path, parsed: tuple[Stage, Stage]) -> None:
    file = prefix / "plugins"
    file.write_text("[rabbitmq_management].")
    more = {
        "file": {"RABBITMQ_ENABLED_PLUGINS_FILE": str(file)},
        "variable": {"RABBITMQ_ENABLED_PLUGINS": "rabbitmq_management"},
        "setting": {"AMQPD_PROMETHEUS_ENABLED": "false"},
    }
    assert shown(prefix, parsed[1], **more[by]).get("AMQPD_PROMETHEUS_ENABLED") != "true"


def test_another_command_is_run_as_it_is(prefix: Path, parsed: tuple[Stage, Stage]) -> None:
    found = shown(prefix, parsed[1], "env")
    assert "AMQPD_LOOPBACK_USERS" not in found


@pytest.fixture
def container(prefix: Path, parsed: tuple[Stage, Stage]) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """What `docker run` starts, with another port, and the environment of what `docker exec` does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    environment = environment_of(prefix, parsed[1])
    process = subprocess.Popen(
        [prefix / "docker-entrypoint.sh", *parsed[1].last("CMD").words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=prefix / "var",
        env={
            **environment,
            "RABBITMQ_NODE_PORT": port,
            "AMQPD_MANAGEMENT_ENABLED": "false",
            "AMQPD_PROMETHEUS_ENABLED": "false",
        },
    )  # fmt: skip
    yield process, environment
    if process.poll() is None:
        process.kill()
    process.communicate()


def test_it_serves_is_healthy_and_stops(
    container: tuple[subprocess.Popen[str], dict[str, str]], parsed: tuple[Stage, Stage]
) -> None:
    process, environment = container
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Server startup complete; 4 plugins started." in line:
            break
    (listening,) = [line for line in lines if "started TCP listener on 0.0.0.0:" in line]

    def runs(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment)

    name, *arguments = json.loads(parsed[1].last("HEALTHCHECK").text.removeprefix("CMD "))
    executable = shutil.which(name, path=environment["PATH"])
    assert executable is not None
    done = runs(executable, *arguments)
    assert done.returncode == os.EX_OK, done.stderr
    diagnostics = shutil.which("rabbitmq-diagnostics", path=environment["PATH"])
    assert diagnostics is not None
    for verb in ("ping", "check_running", "check_port_connectivity"):
        assert runs(diagnostics, "-q", verb).returncode == os.EX_OK
    Client(f"amqp://guest:guest@{outside_address()}:{listening.rpartition(':')[2].strip()}/").close()
    process.send_signal(signal.SIGTERM)  # to the broker: shells have made way for it
    assert process.stdout.read().endswith("Server stopped\n")
    assert process.wait(PATIENCE) == os.EX_OK


def outside_address() -> str:
    """An address of this machine by which others reach it, if it has any."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
