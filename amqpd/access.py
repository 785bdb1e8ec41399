"""Who says who may log in and what they may do: the chain of backends a configuration asks for."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .auth.base import Backend
from .auth.cache import CachingBackend
from .auth.chain import Chain, Link
from .auth.http import HttpBackend, Paths
from .auth.internal import InternalUsers
from .clock import Clock
from .config import Config
from .config.settings import backend_pair
from .errors import StartupError

if TYPE_CHECKING:
    from .auth.keys import Key
    from .fetch import Fetcher


class Access:
    """The backends of one broker, each made once, and what they use."""

    def __init__(self, config: Config, users: InternalUsers, clock: Clock, log: Any) -> None:
        """Raises StartupError for what a backend cannot work with."""
        self._config = config
        self._users = users
        self._clock = clock
        self._log = log
        self._fetchers: list[Fetcher] = []
        self._made: dict[str, Backend] = {"internal": users}
        self.chain = Chain([self._link(text) for text in config.auth_backends], users, config.loopback_users)

    def close(self) -> None:
        """Nobody is asked any more; who waits is refused."""
        for fetcher in self._fetchers:
            fetcher.close()

    def _link(self, text: str) -> Link:
        authn, authz = backend_pair(text)
        return Link(self._backend(authn), self._backend(authz), apart="/" in text or authn == "cache")

    def _backend(self, name: str) -> Backend:
        makers: dict[str, Callable[[], Backend]] = {"http": self._http, "oauth2": self._oauth2, "cache": self._cache}
        if name not in self._made:
            self._made[name] = makers[name]()
        return self._made[name]

    def _cache(self) -> Backend:
        config = self._config
        authn, authz = [self._backend(name) for name in backend_pair(config.cached_backend)]
        return CachingBackend(authn, authz, self._clock, config.cache_ttl / 1000, refusals=config.cache_refusals)

    def _http(self) -> Backend:
        config = self._config
        paths = Paths(
            config.http_user_path,
            config.http_vhost_path,
            config.http_resource_path,
            config.http_topic_path,
            config.http_method,
        )
        tls = self._tls("auth_http.ssl_options", config.http_verify, config.http_cacertfile)
        if config.http_certfile:
            try:
                tls.load_cert_chain(config.http_certfile, config.http_keyfile or None, lambda: config.http_key_password)
            except (OSError, ValueError) as error:
                raise StartupError(f"'auth_http.ssl_options.certfile': {error}", os.EX_CONFIG) from error
        timeout, connection_timeout = config.http_request_timeout / 1000, config.http_connection_timeout / 1000
        fetch = self._fetcher(timeout, connection_timeout, tls)
        return HttpBackend(fetch, paths, self._log, discloses=config.http_disclosure)

    def _oauth2(self) -> Backend:
        try:
            from .auth.keys import Keys  # noqa: PLC0415 - an extra
            from .auth.oauth2 import Oauth2Backend, ResourceServer  # noqa: PLC0415
        except ImportError:
            raise StartupError(
                "'auth_backends' has oauth2, which needs PyJWT: pip install 'amqpd[oauth2]'", os.EX_CONFIG
            ) from None
        config = self._config
        keys = Keys(
            self._signing_keys(),
            self._clock,
            self._log,
            self._fetcher(10.0, 10.0, self._tls("auth_oauth2.https", config.oauth2_verify, config.oauth2_cacertfile)),
            url=config.oauth2_jwks_url,
            issuer=f"{config.oauth2_issuer.rstrip('/')}/{config.oauth2_discovery_path.lstrip('/')}"
            if config.oauth2_issuer
            else "",
        )
        server = ResourceServer(
            config.oauth2_resource_server_id,
            config.oauth2_scope_prefix.replace("{resource_server_id}", config.oauth2_resource_server_id),
            verify_aud=config.oauth2_verify_aud,
            require_exp=config.oauth2_require_exp,
            additional_scopes_key=config.oauth2_additional_scopes_key,
            scope_aliases={alias.name: alias.scope for alias in config.oauth2_scope_aliases},
            username_claims=config.oauth2_username_claims,
            default_key=config.oauth2_default_key,
            algorithms=config.oauth2_algorithms,
        )
        return Oauth2Backend(server, keys, self._clock)

    def _signing_keys(self) -> dict[str, Key]:
        from .auth.keys import BadKey, key_from_pem  # noqa: PLC0415 - an extra

        keys = {}
        for each in self._config.oauth2_signing_keys:
            try:
                keys[each.name] = key_from_pem(Path(each.file).read_bytes())
            except (OSError, BadKey) as error:
                text = f"'auth_oauth2.signing_keys' has no key in {each.file}: {error}"
                raise StartupError(text, os.EX_CONFIG) from error
        return keys

    def _fetcher(self, timeout: float, connection_timeout: float, tls: ssl.SSLContext) -> Fetcher:
        from .fetch import Fetcher  # noqa: PLC0415 - of no use to most

        fetcher = Fetcher(self._log, timeout=timeout, connection_timeout=connection_timeout, tls=tls)
        self._fetchers.append(fetcher)
        return fetcher

    def _tls(self, key: str, verify: str, cacertfile: str) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=cacertfile or None)
        except (OSError, ValueError) as error:
            raise StartupError(f"'{key}.cacertfile': {error}", os.EX_CONFIG) from error
        if verify == "verify_none":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self._log.warning(f"with '{key}.verify' = verify_none, anybody may answer in the server's place")
        return context
