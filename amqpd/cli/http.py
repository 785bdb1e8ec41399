"""The broker's HTTP API, for commands: over the unix socket in its data folder, or over TCP.

Commands start often and should be quick, so this is the standard library's client, and loads little else.
"""

from __future__ import annotations

import base64
import json
import os
import socket
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, unquote, urlencode, urlsplit

from ..control import CONTROL_SOCKET, within_reach
from ..errors import StartupError
from .probe import announced, usual_folder

if TYPE_CHECKING:
    import ssl

PORT: Final = 15672
TLS_PORT: Final = 15671
OFFSET: Final = 10_000
"""The API's port is so far above AMQP's, unless it is chosen."""

LONGEST_ANSWER: Final = 60.0
"""Seconds for an answer, unless told otherwise."""

URL_VARIABLE: Final = "AMQPCTL_URL"


class Unreachable(StartupError):
    """There is no answer: 69 when nobody is there, 75 when nobody answered in time, 76 when it was no HTTP API."""


class Refusal(Exception):
    """The API's answer was no."""

    def __init__(self, status: int, error: str, reason: Any, path: str) -> None:
        self.status = status
        self.error = error
        self.reason = reason
        self.path = path  # that was asked for
        super().__init__(self.text)

    @property
    def text(self) -> str:
        """The reason, for people."""
        if isinstance(self.reason, str):
            reason = self.reason
            for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
                reason = reason.replace(entity, letter)  # RabbitMQ's API escapes some for its page
            return reason or self.error or f"HTTP status {self.status}"
        return json.dumps(self.reason)


class Place(NamedTuple):
    """Where an API is: a socket's path, or a host and a port."""

    socket: str = ""
    host: str = "127.0.0.1"
    port: int = PORT
    user: str = "guest"
    password: str = "guest"  # noqa: S105 - everybody's, from this machine
    prefix: str = ""  # of all paths
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        if self.socket:
            return self.socket
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def place_of(url: str) -> Place:
    """http://user:password@host:port/prefix, https://…, or unix:/path. Raises ValueError."""
    if url.startswith("unix:"):
        return Place(socket="/" + url.removeprefix("unix:").lstrip("/"))
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"'{parts.scheme}' is no scheme of the HTTP API: http://…, https://… or unix:/…")
    tls = None
    if parts.scheme == "https":
        import ssl  # noqa: PLC0415 - for https only

        tls = ssl.create_default_context()
    try:
        port = parts.port
    except ValueError:
        raise ValueError(f"the port in '{url.rpartition('@')[2]}' is none") from None
    return Place(
        host=parts.hostname or "127.0.0.1",
        port=(TLS_PORT if tls else PORT) if port is None else port,
        user="guest" if parts.username is None else unquote(parts.username),
        password="guest" if parts.password is None else unquote(parts.password),
        prefix=parts.path.rstrip("/").removesuffix("/api"),
        tls=tls,
    )


def find(url: str | None, data_dir: str | None, environment: Mapping[str, str]) -> Place:
    """The API at the URL given; that of the broker of the data folder given; AMQPCTL_URL; that of the broker of the
    usual data folder; the one that goes with RABBITMQ_NODE_PORT; or port 15672 of this machine.

    Raises Unreachable 69 when there is no broker in the data folder given, ValueError for a URL that is none.
    """
    if url:
        return place_of(url)
    if data_dir:
        found = _in_folder(data_dir)
        if found is None:
            raise Unreachable(f"no broker can be asked in data folder {data_dir}", os.EX_UNAVAILABLE)
        return found
    if environment.get(URL_VARIABLE):
        return place_of(environment[URL_VARIABLE])
    port = environment.get("RABBITMQ_NODE_PORT", "")
    usual = announced(usual_folder(environment))
    if usual is not None and (not port or str(usual["ports"].get("amqp")) == port):
        found = _in_folder(usual_folder(environment))
        if found is not None:
            return found
    return Place(port=int(port) + OFFSET if port.isdigit() else PORT)


def _in_folder(folder: str) -> Place | None:
    path = os.path.join(folder, CONTROL_SOCKET)  # noqa: PTH118 - pathlib takes its time
    if os.path.exists(path):  # noqa: PTH110
        return Place(socket=path)
    announcement = announced(folder)
    url = (announcement or {}).get("urls", {}).get("http")
    return None if url is None else place_of(url)


class Api:
    """Requests to one API, over one connection."""

    def __init__(self, place: Place, timeout: float = LONGEST_ANSWER) -> None:
        self.place = place
        self.timeout = timeout
        self._connection: HTTPConnection | None = None

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, query=query)

    def put(self, path: str, body: Any = None) -> Any:
        return self.call("PUT", path, body)

    def post(self, path: str, body: Any = None) -> Any:
        return self.call("POST", path, body)

    def delete(self, path: str, **query: Any) -> Any:
        return self.call("DELETE", path, query=query)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """What the answer's JSON says; None when it has none. `path` goes on after /api.

        Raises Refusal for a status of 400 and above, Unreachable when there is no answer.
        """
        text = self.raw(method, path, None if body is None else json.dumps(body).encode(), query, headers)
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError:
            raise self._stranger() from None

    def raw(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """The answer as it came. Raises as `call` does."""
        target = f"{self.place.prefix}/api{path}"
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        if asked:
            target += "?" + urlencode(asked, safe=",")
        sent = {**self._headers, **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            answer = self._exchange(method, target, body, sent)
            content = answer.read()
        except TimeoutError:
            self.close()
            raise Unreachable(f"{self.place} did not answer within {self.timeout:g} s", os.EX_TEMPFAIL) from None
        except OSError as error:
            self.close()
            reason = getattr(error, "strerror", None) or error
            raise Unreachable(f"cannot connect to {self.place}: {reason}", os.EX_UNAVAILABLE) from error
        except HTTPException:
            self.close()
            raise self._stranger() from None
        if answer.status >= 400:
            raise _refusal(answer.status, answer.reason, content, path)
        return content

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> HTTPResponse:
        if self._connection is None:
            self._connection = _connection(self.place, self.timeout)
        self._connection.request(method, target, body, dict(headers))
        return self._connection.getresponse()

    @property
    def _headers(self) -> dict[str, str]:
        if self.place.socket:
            return {}
        login = f"{self.place.user}:{self.place.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(login).decode()}"}

    def _stranger(self) -> Unreachable:
        return Unreachable(f"what answers at {self.place} is no HTTP API", os.EX_PROTOCOL)


class _UnixConnection(HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with within_reach(self._path) as reached:
            self.sock.connect(reached)


def _connection(place: Place, timeout: float) -> HTTPConnection:
    if place.socket:
        return _UnixConnection(place.socket, timeout)
    if place.tls is not None:
        from http.client import HTTPSConnection  # noqa: PLC0415 - for https only

        return HTTPSConnection(place.host, place.port, timeout=timeout, context=place.tls)
    return HTTPConnection(place.host, place.port, timeout=timeout)


def _refusal(status: int, phrase: str, content: bytes, path: str) -> Refusal:
    try:
        said = json.loads(content)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        said = {}
    return Refusal(status, str(said.get("error", phrase)), said.get("reason", content.decode("utf-8", "replace")), path)


def name(*parts: str) -> str:
    """A path made of names, each encoded."""
    return "".join([f"/{quote(part, safe='')}" for part in parts])
