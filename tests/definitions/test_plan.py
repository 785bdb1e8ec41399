"""Everything is looked at before anything is changed: a fault names its entry, and nothing else happens."""

from __future__ import annotations

from typing import Any

import pytest

from amqpd.broker.compat import PROFILES
from amqpd.broker.vhost import Quotas
from tests.definitions.steps import Premises

ALL = {"configure": ".*", "write": ".*", "read": ".*"}
GOOD = {
    "users": [{"name": "new", "password": "x"}],
    "vhosts": [{"name": "new"}],
    "queues": [{"name": "new"}],
}


@pytest.mark.parametrize(
    ("section", "entry", "fault"),
    [
        ("users", {"password": "x"}, "('None'): 'name' is missing"),
        ("users", {"name": ""}, "(''): a name must not be empty"),
        ("users", {"name": "u", "password": "a", "password_hash": "b"}, "('u'): both password and password_hash"),
        ("users", {"name": "u", "password": 5}, "('u'): 'password' has to be text"),
        ("users", {"name": "u", "password_hash": "AAAA"}, "('u'): password_hash has 3 bytes"),
        ("users", {"name": "u", "password_hash": "", "hashing_algorithm": "rot13"}, "unknown hashing_algorithm"),
        ("users", {"name": "u", "tags": [1]}, "'tags' has to be a list of words, or words with commas between them"),
        ("users", {"name": "u", "limits": {"max-feet": 2}}, 'Unrecognised terms [{<<"max-feet">>,2}] in user-limits'),
        ("vhosts", {"name": "v" * 256}, "a name must not be longer than 255 bytes"),
        ("vhosts", {"name": "v", "default_queue_type": "paper"}, "('v'): paper is not a valid queue type"),
        ("vhosts", {"name": "v", "limits": {"max-queues": "many"}}, "max-queues should be a number"),
        ("vhosts", {"name": "v", "tracing": "yes"}, "'tracing' has to be true or false"),
        ("vhosts", {"name": "v", "metadata": 5}, "'metadata' has to be an object"),
        ("vhosts", {"name": "v", "description": "\ud800"}, "'description' is not valid Unicode"),
        ("permissions", {"user": "u", **ALL}, "(of user 'u' in vhost '/'): User \"u\" does not exist"),
        ("permissions", {"user": "ann", "vhost": "v", **ALL}, "Virtual host 'v' does not exist"),
        ("permissions", {"user": "ann", **ALL, "read": "("}, "regular expression '(' is invalid"),
        ("permissions", {"user": "ann", "write": "", "read": ""}, "'configure' is missing"),
        ("topic_permissions", {"user": "ann", "exchange": "e", "write": "[", "read": ""}, "regular expression '['"),
        ("topic_permissions", {"user": "ann", "write": "", "read": ""}, "'exchange' is missing"),
        ("global_parameters", {"name": "", "value": 1}, "a name must not be empty"),
        ("policies", {"name": "p", "pattern": "(", "definition": {"max-length": 1}}, "('p' in vhost '/'): pattern"),
        ("policies", {"name": "p", "pattern": "", "definition": {}}, "no policy provided"),
        ("policies", {"name": "p", "definition": {"max-length": 1}}, "pattern should be a binary"),
        ("policies", {"name": "p", "pattern": "", "definition": {"depth": 1}}, "not recognised policy settings"),
        (
            "policies",
            {"name": "p", "pattern": "", "definition": {"max-length": 1}, "apply-to": "dogs"},
            "apply-to 'dogs' unrecognised",
        ),
        ("parameters", {"component": "nonsense", "name": "n", "value": 1}, "component nonsense not found"),
        ("parameters", {"component": "policy", "name": "n", "value": 1}, "policies may not be set using this method"),
        ("exchanges", {"name": "e", "type": "nonsense"}, "('e' in vhost '/'): unknown exchange type 'nonsense'"),
        ("exchanges", {"name": "e"}, "'type' is missing"),
        ("exchanges", {"name": "e", "type": "x-delayed-message"}, "x-delayed-type"),
        ("exchanges", {"name": "e", "type": "topic", "arguments": {"alternate-exchange": 5}}, "alternate-exchange"),
        ("queues", {"name": "q", "durable": "true"}, "('q' in vhost '/'): 'durable' has to be true or false"),
        ("queues", {"name": "q", "vhost": "v"}, "('q' in vhost 'v'): Virtual host 'v' does not exist"),
        ("queues", {"name": "q", "arguments": {"x-max-length": "a"}}, "invalid arg 'x-max-length' for queue 'q'"),
        ("queues", {"name": "q", "arguments": {"x": 1 << 64}}, "cannot be an AMQP table"),
        ("queues", {"name": "q", "arguments": {"x" * 256: 1}}, "field name longer than 255 bytes"),
        ("queues", {"name": "q", "type": "quorum", "durable": False}, "invalid property 'non-durable'"),
        ("queues", {"name": "q", "auto_delete": True, "arguments": {"x-queue-type": "stream"}}, "'auto-delete'"),
        ("queues", {"name": ""}, "a name must not be empty"),
        ("bindings", {"source": "amq.topic", "destination": "old", "destination_type": "dog"}, "queue or exchange"),
        ("bindings", {"source": "amq.topic", "destination": "old", "routing_key": "k" * 256}, "longer than 255 bytes"),
        (
            "bindings",
            {"source": "amq.headers", "destination": "old", "arguments": {"x-match": "some"}},
            "(from 'amq.headers' to 'old' in vhost '/'): Invalid x-match",
        ),
    ],
)
def test_a_fault_names_its_entry_and_changes_nothing(section: str, entry: dict[str, Any], fault: str) -> None:
    premises = Premises()
    premises.users.add("ann", "x")
    premises.vhost.declare_queue("old")
    sections = {name: [dict(each) for each in entries] for name, entries in GOOD.items()}
    sections[section] = [*sections.get(section, []), entry]
    refusal = premises.refusal(**sections)
    assert refusal.startswith(f"{section}[{len(GOOD.get(section, []))}] (")
    assert fault in refusal


