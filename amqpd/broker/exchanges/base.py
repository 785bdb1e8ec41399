"""What every exchange is, and the contract of an exchange type."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, final

from ...message import Message
from ..arguments import Arguments
from ..binding import Binding, BindingKey
from ..events import INTERNAL
from ..traffic import Traffic

if TYPE_CHECKING:
    from ...store.base import Counters
    from ..policies import Applied
    from ..stream import AnyQueue
    from ..vhost import VHost


class Verdict(NamedTuple):
    """One binding's part in the routing of one message."""

    binding: Binding
    matched: bool
    reason: str


class Exchange(ABC):
    """Where messages are published. A type is a subclass with a `type` name and the methods below marked so.

    An exchange holds its bindings and says which of them a message matches. It does not know vhosts or deliver: the
    vhost follows the matching bindings to their destinations, through further exchanges where they lead there.
    """

    type: ClassVar[str]
    """The name clients declare it by."""

    by_routing_key = False
    """Whether `match` looks at nothing but the routing key, so that its answer may be remembered per key."""

    one_key = False
    """Whether only a message's own routing key counts here, if any: `match` is not asked again for CC and BCC."""

    attentive: ClassVar[bool] = False
    """Whether `receive` is to see each message. Then `by_routing_key` must be false, or some would go by."""

    is_queue: ClassVar[bool] = False

    def __init__(
        self,
        name: str,
        *,
        durable: bool = False,
        auto_delete: bool = False,
        internal: bool = False,
        arguments: Arguments | None = None,
    ) -> None:
        self.name = name
        self.durable = durable
        self.auto_delete = auto_delete  # deleted with its last outgoing binding
        self.internal = internal  # reached from other exchanges only
        self.arguments: dict[str, Any] = dict(arguments or {})
        self.declared_by = INTERNAL  # the user, once that is known
        self.policies: Applied | None = None  # those that apply to it
        self.outgoing: dict[BindingKey, Binding] = {}
        self.incoming: dict[BindingKey, Binding] = {}
        self.id = 0  # in the store; 0 = not stored
        self.traffic = Traffic()  # published by clients

    # --- the contract

    @classmethod  # noqa: B027 - most types accept all
    def check_arguments(cls, arguments: Arguments, described: str) -> None:
        """Called before an exchange is made. Raises PreconditionFailed for arguments this type cannot serve."""

    def check_binding(self, destination: AnyQueue | Exchange, routing_key: str, arguments: Arguments) -> None:  # noqa: B027
        """Called before a binding is made. Raises PreconditionFailed for one this type cannot serve."""

    @abstractmethod
    def bind(self, binding: Binding) -> None:
        """Called once for each new binding, after `check_binding`, also when bindings are recovered."""

    @abstractmethod
    def unbind(self, binding: Binding) -> None:
        """Called once when a binding that was bound is removed."""

    @abstractmethod
    def match(self, message: Message) -> Iterable[Binding]:
        """Called for each message: the bindings it matches, each once. Changes nothing."""

    @abstractmethod
    def reason(self, binding: Binding, message: Message, matched: bool) -> str:
        """Called by `explain`: why `match` did or did not choose this binding, in one sentence."""

    # --- for types that do more than match

    def join(self, vhost: VHost, stored: Counters | None) -> None:  # noqa: B027
        """Called once when the exchange has its place and id, before it is bound.

        `stored`, after a restart: what the store has under the id of this exchange.
        """

    def leave(self) -> None:  # noqa: B027
        """Called once when the exchange is deleted: nothing of it is to be left in the store."""

    def receive(self, message: Message, keys: tuple[str, ...]) -> int | None:
        """Called for each message before `match`, if `attentive`; `keys` are its further routing keys.

        When the exchange keeps the message, so that it goes nowhere from here, what `Queue.push` would say of that:
        0 or STORED. None when the message goes its way.
        """
        return None

    def replay(self) -> Iterable[Message]:
        """Called when a client has made a binding: messages that go to its destination at once."""
        return ()

    # --- the same for all types

    @property
    def alternate(self) -> str | None:
        """The name of the exchange that takes what matches no binding here."""
        name = self.arguments.get("alternate-exchange")
        if name is None and self.policies is not None:
            name = self.policies.definition.get("alternate-exchange")
        return name if isinstance(name, str) else None

    def candidates(self, message: Message) -> Iterable[Binding]:
        """The bindings `match` chooses from."""
        return self.outgoing.values()

    @final
    def explain(self, message: Message) -> list[Verdict]:
        """Every binding with whether and why it matched. Whether is asked of `match`, the same that routes."""
        matched = dict.fromkeys(self.match(message))
        candidates = dict.fromkeys(self.candidates(message)) | matched
        return [
            Verdict(binding, binding in matched, self.reason(binding, message, binding in matched))
            for binding in candidates
        ]
