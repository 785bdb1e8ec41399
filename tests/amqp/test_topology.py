"""Declaring, binding, deleting: names, passive declarations, and the permissions each method asks for."""

from __future__ import annotations

import re

import pytest

from amqpd.auth.base import Action, Resource, User
from amqpd.wire.methods import (
    BasicConsume,
    BasicConsumeOk,
    BasicGet,
    BasicGetEmpty,
    ChannelClose,
    ChannelCloseOk,
    ExchangeBind,
    ExchangeBindOk,
    ExchangeDeclare,
    ExchangeDeclareOk,
    ExchangeDelete,
    ExchangeDeleteOk,
    ExchangeUnbind,
    ExchangeUnbindOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
    QueueDelete,
    QueueDeleteOk,
    QueuePurge,
    QueuePurgeOk,
    QueueUnbind,
    QueueUnbindOk,
)
from amqpd.wire.schema import Method
from tests.amqp.pair import Pair
from tests.fakes import Permissive


@pytest.fixture
def pair() -> Pair:
    pair = Pair()
    pair.channel()
    return pair


def objection(pair: Pair) -> tuple[int, str]:
    """The channel.close that was sent; the channel is open again afterwards."""
    close = pair.expect(1, ChannelClose)
    pair.send(1, ChannelCloseOk())
    pair.channel(1)
    return close.reply_code, close.reply_text


# --- queues


def test_declare_ok_counts_ready_messages_and_consumers(pair: Pair) -> None:
    pair.queue("q")
    for _ in range(3):
        pair.publish(1, "", "q")
    pair.send(1, BasicGet(queue="q"))
    pair.received()
    assert pair.call(1, QueueDeclare(queue="q"), QueueDeclareOk) == QueueDeclareOk("q", 2, 0)
    pair.consume("q", prefetch=1)
    pair.received()
    assert pair.call(1, QueueDeclare(queue="q", passive=True), QueueDeclareOk) == QueueDeclareOk("q", 1, 1)


def test_a_passive_declaration_checks_the_name_alone(pair: Pair) -> None:
    pair.queue("q", durable=True)
    pair.call(1, QueueDeclare(queue="q", passive=True, auto_delete=True, arguments={"x-expires": 0}), QueueDeclareOk)
    pair.send(1, QueueDeclare(queue="nope", passive=True))
    assert objection(pair) == (404, "NOT_FOUND - no queue 'nope' in vhost '/'")
    pair.send(1, QueueDeclare(queue="", passive=True))
    assert objection(pair) == (404, "NOT_FOUND - no queue '' in vhost '/'")
    pair.send(1, QueueDeclare(queue="amq.nope", passive=True))
    assert objection(pair) == (404, "NOT_FOUND - no queue 'amq.nope' in vhost '/'")


def test_a_nameless_queue_is_named_in_the_answer(pair: Pair) -> None:
    assert re.fullmatch(r"amq\.gen-[A-Za-z0-9_-]{22}", pair.queue(""))


def test_line_ends_do_not_count_in_names(pair: Pair) -> None:
    assert pair.queue("a\r\nb\n") == "ab"
    pair.call(1, ExchangeDeclare(exchange="x\r\n"), ExchangeDeclareOk)
    pair.call(1, QueueBind(queue="a\nb", exchange="\rx", routing_key="k\n"), QueueBindOk)
    vhost = pair.broker.vhosts["/"]
    assert [binding.routing_key for binding in vhost.exchange("x").outgoing.values()] == ["k\n"]
    pair.call(1, QueueDelete(queue="ab\n"), QueueDeleteOk)
    pair.call(1, ExchangeDelete(exchange="\nx"), ExchangeDeleteOk)
    assert vhost.queues == {}


