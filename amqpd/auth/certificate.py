"""Who an X.509 certificate speaks of, in the words RabbitMQ has for it (rabbit_cert_info, rabbit_ssl).

Reads DER, the binary form, and no more of it than names, alternative names and validity. Whether a certificate is to be
trusted is for the TLS library to say; what comes here was verified.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

SanType = Literal["dns", "ip", "email", "uri", "other_name"]

_ATTRIBUTES: Final = {
    "2.5.4.4": "SN",
    "2.5.4.42": "GIVENNAME",
    "2.5.4.43": "INITIALS",
    "2.5.4.44": "GENERATIONQUALIFIER",
    "2.5.4.3": "CN",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "TITLE",
    "2.5.4.6": "C",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.65": "PSEUDONYM",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
    "1.2.840.113549.1.9.1": "EMAILADDRESS",
}
"""What a part of a name is called; others show their object identifier, as does the street with RabbitMQ."""

_COMMON_NAME: Final = "CN"
_SUBJECT_ALTERNATIVE_NAME: Final = "2.5.29.17"

_SEQUENCE: Final = 0x30
_OBJECT_IDENTIFIER: Final = 0x06
_UTC_TIME: Final = 0x17
_VERSION: Final = 0xA0  # the optional first field of a certificate
_EXTENSIONS: Final = 0xA3  # the last

_ENCODINGS: Final = {
    0x0C: "utf-8",  # UTF8String
    0x12: "latin-1",  # NumericString
    0x13: "latin-1",  # PrintableString
    0x14: "latin-1",  # TeletexString, as everybody uses it
    0x16: "latin-1",  # IA5String
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}

_SAN_TYPES: Final[dict[int, SanType]] = {0xA0: "other_name", 0x81: "email", 0x82: "dns", 0x86: "uri", 0x87: "ip"}


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is known of a certificate's owner."""

    subject: str  # a distinguished name, as in `CN=alice,O=Acme\, Inc.`
    issuer: str
    validity: str  # as in `2026-11-26T04:10:20Z - 2027-11-26T04:10:20Z`
    common_names: tuple[str, ...] = ()
    alternative_names: tuple[tuple[SanType, str], ...] = ()

    @classmethod
    def parse(cls, der: bytes) -> Certificate:
        """Raises ValueError when this is no certificate."""
        try:
            return cls._parsed(der)
        except (IndexError, StopIteration, UnicodeDecodeError) as error:
            raise ValueError("not a certificate in DER") from error

    @classmethod
    def _parsed(cls, der: bytes) -> Certificate:
        fields = list(_children(next(_children(next(_children(der))[1]))[1]))
        if fields[0][0] == _VERSION:
            del fields[0]
        _serial, _algorithm, (_, issuer), (_, validity), (_, subject), _key, *others = fields
        extensions = next((content for tag, content in others if tag == _EXTENSIONS), b"")
        return cls(
            _distinguished_name(subject),
            _distinguished_name(issuer),
            " - ".join([_moment(tag, content) for tag, content in _children(validity)]),
            tuple(value for name in _names(subject) for kind, value in name if kind == _COMMON_NAME),
            tuple(_alternative_names(extensions)),
        )


@dataclass(frozen=True, slots=True)
class Encryption:
    """How a connection is encrypted, in Erlang's words, and who the client proved to be."""

    protocol: str  # as in `tlsv1.3`
    key_exchange: str  # as in `ecdhe_rsa`; `any` as of TLS 1.3, whose suites do not say
    cipher: str  # as in `aes_256_gcm`
    hash: str  # as in `sha384`; `aead` when the cipher does that
    certificate: Certificate | None = None

    @classmethod
    def by_suite(cls, protocol: str, suite: str, certificate: Certificate | None = None) -> Encryption:
        """From OpenSSL's names, such as `TLSv1.2` and `ECDHE-RSA-AES256-GCM-SHA384`."""
        return cls(protocol.lower(), *_parts_of_suite(suite), certificate)

    @property
    def fields(self) -> dict[str, str]:
        """What events and the management API say of it."""
        fields = {
            "ssl_protocol": self.protocol,
            "ssl_key_exchange": self.key_exchange,
            "ssl_cipher": self.cipher,
            "ssl_hash": self.hash,
        }
        certificate = self.certificate
        if certificate is not None:
            fields["peer_cert_subject"] = certificate.subject
            fields["peer_cert_issuer"] = certificate.issuer
            fields["peer_cert_validity"] = certificate.validity
        return fields


