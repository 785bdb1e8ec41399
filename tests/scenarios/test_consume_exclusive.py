"""An exclusive consumer has the queue to itself."""

from __future__ import annotations

import pytest
from steps import consume, expect_channel_error, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicCancel, BasicCancelOk, BasicConsume


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (True, True)])
def test_it_is_alone_or_not_at_all(client: Client, first: bool, second: bool) -> None:
    queue = own_queue(client)
    client.channel(2)
    consume(client, queue, channel=2, exclusive=first)
    client.send(1, BasicConsume(queue=queue, exclusive=second))
    expect_channel_error(client, 403, f"queue '{queue}' in vhost '/' in exclusive use", BasicConsume)


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (True, True)])
def test_the_queue_is_free_again_when_it_is_cancelled(client: Client, first: bool, second: bool) -> None:
    queue = own_queue(client)
    tag = consume(client, queue, exclusive=first)
    client.call(1, BasicCancel(tag), BasicCancelOk)
    consume(client, queue, exclusive=second)
