// Numbers, sizes and times as people read them.

const NOTHING = "–";

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export function count(value) {
  return typeof value === "number" ? grouped.format(value) : NOTHING;
}

/** A short number for an axis or a tile: 1.2k, 34M. */
export function short(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return NOTHING;
  const size = Math.abs(value);
  for (const [limit, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (size >= limit) return `${trimmed(value / limit)}${letter}`;
  }
  return Number.isInteger(value) ? String(value) : trimmed(value);
}

/** A rate: exact while small. */
export function rate(value) {
  if (typeof value !== "number") return NOTHING;
  if (value > 0 && value < 0.01) return "<0.01/s";
  return `${Math.abs(value) >= 10000 ? short(value) : Math.abs(value) >= 100 ? grouped.format(value) : trimmed(value)}/s`;
}

export function bytes(value) {
  if (typeof value !== "number") return NOTHING;
  let size = value;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (Math.abs(size) < 1024) return `${unit === "B" ? Math.round(size) : trimmed(size)} ${unit}`;
    size /= 1024;
  }
  return `${trimmed(size)} TiB`;
}

/** Seconds as the two largest units. */
export function duration(seconds) {
  if (typeof seconds !== "number") return NOTHING;
  const whole = Math.max(0, Math.round(seconds));
  const parts = [[Math.floor(whole / 86400), "d"], [Math.floor(whole / 3600) % 24, "h"], [Math.floor(whole / 60) % 60, "m"], [whole % 60, "s"]];
  const first = parts.findIndex(([number]) => number > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([number]) => number > 0).map(([number, unit]) => `${number} ${unit}`).join(" ");
}

export function clockTime(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString("en-GB");
}

export function dateTime(milliseconds) {
  if (typeof milliseconds !== "number") return NOTHING;
  const date = new Date(milliseconds);
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${date.toLocaleTimeString("en-GB")}`;
}

/** One word for one, another for any other number. */
export function plural(number, word, words = `${word}s`) {
  return `${count(number)} ${number === 1 ? word : words}`;
}

/** The word for how a queue is: idle when it runs and nothing moves, whatever it says of the last moments. */
export function queueState({ state, idle_since: idle, message_stats: stats = {} }) {
  const moves = ["publish", "deliver_get", "ack"].some((name) => stats[`${name}_details`]?.rate > 0);
  return state === "running" && idle && !moves ? "idle" : state;
}

/** A value of a table as text. */
export function valueText(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function trimmed(value) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}
