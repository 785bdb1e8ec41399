"""The registry of open connections."""

from __future__ import annotations

from dataclasses import dataclass, field

from amqpd.broker.connections import Connections
from amqpd.wire.spec import ReplyCode


@dataclass(eq=False)
class Somebody:
    name: str
    username: str
    vhost_name: str
    farewells: list[tuple[ReplyCode, str]] = field(default_factory=list)
    asked_again: int = 0

    def close(self, code: ReplyCode, explanation: str) -> None:
        self.farewells.append((code, explanation))

    def permissions_changed(self) -> None:
        self.asked_again += 1


def three() -> tuple[Connections, Somebody, Somebody, Somebody]:
    connections = Connections()
    those = (Somebody("1", "ann", "/"), Somebody("2", "ann", "v"), Somebody("3", "bob", "v"))
    for one in those:
        connections.enter(one)
    return connections, *those


def test_connections_are_counted_by_vhost_and_user() -> None:
    connections, ann, _, _ = three()
    assert (connections.in_vhost["v"], connections.of_user["ann"]) == (2, 2)
    connections.leave(ann)
    assert (connections.in_vhost["/"], connections.of_user["ann"]) == (0, 1)


def test_nothing_is_kept_of_vhosts_and_users_without_connections() -> None:
    connections, *those = three()
    for one in those:
        connections.leave(one)
    assert (len(connections.open), len(connections.in_vhost), len(connections.of_user)) == (0, 0, 0)


def test_channels_are_counted_over_all_users() -> None:
    connections, *_ = three()
    for user in ("ann", "ann", "bob"):
        connections.enter_channel(user)
    connections.leave_channel("ann")
    assert (connections.channels, connections.channels_of_user["ann"]) == (2, 1)


def test_leaving_twice_counts_once() -> None:
    connections, ann, _, _ = three()
    connections.leave(ann)
    connections.leave(ann)
    assert connections.of_user["ann"] == 1


def test_those_of_a_vhost_or_a_user_are_sent_away() -> None:
    connections, ann, ann_in_v, bob = three()
    connections.close_all("gone", vhost="v")
    assert (ann.farewells, len(ann_in_v.farewells), len(bob.farewells)) == ([], 1, 1)
    connections.close_all("gone", username="ann")
    assert ann.farewells == [(ReplyCode.CONNECTION_FORCED, "gone")]


def test_those_of_a_user_hear_that_permissions_changed() -> None:
    connections, ann, ann_in_v, bob = three()
    connections.permissions_changed("ann")
    assert (ann.asked_again, ann_in_v.asked_again, bob.asked_again) == (1, 1, 0)
