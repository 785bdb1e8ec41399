"""A load generator that keeps out of the way of what it measures.

A client library spends several microseconds on a message; a fast broker spends one. So nothing here handles a message:

- *Publishing.* The frames of some thousand messages are encoded once, into one block, and the socket is fed slices of
  it. All of them have the same length, so what was sent is a number of bytes divided by it.
- *Consuming.* Deliveries of a queue with messages of one size all have the same length too. The first is read frame by
  frame; after that, bytes received divided by its length are the deliveries received. Each read is checked in one
  place: where the last delivery should begin there has to be a basic.deliver whose delivery tag is that very count. A
  message lost, added, or of another length moves all that follows, and cannot pass.
- *Acks.* Those of consumers are a slice of a prepared block as well. Those of the broker (confirms) are the one thing
  read one by one, in a flat loop; a broker that acks with `multiple` makes them few.

Publishers live in one process and consumers in another, each with a loop over epoll. In reading order: `workload` (what
to do, as data), `frames` (all of the above, without sockets), `publisher`, `consumer`, `topology`, `run` (processes,
clocks and the result), `cpu`, `report`. `perf/ceiling.py` shows what the loader does where no broker holds it up.
"""
