"""A graph as SVG: in layers from left to right, along the bindings, queues last."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from typing import Final, NamedTuple

from .graph import Edge, Graph, Node, title_of

LETTER: Final = 7.2
"""The width of one, at this size."""

HEIGHT: Final = 32
GAP: Final = 18
"""Between boxes of a layer."""

MARGIN: Final = 20
LEAST_SPACE: Final = 90
"""Between layers; more where labels need it."""

SWEEPS: Final = 4
"""How often each layer is put in the order of what it is bound to."""

STYLE: Final = (
    "text{font:12px ui-monospace,monospace;fill:#222}.exchange{fill:#fde8c8;stroke:#c77f12}"
    ".queue{fill:#d9ecff;stroke:#2a6fb0}path{fill:none;stroke:#777}.dashed{stroke-dasharray:5 4}"
    ".label{font-size:10px;fill:#555}"
)

TIP: Final = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    '<path d="M0 0L8 4L0 8z" style="fill:#777;stroke:none"/></marker></defs>'
)


class Box(NamedTuple):
    """Where a node is drawn."""

    x: float
    y: float
    width: float


def as_svg(graph: Graph) -> str:
    """The drawing, as a document of its own."""
    layers = _layers(graph)
    boxes, width, height = _boxes(graph, layers)
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        f"<title>{escape(f'vhost {graph.vhost}')}</title><style>{STYLE}</style>",
        TIP,
    ]
    lines += [_edge(edge, boxes) for edge in graph.edges]
    lines += [_node(node, boxes[node.id]) for node in graph.nodes]
    return "\n".join([*lines, "</svg>"])


def _layers(graph: Graph) -> list[list[Node]]:
    """Each exchange to the right of those bound to it, as far as there is no circle; queues at the end."""
    exchanges = [node for node in graph.nodes if node.kind == "exchange"]
    ids = {node.id for node in exchanges}
    between = [edge for edge in graph.edges if edge.source in ids and edge.target in ids]
    depth = dict.fromkeys(ids, 0)
    for _ in range(len(exchanges)):  # longest paths; a circle is given up on after as many rounds as there are nodes
        moved = False
        for edge in between:
            if depth[edge.target] <= depth[edge.source] < len(exchanges) - 1:
                depth[edge.target] = depth[edge.source] + 1
                moved = True
        if not moved:
            break
    used = sorted(set(depth.values()))
    layers = [[node for node in exchanges if depth[node.id] == level] for level in used]
    queues = [node for node in graph.nodes if node.kind == "queue"]
    layers = [*layers, queues] if queues else layers
    return _untangled(layers, graph.edges)


def _untangled(layers: list[list[Node]], edges: list[Edge]) -> list[list[Node]]:
    """Each layer in the order of the middle of what it is bound to, forwards and backwards some times."""
    near: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        near[edge.source].append(edge.target)
        near[edge.target].append(edge.source)
    place = {node.id: float(number) for layer in layers for number, node in enumerate(layer)}
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else layers[::-1]:
            middle = {
                node.id: sum([place[other] for other in near[node.id]]) / len(near[node.id])
                if near[node.id]
                else place[node.id]
                for node in layer
            }
            layer.sort(key=lambda node: middle[node.id])
            for number, node in enumerate(layer):
                place[node.id] = float(number)
    return layers


def _boxes(graph: Graph, layers: list[list[Node]]) -> tuple[dict[str, Box], float, float]:
    boxes: dict[str, Box] = {}
    tallest = max((len(layer) for layer in layers), default=0)
    height = max(1, tallest) * (HEIGHT + GAP) - GAP + 2 * MARGIN
    space = max([LEAST_SPACE, *(len(edge.label) * LETTER * 0.85 + 30 for edge in graph.edges)])
    x = float(MARGIN)
    for layer in layers:
        width = max(len(title_of(node)) for node in layer) * LETTER + 24
        top = (height - len(layer) * (HEIGHT + GAP) + GAP) / 2
        for number, node in enumerate(layer):
            boxes[node.id] = Box(x, top + number * (HEIGHT + GAP), width)
        x += width + space
    return boxes, max(x - space, MARGIN) + MARGIN if boxes else 2 * MARGIN, height


def _node(node: Node, box: Box) -> str:
    radius = HEIGHT / 2 if node.kind == "exchange" else 3
    return (
        f'<rect class="{node.kind}" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{HEIGHT}"'
        f' rx="{radius}"/><text x="{box.x + box.width / 2:.1f}" y="{box.y + HEIGHT / 2 + 4:.1f}"'
        f' text-anchor="middle">{escape(title_of(node))}</text>'
    )


def _edge(edge: Edge, boxes: dict[str, Box]) -> str:
    source, target = boxes[edge.source], boxes[edge.target]
    x1, y1 = source.x + source.width, source.y + HEIGHT / 2
    x2, y2 = target.x, target.y + HEIGHT / 2
    bend = max(40.0, (x2 - x1) / 2)
    if x2 <= x1:  # back, or to itself: around
        bend = 60.0
    style = "" if edge.kind == "binding" else ' class="dashed"'
    path = f"M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    label = (
        f'<text class="label" x="{(x1 + x2) / 2:.1f}" y="{(y1 + y2) / 2 - 4:.1f}" text-anchor="middle">'
        f"{escape(edge.label)}</text>"
        if edge.label
        else ""
    )
    return f'<path d="{path}"{style} marker-end="url(#tip)"/>{label}'
