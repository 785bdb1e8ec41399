"""The exchange, queues and bindings of a workload: made before a run, looked at and deleted after it."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from amqpd.wire.methods import (
    ExchangeDeclare,
    ExchangeDeclareOk,
    ExchangeDelete,
    ExchangeDeleteOk,
    QueueBind,
    QueueDeclare,
    QueueDeclareOk,
    QueueDelete,
    QueueDeleteOk,
)

from .connection import Connection
from .frames import CHANNEL
from .workload import Workload, parse_table

BINDINGS_AT_ONCE = 500
"""Bindings to ask for before waiting: a question in between keeps a slow broker from being overrun."""


class Topology:
    """As a context: there inside, gone outside."""

    def __init__(self, url: str, workload: Workload) -> None:
        self._workload = workload
        self._connection = Connection(url)

    def __enter__(self) -> Self:
        if not self._workload.keep:
            self.delete()
            self.declare()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._connection.drop()
            return
        if not self._workload.keep:
            self.delete()
        self._connection.close()

    def declare(self) -> None:
        """Make the queues, and the exchange with its bindings where there is one."""
        workload = self._workload
        call = self._connection.call
        arguments = dict(workload.queue_args)
        for queue in workload.queues:
            call(QueueDeclare(queue=queue, durable=workload.persistent, arguments=arguments), QueueDeclareOk)
        if not workload.exchange:
            return
        if not workload.exchange.startswith("amq."):
            call(
                ExchangeDeclare(exchange=workload.exchange, type=workload.type, durable=workload.persistent),
                ExchangeDeclareOk,
            )
        bindings = [self._bind(queue, key) for queue, key in workload.binding_keys()]
        for start in range(0, len(bindings), BINDINGS_AT_ONCE):
            self._connection.client.send(CHANNEL, *bindings[start : start + BINDINGS_AT_ONCE])
            self._connection.message_count(workload.queues[0])

    def delete(self) -> None:
        """Delete the queues and the exchange, if they are there."""
        workload = self._workload
        if workload.exchange and not workload.exchange.startswith("amq."):
            self._connection.call(ExchangeDelete(exchange=workload.exchange), ExchangeDeleteOk)
        for queue in workload.queues:
            self._connection.call(QueueDelete(queue=queue), QueueDeleteOk)

    def left(self) -> int:
        """Messages that are in the queues."""
        return sum(self._connection.message_count(queue) for queue in self._workload.queues)

    def _bind(self, queue: str, key: str) -> QueueBind:
        if self._workload.type == "headers":
            return QueueBind(queue=queue, exchange=self._workload.exchange, nowait=True, arguments=parse_table(key))
        return QueueBind(queue=queue, exchange=self._workload.exchange, routing_key=key, nowait=True)
