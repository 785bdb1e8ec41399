"""The broker looked at from the command line, over its HTTP API: `amqpd peek`, `route`, `topology` and `stat`.

`asking` finds the API; `graph` is a vhost's exchanges, queues and bindings, which `drawing` lays out.
"""
