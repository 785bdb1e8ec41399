"""Who can not log in, enter, see, declare, write or read; each with RabbitMQ's words, and before anything is looked at.

Alice has her place (`^alice\\.`) in a vhost in which others have theirs.
"""

from __future__ import annotations

import pytest
from admin import PASSWORD, Admin, Premises
from steps import (
    bind,
    close_channel,
    consume,
    declare,
    declare_exchange,
    delivered,
    drain,
    expect_channel_error,
    expect_connection_error,
    expect_ready,
    fill,
)

from amqpd.testing.client import Client
from amqpd.wire.methods import (
    BasicConsume,
    BasicGet,
    BasicPublish,
    ChannelOpen,
    ChannelOpenOk,
    ConnectionClose,
    ConnectionCloseOk,
    ConnectionOpen,
    ConnectionOpenOk,
    ConnectionTuneOk,
    ConnectionUpdateSecret,
    ConnectionUpdateSecretOk,
    ExchangeBind,
    ExchangeDeclare,
    ExchangeDelete,
    ExchangeUnbind,
    QueueBind,
    QueueDeclare,
    QueueDelete,
    QueuePurge,
    QueueUnbind,
)
from amqpd.wire.properties import Properties
from amqpd.wire.schema import Method

OWN = r"^alice\."


@pytest.fixture
def alice(premises: Premises) -> str:
    """A user with a place of her own in the vhost."""
    return premises.user(OWN, OWN, OWN)


def expect_refusal(client: Client, action: str, what: str, method: type[Method], channel: int = 1) -> None:
    """The channel is closed because its user may not do this. RabbitMQ does not say what before 3.12."""
    assert client.start is not None
    version = str(client.start.server_properties["version"])
    if tuple(map(int, version.split(".")[:2])) < (3, 12):
        action = ""
    text = f"{action} access to {what} in vhost '{client.vhost}' refused for user '{client.user}'".lstrip()
    expect_channel_error(client, 403, text, method, channel)


def opening(client: Client, vhost: str) -> Client:
    """Say all that comes before open-ok."""
    client.log_in()
    client.send(0, ConnectionTuneOk(2047, 131072, 0), ConnectionOpen(vhost))
    return client


# --- logging in


def refuse_login(premises: Premises, user: str, password: str) -> None:
    client = premises.connect(user, handshake=False)
    client.password = password
    with pytest.raises(AssertionError, match="Login was refused using authentication mechanism PLAIN"):
        client.log_in()


@pytest.mark.parametrize("password", ["wrong", "", PASSWORD + " ", PASSWORD.upper()])
def test_nobody_logs_in_with_another_password(premises: Premises, alice: str, password: str) -> None:
    refuse_login(premises, alice, password)


def test_a_user_who_is_deleted_does_not_log_in(premises: Premises, alice: str) -> None:
    premises.admin.delete_user(alice)
    refuse_login(premises, alice, PASSWORD)


def test_a_new_password_is_the_only_one(premises: Premises, alice: str) -> None:
    staying = premises.connect(alice)
    premises.admin.put_user(alice, "another")
    refuse_login(premises, alice, PASSWORD)
    premises.connect(alice, password="another")
    declare(staying, "alice.q", exclusive=True)  # whoever is in stays in


def test_a_user_who_is_deleted_is_sent_away(premises: Premises, alice: str) -> None:
    client = premises.connect(alice)
    premises.admin.delete_user(alice)
    expect_connection_error(client, 320, f"user '{alice}' is deleted")
    client.send(0, ConnectionCloseOk())
    client.expect_closed()


# --- entering


def test_nobody_enters_a_vhost_without_permissions_for_it(premises: Premises) -> None:
    stranger = premises.stranger(tags=["administrator"])
    client = opening(premises.connect(stranger, handshake=False), premises.vhost)
    expect_connection_error(
        client, 530, f"access to vhost '{premises.vhost}' refused for user '{stranger}'", ConnectionOpen
    )


def test_permissions_for_one_vhost_open_no_other(premises: Premises, alice: str) -> None:
    client = opening(premises.connect(alice, handshake=False), "/")
    expect_connection_error(client, 530, f"access to vhost '/' refused for user '{alice}'", ConnectionOpen)


