"""What is carried: an address, a content header kept raw, and a body.

A message is immutable from publish to settlement and shared by every queue it is in. Its properties are decoded only
when somebody asks, since most messages pass through without anybody looking at them.
"""

from __future__ import annotations

from typing import Final, Protocol

from .wire.fields import Table, Value
from .wire.properties import Properties, add_header, check_header, decode_header, encode_header, priority_of
from .wire.schema import encode_shortstr

NO_TTL: Final = -1
"""`Message.ttl` of a message that may wait for ever."""


DIED: Final = 1
"""`Message.died` of a dead letter."""

REDIRECTED: Final = 2
"""`Message.died` of a dead letter that was given a routing key: its CC shows those it had before."""


class Address:
    """Where a message was published: the exchange and the routing key.

    `wire` is the two as short strings, as basic.publish brings them and basic.deliver passes them on.
    """

    __slots__ = ("exchange", "routing_key", "wire")

    def __init__(self, exchange: str, routing_key: str, wire: bytes | None = None) -> None:
        self.exchange = exchange
        self.routing_key = routing_key
        self.wire = encode_shortstr(exchange) + encode_shortstr(routing_key) if wire is None else wire


class Receipt(Protocol):
    """A publisher's account of what it published."""

    def consumed(self, number: int) -> None:
        """What was stored of that publish was consumed."""
        ...


class Message:
    """One published message."""

    __slots__ = (
        "_properties",
        "address",
        "body",
        "died",
        "header",
        "id",
        "number",
        "persistent",
        "receipt",
        "size",
        "ttl",
    )

    def __init__(self, address: Address, header: bytes, body: bytes, persistent: bool) -> None:
        self.address = address
        self.header = header  # the content header frame's payload
        self.body = body
        self.size = len(body)  # in bytes
        self.persistent = persistent  # delivery mode 2: survives a restart in a durable queue
        self.ttl = NO_TTL  # milliseconds it may wait in a queue, by its expiration
        self.died = 0  # DIED or REDIRECTED: what its headers tell of that is the broker's word
        self.id = 0  # in the store, when several durable queues share its content; else 0
        self.receipt: Receipt | None = None  # who may wait for it to be stored, or consumed
        self.number = 0  # what it is known by there
        self._properties: Properties | None = None

    @property
    def exchange(self) -> str:
        return self.address.exchange

    @property
    def routing_key(self) -> str:
        return self.address.routing_key

    def copy(self, routing_key: str | None = None) -> Message:
        """The same content as a message of its own, which nobody has stored or waits for; under another key, if any."""
        address = self.address if routing_key is None else Address(self.address.exchange, routing_key)
        copy = compose(address, self.header, self.body, self.persistent, self.ttl)
        copy.died = self.died
        return copy

    @property
    def priority(self) -> int:
        """The priority among the properties, which are not decoded for it; 0 when there is none."""
        return priority_of(self.header)

    @property
    def properties(self) -> Properties:
        """The decoded properties; not to be changed. Raises ProtocolError 502 for a malformed header."""
        if self._properties is None:
            self._properties = decode_header(self.header)
        return self._properties

    @property
    def headers(self) -> Table:
        """The application's headers table, empty when there is none."""
        return self.properties.headers or {}


def compose(address: Address, header: bytes, body: bytes, persistent: bool, ttl: int = NO_TTL) -> Message:
    """`Message(…)`, spared the parsing of arguments: the hot path's way to make one."""
    message = Message.__new__(Message)
    message.address = address
    message.header = header
    message.body = body
    message.size = len(body)
    message.persistent = persistent
    message.ttl = ttl
    message.died = 0
    message.id = 0
    message.receipt = None
    message.number = 0
    message._properties = None
    return message


def revised(message: Message, address: Address, properties: Properties) -> Message:
    """A message with the same body under another address, or with other properties."""
    header = encode_header(properties, message.size)
    copy = compose(address, header, message.body, message.persistent, message.ttl)
    copy.died = message.died
    return copy


def with_header(message: Message, name: str, value: Value) -> Message:
    """A copy of a message with one more of the application's headers, in place of any of that name."""
    header = add_header(message.header, name, value)
    return compose(message.address, header, message.body, message.persistent, message.ttl)


def make_message(exchange: str, routing_key: str, body: bytes, properties: Properties | None = None) -> Message:
    """A message as a publisher would send it, for callers that are not reading it off a wire.

    Raises ValueError when a name or property does not fit the wire.
    """
    header = encode_header(properties, len(body))
    return Message(Address(exchange, routing_key), header, body, check_header(header))
