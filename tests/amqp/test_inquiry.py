"""Commands that wait for a backend: what follows them, what happens meanwhile, and what comes of it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amqpd.auth.base import Action, Denied, Peer, Refusal, Resource, User, Verdict
from amqpd.auth.pending import Pending
from amqpd.broker.broker import Broker
from amqpd.wire.methods import (
    BasicAck,
    BasicCancel,
    BasicConsume,
    BasicConsumeOk,
    BasicDeliver,
    BasicGet,
    BasicGetEmpty,
    BasicGetOk,
    ChannelClose,
    ChannelCloseOk,
    ChannelOpen,
    ChannelOpenOk,
    ConfirmSelect,
    ConfirmSelectOk,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionOpen,
    ConnectionOpenOk,
    ConnectionStart,
    ConnectionTune,
    ConnectionTuneOk,
    ConnectionUpdateSecret,
    ConnectionUpdateSecretOk,
    ExchangeDeclare,
    ExchangeDeclareOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueDeclareOk,
    QueueDelete,
    QueuePurge,
)
from amqpd.wire.properties import Properties
from amqpd.wire.schema import Method
from amqpd.wire.spec import PROTOCOL_HEADER, ReplyCode
from tests.amqp.pair import Pair, new_broker
from tests.auth.later import REFUSED, Later
from tests.fakes import Guests, Permissive


@pytest.fixture
def later() -> Later:
    return Later()


def knocking(later: Later, broker: Broker | None = None) -> Pair:
    """A client that waits to be let in."""
    pair = Pair(broker, authenticator=later, authorizer=later, handshake=False)
    pair.write(PROTOCOL_HEADER)
    pair.expect(0, ConnectionStart)
    pair.send(0, pair.start_ok())
    return pair


def opening(later: Later, broker: Broker | None = None) -> Pair:
    """A client that waits to enter a vhost."""
    pair = knocking(later, broker)
    later.answer()
    pair.expect(0, ConnectionTune)
    pair.send(0, ConnectionTuneOk(0x7FF, 131072, 0), ConnectionOpen())
    return pair


def connected(later: Later, broker: Broker | None = None) -> Pair:
    pair = opening(later, broker)
    later.answer()
    pair.expect(0, ConnectionOpenOk)
    pair.channel()
    return pair


def farewell(pair: Pair) -> tuple[int, str]:
    close = pair.expect(0, ConnectionClose)
    return close.reply_code, close.reply_text


# --- the way in


def test_a_login_waits_for_its_answer(later: Later) -> None:
    pair = knocking(later)
    assert later.asked == [("login", "guest", b"guest")]
    assert pair.silent()
    assert not pair.connection.reading
    later.answer()
    pair.expect(0, ConnectionTune)
    assert pair.connection.reading
    assert len(later.asked) == 1


def test_a_login_may_be_refused_later(later: Later) -> None:
    pair = knocking(later)
    later.answer(REFUSED)
    assert farewell(pair)[0] == 403
    assert ("warning", "login refused") in [line[:2] for line in pair.log.lines]


def test_entering_a_vhost_waits_and_may_be_refused_with_what_the_backend_adds(later: Later) -> None:
    pair = opening(later)
    assert pair.silent()
    later.answer(Denied(" by backend x: closed"))
    text = "NOT_ALLOWED - access to vhost '/' refused for user 'guest' by backend x: closed"
    assert farewell(pair) == (530, text)


def test_clients_that_pipeline_are_answered_in_order(later: Later) -> None:
    pair = knocking(later)
    pair.send(0, ConnectionTuneOk(0x7FF, 131072, 0), ConnectionOpen())
    pair.send(1, ChannelOpen(), QueueDeclare(queue="q"))
    assert pair.silent()
    for _ in range(3):
        pair.flush()
        later.answer()
    assert [type(method) for method in pair.methods()] == [
        ConnectionTune,
        ConnectionOpenOk,
        ChannelOpenOk,
        QueueDeclareOk,
    ]


def test_who_is_not_told_in_the_time_of_a_handshake_is_refused_and_not_left_without_a_word(later: Later) -> None:
    pair = knocking(later)
    pair.advance(10)
    assert farewell(pair)[0] == 403
    assert pair.log.texts("warning")[:2] == ["gave up waiting for an authentication backend", "login refused"]
    later.answer()
    assert pair.silent()
    pair = opening(later)
    pair.advance(10)
    assert farewell(pair) == (530, "NOT_ALLOWED - access to vhost '/' refused for user 'guest'")
    later.answer()
    assert pair.silent()
    pair.send(0, ConnectionCloseOk())
    assert pair.closed


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_logins_are_answered_in_any_order_and_each_its_own(later: Later, order: tuple[int, ...]) -> None:
    broker = new_broker()
    pairs = [knocking(later, broker) for _ in range(3)]
    waiting = list(later.open)
    for number in order:
        pending = waiting[number][1]
        pending.resolve(REFUSED if number == 1 else User("guest"))
        pairs[number].expect(0, ConnectionClose if number == 1 else ConnectionTune)


def test_events_know_a_user_by_the_name_the_backend_gives(later: Later) -> None:
    pair = knocking(later)
    told: list[tuple[str, Any]] = []
    pair.broker.events.listen(lambda event, fields: told.append((event, fields.get("name"))))
    later.answer(User("alice"))
    pair.expect(0, ConnectionTune)
    assert told == [("user.authentication.success", "alice")]


# --- commands


def test_an_answer_that_is_there_already_is_taken_in_the_next_turn(later: Later) -> None:
    class Hasty(Permissive):
        def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> Verdict | Pending[Verdict]:
            pending: Pending[Verdict] = Pending()
            pending.resolve(name != "p")
            return pending

    pair = Pair(authorizer=Hasty())
    pair.channel()
    pair.queue("q")
    pair.send(1, QueueDeclare(queue="p"))
    assert pair.expect(1, ChannelClose).reply_code == 403


def test_what_comes_after_a_command_that_waits_is_handled_after_it(later: Later) -> None:
    pair = connected(later)
    pair.write(
        pair.session.encode(1, ConfirmSelect(), QueueDeclare(queue="q"))
        + pair.session.encode_publish(1, "", "q", b"one", None)
        + pair.session.encode(1, BasicGet(queue="q", no_ack=True))
    )
    pair.expect(1, ConfirmSelectOk)
    assert pair.silent()
    for question in (
        ("configure", "queue", "q", "guest"),
        ("write", "exchange", "amq.default", "guest"),
        ("read", "queue", "q", "guest"),
    ):
        assert later.answer() == question
        pair.flush()
    assert [type(method) for method in pair.methods()] == [QueueDeclareOk, BasicAck, BasicGetOk]


def test_the_other_channels_of_a_connection_wait_and_other_connections_do_not(later: Later) -> None:
    pair = connected(later)
    pair.channel(2)
    other = Pair(pair.broker)
    other.channel()
    pair.send(1, QueueDeclare(queue="q"))
    pair.send(2, BasicGet(queue="nope"))
    assert pair.silent()
    assert other.queue("mine") == "mine"
    later.answer()
    pair.expect(1, QueueDeclareOk)
    later.answer()
    assert pair.expect(2, ChannelClose).reply_code == 404


def test_what_was_permitted_is_not_asked_again(later: Later) -> None:
    pair = connected(later)
    pair.publish(1, "", "q", b"one")
    later.answer()
    pair.flush()
    for body in (b"two", b"three"):
        pair.publish(1, "", "p", body)
    pair.send(1, ConfirmSelect())
    pair.expect(1, ConfirmSelectOk)
    assert later.asked[2:] == [("write", "exchange", "amq.default", "guest")]


def test_a_refusal_closes_the_channel_and_is_not_remembered(later: Later) -> None:
    pair = connected(later)
    for _ in range(2):
        pair.publish(1, "", "q", b"one")
        later.answer(False)
        close = pair.expect(1, ChannelClose)
        assert close.reply_text == (
            "ACCESS_REFUSED - write access to exchange 'amq.default' in vhost '/' refused for user 'guest'"
        )
        pair.send(1, ChannelCloseOk(), ChannelOpen())
        pair.expect(1, ChannelOpenOk)


def test_a_backend_that_failed_refuses_and_says_so(later: Later) -> None:
    pair = connected(later)
    pair.send(1, QueuePurge(queue="q"))
    later.answer(Denied(", backend x returned an error: timeout", failed=True))
    assert pair.expect(1, ChannelClose).reply_text == (
        "ACCESS_REFUSED - read access to queue 'q' in vhost '/' refused for user 'guest'"
        ", backend x returned an error: timeout"
    )


def test_a_name_the_broker_makes_up_stays_while_it_is_asked_for(later: Later) -> None:
    pair = connected(later)
    names = []
    for exchange in ("d", "e"):
        pair.send(1, QueueDeclare(queue="", arguments={"x-dead-letter-exchange": exchange}))
        asked = [later.answer()[2]]
        for _ in range(2):
            pair.flush()
            asked.append(later.answer()[2])
        names.append(pair.expect(1, QueueDeclareOk).queue)
        assert asked == [names[-1], names[-1], exchange]
    assert names[0] != names[1]


def test_a_passive_declare_goes_on_asking_until_something_is_permitted(later: Later) -> None:
    pair = connected(later)
    pair.send(1, ExchangeDeclare(exchange="amq.topic", passive=True))
    for answer in (False, False, True):
        later.answer(answer)
        pair.flush()
    pair.expect(1, ExchangeDeclareOk)
    assert [question[0] for question in later.asked[2:]] == ["read", "write", "configure"]


def test_each_routing_key_is_asked_for_once_and_a_refused_one_closes_the_channel(later: Later) -> None:
    pair = connected(later)
    for key in ("a", "b", "a", "b"):
        pair.publish(1, "amq.topic", key, b"x")
    for _ in range(3):
        later.answer()
        pair.flush()
    assert later.asked[3:] == [("write", "topic", "amq.topic", key) for key in "ab"]
    assert not pair.connection.inquiry.waiting
    pair.publish(1, "amq.topic", "c", b"x")
    later.answer(False)
    assert "access to topic 'c' in exchange 'amq.topic'" in pair.expect(1, ChannelClose).reply_text


def test_a_message_with_more_keys_than_a_channel_remembers_gets_through(later: Later) -> None:
    pair = connected(later)
    keys = [str(number) for number in range(1100)]
    pair.publish(1, "amq.topic", "a", b"x", Properties(headers={"CC": keys}))
    count = 0
    while later.open:
        later.answer()
        pair.flush()
        count += 1
    assert count == 1 + 1 + len(keys)


def test_a_message_is_published_once_however_often_it_was_looked_at(later: Later) -> None:
    pair = connected(later)
    pair.broker.vhosts["/"].declare_queue("q")
    pair.broker.vhosts["/"].bind("amq.topic", "q", "#", {}, to_queue=True)
    pair.publish(1, "amq.topic", "a", b"x", Properties(headers={"CC": ["b"]}))
    for _ in range(3):
        later.answer()
        pair.flush()
    assert pair.broker.vhosts["/"].queues["q"].message_count == 1
    assert pair.broker.vhosts["/"].exchanges["amq.topic"].traffic.published == 1


# --- meanwhile


def test_a_broker_that_stops_does_not_wait_and_hears_the_farewell(later: Later) -> None:
    pair = connected(later)
    pair.send(1, QueueDeclare(queue="q"))
    pair.send(1, QueueDeclare(queue="p"))
    pair.connection.close(ReplyCode.CONNECTION_FORCED, "shutdown")
    assert farewell(pair) == (320, "CONNECTION_FORCED - shutdown")
    assert pair.connection.reading
    later.answer()
    assert pair.silent()
    pair.send(0, ConnectionCloseOk())
    assert pair.closed
    assert not pair.broker.vhosts["/"].queues


def test_a_farewell_that_came_in_already_is_heard(later: Later) -> None:
    pair = connected(later)
    pair.send(1, QueueDeclare(queue="q"))
    pair.send(0, ConnectionClose(200, "bye", 0, 0))
    assert pair.silent()
    pair.connection.close(ReplyCode.CONNECTION_FORCED, "shutdown")
    assert [type(method) for method in pair.methods()] == [ConnectionClose, ConnectionCloseOk]


@pytest.mark.parametrize("stage", [knocking, opening, connected])
def test_a_client_that_leaves_meanwhile_is_forgotten(later: Later, stage: Any) -> None:
    pair = stage(later)
    if stage is connected:
        pair.send(1, QueueDeclare(queue="q"))
    pair.connection.receive_eof()
    later.answer()
    assert pair.closed
    assert pair.silent()
    assert not pair.broker.vhosts["/"].queues
    assert not pair.broker.connections.open


def test_a_channel_that_is_closed_meanwhile_hears_nothing_more(later: Later) -> None:
    from amqpd.errors import PreconditionFailed

    pair = connected(later)
    pair.publish(1, "", "q", b"x")
    pair.connection.fail_channel(1, PreconditionFailed("timed out", 0))
    pair.expect(1, ChannelClose)
    later.answer()
    assert pair.silent()
    pair.send(1, ChannelCloseOk(), ChannelOpen())
    pair.expect(1, ChannelOpenOk)


def test_heartbeats_go_on_and_silence_is_not_held_against_who_is_not_read(later: Later) -> None:
    pair = opening(later)
    pair.connection.receive_eof()
    later.answer()
    pair = knocking(later)
    later.answer()
    pair.expect(0, ConnectionTune)
    pair.send(0, ConnectionTuneOk(0x7FF, 131072, 4), ConnectionOpen())
    later.answer()
    pair.expect(0, ConnectionOpenOk)
    pair.channel()
    pair.send(1, QueueDeclare(queue="q"))
    pair.advance(60)
    assert not pair.closed
    assert pair.methods().count(None) > 10
    later.answer()
    pair.expect(1, QueueDeclareOk)
    pair.advance(3)
    assert not pair.closed
    pair.advance(20)
    assert pair.closed


def test_permissions_that_change_meanwhile_count_from_the_next_question_on(later: Later) -> None:
    pair = connected(later)
    pair.publish(1, "", "q", b"x")
    pair.broker.connections.permissions_changed("guest")
    later.answer()
    pair.flush()
    assert pair.silent()
    pair.publish(1, "", "q", b"x")
    assert len(later.open) == 0  # the answer is of after the change


def test_consumers_are_served_while_a_command_of_theirs_waits(later: Later) -> None:
    pair = connected(later)
    vhost = pair.broker.vhosts["/"]
    vhost.declare_queue("q")
    pair.send(1, BasicConsume(queue="q", consumer_tag="c", no_ack=True))
    later.answer()
    pair.expect(1, BasicConsumeOk)
    pair.send(1, QueueDeclare(queue="p"))
    other = Pair(pair.broker)
    other.channel()
    other.publish(1, "", "q", b"x")
    pair.expect(1, BasicDeliver)


# --- a new secret


def test_a_new_secret_waits_for_all_its_answers_before_anything_changes(later: Later) -> None:
    pair = connected(later)
    vhost = pair.broker.vhosts["/"]
    for name in ("q", "p"):
        vhost.declare_queue(name)
        pair.send(1, BasicConsume(queue=name, consumer_tag=name, no_ack=True))
        later.answer()
        pair.expect(1, BasicConsumeOk)
    pair.send(0, ConnectionUpdateSecret(b"new", "time"))
    pair.send(1, BasicGet(queue="q"))
    renewed = User("guest", frozenset({"new"}))
    for answer in (renewed, True, False):
        later.answer(answer)
        assert pair.silent()
        assert pair.connection.user == User("guest")
    later.answer(True)
    pair.expect(0, ConnectionUpdateSecretOk)
    assert pair.expect(1, BasicCancel).consumer_tag == "q"
    assert pair.connection.user == renewed
    assert later.answer() == ("read", "queue", "q", "guest")  # what was permitted before is asked again
    pair.expect(1, BasicGetEmpty)


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ([Refusal("no")], "New secret was refused by one of the backends"),
        ([Refusal("nobody there", failed=True)], "Secret update failed"),
        ([None, False], "access to vhost '/' refused for user 'guest'"),
    ],
)
def test_a_new_secret_may_be_refused_later(later: Later, answers: list[Any], text: str) -> None:
    pair = connected(later)
    pair.send(0, ConnectionUpdateSecret(b"new", "time"))
    for answer in answers:
        later.answer(answer)
        pair.flush()
    assert farewell(pair) == (530, f"NOT_ALLOWED - {text}")


# --- what does not hold forever


class Expiring(Guests):
    """Who logs in may stay for a minute; each new secret is worth its number of seconds."""

    def __init__(self, broker: Broker) -> None:
        self._now = broker.clock.time

    def authenticate(self, credentials: Any, peer: Peer) -> User | Refusal:
        return User("guest", expires=self._now() + 60)

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> User | Refusal:
        return User("guest", expires=self._now() + int(secret) if secret else None)


def expiring(**options: Any) -> Pair:
    broker = new_broker()
    return Pair(broker, authenticator=Expiring(broker), **options)


def test_a_connection_ends_with_its_credentials() -> None:
    pair = expiring()
    pair.advance(59)
    assert pair.silent()
    pair.advance(1)
    assert farewell(pair) == (320, "CONNECTION_FORCED - credential expired")
    assert "credential has expired" in pair.log.texts("warning")
    pair.send(0, ConnectionCloseOk())
    assert pair.closed


def test_a_new_secret_in_time_keeps_it_open() -> None:
    pair = expiring(heartbeat=0)
    pair.advance(50)
    pair.call(0, ConnectionUpdateSecret(b"100", "time"), ConnectionUpdateSecretOk)
    pair.advance(99)
    assert pair.silent()
    pair.call(0, ConnectionUpdateSecret(b"10", "time"), ConnectionUpdateSecretOk)
    pair.advance(10)
    assert farewell(pair)[0] == 320


def test_credentials_without_an_end_keep_it_open_for_ever() -> None:
    pair = expiring()
    pair.call(0, ConnectionUpdateSecret(b"", "time"), ConnectionUpdateSecretOk)
    pair.advance(10_000)
    assert pair.silent()
    assert pair.connection.deadline() is None


def test_credentials_expire_while_a_command_waits(later: Later) -> None:
    broker = new_broker()
    pair = Pair(broker, authenticator=Expiring(broker), authorizer=later, handshake=False)
    pair.log_in()
    pair.send(0, ConnectionTuneOk(0x7FF, 131072, 0), ConnectionOpen())
    later.answer()
    pair.expect(0, ConnectionOpenOk)
    pair.channel()
    pair.send(1, QueueDeclare(queue="q"))
    pair.advance(60)
    assert farewell(pair)[0] == 320
    later.answer()
    assert not broker.vhosts["/"].queues


def test_what_a_user_may_do_is_asked_again_after_a_while() -> None:
    later = Later(user=lambda name: User(name, recheck=30.0))
    pair = connected(later)
    for count in (1, 1, 2):
        pair.publish(1, "", "q", b"x")
        if later.open:
            later.answer()
            pair.flush()
        assert len(later.asked) == 2 + count
        pair.advance(15)


# --- the same as if every answer came at once


class Strict(Permissive):
    """Denies some things, at once."""

    def __init__(self, denied: frozenset[tuple[str, str]]) -> None:
        self._denied = denied

    def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> Verdict | Pending[Verdict]:
        return (action.value, name) not in self._denied

    def checks_topics(self, user: User, vhost: str, exchange: str) -> bool:
        return True

    def may_use_topic(
        self, user: User, action: Action, vhost: str, exchange: str, routing_key: str
    ) -> Verdict | Pending[Verdict]:
        return (action.value, routing_key) not in self._denied


class Dithering(Strict):
    """Denies the same, a little later."""

    def __init__(self, denied: frozenset[tuple[str, str]]) -> None:
        super().__init__(denied)
        self.open: list[tuple[Pending[Any], Any]] = []

    def may(self, user: User, action: Action, vhost: str, kind: Resource, name: str) -> Verdict | Pending[Verdict]:
        return self._later(super().may(user, action, vhost, kind, name))

    def may_use_topic(
        self, user: User, action: Action, vhost: str, exchange: str, routing_key: str
    ) -> Verdict | Pending[Verdict]:
        return self._later(super().may_use_topic(user, action, vhost, exchange, routing_key))

    def _later(self, verdict: Any) -> Pending[Verdict]:
        pending: Pending[Verdict] = Pending()
        self.open.append((pending, verdict))
        return pending


Publication = tuple[str, str, bytes]

STEPS: list[Method | Publication] = [
    QueueDeclare(queue="q"),
    QueueDeclare(queue="q", passive=True),
    QueueDeclare(queue="p", arguments={"x-dead-letter-exchange": "amq.fanout"}),
    QueueBind(queue="q", exchange="amq.topic", routing_key="k"),
    QueueDelete(queue="p"),
    QueuePurge(queue="q"),
    BasicGet(queue="q", no_ack=True),
    BasicGet(queue="q"),
    BasicConsume(queue="q", consumer_tag="c", no_ack=True),
    BasicCancel(consumer_tag="c"),
    ConfirmSelect(),
    ChannelOpen(),
    ExchangeDeclare(exchange="e", type="topic"),
    ChannelCloseOk(),
    ("", "q", b"1"),
    ("amq.topic", "k", b"2"),
    ("amq.topic", "other", b"3"),
    ("e", "k", b"4"),
]

RIGHTS = [(action, name) for action in ("configure", "write", "read") for name in ("q", "p", "amq.topic", "k", "other")]


def conversation(authorizer: Strict, script: list[tuple[int, Method | Publication]], cut: int) -> list[Any]:
    """All that a client hears on each channel, and what there is in the end."""
    pair = Pair(authorizer=authorizer)
    data = b""
    for channel in (1, 2):
        data += pair.session.encode(channel, ChannelOpen())
    for channel, step in script:
        if isinstance(step, Method):
            data += pair.session.encode(channel, step)
        else:
            data += pair.session.encode_publish(channel, *step, None)
    for start in range(0, len(data), cut):
        pair.write(data[start : start + cut])
        while isinstance(authorizer, Dithering) and authorizer.open:
            pending, verdict = authorizer.open.pop()
            pending.resolve(verdict)
            pair.flush()
    heard: dict[int, list[Any]] = {}
    for command in pair.received():
        if not isinstance(command.method, BasicAck):  # which comes at the end of a turn, and turns are others
            heard.setdefault(command.channel, []).append((command.method, bytes(command.body or b"")))
    queues = {name: queue.message_count for name, queue in pair.broker.vhosts["/"].queues.items()}
    return [heard, queues]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.sampled_from(STEPS)), max_size=12),
    st.frozensets(st.sampled_from(RIGHTS), max_size=3),
    st.integers(1, 400),
)
def test_a_client_hears_the_same_as_if_every_answer_came_at_once(
    script: list[tuple[int, Method | Publication]], denied: frozenset[tuple[str, str]], cut: int
) -> None:
    late, at_once = conversation(Dithering(denied), script, cut), conversation(Strict(denied), script, cut)
    if any(isinstance(method, ConnectionClose) for method, _ in at_once[0].get(0, ())):
        # an answer that waits for the disk goes out or not by when the turn ends in which the connection does
        late[0], at_once[0] = shared(late[0], at_once[0]), shared(at_once[0], late[0])
    assert late == at_once


def shared(heard: dict[int, list[Any]], other: dict[int, list[Any]]) -> dict[int, list[Any]]:
    """What was heard on each channel, as far as the other hears something there, too."""
    return {channel: said[: len(other[channel])] for channel, said in heard.items() if channel in other}


def test_an_open_question_is_neither_yes_nor_no() -> None:
    with pytest.raises(TypeError):
        bool(Pending())


def test_binding_waits_for_the_queue_the_exchange_and_the_key(later: Later) -> None:
    pair = connected(later)
    pair.broker.vhosts["/"].declare_queue("q")
    pair.send(1, QueueBind(queue="q", exchange="amq.topic", routing_key="k"))
    for question in (
        ("write", "queue", "q", "guest"),
        ("read", "exchange", "amq.topic", "guest"),
        ("read", "topic", "amq.topic", "k"),
    ):
        assert later.answer() == question
        pair.flush()
    pair.expect(1, QueueBindOk)
