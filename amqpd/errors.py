"""The errors a client can cause, one class for each reply code (specification, section 1.7, and RabbitMQ).

Raise them wherever the fault is noticed, with an explanation that names the object, the vhost and the expectation.
`amqp` turns them into channel.close or connection.close in one place; no raising site chooses which.
"""

from __future__ import annotations

from typing import ClassVar

from .wire.spec import ProtocolError, ReplyCode


class AmqpError(ProtocolError):
    """Base of the errors below; each has one reply code."""

    reply_code: ClassVar[ReplyCode]

    def __init__(self, explanation: str, method_id: int | None = None) -> None:
        super().__init__(self.reply_code, explanation, method_id)


class AccessRefused(AmqpError):
    reply_code = ReplyCode.ACCESS_REFUSED


class NotFound(AmqpError):
    reply_code = ReplyCode.NOT_FOUND


class ResourceLocked(AmqpError):
    reply_code = ReplyCode.RESOURCE_LOCKED


class PreconditionFailed(AmqpError):
    reply_code = ReplyCode.PRECONDITION_FAILED


class ConnectionForced(AmqpError):
    reply_code = ReplyCode.CONNECTION_FORCED


class SyntaxInvalid(AmqpError):
    reply_code = ReplyCode.SYNTAX_ERROR


class CommandInvalid(AmqpError):
    reply_code = ReplyCode.COMMAND_INVALID


class ChannelError(AmqpError):
    reply_code = ReplyCode.CHANNEL_ERROR


class NotAllowed(AmqpError):
    reply_code = ReplyCode.NOT_ALLOWED


class NotImplementedByBroker(AmqpError):
    reply_code = ReplyCode.NOT_IMPLEMENTED


class InternalError(AmqpError):
    reply_code = ReplyCode.INTERNAL_ERROR


class OperatorError(Exception):
    """What an operator asks for cannot be: one line that says why, in RabbitMQ's words where it has some.

    Raised by what the management API and the command line do, before anything is changed.
    """


class ValidationFailed(OperatorError):
    """A policy, parameter or limit holds what it must not; RabbitMQ's API says "Validation failed" before it."""


class NoSuchObject(OperatorError):
    """What is to be changed or deleted, or is named by something else, is not there."""


class StartupError(Exception):
    """The broker cannot start: one line that names the thing and the remedy, and a sysexits code to leave with."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code
