"""A vhost's exchanges, queues and bindings as a graph, and the graph as text: JSON, Mermaid, Graphviz's dot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Node(NamedTuple):
    """An exchange or a queue."""

    id: str  # e:name or q:name
    name: str
    kind: str  # exchange or queue
    type: str
    messages: int | None = None


class Edge(NamedTuple):
    """A binding; or what leads to an alternate or dead-letter exchange."""

    source: str
    target: str
    label: str
    kind: str = "binding"  # binding, alternate, dead-letter


class Graph(NamedTuple):
    """What there is in a vhost."""

    vhost: str
    nodes: list[Node]
    edges: list[Edge]


def graph_of(
    vhost: str,
    exchanges: Sequence[Mapping[str, Any]],
    queues: Sequence[Mapping[str, Any]],
    bindings: Sequence[Mapping[str, Any]],
    *,
    everything: bool = False,
) -> Graph:
    """From the API's lists. Exchanges that are always there are left out unless they have bindings, or `everything`."""
    edges = [
        Edge(f"e:{each['source']}", f"{each['destination_type'][0]}:{each['destination']}", _label(each))
        for each in bindings
        if each["source"] or everything
    ]
    names = {f"e:{each['name']}" for each in exchanges}
    for each, letter in [*((each, "e") for each in exchanges), *((each, "q") for each in queues)]:
        for argument, kind in (("alternate-exchange", "alternate"), ("x-dead-letter-exchange", "dead-letter")):
            target = each.get("arguments", {}).get(argument)
            if isinstance(target, str) and f"e:{target}" in names and (target or everything):
                edges.append(Edge(f"{letter}:{each['name']}", f"e:{target}", kind, kind))
    used = {end for edge in edges for end in (edge.source, edge.target)}
    nodes = [
        Node(f"e:{each['name']}", each["name"], "exchange", each["type"])
        for each in exchanges
        if everything or f"e:{each['name']}" in used or not (not each["name"] or each["name"].startswith("amq."))
    ]
    nodes += [
        Node(f"q:{each['name']}", each["name"], "queue", each.get("type", "classic"), each.get("messages"))
        for each in queues
    ]
    known = {node.id for node in nodes}
    return Graph(vhost, nodes, [edge for edge in edges if edge.source in known and edge.target in known])


def _label(binding: Mapping[str, Any]) -> str:
    arguments = binding.get("arguments") or {}
    shown = ", ".join([f"{name}={value}" for name, value in arguments.items()])
    return " ".join(part for part in (binding["routing_key"], f"({shown})" if shown else "") if part)


def title_of(node: Node) -> str:
    """What is written in a node's box."""
    if node.kind == "exchange":
        return f"{node.name or '(nameless)'} [{node.type}]"
    return node.name + (f" ({node.messages})" if node.messages else "")


# --- as text


def as_json(graph: Graph) -> str:
    return json.dumps(
        {
            "vhost": graph.vhost,
            "nodes": [node._asdict() for node in graph.nodes],
            "edges": [edge._asdict() for edge in graph.edges],
        },
        ensure_ascii=False,
        indent=2,
    )


def as_mermaid(graph: Graph) -> str:
    """A flowchart, for Markdown."""
    numbers = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    lines = ["flowchart LR"]
    for node in graph.nodes:
        left, right = ("([", "])") if node.kind == "exchange" else ("[(", ")]")
        lines.append(f'    {numbers[node.id]}{left}"{_mermaid(title_of(node))}"{right}')
    for edge in graph.edges:
        arrow = "-->" if edge.kind == "binding" else "-.->"
        label = f'|"{_mermaid(edge.label)}"|' if edge.label else ""
        lines.append(f"    {numbers[edge.source]} {arrow}{label} {numbers[edge.target]}")
    return "\n".join(lines)


def _mermaid(text: str) -> str:
    for letter, entity in (("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;"), ("`", "#96;")):
        text = text.replace(letter, entity)
    return text


def as_dot(graph: Graph) -> str:
    """For Graphviz."""
    lines = [f"digraph {_quoted(graph.vhost)} {{", "    rankdir=LR;", "    node [fontname=sans];"]
    for node in graph.nodes:
        shape = "ellipse" if node.kind == "exchange" else "box"
        lines.append(f"    {_quoted(node.id)} [label={_quoted(title_of(node))}, shape={shape}];")
    for edge in graph.edges:
        style = "" if edge.kind == "binding" else ", style=dashed"
        lines.append(f"    {_quoted(edge.source)} -> {_quoted(edge.target)} [label={_quoted(edge.label)}{style}];")
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
