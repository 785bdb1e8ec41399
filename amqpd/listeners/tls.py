"""TLS: what a listener shows and demands, and how that is replaced while it runs.

`TlsFiles` makes contexts of the standard library's ssl module from files. When the files change, or when told to, it
makes new ones: connections from then on use those, the others keep what they have. A set of files that does not work
is logged, and the former stays in use. What encrypts a connection is in `encrypted`.
"""

from __future__ import annotations

import os
import ssl
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from ..auth.certificate import Certificate
from ..clock import Clock
from ..errors import StartupError

WATCH_INTERVAL: Final = 30.0
"""Seconds between looks at the files."""

VERSIONS: Final = {
    "tlsv1": ssl.TLSVersion.TLSv1,
    "tlsv1.1": ssl.TLSVersion.TLSv1_1,
    "tlsv1.2": ssl.TLSVersion.TLSv1_2,
    "tlsv1.3": ssl.TLSVersion.TLSv1_3,
}

_WITHOUT: Final = {
    "tlsv1": ssl.Options.OP_NO_TLSv1,
    "tlsv1.1": ssl.Options.OP_NO_TLSv1_1,
    "tlsv1.2": ssl.Options.OP_NO_TLSv1_2,
    "tlsv1.3": ssl.Options.OP_NO_TLSv1_3,
}

_LEGACY: Final = ("tlsv1", "tlsv1.1")


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """RabbitMQ's ssl_options; `prefix` is what they are called in messages."""

    certfile: str  # PEM: the certificate, and those between it and the root
    keyfile: str = ""  # PEM; none: it is in the certfile
    password: str = ""  # of the key
    cacertfile: str = ""  # PEM: whose certificates clients may show
    verify_peer: bool = False
    fail_if_no_peer_cert: bool = False
    depth: int = 10  # certificates between a client's and the root
    versions: tuple[str, ...] = ("tlsv1.3", "tlsv1.2")
    ciphers: tuple[str, ...] = ()  # OpenSSL's names; none: what it takes for good
    honor_cipher_order: bool = True
    sni_certfiles: tuple[str, ...] = ()  # PEM, each a certificate with its key, for the host names it has
    prefix: str = "ssl_options"

    @property
    def files(self) -> list[str]:
        """All that is read."""
        return [name for name in (self.certfile, self.keyfile, self.cacertfile, *self.sni_certfiles) if name]


class TlsFiles:
    """The context new connections get, as the files say."""

    def __init__(self, options: TlsOptions, log: Any) -> None:
        """Raises StartupError 66 when a file cannot be read, 78 when it is not what it has to be; both name it."""
        self.options = options
        self._log = log
        self._seen = self._stamp()
        self.context = _context(options)

    def standing_context(self) -> ssl.SSLContext:
        """A context for servers that cannot be given another: it hands each connection on to the one in use."""
        standing = _context(self.options)

        def hand_on(tls: ssl.SSLObject, host: str | None, _: ssl.SSLContext) -> None:
            current = tls.context = self.context
            choose = current.sni_callback
            if choose is not None:
                choose(tls, host or "", current)

        standing.sni_callback = hand_on
        return standing

    def watch(self, clock: Clock) -> None:
        """Look at the files now and then, for as long as the clock runs."""

        def look() -> None:
            self.reload_if_changed()
            clock.call_later(WATCH_INTERVAL, look)

        clock.call_later(WATCH_INTERVAL, look)

    def reload_if_changed(self) -> None:
        if self._stamp() != self._seen:
            self.reload()

    def reload(self) -> bool:
        """Read the files anew. False, and a line in the log, when they do not work."""
        self._seen = self._stamp()
        try:
            self.context = _context(self.options)
        except StartupError as error:
            self._log.error("TLS certificates cannot be replaced, the former stay in use", reason=str(error))
            return False
        self._log.info("TLS certificates replaced", certfile=self.options.certfile)
        return True

    def _stamp(self) -> list[tuple[int, int, int] | None]:
        """What shows whether a file is another; links are followed."""
        stamps: list[tuple[int, int, int] | None] = []
        for name in self.options.files:
            try:
                status = Path(name).stat()
            except OSError:
                stamps.append(None)
            else:
                stamps.append((status.st_mtime_ns, status.st_size, status.st_ino))
        return stamps


def certificate_of(tls: ssl.SSLObject) -> Certificate | None:
    """The peer's, once it has shown one that was verified."""
    der = tls.getpeercert(binary_form=True)
    return Certificate.parse(der) if der else None


def chain_length(tls: ssl.SSLObject) -> int:
    """Certificates from the peer's to the root."""
    # public as of Python 3.13
    chain = getattr(tls, "get_verified_chain", None) or cast("Any", tls)._sslobj.get_verified_chain
    return len(chain() or ())


def _context(options: TlsOptions) -> ssl.SSLContext:
    context = _bare_context(options)
    _load(context, options, "certfile", options.certfile, options.keyfile or options.certfile)
    if options.cacertfile:
        _load_authorities(context, options)
    if options.verify_peer:
        if not options.cacertfile:
            raise _wrong(f"{options.prefix}.verify = verify_peer needs {options.prefix}.cacertfile, to verify with")
        context.verify_mode = ssl.CERT_REQUIRED if options.fail_if_no_peer_cert else ssl.CERT_OPTIONAL
    if options.sni_certfiles:
        _add_hosts(context, options)
    return context


