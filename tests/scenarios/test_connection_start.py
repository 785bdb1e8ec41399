"""What the broker announces before anybody has logged in: clients act on it."""

from __future__ import annotations

import pytest
from steps import Connect, greet


def test_the_version_is_0_9(connect: Connect) -> None:
    start = greet(connect).start
    assert (start.version_major, start.version_minor) == (0, 9)


def test_mechanisms_and_locales_are_lists_with_spaces(connect: Connect) -> None:
    start = greet(connect).start
    assert {b"PLAIN", b"AMQPLAIN"} <= set(start.mechanisms.split(b" "))
    assert start.locales == b"en_US"


@pytest.mark.parametrize(
    "capability",
    [
        "authentication_failure_close",
        "basic.nack",
        "connection.blocked",
        "consumer_cancel_notify",
        "consumer_priorities",
        "exchange_exchange_bindings",
        "per_consumer_qos",
        "direct_reply_to",
        "publisher_confirms",
    ],
)
def test_what_clients_look_for_among_the_capabilities_is_there(connect: Connect, capability: str) -> None:
    assert greet(connect).start.server_properties["capabilities"][capability] is True


def test_product_and_version_are_ones_that_clients_know(connect: Connect) -> None:
    properties = greet(connect).start.server_properties
    assert properties["product"] == "RabbitMQ"
    assert all(part.isdigit() for part in properties["version"].split("."))


@pytest.mark.parametrize("name", ["cluster_name", "copyright", "information", "platform"])
def test_the_broker_describes_itself(connect: Connect, name: str) -> None:
    assert greet(connect).start.server_properties[name]
