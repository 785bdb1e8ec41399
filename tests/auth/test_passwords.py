"""What is kept of a password."""

from __future__ import annotations

import base64

import pytest

from amqpd.auth.passwords import ALGORITHMS, check_hash, digest, hash_password, matches
from amqpd.errors import OperatorError


def test_a_hash_is_salt_and_digest_as_in_rabbitmqs_documentation() -> None:
    salt = bytes.fromhex("908dc60a")
    worked_example = base64.b64decode("kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR")
    assert salt + digest(b"test12", salt, "rabbit_password_hashing_sha256") == worked_example


def test_a_hash_of_rabbitmq_is_recognized() -> None:
    kept = "hj0dsLMmBYHyyPtBf/ssYNsLrdvkZPm099hTFTWN6rcYzwJX"
    assert matches(b"guest", kept, "rabbit_password_hashing_sha256")
    assert not matches(b"guest ", kept, "rabbit_password_hashing_sha256")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_algorithm_knows_its_passwords_again(algorithm: str) -> None:
    kept = hash_password("sécret".encode(), algorithm)
    check_hash(kept, algorithm)
    assert matches("sécret".encode(), kept, algorithm)
    assert not matches(b"secret", kept, algorithm)


def test_equal_passwords_are_kept_differently_and_not_as_they_are() -> None:
    one, two = hash_password(b"same"), hash_password(b"same")
    assert one != two
    assert b"same" not in base64.b64decode(one)


def test_no_password_is_right_where_none_is_kept() -> None:
    check_hash("", "rabbit_password_hashing_sha256")
    assert not matches(b"", "", "rabbit_password_hashing_sha256")
    assert not matches(b"x", "", "rabbit_password_hashing_sha256")


def test_an_empty_password_is_never_right() -> None:
    assert not matches(b"", hash_password(b""), "rabbit_password_hashing_sha256")


@pytest.mark.parametrize(
    ("kept", "algorithm", "reason"),
    [
        ("zzz", "rabbit_password_hashing_sha256", "password_hash is not base64"),
        ("é", "rabbit_password_hashing_sha256", "password_hash is not base64"),
        (
            base64.b64encode(bytes(20)).decode(),
            "rabbit_password_hashing_sha256",
            "password_hash has 20 bytes, but those of rabbit_password_hashing_sha256 have 36",
        ),
        ("", "rot13", f"unknown hashing_algorithm 'rot13'; those known are {', '.join(ALGORITHMS)}"),
    ],
)
def test_what_is_no_hash_is_refused_with_the_reason(kept: str, algorithm: str, reason: str) -> None:
    with pytest.raises(OperatorError) as caught:
        check_hash(kept, algorithm)
    assert str(caught.value) == reason