def test_purge_and_delete_say_how_many_were_ready(pair: Pair) -> None:
    pair.queue("q")
    for _ in range(3):
        pair.publish(1, "", "q")
    pair.send(1, BasicGet(queue="q"))
    pair.received()
    assert pair.call(1, QueuePurge(queue="q"), QueuePurgeOk).message_count == 2
    pair.publish(1, "", "q")
    assert pair.call(1, QueueDelete(queue="q"), QueueDeleteOk).message_count == 1
    assert pair.call(1, QueueDelete(queue="q"), QueueDeleteOk).message_count == 0


def test_a_queue_is_not_deleted_while_a_condition_is_not_met(pair: Pair) -> None:
    pair.queue("q")
    pair.publish(1, "", "q")
    pair.send(1, QueueDelete(queue="q", if_empty=True))
    assert objection(pair) == (406, "PRECONDITION_FAILED - queue 'q' in vhost '/' not empty")
    pair.consume("q")
    pair.received()
    pair.send(1, QueueDelete(queue="q", if_unused=True))
    assert objection(pair) == (406, "PRECONDITION_FAILED - queue 'q' in vhost '/' in use")
    pair.call(1, QueueDelete(queue="q", if_unused=True), QueueDeleteOk)


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        (QueueDeclare(queue="new", nowait=True), QueueDeclareOk),
        (QueueBind(queue="q", exchange="amq.direct", nowait=True), QueueBindOk),
        (QueuePurge(queue="q", nowait=True), QueuePurgeOk),
        (QueueDelete(queue="q", nowait=True), QueueDeleteOk),
        (ExchangeDeclare(exchange="new", nowait=True), ExchangeDeclareOk),
        (ExchangeDelete(exchange="new", nowait=True), ExchangeDeleteOk),
        (ExchangeBind(source="amq.direct", destination="amq.fanout", nowait=True), ExchangeBindOk),
        (ExchangeUnbind(source="amq.direct", destination="amq.fanout", nowait=True), ExchangeUnbindOk),
        (BasicConsume(queue="q", nowait=True), BasicConsumeOk),
    ],
    ids=lambda value: value.name if isinstance(value, Method) else "",
)
def test_whoever_does_not_wait_is_not_answered(pair: Pair, method: Method, answer: type[Method]) -> None:
    pair.queue("q")
    pair.send(1, method)
    assert pair.silent()


def test_an_error_is_told_even_to_those_who_do_not_wait(pair: Pair) -> None:
    pair.send(1, QueueBind(queue="nope", exchange="amq.direct", nowait=True))
    assert objection(pair)[0] == 404


# --- the queue declared last


def test_an_empty_name_stands_for_the_queue_declared_last_on_the_channel(pair: Pair) -> None:
    pair.queue("other")
    pair.queue("q")
    pair.publish(1, "", "q", b"body")
    pair.call(1, QueueBind(exchange="amq.direct", routing_key="k"), QueueBindOk)
    assert pair.call(1, QueuePurge(), QueuePurgeOk).message_count == 1
    pair.call(1, BasicGet(), BasicGetEmpty)
    pair.call(1, BasicConsume(consumer_tag="c"), BasicConsumeOk)
    pair.call(1, QueueUnbind(exchange="amq.direct", routing_key="k"), QueueUnbindOk)
    pair.call(1, QueueDelete(), QueueDeleteOk)
    assert set(pair.broker.vhosts["/"].queues) == {"other"}


def test_a_passive_declaration_counts_as_the_last(pair: Pair) -> None:
    pair.queue("q")
    pair.queue("other")
    pair.call(1, QueueDeclare(queue="q", passive=True), QueueDeclareOk)
    pair.call(1, QueueDelete(), QueueDeleteOk)
    assert set(pair.broker.vhosts["/"].queues) == {"other"}


