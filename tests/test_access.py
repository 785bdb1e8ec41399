"""The chain of backends that a configuration asks for, and what stops a start."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from amqpd.access import Access
from amqpd.auth.base import Credentials, Refusal, User
from amqpd.auth.internal import InternalUsers
from amqpd.auth.pending import Pending
from amqpd.config import Config
from amqpd.errors import StartupError
from tests.amqp.pair import new_broker
from tests.auth.tokens import RSA, pem, token
from tests.fakes import LOCAL, REMOTE, RecordingLog

OAUTH2: dict[str, Any] = {"auth_backends": ("oauth2",), "oauth2_resource_server_id": "rabbitmq"}


def access(**settings: Any) -> Access:
    broker = new_broker()
    users = InternalUsers(broker)
    users.add("guest", "guest")
    return Access(Config(**settings), users, broker.clock, RecordingLog())


def refused(**settings: Any) -> str:
    with pytest.raises(StartupError) as caught:
        access(**settings)
    assert caught.value.exit_code == os.EX_CONFIG
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_without_being_told_the_broker_s_own_users_are_the_only_backend() -> None:
    chain = access().chain
    assert isinstance(chain.authenticate(Credentials("guest", b"guest"), LOCAL), User)
    refusal = chain.authenticate(Credentials("guest", b"guest"), REMOTE)
    assert refusal == Refusal("user 'guest' can only connect via localhost")


def test_oauth2_reads_its_keys_and_makes_up_its_prefix(tmp_path: Path) -> None:
    from amqpd.config.settings import ScopeAlias, SigningKey

    file = tmp_path / "key.pem"
    file.write_bytes(pem(RSA))
    made = access(
        **OAUTH2,
        oauth2_signing_keys=(SigningKey("k", str(file)),),
        oauth2_scope_aliases=(ScopeAlias("other.write:*/*", "rabbitmq.tag:administrator"),),
    )
    user = made.chain.authenticate(Credentials("", token(exp=2_000_000_000)), LOCAL)
    assert isinstance(user, User)
    assert (user.name, user.tags) == ("alice", {"management", "administrator"})
    assert user.expires == 2_000_000_000
    made.close()


def test_a_cache_may_stand_for_a_pair() -> None:
    chain = access(auth_backends=("cache",), cached_backend="internal").chain
    assert isinstance(chain.authenticate(Credentials("guest", b"guest"), LOCAL), User)
    assert isinstance(chain.authenticate(Credentials("guest", b"wrong"), LOCAL), Refusal)
    assert not isinstance(chain.authenticate(Credentials("guest", b"guest"), LOCAL), Pending)


def test_files_that_are_none_stop_the_start(tmp_path: Path) -> None:
    from amqpd.config.settings import SigningKey

    bad = tmp_path / "bad.pem"
    bad.write_text("no key")
    for file in (str(bad), str(tmp_path / "nope.pem"), ""):
        text = refused(**OAUTH2, oauth2_signing_keys=(SigningKey("k", file),))
        assert text.startswith(f"'auth_oauth2.signing_keys' has no key in {file}: ")
        if file:
            assert refused(**OAUTH2, oauth2_cacertfile=file).startswith("'auth_oauth2.https.cacertfile': ")
            assert refused(auth_backends=("http",), http_cacertfile=file).startswith(
                "'auth_http.ssl_options.cacertfile': "
            )
            assert refused(auth_backends=("http",), http_certfile=file).startswith("'auth_http.ssl_options.certfile': ")


def test_oauth2_without_its_extra_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("amqpd.auth.keys", "amqpd.auth.oauth2"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "jwt", None)
    assert refused(**OAUTH2) == ("'auth_backends' has oauth2, which needs PyJWT: pip install 'amqpd[oauth2]'")
