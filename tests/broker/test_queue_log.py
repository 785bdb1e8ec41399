"""What is logged of queues."""

from __future__ import annotations

from amqpd.broker.queue_log import QueueLog
from tests.amqp.pair import new_broker
from tests.fakes import RecordingLog


def test_queues_are_logged_when_they_come_and_go_and_nothing_else_is() -> None:
    broker, log = new_broker(), RecordingLog()
    broker.events.listen(QueueLog(log))
    vhost = broker.vhosts["/"]
    with broker.events.acting("ann"):
        queue = vhost.declare_queue("q")
        vhost.declare_queue("q")
        vhost.bind("amq.fanout", "q", "", {}, to_queue=True)
        vhost.delete_queue(queue)
    fields = {"queue": "q", "vhost": "/", "user": "ann"}
    assert log.lines == [("debug", "queue created", fields), ("debug", "queue deleted", fields)]
