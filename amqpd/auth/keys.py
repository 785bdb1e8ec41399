"""Keys that tokens are signed with: from files, and from a JSON Web Key Set that is fetched when a key is unknown."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from ..clock import Clock
from .http import Fetch, Request, Response, Unanswered
from .pending import Pending

PAUSE: Final = 10.0
"""Seconds between two looks at a key set, whatever unknown keys tokens name."""

_UAA: Final = {
    "HMACSHA256": "HS256",
    "HMACSHA384": "HS384",
    "HMACSHA512": "HS512",
    "SHA256withRSA": "RS256",
    "SHA512withRSA": "RS512",
}
"""What some authorization servers call algorithms."""

_CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


class BadKey(Exception):
    """It is no key to verify signatures with."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key, and the algorithms that may be used with it: never one of another kind of key."""

    key: Any
    algorithms: tuple[str, ...]


def key_from_pem(pem: bytes) -> Key:
    """A public key, or that of a certificate. Raises BadKey."""
    try:
        if b"BEGIN CERTIFICATE" in pem:
            key: Any = load_pem_x509_certificate(pem).public_key()
        else:
            key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey(str(error)) from None
    return Key(key, _algorithms(key))


def key_from_jwk(jwk: Mapping[str, Any]) -> Key:
    """Raises BadKey."""
    jwk = dict(jwk)
    if jwk.get("use", "sig") != "sig":
        raise BadKey("it is not for signatures")
    if jwk.get("kty") == "MAC" and isinstance(jwk.get("value"), str):
        jwk["kty"] = "oct"
        jwk["k"] = base64.urlsafe_b64encode(jwk["value"].encode()).rstrip(b"=").decode()
    named = jwk.pop("alg", None)
    try:
        key = jwt.PyJWK(jwk).key
    except (jwt.PyJWTError, ValueError, TypeError, LookupError, AttributeError, UnsupportedAlgorithm) as error:
        raise BadKey(str(error)) from None
    fitting = _algorithms(key)
    if named is not None:
        fitting = tuple(name for name in fitting if name == _UAA.get(str(named), named))
    if not fitting:
        raise BadKey(f"algorithm {named} does not fit it")
    return Key(key, fitting)


def _algorithms(key: Any) -> tuple[str, ...]:
    if isinstance(key, rsa.RSAPublicKey):
        return ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return (_CURVES[key.curve.name],)
    if isinstance(key, (ed25519.Ed25519PublicKey, ed448.Ed448PublicKey)):
        return ("EdDSA",)
    if isinstance(key, bytes):
        return ("HS256", "HS384", "HS512")
    raise BadKey("it is no public key of a known kind")


class Keys:
    """Keys by their ids. `url` is where the key set is; or `issuer` where a document is that says so."""

    def __init__(
        self,
        static: Mapping[str, Key],
        clock: Clock,
        log: Any,
        fetch: Fetch | None = None,
        *,
        url: str = "",
        issuer: str = "",
    ) -> None:
        self._static = dict(static)
        self._fetched: dict[str, Key] = {}
        self._clock = clock
        self._log = log
        self._fetch = fetch
        self._url = url
        self._issuer = issuer
        self._fetching: Pending[bool] | None = None
        self._looked: float | None = None  # when that ended last

    def find(self, key_id: str) -> Key | None:
        return self._fetched.get(key_id) or self._static.get(key_id)

    def refresh(self) -> Pending[bool] | None:
        """Fetch the key set; whether that worked. One at a time, for all who ask. None when there is nothing new."""
        if self._fetch is None or not (self._url or self._issuer):
            return None
        if self._fetching is not None:
            return self._fetching
        if self._looked is not None and self._clock.now() - self._looked < PAUSE:
            return None
        fetching = self._fetching = Pending()
        if self._url:
            self._get(self._url, self._take_keys)
        else:
            self._get(self._issuer, self._take_document)
        return fetching

    def _get(self, url: str, take: Callable[[Any], None]) -> None:
        """Fetch JSON and hand it over; what cannot be had ends the fetching."""
        assert self._fetch is not None

        def read(response: Response | Unanswered) -> None:
            if isinstance(response, Unanswered):
                self._failed(url, response.reason)
            elif response.status != 200:
                self._failed(url, f"status {response.status}")
            else:
                try:
                    found = json.loads(response.body)
                except (ValueError, RecursionError):
                    self._failed(url, "it is no JSON")
                else:
                    take(found)

        self._fetch(Request("GET", url)).then(read)

    def _take_document(self, document: Any) -> None:
        url = document.get("jwks_uri") if isinstance(document, dict) else None
        if isinstance(url, str) and url.startswith(("https://", "http://")):
            self._get(url, self._take_keys)
        else:
            self._failed(self._issuer, "it has no jwks_uri")

    def _take_keys(self, found: Any) -> None:
        listed = found.get("keys") if isinstance(found, dict) else None
        keys: dict[str, Key] = {}
        for jwk in listed if isinstance(listed, list) else ():
            if isinstance(jwk, dict) and isinstance(jwk.get("kid"), str):
                try:
                    keys[jwk["kid"]] = key_from_jwk(jwk)
                except BadKey as error:
                    self._log.warning("a signing key is of no use", key=jwk["kid"], reason=str(error))
        if keys:
            self._fetched = keys
            self._done(True)
        else:
            self._failed(self._url, "it has no keys")

    def _failed(self, url: str, reason: str) -> None:
        self._log.error("failed to download signing keys", url=url, reason=reason)
        self._done(False)

    def _done(self, worked: bool) -> None:
        fetching, self._fetching = self._fetching, None
        self._looked = self._clock.now()
        assert fetching is not None
        fetching.resolve(worked)
