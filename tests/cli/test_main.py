"""The command `amqpd`, run as a process: what it says, and the code it leaves with."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from amqpd import __version__
from amqpd.compiled import is_compiled
from amqpd.store.base import Kind
from amqpd.store.lmdb_store import LmdbStore
from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import (
    BasicGet,
    BasicGetOk,
    ConfirmSelect,
    ConfirmSelectOk,
    ConnectionClose,
    ConnectionCloseOk,
    QueueDeclare,
    QueueDeclareOk,
)
from amqpd.wire.properties import Properties
from tests.certificates import Authority
from tests.cli.command import CLEAN, OURS, PATIENCE, amqpd, refused

Start = Callable[..., BrokerProcess]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts brokers, and stops those that still run after the test."""
    for name in os.environ:
        if name.startswith(OURS) and name != "AMQPD_PURE":
            monkeypatch.delenv(name)
    started: list[BrokerProcess] = []

    def start(*options: str, **environment: str) -> BrokerProcess:
        started.append(BrokerProcess(*options, environment=environment))
        return started[-1].start()

    yield start
    for broker in started:
        if broker.process is not None and broker.process.poll() is None:
            broker.kill()


# --- what it says of itself


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_shows_the_options_and_examples(option: str) -> None:
    done = amqpd(option)
    assert (done.returncode, done.stderr) == (os.EX_OK, "")
    for word in ("--config", "--data-dir", "--memory", "--bind", "--port", "--log-level", "--log-format", "--version"):
        assert word in done.stdout
    assert "amqp://guest:guest@127.0.0.1:5672/" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120


def test_the_version_is_the_packages() -> None:
    done = amqpd("--version")
    runs = "compiled" if is_compiled() else "pure Python"
    assert (done.returncode, done.stdout) == (os.EX_OK, f"amqpd {__version__} ({runs})\n")


# --- starting


def test_it_says_where_it_listens_and_that_it_is_ready(start: Start) -> None:
    broker = start("--memory")
    lines = [line.split("] ", 1)[1] for line in broker.log]
    listening = f"started TCP listener on 127.0.0.1:{broker.port}"
    assert lines.count(listening) == 1
    assert lines.index("Server startup complete; 4 plugins started.") == lines.index(listening) + 1
    Client(broker.url).close()


def test_it_says_so_for_each_address_it_listens_on(start: Start) -> None:
    broker = start("--memory", "-b", "localhost")
    found = [line for line in broker.log if "started TCP listener on" in line]
    assert len(found) == len({info[4][0] for info in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)})
    assert all(re.search(r"started TCP listener on \S+:\d+$", line) for line in found)


