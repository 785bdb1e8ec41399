from __future__ import annotations

import pytest

from amqpd.testing.client import Client
from amqpd.wire.methods import ChannelClose, QueueDeclare


@pytest.mark.parametrize("length", [214, 215, 255])
def test_texts_too_long_for_a_short_string_end_in_dots(client: Client, length: int) -> None:
    queue = "x" * length
    client.send(1, QueueDeclare(queue=queue, passive=True))
    text = f"NOT_FOUND - no queue '{queue}' in vhost '/'"
    expected = text if len(text) <= 255 else text[:252] + "..."
    assert client.expect(1, ChannelClose).reply_text == expected


def test_texts_name_things_outside_ascii(client: Client) -> None:
    client.send(1, QueueDeclare(queue="schlange ü 漢字", passive=True))
    assert client.expect(1, ChannelClose).reply_text == "NOT_FOUND - no queue 'schlange ü 漢字' in vhost '/'"
