"""What is to be done to import definitions: found out by looking at every entry, before anything is changed.

Most of what can be wrong with an entry the model would say itself. It is asked here of imagined vhosts, so that one
entry can rest on another: a binding on a queue of the same file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from ..auth.internal import InternalUsers, check_tags
from ..auth.passwords import matches
from ..auth.permissions import TopicPattern
from ..broker.arguments import QUEUE_TYPES, queue_type_of
from ..broker.broker import Broker
from ..broker.exchanges import Exchange, find_type
from ..broker.parameters import POLICY, check_name
from ..broker.policies import ALL
from ..broker.policy_settings import ineffective
from ..broker.vhost import RESERVED_PREFIX, VHost
from ..broker.vhost_limits import COMPONENT as VHOST_LIMITS
from ..broker.vhost_limits import NAME as LIMITS
from ..errors import NoSuchObject, OperatorError
from ..patterns import Pattern
from ..wire.spec import ProtocolError
from .document import SECTIONS, DefinitionsError, Document, Entry
from .export import INTERNAL_PREFIX

ABSENT_PLUGINS: Final = frozenset({"shovel", "federation-upstream", "federation-upstream-set"})
"""Components of parameters that many brokers have; where there is nothing of the kind, theirs are left out."""

MD5: Final = "rabbit_password_hashing_md5"
MD5_UNTIL: Final = (3, 6)
"""Older versions kept passwords so, and did not say it."""

NEWEST: Final = (9999, 0)


class Action(NamedTuple):
    """Something to do; it returns whether that changed anything."""

    entry: Entry
    do: Callable[[], bool]


@dataclass(slots=True)
class ImaginedQueue:
    """A queue to be, as far as exchange types look at what they are bound to."""

    name: str
    durable: bool
    auto_delete: bool
    arguments: Mapping[str, Any]
    is_queue: bool = True


@dataclass(slots=True)
class Place:
    """A vhost as it is going to be."""

    real: VHost | None
    imagined: VHost  # to ask; nothing is in it
    exchanges: dict[str, Exchange] = field(default_factory=dict)  # to be made
    queues: dict[str, ImaginedQueue] = field(default_factory=dict)  # to be made

    def exchange(self, name: str) -> Exchange | None:
        found = self.exchanges.get(name)
        return found if found is not None else (self.real or self.imagined).exchanges.get(name)

    def queue(self, name: str) -> Any:
        """None also for one that belongs to a connection."""
        found: Any = self.queues.get(name)
        if found is None and self.real is not None:
            found = self.real.queues.get(name)
            if found is not None and found.owner is not None:
                return None
        return found

    def has_queue(self, name: str) -> bool:
        return name in self.queues or (self.real is not None and name in self.real.queues)


class Plan:
    """What to do, in order, once `look` has seen everything."""

    def __init__(self, broker: Broker, users: InternalUsers, user: str) -> None:
        """`user` is who imports, and may do everything in vhosts that are made."""
        self._broker = broker
        self._users = users
        self._user_importing = user
        self._names: set[str] = set()  # of users to be
        self._new_vhosts = 0
        self._places: dict[str, Place] = {}
        self._last: list[Action] = []  # limits, which are not for what comes with them
        self.actions: list[Action] = []
        self.warnings: list[str] = []

    def look(self, documents: Iterable[Document]) -> Iterator[None]:
        """Look at every entry, and leave others a turn after each. Raises DefinitionsError for one that cannot be."""
        documents = list(documents)
        looks = (
            self._user,
            self._vhost,
            self._permission,
            self._exchange,
            self._topic_permission,
            self._global_parameter,
            self._policy,
            self._parameter,
            self._queue,
            self._binding,
        )
        for section, look_at in zip(SECTIONS, looks, strict=True):
            for document in documents:
                for entry in document.entries(section):
                    try:
                        look_at(entry)
                    except DefinitionsError:
                        raise
                    except (OperatorError, ProtocolError) as error:
                        entry.refuse(reason_of(error))
                    yield
        self._check_room()
        self.actions += self._last

    # --- users

    def _user(self, entry: Entry) -> None:
        users, name = self._users, entry.name()
        password, password_hash = entry.text("password", None), entry.text("password_hash", None)
        algorithm = entry.text("hashing_algorithm", None)
        if password_hash and algorithm is None and _version(entry.document) < MD5_UNTIL:
            algorithm = MD5
        tags, limits = entry.tags() or [], entry.table("limits")
        said: dict[str, Any] = {
            "password": password,
            "tags": tags,
            "password_hash": password_hash,
            "hashing_algorithm": algorithm,
            "limits": limits,
        }
        users.check(name, **said)
        self._names.add(name)

        def put() -> bool:
            known = users.all.get(name)
            if known is not None and known.tags == check_tags(tags) and {**known.limits, **limits} == known.limits:
                if password is not None:
                    same = matches(password.encode(), known.password_hash, known.hashing_algorithm)
                else:
                    same = (password_hash or "") == known.password_hash and algorithm in (None, known.hashing_algorithm)
                if same:
                    return False
            users.put(name, **said)
            return True

        self._do(entry, put)

    def _permission(self, entry: Entry) -> None:
        name, vhost = self._check_user(entry), self._place(entry).imagined.name
        patterns = {action: entry.text(action) for action in ("configure", "write", "read")}
        for pattern in patterns.values():
            Pattern(pattern)
        users = self._users

        def put() -> bool:
            known = users.permissions.find(name, vhost)
            if known is not None and known.described() == {"user": name, "vhost": vhost, **patterns}:
                return False
            users.set_permissions(name, vhost, **patterns)
            return True

        self._do(entry, put)

    def _topic_permission(self, entry: Entry) -> None:
        name, vhost = self._check_user(entry), self._place(entry).imagined.name
        exchange = entry.text("exchange")
        patterns = {action: entry.text(action) for action in ("write", "read")}
        for pattern in patterns.values():
            TopicPattern(pattern, name, vhost)
        users = self._users

        def put() -> bool:
            known = users.permissions.find_topic(name, vhost, exchange)
            said = {"user": name, "vhost": vhost, "exchange": exchange, **patterns}
            if known is not None and known.described() == said:
                return False
            users.set_topic_permissions(name, vhost, exchange, **patterns)
            return True

        self._do(entry, put)

    def _check_user(self, entry: Entry) -> str:
        name = entry.name("user")
        if name not in self._names and name not in self._users.all:
            raise NoSuchObject(f'User "{name}" does not exist')
        return name

    # --- vhosts

    def _vhost(self, entry: Entry) -> None:
        broker, name = self._broker, entry.name()
        metadata = Entry(entry.document, entry.section, entry.index, entry.table("metadata"))
        queue_type = entry.text("default_queue_type", metadata.text("default_queue_type", None))
        tags = entry.tags()
        said: dict[str, Any] = {
            "description": entry.text("description", metadata.text("description", None)),
            "tags": metadata.tags() if tags is None else tags,
            "default_queue_type": None if queue_type in ("", "undefined") else queue_type,
            "tracing": entry.flag("tracing", None),
            "protected": metadata.flag("protected_from_deletion", None),
        }
        if said["default_queue_type"] not in (None, *QUEUE_TYPES):
            raise OperatorError(f"{queue_type} is not a valid queue type")
        real, place = broker.vhosts.get(name), self._places.get(name)
        if place is None:
            queue_type = real.default_queue_type if real is not None else ""
            place = self._places[name] = Place(real, broker.imagined_vhost(name, queue_type))
            self._new_vhosts += real is None
        if said["default_queue_type"] is not None:
            place.imagined.default_queue_type = said["default_queue_type"]

        def put() -> bool:
            before = _described(broker.vhosts.get(name))
            after = _described(broker.add_vhost(name, **said))
            if not before and self._user_importing in self._users.all:
                self._users.set_permissions(self._user_importing, name, configure=".*", write=".*", read=".*")
            return after != before

        self._do(entry, put)
        limits = entry.table("limits")
        if limits:
            self._set_parameter(entry, VHOST_LIMITS, name, LIMITS, limits)

    def _place(self, entry: Entry) -> Place:
        """The vhost of an entry. Raises NoSuchObject."""
        name = entry.vhost
        place = self._places.get(name)
        if place is None:
            real = self._broker.vhosts.get(name)
            if real is None:
                raise NoSuchObject(f"Virtual host '{name}' does not exist")
            place = self._places[name] = Place(real, self._broker.imagined_vhost(name, real.default_queue_type))
        return place

    # --- parameters and policies

    def _global_parameter(self, entry: Entry) -> None:
        parameters, name = self._broker.parameters, entry.name()
        value = entry.fields.get("value")
        if name.startswith(INTERNAL_PREFIX):
            return  # another broker's own affair

        def put() -> bool:
            known = parameters.globals
            if name in known and known[name] == value:
                return False
            parameters.set_global(name, value)
            return True

        self._do(entry, put)

    def _policy(self, entry: Entry) -> None:
        vhost, name, fields = self._place(entry).imagined.name, entry.name(), entry.fields
        value: dict[str, Any] = {
            "pattern": fields.get("pattern"),
            "definition": fields.get("definition"),
            "priority": 0 if fields.get("priority") is None else fields["priority"],
            "apply-to": ALL if fields.get("apply-to") is None else fields["apply-to"],
        }
        self._set_parameter(entry, POLICY, vhost, name, value)
        self.warnings += [f"{entry}: {line}" for line in ineffective(value["definition"])]

    def _parameter(self, entry: Entry) -> None:
        vhost, component, name = self._place(entry).imagined.name, entry.name("component"), entry.name()
        if component in ABSENT_PLUGINS:
            self.warnings.append(f"{entry}: left out, there is no {component.partition('-')[0]} here")
            return
        if component == POLICY:
            raise OperatorError("policies may not be set using this method")
        self._set_parameter(entry, component, vhost, name, entry.fields.get("value"))

    def _set_parameter(self, entry: Entry, component: str, vhost: str, name: str, value: Any) -> None:
        parameters = self._broker.parameters
        parameters.check(component, vhost, name, value)

        def put() -> bool:
            try:
                before = parameters.get(component, vhost, name)
            except NoSuchObject:
                before = None
            parameters.set_any(component, vhost, name, value)
            return bool(parameters.get(component, vhost, name) != before)

        actions = self._last if component == VHOST_LIMITS else self.actions
        actions.append(Action(entry, put))

    # --- exchanges, queues, bindings

    def _exchange(self, entry: Entry) -> None:
        place, name = self._place(entry), entry.text("name")
        if not name or name.startswith(RESERVED_PREFIX):
            if place.exchange(name) is None:
                self.warnings.append(f"{entry}: left out, the name is reserved")
            return
        check_name(name)
        type_name = entry.text("type")
        said: dict[str, Any] = {
            "durable": entry.flag("durable", True),
            "auto_delete": entry.flag("auto_delete", False),
            "internal": entry.flag("internal", False),
            "arguments": entry.arguments(),
        }
        if place.exchange(name) is not None:
            return
        place.imagined.check_declarable(name, type_name)
        place.imagined.check_new_exchange(name, type_name, said["arguments"])
        exchange_type = find_type(type_name)
        assert exchange_type is not None
        place.exchanges[name] = exchange_type(name, **said)
        vhost = place.imagined.name

        def declare() -> bool:
            found = self._there(vhost)
            if name in found.exchanges:
                return False
            found.declare_exchange(name, type_name, **said)
            return True

        self._do(entry, declare)

    def _queue(self, entry: Entry) -> None:
        place, name = self._place(entry), entry.name()
        if name.startswith(RESERVED_PREFIX):
            if not place.has_queue(name):
                self.warnings.append(f"{entry}: left out, the name is reserved")
            return
        durable, auto_delete = entry.flag("durable", True), entry.flag("auto_delete", False)
        arguments, queue_type = entry.arguments(), entry.text("type", None)
        if place.has_queue(name):
            return
        typed = place.imagined.typed(arguments, lasting=durable and not auto_delete)
        if queue_type in QUEUE_TYPES and "x-queue-type" not in arguments and queue_type != queue_type_of(typed):
            typed = arguments = {**arguments, "x-queue-type": queue_type}
        place.imagined.check_new_queue(name, typed, durable=durable, exclusive=False, auto_delete=auto_delete)
        place.queues[name] = ImaginedQueue(name, durable, auto_delete, typed)
        vhost = place.imagined.name

        def declare() -> bool:
            found = self._there(vhost)
            if name in found.queues:
                return False
            found.declare_queue(name, durable=durable, auto_delete=auto_delete, arguments=arguments)
            return True

        self._do(entry, declare)

    def _binding(self, entry: Entry) -> None:
        place, source_name = self._place(entry), entry.text("source")
        destination, kind = entry.text("destination"), entry.text("destination_type", "queue")
        routing_key, arguments = entry.text("routing_key", ""), entry.arguments()
        if kind not in ("queue", "exchange"):
            raise OperatorError("'destination_type' has to be queue or exchange")
        if len(routing_key.encode()) > 255:
            raise OperatorError("'routing_key' must not be longer than 255 bytes")
        to_queue = kind == "queue"
        if not source_name or not destination:
            if source_name or not to_queue or routing_key != destination:  # those the default exchange has anyway
                self.warnings.append(f"{entry}: left out, nothing can be bound to the default exchange")
            return
        source = place.exchange(source_name)
        target = place.queue(destination) if to_queue else place.exchange(destination)
        if source is None or target is None:
            missing = f"exchange '{source_name}'" if source is None else f"{kind} '{destination}'"
            self.warnings.append(f"{entry}: left out, there is no {missing}")
            return
        source.check_binding(target, routing_key, arguments)
        vhost = place.imagined.name

        def bind() -> bool:
            found = self._there(vhost)
            before = len(found.exchange(source_name).outgoing)
            found.bind(source_name, destination, routing_key, arguments, to_queue=to_queue)
            return len(found.exchange(source_name).outgoing) > before

        self._do(entry, bind)

    def _there(self, vhost: str) -> VHost:
        """The vhost, now that something is to be made in it. Raises NoSuchObject when it was deleted meanwhile."""
        found = self._broker.vhosts.get(vhost)
        if found is None:
            raise NoSuchObject(f"Virtual host '{vhost}' does not exist")
        return found

    # --- all together

    def _do(self, entry: Entry, do: Callable[[], bool]) -> None:
        self.actions.append(Action(entry, do))

    def _check_room(self) -> None:
        """Raises DefinitionsError when there are as many vhosts, exchanges or queues already as there may be."""
        places = self._places.values()
        for place in places:
            vhost, more = place.real or place.imagined, len(place.queues)
            here = len(place.real.queues) if place.real is not None else 0
            if vhost.max_queues is not None and more and here + more > vhost.max_queues:
                raise DefinitionsError(
                    f'Adding {more} queue(s) to virtual host "{vhost.name}" would exceed the limit of'
                    f" {vhost.max_queues} queue(s).\n\nThis virtual host currently has {here} queue(s) defined.\n\n"
                    "Import aborted!"
                )
        try:
            self._broker.check_room(
                vhosts=self._new_vhosts,
                exchanges=sum([len(place.exchanges) for place in places]),
                queues=sum([len(place.queues) for place in places]),
            )
        except OperatorError as error:
            raise DefinitionsError(str(error)) from None


def reason_of(error: OperatorError | ProtocolError) -> str:
    return error.explanation if isinstance(error, ProtocolError) else str(error)


def _described(vhost: VHost | None) -> tuple[object, ...]:
    if vhost is None:
        return ()
    return vhost.description, vhost.tags, vhost.default_queue_type, vhost.traced, vhost.protected


def _version(document: Document) -> tuple[int, int]:
    """The RabbitMQ that wrote it, as far as that is known; a new one if not."""
    match = re.match(r"(\d{1,6})\.(\d{1,6})", document.version)
    return (int(match[1]), int(match[2])) if match else NEWEST
