import assert from "node:assert/strict";
import { test } from "node:test";
import { Samples, ceiling, growth, points, settled, span } from "../../../amqpd/management/static/lib/series.js";

test("a rate is the growth over the time between two samples", () => {
  assert.deepEqual(growth([0, 5000, 7000], [0, 50, 90]), [10, 20]);
});

test("a counter that fell started anew, and time that stands still has no rate", () => {
  assert.deepEqual(growth([0, 1000, 1000], [50, 3, 9]), [0, 0]);
});

test("a last sample too near to the one before takes its place", () => {
  assert.deepEqual(settled([0, 5000, 5100], [1, 2, 3]), [1, 3]);
  assert.deepEqual(settled([0, 5000, 9000], [1, 2, 3]), [1, 2, 3]);
  assert.deepEqual(settled([5], [1]), [1]);
});

test("an axis ends at a round number", () => {
  assert.deepEqual([0, 0.3, 1, 1.5, 3, 99, 101, 70_000].map(ceiling), [1, 0.4, 1, 2, 4, 100, 200, 80_000]);
});

test("a chart shows a minute at least, ten at most", () => {
  assert.deepEqual(span([], 1_000_000), [940_000, 1_000_000]);
  assert.deepEqual(span([990_000], 1_000_000), [940_000, 1_000_000]);
  assert.deepEqual(span([700_000], 1_000_000), [700_000, 1_000_000]);
  assert.deepEqual(span([0], 1_000_000), [400_000, 1_000_000]);
});

test("a line goes from left to right, and leaves out what is older", () => {
  assert.deepEqual(points([0, 50, 100], [9, 5, 10], [50, 100], 10, 200, 100), [[0, 50], [200, 0]]);
});

test("samples are kept up to a limit", () => {
  const samples = new Samples(2);
  for (const number of [1, 2, 3]) samples.add(number, { ready: number * 10 });
  assert.deepEqual([samples.times, samples.values], [[2, 3], { ready: [20, 30] }]);
});
