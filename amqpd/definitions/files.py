"""Definitions that an operator's configuration names: read when a broker starts, before anything else is done."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ..errors import StartupError
from .document import DefinitionsError, Document

_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Configured:
    """What was found, to be imported as one."""

    documents: tuple[Document, ...]
    digest: str  # of the texts

    @property
    def source(self) -> str:
        """Where it is from, in words."""
        return ", ".join(dict.fromkeys([document.source for document in self.documents])) or "an empty folder"

    def has(self, section: str) -> bool:
        """Whether any of it has something in a section."""
        return any(document.has(section) for document in self.documents)


def read(
    path: str, text: str = "", *, environment: Mapping[str, str] | None = None, default_vhost: str | None = None
) -> Configured | None:
    """The definitions in a file, or in all files *.json of a folder, and those in a text; None when neither is given.

    With an environment, `${NAME}` stands for a variable. Files of a single vhost, and entries that name none, belong in
    the default vhost, if one is given. Raises StartupError: 66 when a file cannot be read, 65 when it has no sense.
    """
    texts = [(str(file), _bytes_of(file)) for file in _files(Path(path))] if path else []
    if text:
        texts.append(("definitions_json", text.encode(errors="surrogateescape")))
    elif not path:
        return None
    digest = hashlib.sha256()
    documents: list[Document] = []
    try:
        for source, raw in texts:
            data = raw if environment is None else _substituted(raw, environment, source)
            digest.update(b"%d:%s" % (len(data), data))
            documents += _placed(Document.parse(data, source, default_vhost=default_vhost))
    except DefinitionsError as error:
        raise StartupError(str(error), os.EX_DATAERR) from error
    return Configured(tuple(documents), digest.hexdigest())


def _files(path: Path) -> list[Path]:
    try:
        return sorted(path.glob("*.json")) if path.is_dir() else [path]
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (OSError, ValueError) as error:  # the latter is for names with a zero byte
        raise _unreadable(file, error) from error


def _unreadable(path: Path, error: Exception) -> StartupError:
    reason = getattr(error, "strerror", None) or error
    return StartupError(f"cannot read definitions {path}: {reason}", os.EX_NOINPUT)


def _substituted(data: bytes, environment: Mapping[str, str], source: str) -> bytes:
    """With variables in place of their names; whatever is in them stays within the JSON string they are in."""

    def value_of(match: re.Match[str]) -> str:
        value = environment.get(match[1])
        if value is None:
            line = match.string.count("\n", 0, match.start()) + 1
            raise DefinitionsError(f"{source}: line {line}: there is no variable {match[1]} in the environment")
        return json.dumps(value)[1:-1]

    return _REFERENCE.sub(value_of, data.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _placed(document: Document) -> Iterator[Document]:
    """The file of a single vhost makes that, too, when it starts a broker."""
    if document.default_vhost is None or not document.is_of_one_vhost:
        yield document
        return
    content = document.content
    named = content.get("original_vhost_name")
    vhost = named if isinstance(named, str) and named else document.default_vhost
    said: dict[str, Any] = {
        key: content[key] for key in ("description", "default_queue_type", "metadata", "limits") if key in content
    }
    yield Document({"vhosts": [{"name": vhost, **said}]}, document.source)
    yield Document(content, document.source, vhost=vhost)