def test_a_vhost_that_is_not_there_is_not_found_by_those_who_would_not_be_let_in(premises: Premises) -> None:
    client = opening(premises.connect(premises.stranger(), handshake=False), "nope")
    expect_connection_error(client, 530, "vhost nope not found", ConnectionOpen)


def test_permission_to_do_nothing_is_enough_to_enter(premises: Premises) -> None:
    client = premises.connect(premises.user())
    close_channel(client)


# --- seeing, declaring, deleting


@pytest.mark.parametrize(
    ("method", "what"),
    [
        (QueueDeclare(queue="bob.q"), "queue 'bob.q'"),
        (QueueDeclare(queue="nope"), "queue 'nope'"),
        (QueueDelete(queue="bob.q"), "queue 'bob.q'"),
        (QueueDelete(queue="nope"), "queue 'nope'"),
        (ExchangeDeclare(exchange="bob.x", type="fanout"), "exchange 'bob.x'"),
        (ExchangeDeclare(exchange="nope", type="fanout"), "exchange 'nope'"),
        (ExchangeDeclare(exchange="amq.direct", type="direct", durable=True), "exchange 'amq.direct'"),
        (ExchangeDelete(exchange="bob.x"), "exchange 'bob.x'"),
        (ExchangeDelete(exchange="nope"), "exchange 'nope'"),
    ],
)
def test_nobody_declares_or_deletes_in_anothers_place(
    premises: Premises, alice: str, method: Method, what: str
) -> None:
    owner = premises.owner()
    declare(owner, "bob.q")
    declare_exchange(owner, "bob.x", "fanout")
    client = premises.connect(alice)
    client.send(1, method)
    expect_refusal(client, "configure", what, type(method))
    declare(owner, "bob.q", passive=True)


def test_a_queue_named_by_the_broker_needs_permission_for_its_name(premises: Premises, alice: str) -> None:
    client = premises.connect(alice)
    client.send(1, QueueDeclare(queue="", exclusive=True))
    with pytest.raises(AssertionError, match=r"access to queue 'amq\.gen-"):
        expect_channel_error(client, 403, "", QueueDeclare)
    allowed = premises.connect(premises.user(configure=r"^amq\.gen"))
    assert declare(allowed, "", exclusive=True).queue.startswith("amq.gen-")


@pytest.mark.ours("RabbitMQ asks for no permission here before 4.2.7; afterwards for any of the three")
@pytest.mark.parametrize(
    ("method", "what"),
    [
        (QueueDeclare(queue="bob.q", passive=True), "queue 'bob.q'"),
        (QueueDeclare(queue="nope", passive=True), "queue 'nope'"),
        (ExchangeDeclare(exchange="amq.direct", type="direct", passive=True), "exchange 'amq.direct'"),
    ],
)
def test_nobody_sees_what_he_has_no_permission_for(premises: Premises, alice: str, method: Method, what: str) -> None:
    declare(premises.owner(), "bob.q")
    client = premises.connect(alice)
    client.send(1, method)
    expect_refusal(client, "configure", what, type(method))


@pytest.mark.parametrize("permitted", [("q", "", ""), ("", "q", ""), ("", "", "q")])
def test_any_permission_is_enough_to_see(premises: Premises, permitted: tuple[str, str, str]) -> None:
    declare(premises.owner(), "q")
    declare(premises.connect(premises.user(*permitted)), "q", passive=True)


def test_who_may_not_write_there_makes_no_queue_that_would(premises: Premises, alice: str) -> None:
    client = premises.connect(alice)
    client.send(1, QueueDeclare(queue="alice.q", arguments={"x-dead-letter-exchange": "bob.x"}))
    expect_refusal(client, "write", "exchange 'bob.x'", QueueDeclare)
    client.send(1, ExchangeDeclare(exchange="alice.x", type="fanout", arguments={"alternate-exchange": "bob.x"}))
    expect_refusal(client, "write", "exchange 'bob.x'", ExchangeDeclare)
    blind = premises.user(configure=OWN, write=".*")
    client = premises.connect(blind)
    client.send(1, QueueDeclare(queue="alice.q", arguments={"x-dead-letter-exchange": "bob.x"}))
    expect_refusal(client, "read", "queue 'alice.q'", QueueDeclare)
    client.send(1, ExchangeDeclare(exchange="alice.x", type="fanout", arguments={"alternate-exchange": "bob.x"}))
    expect_refusal(client, "read", "exchange 'alice.x'", ExchangeDeclare)


