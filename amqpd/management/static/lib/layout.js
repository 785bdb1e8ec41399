// Where the boxes and lines of an exchange's picture go. From left to right: who feeds it, the exchange, what it is
// bound to, who consumes. Units are those of the picture's viewBox; letters are all of one width.

export const WIDTH = 1120;
export const LETTER = 7.83;
export const COLUMNS = { feeds: [0, 170], exchange: [250, 220], destinations: [740, 250], consumers: [1030, 90] };

const LINE = 30; // height of a binding
const BOX = 46; // of a box, at least
const GAP = 12;

/** Text that fits, with an ellipsis where it does not. Letters of East Asia and pictures are as wide as two. */
export function fitted(text, width) {
  const letters = Array.from(text.replace(/\s+/g, " "));
  const room = Math.floor(width / LETTER);
  let used = 0;
  for (const [index, letter] of letters.entries()) {
    used += wide(letter);
    const left = letters.slice(index + 1).reduce((sum, each) => sum + wide(each), 0);
    if (used + Math.min(left, 1) > room) return `${letters.slice(0, index).join("")}…`;
  }
  return letters.join("");
}

function wide(letter) {
  return letter.codePointAt(0) >= 0x1100 ? 2 : 1;
}

/** What is written on a binding's line. */
export function labelOf({ routing_key: key, arguments: table = {} }, type) {
  const { "x-match": match = "all", ...headers } = table;
  const named = Object.entries(headers).map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  if (type === "headers") return named.length ? `${match}: ${named.join(", ")}` : "(no header)";
  const shown = key === "" ? (type === "fanout" ? "" : "(empty)") : key;
  return [shown, ...named].filter(Boolean).join(", ");
}

/** What a binding is recognised by. */
export function keyOf({ destination_type: type, destination, routing_key: key, arguments: table = {} }) {
  return JSON.stringify([type, destination, key, Object.entries(table).sort(([one], [other]) => (one < other ? -1 : 1))]);
}

/**
 * `bindings` as the API lists them, one after another; the first `most` are drawn. `feeds` is how many boxes
 * there are on the left. Destinations come with the lines that lead to them.
 */
export function layout(bindings, feeds, most) {
  const shown = bindings.slice(0, most);
  const found = new Map();
  for (const binding of shown) {
    const name = JSON.stringify([binding.destination_type, binding.destination]);
    if (!found.has(name)) found.set(name, { kind: binding.destination_type, name: binding.destination, bindings: [] });
    found.get(name).bindings.push(binding);
  }
  let top = 0;
  const destinations = [...found.values()].map(({ kind, name, bindings: lines }) => {
    const height = Math.max(BOX, lines.length * LINE);
    const box = { kind, name, y: top, height, lines: lines.map((binding, index) => ({ binding, y: top + (height / lines.length) * (index + 0.5) })) };
    top += height + GAP;
    return box;
  });
  const stacked = feeds * (BOX + GAP) - GAP;
  const height = Math.max(top - GAP, stacked, BOX + 20);
  const down = (height - Math.max(0, top - GAP)) / 2;
  for (const box of destinations) {
    box.y += down;
    for (const line of box.lines) line.y += down;
  }
  return {
    height,
    middle: height / 2,
    feeds: Array.from({ length: feeds }, (_, index) => ({ y: (height - stacked) / 2 + index * (BOX + GAP), height: BOX })),
    destinations,
  };
}
