"""`amqpd ping` and `amqpd wait`: a sign of life, quickly, and a code that says what is wrong."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from amqpd.cli.commands import amqpd as command
from amqpd.cli.main import main
from amqpd.cli.probe import Silent, Target, await_start, greet, locate, target_of
from amqpd.testing.client import raw_frame
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import ConnectionStart
from tests.cli.command import CLEAN, PATIENCE, amqpd, popen

START = raw_frame(1, 0, b"\x00\x0a\x00\x0a" + b"arguments")


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that answers each connection in this way, once it has heard eight bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, suppress(ConnectionError):  # the peer may have heard enough
                    connection.recv(8)
                    answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE)


def sending(*pieces: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
        connection.recv(1)  # until the peer is gone

    return answer


@pytest.fixture
def free_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The command in this process: exit code, output, errors."""
    with pytest.raises(SystemExit) as left:
        main(arguments)
    code = left.value.code
    assert isinstance(code, int)
    output, errors = capsys.readouterr()
    return code, output, errors


# --- ping


@pytest.mark.parametrize("words", [["-t", "5"], ["--timeout=5", "-q"], [], ["-q"], ["--quiet"]], ids=" ".join)
def test_in_whatever_way_it_is_told_it_answers_the_same(
    words: list[str], broker: BrokerProcess, free_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "" if {"-q", "--quiet"} & {*words} else f"127.0.0.1:{broker.port} answers\n"
    assert run(capsys, "ping", *words, broker.url) == (os.EX_OK, said, "")
    code, output, errors = run(capsys, "ping", *words, f"127.0.0.1:{free_port}")
    assert (code, output) == (os.EX_UNAVAILABLE, "")
    assert errors == f"amqpd: cannot connect to 127.0.0.1:{free_port}: Connection refused\n"
    assert run(capsys, "ping", *words, "http://localhost/")[0] == os.EX_USAGE
    assert run(capsys, "ping", *words, "one", "two")[0] == os.EX_USAGE


def test_a_broker_that_runs_answers(broker: BrokerProcess, capsys: pytest.CaptureFixture[str]) -> None:
    said = f"127.0.0.1:{broker.port} answers\n"
    assert run(capsys, "ping", broker.url) == (os.EX_OK, said, "")
    assert run(capsys, "ping", f"127.0.0.1:{broker.port}") == (os.EX_OK, said, "")
    assert run(capsys, "ping", "-q", broker.url) == (os.EX_OK, "", "")


def test_it_leaves_no_trace_in_the_log(broker: BrokerProcess, capsys: pytest.CaptureFixture[str]) -> None:
    lines = len(broker.log)
    run(capsys, "ping", broker.url)
    assert not [line for line in broker.log[lines:] if "[warning]" in line or "[info]" in line]


def test_where_nobody_listens_it_says_so(free_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    said = f"amqpd: cannot connect to 127.0.0.1:{free_port}: Connection refused\n"
    assert run(capsys, "ping", f"127.0.0.1:{free_port}") == (os.EX_UNAVAILABLE, "", said)


def test_a_host_that_cannot_be_is_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = run(capsys, "ping", "amqp://no..host:1/")
    assert code == os.EX_UNAVAILABLE
    assert said.startswith("amqpd: cannot connect to no..host:1: ")


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"AMQP\x00\x01\x00\x00", b"\x01\x00\x00\xff\xff\xff\xff",
     raw_frame(1, 0, b"\x00\x0a\x00\x0b" + b"arguments"), raw_frame(1, 0, b"\x00\x0a\x00\x0a", end=0)],
    ids=["http", "another version", "endless", "another method", "no frame end"],
)  # fmt: skip
def test_what_is_no_broker_is_told_apart(answer: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(sending(answer)) as port:
        said = f"amqpd: what answers at 127.0.0.1:{port} does not speak AMQP 0-9-1\n"
        assert run(capsys, "ping", f"127.0.0.1:{port}") == (os.EX_PROTOCOL, "", said)


def test_a_closed_connection_is_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(lambda connection: connection.shutdown(socket.SHUT_RDWR)) as port:
        said = f"amqpd: 127.0.0.1:{port} closed the connection without an answer\n"
        assert run(capsys, "ping", f"127.0.0.1:{port}") == (os.EX_PROTOCOL, "", said)


def test_silence_is_not_waited_for_longer_than_wished(capsys: pytest.CaptureFixture[str]) -> None:
    with answering(sending(START[:9])) as port:
        said = f"amqpd: 127.0.0.1:{port} did not answer within 0.1 s\n"
        assert run(capsys, "ping", f"127.0.0.1:{port}", "-t", "0.1") == (os.EX_TEMPFAIL, "", said)


def test_an_answer_may_come_in_pieces() -> None:
    with answering(sending(*(bytes((octet,)) for octet in START))) as port:
        assert greet(Target("127.0.0.1", port), PATIENCE) == b"arguments"


@pytest.mark.parametrize("url", ["http://localhost/", "amqp://host:port/", "amqp://host:70000/"])
def test_a_url_that_cannot_be_is_a_usage_error(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, said = run(capsys, "ping", url)
    assert code == os.EX_USAGE
    assert "Error: " in said


def test_a_password_in_a_url_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, said = run(capsys, "ping", "amqp://ann:secret@host:port/")
    assert "secret" not in said


def test_it_loads_next_to_nothing() -> None:
    script = """
import sys
from amqpd.cli.main import main
try:
    main(["ping", "127.0.0.1:1"])
except SystemExit:
    print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE, env=CLEAN)
    loaded = done.stdout.split()
    assert "amqpd.cli.probe" in loaded
    unwanted = ("structlog", "lmdb", "uvloop", "asyncio", "ssl", "json", "amqpd.config", "amqpd.broker",
                "amqpd.daemon", "click")  # fmt: skip
    assert not [name for name in unwanted if name in loaded]


def test_it_takes_little_time(broker: BrokerProcess) -> None:
    def seconds(*arguments: str) -> float:
        """Of processor time: that does not depend on what else the machine does."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, timeout=PATIENCE, env=CLEAN, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds("-m", "amqpd", "ping", broker.url) for _ in range(5)) < 0.1


# --- over TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for localhost, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the command openssl")
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", file, "-out", f"{file}.crt",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True, timeout=PATIENCE,
    )  # fmt: skip
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


@contextmanager
def answering_over_tls(certificate: Path) -> Iterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, suppress(OSError):  # the peer may not trust us
                    secured = context.wrap_socket(connection, server_side=True)
                    secured.recv(8)
                    secured.sendall(START)
                    secured.recv(1)
                    secured.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE)