@pytest.mark.parametrize(
    "method",
    [
        QueueBind(exchange="amq.direct"),
        QueueUnbind(exchange="amq.direct"),
        QueuePurge(),
        QueueDelete(),
        BasicGet(),
        BasicConsume(),
    ],
    ids=lambda method: method.name,
)
def test_without_a_declaration_on_the_channel_there_is_no_last_one(pair: Pair, method: Method) -> None:
    pair.channel(2)
    pair.queue("q", channel=2)
    pair.send(1, method)
    assert objection(pair) == (404, "NOT_FOUND - no previously declared queue")


def test_without_queue_and_key_the_key_is_the_name_of_that_queue_too(pair: Pair) -> None:
    pair.queue("q")
    pair.call(1, QueueBind(exchange="amq.direct"), QueueBindOk)
    pair.call(1, QueueBind(queue="q", exchange="amq.direct"), QueueBindOk)
    keys = {binding.routing_key for binding in pair.broker.vhosts["/"].exchange("amq.direct").outgoing.values()}
    assert keys == {"q", ""}
    pair.call(1, QueueUnbind(exchange="amq.direct"), QueueUnbindOk)
    (binding,) = pair.broker.vhosts["/"].exchange("amq.direct").outgoing.values()
    assert binding.routing_key == ""


# --- exchanges


def test_a_passive_exchange_declaration_ignores_even_the_type(pair: Pair) -> None:
    pair.call(1, ExchangeDeclare(exchange="amq.direct", type="nonsense", passive=True), ExchangeDeclareOk)
    pair.send(1, ExchangeDeclare(exchange="nope", passive=True))
    assert objection(pair) == (404, "NOT_FOUND - no exchange 'nope' in vhost '/'")
    pair.send(1, ExchangeDeclare(exchange="", passive=True))
    assert objection(pair) == (403, "ACCESS_REFUSED - operation not permitted on the default exchange")


def test_deleting_or_unbinding_what_is_not_there_is_answered(pair: Pair) -> None:
    pair.call(1, ExchangeDelete(exchange="nope"), ExchangeDeleteOk)
    pair.call(1, ExchangeUnbind(source="nope", destination="neither"), ExchangeUnbindOk)
    pair.call(1, QueueUnbind(queue="nope", exchange="neither"), QueueUnbindOk)


# --- another's exclusive queue

LOCKED_OUT = [
    QueueDeclare(queue="mine"),
    QueueDeclare(queue="mine", exclusive=True),
    QueueDeclare(queue="mine", passive=True),
    QueueBind(queue="mine", exchange="amq.direct", routing_key="other"),
    QueueUnbind(queue="mine", exchange="amq.direct", routing_key="k"),
    QueuePurge(queue="mine"),
    QueueDelete(queue="mine"),
    QueueDelete(queue="mine", if_unused=True, if_empty=True),
    BasicGet(queue="mine"),
    BasicConsume(queue="mine"),
]


@pytest.mark.parametrize("method", LOCKED_OUT, ids=str)
def test_anothers_exclusive_queue_is_locked(pair: Pair, method: Method) -> None:
    owner = Pair(pair.broker)
    owner.channel()
    owner.queue("mine", exclusive=True)
    owner.call(1, QueueBind(queue="mine", exchange="amq.direct", routing_key="k"), QueueBindOk)
    pair.send(1, method)
    code, text = objection(pair)
    assert code == 405
    assert text.startswith(
        "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'mine' in vhost '/'. It could"
    )
    assert len(text.encode()) <= 255


# --- permissions


class Auditor(Permissive):
    """Writes down what is asked for, and refuses some of it."""

    def __init__(self, *refused: tuple[Action, str]) -> None:
        self.refused = refused
        self.asked: list[tuple[str, str]] = []

    def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> bool:
        self.asked.append((action.value, name))
        return (action, name) not in self.refused


