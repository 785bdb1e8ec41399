from __future__ import annotations

import pytest
from steps import Connect, expect_connection_error

from amqpd.wire.methods import ConnectionCloseOk, ConnectionOpen, ConnectionTuneOk


@pytest.mark.parametrize("vhost", ["nope", "", "//", "%2F"])
def test_a_vhost_that_is_not_there_cannot_be_opened(connect: Connect, vhost: str) -> None:
    client = connect(handshake=False)
    client.log_in()
    client.send(0, ConnectionTuneOk(2047, 131072, 0), ConnectionOpen(vhost))
    expect_connection_error(client, 530, f"vhost {vhost} not found", ConnectionOpen)
    client.send(0, ConnectionCloseOk())
    client.expect_closed()
