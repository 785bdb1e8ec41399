"""What new vhosts are given."""

from __future__ import annotations

import os
from typing import Any

import pytest

from amqpd.auth.internal import InternalUsers
from amqpd.broker.broker import Broker
from amqpd.clock import VirtualClock
from amqpd.config import Config, DefaultLimits, DefaultPolicy, DefaultUser
from amqpd.definitions import DefinitionsError, import_all
from amqpd.errors import PreconditionFailed, StartupError
from amqpd.store.memory import MemoryStore
from amqpd.vhost_defaults import VHostDefaults

LIMITS = (
    DefaultLimits("3", max_queues=20),
    DefaultLimits("1", "^dev", max_connections=10, max_queues=1),
    DefaultLimits("2", "^free", max_queues=-1),
)


def broker_with(**settings: Any) -> tuple[Broker, InternalUsers]:
    broker = Broker(MemoryStore(), VirtualClock())
    users = InternalUsers(broker)
    broker.when_vhost_added.append(VHostDefaults(broker, users, Config(**settings)).provide)
    return broker, users


def test_a_new_vhost_has_the_first_limits_by_name_that_match() -> None:
    broker, _ = broker_with(default_limits=LIMITS)
    for name in ("dev-1", "free", "other"):
        broker.add_vhost(name)
    limits = {name: broker.vhost_limits.limits(name) for name in broker.vhosts}
    assert limits == {
        "/": {},  # was there before
        "dev-1": {"max-connections": 10, "max-queues": 1},
        "free": {"max-queues": -1},
        "other": {"max-queues": 20},
    }
    broker.vhosts["dev-1"].declare_queue("a")
    with pytest.raises(PreconditionFailed, match="queue limit in vhost 'dev-1' \\(1\\) is reached"):
        broker.vhosts["dev-1"].declare_queue("b")


def test_what_an_operator_changed_later_stays() -> None:
    broker, _ = broker_with(default_limits=LIMITS)
    broker.add_vhost("dev")
    broker.vhost_limits.set("dev", "max-queues", 7)
    broker.add_vhost("dev", description="known")
    assert broker.vhost_limits.limits("dev")["max-queues"] == 7


def test_definitions_are_held_against_the_limits_that_their_vhosts_will_have() -> None:
    broker, users = broker_with(default_limits=LIMITS)
    queues = [{"vhost": "dev", "name": name} for name in "ab"]
    with pytest.raises(DefinitionsError, match='virtual host "dev" would exceed the limit of 1 queue'):
        import_all(broker, users, {"vhosts": [{"name": "dev"}], "queues": queues})
    assert "dev" not in broker.vhosts
    import_all(broker, users, {"vhosts": [{"name": "dev"}], "queues": queues[:1]})
    assert list(broker.vhosts["dev"].queues) == ["a"]


def test_a_new_vhost_has_the_operator_policies_that_match() -> None:
    policies = (
        DefaultPolicy("short", queue_pattern="^tmp", apply_to="classic_queues", message_ttl=1000, expires=5000),
        DefaultPolicy("small", "^dev", max_length=1),
    )
    broker, _ = broker_with(default_policies=policies)
    broker.add_vhost("dev")
    broker.add_vhost("prod")
    found = {(each.vhost, each.name): each.value for each in broker.parameters.list("operator_policy")}
    short = {
        "pattern": "^tmp",
        "definition": {"expires": 5000, "message-ttl": 1000},
        "priority": 0,
        "apply-to": "classic_queues",
    }
    small = {"pattern": ".*", "definition": {"max-length": 1}, "priority": 0, "apply-to": "all"}
    assert found == {("dev", "short"): short, ("dev", "small"): small, ("prod", "short"): short}
    assert {"x-message-ttl": 1000, "x-expires": 5000}.items() <= broker.vhosts["prod"].declare_queue(
        "tmp.1"
    ).effective.items()
    assert broker.vhosts["dev"].declare_queue("q").effective["x-max-length"] == 1


def test_a_new_vhost_has_its_users() -> None:
    broker, users = broker_with(default_users=(DefaultUser("dev", "pw", vhost_pattern="^dev-"),))
    broker.add_vhost("dev-1")
    broker.add_vhost("prod")
    assert [(each.user, each.vhost) for each in users.permissions] == [("dev", "dev-1")]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"default_limits": (DefaultLimits("x", "("),)}, "regular expression '(' is invalid"),
        ({"default_policies": (DefaultPolicy("x", "(", expires=1),)}, "regular expression '(' is invalid"),
        ({"default_policies": (DefaultPolicy("x", queue_pattern="(", expires=1),)}, "pattern should be regular"),
        ({"default_policies": (DefaultPolicy("x"),)}, "no policy provided"),
        ({"default_policies": (DefaultPolicy("x", expires=0),)}, "0 is not a valid queue expiry"),
    ],
)
def test_what_no_vhost_could_have_stops_the_start(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(StartupError) as caught:
        broker_with(**settings)
    assert str(caught.value).startswith("what new vhosts are to have cannot be: ")
    assert text in str(caught.value)
    assert caught.value.exit_code == os.EX_CONFIG
