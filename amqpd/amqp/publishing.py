"""A channel's publishing side, and what it remembers from one basic.publish to the next.

Publishers mostly repeat themselves. So what the arguments of a publish mean, down to the queues they lead to, is
remembered for as long as the vhost's topology stays as it was; and likewise the last properties. Whoever publishes
something new is looked at more closely, by `publish`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from ..broker.queue import REFUSED, STORED
from ..broker.route import Route, Routes
from ..broker.traffic import Traffic
from ..message import Address, Message, compose
from .confirms import Confirms

if TYPE_CHECKING:
    from ..broker.exchanges import Exchange
    from .transactions import Transaction


_STORED: Final = STORED
_REFUSED: Final = REFUSED


class Target:
    """What the arguments of a basic.publish mean."""

    __slots__ = ("address", "exchange", "mandatory", "route", "traffic")

    def __init__(self, exchange: Exchange, address: Address, mandatory: bool, route: Route | None) -> None:
        self.exchange = exchange
        self.traffic = exchange.traffic
        self.address = address
        self.mandatory = mandatory
        self.route = route  # None: to be asked for each message


class Traits:
    """What a message's properties say that matters here."""

    __slots__ = ("claimed", "keys", "persistent", "properties", "ttl")

    def __init__(
        self,
        persistent: bool,
        ttl: int,
        keys: tuple[str, ...] | None = None,
        properties: bytes | None = None,
        claimed: str | None = None,
    ) -> None:
        self.persistent = persistent
        self.ttl = ttl  # in milliseconds, or NO_TTL
        self.keys = keys  # to route by besides the routing key; None = none
        self.properties = properties  # to pass on instead; None = as they are
        self.claimed = claimed  # the user id, if it is another's, who may not be spoken for


class Customs(Protocol):
    """Looks into what a publisher has not shown before."""

    def find(self, arguments: bytes) -> Target:
        """What they mean. Raises AccessRefused, NotFound, NotImplementedByBroker; ProtocolError 501 for nonsense."""
        ...

    def admit(self, exchange: Exchange) -> bool:
        """Raises AccessRefused unless the user may publish there. Returns whether that holds for all routing keys."""
        ...

    def look_closer(self, target: Target, traits: Traits) -> None:
        """Asked where `admit` left something open, or another user is named.

        Raises AccessRefused for a routing key the user may not use, then PreconditionFailed for another's name.
        """
        ...

    def route(self, target: Target, message: Message, keys: tuple[str, ...] | None) -> Route:
        """Where this message goes, of a target that has no route of its own, or with further routing keys."""
        ...

    def trace(self, message: Message, keys: tuple[str, ...] | None, route: Route) -> None:
        """Show the firehose a message that was routed."""
        ...

    def check_empty(self, header: bytes) -> None:
        """Raises PreconditionFailed when the body was left out because it is over the limit."""
        ...

    def check_properties(self, header: bytes) -> Traits:
        """What they say of the message.

        Raises PreconditionFailed for a property that cannot be, ProtocolError 502 for a malformed header.
        """
        ...

    def hand_back(self, message: Message) -> None:
        """Return a mandatory message that no queue takes."""
        ...

    def confirm_later(self) -> None:
        """Confirm what was published once all that came in is handled."""
        ...


