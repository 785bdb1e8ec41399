"""Reads a Dockerfile: its instructions, by stage."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

INSTRUCTIONS = {
    "FROM", "RUN", "COPY", "WORKDIR", "ENV", "VOLUME", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD",
}  # fmt: skip
"""Those that are understood here; ADD, SHELL and the like would have to be added."""


@dataclass
class Instruction:
    """`COPY --from=build a b`: its word, options, and the rest as it stands."""

    word: str
    options: dict[str, str]
    text: str

    @property
    def words(self) -> list[str]:
        """The rest in words: a JSON list, or as a shell has it."""
        if self.text.startswith("["):
            found = json.loads(self.text)
            assert all(isinstance(word, str) for word in found)
            return list(found)
        return shlex.split(self.text)


@dataclass
class Stage:
    """What is between one FROM and the next."""

    base: str
    name: str | None
    instructions: list[Instruction] = field(default_factory=list)

    def all(self, word: str) -> list[Instruction]:
        """Its instructions of this kind."""
        return [instruction for instruction in self.instructions if instruction.word == word]

    def last(self, word: str) -> Instruction:
        """That which counts."""
        return self.all(word)[-1]

    @property
    def environment(self) -> dict[str, str]:
        """What ENV sets, taken together."""
        pairs = [pair.partition("=") for instruction in self.all("ENV") for pair in instruction.words]
        assert all(separator for _, separator, _ in pairs)
        return {name: value for name, _, value in pairs}


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile. Whatever is not understood is an AssertionError that names it."""
    found: list[Stage] = []
    for line in re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)).splitlines():
        if not line.strip():
            continue
        word, _, rest = line.partition(" ")
        assert word in INSTRUCTIONS, line
        options = {}
        while match := re.match(r"\s*--([a-z-]+)=(\S+)\s+", rest):
            options[match[1]] = match[2]
            rest = rest[match.end() :]
        instruction = Instruction(word, options, rest.strip())
        assert instruction.text, line
        if word == "FROM":
            base, *named = instruction.words
            assert not named or named[0] == "AS", line
            found.append(Stage(base, named[1] if named else None))
        else:
            found[-1].instructions.append(instruction)
    return found


def is_in_context(path: str, ignore: str) -> bool:
    """Whether a path, seen from the folder that is built from, is not ignored: the last pattern that fits counts."""
    included = True
    for line in ignore.splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        again = pattern.startswith("!")
        pattern = pattern.removeprefix("!").removeprefix("**/")
        parts = Path(path).parts
        above = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
        if any(fnmatch.fnmatchcase(one, pattern) for one in [*above, *(parts if "**/" in line else ())]):
            included = again
    return included
