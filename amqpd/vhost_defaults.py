"""What every new vhost is to have, as the configuration says: limits, operator policies, users with permissions.

Each is for the vhosts whose names match its pattern; of the limits only the first by name that does counts, as in
RabbitMQ (rabbit_db_vhost_defaults). What a vhost has got is its own from then on, and operators may change it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from .auth.internal import InternalUsers
from .broker.broker import Broker
from .config import Config, DefaultPolicy
from .errors import OperatorError, StartupError
from .patterns import Pattern

_ABOUT_POLICIES: Final = ("name", "vhost_pattern", "queue_pattern", "apply_to")
"""What of a default policy is not part of its definition."""


class VHostDefaults:
    """Provides new vhosts, once it is heard of them."""

    def __init__(self, broker: Broker, users: InternalUsers, config: Config) -> None:
        """Raises StartupError for what no vhost could have."""
        self._broker = broker
        self._users = users
        self._default_users = config.default_users
        try:
            self._limits = [
                (
                    Pattern(each.pattern),
                    _dashed({"max_connections": each.max_connections, "max_queues": each.max_queues}),
                )
                for each in sorted(config.default_limits, key=lambda each: each.name)
            ]
            self._policies = [
                (each, Pattern(each.vhost_pattern), _definition_of(each)) for each in config.default_policies
            ]
            for policy, _, definition in self._policies:
                broker.operator_policies.check(policy.name, policy.queue_pattern, definition, 0, policy.apply_to)
        except OperatorError as error:
            reason = "; ".join(str(error).splitlines())
            raise StartupError(f"what new vhosts are to have cannot be: {reason}", os.EX_CONFIG) from error
        broker.vhost_limits.of_new = self._limits_of

    def provide(self, vhost: str) -> None:
        """Give a vhost that was just made what it is to have. Raises OperatorError for users that cannot be."""
        self._broker.vhost_limits.give_new(vhost)
        for policy, pattern, definition in self._policies:
            if pattern.matches(vhost):
                self._broker.operator_policies.set(
                    vhost, policy.name, policy.queue_pattern, definition, 0, policy.apply_to
                )
        for each in self._default_users:
            if Pattern(each.vhost_pattern).matches(vhost):
                self._users.provide(
                    each.name,
                    each.password,
                    each.tags,
                    vhost,
                    configure=each.configure,
                    write=each.write,
                    read=each.read,
                )

    def _limits_of(self, vhost: str) -> Mapping[str, int]:
        return next((limits for pattern, limits in self._limits if pattern.matches(vhost)), {})


def _definition_of(policy: DefaultPolicy) -> dict[str, int]:
    return _dashed({name: value for name, value in asdict(policy).items() if name not in _ABOUT_POLICIES})


def _dashed(values: Mapping[str, int | None]) -> dict[str, int]:
    """What is said, under the names that parameters have for it."""
    return {name.replace("_", "-"): value for name, value in values.items() if value is not None}
