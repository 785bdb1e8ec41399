"""Imports definitions: looks at all of them first, then does what there is to do.

Where clients are served meanwhile, `importing` is a generator, to be continued while they have their turns between;
`import_all` and `import_vhost` do all at once. With all at once, and with nothing else in the loop's turn, the store
has everything in one commit: after a crash all of it is there, or nothing. Little by little that cannot be; but what is
imported again is completed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..auth.internal import InternalUsers
from ..broker.broker import Broker
from ..broker.events import INTERNAL
from ..errors import OperatorError
from ..wire.spec import ProtocolError
from .document import SECTIONS, DefinitionsError, Document
from .plan import Plan, reason_of

AT_ONCE: Final = 200
"""How many entries are looked at or imported before others have their turn."""

MOST_WARNINGS: Final = 20


@dataclass(slots=True)
class Outcome:
    """What an import has done."""

    changed: Counter[str] = field(default_factory=Counter)  # entries that were new, or said something new, by section
    warnings: list[str] = field(default_factory=list)  # what was left out, and what has no effect, one line each

    @property
    def told(self) -> str:
        """The line for the log."""
        return f"imported definitions: {self}"

    @property
    def complaints(self) -> list[str]:
        """The warnings for the log, where thousands of a kind would be in the way."""
        more = len(self.warnings) - MOST_WARNINGS
        return [*self.warnings[:MOST_WARNINGS], *([f"and {more} more such lines"] if more > 0 else [])]

    def __str__(self) -> str:
        counts = [f"{self.changed[section]} {_named(section, self.changed[section])}" for section in SECTIONS]
        return ", ".join([each for each in counts if not each.startswith("0 ")]) or "nothing new"


def import_all(broker: Broker, users: InternalUsers, content: Mapping[str, Any], *, user: str = INTERNAL) -> Outcome:
    """Import the definitions of a whole broker, given as JSON values, in the name of a user.

    Raises DefinitionsError, naming the entry, for what cannot be; nothing is changed then.
    """
    return at_once(importing(broker, users, [Document(content)], user=user))


def import_vhost(
    broker: Broker, users: InternalUsers, vhost: str, content: Mapping[str, Any], *, user: str = INTERNAL
) -> Outcome:
    """Import exchanges, queues, bindings, policies and parameters into a vhost, whatever vhost they are from.

    Raises DefinitionsError as `import_all` does, also when the vhost is not there.
    """
    return at_once(importing(broker, users, [Document(content, vhost=vhost)], user=user))


def importing(
    broker: Broker, users: InternalUsers, documents: Iterable[Document], *, user: str = INTERNAL
) -> Generator[None, None, Outcome]:
    """Import documents as if they were one, little by little; what it returns in the end is the outcome.

    `user` is in whose name, and may do everything in vhosts that are made, unless the documents say otherwise.

    Raises DefinitionsError for an entry that cannot be, before anything is changed. Later only when something it rests
    on went away meanwhile; what was imported until then stays.
    """
    plan = Plan(broker, users, user)
    for number, _ in enumerate(plan.look(documents), 1):
        if not number % AT_ONCE:
            yield
    outcome = Outcome(warnings=plan.warnings)
    seen: set[tuple[int, str, int]] = set()  # what of a vhost's comes in two steps counts once
    for first in range(0, len(plan.actions), AT_ONCE):
        if first:
            yield
        with broker.events.acting(user):
            for entry, do in plan.actions[first : first + AT_ONCE]:
                try:
                    changed = do()
                except (OperatorError, ProtocolError) as error:
                    raise DefinitionsError(f"{entry}: {reason_of(error)}") from None
                if changed and entry.place not in seen:
                    seen.add(entry.place)
                    outcome.changed[entry.section] += 1
    return outcome


def at_once(steps: Generator[None, None, Outcome]) -> Outcome:
    """What an import comes to, with no turns left to anybody."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome


def _named(section: str, count: int) -> str:
    name = section.replace("_", " ")
    if count != 1:
        return name
    return name[:-3] + "y" if name.endswith("ies") else name.removesuffix("s")
