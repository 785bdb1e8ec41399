"""Vhosts that come and go while the broker runs, and their limits."""

from __future__ import annotations

import pytest
from operators import Operator, Place, Refused
from steps import declare, drain, expect_channel_error, expect_connection_error, fill

from amqpd.wire.methods import (
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionOpen,
    ConnectionTuneOk,
    QueueDeclare,
)


def refused(place: Place, explanation: str) -> None:
    """A connection to the vhost is turned away with this reason."""
    client = place.connect(handshake=False)
    client.log_in()
    client.send(0, ConnectionTuneOk(2047, 131072, 0), ConnectionOpen(place.vhost))
    expect_connection_error(client, 530, explanation, ConnectionOpen)


def test_vhosts_share_nothing(place: Place, operator: Operator) -> None:
    other = Place(operator, f"{place.vhost}.other")
    operator.put_vhost(other.vhost)
    here, there = place.connect(), other.connect()
    declare(here, "q")
    fill(here, "q", b"here")
    assert declare(there, "q").message_count == 0
    assert drain(here, "q") == [b"here"]
    other.leave()
    operator.delete_vhost(other.vhost)


def test_who_is_connected_to_a_vhost_that_is_deleted_is_sent_away(place: Place) -> None:
    client = place.connect()
    declare(client, "q")
    place.operator.delete_vhost(place.vhost)
    close = client.expect(0, ConnectionClose)
    assert close.reply_code == 320
    text = f"CONNECTION_FORCED - vhost '{place.vhost}' is"
    assert close.reply_text in (f"{text} deleted", f"{text} down")  # RabbitMQ has two that do this, in either order
    refused(place, f"vhost {place.vhost} not found")


def test_a_vhost_that_comes_again_is_empty(place: Place) -> None:
    client = place.connect()
    declare(client, "q", durable=True)
    fill(client, "q", b"a")
    place.put_policy("p", ".*", {"max-length": 1})
    place.limit(max_queues=1)
    place.leave()
    place.operator.delete_vhost(place.vhost)
    place.operator.put_vhost(place.vhost)
    client = place.connect()
    assert declare(client, "q", durable=True).message_count == 0
    fill(client, "q", b"1", b"2")
    assert drain(client, "q") == [b"1", b"2"]
    declare(client, "q2")


def test_a_vhost_that_is_not_there_cannot_be_changed(operator: Operator) -> None:
    with pytest.raises(Refused):
        operator.delete_vhost("nope")
    with pytest.raises(Refused):
        operator.put_policy("nope", "p", {"pattern": "a", "definition": {"max-length": 1}})


# --- limits


def test_a_vhost_takes_so_many_connections(place: Place) -> None:
    place.limit(max_connections=1)
    first = place.connect()
    text = f"access to vhost '{place.vhost}' refused for user 'guest': connection limit"
    refused(place, f"{text} (1) is reached")
    place.limit(max_connections=0)
    refused(place, f"{text} (0) is reached")
    assert declare(first, "q").queue == "q"  # who is there may stay
    place.limit(max_connections=-1)
    place.connect()


def test_a_connection_that_ends_makes_room(place: Place) -> None:
    place.limit(max_connections=1)
    place.connect().close()
    client = place.connect()
    client.send(0, ConnectionClose(200, "bye"))
    client.expect(0, ConnectionCloseOk)


def test_a_vhost_takes_so_many_queues(place: Place) -> None:
    client = place.connect()
    declare(client, "a")
    place.limit(max_queues=1)
    client.send(1, QueueDeclare(queue="b"))
    expect_channel_error(
        client,
        406,
        f"cannot declare queue 'b': queue limit in vhost '{place.vhost}' (1) is reached",
        QueueDeclare,
    )
    declare(client, "a")  # is there already
    place.operator.delete_parameter("vhost-limits", place.vhost, "limits")
    declare(client, "b")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"max-foo": 1}, 'Unrecognised terms [{<<"max-foo">>,1}] in limits'),
        ({"max-queues": "x"}, 'max-queues should be a number, actually was <<"x">>'),
        ({"max-connections": 1.5}, "max-connections should be a number, actually was 1.5"),
    ],
)
def test_a_limit_that_is_none(place: Place, value: dict[str, object], reason: str) -> None:
    with pytest.raises(Refused) as error:
        place.operator.put_parameter("vhost-limits", place.vhost, "limits", value)
    assert str(error.value) == reason
