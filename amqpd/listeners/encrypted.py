"""TLS around a session, itself a session: what drives sessions need not know of it.

    socket ──► EncryptedSession ──► decrypted ──► Session
           ◄──                  ◄── to encrypt ◄──

The session within is made when the handshake is over, for only then it is known who the client is. The handshake has a
time of its own, on the broker's clock, and a client that fails it costs a line in the log.
"""

from __future__ import annotations

import contextlib
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from ..auth.certificate import Encryption
from ..clock import Clock
from ..wire.spec import ReplyCode
from .base import Session
from .tls import TlsFiles, certificate_of, chain_length

ENCRYPT_SIZE: Final = 512 << 10
"""Bytes encrypted for one connection in one turn, so that a large body leaves time for the others."""

_HANDSHAKE_RECORD: Final = 0x16
"""How a client's first byte says that it speaks TLS."""

_REASONS: Final = {
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "the client has no certificate",
    "NO_SHARED_CIPHER": "no cipher that both sides take",
    "UNSUPPORTED_PROTOCOL": "no version of TLS that both sides take",
    "TLSV1_ALERT_UNKNOWN_CA": "the client does not trust our certificate",
    "SSLV3_ALERT_BAD_CERTIFICATE": "the client does not trust our certificate",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN": "the client does not trust our certificate",
}
"""OpenSSL's words for what is met most, in plainer ones."""


class EncryptedSession:
    """One connection over TLS."""

    def __init__(
        self,
        files: TlsFiles,
        make_session: Callable[[Encryption], Session],
        clock: Clock,
        timeout: float,
        buffer: memoryview,
        log: Any,
        wake: Callable[[], None],
    ) -> None:
        self._make_session = make_session
        self._buffer = buffer  # for what is decrypted, used up before the next read; others may share it
        self._log = log
        self._wake = wake
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._depth = files.options.depth
        self._tls = files.context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._session: Session | None = None  # once hands are shaken
        self._deadline = clock.now() + timeout  # until then
        self._begun = False  # the client has said something
        self._over = False  # there is no more to come, whatever the session within thinks
        self._said_goodbye = False
        self._waiting: deque[memoryview] = deque()  # to be encrypted
        self._writable = True

    @property
    def closed(self) -> bool:
        return self._over or (self._session is not None and self._session.closed and not self._waiting)

    @property
    def reading(self) -> bool:
        return self._session is None or self._session.reading

    @property
    def hasty(self) -> bool:
        return self._session is not None and self._session.hasty

    @property
    def backlog(self) -> bool:
        return self._session is not None and self._session.backlog

    @property
    def expecting(self) -> int:
        return 0 if self._session is None else self._session.expecting

    def receive_data(self, data: bytes) -> None:
        if self._over:
            return
        if not self._begun:
            self._begun = True
            if data[0] != _HANDSHAKE_RECORD:
                self._fail(
                    "the client speaks AMQP without TLS" if data[:1] == b"A" else "the client does not speak TLS"
                )
                return
        self._incoming.write(data)
        if self._session is None:
            self._shake_hands()
        if self._session is not None:
            self._decrypt(self._session)

    def go_on(self) -> bool:
        return self._session is not None and self._session.go_on()

    def receive_eof(self) -> None:
        if self._session is not None:
            self._session.receive_eof()
        elif not self._over:
            self._over = True
            self._log.debug("the client left during the TLS handshake")

    def data_to_send(self) -> list[bytes]:
        session = self._session
        if session is not None and not self._over:
            self._encrypt_some(session)
        data = self._outgoing.read()
        return [data] if data else []

    def deadline(self) -> float | None:
        return self._deadline if self._session is None else self._session.deadline()

    def tick(self, now: float) -> None:
        if self._session is not None:
            self._session.tick(now)
        elif now >= self._deadline:
            self._fail("time is up")

    def set_writable(self, writable: bool) -> None:
        self._writable = writable
        if self._session is not None:
            self._session.set_writable(writable)
        if writable and self._waiting:
            self._wake()

    def close(self, code: ReplyCode, explanation: str) -> None:
        if self._session is not None:
            self._session.close(code, explanation)
        else:
            self._over = True

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            self._fail(_reason(error))
            return
        name, protocol, _ = self._tls.cipher() or ("", "", 0)
        try:
            certificate = certificate_of(self._tls)
        except ValueError:
            self._fail("the client's certificate cannot be read")
            return
        if certificate is not None and chain_length(self._tls) - 2 > self._depth:
            self._outgoing.read()  # it is not to hear that all is well
            self._fail("the client's certificate is further from the root than 'depth'")
            return
        self._session = self._make_session(Encryption.by_suite(self._tls.version() or protocol, name, certificate))

    def _decrypt(self, session: Session) -> None:
        """Hand on all there is, in pieces as large as the buffer."""
        read: Callable[[int, memoryview], int] = self._tls.read  # type: ignore[assignment]  # into a buffer
        buffer = self._buffer
        filled = 0
        ended = False
        try:
            while count := read(len(buffer) - filled, buffer[filled:]):
                filled += count
                if filled == len(buffer):
                    session.receive_data(bytes(buffer))
                    filled = 0
            ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            ended = True
        except ssl.SSLError as error:
            self._over = ended = True
            self._log.warning("TLS failed", reason=_reason(error))
        if filled:
            session.receive_data(bytes(buffer[:filled]))
        if ended:
            session.receive_eof()

    def _encrypt_some(self, session: Session) -> None:
        """What fits in this turn; all, and a farewell, when the session is closed."""
        resuming = bool(self._waiting)
        if resuming:  # what the session has to send counts as unsent meanwhile, and its limits keep it from more
            self._encrypt(session.closed)
        if not self._waiting and (not resuming or session.closed):
            self._waiting.extend([memoryview(chunk) for chunk in session.data_to_send()])
            self._encrypt(session.closed)
        if session.closed:
            if not self._said_goodbye:
                self._said_goodbye = True
                with contextlib.suppress(ssl.SSLError):  # the peer's farewell is not waited for
                    self._tls.unwrap()
        elif self._writable and (self._waiting or resuming):
            self._wake()  # to go on, or to ask the session at last

    def _encrypt(self, closing: bool) -> None:
        waiting = self._waiting
        room = ENCRYPT_SIZE
        while waiting and (closing or (room > 0 and self._writable)):
            chunk = waiting.popleft()
            if len(chunk) > room and not closing:
                waiting.appendleft(chunk[room:])
                chunk = chunk[:room]
            room -= len(chunk)
            self._tls.write(chunk)  # all of it, since buffers in memory take all

    def _fail(self, reason: str) -> None:
        self._over = True
        self._log.warning("TLS handshake failed", reason=reason)


def _reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the client's certificate is refused: {error.verify_message}"
    reason = error.reason or str(error)
    return _REASONS.get(reason, reason.lower().replace("_", " "))