def test_who_declares_again_needs_no_permission_for_where_messages_go(premises: Premises, alice: str) -> None:
    owner = premises.owner()
    declare(owner, "alice.q", arguments={"x-dead-letter-exchange": "bob.x"})
    declare_exchange(owner, "alice.x", "fanout", arguments={"alternate-exchange": "bob.x"})
    client = premises.connect(alice)
    declare(client, "alice.q", arguments={"x-dead-letter-exchange": "bob.x"})
    declare_exchange(client, "alice.x", "fanout", arguments={"alternate-exchange": "bob.x"})


def test_reserved_names_are_refused_to_everybody_before_permissions_are_asked_for(premises: Premises) -> None:
    client = premises.connect(premises.user())
    client.send(1, QueueDeclare(queue="amq.q"))
    expect_channel_error(client, 403, "queue name 'amq.q' contains reserved prefix 'amq.*'", QueueDeclare)
    client.send(1, ExchangeDelete(exchange="amq.direct"))
    expect_channel_error(
        client, 403, f"deletion of system exchange 'amq.direct' in vhost '{premises.vhost}' not allowed", ExchangeDelete
    )
    client.send(1, ExchangeDeclare(exchange="", type="direct"))
    expect_channel_error(client, 403, "operation not permitted on the default exchange", ExchangeDeclare)


# --- binding


@pytest.mark.parametrize(
    ("method", "action", "what"),
    [
        (QueueBind(queue="bob.q", exchange="alice.x"), "write", "queue 'bob.q'"),
        (QueueUnbind(queue="bob.q", exchange="alice.x"), "write", "queue 'bob.q'"),
        (QueueBind(queue="alice.q", exchange="bob.x"), "read", "exchange 'bob.x'"),
        (QueueUnbind(queue="alice.q", exchange="bob.x"), "read", "exchange 'bob.x'"),
        (QueueBind(queue="nope", exchange="neither"), "write", "queue 'nope'"),
        (QueueBind(queue="alice.nope", exchange="neither"), "read", "exchange 'neither'"),
        (ExchangeBind(destination="bob.x", source="alice.x"), "write", "exchange 'bob.x'"),
        (ExchangeUnbind(destination="bob.x", source="alice.x"), "write", "exchange 'bob.x'"),
        (ExchangeBind(destination="alice.x", source="bob.x"), "read", "exchange 'bob.x'"),
        (ExchangeBind(destination="", source="alice.x"), "write", "exchange 'amq.default'"),
    ],
)
def test_nobody_binds_to_or_from_anothers_place(
    premises: Premises, alice: str, method: Method, action: str, what: str
) -> None:
    owner = premises.owner()
    for name in ("alice", "bob"):
        declare(owner, f"{name}.q")
        declare_exchange(owner, f"{name}.x", "fanout")
    client = premises.connect(alice)
    client.send(1, method)
    expect_refusal(client, action, what, type(method))


# --- writing


@pytest.mark.parametrize(
    ("exchange", "printed"), [("bob.x", "bob.x"), ("nope", "nope"), ("", "amq.default"), ("amq.topic", "amq.topic")]
)
def test_nobody_publishes_to_anothers_exchange(premises: Premises, alice: str, exchange: str, printed: str) -> None:
    owner = premises.owner()
    declare(owner, "bob.q")
    bind(owner, "bob.q", declare_exchange(owner, "bob.x", "fanout"))
    client = premises.connect(alice)
    client.publish(1, exchange, "bob.q", b"x")
    expect_refusal(client, "write", f"exchange '{printed}'", BasicPublish)
    expect_ready(owner, "bob.q", 0)


