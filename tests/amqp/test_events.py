"""Events of connections, channels and consumers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from amqpd.auth.certificate import Certificate, Encryption
from amqpd.broker.broker import Broker
from amqpd.wire.methods import (
    BasicCancel,
    BasicCancelOk,
    ChannelClose,
    ChannelCloseOk,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionStart,
    ConnectionTune,
    QueueDelete,
    QueueDeleteOk,
)
from amqpd.wire.spec import PROTOCOL_HEADER
from tests.amqp.pair import Pair, new_broker
from tests.fakes import LOCAL

PEER = "127.0.0.1:50000 -> 127.0.0.1:5672"


@pytest.fixture
def broker() -> Broker:
    return new_broker(node="amqpd@here")


@pytest.fixture
def heard(broker: Broker) -> list[tuple[str, dict[str, Any]]]:
    heard: list[tuple[str, dict[str, Any]]] = []
    broker.events.listen(lambda name, fields: heard.append((name, dict(fields))))
    return heard


Heard = list[tuple[str, dict[str, Any]]]


def names(heard: Heard) -> list[str]:
    found = [name for name, _ in heard]
    heard.clear()
    return found


def test_a_connection_tells_of_its_login_its_opening_and_its_end(broker: Broker, heard: Heard) -> None:
    pair = Pair(broker)
    pid = pair.connection.pid
    ends = {
        "host": "127.0.0.1",
        "port": 5672,
        "peer_host": "127.0.0.1",
        "peer_port": 50000,
        "protocol": "{0,9,1}",
        "auth_mechanism": "PLAIN",
        "ssl": False,
    }
    (login, opened) = heard
    assert login == (
        "user.authentication.success",
        {
            "connection_type": "network",
            "name": "guest",
            "connection_name": PEER,
            **ends,
            "user_who_performed_action": "rmq-internal",
        },
    )
    name, fields = opened
    assert name == "connection.created"
    properties = fields.pop("client_properties")
    assert properties["capabilities"]
    assert fields == {
        "pid": pid,
        "name": PEER,
        **ends,
        "user": "guest",
        "vhost": "/",
        "timeout": 0,
        "frame_max": 131072,
        "channel_max": 2047,
        "connected_at": int(broker.clock.time() * 1000),
        "node": "amqpd@here",
        "type": "network",
        "user_who_performed_action": "guest",
    }
    heard.clear()
    pair.call(0, ConnectionClose(200, "", 0, 0), ConnectionCloseOk)
    assert heard == [
        (
            "connection.closed",
            {
                "pid": pid,
                "name": PEER,
                "node": "amqpd@here",
                "client_properties": properties,
                "user_who_performed_action": "guest",
            },
        )
    ]


def test_the_name_that_a_client_gives_its_connection_is_told(broker: Broker, heard: Heard) -> None:
    pair = Pair(broker, handshake=False)
    pair.write(PROTOCOL_HEADER)
    pair.expect(0, ConnectionStart)
    start_ok = pair.start_ok()
    pair.send(0, replace(start_ok, client_properties={**start_ok.client_properties, "connection_name": "worker"}))
    pair.expect(0, ConnectionTune)
    pair.open()
    pair.call(0, ConnectionClose(200, "", 0, 0), ConnectionCloseOk)
    for event, fields in heard:
        assert fields.get("user_provided_name") == (None if event.startswith("user.") else "worker"), event


def test_what_tells_of_an_encrypted_connection_says_how_and_by_whom(broker: Broker, heard: Heard) -> None:
    certificate = Certificate("CN=alice", "CN=CA", "2026-11-26T04:22:57Z - 2027-11-26T04:22:57Z")
    encryption = Encryption("tlsv1.2", "ecdhe_rsa", "aes_256_gcm", "aead", certificate)
    Pair(broker, peer=replace(LOCAL, encryption=encryption))
    for _, fields in heard:
        assert fields["ssl"] is True
        assert fields["ssl_protocol"] == "tlsv1.2"
        assert fields["ssl_key_exchange"] == "ecdhe_rsa"
        assert fields["ssl_cipher"] == "aes_256_gcm"
        assert fields["ssl_hash"] == "aead"
        assert fields["peer_cert_subject"] == "CN=alice"
        assert fields["peer_cert_issuer"] == "CN=CA"
        assert fields["peer_cert_validity"] == certificate.validity
    heard.clear()
    Pair(broker, peer=replace(LOCAL, encryption=replace(encryption, certificate=None)))
    assert all(fields["ssl"] is True and "peer_cert_subject" not in fields for _, fields in heard)


def test_a_login_that_fails_is_told_with_the_reason(broker: Broker, heard: Heard) -> None:
    pair = Pair(broker, handshake=False)
    pair.write(b"AMQP\x00\x00\x09\x01")
    pair.received()
    pair.send(0, pair.start_ok("wrong"))
    ((name, fields),) = heard
    assert name == "user.authentication.failure"
    assert fields["name"] == "guest"
    assert fields["error"] == "user 'guest' - invalid credentials"
    pair.connection.receive_eof()
    assert len(heard) == 1


def test_a_channel_tells_of_itself_and_its_consumers(broker: Broker, heard: Heard) -> None:
    pair = Pair(broker)
    heard.clear()
    pair.channel(3)
    pid, name = f"{pair.connection.pid}.3", f"{PEER} (3)"
    channel = {"pid": pid, "name": name, "connection": pair.connection.pid, "user_who_performed_action": "guest"}
    assert heard == [("channel.created", {**channel, "number": 3, "user": "guest", "vhost": "/"})]
    heard.clear()
    pair.queue("q", 3)
    heard.clear()
    pair.consume("q", 3, prefetch=7, tag="c")
    consumer = {
        "consumer_tag": "c",
        "channel": pid,
        "queue": "q",
        "vhost": "/",
        "user_who_performed_action": "guest",
    }
    created = {"exclusive": False, "ack_required": True, "prefetch_count": 7, "arguments": {}}
    assert heard == [("consumer.created", {**consumer, **created})]
    heard.clear()
    pair.call(3, BasicCancel("c"), BasicCancelOk)
    assert heard == [("consumer.deleted", consumer)]
    heard.clear()
    pair.consume("q", 3, tag="c")
    heard.clear()
    pair.call(3, ChannelClose(200, "", 0, 0), ChannelCloseOk)
    closed = {**channel, "consumer_count": 1}
    assert heard == [("consumer.deleted", consumer), ("channel.closed", closed)]


def test_a_queue_that_is_deleted_takes_its_consumers_along(broker: Broker, heard: Heard) -> None:
    pair = Pair(broker)
    pair.channel()
    pair.queue("q")
    pair.consume("q")
    heard.clear()
    pair.send(1, QueueDelete(queue="q"))
    pair.expect(1, QueueDeleteOk)
    assert sorted(names(heard)) == ["consumer.deleted", "queue.deleted"]


def test_whatever_ends_a_connection_all_that_was_its_own_is_told_once(broker: Broker, heard: Heard) -> None:
    pair = Pair(broker)
    pair.channel()
    pair.queue("", exclusive=True)
    pair.consume("")
    heard.clear()
    pair.connection.receive_eof()
    assert names(heard) == ["consumer.deleted", "channel.closed", "queue.deleted", "connection.closed"]


def test_an_error_closes_a_channel_and_a_connection_once(broker: Broker, heard: Heard) -> None:
    pair = Pair(broker)
    pair.channel()
    heard.clear()
    pair.publish(1, "missing", "key")
    assert names(heard) == ["channel.closed"]
    pair.connection.receive_eof()
    assert "channel.closed" not in names(heard)
