"""What basic.publish objects to."""

from __future__ import annotations

import pytest
from steps import drain, expect_channel_error, expect_connection_error, get, own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import BasicPublish
from amqpd.wire.properties import Properties


def test_a_missing_exchange_is_not_found(client: Client) -> None:
    client.publish(1, "nope", "key", b"lost")
    expect_channel_error(client, 404, "no exchange 'nope' in vhost '/'", BasicPublish)


def test_the_exchange_is_looked_for_whether_the_message_is_mandatory_or_not(client: Client) -> None:
    client.publish(1, "nope", "key", b"lost", mandatory=True)
    expect_channel_error(client, 404, "no exchange 'nope' in vhost '/'", BasicPublish)


@pytest.mark.parametrize("exchange", ["", "amq.direct", "nope"])
def test_immediate_is_not_implemented(client: Client, exchange: str) -> None:
    client.publish(1, exchange, "key", immediate=True)
    expect_connection_error(client, 540, "immediate=true", BasicPublish)


@pytest.mark.parametrize(
    ("expiration", "reason"),
    [
        ("abc", "no_integer"),
        ("", "no_integer"),
        (" 10", "no_integer"),
        ("-", "no_integer"),
        ("10ms", '{leftover_string,"ms"}'),
        ("1.5", '{leftover_string,".5"}'),
        ("10 ", '{leftover_string," "}'),
        ("-1", "{value_negative,-1}"),
        ("315360000001", "{value_too_large,315360000001}"),
    ],
)
def test_an_expiration_has_to_be_a_number_of_milliseconds(client: Client, expiration: str, reason: str) -> None:
    queue = own_queue(client)
    client.publish(1, "", queue, b"lost", Properties(expiration=expiration))
    expect_channel_error(client, 406, f"invalid expiration '{expiration}': {reason}", BasicPublish)
    assert drain(client, queue) == []


@pytest.mark.parametrize("expiration", ["60000", "+60000", "00060000", "315360000000"])
def test_other_expirations_pass_through_as_they_are(client: Client, expiration: str) -> None:

    queue = own_queue(client)
    client.publish(1, "", queue, b"kept", Properties(expiration=expiration))
    assert get(client, queue).properties == Properties(expiration=expiration)


@pytest.mark.parametrize("user", ["bob", "", "Guest"])
def test_nobody_publishes_in_anothers_name(client: Client, user: str) -> None:
    queue = own_queue(client)
    client.publish(1, "", queue, b"lost", Properties(user_id=user))
    text = f"user_id property set to '{user}' but authenticated user was 'guest'"
    expect_channel_error(client, 406, text, BasicPublish)
    assert drain(client, queue) == []


def test_everybody_publishes_in_their_own_name(client: Client) -> None:
    queue = own_queue(client)
    client.publish(1, "", queue, b"kept", Properties(user_id="guest"))
    assert drain(client, queue) == [b"kept"]


def test_the_exchange_is_looked_for_before_properties_are_looked_at(client: Client) -> None:
    client.publish(1, "nope", "key", b"lost", Properties(expiration="abc", user_id="bob"))
    expect_channel_error(client, 404, "no exchange 'nope' in vhost '/'", BasicPublish)


@pytest.mark.ours("3.10 looks at the user first, 4.x at the expiration")
def test_the_expiration_is_looked_at_before_the_user(client: Client) -> None:
    client.publish(1, "", "key", b"lost", Properties(expiration="abc", user_id="bob"))
    expect_channel_error(client, 406, "invalid expiration 'abc': no_integer", BasicPublish)


def test_an_unroutable_message_is_checked_too(client: Client) -> None:
    client.publish(1, "", "nobody", b"lost", Properties(expiration="abc"))
    expect_channel_error(client, 406, "invalid expiration 'abc': no_integer", BasicPublish)
