"""A connection of a user of whom not everything is permitted, and what happens when that changes meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.auth.base import MAX_CHANNELS, MAX_CONNECTIONS, Credentials, Peer, Refusal, User
from amqpd.auth.internal import InternalUsers
from amqpd.auth.throttle import Throttled
from amqpd.broker.compat import PROFILES
from amqpd.wire.methods import (
    BasicCancel,
    BasicConsume,
    BasicDeliver,
    BasicGet,
    BasicGetEmpty,
    BasicGetOk,
    ChannelClose,
    ChannelCloseOk,
    ChannelOpen,
    ChannelOpenOk,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionOpen,
    ConnectionOpenOk,
    ConnectionStart,
    ConnectionTuneOk,
    ConnectionUpdateSecret,
    ConnectionUpdateSecretOk,
    ExchangeBind,
    ExchangeDeclare,
    ExchangeDeclareOk,
    QueueBind,
    QueueBindOk,
    QueueDeclare,
    QueueUnbind,
)
from amqpd.wire.properties import Properties
from amqpd.wire.schema import Method
from amqpd.wire.spec import PROTOCOL_HEADER
from tests.amqp.pair import Pair, new_broker


class Place:
    """A broker with the user guest, who may do everything at first, and connections of hers."""

    def __init__(self, **options: Any) -> None:
        self.broker = new_broker(**options)
        self.users = InternalUsers(self.broker)
        self.users.add("guest", "guest")
        self.permit()
        self.throttled = Throttled(self.users, self.broker.clock)

    def permit(self, configure: str = ".*", write: str = ".*", read: str = ".*") -> None:
        self.users.set_permissions("guest", "/", configure=configure, write=write, read=read)

    def permit_topics(self, write: str = ".*", read: str = ".*", exchange: str = "amq.topic") -> None:
        self.users.set_topic_permissions("guest", "/", exchange, write=write, read=read)

    def connect(self, **options: Any) -> Pair:
        pair = Pair(self.broker, authenticator=self.throttled, authorizer=self.users, **options)
        if options.get("handshake", True):
            pair.channel()
        return pair


@pytest.fixture
def place() -> Place:
    return Place()


def objection(pair: Pair, channel: int = 1) -> str:
    """Why the channel was closed; it is opened again."""
    close = pair.expect(channel, ChannelClose)
    pair.send(channel, ChannelCloseOk(), ChannelOpen())
    pair.expect(channel, ChannelOpenOk)
    return close.reply_text


def farewell(pair: Pair) -> tuple[int, str]:
    close = pair.expect(0, ConnectionClose)
    return close.reply_code, close.reply_text


def refused(what: str) -> str:
    return f"ACCESS_REFUSED - {what} refused for user 'guest'"


# --- what is asked for, in which order


@pytest.mark.parametrize(
    ("method", "text"),
    [
        (QueueDeclare(queue="amq.x"), "ACCESS_REFUSED - queue name 'amq.x' contains reserved prefix 'amq.*'"),
        (
            ExchangeBind(destination="", source="amq.direct"),
            refused("write access to exchange 'amq.default' in vhost '/'"),
        ),
        (
            ExchangeDeclare(exchange="", type="direct"),
            "ACCESS_REFUSED - operation not permitted on the default exchange",
        ),
        (QueueBind(queue="nope", exchange=""), refused("write access to queue 'nope' in vhost '/'")),
    ],
)
def test_some_things_are_refused_before_permissions_and_some_after(place: Place, method: Method, text: str) -> None:
    place.permit("", "", "")
    pair = place.connect()
    pair.send(1, method)
    assert objection(pair) == text


def test_a_queue_named_by_the_broker_is_checked_under_its_name(place: Place) -> None:
    place.permit(configure="^mine$")
    pair = place.connect()
    pair.send(1, QueueDeclare())
    assert objection(pair).startswith("ACCESS_REFUSED - configure access to queue 'amq.gen-")
    place.permit(configure=r"^amq\.gen-")
    assert pair.queue("").startswith("amq.gen-")


def test_rights_to_where_messages_go_next_are_asked_for_when_something_new_is_declared(place: Place) -> None:
    pair = place.connect()
    pair.queue("q", arguments={"x-dead-letter-exchange": "dead"})
    pair.call(1, ExchangeDeclare(exchange="x", type="fanout", arguments={"alternate-exchange": "y"}), ExchangeDeclareOk)
    place.permit(write="^only$")
    pair.queue("q", arguments={"x-dead-letter-exchange": "dead"})
    pair.call(1, ExchangeDeclare(exchange="x", type="fanout", arguments={"alternate-exchange": "y"}), ExchangeDeclareOk)
    pair.send(1, QueueDeclare(queue="p", arguments={"x-dead-letter-exchange": "dead"}))
    assert objection(pair) == refused("write access to exchange 'dead' in vhost '/'")
    pair.send(1, ExchangeDeclare(exchange="z", type="fanout", arguments={"alternate-exchange": "y"}))
    assert objection(pair) == refused("write access to exchange 'y' in vhost '/'")


@pytest.mark.parametrize("permitted", [("q", "", ""), ("", "q", ""), ("", "", "q")])
def test_a_passive_declare_needs_one_permission_whichever(place: Place, permitted: tuple[str, str, str]) -> None:
    pair = place.connect()
    pair.queue("q")
    place.permit(*permitted)
    pair.queue("q", passive=True)
    place.permit("", "", "")
    pair.send(1, QueueDeclare(queue="q", passive=True))
    assert objection(pair) == refused("configure access to queue 'q' in vhost '/'")
    pair.send(1, ExchangeDeclare(exchange="amq.topic", passive=True))
    assert objection(pair) == refused("configure access to exchange 'amq.topic' in vhost '/'")


def test_older_versions_ask_for_nothing_then() -> None:
    place = Place(compat=PROFILES["4.1"])
    pair = place.connect()
    pair.queue("q")
    place.permit("", "", "")
    pair.queue("q", passive=True)
    pair.call(1, ExchangeDeclare(exchange="amq.topic", passive=True), ExchangeDeclareOk)


# --- topics


def test_routing_keys_are_checked_where_there_is_a_topic_permission(place: Place) -> None:
    pair = place.connect()
    pair.queue("q")
    pair.call(1, QueueBind(queue="q", exchange="amq.topic", routing_key="#"), QueueBindOk)
    place.permit_topics(write="^a", read="^b")
    for key in ("a", "a.b", "a"):
        pair.publish(1, "amq.topic", key)
        pair.call(1, BasicGet(queue="q", no_ack=True), BasicGetOk)
    pair.publish(1, "amq.topic", "b")
    assert objection(pair) == refused("write access to topic 'b' in exchange 'amq.topic' in vhost '/'")
    pair.publish(1, "amq.topic", "a")
    pair.call(1, BasicGet(queue="q", no_ack=True), BasicGetOk)
    pair.publish(1, "amq.direct", "b")
    pair.call(1, QueueBind(queue="q", exchange="amq.topic", routing_key="b.#"), QueueBindOk)
    for method in (QueueBind, QueueUnbind):
        pair.send(1, method(queue="q", exchange="amq.topic", routing_key="a"))
        assert objection(pair) == refused("read access to topic 'a' in exchange 'amq.topic' in vhost '/'")


def test_further_routing_keys_are_checked_too(place: Place) -> None:
    place.permit_topics(write="^a")
    pair = place.connect()
    for header in ("CC", "BCC"):
        pair.publish(1, "amq.topic", "a", properties=Properties(headers={header: ["a1", "b"]}))
        assert objection(pair) == refused("write access to topic 'b' in exchange 'amq.topic' in vhost '/'")
    pair.publish(1, "amq.topic", "a", properties=Properties(headers={"CC": ["a1", "a2"]}))
    pair.call(1, ExchangeDeclare(exchange="amq.topic", passive=True), ExchangeDeclareOk)


def test_a_refused_key_stays_refused_when_published_again(place: Place) -> None:
    place.permit_topics(write="^a")
    pair = place.connect()
    for _ in range(3):
        pair.publish(1, "amq.topic", "b")
        assert "topic 'b'" in objection(pair)


def test_the_routing_key_is_checked_after_the_expiration_and_before_the_user_id(place: Place) -> None:
    place.permit_topics(write="^a")
    pair = place.connect()
    pair.publish(1, "amq.topic", "b", properties=Properties(expiration="x", user_id="bob"))
    assert objection(pair).startswith("PRECONDITION_FAILED - invalid expiration")
    pair.publish(1, "amq.topic", "b", properties=Properties(user_id="bob"))
    assert objection(pair).startswith("ACCESS_REFUSED - write access to topic 'b'")
    for _ in range(2):
        pair.publish(1, "amq.topic", "a", properties=Properties(user_id="bob"))
        assert (
            objection(pair) == "PRECONDITION_FAILED - user_id property set to 'bob' but authenticated user was 'guest'"
        )


def test_an_exchange_of_another_type_has_no_topics(place: Place) -> None:
    place.permit_topics(write="", read="", exchange="amq.direct")
    pair = place.connect()
    pair.queue("q")
    pair.call(1, QueueBind(queue="q", exchange="amq.direct", routing_key="k"), QueueBindOk)
    pair.publish(1, "amq.direct", "k", b"body")
    pair.call(1, BasicGet(queue="q", no_ack=True), BasicGetOk)


def test_a_topic_permission_that_comes_and_goes_counts_for_the_next_message(place: Place) -> None:
    pair = place.connect()
    pair.queue("q")
    pair.call(1, QueueBind(queue="q", exchange="amq.topic", routing_key="#"), QueueBindOk)
    pair.publish(1, "amq.topic", "b")
    place.permit_topics(write="^a")
    pair.publish(1, "amq.topic", "b")
    assert "topic 'b'" in objection(pair)
    place.users.clear_topic_permissions("guest", "/", "amq.topic")
    pair.publish(1, "amq.topic", "b")
    for _ in range(2):
        pair.call(1, BasicGet(queue="q", no_ack=True), BasicGetOk)
    pair.call(1, BasicGet(queue="q", no_ack=True), BasicGetEmpty)


def test_keys_are_looked_at_once_each(place: Place) -> None:
    asked: list[str] = []

    class Counting(InternalUsers):
        def may_use_topic(self, user: User, action: Any, vhost: str, exchange: str, routing_key: str) -> bool:
            asked.append(routing_key)
            return super().may_use_topic(user, action, vhost, exchange, routing_key)

    users = Counting(place.broker)
    users.add("guest", "guest")
    users.set_permissions("guest", "/", configure=".*", write=".*", read=".*")
    users.set_topic_permissions("guest", "/", "amq.topic", write=".*", read=".*")
    pair = Pair(place.broker, authenticator=users, authorizer=users)
    pair.channel()
    for key in ("a", "a", "b", "a", "b"):
        for body in (b"one", b"another"):
            pair.publish(1, "amq.topic", key, body)
    assert asked == ["a", "b"]


# --- changes


def test_what_is_revoked_is_refused_from_the_next_operation_on(place: Place) -> None:
    pair = place.connect()
    pair.queue("q")
    pair.publish(1, "", "q", b"one")
    place.permit(write="^other$")
    pair.publish(1, "", "q", b"two")
    assert objection(pair) == refused("write access to exchange 'amq.default' in vhost '/'")
    place.permit()
    pair.publish(1, "", "q", b"three")
    assert pair.queue("q") == "q"
    place.permit(read="")
    pair.send(1, BasicGet(queue="q"))
    assert objection(pair) == refused("read access to queue 'q' in vhost '/'")


def test_a_consumer_goes_on_when_its_right_is_revoked(place: Place) -> None:
    pair = place.connect()
    pair.queue("q")
    pair.consume("q", no_ack=True)
    place.permit(read="")
    pair.publish(1, "", "q", b"one")
    pair.expect(1, BasicDeliver)


def test_the_users_of_others_are_left_alone(place: Place) -> None:
    pair = place.connect()
    place.users.add("alice", "x")
    place.users.set_permissions("alice", "/", configure="", write="", read="")
    place.users.delete("alice")
    pair.queue("q")


def test_a_user_who_is_deleted_is_sent_away(place: Place) -> None:
    pair = place.connect()
    place.users.delete("guest")
    assert farewell(pair) == (320, "CONNECTION_FORCED - user 'guest' is deleted")
    pair.send(0, ConnectionCloseOk())
    assert pair.closed


def test_a_user_who_is_deleted_on_the_way_in_does_not_get_in(place: Place) -> None:
    pair = place.connect(handshake=False)
    pair.log_in()
    place.users.delete("guest")
    pair.send(0, ConnectionTuneOk(0x7FF, 131072, 0), ConnectionOpen())
    assert farewell(pair) == (530, "NOT_ALLOWED - access to vhost '/' refused for user 'guest'")


def test_a_new_tag_counts_from_the_next_login_on(place: Place) -> None:
    pair = place.connect()
    place.users.set_tags("guest", ["impersonator"])
    pair.publish(1, "", "q", properties=Properties(user_id="bob"))
    assert objection(pair).startswith("PRECONDITION_FAILED - user_id property set to 'bob'")
    again = place.connect()
    again.publish(1, "", "q", properties=Properties(user_id="bob"))
    again.queue("q")


# --- update-secret


def test_update_secret_cancels_consumers_that_may_not_read_any_more(place: Place) -> None:
    pair = place.connect()
    pair.queue("q")
    pair.queue("p")
    pair.consume("q", tag="gone")
    pair.consume("p", tag="stays")
    place.permit(read="^p$")
    pair.call(0, ConnectionUpdateSecret(b"guest", "new"), ConnectionUpdateSecretOk)
    assert pair.expect(1, BasicCancel) == BasicCancel("gone", nowait=True)
    assert pair.silent()
    pair.publish(1, "", "q", b"waits")
    pair.publish(1, "", "p", b"comes")
    assert pair.expect(1, BasicDeliver).consumer_tag == "stays"
    assert pair.queue("q", passive=True) == "q"
    assert "read access refused" in pair.log.texts("warning")[-1]


def test_a_consumer_of_direct_replies_needs_no_right_and_stays(place: Place) -> None:
    pair = place.connect()
    pair.send(1, BasicConsume(queue="amq.rabbitmq.reply-to", consumer_tag="c", no_ack=True))
    pair.received()
    place.permit(read="")
    pair.call(0, ConnectionUpdateSecret(b"guest", "new"), ConnectionUpdateSecretOk)
    assert pair.silent()


def test_update_secret_is_refused_to_who_may_not_be_in_the_vhost_any_more(place: Place) -> None:
    pair = place.connect()
    place.users.clear_permissions("guest", "/")
    pair.send(0, ConnectionUpdateSecret(b"guest", "new"))
    close = pair.expect(0, ConnectionClose)
    assert (close.reply_code, close.reply_text) == (
        530,
        "NOT_ALLOWED - access to vhost '/' refused for user 'guest'",
    )
    assert (close.failing_class_id, close.failing_method_id) == (10, 70)


class Tokens(Throttled):
    """Secrets say what the tags are; a name in them, who it is."""

    def update_secret(self, user: User, secret: bytes, peer: Peer) -> User | Refusal:
        if secret == b"bad":
            return Refusal("it is bad")
        return User("bob" if secret == b"bob" else user.name, frozenset({secret.decode()}))


@pytest.mark.parametrize(("secret", "reason"), [(b"bad", "it is bad"), (b"bob", "it is of user 'bob'")])
def test_a_secret_that_is_refused_ends_the_connection(place: Place, secret: bytes, reason: str) -> None:
    place.throttled = Tokens(place.users, place.broker.clock)
    pair = place.connect()
    pair.send(0, ConnectionUpdateSecret(secret, "new"))
    assert farewell(pair) == (530, "NOT_ALLOWED - New secret was refused by one of the backends")
    assert ("error", "new secret refused", reason) in [
        (level, text, fields.get("reason")) for level, text, fields in pair.log.lines
    ]


def test_what_a_new_secret_says_of_the_user_counts_at_once(place: Place) -> None:
    place.throttled = Tokens(place.users, place.broker.clock)
    pair = place.connect()
    impersonating = Properties(user_id="bob")
    pair.publish(1, "", "q", properties=impersonating)
    assert objection(pair).startswith("PRECONDITION_FAILED")
    pair.call(0, ConnectionUpdateSecret(b"impersonator", "new"), ConnectionUpdateSecretOk)
    pair.publish(1, "", "q", properties=impersonating)
    pair.queue("q")
    pair.call(0, ConnectionUpdateSecret(b"nothing", "new"), ConnectionUpdateSecretOk)
    pair.publish(1, "", "q", properties=impersonating)
    assert objection(pair).startswith("PRECONDITION_FAILED")


# --- limits of users


def test_a_user_has_so_many_connections_in_all_vhosts_together(place: Place) -> None:
    place.broker.add_vhost("other")
    place.users.set_permissions("guest", "other", configure="", write="", read="")
    place.users.set_limits("guest", {MAX_CONNECTIONS: 1})
    first = place.connect()
    second = place.connect(handshake=False)
    second.log_in()
    second.send(0, ConnectionTuneOk(0x7FF, 131072, 0), ConnectionOpen("other"))
    assert farewell(second) == (
        530,
        "NOT_ALLOWED - connection refused for user 'guest': user connection limit (1) is reached",
    )
    first.connection.receive_eof()
    place.connect()


@pytest.mark.parametrize(("limit", "let_in"), [(0, False), (-1, True)])
def test_a_limit_of_nothing_lets_nobody_in_and_one_below_it_everybody(place: Place, limit: int, let_in: bool) -> None:
    place.users.set_limits("guest", {MAX_CONNECTIONS: limit})
    pair = place.connect(handshake=False)
    pair.log_in()
    pair.send(0, ConnectionTuneOk(0x7FF, 131072, 0), ConnectionOpen())
    pair.expect(0, ConnectionOpenOk if let_in else ConnectionClose)


def test_the_limit_is_looked_at_before_the_permission_and_after_the_vhost(place: Place) -> None:
    place.users.set_limits("guest", {MAX_CONNECTIONS: 0})
    place.users.clear_permissions("guest", "/")
    for vhost, text in (("nope", "vhost nope not found"), ("/", "user connection limit (0) is reached")):
        pair = place.connect(handshake=False)
        pair.log_in()
        pair.send(0, ConnectionTuneOk(0x7FF, 131072, 0), ConnectionOpen(vhost))
        assert farewell(pair)[1].endswith(text)


def test_a_user_has_so_many_channels_on_all_connections_together(place: Place) -> None:
    place.users.set_limits("guest", {MAX_CHANNELS: 3})
    first, second = place.connect(), place.connect()
    first.channel(2)
    second.send(2, ChannelOpen())
    assert farewell(second) == (
        530,
        "NOT_ALLOWED - number of channels opened for user 'guest' has reached the maximum allowed user limit of 3",
    )
    assert place.broker.connections.channels_of_user == {"guest": 2}
    first.send(1, BasicGet(queue="nope"))
    objection(first)
    third = place.connect()
    third.connection.receive_eof()
    first.connection.receive_eof()
    assert place.broker.connections.channels_of_user == {}


# --- guessing passwords


def guess(place: Place, *, capable: bool = True) -> Pair:
    pair = place.connect(handshake=False, capabilities={"authentication_failure_close": capable})
    pair.write(PROTOCOL_HEADER)
    pair.expect(0, ConnectionStart)
    pair.send(0, pair.start_ok(password="wrong"))
    return pair


def test_after_many_failures_the_refusal_takes_its_time(place: Place) -> None:
    for _ in range(15):
        assert farewell(guess(place))[0] == 403
    pair = guess(place)
    assert pair.silent()
    pair.send(0, pair.start_ok())  # too late
    pair.advance(0.99)
    assert pair.silent()
    pair.advance(0.01)
    code, text = farewell(pair)
    assert (code, text.partition(" using")[0]) == (403, "ACCESS_REFUSED - Login was refused")
    pair.send(0, ConnectionCloseOk())
    assert pair.closed
    assert pair.log.lines[0][2]["answered_after"] == 1.0


def test_those_who_are_not_told_wait_as_long_for_the_end(place: Place) -> None:
    for _ in range(18):
        guess(place, capable=False)
    pair = guess(place, capable=False)
    pair.advance(7.9)
    assert not pair.closed
    pair.advance(0.1)
    assert pair.closed
    assert pair.silent()


def test_who_knows_the_password_is_let_in_meanwhile(place: Place) -> None:
    for _ in range(30):
        guess(place)
    place.connect().queue("q")


def test_a_client_that_leaves_while_it_waits_leaves_nothing(place: Place) -> None:
    for _ in range(20):
        pair = guess(place)
    pair.connection.receive_eof()
    assert pair.closed
    pair.advance(60)


def test_no_password_is_logged(place: Place) -> None:
    place.users.change_password("guest", "s3cret")
    pair = guess(place)
    pair.log.lines.append(("", repr(Credentials("guest", b"wrong")), {}))
    assert "wrong" not in str(pair.log.lines)
    assert "s3cret" not in str(pair.log.lines)