def test_listeners_with_tls_are_named_as_such(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "amqpd.toml"
    certificate = Authority(tmp_path).issue()
    file.write_text(
        f'listeners.tcp.other = "127.0.0.2:0"\nlisteners.ssl.default = 0\nssl_options.certfile = "{certificate}"\n'
    )
    broker = start("--memory", "-c", str(file))
    lines = [line.split("] ", 1)[1] for line in broker.log if "listener on" in line or "startup complete" in line]
    assert re.fullmatch(r"started TCP listener on 127\.0\.0\.1:\d+", lines[0])
    assert re.fullmatch(r"started TCP listener on 127\.0\.0\.2:\d+", lines[1])
    assert re.fullmatch(r"started TLS \(SSL\) listener on (\[::\]|0\.0\.0\.0):\d+", lines[2])
    assert lines[3].startswith("Server startup complete")


def test_a_hang_up_reloads_and_does_not_stop_it(start: Start) -> None:
    broker = start("--memory")
    os.kill(broker.pid, signal.SIGHUP)
    Client(broker.url).close()
    assert broker.stop() == os.EX_OK
    assert any("nothing to reload" in line for line in broker.log)


def test_when_its_terminal_is_closed_it_stops() -> None:
    settings = {"MEMORY": "true", "LISTENERS_TCP_DEFAULT": "127.0.0.1:0"}
    environment = {**CLEAN, **{f"AMQPD_{name}": value for name, value in settings.items()}}
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(sys.executable, [sys.executable, "-m", "amqpd"], environment)
    said = b""
    while b"startup complete" not in said:
        said += os.read(terminal, 4096)
    os.close(terminal)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == os.EX_OK


def test_what_it_logged_just_before_it_is_stopped_is_not_lost(start: Start) -> None:
    broker = start("--memory")
    clients = [Client(broker.url) for _ in range(20)]
    for client in clients:
        client.close()
    assert broker.stop() == os.EX_OK
    assert sum("connection opened" in line for line in broker.log) == len(clients)
    assert broker.log[-1].endswith("Server stopped")


def test_lines_are_for_people_unless_told_otherwise(start: Start) -> None:
    broker = start("--memory")
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\S* \[\w+\] \S", line) for line in broker.log)


def test_lines_for_machines_are_json(start: Start) -> None:
    broker = start("--memory", "--log-format", "json")
    events = [json.loads(line) for line in broker.log]
    assert "Server startup complete; 4 plugins started." in [event["event"] for event in events]
    assert {"event", "level", "timestamp"} <= set(events[0])


def test_the_level_of_lines_is_an_option(start: Start) -> None:
    broker = start("--memory", "--log-level", "debug")
    with Client(broker.url) as client:
        client.close()
    broker.stop()
    assert any("[debug]" in line for line in broker.log)


def test_every_setting_can_come_from_the_environment(start: Start) -> None:
    broker = start(
        "--memory", AMQPD_HEARTBEAT="7", AMQPD_CHANNEL_MAX="5", AMQPD_FRAME_MAX="8KiB", AMQPD_LOG_FORMAT="json"
    )
    with Client(broker.url) as client:
        assert client.tune is not None
        assert (client.tune.channel_max, client.tune.frame_max, client.tune.heartbeat) == (5, 8192, 7)
        client.close()
    json.loads(broker.log[0])


def test_settings_can_come_from_a_file(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "amqpd.toml"
    file.write_text('heartbeat = 9\ndefault_user = "alice"\ndefault_pass = "wonder"\nproduct = "Rabbit"\n')
    broker = start("--memory", "-c", str(file))
    url = broker.url.replace("guest:guest", "alice:wonder")
    with Client(url) as client:
        assert client.tune is not None
        assert client.start is not None
        assert client.tune.heartbeat == 9
        assert client.start.server_properties["product"] == "Rabbit"
        client.close()


def test_the_example_file_is_a_file_to_start_with(start: Start, tmp_path: Path) -> None:
    conf = Path(__file__).parents[2] / "conf" / "amqpd.toml"
    broker = start("-c", str(conf), "-D", str(tmp_path / "data"))
    Client(broker.url).close()


def test_server_properties_say_what_clients_go_by(start: Start) -> None:
    broker = start("--memory", AMQPD_COMPAT="3.12")
    with Client(broker.url) as client:
        assert client.start is not None
        properties = client.start.server_properties
        client.close()
    assert (properties["product"], properties["version"]) == ("RabbitMQ", "3.12.14")
    assert properties["amqpd_version"] == __version__
    for capability in ("publisher_confirms", "basic.nack", "consumer_cancel_notify", "connection.blocked"):
        assert properties["capabilities"][capability] is True


# --- refusing to


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, line = refused("--memory", "-p", str(port))
    assert code == os.EX_UNAVAILABLE
    assert f"127.0.0.1:{port}" in line
    assert "-p" in line


@pytest.mark.parametrize("host", ["no host", "a..b"])
def test_a_host_that_cannot_be_is_named(host: str) -> None:
    code, line = refused("--memory", "-b", host, "-p", "0")
    assert code == os.EX_NOHOST
    assert f"'{host}'" in line


def test_an_unknown_key_is_named_with_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "amqpd.toml"
    file.write_text("heartbeet = 1\n")
    code, line = refused("-c", str(file))
    assert code == os.EX_CONFIG
    assert line == f"amqpd: unknown key 'heartbeet' in configuration file {file}; did you mean 'heartbeat'?"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    code, line = refused("-c", str(tmp_path / "nope.toml"))
    assert code == os.EX_NOINPUT
    assert str(tmp_path / "nope.toml") in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "amqpd.toml"
    file.touch(0o000)
    code, line = refused("-c", str(file))
    assert (code, line) == (os.EX_NOINPUT, f"amqpd: cannot read configuration file {file}: Permission denied")


def test_an_empty_data_folder_is_not_the_one_it_is_started_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    code, line = refused("-D", "", "-p", "0")
    assert (code, line) == (os.EX_CONFIG, "amqpd: 'data_dir' is '', but has to be a folder")
    assert list(tmp_path.iterdir()) == []


def test_a_setting_misspelt_in_the_environment_is_pointed_out(start: Start) -> None:
    broker = start("--memory", AMQPD_HARTBEAT="5", AMQPD_SERVICE_HOST="10.0.0.1")
    warnings = [line for line in broker.log if "[warning]" in line]
    assert len(warnings) == 1
    assert "unknown setting AMQPD_HARTBEAT in the environment; did you mean AMQPD_HEARTBEAT?" in warnings[0]


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    file = tmp_path / "amqpd.toml"
    file.write_text("heartbeat: 10\n")
    code, line = refused("-c", str(file))
    assert code == os.EX_CONFIG
    assert f"{file} is not TOML" in line


def test_a_certificate_that_cannot_be_read_is_named() -> None:
    environment = {"AMQPD_LISTENERS_SSL_DEFAULT": "0", "AMQPD_SSL_OPTIONS_CERTFILE": "/no/such.pem"}
    code, line = refused("--memory", "-p", "0", **environment)
    assert code == os.EX_NOINPUT
    assert line == "amqpd: cannot read ssl_options.certfile /no/such.pem: No such file or directory"


def test_a_value_that_cannot_be_is_named_wherever_it_comes_from() -> None:
    code, line = refused(AMQPD_FRAME_MAX="100")
    assert code == os.EX_CONFIG
    assert line == "amqpd: 'frame_max' is 100, but has to be at least 4096"


@pytest.mark.parametrize(
    "options",
    [("--nonsense",), ("-p", "many"), ("-p", "65536"), ("--log-level", "loud"), ("argument",), ("-c",)],
    ids=" ".join,
)
def test_an_option_that_cannot_be_is_a_usage_error(options: tuple[str, ...]) -> None:
    done = amqpd(*options)
    assert done.returncode == os.EX_USAGE
    assert "Error:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_data_folder_in_use_is_named_with_its_process(start: Start, tmp_path: Path) -> None:
    broker = start("-D", str(tmp_path / "data"))
    code, line = refused("-D", str(tmp_path / "data"), "-p", "0")
    assert code == os.EX_TEMPFAIL
    assert str(tmp_path / "data") in line
    assert f"process {broker.pid}" in line
    Client(broker.url).close()


def test_a_corrupt_store_is_named_and_left_alone(tmp_path: Path) -> None:
    store = tmp_path / "data" / "store"
    store.mkdir(parents=True)
    (store / "data.mdb").write_bytes(b"not a database" * 1000)
    code, line = refused("-D", str(tmp_path / "data"), "-p", "0")
    assert code == os.EX_DATAERR
    assert str(store) in line
    assert (store / "data.mdb").read_bytes() == b"not a database" * 1000


def test_a_store_whose_definitions_make_no_sense_is_named(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path / "data" / "store")
    store.recover()
    store.define(Kind.QUEUE, 1, {"vhost": "nowhere"})
    store.close()
    code, line = refused("-D", str(tmp_path / "data"), "-p", "0")
    assert code == os.EX_DATAERR
    assert "make no sense" in line


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    code, line = refused("-D", str(tmp_path / "file" / "data"), "-p", "0")
    assert code == os.EX_CANTCREAT
    assert str(tmp_path / "file") in line


# --- stopping


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_clients_are_told_and_it_leaves_without_a_fault(start: Start, number: signal.Signals) -> None:
    broker = start("--memory")
    assert broker.process is not None
    with Client(broker.url) as client:
        broker.process.send_signal(number)
        close = client.expect(0, ConnectionClose)
        assert (close.reply_code, close.reply_text) == (
            320,
            "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'",
        )
        client.send(0, ConnectionCloseOk())
        client.expect_closed()
    assert broker.process.wait(PATIENCE) == os.EX_OK
    assert broker.stop() == os.EX_OK
    assert any("Server stopped" in line for line in broker.log)


def test_a_client_that_does_not_answer_does_not_keep_it(start: Start) -> None:
    broker = start("--memory")
    with Client(broker.url) as client:
        assert broker.stop() == os.EX_OK
        client.expect(0, ConnectionClose)


def test_what_is_durable_is_there_after_a_stop_and_a_start(start: Start, tmp_path: Path) -> None:
    broker = start("-D", str(tmp_path / "data"))
    with Client(broker.url) as client:
        client.channel()
        client.call(1, QueueDeclare(queue="q", durable=True), QueueDeclareOk)
        client.publish(1, "", "q", b"kept", Properties(delivery_mode=2))
        client.publish(1, "", "q", b"lost")
        client.call(1, ConfirmSelect(), ConfirmSelectOk)
    assert broker.stop() == os.EX_OK
    broker.start()
    with Client(broker.url) as client:
        client.channel()
        assert client.call(1, QueueDeclare(queue="q", passive=True), QueueDeclareOk).message_count == 1
        client.send(1, BasicGet(queue="q", no_ack=True))
        assert client.expect_command(1, BasicGetOk).body == b"kept"
        client.close()


def test_memory_leaves_no_folder(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    broker = start("--memory")
    broker.stop()
    assert list(tmp_path.iterdir()) == []


def test_without_options_the_folder_is_where_it_was_started(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    start().stop()
    assert (tmp_path / ".amqpd" / "store" / "data.mdb").exists()
