"""The methods of AMQP 0-9-1 and RabbitMQ's additions to them. This file is the protocol table.

Classes stand in the order of the specification's reference; `S` marks those a client sends to a server, `C` those
a server sends to a client. RabbitMQ's own: connection.blocked, unblocked, update-secret, exchange.bind and unbind,
basic.nack, and the confirm class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final

from .schema import Bit, Long, LongLong, LongStr, Method, Octet, Short, ShortStr, Table, method
from .spec import ProtocolError, ReplyCode


@method(10, 10)
class ConnectionStart(Method):  # C
    version_major: Octet = 0
    version_minor: Octet = 9
    server_properties: Table = field(default_factory=dict)
    mechanisms: LongStr = b"PLAIN"
    locales: LongStr = b"en_US"


@method(10, 11)
class ConnectionStartOk(Method):  # S
    client_properties: Table = field(default_factory=dict)
    mechanism: ShortStr = "PLAIN"
    response: LongStr = b""
    locale: ShortStr = "en_US"


@method(10, 20)
class ConnectionSecure(Method):  # C
    challenge: LongStr = b""


@method(10, 21)
class ConnectionSecureOk(Method):  # S
    response: LongStr = b""


@method(10, 30)
class ConnectionTune(Method):  # C
    channel_max: Short = 0
    frame_max: Long = 0
    heartbeat: Short = 0


@method(10, 31)
class ConnectionTuneOk(Method):  # S
    channel_max: Short = 0
    frame_max: Long = 0
    heartbeat: Short = 0


@method(10, 40)
class ConnectionOpen(Method):  # S
    virtual_host: ShortStr = "/"
    reserved_1: ShortStr = ""
    reserved_2: Bit = False


@method(10, 41)
class ConnectionOpenOk(Method):  # C
    reserved_1: ShortStr = ""


@method(10, 50)
class ConnectionClose(Method):  # S C
    reply_code: Short = 200
    reply_text: ShortStr = ""
    failing_class_id: Short = 0
    failing_method_id: Short = 0


@method(10, 51)
class ConnectionCloseOk(Method):  # S C
    pass


@method(10, 60)
class ConnectionBlocked(Method):  # C
    reason: ShortStr = ""


@method(10, 61)
class ConnectionUnblocked(Method):  # C
    pass


@method(10, 70)
class ConnectionUpdateSecret(Method):  # S
    new_secret: LongStr = b""
    reason: ShortStr = ""


@method(10, 71)
class ConnectionUpdateSecretOk(Method):  # C
    pass


@method(20, 10)
class ChannelOpen(Method):  # S
    reserved_1: ShortStr = ""


@method(20, 11)
class ChannelOpenOk(Method):  # C
    reserved_1: LongStr = b""


@method(20, 20)
class ChannelFlow(Method):  # S C
    active: Bit = True


@method(20, 21)
class ChannelFlowOk(Method):  # S C
    active: Bit = True


@method(20, 40)
class ChannelClose(Method):  # S C
    reply_code: Short = 200
    reply_text: ShortStr = ""
    failing_class_id: Short = 0
    failing_method_id: Short = 0


@method(20, 41)
class ChannelCloseOk(Method):  # S C
    pass


@method(30, 10)
class AccessRequest(Method):  # S
    realm: ShortStr = "/data"
    exclusive: Bit = False
    passive: Bit = True
    active: Bit = True
    write: Bit = True
    read: Bit = True


@method(30, 11)
class AccessRequestOk(Method):  # C
    ticket: Short = 1


@method(40, 10)
class ExchangeDeclare(Method):  # S
    reserved_1: Short = 0
    exchange: ShortStr = ""
    type: ShortStr = "direct"
    passive: Bit = False
    durable: Bit = False
    auto_delete: Bit = False
    internal: Bit = False
    nowait: Bit = False
    arguments: Table = field(default_factory=dict)


@method(40, 11)
class ExchangeDeclareOk(Method):  # C
    pass


@method(40, 20)
class ExchangeDelete(Method):  # S
    reserved_1: Short = 0
    exchange: ShortStr = ""
    if_unused: Bit = False
    nowait: Bit = False


@method(40, 21)
class ExchangeDeleteOk(Method):  # C
    pass


@method(40, 30)
class ExchangeBind(Method):  # S
    reserved_1: Short = 0
    destination: ShortStr = ""
    source: ShortStr = ""
    routing_key: ShortStr = ""
    nowait: Bit = False
    arguments: Table = field(default_factory=dict)


@method(40, 31)
class ExchangeBindOk(Method):  # C
    pass


@method(40, 40)
class ExchangeUnbind(Method):  # S
    reserved_1: Short = 0
    destination: ShortStr = ""
    source: ShortStr = ""
    routing_key: ShortStr = ""
    nowait: Bit = False
    arguments: Table = field(default_factory=dict)


@method(40, 51)  # 51, not 41: RabbitMQ's historical number
class ExchangeUnbindOk(Method):  # C
    pass


@method(50, 10)
class QueueDeclare(Method):  # S
    reserved_1: Short = 0
    queue: ShortStr = ""
    passive: Bit = False
    durable: Bit = False
    exclusive: Bit = False
    auto_delete: Bit = False
    nowait: Bit = False
    arguments: Table = field(default_factory=dict)


@method(50, 11)
class QueueDeclareOk(Method):  # C
    queue: ShortStr = ""
    message_count: Long = 0
    consumer_count: Long = 0


@method(50, 20)
class QueueBind(Method):  # S
    reserved_1: Short = 0
    queue: ShortStr = ""
    exchange: ShortStr = ""
    routing_key: ShortStr = ""
    nowait: Bit = False
    arguments: Table = field(default_factory=dict)


@method(50, 21)
class QueueBindOk(Method):  # C
    pass


@method(50, 30)
class QueuePurge(Method):  # S
    reserved_1: Short = 0
    queue: ShortStr = ""
    nowait: Bit = False


@method(50, 31)
class QueuePurgeOk(Method):  # C
    message_count: Long = 0


@method(50, 40)
class QueueDelete(Method):  # S
    reserved_1: Short = 0
    queue: ShortStr = ""
    if_unused: Bit = False
    if_empty: Bit = False
    nowait: Bit = False


@method(50, 41)
class QueueDeleteOk(Method):  # C
    message_count: Long = 0


@method(50, 50)
class QueueUnbind(Method):  # S
    reserved_1: Short = 0
    queue: ShortStr = ""
    exchange: ShortStr = ""
    routing_key: ShortStr = ""
    arguments: Table = field(default_factory=dict)


@method(50, 51)
class QueueUnbindOk(Method):  # C
    pass


@method(60, 10)
class BasicQos(Method):  # S
    prefetch_size: Long = 0
    prefetch_count: Short = 0
    global_: Bit = False


@method(60, 11)
class BasicQosOk(Method):  # C
    pass


@method(60, 20)
class BasicConsume(Method):  # S
    reserved_1: Short = 0
    queue: ShortStr = ""
    consumer_tag: ShortStr = ""
    no_local: Bit = False
    no_ack: Bit = False
    exclusive: Bit = False
    nowait: Bit = False
    arguments: Table = field(default_factory=dict)


@method(60, 21)
class BasicConsumeOk(Method):  # C
    consumer_tag: ShortStr = ""


@method(60, 30)
class BasicCancel(Method):  # S C
    consumer_tag: ShortStr = ""
    nowait: Bit = False


@method(60, 31)
class BasicCancelOk(Method):  # S C
    consumer_tag: ShortStr = ""


@method(60, 40, content=True)
class BasicPublish(Method):  # S
    reserved_1: Short = 0
    exchange: ShortStr = ""
    routing_key: ShortStr = ""
    mandatory: Bit = False
    immediate: Bit = False


@method(60, 50, content=True)
class BasicReturn(Method):  # C
    reply_code: Short = 200
    reply_text: ShortStr = ""
    exchange: ShortStr = ""
    routing_key: ShortStr = ""


@method(60, 60, content=True)
class BasicDeliver(Method):  # C
    consumer_tag: ShortStr = ""
    delivery_tag: LongLong = 0
    redelivered: Bit = False
    exchange: ShortStr = ""
    routing_key: ShortStr = ""


@method(60, 70)
class BasicGet(Method):  # S
    reserved_1: Short = 0
    queue: ShortStr = ""
    no_ack: Bit = False


@method(60, 71, content=True)
class BasicGetOk(Method):  # C
    delivery_tag: LongLong = 0
    redelivered: Bit = False
    exchange: ShortStr = ""
    routing_key: ShortStr = ""
    message_count: Long = 0


@method(60, 72)
class BasicGetEmpty(Method):  # C
    reserved_1: ShortStr = ""


@method(60, 80)
class BasicAck(Method):  # S C
    delivery_tag: LongLong = 0
    multiple: Bit = False


@method(60, 90)
class BasicReject(Method):  # S
    delivery_tag: LongLong = 0
    requeue: Bit = True


@method(60, 100)
class BasicRecoverAsync(Method):  # S
    requeue: Bit = False


@method(60, 110)
class BasicRecover(Method):  # S
    requeue: Bit = False


@method(60, 111)
class BasicRecoverOk(Method):  # C
    pass


@method(60, 120)
class BasicNack(Method):  # S C
    delivery_tag: LongLong = 0
    multiple: Bit = False
    requeue: Bit = True


@method(85, 10)
class ConfirmSelect(Method):  # S
    nowait: Bit = False


@method(85, 11)
class ConfirmSelectOk(Method):  # C
    pass


@method(90, 10)
class TxSelect(Method):  # S
    pass


@method(90, 11)
class TxSelectOk(Method):  # C
    pass


@method(90, 20)
class TxCommit(Method):  # S
    pass


@method(90, 21)
class TxCommitOk(Method):  # C
    pass


@method(90, 30)
class TxRollback(Method):  # S
    pass


@method(90, 31)
class TxRollbackOk(Method):  # C
    pass


METHODS: Final[Mapping[int, type[Method]]] = {cls.id: cls for cls in Method.__subclasses__() if hasattr(cls, "id")}
"""Every method by its id (class id << 16 | method id)."""

CONTENT_METHODS: Final = frozenset(cls.id for cls in METHODS.values() if cls.has_content)


def decode_method(method_id: int, arguments: bytes) -> Method:
    """The method with this id from its arguments.

    Raises ProtocolError: 540 for an id no method has (RabbitMQ drops the connection instead), else as `Method.decode`.
    """
    cls = METHODS.get(method_id)
    if cls is None:
        raise ProtocolError(
            ReplyCode.NOT_IMPLEMENTED, f"unknown method, class {method_id >> 16} method {method_id & 0xFFFF}"
        )
    return cls.decode(arguments)
