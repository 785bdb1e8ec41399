"""A broker that asks a web server who may do what, and pika's clients of it."""

from __future__ import annotations

import base64
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import pytest

from amqpd.testing.harness import BrokerProcess
from tests.certificates import Authority
from tests.web import WebServer

PATIENCE = 10


class Service:
    """Says who may do what: by default alice, with the password pw, everything."""

    def __init__(self) -> None:
        self.passwords = {"alice": "pw"}
        self.tags = ""
        self.denied: set[tuple[str, str]] = set()  # of what is asked, a parameter and its value
        self.answers: dict[str, Any] = {}  # to be given instead, by path
        self.gate = threading.Event()  # answers wait for it
        self.gate.set()

    def __call__(self, path: str, parameters: dict[str, str]) -> Any:
        self.gate.wait(PATIENCE)
        if path in self.answers:
            return self.answers[path]
        if not self.denied.isdisjoint(parameters.items()):
            return "deny not that"
        if path != "/user":
            return "allow"
        known = self.passwords.get(parameters["username"])
        return f"allow {self.tags}" if known is not None and parameters.get("password") == known else "deny"


@contextmanager
def brokered(server: WebServer, **settings: str) -> Iterator[BrokerProcess]:
    environment = {"AMQPD_AUTH_BACKENDS": "http", **server.paths(), **settings}
    with BrokerProcess("--memory", environment=environment) as broker:
        yield broker


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def server(service: Service) -> Iterator[WebServer]:
    with WebServer(service) as server:
        yield server


def connect(broker: BrokerProcess, name: str = "alice", password: str = "pw", **options: Any) -> Any:
    parameters = pika.ConnectionParameters(
        "127.0.0.1",
        broker.port,
        credentials=pika.PlainCredentials(name, password),
        socket_timeout=PATIENCE,
        blocked_connection_timeout=PATIENCE,
        **options,
    )
    return pika.BlockingConnection(parameters)


def refusal(connection: Any, act: Callable[[Any], Any]) -> str:
    """Why the channel was closed."""
    channel = connection.channel()
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as caught:
        act(channel)
    return str(caught.value.reply_text)


