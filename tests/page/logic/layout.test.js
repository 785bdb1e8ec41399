import assert from "node:assert/strict";
import { test } from "node:test";

import { fitted, keyOf, labelOf, layout, LETTER } from "../../../amqpd/management/static/lib/layout.js";

const bound = (destination, key = "", kind = "queue", table = {}) => ({ destination, destination_type: kind, routing_key: key, arguments: table });

test("text that fits stays, and other text ends in an ellipsis", () => {
  assert.equal(fitted("orders", 6 * LETTER), "orders");
  assert.equal(fitted("orders", 5 * LETTER), "orde…");
  assert.equal(fitted("队列队列", 8 * LETTER), "队列队列");
  assert.equal(fitted("队列队列", 7 * LETTER), "队列队…");
  assert.equal(fitted("a\nb", 9 * LETTER), "a b");
  assert.equal(fitted("", 9 * LETTER), "");
});

test("a line says what its binding asks for", () => {
  assert.equal(labelOf(bound("q", "order.#"), "topic"), "order.#");
  assert.equal(labelOf(bound("q"), "direct"), "(empty)");
  assert.equal(labelOf(bound("q"), "fanout"), "");
  assert.equal(labelOf(bound("q", "", "queue", { "x-match": "any", colour: "red", size: 3 }), "headers"), "any: colour=red, size=3");
  assert.equal(labelOf(bound("q"), "headers"), "(no header)");
});

test("a binding is recognised whatever the order of its arguments", () => {
  assert.equal(keyOf(bound("q", "", "queue", { a: 1, b: 2 })), keyOf(bound("q", "", "queue", { b: 2, a: 1 })));
  assert.notEqual(keyOf(bound("q", "a")), keyOf(bound("q", "b")));
});

test("boxes are one below another, with a line for each binding", () => {
  const plan = layout([bound("one", "a"), bound("two", "b"), bound("one", "c"), bound("one", "d", "exchange")], 1, 20);
  assert.deepEqual(plan.destinations.map(({ kind, name, lines }) => [kind, name, lines.length]), [["queue", "one", 2], ["queue", "two", 1], ["exchange", "one", 1]]);
  plan.destinations.slice(1).forEach(({ y }, index) => assert.ok(y > plan.destinations[index].y + plan.destinations[index].height));
  for (const { y, height, lines } of plan.destinations) for (const line of lines) assert.ok(line.y > y && line.y < y + height);
  assert.ok(plan.destinations.at(-1).y + plan.destinations.at(-1).height <= plan.height);
});

test("no more bindings are drawn than wished, and nothing bound is a picture too", () => {
  assert.equal(layout(Array.from({ length: 25 }, (_, index) => bound(`q${index}`)), 1, 20).destinations.length, 20);
  const empty = layout([], 3, 20);
  assert.deepEqual(empty.destinations, []);
  assert.ok(empty.feeds.every(({ y, height }) => y >= 0 && y + height <= empty.height));
});
