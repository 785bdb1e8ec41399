from __future__ import annotations

from steps import own_queue

from amqpd.testing.client import Client
from amqpd.wire.methods import ConnectionUpdateSecret, ConnectionUpdateSecretOk


def test_a_new_secret_is_accepted_and_changes_nothing(client: Client) -> None:
    queue = own_queue(client)
    client.call(0, ConnectionUpdateSecret(b"guest", "token refreshed"), ConnectionUpdateSecretOk)
    client.publish(1, "", queue, b"still here")
