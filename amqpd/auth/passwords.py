"""Passwords as RabbitMQ keeps them: base64 of four bytes of salt, and a digest of salt and password.

So users move between the two brokers with their passwords, in files of definitions.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Any, Final

from ..errors import OperatorError

SALT_SIZE: Final = 4

DEFAULT_ALGORITHM: Final = "rabbit_password_hashing_sha256"

ALGORITHMS: Final[dict[str, Any]] = {
    DEFAULT_ALGORITHM: hashlib.sha256,
    "rabbit_password_hashing_sha512": hashlib.sha512,
    "rabbit_password_hashing_md5": hashlib.md5,  # of users that came from RabbitMQ before 3.6
}


def hash_password(password: bytes, algorithm: str = DEFAULT_ALGORITHM) -> str:
    """What to keep of a password; another each time. Raises OperatorError for an unknown algorithm."""
    salt = secrets.token_bytes(SALT_SIZE)
    return base64.b64encode(salt + digest(password, salt, algorithm)).decode()


def check_hash(password_hash: str, algorithm: str) -> None:
    """Raises OperatorError unless a password can be compared with this; an empty hash is one nothing is equal to."""
    try:
        raw = base64.b64decode(password_hash, validate=True)
    except (binascii.Error, ValueError):
        raise OperatorError("password_hash is not base64") from None
    size = SALT_SIZE + len(digest(b"", b"", algorithm))
    if raw and len(raw) != size:
        raise OperatorError(f"password_hash has {len(raw)} bytes, but those of {algorithm} have {size}")


def matches(password: bytes, password_hash: str, algorithm: str) -> bool:
    """Whether this is the password, whatever that is; it takes as long to find out when it is not."""
    raw = base64.b64decode(password_hash)
    right = hmac.compare_digest(digest(password, raw[:SALT_SIZE], algorithm), raw[SALT_SIZE:])
    return right and bool(password)


def digest(password: bytes, salt: bytes, algorithm: str) -> bytes:
    """Raises OperatorError for an unknown algorithm."""
    function = ALGORITHMS.get(algorithm)
    if function is None:
        raise OperatorError(f"unknown hashing_algorithm '{algorithm}'; those known are {', '.join(ALGORITHMS)}")
    result: bytes = function(salt + password).digest()
    return result
