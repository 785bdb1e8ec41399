"""A way to the broker that can be cut: what a client sees when a cable is pulled."""

from __future__ import annotations

import contextlib
import select
import socket
import socketserver
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Proxy(socketserver.ThreadingTCPServer):
    """Passes bytes between clients and a broker, on a port of its own, until `cut`. New connections work again."""

    daemon_threads = False  # leaving waits for the threads

    def __init__(self, broker_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Link)
        parts = urlsplit(broker_url)
        self.broker = (parts.hostname or "127.0.0.1", parts.port or 5672)
        login = parts.netloc.rpartition("@")[0]
        self.url = parts._replace(netloc=f"{login}@127.0.0.1:{self.server_address[1]}").geturl()
        self.links: list[socket.socket] = []
        self._serving = threading.Thread(target=self.serve_forever, args=(0.01,))

    def cut(self) -> None:
        """Break all connections, on both sides and without a word."""
        links, self.links = self.links, []
        for link in links:
            with contextlib.suppress(OSError):  # it has ended already
                link.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._serving.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self.shutdown()
        self._serving.join()
        self.server_close()


class _Link(socketserver.BaseRequestHandler):
    """One connection."""

    server: Proxy

    def handle(self) -> None:
        client: socket.socket = self.request
        with socket.create_connection(self.server.broker) as broker, contextlib.suppress(ConnectionError):
            self.server.links += (client, broker)
            while True:
                for readable in select.select([client, broker], [], [])[0]:
                    data = readable.recv(1 << 16)
                    if not data:
                        return
                    (broker if readable is client else client).sendall(data)