def _parts_of_suite(suite: str) -> tuple[str, str, str]:
    """Key exchange, cipher and hash."""
    if suite.startswith("TLS_"):  # of TLS 1.3: cipher and the key derivation's hash
        cipher = suite.removeprefix("TLS_").rpartition("_")[0]
        return "any", cipher.lower(), "aead"
    words = suite.split("-")
    exchange: list[str] = []
    while words and words[0] in ("ECDHE", "DHE", "ECDH", "RSA", "DSS", "ECDSA", "PSK", "SRP", "ADH", "AECDH"):
        exchange.append(words.pop(0))
    key_exchange = "_".join(exchange).lower() or "rsa"
    if "CHACHA20" in words:
        return key_exchange, "chacha20_poly1305", "aead"
    cipher = words[0].lower().replace("aes", "aes_").replace("camellia", "camellia_")
    for mode in ("GCM", "CCM8", "CCM"):
        if mode in words:
            return key_exchange, f"{cipher}_{mode.lower().replace('8', '_8')}", "aead"
    return key_exchange, f"{cipher}_cbc", words[-1].lower()


def _children(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements that follow each other here: tag and content."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            octets = length & 0x7F
            length = int.from_bytes(data[at : at + octets], "big")
            at += octets
        if at + length > len(data):
            raise IndexError("an element that is longer than what holds it")
        yield tag, data[at : at + length]
        at += length


def _object_identifier(content: bytes) -> str:
    numbers: list[int] = []
    number = 0
    for octet in content:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def _names(content: bytes) -> Iterator[list[tuple[str, str]]]:
    """The parts of a distinguished name, each of one or several attributes: type and value."""
    for _, part in _children(content):
        attributes = []
        for _, attribute in _children(part):
            (_, kind), (tag, value) = _children(attribute)
            identifier = _object_identifier(kind)
            encoding = _ENCODINGS.get(tag)
            text = value.decode(encoding) if encoding else f"#{tag:02x}{len(value):02x}{value.hex()}"
            attributes.append((_ATTRIBUTES.get(identifier, identifier), text))
        yield attributes


def _distinguished_name(content: bytes) -> str:
    """As RFC 4514 writes it: the last part first."""
    parts = ["+".join([f"{kind}={_escaped(value)}" for kind, value in name]) for name in _names(content)]
    return ",".join(reversed(parts))


def _escaped(value: str) -> str:
    """As RFC 4514 wants it; also what is not printable ASCII, as RabbitMQ does."""
    raw = value.encode()
    escaped = []
    for place, octet in enumerate(raw):
        character = chr(octet)
        at_an_end = (place == 0 and character in " #") or (place == len(raw) - 1 and character == " ")
        if at_an_end or character in '"+,;<>\\':
            escaped.append("\\" + character)
        elif octet < 32 or octet >= 126:
            escaped.append(f"\\{octet:02X}")
        else:
            escaped.append(character)
    return "".join(escaped)


def _moment(tag: int, content: bytes) -> str:
    """UTCTime or GeneralizedTime, as ISO 8601 has it."""
    text = content.decode("ascii")
    if tag == _UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}Z"


def _alternative_names(extensions: bytes) -> Iterator[tuple[SanType, str]]:
    for _, listed in _children(extensions):
        for _, extension in _children(listed):
            (_, identifier), *_critical, (_, value) = _children(extension)
            if _object_identifier(identifier) != _SUBJECT_ALTERNATIVE_NAME:
                continue
            for tag, name in _children(next(_children(value))[1]):
                kind = _SAN_TYPES.get(tag)
                if kind is not None:
                    yield kind, _SAN_TEXTS.get(kind, bytes.decode)(name)


def _other_name(content: bytes) -> str:
    """The value of an otherName, whose type is not looked at: text, where it is that."""
    _, (_, explicit) = _children(content)
    tag, value = next(_children(explicit))
    return value.decode(_ENCODINGS.get(tag, "utf-8"))


_SAN_TEXTS: Final[dict[SanType, Callable[[bytes], str]]] = {
    "ip": lambda content: str(ipaddress.ip_address(content)),
    "other_name": _other_name,
}
