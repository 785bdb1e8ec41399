import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, count, duration, plural, queueState, rate, short, valueText } from "../../../amqpd/management/static/lib/format.js";

test("numbers are grouped, and short where there is little room", () => {
  assert.equal(count(1234567), "1,234,567");
  assert.equal(count(undefined), "–");
  assert.deepEqual([0, 999, 1050, 12_345, 7_865_570, 2e9, 0.5].map(short), ["0", "999", "1.05k", "12.3k", "7.87M", "2G", "0.5"]);
});

test("rates are exact while small", () => {
  assert.deepEqual([0, 0.001, 0.2, 12.34, 123.4, 4_703_610].map(rate), ["0/s", "<0.01/s", "0.2/s", "12.3/s", "123/s", "4.7M/s"]);
});

test("sizes have the units of memory", () => {
  assert.deepEqual([0, 1023, 1024, 50_000_000, 3 * 1024 ** 4].map(bytes), ["0 B", "1023 B", "1 KiB", "47.7 MiB", "3 TiB"]);
});

test("durations show their two largest units", () => {
  assert.deepEqual([0, 61, 3600, 90_061, -5].map(duration), ["0 s", "1 m 1 s", "1 h", "1 d 1 h", "0 s"]);
});

test("words go with numbers", () => {
  assert.equal(plural(1, "message"), "1 message");
  assert.equal(plural(2000, "entry", "entries"), "2,000 entries");
});

test("values of a table are text, or JSON", () => {
  assert.deepEqual(["a", 1, true, null, [1, "b"], { a: 1 }].map(valueText), ["a", "1", "true", "null", '[1,"b"]', '{"a":1}']);
});

test("a queue in which messages move is not idle", () => {
  const moving = { message_stats: { publish_details: { rate: 2 } } };
  assert.equal(queueState({ state: "running", idle_since: "now", ...moving }), "running");
  assert.equal(queueState({ state: "running", idle_since: "now" }), "idle");
  assert.equal(queueState({ state: "running" }), "running");
  assert.equal(queueState({ state: "down", idle_since: "now" }), "down");
});