def _bare_context(options: TlsOptions) -> ssl.SSLContext:
    """Versions and ciphers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # connections are few and long: nothing is resumed, so that a new certificate and a new authority count at once
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.num_tickets = 0
    if options.honor_cipher_order:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    versions = _versions_with_ciphers(context, options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TLS before 1.2, which is on when it is asked for
        context.minimum_version = min([VERSIONS[name] for name in versions])
        context.maximum_version = max([VERSIONS[name] for name in versions])
        for name in VERSIONS:
            if name not in versions:
                context.options |= _WITHOUT[name]
    level = ":@SECLEVEL=0" if any(name in versions for name in _LEGACY) else ""  # else OpenSSL refuses them
    older = [name for name in options.ciphers if not name.startswith("TLS_")]
    for name in older:
        _set_ciphers(context, options, name)
    if older or level:
        _set_ciphers(context, options, ":".join(older or ["DEFAULT"]) + level)
    return context


def _set_ciphers(context: ssl.SSLContext, options: TlsOptions, names: str) -> None:
    try:
        context.set_ciphers(names)
    except ssl.SSLError as error:
        raise _wrong(f"'{options.prefix}.ciphers' has {names}, which OpenSSL does not know") from error


def _versions_with_ciphers(context: ssl.SSLContext, options: TlsOptions) -> list[str]:
    """The versions there is a cipher for: suites of TLS 1.3, and they alone, begin with TLS_."""
    if not options.ciphers:
        return list(options.versions)
    suites = {name for name in options.ciphers if name.startswith("TLS_")}
    versions = [name for name in options.versions if (suites if name == "tlsv1.3" else set(options.ciphers) - suites)]
    if not versions:
        raise _wrong(f"'{options.prefix}.ciphers' has none for {' or '.join(options.versions)}")
    if "tlsv1.3" in versions:
        _choose_suites(context, options, suites)
    return versions


def _choose_suites(context: ssl.SSLContext, options: TlsOptions, suites: set[str]) -> None:
    choose = getattr(context, "set_ciphersuites", None)  # as of Python 3.15
    if choose is not None:
        try:
            choose(":".join([name for name in options.ciphers if name in suites]))
        except ssl.SSLError as error:
            raise _wrong(f"'{options.prefix}.ciphers' has a TLS 1.3 suite that OpenSSL does not know") from error
        return
    offered = {cipher["name"] for cipher in context.get_ciphers() if cipher["name"].startswith("TLS_")}
    missing = sorted(offered - suites)
    if missing:
        raise _wrong(
            f"'{options.prefix}.ciphers' leaves out {', '.join(missing)}, and this Python cannot choose among the"
            f" suites of TLS 1.3: add them, or leave tlsv1.3 out of '{options.prefix}.versions'"
        )


def _load(context: ssl.SSLContext, options: TlsOptions, setting: str, certfile: str, keyfile: str) -> None:
    """Certificate and key."""
    _read(options, setting, certfile)
    key = _read(options, "keyfile" if keyfile != certfile else setting, keyfile)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certfile)
    except ssl.SSLError as error:
        raise _wrong(f"{options.prefix}.{setting} {certfile} is not a certificate in PEM") from error
    try:
        # never nothing, which would have OpenSSL ask on the terminal
        context.load_cert_chain(certfile, keyfile, options.password or (lambda: ""))
    except (ssl.SSLError, ValueError) as error:
        reason = getattr(error, "reason", None) or ""
        if "MISMATCH" in reason:
            raise _wrong(f"the key in {keyfile} is not that of the certificate in {certfile}") from error
        if "ENCRYPTED" in key:
            what = "does not open" if options.password else "is needed to open"
            raise _wrong(f"{options.prefix}.password {what} the key in {keyfile}") from error
        raise _wrong(
            f"{options.prefix}.keyfile {keyfile} is not a key in PEM, or OpenSSL takes neither it nor the certificate"
            f"{f': {_words(reason)}' if reason else ''}"
        ) from error


def _load_authorities(context: ssl.SSLContext, options: TlsOptions) -> None:
    _read(options, "cacertfile", options.cacertfile)
    try:
        context.load_verify_locations(options.cacertfile)
    except ssl.SSLError as error:
        raise _wrong(f"{options.prefix}.cacertfile {options.cacertfile} has no certificates in PEM") from error


def _add_hosts(context: ssl.SSLContext, options: TlsOptions) -> None:
    """Have the client's choice of a host name (SNI) choose the certificate."""
    hosts: dict[str, ssl.SSLContext] = {}
    for name in options.sni_certfiles:
        other = _bare_context(options)
        other.verify_mode = context.verify_mode
        _load(other, options, "sni_certfiles", name, name)
        if options.cacertfile:
            _load_authorities(other, options)
        text = _read(options, "sni_certfiles", name)
        begin = text.index("-----BEGIN CERTIFICATE-----")
        end = text.index("-----END CERTIFICATE-----") + len("-----END CERTIFICATE-----")
        certificate = Certificate.parse(ssl.PEM_cert_to_DER_cert(text[begin:end]))
        names = [host for kind, host in certificate.alternative_names if kind == "dns"]
        if not names:
            raise _wrong(f"{options.prefix}.sni_certfiles {name} has no host names (subjectAltName)")
        hosts.update(dict.fromkeys([host.lower() for host in names], other))

    def choose(tls: ssl.SSLObject, host: str | None, _: ssl.SSLContext) -> None:
        if host:
            host = host.lower()
            chosen = hosts.get(host) or hosts.get("*." + host.partition(".")[2])
            if chosen is not None:
                tls.context = chosen

    context.sni_callback = choose


def _read(options: TlsOptions, setting: str, name: str) -> str:
    try:
        return Path(name).read_text(encoding="latin-1")
    except OSError as error:
        raise StartupError(f"cannot read {options.prefix}.{setting} {name}: {error.strerror}", os.EX_NOINPUT) from error


def _wrong(text: str) -> StartupError:
    return StartupError(text, os.EX_CONFIG)


def _words(reason: str) -> str:
    return reason.lower().replace("_", " ")
