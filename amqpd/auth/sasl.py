"""SASL mechanisms: from a start-ok response to credentials (specification 4.9, RabbitMQ's rabbit_auth_mechanism_*).

PLAIN and AMQPLAIN read name and password from the response; EXTERNAL takes the name from the certificate that the
client has proved to own; ANONYMOUS lets everybody in as one configured user.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from ..errors import SyntaxInvalid
from ..wire.fields import RawString, decode_table
from ..wire.spec import ProtocolError
from .base import Credentials, Peer
from .certificate import Certificate

Mechanism: TypeAlias = Callable[[bytes, Peer], Credentials]
"""What a client's response, and who it is, says of it. Raises SyntaxInvalid, or LoginRefused."""

KNOWN: Final = ("PLAIN", "AMQPLAIN", "EXTERNAL", "ANONYMOUS")


class LoginRefused(Exception):
    """There is nobody to ask for a password; says why, to the log and never to the client."""


def plain(response: bytes, peer: Peer) -> Credentials:
    """RFC 4616 without an authorization identity: NUL name NUL password. Raises SyntaxInvalid when it is not that."""
    parts = response.split(b"\x00")
    if len(parts) != 3 or parts[0]:
        raise SyntaxInvalid("response invalid")
    return Credentials(_text(parts[1]), parts[2])


def amqplain(response: bytes, peer: Peer) -> Credentials:
    """The fields of a table, without its length: LOGIN and PASSWORD. Raises SyntaxInvalid when they are not there."""
    try:
        table, _ = decode_table(len(response).to_bytes(4, "big") + response)
    except ProtocolError:
        raise SyntaxInvalid("response invalid") from None
    name, password = table.get("LOGIN"), table.get("PASSWORD")
    if isinstance(password, str):
        password = password.encode()
    if not isinstance(name, str) or not isinstance(password, (bytes, RawString)):
        raise SyntaxInvalid("AMQPLAIN auth info is missing LOGIN or PASSWORD field")
    return Credentials(name, bytes(password))


@dataclass(frozen=True, slots=True)
class External:
    """The name is in the client's certificate; the response says nothing."""

    login_from: str = "distinguished_name"  # or common_name, subject_alternative_name
    san_type: str = "dns"
    san_index: int = 0  # which of those of this type

    def __call__(self, response: bytes, peer: Peer) -> Credentials:
        """Raises LoginRefused when there is no certificate, or no such name in it."""
        if peer.encryption is None:
            raise LoginRefused("not a TLS-enabled connection")
        certificate = peer.encryption.certificate
        if certificate is None:
            raise LoginRefused("connection peer presented no TLS (x.509) certificate")
        name = self._name(certificate)
        if not name:
            raise LoginRefused("no name found")
        return Credentials(name, None)

    def _name(self, certificate: Certificate) -> str:
        if self.login_from == "distinguished_name":
            return certificate.subject
        if self.login_from == "common_name":
            return ",".join(certificate.common_names)
        names = [name for kind, name in certificate.alternative_names if kind == self.san_type]
        return names[self.san_index] if self.san_index < len(names) else ""


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Whoever asks is this user, and has to be let in as such."""

    credentials: Credentials

    def __call__(self, response: bytes, peer: Peer) -> Credentials:
        return self.credentials


def on_offer(
    names: Sequence[str],
    *,
    encrypted: bool = False,
    external: External | None = None,
    anonymous: Anonymous | None = None,
) -> dict[str, Mechanism]:
    """The mechanisms of a listener, in order: of those named, EXTERNAL needs TLS, and ANONYMOUS somebody to be."""
    ways: dict[str, Mechanism] = {"PLAIN": plain, "AMQPLAIN": amqplain}
    if encrypted:
        ways["EXTERNAL"] = external or External()
    if anonymous is not None:
        ways["ANONYMOUS"] = anonymous
    return {name: ways[name] for name in names if name in ways}


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise SyntaxInvalid("response invalid") from None
