"""Where RabbitMQ's versions differ, one setting chooses: `compat`.

`default` takes what most applications expect: the behaviour of 3.13 to 4.2, without refusing what older ones permit.
A version number takes that version's behaviour, so that a test suite meets today what production will do tomorrow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from ..wire.spec import ReplyCode


@dataclass(frozen=True, slots=True)
class Compat:
    """One row for each behaviour that moved between versions."""

    version: str  # announced to clients; some change what they send by it
    transient_queues: bool  # queues neither durable nor exclusive may be declared
    global_qos: bool  # basic.qos with global set limits the channel; else it is taken as without
    unknown_exchange_type: ReplyCode
    delivery_limit: int  # of quorum queues that do not say; negative: none
    nacks_count: bool  # basic.nack with requeue counts towards it, as basic.reject does
    frame_min: int  # smallest frame-max a client may ask for, in bytes
    passive_checked: bool  # a passive declare needs one permission of the three, whichever; else none
    timeout_cancels: bool  # what is not settled in time ends the consumer, of quorum queues only; else the channel
    stores_queue_type: bool = True  # x-queue-type is among a queue's arguments, whether or not it was given
    levels: int = 2  # of priority in a quorum queue: 1, 2 that share, or 32 strictly one after the other
    quorum_4_3: bool = False  # quorum queues tell of all returns, may delay them, and have timeouts of their own


PROFILES: Final = {
    "default": Compat("4.2.9", True, True, ReplyCode.PRECONDITION_FAILED, 20, False, 4096, True, False),
    "3.12": Compat(
        "3.12.14",
        True,
        True,
        ReplyCode.COMMAND_INVALID,
        -1,
        True,
        4096,
        False,
        False,
        stores_queue_type=False,
        levels=1,
    ),
    "3.13": Compat(
        "3.13.7",
        True,
        True,
        ReplyCode.PRECONDITION_FAILED,
        -1,
        True,
        4096,
        False,
        False,
        stores_queue_type=False,
        levels=1,
    ),
    "4.0": Compat("4.0.9", True, True, ReplyCode.PRECONDITION_FAILED, 20, True, 4096, False, False),
    "4.1": Compat("4.1.8", True, True, ReplyCode.PRECONDITION_FAILED, 20, True, 8192, False, False),
    "4.2": Compat("4.2.9", True, True, ReplyCode.PRECONDITION_FAILED, 20, True, 8192, True, False),
    "4.3": Compat(
        "4.3.5", False, False, ReplyCode.PRECONDITION_FAILED, 20, False, 8192, True, True, levels=32, quorum_4_3=True
    ),
}


def compat_for(
    name: str, *, version: str = "", transient_queues: bool | None = None, global_qos: bool | None = None
) -> Compat:
    """A profile, but for what is given: RabbitMQ's deprecated features can be permitted, or not, one by one."""
    profile = PROFILES[name]
    return replace(
        profile,
        version=version or profile.version,
        transient_queues=profile.transient_queues if transient_queues is None else transient_queues,
        global_qos=profile.global_qos if global_qos is None else global_qos,
    )
