"""The topic exchange (specification 3.1.3.3): keys are words between dots, patterns may hold `*` and `#`.

`*` stands for exactly one word, an empty one included; `#` for any number of words, none included. A key of no
characters has no words. The patterns form a trie with a node for each word; a key is matched by walking all patterns
at once, keeping the set of nodes its words so far lead to. Where a pattern has `#`, its node stays in the set.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...message import Message
from ..binding import Binding
from .base import Exchange

ONE_WORD = "*"
ANY_WORDS = "#"


class _Node:
    """The patterns that share the words on the way here."""

    __slots__ = ("any_words", "bindings", "children", "repeats")

    def __init__(self, repeats: bool) -> None:
        self.children: dict[str, _Node] = {}  # by word, or "*"
        self.any_words: _Node | None = None  # the "#" that may come next
        self.bindings: list[Binding] = []  # of the pattern that ends here
        self.repeats = repeats  # reached by "#": takes any word and stays


class TopicExchange(Exchange):
    """A message matches the bindings whose pattern its routing key fits."""

    type = "topic"
    by_routing_key = True

    def __init__(self, name: str, **properties: Any) -> None:
        super().__init__(name, **properties)
        self._root = _Node(repeats=False)

    def bind(self, binding: Binding) -> None:
        node = self._root
        for word in words(binding.routing_key):
            if word == ANY_WORDS:
                if node.any_words is None:
                    node.any_words = _Node(repeats=True)
                node = node.any_words
            else:
                node = node.children.setdefault(word, _Node(repeats=False))
        node.bindings.append(binding)

    def unbind(self, binding: Binding) -> None:
        node = self._root
        path: list[tuple[_Node, str]] = []
        for word in words(binding.routing_key):
            path.append((node, word))
            following = node.any_words if word == ANY_WORDS else node.children[word]
            assert following is not None
            node = following
        node.bindings.remove(binding)
        for parent, word in reversed(path):
            if node.bindings or node.children or node.any_words is not None:
                return
            if word == ANY_WORDS:
                parent.any_words = None
            else:
                del parent.children[word]
            node = parent

    def match(self, message: Message) -> Iterable[Binding]:
        nodes: dict[_Node, None] = {}
        _enter(self._root, nodes)
        for word in words(message.routing_key):
            reached: dict[_Node, None] = {}
            for node in nodes:
                if node.repeats:
                    _enter(node, reached)
                following = node.children.get(word)
                # a key may hold the word "*" itself: then the two are one node
                if following is not None:
                    _enter(following, reached)
                following = node.children.get(ONE_WORD)
                if following is not None:
                    _enter(following, reached)
            nodes = reached
            if not nodes:
                break
        return [binding for node in nodes for binding in node.bindings]

    def reason(self, binding: Binding, message: Message, matched: bool) -> str:
        pattern, key = binding.routing_key, message.routing_key
        taken = align(words(pattern), words(key))
        if taken is None:
            return f"pattern '{pattern}' does not fit routing key '{key}'"
        stands_for = [
            f"{word} stands for '{'.'.join(part)}'" if part else f"{word} stands for no word"
            for word, part in zip(words(pattern), taken, strict=True)
            if word in (ONE_WORD, ANY_WORDS)
        ]
        fits = f"pattern '{pattern}' fits routing key '{key}'"
        return f"{fits}: {', '.join(stands_for)}" if stands_for else fits


def words(key: str) -> list[str]:
    """The words of a routing key or a pattern; none for the empty key."""
    return key.split(".") if key else []


def align(pattern: list[str], key: list[str]) -> list[list[str]] | None:
    """The words of the key that each word of the pattern stands for; None when the pattern does not fit.

    A `#` takes as few words as it can.
    """
    # reachable[i] = sizes of the key's start that pattern[:i] fits, with the size before the last word it took
    reachable: list[dict[int, int]] = [{0: 0}]
    for word in pattern:
        following: dict[int, int] = {}
        for size in sorted(reachable[-1]):
            if word == ANY_WORDS:
                for longer in range(size, len(key) + 1):
                    following[longer] = size
            elif size < len(key) and word in (ONE_WORD, key[size]):
                following[size + 1] = size
        reachable.append(following)
    end = len(key)
    if end not in reachable[-1]:
        return None
    taken: list[list[str]] = []
    for steps in reversed(reachable[1:]):
        start = steps[end]
        taken.append(key[start:end])
        end = start
    return taken[::-1]


def _enter(node: _Node, nodes: dict[_Node, None]) -> None:
    """Add a node, and the `#` nodes after it, which may stand for no word."""
    following: _Node | None = node
    while following is not None:
        nodes[following] = None
        following = following.any_words
