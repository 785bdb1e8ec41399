"""A file of definitions as it was written: JSON, cut into entries that know their place in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from ..broker.parameters import check_name
from ..errors import OperatorError
from .values import table_from_json

SECTIONS: Final = (
    "users",
    "vhosts",
    "permissions",
    "exchanges",
    "topic_permissions",
    "global_parameters",
    "policies",
    "parameters",
    "queues",
    "bindings",
)
"""What is in a file, in the order it is imported."""

OF_VHOSTS: Final = frozenset({"exchanges", "policies", "parameters", "queues", "bindings"})
"""What is in the file of a single vhost."""

SINGLE: Final = "single_virtual_host"

MISSING: Final = object()


class DefinitionsError(OperatorError):
    """Definitions that cannot be imported; nothing of them was, unless something else changed the broker meanwhile."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file. `vhost`: all of it belongs there, whatever it says; `default_vhost`: what says nothing does."""

    content: Mapping[str, Any]
    source: str = ""  # what a fault is to name besides the entry, such as a file
    vhost: str | None = None
    default_vhost: str | None = None

    @classmethod
    def parse(cls, text: str | bytes, source: str = "", **places: str | None) -> Document:
        """From JSON; from nothing, an empty one. Raises DefinitionsError."""
        prefix = f"{source}: " if source else ""
        try:
            text = text.decode("utf-8-sig") if isinstance(text, bytes) else text.removeprefix("\ufeff")
            content = json.loads(text, parse_constant=_no_constant) if text.strip() else {}
        except UnicodeDecodeError:
            raise DefinitionsError(f"{prefix}the text is not UTF-8") from None
        except json.JSONDecodeError as error:
            raise DefinitionsError(
                f"{prefix}not JSON, in line {error.lineno}, column {error.colno}: {error.msg}"
            ) from None
        except (ValueError, RecursionError) as error:
            raise DefinitionsError(f"{prefix}not JSON: {error}") from None
        if not isinstance(content, Mapping):
            raise DefinitionsError(f"{prefix}definitions have to be a JSON object")
        return cls(content, source, **places)

    @property
    def is_of_one_vhost(self) -> bool:
        """Whether it is the file of a single vhost: that of RabbitMQ 3 does not say it, and names no vhost."""
        if self.content.get("rabbitmq_definition_format") == SINGLE:
            return True
        if any(self.has(section) for section in SECTIONS if section not in OF_VHOSTS):
            return False
        found = [self.content.get(section) for section in OF_VHOSTS - {"parameters"}]
        entries = [entry for entries in found if isinstance(entries, list) for entry in entries]
        return not any(isinstance(entry, dict) and "vhost" in entry for entry in entries)

    @property
    def version(self) -> str:
        """Of the RabbitMQ that wrote it; empty when it does not say."""
        version = self.content.get("rabbitmq_version", self.content.get("rabbit_version"))
        return version if isinstance(version, str) else ""

    def has(self, section: str) -> bool:
        """Whether there is anything in a section."""
        return bool(self.content.get(section))

    def entries(self, section: str) -> Iterator[Entry]:
        """Raises DefinitionsError for what is no entry."""
        if self.vhost is not None and section not in OF_VHOSTS:
            return
        found = self.content.get(section)
        if found is None:
            return
        if not isinstance(found, list):
            prefix = f"{self.source}: " if self.source else ""
            raise DefinitionsError(f"{prefix}'{section}' has to be a list")
        for index, fields in enumerate(found):
            entry = Entry(self, section, index, fields if isinstance(fields, dict) else {})
            if not isinstance(fields, dict):
                entry.refuse("it has to be an object")
            yield entry


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; its fields are looked at when they are asked for. All that ask raise OperatorError."""

    document: Document
    section: str
    index: int
    fields: Mapping[str, Any]

    def __str__(self) -> str:
        fields = self.fields
        if self.section == "bindings":
            named = f"from '{fields.get('source')}' to '{fields.get('destination')}'"
        elif self.section in ("permissions", "topic_permissions"):
            named = f"of user '{fields.get('user')}'"
        else:
            named = f"'{fields.get('name')}'"
        if self.section in OF_VHOSTS or self.section in ("permissions", "topic_permissions"):
            named += f" in vhost '{self.document.vhost or fields.get('vhost', self.document.default_vhost)}'"
        source = f"{self.document.source}: " if self.document.source else ""
        return f"{source}{self.section}[{self.index}] ({named})"

    def refuse(self, reason: object) -> NoReturn:
        """Raises DefinitionsError for this entry."""
        raise DefinitionsError(f"{self}: {reason}") from None

    @property
    def place(self) -> tuple[int, str, int]:
        """Where it is in what is imported."""
        return id(self.document), self.section, self.index

    @property
    def vhost(self) -> str:
        if self.document.vhost is not None:
            return self.document.vhost
        if self.fields.get("vhost") is None:
            if self.document.default_vhost is None:
                raise OperatorError("Virtual host does not exist and is not specified in definitions file.")
            return self.document.default_vhost
        return self.name("vhost")

    def name(self, field: str = "name") -> str:
        """A field that names something."""
        name: str = self.text(field)
        check_name(name)
        return name

    def text(self, field: str, default: Any = MISSING) -> Any:
        """A field that is text; the default when it is missing or null."""
        value = self._value(field, default)
        if value is default:
            return value
        if not isinstance(value, str):
            raise OperatorError(f"'{field}' has to be text")
        _check_unicode(field, value)
        return value

    def flag(self, field: str, default: Any) -> Any:
        value = self._value(field, default)
        if value is default:
            return value
        if not isinstance(value, bool):
            raise OperatorError(f"'{field}' has to be true or false")
        return value

    def table(self, field: str) -> dict[str, Any]:
        """A field that is an object; RabbitMQ writes an empty one also as an empty list."""
        value = self._value(field, None)
        if not value:
            if value in (None, [], {}):
                return {}
        elif isinstance(value, dict):
            return value
        raise OperatorError(f"'{field}' has to be an object")

    def tags(self, field: str = "tags") -> list[str] | None:
        """A list of words, or text with commas between them."""
        value = self._value(field, None)
        if value is None:
            return None
        words = [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise OperatorError(f"'{field}' has to be a list of words, or words with commas between them")
        for word in words:
            _check_unicode(field, word)
        return words

    def arguments(self) -> dict[str, Any]:
        return table_from_json(self.table("arguments"))

    def _value(self, field: str, default: Any) -> Any:
        value = self.fields.get(field)
        if value is None:
            if default is MISSING:
                raise OperatorError(f"'{field}' is missing")
            return default
        return value


def _check_unicode(field: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise OperatorError(f"'{field}' is not valid Unicode") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
