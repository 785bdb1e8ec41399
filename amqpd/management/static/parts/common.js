// Small things that all pages are made of.

import { h } from "../lib/dom.js";
import { valueText } from "../lib/format.js";
import { hashOf } from "../lib/route.js";

export function card(title, ...content) {
  return h("section", { class: "card" }, title ? h("h2", {}, title) : null, ...content);
}

/** A card that opens; for what is not always needed. */
export function drawer(title, ...content) {
  return h("details", { class: "card drawer" }, h("summary", {}, h("h2", {}, title)), h("div", { class: "content" }, ...content));
}

/** A word in a box, with what it means for who asks. */
export function badge(text, meaning = "", kind = "") {
  return h("span", { class: `badge ${kind}`, title: meaning || null }, text);
}

export function link(text, section, ...names) {
  return h("a", { href: hashOf(section, names) }, text);
}

/** A connection or channel, by its client's end; the broker's end is much the same for all. */
export function peerLink(name, section) {
  const ends = /^(.+?) -> \S+( \(\d+\))?$/.exec(name);
  return h("a", { href: hashOf(section, [name]), title: ends ? name : null, class: ends ? "peer" : null }, ends ? `${ends[1]}${ends[2] ?? ""}` : name);
}

/** Names with values, in two columns; pairs without a value are left out. */
export function facts(pairs) {
  const shown = pairs.filter((pair) => pair && pair[1] !== null && pair[1] !== undefined && pair[1] !== "");
  return h("dl", { class: "facts" }, shown.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** An AMQP table. */
export function tableFacts(values) {
  const pairs = Object.entries(values ?? {});
  if (!pairs.length) return h("span", { class: "muted" }, "none");
  return h("dl", { class: "facts values" }, pairs.map(([name, value]) => h("div", {}, h("dt", {}, `${name}:`), h("dd", {}, valueText(value)))));
}

/** A number that is looked at from afar. */
export function tile(label, value, { href = null, kind = "" } = {}) {
  const content = [h("span", { class: "number" }, value), h("span", { class: "label" }, label)];
  return href ? h("a", { class: `tile ${kind}`, href }, content) : h("div", { class: `tile ${kind}` }, content);
}

export function tiles(...content) {
  return h("div", { class: "tiles" }, ...content);
}

/** A plain table of rows that are all there; lists of any length are Listings. */
export function grid(caption, columns, rows, nothing = "none") {
  if (!rows.length) return h("p", { class: "muted" }, nothing);
  return h(
    "table",
    { class: columns.length > 3 ? "grid stacks" : "grid", role: "table" },
    h("caption", { class: "unseen" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns.map(({ title, numeric }) => h("th", { scope: "col", role: "columnheader", class: numeric ? "numeric" : null }, titleOf({ title }))))),
    h("tbody", { role: "rowgroup" }, rows.map((row) => rowOf(columns, row))),
  );
}

/** What is above a column; columns of buttons show nothing. */
export function titleOf({ title }) {
  return title === "" ? h("span", { class: "unseen" }, "Action") : title;
}

export function rowOf(columns, row, key = null) {
  return h("tr", { role: "row", "data-key": key }, columns.map((column) => cellOf(column, column.cell(row))));
}

function cellOf({ title, numeric }, content) {
  const kinds = [numeric ? "numeric" : "", title === "" ? "doing" : "", /^(0|0\/s|0 B\/s|–)$/.test(content) ? "nothing" : ""];
  return h("td", { role: "cell", "data-label": title || null, class: kinds.filter(Boolean).join(" ") || null }, Array.isArray(content) ? h("div", {}, content) : content);
}

const STATES = { running: "good", idle: "quiet", flow: "warn", blocked: "warn", blocking: "warn", closing: "warn", down: "bad", stopped: "bad", crashed: "bad" };

export function state(word) {
  return h("span", { class: `state ${STATES[word] ?? "quiet"}` }, word ?? "–");
}

/** The letters RabbitMQ's users know for how a queue or exchange was declared. */
export function features(thing) {
  const found = [];
  if (thing.durable) found.push(badge("D", "durable: survives a restart"));
  if (thing.auto_delete) found.push(badge("AD", "auto-delete: goes when its last user goes"));
  if (thing.exclusive) found.push(badge("Excl", "exclusive: belongs to one connection"));
  if (thing.internal) found.push(badge("I", "internal: clients cannot publish to it"));
  for (const [name, value] of Object.entries(thing.arguments ?? {})) {
    if (name === "x-queue-type") continue;
    found.push(badge(LETTERS[name] ?? "Args", `${name}: ${valueText(value)}`, "quiet"));
  }
  if (thing.policy) found.push(badge(thing.policy, `policy: ${thing.policy}`, "accent"));
  if (thing.operator_policy) found.push(badge(thing.operator_policy, `operator policy: ${thing.operator_policy}`, "accent"));
  return h("span", { class: "badges" }, found);
}

const LETTERS = {
  "alternate-exchange": "AE",
  "x-dead-letter-exchange": "DLX",
  "x-dead-letter-routing-key": "DLK",
  "x-delivery-limit": "DlL",
  "x-expires": "Exp",
  "x-max-age": "Age",
  "x-max-length": "Lim",
  "x-max-length-bytes": "Lim B",
  "x-max-priority": "Pri",
  "x-message-ttl": "TTL",
  "x-overflow": "Ovfl",
  "x-single-active-consumer": "SAC",
};

/** The tags of a user or vhost, which some brokers write with commas between. */
export function tagsOf({ tags }) {
  return Array.isArray(tags) ? tags : String(tags ?? "").split(",").filter(Boolean);
}

/** What may be typed as arguments, for suggestions. */
export const QUEUE_ARGUMENTS = [
  ["x-message-ttl", "Number"],
  ["x-expires", "Number"],
  ["x-max-length", "Number"],
  ["x-max-length-bytes", "Number"],
  ["x-overflow", "String"],
  ["x-dead-letter-exchange", "String"],
  ["x-dead-letter-routing-key", "String"],
  ["x-single-active-consumer", "Boolean"],
  ["x-max-priority", "Number"],
  ["x-delivery-limit", "Number"],
  ["x-max-age", "String"],
];

/** What an exchange is called where it has no name. */
export function exchangeName(name) {
  return name === "" ? "(AMQP default)" : name;
}

export function exchangeLink(vhost, name) {
  return link(exchangeName(name), "exchanges", vhost, exchangePath(name));
}

export function exchangePath(name) {
  return name === "" ? "amq.default" : name;
}
