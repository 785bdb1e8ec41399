"""Profiles of RabbitMQ's versions."""

from __future__ import annotations

import pytest

from amqpd.broker.compat import PROFILES, compat_for
from amqpd.config import COMPAT_CHOICES


def test_there_is_a_profile_for_each_choice_of_the_setting() -> None:
    assert tuple(PROFILES) == COMPAT_CHOICES


@pytest.mark.parametrize("name", [name for name in PROFILES if name != "default"])
def test_a_profile_announces_a_version_of_its_name(name: str) -> None:
    assert PROFILES[name].version.startswith(f"{name}.")


def test_the_default_permits_what_any_version_permits() -> None:
    default = PROFILES["default"]
    assert default.transient_queues
    assert default.global_qos
    assert not default.nacks_count
    assert default.frame_min == min(profile.frame_min for profile in PROFILES.values())


@pytest.mark.parametrize(
    ("name", "unknown_exchange_type", "frame_min", "transient_queues", "delivery_limit", "nacks_count"),
    [
        ("3.12", 503, 4096, True, -1, True),
        ("3.13", 406, 4096, True, -1, True),
        ("4.0", 406, 4096, True, 20, True),
        ("4.1", 406, 8192, True, 20, True),
        ("4.2", 406, 8192, True, 20, True),
        ("4.3", 406, 8192, False, 20, False),
    ],
)
def test_what_moved_between_versions(
    name: str,
    unknown_exchange_type: int,
    frame_min: int,
    transient_queues: bool,
    delivery_limit: int,
    nacks_count: bool,
) -> None:
    profile = PROFILES[name]
    assert profile.unknown_exchange_type == unknown_exchange_type
    assert profile.frame_min == frame_min
    assert profile.transient_queues is transient_queues
    assert profile.global_qos is transient_queues
    assert profile.delivery_limit == delivery_limit
    assert profile.nacks_count is nacks_count


@pytest.mark.parametrize(
    ("name", "stores_queue_type", "levels", "quorum_4_3"),
    [
        ("3.12", False, 1, False),
        ("3.13", False, 1, False),
        ("4.0", True, 2, False),
        ("4.1", True, 2, False),
        ("4.2", True, 2, False),
        ("4.3", True, 32, True),
        ("default", True, 2, False),
    ],
)
def test_what_moved_in_queues(name: str, stores_queue_type: bool, levels: int, quorum_4_3: bool) -> None:
    profile = PROFILES[name]
    assert profile.stores_queue_type is stores_queue_type
    assert profile.levels == levels
    assert profile.quorum_4_3 is quorum_4_3


def test_what_a_profile_permits_may_be_said_otherwise() -> None:
    assert compat_for("4.3") == PROFILES["4.3"]
    found = compat_for("4.3", transient_queues=True)
    assert (found.transient_queues, found.global_qos) == (True, False)
    found = compat_for("default", global_qos=False, version="1.2.3")
    assert (found.transient_queues, found.global_qos, found.version) == (True, False, "1.2.3")
