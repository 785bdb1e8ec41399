from __future__ import annotations

from amqpd.testing.client import Client
from amqpd.wire.methods import AccessRequest, AccessRequestOk


def test_access_requests_of_old_clients_are_granted(client: Client) -> None:
    assert client.call(1, AccessRequest(), AccessRequestOk).ticket == 1
