import assert from "node:assert/strict";
import { test } from "node:test";
import { Poller, delayOf } from "../../../amqpd/management/static/lib/poller.js";

class Page {
  hidden = false;
  listeners = new Set();

  addEventListener(_, listener) {
    this.listeners.add(listener);
  }

  removeEventListener(_, listener) {
    this.listeners.delete(listener);
  }

  turn(hidden) {
    this.hidden = hidden;
    return Promise.all([...this.listeners].map((listener) => listener()));
  }
}

class Timers {
  waiting = new Map();
  number = 0;

  setTimeout(call, delay) {
    this.waiting.set(++this.number, { call, delay });
    return this.number;
  }

  clearTimeout(number) {
    this.waiting.delete(number);
  }

  get delays() {
    return [...this.waiting.values()].map(({ delay }) => delay);
  }

  async ring() {
    const [[number, { call }]] = this.waiting;
    this.waiting.delete(number);
    await call();
  }
}

function poller(work, interval = 5000) {
  const page = new Page();
  const timers = new Timers();
  const told = [];
  return { page, timers, told, poller: new Poller(work, (error, delay) => told.push([error?.message ?? null, delay]), interval, { page, timers }) };
}

test("the delay doubles with each failure, up to a minute", () => {
  assert.deepEqual([1, 2, 3, 4, 99].map((failures) => delayOf(5000, failures, 0)), [10_000, 20_000, 40_000, 60_000, 60_000]);
});

test("slow answers are asked for more rarely", () => {
  assert.equal(delayOf(2000, 0, 100), 2000);
  assert.equal(delayOf(2000, 0, 3000), 12_000);
});

test("it asks again and again", async () => {
  let calls = 0;
  const { poller: asked, timers } = poller(async () => calls++);
  await asked.start();
  await timers.ring();
  assert.deepEqual([calls, timers.delays], [2, [5000]]);
});

test("after a failure it says so and tries again, later each time, until there is an answer", async () => {
  let down = true;
  const { poller: asked, timers, told } = poller(async () => {
    if (down) throw new Error("no answer");
  });
  await asked.start();
  await timers.ring();
  down = false;
  await timers.ring();
  assert.deepEqual(told, [["no answer", 10_000], ["no answer", 20_000], [null, 5000]]);
});

test("nobody looks, nothing is asked; at once when somebody does", async () => {
  let calls = 0;
  const { poller: asked, page, timers } = poller(async () => calls++);
  await asked.start();
  await page.turn(true);
  assert.deepEqual([calls, timers.delays], [1, []]);
  await page.turn(false);
  assert.deepEqual([calls, timers.delays], [2, [5000]]);
});

test("an interval of nothing asks only when told to, but does not give up", async () => {
  const { poller: asked, timers } = poller(async () => {}, 0);
  await asked.start();
  assert.deepEqual(timers.delays, []);
  const { poller: failing, timers: later } = poller(async () => { throw new Error(); }, 0);
  await failing.start();
  assert.deepEqual(later.delays, [10_000]);
});

test("a new question aborts the one under way, which is heard of no more", async () => {
  const signals = [];
  let answer;
  const { poller: asked, told } = poller((signal) => (signals.push(signal), new Promise((resolve) => (answer = resolve))));
  asked.start();
  const second = asked.now();
  answer();
  await second;
  assert.deepEqual(signals.map(({ aborted }) => aborted), [true, false]);
  assert.equal(told.length, 1);
});

test("stopped, it leaves nothing behind", async () => {
  const { poller: asked, page, timers } = poller(async () => {});
  await asked.start();
  asked.stop();
  await asked.now();
  assert.deepEqual([timers.waiting.size, page.listeners.size], [0, 0]);
});