def wait_for(broker: BrokerProcess, text: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not any(text in line for line in broker.log):
        assert time.monotonic() < deadline, "\n".join(broker.log)
        time.sleep(0.02)


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_web_server_says_who_may_log_in_and_what_they_may_do(
    server: WebServer, service: Service, method: str
) -> None:
    with brokered(server, AMQPD_AUTH_HTTP_HTTP_METHOD=method) as broker:
        connection = connect(broker)
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("q")
        channel.queue_bind("q", "amq.topic", "a.*")
        for key in ("a.b", "a.b", "a.c"):
            channel.basic_publish("amq.topic", key, b"hello", mandatory=True)
        assert channel.queue_declare("q", passive=True).method.message_count == 3
        asked = [
            (path, *(parameters.get(name) for name in ("permission", "name", "routing_key")))
            for _, path, parameters in server.requests
        ]
        assert asked == [
            ("/user", None, None, None),
            ("/vhost", None, None, None),
            ("/resource", "configure", "q", None),
            ("/resource", "write", "q", None),
            ("/resource", "read", "amq.topic", None),
            ("/topic", "read", "amq.topic", "a.*"),
            ("/resource", "write", "amq.topic", None),
            ("/topic", "write", "amq.topic", "a.b"),
            ("/topic", "write", "amq.topic", "a.c"),
            ("/resource", "read", "q", None),
        ]
        assert {requested for requested, _, _ in server.requests} == {method.upper()}
        connection.close()


def test_what_it_denies_is_refused_in_rabbitmq_s_words(server: WebServer, service: Service) -> None:
    with brokered(server) as broker:
        connection = connect(broker)
        service.denied = {("permission", "configure"), ("routing_key", "k")}
        assert refusal(connection, lambda channel: channel.queue_declare("q")) == (
            "ACCESS_REFUSED - configure access to queue 'q' in vhost '/' refused for user 'alice'"
        )

        def publish(channel: Any) -> None:
            channel.confirm_delivery()
            channel.basic_publish("amq.topic", "k", b"")

        assert refusal(connection, publish) == (
            "ACCESS_REFUSED - write access to topic 'k' in exchange 'amq.topic' in vhost '/' refused for user 'alice'"
        )
        connection.close()
        service.denied = {("vhost", "/")}
        with pytest.raises(
            pika.exceptions.ProbableAccessDeniedError, match="access to vhost '/' refused for user 'alice'"
        ):
            connect(broker)
        with pytest.raises(pika.exceptions.ProbableAuthenticationError):
            connect(broker, password="wrong")
        with pytest.raises(pika.exceptions.ProbableAuthenticationError):
            connect(broker, name="bob")


def test_its_reasons_are_told_to_clients_where_that_is_wanted(server: WebServer, service: Service) -> None:
    with brokered(server, AMQPD_AUTH_HTTP_AUTHORIZATION_FAILURE_DISCLOSURE="true") as broker:
        connection = connect(broker)
        service.denied = {("name", "q")}
        assert refusal(connection, lambda channel: channel.queue_declare("q")).endswith(
            "refused for user 'alice' by backend rabbit_auth_backend_http: not that"
        )
        connection.close()


@pytest.mark.parametrize("answer", [(500, "allow"), (200, "yes"), b"allow", b"", (302, "allow"), (404, "")])
def test_nonsense_lets_nobody_in_and_nobody_do_anything(server: WebServer, service: Service, answer: Any) -> None:
    with brokered(server) as broker:
        connection = connect(broker)
        service.answers = dict.fromkeys(("/user", "/vhost", "/resource", "/topic"), answer)
        with pytest.raises(pika.exceptions.ProbableAuthenticationError):
            connect(broker)
        assert ", backend rabbit_auth_backend_http returned an error: " in refusal(
            connection, lambda channel: channel.queue_declare("q")
        )
        connection.close()


def test_a_server_that_is_down_lets_nobody_in(server: WebServer) -> None:
    with BrokerProcess(
        "--memory", environment={"AMQPD_AUTH_BACKENDS": "http", "AMQPD_AUTH_HTTP_USER_PATH": "http://127.0.0.1:1/"}
    ) as broker:
        with pytest.raises(pika.exceptions.ProbableAuthenticationError):
            connect(broker)
        wait_for(broker, "rabbit_auth_backend_http failed authenticating alice: failed_connect")
        assert not any("pw" in line for line in broker.log)


def test_a_server_that_is_slow_keeps_nobody_who_does_not_need_it(server: WebServer, service: Service) -> None:
    settings = {"AMQPD_AUTH_BACKENDS": "internal,http", "AMQPD_AUTH_HTTP_REQUEST_TIMEOUT": "2000"}
    with brokered(server, **settings) as broker:
        alice = connect(broker)
        service.gate.clear()
        late: list[str] = []

        def declare() -> None:
            late.append(refusal(alice, lambda channel: channel.queue_declare("q")))

        waiting = threading.Thread(target=declare)
        waiting.start()
        began = time.monotonic()
        guest = connect(broker, "guest", "guest")
        channel = guest.channel()
        channel.queue_declare("p")
        for _ in range(50):
            channel.basic_publish("", "p", b"x")
        assert time.monotonic() - began < 2
        guest.close()
        with pytest.raises(pika.exceptions.ProbableAuthenticationError):
            connect(broker)
        waiting.join(PATIENCE)
        assert late[0].endswith(", backend rabbit_auth_backend_http returned an error: timeout")
        service.gate.set()
        alice.close()


def test_clients_that_pipeline_get_their_answers_in_order(server: WebServer, service: Service) -> None:
    with brokered(server) as broker:
        connection = connect(broker)
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("q")
        service.gate.clear()
        threading.Timer(0.3, service.gate.set).start()
        for number in range(100):
            channel.basic_publish("", "q", str(number).encode())
        bodies = [channel.basic_get("q", auto_ack=True)[2] for _ in range(100)]
        assert bodies == [str(number).encode() for number in range(100)]
        connection.close()


def test_the_broker_s_own_users_may_have_the_permissions_of_who_logs_in_elsewhere(
    server: WebServer, service: Service
) -> None:
    service.passwords["guest"] = "elsewhere"
    with brokered(server, AMQPD_AUTH_BACKENDS="http/internal") as broker:
        connection = connect(broker, "guest", "elsewhere")
        connection.channel().queue_declare("q")
        connection.close()
        assert [path for _, path, _ in server.requests] == ["/user"]
        with pytest.raises(pika.exceptions.ProbableAuthenticationError):
            connect(broker, "guest", "guest")
        with pytest.raises(pika.exceptions.ProbableAuthenticationError):
            connect(broker, "alice", "pw")


def test_a_cache_spares_the_server(server: WebServer, service: Service) -> None:
    settings = {"AMQPD_AUTH_BACKENDS": "cache", "AMQPD_AUTH_CACHE_CACHED_BACKEND": "http"}
    service.passwords["bob"] = "pw"
    with brokered(server, **settings) as broker:
        for _ in range(3):
            connection = connect(broker)
            connection.channel().queue_declare("q")
            connection.close()
        asked = len(server.requests)
        assert asked == len({str(request) for request in server.requests}) + 1  # the login, and that again to admit
        bob = connect(broker, "bob")
        service.denied = {("username", "bob")}
        assert "refused for user 'bob'" in refusal(bob, lambda channel: channel.queue_declare("q"))
        with pytest.raises(pika.exceptions.ProbableAuthenticationError):
            connect(broker, password="pW")
        bob.close()


def test_https_with_a_certificate_that_is_trusted(service: Service, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with WebServer(service, authority.issue("localhost")) as server:
        with brokered(server, AMQPD_AUTH_HTTP_SSL_OPTIONS_CACERTFILE=authority.file) as broker:
            connect(broker).close()
        asked = len(server.requests)
        with brokered(server) as broker, pytest.raises(pika.exceptions.ProbableAuthenticationError):
            connect(broker)
        assert len(server.requests) == asked


def test_the_http_api_asks_as_well(server: WebServer, service: Service) -> None:
    service.tags = "management"
    with brokered(server, AMQPD_MANAGEMENT_ENABLED="true", AMQPD_MANAGEMENT_TCP_PORT="0") as broker:
        wait_for(broker, "started HTTP listener on ")
        line = next(line for line in broker.log if "started HTTP listener on " in line)
        url = f"http://{line.rpartition('started HTTP listener on ')[2].split()[0]}/api"

        def status(path: str, method: str = "GET", password: str = "pw", body: bytes | None = None) -> int:
            login = base64.b64encode(f"alice:{password}".encode()).decode()
            request = urllib.request.Request(url + path, body, {"Authorization": f"Basic {login}"}, method=method)
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                    return int(response.status)
            except urllib.error.HTTPError as error:
                return error.code

        assert status("/vhosts") == 200
        assert status("/vhosts", password="wrong") == 401
        assert status("/queues/%2F/q", "PUT", body=b"{}") == 201
        service.denied = {("permission", "configure")}
        assert status("/queues/%2F/p", "PUT", body=b"{}") == 401
        service.denied = {("vhost", "/")}
        assert status("/queues/%2F/q") == 404
