"""Refusals of the HTTP API: a status, and RabbitMQ's words for it in JSON (rabbit_mgmt_util)."""

from __future__ import annotations

from typing import Any

from ..errors import NoSuchObject, NotFound, OperatorError, ValidationFailed
from ..wire.spec import ProtocolError, ReplyCode


class HttpError(Exception):
    """What is answered instead of what was asked for. `error` and `reason` make up the body; none without `error`."""

    def __init__(self, status: int, error: str = "", reason: Any = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{status} {error}: {reason}")
        self.status = status
        self.error = error
        self.reason = reason
        self.headers = headers or {}


def bad_request(reason: Any) -> HttpError:
    return HttpError(400, "bad_request", reason)


def body_too_large() -> HttpError:
    """Nobody waits for the rest of it."""
    reason = "Exceeded HTTP request body size limit"
    return HttpError(400, "bad_request", reason, {"Connection": "close"})


def stats_disabled() -> HttpError:
    """Asked for what only statistics know."""
    return bad_request("Stats in management UI are disabled on this node")


def not_found() -> HttpError:
    """Something named in the path is not there."""
    return HttpError(404, "Object Not Found", "Not Found")


def vhost_not_found() -> HttpError:
    """Something is to be put into a vhost that is not there."""
    return HttpError(404, "not_found", "vhost_not_found")


def precondition_failed(reason: str) -> HttpError:
    return HttpError(412, "precondition_failed", reason)


def not_authorised(reason: str) -> HttpError:
    """Known, but not entitled to this."""
    return HttpError(401, "not_authorised", reason)


def login_failed() -> HttpError:
    return HttpError(401, "not_authorized", "Login failed")


def login_required() -> HttpError:
    return HttpError(401, headers={"WWW-Authenticate": 'Basic realm="RabbitMQ Management"'})


def inner_refusal(error: ProtocolError) -> HttpError:
    """The same of what RabbitMQ's API does through a channel of its own, and tells as that does."""
    return bad_request(f"{error.code.value} {error.reply_text}")


def refusal(error: ProtocolError | OperatorError) -> HttpError:
    """How the model's objections are told over HTTP."""
    if isinstance(error, NoSuchObject):
        return HttpError(404, "Object Not Found", str(error) or "Not Found")
    if isinstance(error, ValidationFailed):
        return bad_request(f"Validation failed\n\n{error}\n")
    if isinstance(error, OperatorError):
        return bad_request(str(error))
    if isinstance(error, NotFound):
        return HttpError(404, "not_found", error.explanation)
    if error.code in (ReplyCode.ACCESS_REFUSED, ReplyCode.NOT_ALLOWED):
        return not_authorised("Access refused.")
    return bad_request(error.explanation)