class Publishing:
    """Handles basic.publish."""

    __slots__ = (
        "_arguments",
        "_customs",
        "_exchange",
        "_generation",
        "_header",
        "_keyed",
        "_properties",
        "_routes",
        "_target",
        "_traits",
        "confirms",
        "counted",
        "spread",
        "traffic",
        "transaction",
    )

    def __init__(self, customs: Customs, routes: Routes, traffic: Traffic) -> None:
        self.confirms: Confirms | None = None  # in confirm mode
        self.transaction: Transaction | None = None  # in tx mode
        self.counted = False  # confirms are due when all that came in is handled
        self.spread = 0  # copies made for several queues, lately; to be reset by whoever looks
        self.traffic = traffic  # of the channel
        self._customs: Customs | None = customs
        self._routes = routes
        self._arguments = b""
        self._generation = -1  # of the routes, when the arguments were looked up
        self._target: Target | None = None
        self._exchange: Exchange | None = None  # the last that was found admissible
        self._keyed = False  # with some routing keys, maybe
        self._header = b""
        self._properties = b""
        self._traits: Traits | None = None  # of these properties

    def publish(self, arguments: bytes, header: bytes, body: bytes) -> bool:
        """Handle basic.publish with its content. True when it is stored, now or with its transaction.

        Raises, in RabbitMQ's order: PreconditionFailed for a body over the limit, AccessRefused without permission or
        for an internal exchange, NotFound without exchange, PreconditionFailed for a property that cannot be,
        AccessRefused for a routing key, PreconditionFailed for another's user id.
        """
        customs = self._customs
        assert customs is not None
        if not body:
            customs.check_empty(header)
        if arguments != self._arguments or self._generation != self._routes.generation:
            self._look_up(customs, arguments)
        if header != self._header:
            self._look_into(customs, header)
        target = self._target
        traits = self._traits
        assert target is not None
        assert traits is not None
        if traits.properties is not None:
            header = header[:12] + traits.properties
        message = compose(target.address, header, body, traits.persistent, traits.ttl)
        route = target.route
        if route is None or traits.keys is not None:
            route = customs.route(target, message, traits.keys)
        if self._routes.firehose is not None:
            customs.trace(message, traits.keys, route)
        self.traffic.published += 1
        target.traffic.published += 1
        target.traffic.routed += route.width
        self.spread += route.spread
        if self.transaction is not None:
            self.transaction.publish(message, route.queues, target.mandatory)
            return traits.persistent
        confirms = self.confirms
        if confirms is not None and traits.persistent and not route.kept:  # else what is kept has to be stored
            message.receipt = confirms
            message.number = confirms.published + 1
        if route.queues:
            outcome = route.deliver(message)
        else:
            outcome = route.kept
            if target.mandatory:
                customs.hand_back(message)
                self.traffic.returned += 1
                target.traffic.returned += 1
            else:
                self.traffic.dropped += 1
                target.traffic.dropped += 1
        if confirms is not None:
            confirms.count(outcome & _STORED != 0)
            if outcome & _REFUSED:
                confirms.refuse()
            if not self.counted:
                self.counted = True
                customs.confirm_later()
        return outcome & _STORED != 0

    def forget_properties(self) -> None:
        """What the last properties say may have changed."""
        self._header = self._properties = b""

    def forget(self) -> None:
        """What was found out before may not hold any more."""
        self._arguments = b""
        self._exchange = None
        self.forget_properties()

    def close(self) -> None:
        """Let go of the channel: nothing is published any more."""
        self._customs = self.transaction = None
        if self.confirms is not None:
            self.confirms.close()

    def _look_up(self, customs: Customs, arguments: bytes) -> None:
        self._arguments = b""  # what follows may raise
        target: Target | None = self._routes.get(arguments)
        if target is None:
            target = customs.find(arguments)
            self._routes.remember(arguments, target)
        if target.exchange is not self._exchange:
            self._keyed = not customs.admit(target.exchange)
            self._exchange = target.exchange
        if self._keyed:
            self._header = b""  # to be looked into, although the properties may be known
        self._target = target
        self._arguments = arguments
        self._generation = self._routes.generation

    def _look_into(self, customs: Customs, header: bytes) -> None:
        properties = header[12:]  # without class, weight and body size
        if properties != self._properties:
            self._traits = customs.check_properties(header)
            self._properties = properties
        traits = self._traits
        assert traits is not None
        if self._keyed or traits.claimed is not None:
            assert self._target is not None
            customs.look_closer(self._target, traits)
        self._header = header
