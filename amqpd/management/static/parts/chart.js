// Line charts: SVG for the lines, text around it, so that letters keep their size at any width.

import { h, svg } from "../lib/dom.js";
import { clockTime, duration } from "../lib/format.js";
import { ceiling, points, span } from "../lib/series.js";

const WIDTH = 600;
const HEIGHT = 120;

/**
 * `series` are objects with `name`, `times`, `values` and a `line` of the style sheet (1, 2, 3…); the first is filled.
 * `show` writes a value; `moments` are those from which to draw and `now`.
 */
export function chart(title, series, show, moments, now) {
  const [from, to] = span(moments, now);
  const seen = series.flatMap(({ times, values }) => values.filter((value, index) => times[index] >= from));
  const top = Math.max(2, ceiling(Math.max(0, ...seen)));
  const latest = series.map(({ name, values }) => `${name} ${show(values.at(-1))}`);
  return h(
    "figure",
    { class: "chart" },
    h(
      "figcaption",
      {},
      h("span", { class: "title" }, title),
      h("span", { class: "legend" }, series.map(({ name, line, values }) => h("span", { class: "entry" }, h("i", { class: `line${line}`, "aria-hidden": "true" }), name, " ", h("b", {}, show(values.at(-1)))))),
    ),
    h(
      "div",
      { class: "plot", role: "img", "aria-label": `${title}: ${latest.join(", ")}; at most ${show(Math.max(0, ...seen))} in the last ${duration((to - from) / 1000)}` },
      h("div", { class: "ticks", "aria-hidden": "true" }, h("span", {}, show(top)), h("span", {}, show(top / 2)), h("span", {}, "0")),
      svg(
        "svg",
        { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
        [0, 1, 2, 3, 4].map((step) => svg("line", { class: "rule", x1: 0, x2: WIDTH, y1: (HEIGHT / 4) * step, y2: (HEIGHT / 4) * step })),
        series.map((each, index) => lineOf(each, [from, to], top, index === 0)).reverse(),
      ),
      h("div", { class: "moments", "aria-hidden": "true" }, h("span", {}, clockTime(from)), h("span", {}, clockTime((from + to) / 2)), h("span", {}, clockTime(to))),
    ),
  );
}

function lineOf({ times, values, line }, reach, top, filled) {
  const found = points(times, values, reach, top, WIDTH, HEIGHT);
  if (!found.length) return null;
  if (found.length === 1) found.push(found[0]); // a dot
  const path = found.map(([x, y]) => `${x},${y}`).join(" ");
  const bottom = `${found.at(-1)[0]},${HEIGHT} ${found[0][0]},${HEIGHT}`;
  return [
    filled ? svg("polygon", { class: `fill line${line}`, points: `${path} ${bottom}` }) : null,
    svg("polyline", { class: `stroke line${line}`, points: path }),
  ];
}
