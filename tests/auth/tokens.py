"""Keys and tokens for tests."""

from __future__ import annotations

import json
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = 1_000_000_000

RSA = rsa.generate_private_key(65537, 2048)
OTHER_RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
SECRET = b"a secret that is long enough, whatever the algorithm may be: 64 bytes"


def pem(key: Any) -> bytes:
    """The public half."""
    found: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return found


def jwk(key: Any, kid: str = "k", algorithm: Any = None, **fields: Any) -> dict[str, Any]:
    """The public half, as JSON Web Keys are written."""
    if algorithm is None:
        algorithm = jwt.algorithms.RSAAlgorithm
    made = algorithm.to_jwk(key if isinstance(key, bytes) else key.public_key())
    return {**json.loads(made), "kid": kid, **fields}


def token(key: Any = RSA, algorithm: str = "RS256", kid: str | None = "k", **claims: Any) -> bytes:
    """By default, one that lets in alice for an hour; a claim of None is left out."""
    payload = {
        "sub": "alice",
        "aud": "rabbitmq",
        "exp": NOW + 3600,
        "scope": "rabbitmq.read:*/* rabbitmq.tag:management other.write:*/*",
        **claims,
    }
    payload = {name: value for name, value in payload.items() if value is not None}
    headers = {"kid": kid} if kid is not None else None
    return jwt.encode(payload, key, algorithm, headers).encode()
