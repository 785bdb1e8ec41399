"""Publisher confirms (RabbitMQ's extension): every publish is acked, once."""

from __future__ import annotations

import pytest
from steps import (
    Name,
    bind,
    confirm_select,
    consume,
    declare,
    declare_exchange,
    drain,
    expect_channel_error,
    own_queue,
    reopen_channel,
)

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicAck,
    BasicDeliver,
    BasicPublish,
    BasicReturn,
    ConfirmSelect,
    ConfirmSelectOk,
    TxSelect,
    TxSelectOk,
)
from amqpd.wire.properties import Properties

PERSISTENT = Properties(delivery_mode=2)


def expect_acks(client: Client, first: int, last: int, channel: int = 1) -> None:
    """The publishes from `first` to `last` are acked, each once, and no others."""
    acked: set[int] = set()
    while len(acked) < last - first + 1:
        ack = client.expect(channel, BasicAck)
        up_to = ack.delivery_tag
        new = set(range(first, up_to + 1)) - acked if ack.multiple else {up_to}
        assert new
        assert not new & acked
        acked |= new
    assert acked == set(range(first, last + 1))


def test_publishes_count_from_1(client: Client) -> None:
    queue = own_queue(client)
    confirm_select(client)
    for number in range(1, 4):
        client.publish(1, "", queue)
        assert client.expect(1, BasicAck) == BasicAck(number, multiple=False)


def test_publishes_before_select_do_not_count(client: Client) -> None:
    queue = own_queue(client)
    client.publish(1, "", queue)
    confirm_select(client)
    client.publish(1, "", queue)
    expect_acks(client, 1, 1)
    assert client.silence()


def test_selecting_again_changes_nothing(client: Client) -> None:
    queue = own_queue(client)
    confirm_select(client)
    client.publish(1, "", queue)
    expect_acks(client, 1, 1)
    confirm_select(client)
    client.publish(1, "", queue)
    expect_acks(client, 2, 2)


def test_nowait_is_not_answered(client: Client) -> None:
    queue = own_queue(client)
    client.send(1, ConfirmSelect(nowait=True))
    client.publish(1, "", queue)
    expect_acks(client, 1, 1)


@pytest.mark.parametrize(("durable", "properties"), [(True, PERSISTENT), (True, None), (False, PERSISTENT)])
def test_many_publishes_are_all_acked(client: Client, name: Name, durable: bool, properties: Properties | None) -> None:
    queue = name("queue")
    declare(client, queue, durable=durable)
    confirm_select(client)
    for number in range(1000):
        client.publish(1, "", queue, b"%d" % number, properties)
    expect_acks(client, 1, 1000)
    assert client.silence()


def test_persistent_and_transient_and_unroutable_ones_may_be_mixed(client: Client, name: Name) -> None:
    durable, transient = name("durable"), name("transient")
    declare(client, durable, durable=True)
    declare(client, transient)
    confirm_select(client)
    for number in range(100):
        client.publish(1, "", (durable, transient, "nobody")[number % 3], b"", PERSISTENT if number % 2 else None)
    expect_acks(client, 1, 100)


def test_each_channel_counts_for_itself(client: Client) -> None:
    queue = own_queue(client)
    client.channel(2)
    confirm_select(client, 1)
    confirm_select(client, 2)
    for channel in (1, 2):
        client.publish(channel, "", queue)
        expect_acks(client, 1, 1, channel)


def test_channels_that_did_not_ask_are_not_told(client: Client) -> None:
    queue = own_queue(client)
    client.channel(2)
    confirm_select(client, 2)
    client.publish(1, "", queue)
    assert client.silence()


def test_a_channel_opened_again_counts_from_1_when_it_asks_again(client: Client) -> None:
    queue = own_queue(client)
    confirm_select(client)
    client.publish(1, "", queue)
    expect_acks(client, 1, 1)
    reopen_channel(client)
    client.publish(1, "", queue)
    assert client.silence()
    confirm_select(client)
    client.publish(1, "", queue)
    expect_acks(client, 1, 1)


def test_unroutable_messages_are_acked(client: Client) -> None:
    confirm_select(client)
    client.publish(1, "", "nobody", b"", PERSISTENT)
    expect_acks(client, 1, 1)


def test_a_return_comes_before_its_ack(client: Client) -> None:
    confirm_select(client)
    for number in range(1, 4):
        client.publish(1, "", "nobody", b"%d" % number, mandatory=True)
        assert client.expect_command(1, BasicReturn).body == b"%d" % number
        assert client.expect(1, BasicAck).delivery_tag == number


def test_a_message_for_many_queues_is_acked_once(client: Client, name: Name) -> None:
    exchange = declare_exchange(client, name("exchange"), "fanout")
    queues = [name(f"queue {number}") for number in range(5)]
    for number, queue in enumerate(queues):
        declare(client, queue, durable=number % 2 == 0)
        bind(client, queue, exchange)
    confirm_select(client)
    client.publish(1, exchange, "", b"message", PERSISTENT)
    expect_acks(client, 1, 1)
    assert client.silence()
    for queue in queues:
        assert drain(client, queue) == [b"message"]


def test_a_message_consumed_at_once_is_acked(client: Client, name: Name) -> None:
    queue = name("queue")
    declare(client, queue, durable=True)
    confirm_select(client)
    consume(client, queue, no_ack=True)
    for _ in range(10):
        client.publish(1, "", queue, b"", PERSISTENT)
        kinds = {type(client.receive().method), type(client.receive().method)}
        assert kinds == {BasicAck, BasicDeliver}


def test_a_publish_that_closes_the_channel_is_not_acked(client: Client) -> None:
    confirm_select(client)
    client.publish(1, "nope", "key")
    expect_channel_error(client, 404, "no exchange 'nope' in vhost '/'", BasicPublish)
    assert client.silence()


def test_confirms_and_transactions_exclude_each_other(client: Client) -> None:
    confirm_select(client)
    client.send(1, TxSelect())
    expect_channel_error(client, 406, "cannot switch from confirm to tx mode", TxSelect)
    client.call(1, TxSelect(), TxSelectOk)
    client.send(1, ConfirmSelect())
    expect_channel_error(client, 406, "cannot switch from tx to confirm mode", ConfirmSelect)
    client.call(1, ConfirmSelect(), ConfirmSelectOk)
