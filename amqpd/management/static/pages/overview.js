// The broker at a glance.

import { h, update } from "../lib/dom.js";
import { bytes, count, duration, plural, rate, short } from "../lib/format.js";
import { hashOf } from "../lib/route.js";
import { Samples, growth, settled } from "../lib/series.js";
import { badge, card, grid, tile, tiles } from "../parts/common.js";
import { chart } from "../parts/chart.js";

const RATES = [["publish", "Publish"], ["deliver_get", "Deliver"], ["ack", "Ack"], ["confirm", "Confirm"]];
const DEPTHS = [["messages_ready", "Ready"], ["messages_unacknowledged", "Unacked"]];

export function overviewView(app) {
  const element = h("div", { class: "overview" });
  const seen = new Samples(); // for brokers that remember nothing, and users who may not see it
  return {
    title: "Overview",
    element,
    refresh: async (signal) => {
      const [overview, history, nodes] = await Promise.all([
        app.api.get("overview", {}, signal),
        app.has("monitoring") ? app.api.getIfThere("amqpd/history", {}, signal) : null,
        app.has("monitoring") ? app.api.get("nodes", {}, signal) : [],
      ]);
      seen.add(Date.now(), numbersOf(overview));
      const lines = linesOf(history ?? { times: seen.times, message_stats: seen.values, queue_totals: seen.values });
      update(element, numbers(overview, lines), overview.disable_stats ? null : charts(lines), nodes.filter((node) => node.os_pid).map(nodeCard), overview.disable_stats ? null : h("div", { class: "columns" }, listeners(overview), churn(overview)));
    },
  };
}

function numbersOf({ message_stats: stats = {}, queue_totals: totals = {} }) {
  const all = { ...stats, ...totals };
  return Object.fromEntries([...RATES, ...DEPTHS].map(([name]) => [name, all[name] ?? 0]));
}

/** What the charts show, by name. */
function linesOf({ times, message_stats: stats, queue_totals: totals }) {
  const depth = ([name, title], index) => ({ name: title, line: index + 1, times, values: totals[name] });
  const moments = settled(times, times);
  const speed = ([name, title], index) => ({ name: title, line: index + 1, times: moments.slice(1), values: growth(moments, settled(times, stats[name])) });
  return { depths: DEPTHS.map(depth), rates: RATES.map(speed), times };
}

function rateOf(stats, name) {
  return stats?.[`${name}_details`]?.rate ?? 0;
}

function numbers({ queue_totals: totals = {}, message_stats: stats = {}, object_totals: objects = {}, disable_stats: off }, { rates }) {
  const speed = (index) => rate(off ? null : rates[index].values.at(-1) ?? rateOf(stats, RATES[index][0]));
  return tiles(
    tile("ready", short(totals.messages_ready), { kind: "large" }),
    tile("unacked", short(totals.messages_unacknowledged), { kind: "large" }),
    tile("published", speed(0), { kind: "large" }),
    tile("delivered", speed(1), { kind: "large" }),
    ...["connections", "channels", "exchanges", "queues"].map((name) => tile(name, count(objects[name]), { href: hashOf(name) })),
    tile("consumers", count(objects.consumers)),
  );
}

function charts({ depths, rates, times }) {
  const now = times.at(-1);
  return h("div", { class: "columns charts" }, card(null, chart("Messages in queues", depths, short, times, now)), card(null, chart("Message rates", rates, rate, times, now)));
}

function nodeCard(node) {
  const alarms = [node.mem_alarm ? badge("memory alarm", "publishers are blocked", "bad") : null, node.disk_free_alarm ? badge("disk alarm", "publishers are blocked", "bad") : null];
  return h(
    "section",
    { class: "card" },
    h("h2", {}, "Node ", h("span", { class: "name" }, node.name), " ", alarms),
    h(
      "div",
      { class: "gauges" },
      gauge("Memory", node.mem_used, node.mem_limit, bytes),
      gauge("File descriptors", node.fd_used, node.fd_total, count),
      gauge("Sockets", node.sockets_used, node.sockets_total, count),
      h("div", { class: "gauge" }, h("span", { class: "label" }, "Disk"), h("span", {}, `${bytes(node.disk_free)} free`), h("small", { class: "muted" }, `alarm below ${bytes(node.disk_free_limit)}`)),
      h("div", { class: "gauge" }, h("span", { class: "label" }, "Up for"), h("span", {}, duration(node.uptime / 1000)), h("small", { class: "muted" }, `process ${node.os_pid}, ${plural(node.processors, "core")}`)),
    ),
  );
}

function gauge(label, used, total, show) {
  return h(
    "div",
    { class: "gauge" },
    h("span", { class: "label" }, label),
    h("span", {}, show(used)),
    total ? h("meter", { min: 0, max: total, high: total * 0.8, "aria-label": label, value: used, title: `${show(used)} of ${show(total)}` }) : null,
    total ? h("small", { class: "muted" }, `of ${show(total)}`) : null,
  );
}

function listeners({ listeners: found = [] }) {
  const columns = [
    { title: "Protocol", cell: (one) => one.protocol },
    { title: "Address", cell: (one) => h("span", { class: "name" }, one.ip_address) },
    { title: "Port", cell: (one) => String(one.port) },
  ];
  return card("Listeners", grid("Listeners", columns, found));
}

const CHURN = [["connection_created", "Connections opened"], ["connection_closed", "Connections closed"], ["channel_created", "Channels opened"], ["channel_closed", "Channels closed"], ["queue_declared", "Queues declared"], ["queue_created", "Queues created"], ["queue_deleted", "Queues deleted"]];

function churn({ churn_rates: rates = {} }) {
  const columns = [
    { title: "Since the start", cell: ([, title]) => title },
    { title: "Total", numeric: true, cell: ([name]) => count(rates[name] ?? 0) },
    { title: "Rate", numeric: true, cell: ([name]) => rate(rateOf(rates, name)) },
  ];
  return card("Coming and going", grid("Churn", columns, CHURN));
}
