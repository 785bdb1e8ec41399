"""Whether the hot path runs compiled, and the wish that it does not.

The modules named in setup.py are compiled where a compiler is at hand; their sources are installed beside them. With
AMQPD_PURE set the sources are run instead: to debug them, to compare, or to test that both do the same.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from importlib.util import find_spec
from types import ModuleType

_PACKAGE = __name__.partition(".")[0]


class _SourceFinder:
    """Finds this package's modules as sources, whatever lies beside them."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if path is None or not name.startswith(f"{_PACKAGE}."):
            return None
        for folder in path:
            found = FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES)).find_spec(name, target)
            if found is not None:
                return found
        return None


def prefer_sources() -> None:
    """Import no compiled module of this package from now on."""
    sys.meta_path.insert(0, _SourceFinder)


def is_compiled() -> bool:
    """Whether the hot path is compiled."""
    found = find_spec(f"{_PACKAGE}.wire.buffers")
    return found is not None and not (found.origin or "").endswith(tuple(SOURCE_SUFFIXES))
