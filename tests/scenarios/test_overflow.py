"""x-overflow: a full queue may refuse what is published, and the publisher hears of it."""

from __future__ import annotations

import pytest
from steps import bind, confirm_select, drain, expect_channel_error, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicAck, BasicNack, TxCommit, TxSelect, TxSelectOk

FULL = {"x-max-length": 1, "x-overflow": "reject-publish"}


def publish(client: Client, queue: str, body: bytes, exchange: str = "") -> bool:
    """Whether the publish was acked, and not nacked."""
    client.publish(1, exchange, queue, body)
    command = client.receive()
    assert isinstance(command.method, (BasicAck, BasicNack))
    return isinstance(command.method, BasicAck)


@pytest.fixture
def confirming(client: Client) -> Client:
    confirm_select(client)
    return client


def test_a_full_queue_refuses(confirming: Client) -> None:
    queue = own_queue(confirming, arguments=FULL)
    assert [publish(confirming, queue, body) for body in (b"a", b"b", b"c")] == [True, False, False]
    assert drain(confirming, queue) == [b"a"]
    assert publish(confirming, queue, b"d")


def test_a_body_that_does_not_fit_is_refused(confirming: Client) -> None:
    queue = own_queue(confirming, arguments={"x-max-length-bytes": 5, "x-overflow": "reject-publish"})
    assert [publish(confirming, queue, body) for body in (b"aaa", b"bbb", b"cc")] == [True, False, True]
    assert drain(confirming, queue) == [b"aaa", b"cc"]


def test_the_nack_names_its_publish(confirming: Client) -> None:
    queue = own_queue(confirming, arguments=FULL)
    assert publish(confirming, queue, b"a")
    confirming.publish(1, "", queue, b"b")
    assert confirming.expect(1, BasicNack).delivery_tag == 2


def test_without_confirms_nobody_hears(client: Client) -> None:
    queue = own_queue(client, arguments=FULL)
    for body in (b"a", b"b"):
        client.publish(1, "", queue, body)
    assert client.silence()
    assert drain(client, queue) == [b"a"]


def test_other_queues_take_what_one_refuses(confirming: Client) -> None:
    full = own_queue(confirming, arguments=FULL)
    other = own_queue(confirming)
    for queue in (full, other):
        bind(confirming, queue, "amq.direct", full)
    assert [publish(confirming, full, body, "amq.direct") for body in (b"a", b"b")] == [True, False]
    assert (drain(confirming, full), drain(confirming, other)) == ([b"a"], [b"a", b"b"])


def test_the_refused_may_be_a_dead_letter(confirming: Client) -> None:
    dead = own_queue(confirming)
    queue = own_queue(
        confirming,
        arguments={
            "x-max-length": 1,
            "x-overflow": "reject-publish-dlx",
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead,
        },
    )
    assert [publish(confirming, queue, body) for body in (b"a", b"b")] == [True, False]
    assert (drain(confirming, queue), drain(confirming, dead)) == ([b"a"], [b"b"])


def test_a_transaction_is_partial_then(client: Client) -> None:
    queue = own_queue(client, arguments=FULL)
    client.call(1, TxSelect(), TxSelectOk)
    for body in (b"a", b"b"):
        client.publish(1, "", queue, body)
    client.send(1, TxCommit())
    expect_channel_error(client, 406, "partial tx completion", TxCommit)
    assert drain(client, queue) == [b"a"]
