"""amqpd, a message broker for RabbitMQ's clients: AMQP 0-9-1, in Python.

A map, in reading order; each package opens with a chapter of its own:

    wire        AMQP as bytes: the protocol table, and the codec
    message     what is carried
    broker      the model: exchanges, bindings, queues, consumers
    amqp        a client's connection and channels, without sockets
    store       what survives a restart
    auth        who may log in
    definitions files of all that was made: out of a broker, and into one
    listeners   sockets
    process     what whoever starts a broker is told, and with whom it ends
    daemon      all of it put together; config, log, clock, compiled and cli around it

Imports point upwards in this list, except that `broker` uses `store`.
"""

import os

__version__ = "0.1.0"

if os.environ.get("AMQPD_PURE"):
    from .compiled import prefer_sources

    prefer_sources()  # before any module that has a compiled form is imported
