"""`amqpd publish`, `consume`, `get` and `tail`, as pipes use them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from amqpd.cli.messages.tail import matches
from amqpd.testing.client import Client
from amqpd.testing.harness import BrokerProcess
from amqpd.wire.methods import (
    BasicGet,
    BasicGetEmpty,
    BasicGetOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
)
from tests.cli.command import CLEAN, PATIENCE, popen

Amqpd = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    with BrokerProcess("-D", str(tmp_path_factory.mktemp("own"))) as process:
        yield process


@pytest.fixture
def amqpd(own: BrokerProcess) -> Amqpd:
    """Run a command with the broker to be found in its data folder."""

    def amqpd(*words: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "amqpd", *words], input=stdin, capture_output=True, timeout=PATIENCE,
            env={**CLEAN, "AMQPD_DATA_DIR": own.options[1]},
        )  # fmt: skip

    return amqpd


@pytest.fixture
def client(own: BrokerProcess) -> Iterator[Client]:
    """A connection with channel 1, and a queue q of its own name."""
    with Client(own.url) as client:
        client.channel(1)
        client.call(1, QueueDeclare(queue="q", durable=True), QueueDeclareOk)
        yield client
        subprocess.run(
            [sys.executable, "-m", "amqpd.cli.ctl", "-q", "delete_queue", "q"],
            check=True, env={**CLEAN, "AMQPD_DATA_DIR": own.options[1]},
        )  # fmt: skip


def bodies(client: Client, queue: str = "q") -> list[bytes]:
    """What a queue has, taken out."""
    found = []
    while True:
        client.send(1, BasicGet(queue=queue, no_ack=True))
        command = client.receive()
        if isinstance(command.method, BasicGetEmpty):
            return found
        assert isinstance(command.method, BasicGetOk)
        found.append(command.body)


# --- publish


def test_standard_input_is_one_message(client: Client, amqpd: Amqpd) -> None:
    done = amqpd("publish", "-k", "q", stdin=b"two\nlines\n\xff")
    assert (done.returncode, done.stdout, done.stderr) == (os.EX_OK, b"", b"")
    assert bodies(client) == [b"two\nlines\n\xff"]


def test_or_each_line_of_it(client: Client, amqpd: Amqpd) -> None:
    lines = b"".join(b"%d\n" % number for number in range(5000))
    assert amqpd("publish", "-k", "q", "-l", "--confirm", stdin=lines).returncode == os.EX_OK
    assert bodies(client) == [b"%d" % number for number in range(5000)]


def test_or_a_file_or_what_is_written(client: Client, amqpd: Amqpd, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"from a file")
    assert amqpd("publish", "-k", "q", "-f", tmp_path / "file").returncode == os.EX_OK
    assert amqpd("publish", "-k", "q", "-m", "text", "-n", "3", "--interval", "1ms").returncode == os.EX_OK
    assert bodies(client) == [b"from a file", b"text", b"text", b"text"]


def test_headers_and_properties_go_with_it(client: Client, amqpd: Amqpd) -> None:
    done = amqpd(
        "publish", "-k", "q", "-m", "x", "-H", "n=5", "-H", "s=five", "-H", "l=[1,2]", "-H", "t=true", "--persistent",
        "-P", "priority=4", "-P", "content-type=text/plain", "-P", "expiration=60000",
    )  # fmt: skip
    assert done.returncode == os.EX_OK, done.stderr
    client.send(1, BasicGet(queue="q", no_ack=True))
    properties = client.receive().properties
    assert properties is not None
    assert properties.headers == {"n": 5, "s": "five", "l": [1, 2], "t": True}
    assert (properties.priority, properties.content_type) == (4, "text/plain")
    assert (properties.delivery_mode, properties.expiration) == (2, "60000")


def test_a_topic_of_mqtt_is_a_key_of_amq_topic(client: Client, amqpd: Amqpd) -> None:
    client.call(1, QueueBind(queue="q", exchange="amq.topic", routing_key="a.*.c"), QueueBindOk)
    assert amqpd("publish", "-t", "a/b/c", "-m", "x", "--mandatory").returncode == os.EX_OK
    assert bodies(client) == [b"x"]


def test_it_tells_what_went_nowhere(client: Client, amqpd: Amqpd) -> None:
    done = amqpd("publish", "-k", "nowhere", "-m", "x", "-n", "3", "--mandatory")
    assert (done.returncode, done.stderr) == (1, b"amqpd: 3 of 3 messages reached no queue\n")
    assert amqpd("publish", "-k", "nowhere", "-m", "x").returncode == os.EX_OK


def test_it_tells_what_was_refused(client: Client, amqpd: Amqpd) -> None:
    arguments = {"x-max-length": 1, "x-overflow": "reject-publish"}
    client.call(1, QueueDeclare(queue="full", exclusive=True, arguments=arguments), QueueDeclareOk)
    done = amqpd("publish", "-k", "full", "-m", "x", "-n", "3", "--confirm")
    assert (done.returncode, done.stderr) == (1, b"amqpd: 2 of 3 messages were refused\n")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-e", "nowhere", "-m", "x"], os.EX_DATAERR, "NOT_FOUND - no exchange 'nowhere' in vhost '/'"),
        (["-m", "x", "-l"], os.EX_USAGE, "give one of -m, -f and -l"),
        (["-H", "x"], os.EX_USAGE, "'x' is no header: it is to be name=value"),
        (["-P", "colour=red"], os.EX_USAGE, "there is no property 'colour'"),
        (["-P", "priority=high"], os.EX_USAGE, "property 'priority' is to be a number"),
        (["-P", "priority=999", "-m", "x"], os.EX_DATAERR, "such a message cannot be"),
        (["--interval", "soon"], os.EX_USAGE, "'soon' is no duration"),
        (["-u", "amqp://guest:wrong@HERE/", "-m", "x"], os.EX_NOPERM, "ACCESS_REFUSED"),
        (["-V", "nope", "-m", "x"], os.EX_NOPERM, "vhost nope not found"),
        (["-u", "amqp://127.0.0.1:1", "-m", "x"], os.EX_UNAVAILABLE, "127.0.0.1:1: Connection refused"),
        (["-u", "http://127.0.0.1:1", "-m", "x"], os.EX_USAGE, "'http' is not a scheme of AMQP"),
        (["-D", "/nonexistent", "-m", "x"], os.EX_UNAVAILABLE, "no broker accepts connections in data folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_what_cannot_be_is_said_on_a_line(
    words: list[str], code: int, said: str, amqpd: Amqpd, own: BrokerProcess
) -> None:
    done = amqpd("publish", "-k", "q", *(word.replace("HERE", f"127.0.0.1:{own.port}") for word in words))
    assert said in done.stderr.decode()
    assert (done.returncode, done.stdout) == (code, b"")
    assert b"Traceback" not in done.stderr


# --- consume and get


def test_messages_are_written_each_on_a_line_and_acknowledged(client: Client, amqpd: Amqpd) -> None:
    amqpd("publish", "-k", "q", "-l", stdin=b"one\ntwo\nthree\n")
    assert amqpd("consume", "-q", "q", "-n", "2").stdout == b"one\ntwo\n"
    done = amqpd("consume", "-q", "q", "-n", "2", "--timeout", "100ms")
    assert (done.returncode, done.stdout) == (1, b"three\n")
    assert amqpd("consume", "-q", "q", "--timeout", "10ms").returncode == os.EX_OK
    assert bodies(client) == []


def test_or_as_json(client: Client, amqpd: Amqpd) -> None:
    amqpd("publish", "-k", "q", "-m", "é", "-H", "a=1")
    amqpd("publish", "-k", "q", stdin=b"\xff")
    lines = amqpd("consume", "-q", "q", "-n", "2", "--json", "--no-ack").stdout.decode().splitlines()
    assert json.loads(lines[0]) == {
        "exchange": "", "routing_key": "q", "redelivered": False, "properties": {"headers": {"a": 1}},
        "payload": "é", "payload_encoding": "string",
    }  # fmt: skip
    assert json.loads(lines[1])["payload"] == "/w=="


def test_what_a_command_fails_at_goes_back(client: Client, amqpd: Amqpd) -> None:
    amqpd("publish", "-k", "q", "-l", stdin=b"good\nbad\n")
    done = amqpd("consume", "-q", "q", "-n", "2", "--exec", "grep good")
    assert done.stdout == b"good\n"
    assert bodies(client) == [b"bad"]


def test_an_exchange_is_listened_to_through_a_queue_for_the_while(client: Client, own: BrokerProcess) -> None:
    listening = popen("consume", "-e", "amq.topic", "-k", "a.*", "-n", "1", AMQPD_DATA_DIR=own.options[1])
    try:
        while listening.poll() is None:
            client.publish(1, "amq.topic", "a.b", b"heard")
            client.call(1, QueueDeclare(queue="q", durable=True), QueueDeclareOk)
        output, errors = listening.communicate(timeout=PATIENCE)
    finally:
        listening.kill()
    assert (output, errors) == ("heard\n", "")


def test_messages_are_got_and_put_back(client: Client, amqpd: Amqpd) -> None:
    amqpd("publish", "-k", "q", "-l", stdin=b"one\ntwo\n")
    assert amqpd("get", "-q", "q", "-n", "5", "--requeue").stdout == b"one\ntwo\n"
    assert amqpd("get", "-q", "q").stdout == b"one\n"
    assert amqpd("get", "-q", "q").stdout == b"two\n"
    assert amqpd("get", "-q", "q").returncode == 1
    assert amqpd("get", "-q", "nowhere").returncode == os.EX_DATAERR


# --- tail


def test_what_is_published_is_watched(client: Client, own: BrokerProcess, amqpd: Amqpd) -> None:
    watching = popen("tail", "a.#", "--body", "-n", "2", AMQPD_DATA_DIR=own.options[1])
    try:
        while watching.poll() is None:
            for key in ("b", "a", "a.b"):
                client.publish(1, "amq.topic", key, key.encode())
            client.call(1, QueueDeclare(queue="q", durable=True), QueueDeclareOk)
        output, errors = watching.communicate(timeout=PATIENCE)
    finally:
        watching.kill()
    assert errors == ""
    assert set(output.splitlines()) == {"amq.topic\ta\ta", "amq.topic\ta.b\ta.b"}
    done = subprocess.run(
        [sys.executable, "-m", "amqpd.cli.ctl", "-s", "list_vhosts", "tracing"], capture_output=True, text=True,
        env={**CLEAN, "AMQPD_DATA_DIR": own.options[1]},
    )  # fmt: skip
    assert done.stdout == "false\n"


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("#", "", True), ("#", "a.b", True), ("a.#", "a", True), ("a.#", "a.b.c", True), ("a.#", "b", False),
        ("#.a", "a", True), ("#.a", "b.a", True), ("*", "a", True), ("*", "", False), ("*", "a.b", False),
        ("a.*.c", "a.b.c", True), ("a.*.c", "a.c", False), ("#.b.#", "a.b.c", True), ("", "", True), ("a", "a", True),
        ("a.#.#", "a", True), ("#.*", "a.b", True), ("#.*", "", False),
    ],
)  # fmt: skip
def test_patterns_are_those_of_topic_exchanges(pattern: str, key: str, expected: bool) -> None:
    assert matches(pattern, key) is expected


def test_bodies_can_be_had_as_they_are(amqpd: Amqpd, client: Client) -> None:
    binary = bytes(range(256)) * 3
    assert amqpd("publish", "-k", "q", "-f", "-", stdin=binary).returncode == os.EX_OK
    assert amqpd("get", "-q", "q", "--requeue").stdout == binary + b"\n"
    assert amqpd("get", "-q", "q", "--raw").stdout == binary
    amqpd("publish", "-k", "q", "-l", stdin=b"one\ntwo")
    assert amqpd("consume", "-q", "q", "-n", "2", "--raw").stdout == b"onetwo"


def test_it_is_to_be_said_where_a_message_goes(amqpd: Amqpd) -> None:
    done = amqpd("publish", "-m", "hello")
    assert done.returncode == os.EX_USAGE
    assert b"say where to" in done.stderr


def test_whoever_says_nothing_is_no_broker(amqpd: Amqpd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = amqpd("get", "-q", "q", "-u", f"amqp://127.0.0.1:{silent.getsockname()[1]}")
    assert done.returncode == os.EX_TEMPFAIL
    assert b"did not answer within 10 s" in done.stderr


def test_a_command_that_is_interrupted_says_nothing_of_it(own: BrokerProcess, client: Client) -> None:
    process = popen("consume", "-q", "q", AMQPD_DATA_DIR=own.options[1])
    client.publish(1, "", "q", b"first")
    assert process.stdout is not None
    assert process.stdout.readline() == "first\n"
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output, errors.strip()) == (130, "", "")
