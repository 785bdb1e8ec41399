"""The channel: its table of handlers, and the methods that are its own."""

from __future__ import annotations

import pytest

from amqpd.amqp.channel import HANDLERS
from amqpd.wire.methods import (
    METHODS,
    AccessRequest,
    AccessRequestOk,
    BasicPublish,
    ChannelClose,
    ChannelFlow,
    ChannelFlowOk,
    ConnectionClose,
)
from tests.amqp.pair import Pair


@pytest.fixture
def pair() -> Pair:
    pair = Pair()
    pair.channel()
    return pair


def test_every_method_a_client_sends_on_a_channel_has_a_handler() -> None:
    """Those the specification has a server receive; basic.publish, the hot one, is called without the table."""
    sent_by_clients = {
        "channel.open",
        "channel.flow",
        "channel.close",
        "access.request",
        *(f"exchange.{name}" for name in ("declare", "delete", "bind", "unbind")),
        *(f"queue.{name}" for name in ("declare", "bind", "unbind", "purge", "delete")),
        *(f"basic.{name}" for name in ("qos", "consume", "cancel", "cancel-ok", "get", "ack", "nack", "reject")),
        *(f"basic.{name}" for name in ("recover", "recover-async")),
        *(f"tx.{name}" for name in ("select", "commit", "rollback")),
        "confirm.select",
    }
    assert {cls.name for cls in HANDLERS} - {"channel.close-ok", "channel.flow-ok"} == sent_by_clients
    assert BasicPublish not in HANDLERS
    assert set(HANDLERS) <= set(METHODS.values())


def test_access_of_old_clients_is_granted(pair: Pair) -> None:
    assert pair.call(1, AccessRequest(), AccessRequestOk).ticket == 1


def test_flow_is_on_and_stays_so(pair: Pair) -> None:
    assert pair.call(1, ChannelFlow(True), ChannelFlowOk).active is True
    pair.send(1, ChannelFlow(False))
    close = pair.expect(0, ConnectionClose)
    assert (close.reply_code, close.reply_text) == (540, "NOT_IMPLEMENTED - active=false")


def test_a_long_error_text_is_cut(pair: Pair) -> None:
    pair.publish(1, "é" * 120, "k")
    text = pair.expect(1, ChannelClose).reply_text
    assert len(text.encode()) <= 255
    assert text.startswith("NOT_FOUND - no exchange 'éé")
