"""Who a certificate speaks of. What is expected is what RabbitMQ 3.10.8 says of the same certificates."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.auth.certificate import Certificate, Encryption

# made by: openssl req -subj "/C=DE/O=Acme, Inc./OU=R\\+D/CN=alice", and one of each kind of alternative name
ALICE = base64.b64decode(
    "MIICEjCCAbigAwIBAgIUBWjNTjPvTPxQc5SwNKSti/UyJAkwCgYIKoZIzj0EAwIwEjEQMA4GA1UEAwwHVGVzdCBDQTAeFw0yNjEx"
    "MjYwNDIyNTdaFw0yNzExMjYwNDIyNTdaMEAxCzAJBgNVBAYTAkRFMRMwEQYDVQQKDApBY21lLCBJbmMuMQwwCgYDVQQLDANSK0Qx"
    "DjAMBgNVBAMMBWFsaWNlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEZ7kv9ayNBlFuNXEOiEzX/xidUOkYsKwk8nWxUXuuf2lQ"
    "EIKjhskoCnntCqOMMMt4v/2BdWzsQZOoYh+ts/IBA6OBvTCBujB4BgNVHREEcTBvgg1hbGljZS5leGFtcGxlgg5zZWNvbmQuZXhh"
    "bXBsZYcECgAAAYcQAAAAAAAAAAAAAAAAAAAAAYERYWxpY2VAZXhhbXBsZS5vcmeGCXVybjphbGljZaAUBgMqAwSgDQwLYWxpY2VA"
    "cmVhbG2IAioDMB0GA1UdDgQWBBSkNoRF7RowAuD59ZDUdiX3SV7E0DAfBgNVHSMEGDAWgBTvuRGreywhA03Om09SlBHSopEl5DAK"
    "BggqhkjOPQQDAgNIADBFAiEAicnira5qQKQYiSqX2TiYcmgCvfXA6HAbYkSh0SphIFYCIBve2tR3E+taqqXWi3y+COeJJEntCXTS"
    "TPJ9hsUL+8Gx"
)

# attributes of all kinds, two common names, and what has to be escaped
MANY = base64.b64decode(
    "MIICOjCCAeGgAwIBAgIUPZthCQK1LMV97iQC3GvJABIdPvcwCgYIKoZIzj0EAwIwEjEQMA4GA1UEAwwHVGVzdCBDQTAeFw0yNjEx"
    "MjYwNDIyNTdaFw0yNzExMjYwNDIyNTdaMIHWMQwwCgYDVQQDDANvbmUxDDAKBgNVBAMMA3R3bzEZMBcGA1UECgwQR3LDtsOfZSA8"
    "eD47eSJ6XDEUMBIGCSqGSIb3DQEJARYFYUBiLmMxETAPBgoJkiaJk/IsZAEZFgF4MQowCAYDVQQFEwE3MQowCAYDVQQIDAFzMQow"
    "CAYDVQQHDAFsMQowCAYDVQQqDAFnMQwwCgYDVQQEDANzdXIxCjAIBgNVBAwMAXQxCzAJBgNVBAkMAnN0MQowCAYDVQRBDAFwMREw"
    "DwYKCZImiZPyLGQBAQwBdTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNaBd5gy3hKON3rwLaOg2Czpv6OJ1xvH9cAZ2Z+W1Edd"
    "UFrg24zI2Sqv8MIyy4a08AnEK3a84q/m2VCYVlmF51qjUDBOMAwGA1UdEQQFMAOCAXgwHQYDVR0OBBYEFCS60aSjp4TnWd/XL1iu"
    "ewAyc51+MB8GA1UdIwQYMBaAFO+5Eat7LCEDTc6bT1KUEdKikSXkMAoGCCqGSM49BAMCA0cAMEQCICZzgf9sPzKRo6Y5WdG/+Whx"
    "s4kmM/wdcLa5vNeYPXtNAiBodGJpzAYcX1DCoYwQC+mCClaE6SdBUrAn6UodNITc/w=="
)

# blanks at both ends, and a # at the beginning
BLANKS = base64.b64decode(
    "MIIBizCCATGgAwIBAgIUO3rc23ECEKD+VC3J9Y4H3oWzZxkwCgYIKoZIzj0EAwIwEjEQMA4GA1UEAwwHVGVzdCBDQTAeFw0yNjEx"
    "MjYwNDIyNTdaFw0yNzExMjYwNDIyNTdaMCcxFTATBgNVBAMMDCBsZWFkIHRyYWlsIDEOMAwGA1UECgwFI2hhc2gwWTATBgcqhkjO"
    "PQIBBggqhkjOPQMBBwNCAAT3hO9k+2fU6TwyM+PvsKo87AAgU4u9WR/18FVIaNH6VEYManQldjV4LqImDU3/AioaVW2f06SyLrLr"
    "dUaKrYDio1AwTjAMBgNVHREEBTADggF4MB0GA1UdDgQWBBTo3VUpYh580UgxKlDXdfW11s8eVzAfBgNVHSMEGDAWgBTvuRGreywh"
    "A03Om09SlBHSopEl5DAKBggqhkjOPQQDAgNIADBFAiEAjY6fc8C6WXksV5Il1aIsj/uv8J61dTkmr3lXRzd139QCIFP4Gdl6m4Df"
    "nTvdRawI9o1eLuOVYZlcY9X3Wjok9h/L"
)

# two attributes in one part, types without a name, and an end after 2050
ODD = base64.b64decode(
    "MIIBpzCCAU6gAwIBAgIUZusc4Yz99IQBE785cjNpMhRpHjIwCgYIKoZIzj0EAwIwEjEQMA4GA1UEAwwHVGVzdCBDQTAgFw0yNjEx"
    "MjYwNDIyNTdaGA8yMDY1MDMyNjA0MjI1N1owQjEbMAgGA1UEAwwBYTAPBgoJkiaJk/IsZAEBDAFiMRMwEQYDVQQNDApzb21lIHRl"
    "eHR+MQ4wDAYDVQQRDAUxMjM0NTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABL1JQUTGYkpe0Ci9EdOddqE/AhR4ZsisU8tztOQp"
    "AxfCx3QWsKU6kVe0AoNw1/HnhTYOvunpRsI5UDxSpTNXbcqjUDBOMAwGA1UdEQQFMAOCAXgwHQYDVR0OBBYEFLeiIDReDKnw2bI8"
    "wd6+h0x+c5QkMB8GA1UdIwQYMBaAFO+5Eat7LCEDTc6bT1KUEdKikSXkMAoGCCqGSM49BAMCA0cAMEQCIDzfJzvaP7GsBWyxQFUR"
    "9HDZb50glr4+vaKllsCANMbZAiAEjiu4KZbPR8i+/sNpQaGzjiXOgwN6p7PVLFOLLDCqjg=="
)


@pytest.mark.parametrize(
    ("der", "subject"),
    [
        (ALICE, "CN=alice,OU=R\\+D,O=Acme\\, Inc.,C=DE"),
        (
            MANY,
            (
                "UID=u,PSEUDONYM=p,2.5.4.9=st,TITLE=t,SN=sur,GIVENNAME=g,L=l,ST=s,SERIALNUMBER=7,DC=x,EMAILADDRESS=a@b.c,"
                'O=Gr\\C3\\B6\\C3\\9Fe \\<x\\>\\;y\\"z\\\\,CN=two,CN=one'
            ),
        ),
        (BLANKS, "O=\\#hash,CN=\\ lead trail\\ "),
        (ODD, "2.5.4.17=12345,2.5.4.13=some text\\7E,CN=a+UID=b"),
    ],
    ids=["alice", "many", "blanks", "odd"],
)
def test_the_subject_is_written_as_rabbitmq_writes_it(der: bytes, subject: str) -> None:
    certificate = Certificate.parse(der)
    assert certificate.subject == subject
    assert certificate.issuer == "CN=Test CA"


def test_the_validity_is_two_moments() -> None:
    assert Certificate.parse(ALICE).validity == "2026-11-26T04:22:57Z - 2027-11-26T04:22:57Z"
    assert Certificate.parse(ODD).validity == "2026-11-26T04:22:57Z - 2065-03-26T04:22:57Z"


def test_common_names_are_as_they_are() -> None:
    assert Certificate.parse(MANY).common_names == ("one", "two")
    assert Certificate.parse(BLANKS).common_names == (" lead trail ",)


def test_alternative_names_have_kinds() -> None:
    assert Certificate.parse(ALICE).alternative_names == (
        ("dns", "alice.example"),
        ("dns", "second.example"),
        ("ip", "10.0.0.1"),
        ("ip", "::1"),
        ("email", "alice@example.org"),
        ("uri", "urn:alice"),
        ("other_name", "alice@realm"),
    )


@given(st.integers(0, len(ALICE) - 1), st.integers(0, 255))
def test_a_certificate_that_is_damaged_is_read_or_refused(place: int, octet: int) -> None:
    try:
        Certificate.parse(ALICE[:place] + bytes((octet,)) + ALICE[place + 1 :])
    except ValueError:
        return


@given(st.binary(max_size=60))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Certificate.parse(data)


@pytest.mark.parametrize("length", range(0, len(ALICE), 7))
def test_half_a_certificate_is_none(length: int) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Certificate.parse(ALICE[:length])


@pytest.mark.parametrize(
    ("version", "suite", "expected"),
    [
        ("TLSv1.3", "TLS_AES_256_GCM_SHA384", ("tlsv1.3", "any", "aes_256_gcm", "aead")),
        ("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256", ("tlsv1.3", "any", "chacha20_poly1305", "aead")),
        ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384", ("tlsv1.2", "ecdhe_ecdsa", "aes_256_gcm", "aead")),
        ("TLSv1.2", "ECDHE-RSA-CHACHA20-POLY1305", ("tlsv1.2", "ecdhe_rsa", "chacha20_poly1305", "aead")),
        ("TLSv1.2", "ECDHE-RSA-AES128-SHA256", ("tlsv1.2", "ecdhe_rsa", "aes_128_cbc", "sha256")),
        ("TLSv1.2", "DHE-RSA-AES256-CCM8", ("tlsv1.2", "dhe_rsa", "aes_256_ccm_8", "aead")),
        ("TLSv1.1", "AES128-SHA", ("tlsv1.1", "rsa", "aes_128_cbc", "sha")),
    ],
)
def test_a_cipher_suite_is_told_in_erlangs_words(version: str, suite: str, expected: tuple[str, ...]) -> None:
    found = Encryption.by_suite(version, suite)
    assert (found.protocol, found.key_exchange, found.cipher, found.hash) == expected
