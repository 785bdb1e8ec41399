"""Messages from and for the command line, over AMQP: `amqpd publish`, `consume`, `get` and `tail`.

`link` is the connection they use, `values` what is written in options, and how messages are shown.
"""
