"""Importing adds, replaces what has one value, and deletes nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from amqpd.auth.base import Credentials, User
from amqpd.definitions import DefinitionsError, Document, importing
from amqpd.definitions.importing import AT_ONCE
from tests.definitions.steps import Premises, finish
from tests.fakes import LOCAL

EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}


def lets_in(premises: Premises, name: str, password: str) -> bool:
    return isinstance(premises.users.authenticate(Credentials(name, password.encode()), LOCAL), User)


# --- what comes in


def test_all_that_is_in_a_file_is_there_then(premises: Premises) -> None:
    outcome = premises.take(
        users=[{"name": "ann", "password": "secret", "tags": ["administrator"]}],
        vhosts=[{"name": "v"}],
        permissions=[{"user": "ann", "vhost": "v", **EVERYTHING}],
        topic_permissions=[{"user": "ann", "vhost": "v", "exchange": "e", "write": "^a", "read": ".*"}],
        global_parameters=[{"name": "g", "value": 1}],
        policies=[{"vhost": "v", "name": "p", "pattern": "^q", "definition": {"max-length": 5}}],
        parameters=[{"vhost": "v", "component": "vhost-limits", "name": "limits", "value": {"max-queues": 9}}],
        exchanges=[{"vhost": "v", "name": "e", "type": "topic", "durable": True}],
        queues=[{"vhost": "v", "name": "q", "durable": True, "arguments": {"x-max-length": 9}}],
        bindings=[{"vhost": "v", "source": "e", "destination": "q", "destination_type": "queue", "routing_key": "#"}],
    )
    assert str(outcome) == (
        "1 user, 1 vhost, 1 permission, 1 exchange, 1 topic permission, 1 global parameter, 1 policy, 1 parameter,"
        " 1 queue, 1 binding"
    )
    assert lets_in(premises, "ann", "secret")
    vhost = premises.broker.vhosts["v"]
    assert vhost.queues["q"].effective["x-max-length"] == 5  # the policy applies from the start
    assert [binding.destination.name for binding in vhost.exchange("e").outgoing.values()] == ["q"]
    assert vhost.max_queues == 9


def test_what_is_imported_again_changes_nothing(premises: Premises) -> None:
    file: dict[str, Any] = {
        "users": [{"name": "ann", "password": "secret", "tags": "monitoring"}],
        "vhosts": [{"name": "v", "description": "d", "limits": {"max-queues": 3}}],
        "permissions": [{"user": "ann", "vhost": "v", **EVERYTHING}],
        "topic_permissions": [{"user": "ann", "vhost": "v", "exchange": "e", "write": "", "read": ""}],
        "global_parameters": [{"name": "g", "value": {"b": 1}}],
        "policies": [{"vhost": "v", "name": "p", "pattern": "", "definition": {"max-length": 5}}],
        "queues": [{"vhost": "v", "name": "q"}],
    }
    assert premises.take_file(file).changed.total() == 7
    told: list[str] = []
    premises.broker.events.listen(lambda name, fields: told.append(name))
    assert str(premises.take_file(file)) == "nothing new"
    assert told == []


def test_nothing_is_deleted_and_queues_and_exchanges_stay_as_they_are(premises: Premises) -> None:
    premises.vhost.declare_queue("q", durable=True, arguments={"x-max-length": 1})
    premises.vhost.declare_exchange("e", "fanout", durable=True)
    premises.vhost.declare_queue("other")
    outcome = premises.take(
        queues=[{"name": "q", "durable": False, "arguments": {"x-max-length": 2}}],
        exchanges=[{"name": "e", "type": "topic"}],
    )
    assert not outcome.changed
    assert set(premises.vhost.queues) == {"q", "other"}
    assert premises.vhost.queues["q"].arguments["x-max-length"] == 1
    assert premises.vhost.exchange("e").type == "fanout"


def test_settings_of_one_value_are_replaced(premises: Premises) -> None:
    premises.users.add("ann", "old", ["monitoring"], limits={"max-channels": 1})
    premises.users.set_permissions("ann", "/", configure="a", write="b", read="c")
    premises.broker.add_vhost("/", description="old")
    premises.broker.policies.set("/", "p", "old", {"max-length": 1})
    premises.take(
        users=[{"name": "ann", "password": "new", "tags": [], "limits": {"max-connections": 2}}],
        vhosts=[{"name": "/", "metadata": {"description": "new"}}],
        permissions=[{"user": "ann", **EVERYTHING}],
        policies=[{"name": "p", "pattern": "new", "definition": {"max-length": 1}, "priority": 7}],
    )
    assert lets_in(premises, "ann", "new")
    assert premises.users.user("ann").tags == ()
    assert premises.users.user("ann").limits == {"max-channels": 1, "max-connections": 2}
    assert premises.vhost.description == "new"
    permission = premises.users.permissions.find("ann", "/")
    assert permission is not None
    assert permission.configure.text == ".*"
    assert premises.broker.parameters.get("policy", "/", "p")["priority"] == 7


def test_what_is_not_said_of_a_vhost_stays(premises: Premises) -> None:
    premises.broker.add_vhost("/", description="d", tags=["t"], default_queue_type="quorum")
    premises.take(vhosts=[{"name": "/", "default_queue_type": "undefined"}])  # RabbitMQ 3's word for nothing
    assert (premises.vhost.description, premises.vhost.tags, premises.vhost.queue_type) == ("d", ("t",), "quorum")


# --- how files are written


def test_the_hash_of_a_password_comes_along(premises: Premises) -> None:
    premises.users.add("ann", "secret")
    elsewhere = Premises()
    elsewhere.take(users=premises.give()["users"])
    assert lets_in(elsewhere, "ann", "secret")


def test_versions_that_do_not_say_how_a_password_was_hashed_took_md5(premises: Premises) -> None:
    user = {"name": "old", "password_hash": "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR", "tags": ""}
    md5 = {**user, "password_hash": "/HBeSEtvWgNkZWYSw0zGG36Ln3E="}
    premises.take(rabbit_version="3.5.8", users=[md5])
    assert premises.users.user("old").hashing_algorithm == "rabbit_password_hashing_md5"
    premises.take(rabbit_version="3.6.1", users=[{**user, "name": "new"}])
    assert premises.users.user("new").hashing_algorithm == "rabbit_password_hashing_sha256"


def test_a_user_without_a_password_cannot_log_in(premises: Premises) -> None:
    premises.take(users=[{"name": "ann", "password_hash": "", "tags": []}, {"name": "bob"}])
    assert not lets_in(premises, "ann", "")
    assert not lets_in(premises, "bob", "")


@pytest.mark.parametrize("tags", ["administrator, monitoring", ["administrator", "monitoring"]])
def test_tags_are_a_list_or_words_with_commas(premises: Premises, tags: object) -> None:
    premises.take(users=[{"name": "ann", "password": "x", "tags": tags}], vhosts=[{"name": "v", "tags": tags}])
    assert premises.users.user("ann").tags == ("administrator", "monitoring")
    assert premises.broker.vhosts["v"].tags == ("administrator", "monitoring")


def test_erlangs_empty_lists_are_empty_objects(premises: Premises) -> None:
    premises.take(
        users=[{"name": "ann", "password": "x", "limits": []}],
        vhosts=[{"name": "v", "limits": [], "metadata": {"tags": []}}],
        queues=[{"name": "q", "arguments": []}],
    )
    assert premises.vhost.queues["q"].arguments.keys() <= {"x-queue-type"}


def test_sections_that_are_null_or_unknown_are_none(premises: Premises) -> None:
    assert not premises.take(queues=None, shovels=[{"name": "x"}], rabbit_version=None).changed


def test_queues_and_exchanges_that_do_not_say_so_are_durable(premises: Premises) -> None:
    premises.take(queues=[{"name": "q"}], exchanges=[{"name": "e", "type": "direct"}])
    assert premises.vhost.queues["q"].durable
    assert premises.vhost.exchange("e").durable


def test_internal_exchanges_stay_internal(premises: Premises) -> None:
    premises.take(exchanges=[{"name": "e", "type": "fanout", "internal": True}])
    assert premises.vhost.exchange("e").internal


def test_a_type_beside_the_arguments_counts_where_they_say_nothing(premises: Premises) -> None:
    premises.broker.add_vhost("v", default_queue_type="quorum")
    premises.take(
        queues=[
            {"name": "quorum", "type": "quorum"},
            {"name": "stream", "type": "classic", "arguments": {"x-queue-type": "stream"}},
            {"name": "classic", "vhost": "v", "type": "classic"},
            {"name": "default", "vhost": "v"},
        ]
    )
    assert {queue["name"]: queue["type"] for queue in premises.give()["queues"]} == {
        "quorum": "quorum",
        "stream": "stream",
        "classic": "classic",
        "default": "quorum",
    }


def test_the_type_of_a_vhost_made_by_the_same_file_counts(premises: Premises) -> None:
    premises.take(vhosts=[{"name": "v", "default_queue_type": "quorum"}], queues=[{"name": "q", "vhost": "v"}])
    assert premises.broker.vhosts["v"].queues["q"].arguments == {"x-queue-type": "quorum"}


# --- what is left out


def test_names_that_are_reserved_are_left_out(premises: Premises) -> None:
    outcome = premises.take(
        exchanges=[
            {"name": "", "type": "direct"},
            {"name": "amq.topic", "type": "topic"},
            {"name": "amq.mine", "type": "topic"},
        ],
        queues=[{"name": "amq.gen-x"}],
    )
    assert not outcome.changed
    assert outcome.warnings == [
        "exchanges[2] ('amq.mine' in vhost '/'): left out, the name is reserved",
        "queues[0] ('amq.gen-x' in vhost '/'): left out, the name is reserved",
    ]


def test_a_binding_whose_end_is_missing_is_left_out_as_rabbitmq_does(premises: Premises) -> None:
    """rabbitmqctl exports bindings of exclusive queues, without those."""
    outcome = premises.take(
        queues=[{"name": "q"}],
        bindings=[
            {"source": "amq.fanout", "destination": "gone", "destination_type": "queue", "routing_key": ""},
            {"source": "gone", "destination": "q", "destination_type": "queue", "routing_key": ""},
            {"source": "amq.fanout", "destination": "q", "destination_type": "queue", "routing_key": ""},
        ],
    )
    assert outcome.changed["bindings"] == 1
    assert outcome.warnings == [
        "bindings[0] (from 'amq.fanout' to 'gone' in vhost '/'): left out, there is no queue 'gone'",
        "bindings[1] (from 'gone' to 'q' in vhost '/'): left out, there is no exchange 'gone'",
    ]


def test_the_bindings_every_queue_has_need_not_be_made(premises: Premises) -> None:
    outcome = premises.take(
        queues=[{"name": "q"}],
        bindings=[{"source": "", "destination": "q", "destination_type": "queue", "routing_key": "q"}],
    )
    assert (outcome.changed["bindings"], outcome.warnings) == (0, [])


def test_what_has_no_effect_here_is_said(premises: Premises) -> None:
    outcome = premises.take(
        policies=[{"name": "ha", "pattern": "", "definition": {"ha-mode": "all", "max-length": 5}}],
        parameters=[{"component": "federation-upstream", "name": "u", "value": {"uri": "amqp://"}}],
    )
    assert outcome.warnings == [
        "policies[0] ('ha' in vhost '/'): 'ha-mode' has no effect: it needs a cluster",
        "parameters[0] ('u' in vhost '/'): left out, there is no federation here",
    ]
    assert outcome.changed["policies"] == 1


def test_another_brokers_own_affairs_are_left_out(premises: Premises) -> None:
    premises.take(global_parameters=[{"name": "internal_cluster_id", "value": "x"}, {"name": "g", "value": 1}])
    assert premises.broker.parameters.globals == {"g": 1}


# --- one vhost


def test_the_file_of_a_vhost_goes_into_any(premises: Premises) -> None:
    premises.broker.add_vhost("a")
    premises.take(
        exchanges=[{"name": "e", "vhost": "a", "type": "topic"}],
        queues=[{"name": "q", "vhost": "a"}],
        bindings=[{"source": "e", "vhost": "a", "destination": "q", "routing_key": "#"}],
        policies=[{"name": "p", "vhost": "a", "pattern": "", "definition": {"max-length": 5}}],
    )
    premises.broker.add_vhost("b")
    premises.take_file(premises.give("a"), vhost="b")
    there, here = premises.give("a"), premises.give("b")
    for section in ("exchanges", "queues", "bindings", "policies"):
        assert here[section] == there[section] != []


def test_what_a_vhost_cannot_have_is_not_looked_at(premises: Premises) -> None:
    outcome = premises.take_file(
        {"users": [{"name": "ann"}], "vhosts": "nonsense", "queues": [{"name": "q", "vhost": "elsewhere"}]}, vhost="/"
    )
    assert str(outcome) == "1 queue"
    assert "q" in premises.vhost.queues
    assert not premises.users.all


# --- little by little


def many(premises: Premises, number: int) -> Document:
    queues = [{"name": f"q{each}", "vhost": "/", "durable": True} for each in range(number)]
    bindings = [{"source": "amq.topic", "vhost": "/", "destination": each["name"]} for each in queues]
    return Document({"queues": queues, "bindings": bindings})


def test_many_are_imported_while_others_have_their_turns(premises: Premises) -> None:
    steps = importing(premises.broker, premises.users, [many(premises, 5 * AT_ONCE)])
    seen: list[int] = []
    outcome = finish(steps, lambda: seen.append(len(premises.vhost.queues)))
    assert len(seen) >= 10
    assert max(after - before for before, after in pairwise(seen)) <= AT_ONCE
    assert str(outcome) == f"{5 * AT_ONCE} queues, {5 * AT_ONCE} bindings"


def test_what_clients_do_meanwhile_is_respected(premises: Premises) -> None:
    steps = importing(premises.broker, premises.users, [many(premises, 2 * AT_ONCE)])
    while len(premises.vhost.queues) < AT_ONCE:
        next(steps)
    last = f"q{2 * AT_ONCE - 1}"
    premises.vhost.declare_queue(last, auto_delete=True)
    finish(steps)
    assert premises.vhost.queues[last].auto_delete


def test_an_entry_that_lost_what_it_rests_on_is_named(premises: Premises) -> None:
    steps = importing(premises.broker, premises.users, [many(premises, 2 * AT_ONCE)])
    while len(premises.vhost.queues) < 2 * AT_ONCE:
        next(steps)
    last = f"q{2 * AT_ONCE - 1}"
    premises.vhost.delete_queue(premises.vhost.queues[last])
    with pytest.raises(DefinitionsError, match=rf"bindings\[399\] .*'{last}'.*: no queue '{last}' in vhost '/'"):
        finish(steps)


def test_events_tell_who_did_it(premises: Premises) -> None:
    told = []
    premises.broker.events.listen(lambda name, fields: told.append(fields["user_who_performed_action"]))
    steps = importing(premises.broker, premises.users, [many(premises, AT_ONCE)], user="ann")
    finish(steps, lambda: premises.broker.events.tell("between"))
    assert set(told) == {"ann", "rmq-internal"}
    assert told.count("ann") == 2 * AT_ONCE


def test_who_imports_may_do_everything_in_new_vhosts(premises: Premises) -> None:
    premises.users.add("ann", "x")
    document = Document({"vhosts": [{"name": "/"}, {"name": "v"}]})
    finish(importing(premises.broker, premises.users, [document], user="ann"))
    assert [each.described() for each in premises.users.permissions] == [{"user": "ann", "vhost": "v", **EVERYTHING}]