def test_nobody_publishes_in_anothers_name(premises: Premises) -> None:
    client = premises.connect(premises.user(write=".*"))
    client.publish(1, "", "q", b"x", Properties(user_id="bob"))
    text = f"user_id property set to 'bob' but authenticated user was '{client.user}'"
    expect_channel_error(client, 406, text, BasicPublish)
    client.publish(1, "", "q", b"x", Properties(user_id=client.user))
    close_channel(client)


def test_but_an_impersonator_does(premises: Premises) -> None:
    client = premises.connect(premises.user(write=".*", tags=["impersonator"]))
    client.publish(1, "", "q", b"x", Properties(user_id="bob"))
    close_channel(client)


# --- reading


@pytest.mark.parametrize("method", [BasicGet, BasicConsume, QueuePurge])
@pytest.mark.parametrize("queue", ["bob.q", "nope"])
def test_nobody_reads_anothers_queue(premises: Premises, alice: str, method: type[Method], queue: str) -> None:
    owner = premises.owner()
    declare(owner, "bob.q")
    fill(owner, "bob.q", b"secret")
    client = premises.connect(alice)
    client.send(1, method(queue=queue))  # type: ignore[call-arg]
    expect_refusal(client, "read", f"queue '{queue}'", method)
    assert drain(owner, "bob.q") == [b"secret"]


def test_a_consumer_goes_on_after_its_right_is_revoked(premises: Premises, alice: str) -> None:
    owner = premises.owner()
    declare(owner, "alice.q")
    client = premises.connect(alice)
    consume(client, "alice.q", no_ack=True)
    premises.admin.set_permissions(alice, premises.vhost, configure="", write="", read="")
    owner.publish(1, "", "alice.q", b"still")
    assert delivered(client).body == b"still"


@pytest.mark.ours("RabbitMQ cancels such consumers from 4.2.6 on")
def test_a_consumer_whose_right_is_revoked_ends_with_a_new_secret(premises: Premises, alice: str) -> None:
    declare(premises.owner(), "alice.q")
    client = premises.connect(alice)
    tag = consume(client, "alice.q")
    premises.admin.set_permissions(alice, premises.vhost, configure="", write="", read="")
    client.call(0, ConnectionUpdateSecret(PASSWORD.encode(), "new"), ConnectionUpdateSecretOk)
    command = client.receive()
    assert command.method is not None
    assert (command.method.name, command.method.consumer_tag) == ("basic.cancel", tag)  # type: ignore[attr-defined]


# --- topics


@pytest.fixture
def topical(premises: Premises, alice: str) -> Client:
    """A connection of Alice, who may use amq.topic, with some routing keys."""
    premises.admin.set_permissions(alice, premises.vhost, configure=".*", write=".*", read=".*")
    premises.admin.set_topic_permissions(
        alice, premises.vhost, "amq.topic", write=r"^news\.", read=r"^{username}-{vhost}\.|^sport$"
    )
    return premises.connect(alice)


def expect_topic_refusal(client: Client, action: str, key: str, method: type[Method]) -> None:
    expect_refusal(client, action, f"topic '{key}' in exchange 'amq.topic'", method)


def test_topics_are_written_that_match(premises: Premises, topical: Client) -> None:
    owner = premises.owner()
    declare(owner, "q")
    bind(owner, "q", "amq.topic", "#")
    topical.publish(1, "amq.topic", "news.today", b"1")
    topical.publish(1, "amq.topic", "weather", b"2")
    expect_topic_refusal(topical, "write", "weather", BasicPublish)
    topical.publish(1, "amq.topic", "news.again", b"3")
    expect_ready(owner, "q", 2)
    assert drain(owner, "q") == [b"1", b"3"]


def test_topics_are_bound_that_match(topical: Client) -> None:
    queue = declare(topical, "", exclusive=True).queue
    bind(topical, queue, "amq.topic", "sport")
    bind(topical, queue, "amq.topic", f"{topical.user}-{topical.vhost}.#")
    topical.send(1, QueueBind(queue=queue, exchange="amq.topic", routing_key="#"))
    expect_topic_refusal(topical, "read", "#", QueueBind)
    topical.send(1, QueueUnbind(queue=queue, exchange="amq.topic", routing_key="#"))
    expect_topic_refusal(topical, "read", "#", QueueUnbind)
    topical.send(1, ExchangeBind(destination="amq.fanout", source="amq.topic", routing_key="x"))
    expect_topic_refusal(topical, "read", "x", ExchangeBind)