def test_over_tls_the_certificate_counts(certificate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with answering_over_tls(certificate) as port:
        url = f"amqps://localhost:{port}/"
        said = f"localhost:{port} answers\n"
        assert run(capsys, "ping", url, "--cacert", f"{certificate}.crt") == (os.EX_OK, said, "")
        assert run(capsys, "ping", url, "--insecure") == (os.EX_OK, said, "")
        code, _, errors = run(capsys, "ping", url)
        assert code == os.EX_UNAVAILABLE
        assert "CERTIFICATE_VERIFY_FAILED" in errors
        code, _, errors = run(capsys, "ping", f"amqps://127.0.0.1:{port}/", "--cacert", f"{certificate}.crt")
        assert code == os.EX_UNAVAILABLE


def test_authorities_that_are_not_there_are_named(
    free_port: int, broker: BrokerProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, said = run(capsys, "ping", f"amqps://127.0.0.1:{broker.port}/", "--cacert", str(tmp_path / "nope.pem"))
    assert code != os.EX_OK
    assert "No such file" in said


# --- which broker


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("amqp://guest:guest@host:1234/vhost", Target("host", 1234)),
        ("amqp://host", Target("host", 5672)),
        ("amqp://", Target("127.0.0.1", 5672)),
        ("amqp://host:0", Target("host", 0)),
        ("amqps://host", Target("host", 5671, tls=True)),
        ("amqp://[::1]:1234/", Target("::1", 1234)),
        ("host:1234", Target("host", 1234)),
        ("host", Target("host", 5672)),
    ],
)
def test_a_url_says_host_and_port(url: str, target: Target) -> None:
    assert target_of(url) == target


def announce(folder: Path, url: str) -> None:
    folder.mkdir()
    (folder / "running.json").write_text(json.dumps({"urls": {"amqp": url}, "ports": {"amqp": 1}}))


def test_what_is_said_outright_counts_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate(None, None, {}) == "127.0.0.1:5672"
    announce(tmp_path / ".amqpd", "amqp://usual")
    assert locate(None, None, {}) == "amqp://usual"
    announce(tmp_path / "other", "amqp://other")
    assert locate(None, None, {"AMQPD_DATA_DIR": "other"}) == "amqp://other"
    ported = {"RABBITMQ_NODE_PORT": "1"}
    assert locate(None, None, ported) == "127.0.0.1:1"
    named = {**ported, "AMQP_URL": "amqp://named"}
    assert locate(None, None, named) == "amqp://named"
    assert locate(None, "other", named) == "amqp://other"
    assert locate("amqp://given", "other", named) == "amqp://given"


def test_a_broker_that_takes_tls_only_is_found(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "running.json").write_text('{"urls": {"http": "http://here", "amqps": "amqps://here"}}')
    assert locate(None, str(tmp_path / "data"), {}) == "amqps://here"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"urls": []}', '{"urls": {"http": "http://here"}}'])
def test_a_data_folder_that_announces_nothing_is_no_broker(content: str, tmp_path: Path) -> None:
    (tmp_path / "running.json").write_text(content)
    with pytest.raises(Silent, match="no broker accepts connections in data folder"):
        locate(None, str(tmp_path), {})


# --- wait


def test_waiting_ends_when_a_broker_answers(free_port: int) -> None:
    process = popen("wait", f"127.0.0.1:{free_port}")
    with BrokerProcess("--memory", port=free_port):
        output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output, errors) == (os.EX_OK, f"127.0.0.1:{free_port} answers\n", "")


def test_waiting_ends_when_time_is_up(free_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    said = f"amqpd: no broker after 0.2 s: cannot connect to 127.0.0.1:{free_port}: Connection refused\n"
    assert run(capsys, "wait", f"127.0.0.1:{free_port}", "-t", "0.2") == (os.EX_TEMPFAIL, "", said)


def test_whoever_answers_wrongly_at_first_is_asked_again() -> None:
    answers = iter([sending(b"starting"), sending(START)])

    def answer(connection: socket.socket) -> None:
        next(answers)(connection)

    with answering(answer) as port:
        assert await_start(lambda: Target("127.0.0.1", port), PATIENCE) == Target("127.0.0.1", port)


def test_a_url_that_cannot_be_is_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "wait", "http://localhost/")[0] == os.EX_USAGE


def test_a_real_brokers_greeting_is_what_it_says_of_itself(broker: BrokerProcess) -> None:
    start = ConnectionStart.decode(greet(target_of(broker.url), PATIENCE))
    assert start.server_properties["product"] == "RabbitMQ"


def test_every_command_says_what_it_is_for() -> None:
    done = amqpd("--help")
    for name in command.list_commands(None):  # type: ignore[arg-type]
        assert amqpd(name, "--help").returncode == os.EX_OK
        assert f"\n  {name} " in done.stdout
    assert "..." not in done.stdout.partition("Commands:")[2]
