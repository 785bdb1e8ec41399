"""The model: exchanges, bindings, queues. Pure data structures and decisions, with no network, disk or clock in them.

    publisher ──► exchange ──binding──► queue ──► consumer
                     │                    ▲
                     └──binding──► exchange

A *vhost* is a namespace of all these. A message published to an *exchange* is compared with its *bindings*; those that
match lead to queues, or to further exchanges. In each *queue* it reaches, the message is an *entry* with a place of its
own (`queue.py` draws an entry's life). A *consumer* takes entries as far as its limits allow.
A *stream* stands where a queue may, and keeps what it hands out (`stream.py`).

What a queue may hold, and for how long, is watched over by its *limits*. Messages it lets go unconsumed may become
*dead letters*, published again to an exchange it names for that. Operators set limits for many queues at once, by
*policies*; these are among the *parameters* that can be changed while the broker runs.

This package never sees a frame and never waits. What must survive is said to a `Store`; what goes to a peer goes
through a consumer's `Sink`. So the management API, a test, or another protocol declares and publishes as `amqp` does.

In reading order: `entry`, `queue`, `consumer`, `priorities`, `timeouts`, `binding`, `exchanges.direct` and its
neighbours, `stream`, `route`, `vhost`, `limits`, `dead_letter`, `parameters`, `policies`, `broker`. Whoever wants to
watch finds `events` (what comes and goes) and the `firehose` (each message).
"""