def test_exchanges_without_topic_permissions_are_free(topical: Client) -> None:
    queue = declare(topical, "", exclusive=True).queue
    for exchange, kind in (("alice.t", "topic"), ("alice.d", "direct")):
        declare_exchange(topical, exchange, kind)
        bind(topical, queue, exchange, "anything")
        topical.publish(1, exchange, "anything", b"x")
    expect_ready(topical, queue, 2)


@pytest.mark.ours("RabbitMQ checks further routing keys from 4.0 on")
@pytest.mark.parametrize("header", ["CC", "BCC"])
def test_further_routing_keys_have_to_match_too(topical: Client, header: str) -> None:
    topical.publish(1, "amq.topic", "news.today", b"1", Properties(headers={header: ["news.x", "weather"]}))
    expect_topic_refusal(topical, "write", "weather", BasicPublish)


# --- limits


def test_a_user_has_so_many_connections(premises: Premises, alice: str) -> None:
    premises.admin.set_limits(alice, {"max-connections": 1})
    premises.connect(alice)
    second = opening(premises.connect(alice, handshake=False), premises.vhost)
    text = f"connection refused for user '{alice}': user connection limit (1) is reached"
    expect_connection_error(second, 530, text, ConnectionOpen)


def test_or_none_or_any_number(premises: Premises, alice: str, admin: Admin) -> None:
    admin.set_limits(alice, {"max-connections": 0})
    client = opening(premises.connect(alice, handshake=False), premises.vhost)
    text = f"connection refused for user '{alice}': user connection limit (0) is reached"
    expect_connection_error(client, 530, text, ConnectionOpen)
    admin.set_limits(alice, {"max-connections": -1})
    opening(premises.connect(alice, handshake=False), premises.vhost).expect(0, ConnectionOpenOk)


def test_the_limit_comes_before_the_permission(premises: Premises) -> None:
    stranger = premises.stranger()
    premises.admin.set_limits(stranger, {"max-connections": 0})
    client = opening(premises.connect(stranger, handshake=False), premises.vhost)
    text = f"connection refused for user '{stranger}': user connection limit (0) is reached"
    expect_connection_error(client, 530, text, ConnectionOpen)


def test_a_user_has_so_many_channels(premises: Premises, alice: str) -> None:
    premises.admin.set_limits(alice, {"max-channels": 1})
    client = premises.connect(alice, handshake=False)
    opening(client, premises.vhost).expect(0, ConnectionOpenOk)
    client.call(1, ChannelOpen(), ChannelOpenOk)
    client.send(2, ChannelOpen())
    close = client.expect(0, ConnectionClose)
    assert (close.reply_code, close.reply_text.replace("(1)", "1")) == (  # in brackets before 4.2
        530,
        f"NOT_ALLOWED - number of channels opened for user '{alice}' has reached the maximum allowed user limit of 1",
    )


# --- what is revoked


def test_revoked_permissions_count_for_new_channels(premises: Premises, alice: str) -> None:
    client = premises.connect(alice)
    declare(client, "alice.q", exclusive=True)
    premises.admin.clear_permissions(alice, premises.vhost)
    client.call(2, ChannelOpen(), ChannelOpenOk)
    client.send(2, QueueDeclare(queue="alice.q", exclusive=True))
    expect_refusal(client, "configure", "queue 'alice.q'", QueueDeclare, 2)


@pytest.mark.ours("RabbitMQ remembers on each channel what it permitted, until that has been idle for a while")
def test_revoked_permissions_count_at_once(premises: Premises) -> None:
    user = premises.user(configure=".*", write=".*", read=".*")
    client = premises.connect(user)
    queue = declare(client, "", exclusive=True).queue
    client.publish(1, "", queue, b"1")
    expect_ready(client, queue, 1)
    premises.admin.set_permissions(user, premises.vhost, configure=".*", write="", read=".*")
    client.publish(1, "", queue, b"2")
    expect_refusal(client, "write", "exchange 'amq.default'", BasicPublish)
