"""A small web server in threads, for what the broker asks over HTTP."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


class WebServer:
    """Answers with what `answer` says to the path and the parameters of a request: status and body, or raw bytes.

    `requests` are those that came, with method, path and parameters. `connections` counts what was accepted.
    """

    def __init__(self, answer: Callable[[str, dict[str, str]], Any], certificate: str | None = None) -> None:
        self.answer = answer
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.open: list[socket.socket] = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._scheme = "http"
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate)
            # the handshake takes place in the thread of the connection
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self._scheme = "https"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def url(self, path: str = "/") -> str:
        return f"{self._scheme}://localhost:{self.port}{path}"

    def paths(self, method: str = "post") -> dict[str, str]:
        """Settings of the backend, for the environment."""
        return {
            "AMQPD_AUTH_HTTP_HTTP_METHOD": method,
            **{
                f"AMQPD_AUTH_HTTP_{name.upper()}_PATH": self.url(f"/{name}")
                for name in ("user", "vhost", "resource", "topic")
            },
        }

    def hang_up(self) -> None:
        """Close all connections that are open."""
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self.open.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self.hang_up()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                server.connections += 1
                server.open.append(self.connection)

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    self.close_connection = True

            def do_GET(self) -> None:
                self._answer(urlsplit(self.path).query)

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

            def _answer(self, query: str) -> None:
                path = urlsplit(self.path).path
                parameters = dict(parse_qsl(query, keep_blank_values=True))
                server.requests.append((self.command, path, parameters))
                server.headers.append(dict(self.headers))
                answer = server.answer(path, parameters)
                if isinstance(answer, bytes):
                    self.wfile.write(answer)
                    self.close_connection = True
                    return
                status, body = answer if isinstance(answer, tuple) else (200, answer)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
                pass

        return Handler