@pytest.mark.parametrize(
    ("sections", "fault"),
    [
        ({"queues": {"name": "q"}}, "'queues' has to be a list"),
        ({"queues": ["q"]}, "queues[0] ('None' in vhost 'None'): it has to be an object"),
    ],
)
def test_so_does_what_is_no_entry(premises: Premises, sections: dict[str, Any], fault: str) -> None:
    assert premises.refusal(**sections) == fault


def test_what_names_no_vhost_is_refused(premises: Premises) -> None:
    assert premises.refusal(queues=[{"name": "q", "vhost": None}]).endswith(
        "Virtual host does not exist and is not specified in definitions file."
    )


def test_a_fault_at_the_end_of_many_changes_nothing(premises: Premises) -> None:
    queues: list[dict[str, Any]] = [{"name": f"q{number}"} for number in range(3000)]
    assert premises.refusal(queues=[*queues, {"name": 5}]).startswith("queues[3000] ")


def test_one_entry_may_rest_on_another(premises: Premises) -> None:
    outcome = premises.take(
        exchanges=[
            {"name": "hash", "type": "x-consistent-hash"},
            {"name": "local", "type": "x-local-random"},
        ],
        queues=[{"name": "q"}, {"name": "quorum", "type": "quorum"}],
        bindings=[{"source": "hash", "destination": "q", "routing_key": "10"}],
    )
    assert outcome.changed["bindings"] == 1
    assert "must be an integer" in premises.refusal(
        exchanges=[{"name": "more", "type": "x-consistent-hash"}],
        bindings=[{"source": "more", "destination": "q", "routing_key": "ten"}],
    )
    assert "not valid for this exchange type" in premises.refusal(
        exchanges=[{"name": "more", "type": "x-local-random"}],
        queues=[{"name": "new", "type": "quorum"}],
        bindings=[{"source": "more", "destination": "new"}],
    )


def test_a_queue_that_appears_twice_is_made_once(premises: Premises) -> None:
    premises.take(queues=[{"name": "q", "auto_delete": True}, {"name": "q", "auto_delete": False}])
    assert premises.vhost.queues["q"].auto_delete


def test_a_vhost_may_have_no_more_queues_than_its_limit(premises: Premises) -> None:
    premises.broker.vhost_limits.set("/", "max-queues", 2)
    premises.vhost.declare_queue("one")
    assert premises.refusal(queues=[{"name": "two"}, {"name": "three"}]) == (
        'Adding 2 queue(s) to virtual host "/" would exceed the limit of 2 queue(s).\n\n'
        "This virtual host currently has 1 queue(s) defined.\n\nImport aborted!"
    )
    premises.take(queues=[{"name": "one"}, {"name": "two"}])


def test_limits_of_the_same_file_are_for_what_comes_later(premises: Premises) -> None:
    premises.take(vhosts=[{"name": "/", "limits": {"max-queues": 1}}], queues=[{"name": "a"}, {"name": "b"}])
    assert len(premises.vhost.queues) == 2
    assert premises.vhost.max_queues == 1


@pytest.mark.parametrize(
    ("sections", "fault"),
    [
        ({"vhosts": [{"name": "a"}, {"name": "b"}]}, "adding 2 vhost(s) would exceed the limit of 2; there are 1 now"),
        ({"queues": [{"name": f"q{n}"} for n in range(4)]}, "adding 4 queue(s) would exceed the limit of 3"),
        ({"exchanges": [{"name": f"e{n}", "type": "topic"} for n in range(4)]}, "adding 4 exchange(s) would exceed"),
    ],
)
def test_a_broker_may_have_no_more_than_its_limits(sections: dict[str, Any], fault: str) -> None:
    premises = Premises(quotas=Quotas(2, 10, 3))
    assert fault in premises.refusal(**sections)


def test_queues_a_version_refuses_are_refused(premises: Premises) -> None:
    strict = Premises(compat=PROFILES["4.3"])
    assert "transient_nonexcl_queues" in strict.refusal(queues=[{"name": "q", "durable": False}])


def test_no_fault_shows_a_password(premises: Premises) -> None:
    refusal = premises.refusal(users=[{"name": "ann", "password_hash": "my secret!"}])
    assert "secret" not in refusal
    assert "not base64" in refusal
