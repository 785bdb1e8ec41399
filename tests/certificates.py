"""Certificates for tests: an authority, and what it issues to servers and clients, as files."""

from __future__ import annotations

import itertools
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import trustme

PAST = datetime(2020, 1, 1, tzinfo=UTC)


class Authority:
    """Issues certificates, into files of a folder: each has the key, the certificate, and those above it."""

    def __init__(self, folder: Path, parent: trustme.CA | None = None) -> None:
        self.folder = folder
        self.ca = trustme.CA() if parent is None else parent.create_child_ca()
        self.numbers = itertools.count()
        self.file = str(self._new("authority"))
        self.ca.cert_pem.write_to_path(self.file)

    def below(self) -> Authority:
        """An authority that this one vouches for."""
        return Authority(self.folder, self.ca)

    def issue(self, *hosts: str, name: str | None = None, expired: bool = False) -> str:
        """A certificate for these host names, by default localhost, with a common name."""
        options: dict[str, Any] = {"not_before": datetime(2019, 1, 1, tzinfo=UTC), "not_after": PAST} if expired else {}
        made = self.ca.issue_cert(*(hosts or ("localhost",)), common_name=name, **options)
        file = self._new("certificate")
        made.private_key_and_cert_chain_pem.write_to_path(str(file))
        return str(file)

    def client(self, certificate: str | None = None) -> ssl.SSLContext:
        """What a client has that trusts this authority."""
        context = ssl.create_default_context(cafile=self.file)
        if certificate is not None:
            context.load_cert_chain(certificate)
        return context

    def _new(self, stem: str) -> Path:
        number = next(self.numbers)
        return self.folder / f"{stem}-{id(self):x}-{number}.pem"


def split(file: str) -> tuple[str, str]:
    """The same in two files: certificate and key."""
    text = Path(file).read_text()
    begin = text.index("-----BEGIN CERTIFICATE-----")
    Path(f"{file}.cert").write_text(text[begin:])
    Path(f"{file}.key").write_text(text[:begin])
    return f"{file}.cert", f"{file}.key"