PERMISSIONS: list[tuple[Method, list[tuple[str, str]]]] = [
    (ExchangeDeclare(exchange="x"), [("configure", "x")]),
    (ExchangeDeclare(exchange="amq.direct", passive=True), [("read", "amq.direct")]),
    (
        ExchangeDeclare(exchange="x", arguments={"alternate-exchange": "y"}),
        [("configure", "x"), ("read", "x"), ("write", "y")],
    ),
    (ExchangeDelete(exchange="x"), [("configure", "x")]),
    (ExchangeBind(source="amq.direct", destination="amq.fanout"), [("write", "amq.fanout"), ("read", "amq.direct")]),
    (ExchangeUnbind(source="amq.direct", destination="amq.fanout"), [("write", "amq.fanout"), ("read", "amq.direct")]),
    (QueueDeclare(queue="new"), [("configure", "new")]),
    (QueueDeclare(queue="q", passive=True), [("read", "q")]),
    (
        QueueDeclare(queue="new", arguments={"x-dead-letter-exchange": "dead"}),
        [("configure", "new"), ("read", "new"), ("write", "dead")],
    ),
    (QueueBind(queue="q", exchange="amq.direct"), [("write", "q"), ("read", "amq.direct")]),
    (QueueUnbind(queue="q", exchange="amq.direct"), [("write", "q"), ("read", "amq.direct")]),
    (QueuePurge(queue="q"), [("read", "q")]),
    (QueueDelete(queue="q"), [("configure", "q")]),
    (BasicGet(queue="q"), [("read", "q")]),
    (BasicConsume(queue="q"), [("read", "q")]),
]


@pytest.mark.parametrize(("method", "asked"), PERMISSIONS, ids=[str(method) for method, _ in PERMISSIONS])
def test_a_method_asks_for_these_permissions(method: Method, asked: list[tuple[str, str]]) -> None:
    auditor = Auditor()
    pair = Pair(authorizer=auditor)
    pair.channel(1)
    pair.channel(2)
    pair.queue("q", channel=2)
    auditor.asked.clear()
    pair.send(1, method)
    assert pair.received()[0].channel == 1
    assert auditor.asked == asked


@pytest.mark.parametrize(
    ("action", "name", "method", "printed"),
    [
        (Action.CONFIGURE, "nope", QueueDelete(queue="nope"), "configure access to queue 'nope'"),
        (
            Action.CONFIGURE,
            "amq.topic",
            ExchangeDeclare(exchange="amq.topic"),
            "configure access to exchange 'amq.topic'",
        ),
        (Action.READ, "nope", BasicGet(queue="nope"), "read access to queue 'nope'"),
        (Action.READ, "nope", QueuePurge(queue="nope"), "read access to queue 'nope'"),
        (Action.WRITE, "nope", QueueBind(queue="nope", exchange="neither"), "write access to queue 'nope'"),
        (Action.READ, "neither", QueueBind(queue="nope", exchange="neither"), "read access to exchange 'neither'"),
        (Action.WRITE, "d", ExchangeBind(source="s", destination="d"), "write access to exchange 'd'"),
    ],
)
def test_a_refusal_comes_before_anything_else_is_looked_at(
    action: Action, name: str, method: Method, printed: str
) -> None:
    pair = Pair(authorizer=Auditor((action, name)))
    pair.channel()
    pair.send(1, method)
    assert objection(pair) == (403, f"ACCESS_REFUSED - {printed} in vhost '/' refused for user 'guest'")


def test_a_permission_is_asked_for_once_on_a_channel() -> None:
    auditor = Auditor()
    pair = Pair(authorizer=auditor)
    pair.channel()
    for _ in range(3):
        pair.queue("q")
    assert auditor.asked == [("configure", "q")]
    pair.channel(2)
    pair.queue("q", channel=2)
    assert auditor.asked == [("configure", "q")] * 2


def test_a_refusal_is_not_remembered() -> None:
    auditor = Auditor((Action.CONFIGURE, "q"))
    pair = Pair(authorizer=auditor)
    pair.channel()
    pair.send(1, QueueDeclare(queue="q"))
    assert objection(pair)[0] == 403
    auditor.refused = ()
    pair.queue("q")
