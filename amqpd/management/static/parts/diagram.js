// An exchange as a picture: who publishes, what is bound to it by which key, who consumes. A way that a message would
// take can be marked in it.

import { h, svg } from "../lib/dom.js";
import { count, plural, rate } from "../lib/format.js";
import { COLUMNS, WIDTH, fitted, keyOf, labelOf, layout } from "../lib/layout.js";
import { hashOf } from "../lib/route.js";
import { exchangeName, exchangePath } from "./common.js";

export const MOST = 20; // bindings to draw
const FEEDS = 4; // exchanges to draw on the left

/**
 * `exchange` and `bindings` as the API has them, `total` the number there are; `incoming` are bindings to the exchange;
 * `queues` tells by name what the queues hold; `way` is the set of `keyOf` those bindings that matched, or null.
 */
export function diagram({ exchange, bindings, total, incoming, queues, way }) {
  const sources = [...grouped(incoming)];
  const fed = sources.slice(0, FEEDS);
  const more = sources.length - fed.length;
  const plan = layout(bindings, 1 + fed.length + (more ? 1 : 0), MOST);
  const [from, wide] = COLUMNS.feeds;
  const [start, width] = COLUMNS.exchange;
  const feed = (index, box) => [line(from + wide, plan.feeds[index].y + 23, start, plan.middle, ""), box(from, plan.feeds[index].y, wide)];
  const { message_stats: stats } = exchange;
  const drawn = svg(
    "svg",
    { viewBox: `-2 -2 ${WIDTH + 4} ${plan.height + 4}`, class: way ? "marked" : null, role: "group", "aria-label": `${exchangeName(exchange.name)}, its bindings and their queues` },
    svg("defs", {}, marker("arrow"), marker("arrow-taken")),
    feed(0, (x, y, room) => node("client", x, y, room, 46, exchange.internal ? "no publishers" : "publishers", exchange.internal ? "it is internal" : rate(stats?.publish_in_details?.rate ?? 0))),
    fed.map(([source, found], index) => feed(index + 1, (x, y, room) => node("exchange", x, y, room, 46, exchangeName(source), found.map((each) => labelOf(each, "")).join(", "), hashOf("exchanges", [exchange.vhost, exchangePath(source)])))),
    more ? feed(fed.length + 1, (x, y, room) => node("client", x, y, room, 46, `${plural(more, "more exchange")}`, "")) : null,
    node("exchange here", start, plan.middle - 33, width, 66, exchangeName(exchange.name), exchange.type),
    plan.destinations.map((box) => destination(box, { exchange, plan, queue: queues.get(box.name), way })),
  );
  const left = total - Math.min(bindings.length, MOST);
  const nothing = total ? null : h("p", { class: "muted" }, "Nothing is bound to it: what is published goes no further, or to an alternate exchange.");
  return [h("div", { class: "scroll diagram", tabindex: "0", role: "region", "aria-label": "Picture of the bindings" }, drawn), nothing, left > 0 ? h("p", { class: "muted" }, `${plural(left, "more binding")} below.`) : null];
}

function grouped(bindings) {
  const found = new Map();
  for (const each of bindings) found.set(each.source, [...(found.get(each.source) ?? []), each]);
  return found;
}

function destination({ kind, name, y, height, lines }, { exchange, plan, queue, way }) {
  const [start, width] = COLUMNS.exchange;
  const [x, wide] = COLUMNS.destinations;
  const bend = start + width + 80;
  const [right, room] = COLUMNS.consumers;
  const middle = y + height / 2;
  const taken = lines.some(({ binding }) => way?.has(keyOf(binding)));
  const holds = queue ? `${count(queue.messages_ready)} ready${queue.messages_unacknowledged ? `, ${count(queue.messages_unacknowledged)} unacked` : ""}` : kind;
  return svg(
    "g",
    { class: way ? (taken ? "taken" : "left") : null },
    lines.map(({ binding, y: at }) => {
      const label = labelOf(binding, exchange.type);
      const matched = way?.has(keyOf(binding));
      return svg(
        "g",
        { class: way ? (matched ? "taken" : "left") : null },
        svg("title", {}, label),
        line(start + width, plan.middle, x, at, matched ? "-taken" : "", bend),
        svg("text", { class: "label", x: x - 16, y: at - 6, "text-anchor": "end" }, fitted(label, x - bend - 30)),
      );
    }),
    node(kind, x, y, wide, height, name, holds, hashOf(kind === "queue" ? "queues" : "exchanges", [exchange.vhost, kind === "queue" ? name : exchangePath(name)])),
    queue
      ? [
          queue.consumers ? svg("g", {}, line(x + wide, middle, right - 6, middle, "")) : null,
          svg("text", { class: "consumers", x: right, y: middle - 3 }, svg("tspan", {}, queue.consumers ? count(queue.consumers) : "no"), svg("tspan", { x: right, dy: "1.2em" }, queue.consumers > 1 ? "consumers" : "consumer")),
        ]
      : null,
  );
}

/** A box with a name and something beneath; exchanges are round, queues square. */
function node(kind, x, y, width, height, name, under, href = null) {
  const room = width - 32;
  const middle = y + height / 2;
  const content = [
    svg("title", {}, name),
    svg("rect", { x, y, width, height, rx: kind.startsWith("exchange") ? Math.min(23, height / 2) : 5 }),
    svg("text", { class: "name", x: x + 16, y: under ? middle - 3 : middle + 5 }, fitted(name, room)),
    under ? svg("text", { class: "under", x: x + 16, y: middle + 15 }, fitted(under, room)) : null,
  ];
  return href ? svg("a", { class: `node ${kind}`, href }, content) : svg("g", { class: `node ${kind}` }, content);
}

/** From one side of a box to another's; level from `bend` on. */
function line(x, y, toX, toY, taken, bend = toX - 6) {
  const half = (x + bend) / 2;
  return svg("path", { class: "line", d: `M ${x} ${y} C ${half} ${y}, ${half} ${toY}, ${bend} ${toY} H ${toX - 2}`, "marker-end": `url(#arrow${taken})` });
}

function marker(id) {
  return svg("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto" }, svg("path", { class: id, d: "M 0 0 L 8 4 L 0 8 z" }));
}
