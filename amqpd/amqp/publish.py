"""Publishing: basic.publish, basic.return and confirm.select.

Publishers mostly repeat themselves. So a channel remembers what the arguments of its last publish meant, down to the
queues they lead to, for as long as the vhost's topology stays as it was; and likewise its last properties.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..auth.base import Action
from ..broker.vhost import Route
from ..errors import AccessRefused, NotImplementedByBroker, PreconditionFailed
from ..message import Address, Message
from ..wire.methods import BasicPublish, BasicReturn, ConfirmSelect, ConfirmSelectOk
from ..wire.properties import (
    FLAGS_OFFSET,
    HAS_EXPIRATION,
    HAS_USER_ID,
    PREFIX,
    check_header,
    decode_header,
)
from ..wire.schema import Method
from ..wire.spec import ReplyCode
from .confirms import Confirms

if TYPE_CHECKING:
    from ..broker.exchanges import Exchange
    from .channel import Channel

IMPERSONATOR: Final = "impersonator"
"""The tag of users who may publish in another's name."""

_CHECKED: Final = HAS_EXPIRATION | HAS_USER_ID
"""Properties a broker has to look into."""

_FLAGS: Final = struct.Struct(">H")


class Publishing:
    """A channel's publishing side: what it remembers from one basic.publish to the next."""

    __slots__ = (
        "_address",
        "_arguments",
        "_channel",
        "_exchange",
        "_generation",
        "_mandatory",
        "_persistent",
        "_properties",
        "_route",
    )

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._arguments = b""
        self._generation = -1  # of the vhost, when the arguments were looked up
        self._exchange: Exchange | None = None
        self._address = Address("", "")
        self._mandatory = False
        self._route: Route | None = None  # None: to be asked for each message
        self._properties = b""
        self._persistent = False

    def publish(self, arguments: bytes, header: bytes, body: bytes) -> None:
        """Handle basic.publish with its content.

        Raises, in RabbitMQ's order: PreconditionFailed for a body over the limit, AccessRefused without permission or
        for an internal exchange, NotFound without exchange, PreconditionFailed for a property that cannot be.
        """
        channel = self._channel
        if not body:
            self._check_left_out(header)
        if arguments != self._arguments or self._generation != channel.vhost.generation:
            self._look_up(arguments)
        properties = header[FLAGS_OFFSET:]
        if properties != self._properties:
            self._persistent = self._check_properties(header)
            self._properties = properties
        message = Message(self._address, header, body, self._persistent)
        route = self._route
        if route is None:
            route = self._ask(message)
        if channel.transaction is not None:
            channel.transaction.publish(message, route.queues, self._mandatory)
            return
        stored = False
        if route.queues:
            stored = channel.vhost.deliver(message, route.queues)
        elif self._mandatory:
            channel.return_unroutable(message)
        if channel.confirms is not None:
            channel.confirms.count(stored)
            channel.settle_later()

    def _look_up(self, arguments: bytes) -> None:
        channel = self._channel
        vhost = channel.vhost
        method = BasicPublish.decode(arguments)
        self._arguments = b""  # what follows may raise
        if method.immediate:
            raise NotImplementedByBroker("immediate=true")
        channel.check(Action.WRITE, "exchange", method.exchange)
        exchange = vhost.exchange(method.exchange)
        if exchange.internal:
            raise AccessRefused(f"cannot publish to internal {vhost.describe_exchange(method.exchange)}")
        self._exchange = exchange
        self._mandatory = method.mandatory
        self._address = Address(method.exchange, method.routing_key)
        self._route = None
        self._generation = vhost.generation
        self._arguments = arguments

    def _ask(self, message: Message) -> Route:
        assert self._exchange is not None
        route = self._channel.vhost.route(self._exchange, message)
        if route.lasting:
            self._route = route
        return route

    def _check_left_out(self, header: bytes) -> None:
        announced = PREFIX.unpack_from(header)[2]
        if announced:
            limit = self._channel.max_message_size
            raise PreconditionFailed(f"message size {announced} is larger than configured max size {limit}")

    def _check_properties(self, header: bytes) -> bool:
        """Whether the message is persistent.

        Raises PreconditionFailed for a property that cannot be, ProtocolError 502 for a malformed header.
        """
        persistent = check_header(header)
        if _FLAGS.unpack_from(header, FLAGS_OFFSET)[0] & _CHECKED:
            properties = decode_header(header)
            if properties.expiration is not None:
                check_expiration(properties.expiration)
            user = self._channel.user
            if properties.user_id not in (None, user.name) and IMPERSONATOR not in user.tags:
                raise PreconditionFailed(
                    f"user_id property set to '{properties.user_id}' but authenticated user was '{user.name}'"
                )
        return persistent


def check_expiration(expiration: str) -> int:
    """The milliseconds a message may wait. Raises PreconditionFailed when it is no number, or out of range."""
    digits = expiration[1:] if expiration[:1] in ("-", "+") else expiration
    number = len(digits) - len(digits.lstrip("0123456789"))
    if not number:
        raise PreconditionFailed(f"invalid expiration '{expiration}': no_integer")
    if digits[number:]:
        raise PreconditionFailed(f"invalid expiration '{expiration}': {{leftover_string,\"{digits[number:]}\"}}")
    value = int(expiration)
    if value < 0:
        raise PreconditionFailed(f"invalid expiration '{expiration}': {{value_negative,{value}}}")
    if value > 315_360_000_000:
        raise PreconditionFailed(f"invalid expiration '{expiration}': {{value_too_large,{value}}}")
    return value


def unroutable(message: Message) -> BasicReturn:
    """The basic.return of a mandatory message that reached no queue; its text has no ` - `, unlike all others."""
    return BasicReturn(ReplyCode.NO_ROUTE, ReplyCode.NO_ROUTE.name, message.exchange, message.routing_key)


def confirm_select(channel: Channel, method: ConfirmSelect) -> None:
    if channel.transaction is not None:
        raise PreconditionFailed("cannot switch from tx to confirm mode")
    if channel.confirms is None:
        channel.confirms = Confirms()
    if not method.nowait:
        channel.reply(ConfirmSelectOk())


HANDLERS: Final[dict[type[Method], Callable[[Channel, Any], None]]] = {ConfirmSelect: confirm_select}
