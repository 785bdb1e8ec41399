"""What is in a file of definitions, and in which words."""

from __future__ import annotations

import json

from amqpd.wire.fields import Int32, RawString, Timestamp
from tests.definitions.steps import Premises


def test_a_file_says_who_wrote_it_and_has_every_section(premises: Premises) -> None:
    file = premises.give()
    assert list(file) == [
        "rabbit_version",
        "rabbitmq_version",
        "product_name",
        "product_version",
        "rabbitmq_definition_format",
        "original_cluster_name",
        "explanation",
        "users",
        "vhosts",
        "permissions",
        "topic_permissions",
        "parameters",
        "global_parameters",
        "policies",
        "queues",
        "exchanges",
        "bindings",
    ]
    assert file["rabbit_version"] == file["product_version"] == "4.2.9"
    assert file["rabbitmq_definition_format"] == "cluster"
    assert file["explanation"] == "Definitions of cluster 'rabbit@here'"


def test_a_queue_has_its_type_and_arguments(premises: Premises) -> None:
    premises.vhost.declare_queue("q", durable=True, arguments={"x-queue-type": "quorum", "x-max-length": 5})
    assert premises.give()["queues"] == [
        {
            "name": "q",
            "vhost": "/",
            "type": "quorum",
            "durable": True,
            "auto_delete": False,
            "arguments": {"x-queue-type": "quorum", "x-max-length": 5},
        }
    ]
    assert premises.give("/")["queues"][0].keys() == {"name", "type", "durable", "auto_delete", "arguments"}


def test_queues_that_are_transient_or_go_by_themselves_are_in_it(premises: Premises) -> None:
    premises.vhost.declare_queue("transient", auto_delete=True)
    assert [(queue["durable"], queue["auto_delete"]) for queue in premises.give()["queues"]] == [(False, True)]


def test_exclusive_queues_are_not_nor_bindings_to_them(premises: Premises) -> None:
    owner = object()
    premises.vhost.declare_queue("mine", exclusive=True, owner=owner)
    premises.vhost.bind("amq.fanout", "mine", "", {}, to_queue=True, owner=owner)
    file = premises.give()
    assert file["queues"] == file["bindings"] == []


def test_exchanges_that_are_internal_or_there_from_the_start_are_not_nor_their_bindings(premises: Premises) -> None:
    premises.vhost.declare_exchange("inner", "fanout", internal=True)
    premises.vhost.declare_exchange("outer", "fanout")
    premises.vhost.declare_queue("q")
    premises.vhost.bind("outer", "inner", "", {}, to_queue=False)
    premises.vhost.bind("inner", "q", "", {}, to_queue=True)
    premises.vhost.bind("amq.topic", "q", "a.*", {"x": 1}, to_queue=True)
    file = premises.give()
    assert [exchange["name"] for exchange in file["exchanges"]] == ["outer"]
    assert file["bindings"] == [
        {
            "source": "amq.topic",
            "vhost": "/",
            "destination": "q",
            "destination_type": "queue",
            "routing_key": "a.*",
            "arguments": {"x": 1},
        }
    ]


def test_passwords_are_hashes(premises: Premises) -> None:
    premises.users.add("ann", "secret", ["monitoring"], limits={"max-channels": 3})
    (user,) = premises.give()["users"]
    assert list(user) == ["name", "password_hash", "hashing_algorithm", "tags", "limits"]
    assert len(user["password_hash"]) == 48
    assert user["hashing_algorithm"] == "rabbit_password_hashing_sha256"
    assert (user["tags"], user["limits"]) == (["monitoring"], {"max-channels": 3})


def test_limits_of_a_vhost_are_where_all_versions_look(premises: Premises) -> None:
    premises.broker.vhost_limits.set("/", "max-queues", 7)
    file = premises.give()
    assert file["vhosts"][0]["limits"] == {"max-queues": 7}
    assert file["parameters"] == [
        {"value": {"max-queues": 7}, "vhost": "/", "component": "vhost-limits", "name": "limits"}
    ]


def test_what_is_said_of_a_vhost_is_where_all_versions_look(premises: Premises) -> None:
    premises.broker.add_vhost("v", description="d", tags=["t"], default_queue_type="quorum", protected=True)
    vhost = premises.give()["vhosts"][1]
    said = {"description": "d", "tags": ["t"], "default_queue_type": "quorum"}
    assert vhost == {
        "name": "v",
        "limits": {},
        "metadata": {**said, "protected_from_deletion": True},
        **said,
    }


def test_policies_and_operator_policies_are_where_rabbitmq_has_them(premises: Premises) -> None:
    premises.broker.policies.set("/", "p", "^a", {"max-length": 1}, 3, "queues")
    premises.broker.operator_policies.set("/", "o", "", {"expires": 9})
    file = premises.give()
    assert [list(policy) for policy in file["policies"]] == [
        ["vhost", "name", "pattern", "apply-to", "definition", "priority"]
    ]
    assert [(each["component"], each["name"]) for each in file["parameters"]] == [("operator_policy", "o")]


def test_global_parameters_of_the_broker_itself_stay_with_it(premises: Premises) -> None:
    premises.broker.parameters.set_global("mine", {"a": [1]})
    premises.broker.parameters.set_global("internal_cluster_id", "x")
    assert premises.give()["global_parameters"] == [{"name": "mine", "value": {"a": [1]}}]


def test_the_file_of_a_vhost_has_what_lies_in_it(premises: Premises) -> None:
    premises.users.add("ann", "secret")
    premises.broker.add_vhost("v", description="d")
    premises.broker.add_vhost("w").declare_queue("other")
    premises.broker.vhosts["v"].declare_queue("q")
    premises.broker.policies.set("v", "p", "", {"max-length": 1})
    premises.broker.policies.set("w", "p", "", {"max-length": 1})
    file = premises.give("v")
    assert file["rabbitmq_definition_format"] == "single_virtual_host"
    assert (file["original_vhost_name"], file["description"]) == ("v", "d")
    assert [queue["name"] for queue in file["queues"]] == ["q"]
    assert [list(policy) for policy in file["policies"]] == [["name", "pattern", "apply-to", "definition", "priority"]]
    assert file.keys().isdisjoint({"users", "permissions", "vhosts"})


def test_all_is_in_order_of_names(premises: Premises) -> None:
    for name in ("b", "c", "a"):
        premises.vhost.declare_queue(name)
        premises.users.add(name, "x")
    file = premises.give()
    assert [queue["name"] for queue in file["queues"]] == ["a", "b", "c"]
    assert [user["name"] for user in file["users"]] == ["a", "b", "c"]


def test_arguments_that_json_has_no_words_for_are_text(premises: Premises) -> None:
    arguments = {"a": Int32(5), "b": b"x", "c": RawString(b"\xff"), "d": Timestamp(7), "e": [{"f": float("nan")}]}
    premises.vhost.declare_exchange("e", "topic", arguments=arguments)
    (exchange,) = json.loads(json.dumps(premises.give(), allow_nan=False))["exchanges"]
    assert exchange["arguments"] == {"a": 5, "b": "x", "c": "\ufffd", "d": 7, "e": [{"f": "nan"}]}
