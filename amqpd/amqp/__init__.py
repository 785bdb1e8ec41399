"""An AMQP client's side of the broker: synchronous, without sockets, without a clock of its own.

    bytes ──► Connection.receive_data ──► Reader ──► Channel ──► handler ──► broker
    bytes ◄── Connection.data_to_send ◄── Outbox ◄── replies, deliveries, confirms

A *connection* is a TCP link after its handshake; *channels* are the lanes multiplexed on it. A handler translates one
method into calls of the model, and objects by raising an `AmqpError`; `connection` alone decides what that closes.

A connection does: cut and join frames, negotiate, keep the table of channels, run the close dance, say when it next
wants to be ticked. It does not: open sockets, sleep, read a clock, or log messages. Whoever drives it (see
`listeners.stream`) must, after each call, fetch `data_to_send`, and look at `reading`, `deadline` and `closed`.

What comes by the million takes a short way, which is compiled: `commands` hands basic.publish and basic.ack straight to
the two halves of a channel, `publishing` and `deliveries`. Everything else goes through the tables of handlers.

In reading order: `connection`, `handshake`, `channel`, `commands`, `publishing`, `publish`, `deliveries`, `consume`,
`topology`, `transactions`, and the small ones they lean on: `unacked`, `confirms`, `replies`, `heartbeat`.
"""
