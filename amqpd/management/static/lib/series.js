// From counters to lines.

/** Growth per second between neighbouring samples; one value fewer. A counter that fell started anew. */
export function growth(times, counters) {
  return counters.slice(1).map((value, index) => {
    const seconds = (times[index + 1] - times[index]) / 1000;
    return seconds > 0 ? Math.max(0, value - counters[index]) / seconds : 0;
  });
}

/** Samples without the last but one, where that is too near the last for a rate to mean anything. */
export function settled(times, values) {
  const near = times.length > 1 && times.at(-1) - times.at(-2) < 2000;
  return near ? [...values.slice(0, -2), values.at(-1)] : values;
}

/** The least of 1, 2, 4, 6, 8 or 10 times a power of ten that is not below `value`, so that its half reads well. */
export function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 4, 6, 8, 10].find((step) => step * power >= value * (1 - 1e-9));
}

/** The moments to draw from and to: all there are, but a minute at least and ten at most. */
export function span(times, now) {
  const first = times.length ? times[0] : now;
  return [now - Math.min(600_000, Math.max(60_000, now - first)), now];
}

/** Points of a polyline on a grid of `width` by `height`; what lies left of it is cut off. */
export function points(times, values, [from, to], top, width, height) {
  const found = [];
  times.forEach((time, index) => {
    if (time < from) return;
    const x = ((time - from) / (to - from)) * width;
    const y = height - (Math.min(values[index], top) / top) * height;
    found.push([round(x), round(y)]);
  });
  return found;
}

/** What a page sees of an object while it looks: the last `limit` samples of some numbers. */
export class Samples {
  constructor(limit = 120) {
    this.limit = limit;
    this.times = [];
    this.values = {};
  }

  add(time, numbers) {
    this.times.push(time);
    for (const [name, value] of Object.entries(numbers)) (this.values[name] ??= []).push(value);
    if (this.times.length > this.limit) {
      this.times.shift();
      for (const values of Object.values(this.values)) values.shift();
    }
  }
}

function round(value) {
  return Math.round(value * 10) / 10;
}
