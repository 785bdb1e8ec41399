"""Sockets and timers: the only asyncio in the data path.

`base` says what a session must offer; `stream` drives any session over TCP, and collects what all sessions have to
send so that each is written to once a turn of the event loop; `sockets` opens what is listened on; `encrypted` is TLS
as a session around another, with what `tls` makes of certificates and keys; `amqp` listens for AMQP clients.
"""
