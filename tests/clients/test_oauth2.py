"""Tokens as passwords, with pika, a broker and a server that has the keys."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pika.exceptions
import pytest

from amqpd.testing.harness import BrokerProcess
from tests.auth import tokens
from tests.auth.tokens import OTHER_RSA, RSA, jwk, pem
from tests.web import WebServer

PATIENCE = 10
ALL = "rabbitmq.configure:*/* rabbitmq.write:*/* rabbitmq.read:*/*"


class KeyServer:
    """Has a key set, and a document that says where."""

    def __init__(self) -> None:
        self.keys: list[Any] = [jwk(RSA)]
        self.web = WebServer(self)

    def __call__(self, path: str, parameters: dict[str, str]) -> Any:
        if path == "/keys":
            return json.dumps({"keys": self.keys})
        if path == "/realm/.well-known/openid-configuration":
            return json.dumps({"issuer": self.web.url("/realm"), "jwks_uri": self.web.url("/keys")})
        return 404, ""


@pytest.fixture
def server() -> Iterator[KeyServer]:
    server = KeyServer()
    with server.web:
        yield server


def broker_of(**settings: str) -> BrokerProcess:
    named = {f"AMQPD_AUTH_OAUTH2_{name.upper()}": value for name, value in settings.items()}
    return BrokerProcess(
        "--memory",
        environment={
            "AMQPD_AUTH_BACKENDS": "oauth2,internal",
            "AMQPD_AUTH_OAUTH2_RESOURCE_SERVER_ID": "rabbitmq",
            **named,
        },
    )


def token(key: Any = RSA, *, seconds: float = 600, **claims: Any) -> str:
    """One that permits everything, for so long."""
    made: dict[str, Any] = {"exp": int(time.time() + seconds), "scope": ALL, **claims}
    return tokens.token(key, **made).decode()


def connect(broker: BrokerProcess, password: str, name: str = "") -> pika.BlockingConnection:
    credentials = pika.PlainCredentials(name, password)
    return pika.BlockingConnection(
        pika.ConnectionParameters("127.0.0.1", broker.port, credentials=credentials, socket_timeout=PATIENCE)
    )


def refused(broker: BrokerProcess, password: str) -> None:
    with pytest.raises(pika.exceptions.ProbableAuthenticationError):
        connect(broker, password)


def test_a_token_lets_in_and_its_scopes_say_what_may_be_done(server: KeyServer) -> None:
    with broker_of(jwks_url=server.web.url("/keys")) as broker:
        scope = "rabbitmq.configure:*/mine.* rabbitmq.write:%2F/amq.default rabbitmq.read:*/mine.*"
        connection = connect(broker, token(scope=scope))
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("mine.1")
        channel.basic_publish("", "mine.1", b"hello", pika.BasicProperties(user_id="alice"))
        assert channel.basic_get("mine.1", auto_ack=True)[2] == b"hello"
        with pytest.raises(pika.exceptions.ChannelClosedByBroker) as caught:
            channel.queue_declare("theirs")
        assert caught.value.reply_text == (
            "ACCESS_REFUSED - configure access to queue 'theirs' in vhost '/' refused for user 'alice'"
        )
        connection.close()
        assert len(server.web.requests) == 1
        with pytest.raises(pika.exceptions.ProbableAccessDeniedError):
            connect(broker, token(scope="rabbitmq.read:other/*"))


def test_what_does_not_count_lets_nobody_in(server: KeyServer) -> None:
    with broker_of(jwks_url=server.web.url("/keys")) as broker:
        for shown in (token(OTHER_RSA), token(seconds=-1), token(aud="other"), token(kid="other"), "nonsense"):
            refused(broker, shown)
        connect(broker, "guest", "guest").close()  # another backend's
        assert not any(token().partition(".")[0] in line for line in broker.log)


def test_keys_change_hands(server: KeyServer) -> None:
    with broker_of(issuer=server.web.url("/realm")) as broker:
        server.keys = [jwk(RSA, "a"), jwk(OTHER_RSA, "b")]
        for key, kid in ((RSA, "a"), (OTHER_RSA, "b")):
            connect(broker, token(key, kid=kid)).close()
        refused(broker, token(RSA, kid="b"))


def test_a_server_without_keys_lets_nobody_in_and_keeps_nobody_else(server: KeyServer) -> None:
    with broker_of(jwks_url="http://127.0.0.1:1/keys") as broker:
        refused(broker, token())
        connect(broker, "guest", "guest").close()
        assert any("failed to download signing keys" in line for line in broker.log)


def test_keys_may_be_files(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem(RSA))
    keys = json.dumps([{"name": "mine", "file": str(file)}])
    with broker_of(signing_keys=keys, default_key="mine") as broker:
        connect(broker, token(kid=None)).close()
        connect(broker, token(kid="mine")).close()
        refused(broker, token(OTHER_RSA, kid="mine"))


def test_a_connection_ends_with_its_token_unless_there_is_a_new_one_in_time(server: KeyServer) -> None:
    with broker_of(jwks_url=server.web.url("/keys")) as broker:
        renewed = connect(broker, token(seconds=3))
        left = connect(broker, token(seconds=3))
        renewed.update_secret(token(seconds=60), "time is short")
        with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as caught:
            left.process_data_events(time_limit=PATIENCE)
        assert (caught.value.reply_code, caught.value.reply_text) == (320, "CONNECTION_FORCED - credential expired")
        renewed.process_data_events(time_limit=1)
        renewed.channel().queue_declare("q")
        with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as caught:
            renewed.update_secret(token(sub="bob"), "somebody else's")
        assert caught.value.reply_code == 530
        assert caught.value.reply_text == "NOT_ALLOWED - New secret was refused by one of the backends"
