"""Publishing: what is checked of a basic.publish, basic.return and confirm.select.

A publish itself is handled by `publishing`, which asks here whenever it meets something new.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ..auth.base import IMPERSONATOR, Action
from ..broker.copies import BCC, further_keys
from ..broker.route import Route
from ..broker.vhost import REPLY_TO
from ..errors import AccessRefused, NotImplementedByBroker, PreconditionFailed
from ..message import NO_TTL, Address, Message
from ..wire.methods import BasicPublish, BasicReturn, ConfirmSelect, ConfirmSelectOk
from ..wire.properties import (
    FLAGS_OFFSET,
    HAS_EXPIRATION,
    HAS_HEADERS,
    HAS_REPLY_TO,
    HAS_USER_ID,
    PREFIX,
    check_header,
    decode_header,
)
from ..wire.rewrite import with_reply_to, without_field
from ..wire.schema import Method, encode_shortstr
from ..wire.spec import ReplyCode
from .confirms import Confirms
from .publishing import Target, Traits
from .replies import reply_address

if TYPE_CHECKING:
    from ..broker.exchanges import Exchange
    from .channel import Channel

_CHECKED: Final = HAS_EXPIRATION | HAS_USER_ID
"""Properties a broker has to look into."""

_COPIES: Final = re.compile(rb"\x02CC|\x03BCC")
"""What every headers table that names further routing keys has in it."""

_REPLY_TO: Final = encode_shortstr(REPLY_TO)
"""Every header with that reply-to has it in it."""

_FLAGS: Final = struct.Struct(">H")


class ChannelCustoms:
    """Looks into what a channel's publisher has not shown before; see `Customs`."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def find(self, arguments: bytes) -> Target:
        vhost = self._channel.vhost
        method = BasicPublish.decode(arguments)
        if method.immediate:
            raise NotImplementedByBroker("immediate=true")
        self._channel.check(Action.WRITE, "exchange", method.exchange)
        exchange = vhost.exchange(method.exchange)
        if exchange.internal:
            raise AccessRefused(f"cannot publish to internal {vhost.describe_exchange(method.exchange)}")
        return Target(exchange, Address(method.exchange, method.routing_key), method.mandatory, None)

    def admit(self, exchange: Exchange) -> bool:
        self._channel.check(Action.WRITE, "exchange", exchange.name)
        return not self._channel.topics_are_checked(exchange)

    def look_closer(self, target: Target, traits: Traits) -> None:
        channel = self._channel
        for key in (target.address.routing_key, *(traits.keys or ())):
            channel.check_topic(Action.WRITE, target.exchange, key)
        if traits.claimed is not None:
            raise PreconditionFailed(
                f"user_id property set to '{traits.claimed}' but authenticated user was '{channel.user.name}'"
            )

    def route(self, target: Target, message: Message, keys: tuple[str, ...] | None) -> Route:
        route = self._channel.vhost.route(target.exchange, message, keys or ())
        if route.lasting and keys is None:
            target.route = route
        return route

    def trace(self, message: Message, keys: tuple[str, ...] | None, route: Route) -> None:
        firehose = self._channel.vhost.routes.firehose
        if firehose is not None:
            firehose.published(message, keys or (), route.queues, self._channel.actor)

    def check_empty(self, header: bytes) -> None:
        announced = PREFIX.unpack_from(header)[2]
        if announced:
            limit = self._channel.max_message_size
            raise PreconditionFailed(f"message size {announced} is larger than configured max size {limit}")

    def check_properties(self, header: bytes) -> Traits:
        persistent = check_header(header)
        ttl = NO_TTL
        keys: tuple[str, ...] | None = None
        claimed: str | None = None
        passed_on = header
        flags = _FLAGS.unpack_from(header, FLAGS_OFFSET)[0]
        copied = flags & HAS_HEADERS and _COPIES.search(header) is not None
        replied = flags & HAS_REPLY_TO and _REPLY_TO in header
        if copied or replied or flags & _CHECKED:
            properties = decode_header(header)
            if properties.reply_to == REPLY_TO:
                passed_on = with_reply_to(passed_on, reply_address(self._channel))
            if properties.expiration is not None:
                ttl = check_expiration(properties.expiration)
            if copied and properties.headers:
                keys = further_keys(properties.headers) or None
                if BCC in properties.headers:
                    passed_on = without_field(passed_on, BCC)
            user = self._channel.user
            if properties.user_id not in (None, user.name) and IMPERSONATOR not in user.tags:
                claimed = properties.user_id
        return Traits(persistent, ttl, keys, None if passed_on is header else passed_on[PREFIX.size :], claimed)

    def hand_back(self, message: Message) -> None:
        self._channel.return_unroutable(message)

    def confirm_later(self) -> None:
        self._channel.settle_later()


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
    if channel.publishing.confirms is None:
        channel.publishing.confirms = Confirms(channel.acks_are_due)
    if not method.nowait:
        channel.reply(ConfirmSelectOk())


HANDLERS: Final[dict[type[Method], Callable[[Channel, Any], None]]] = {ConfirmSelect: confirm_select}
