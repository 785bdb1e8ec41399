// Queues: a list, and one by itself with its messages.

import { h, update } from "../lib/dom.js";
import { bytes, count, dateTime, plural, queueState, rate, short } from "../lib/format.js";
import { pathOf } from "../lib/route.js";
import { Samples } from "../lib/series.js";
import { newName } from "../lib/values.js";
import { bindQueueForm, bindingList } from "../parts/bindings.js";
import { chart } from "../parts/chart.js";
import { QUEUE_ARGUMENTS, badge, card, drawer, exchangeLink, facts, features, link, state, tableFacts, tile, tiles } from "../parts/common.js";
import { consumerGrid } from "../parts/consumers.js";
import { agreed } from "../parts/dialog.js";
import { check, form, pairs, select, text } from "../parts/form.js";
import { Listing } from "../parts/listing.js";
import { getForm, publishForm } from "../parts/messages.js";
import { toast } from "../parts/toast.js";

const FIELDS = [
  "name",
  "vhost",
  "type",
  "durable",
  "auto_delete",
  "exclusive",
  "arguments",
  "policy",
  "operator_policy",
  "state",
  "idle_since",
  "messages",
  "messages_ready",
  "messages_unacknowledged",
  "consumers",
  "message_stats.publish_details.rate",
  "message_stats.deliver_get_details.rate",
  "message_stats.ack_details.rate",
];

const RATES = [["publish", "In"], ["deliver_get", "Deliver"], ["ack", "Ack"]];

export function queuesView(app) {
  const rated = RATES.map(([name, title]) => ({ title, sort: `message_stats.${name}_details.rate`, numeric: true, cell: (one) => rate(speed(one, name)) }));
  const list = new Listing(app, {
    label: "Queues",
    path: () => (app.settings.vhost ? pathOf("queues", app.settings.vhost) : "queues"),
    nothing: "No queue is declared.",
    fields: FIELDS,
    key: ({ vhost, name }) => `${vhost}\n${name}`,
    columns: [
      { title: "Name", sort: "name", cell: (one) => link(one.name, "queues", one.vhost, one.name) },
      { title: "Virtual host", sort: "vhost", cell: (one) => one.vhost },
      { title: "Type", sort: "type", cell: (one) => badge(one.type, "", one.type === "classic" ? "quiet" : "accent") },
      { title: "Features", cell: features },
      { title: "State", cell: (one) => stateOf(one) },
      { title: "Ready", sort: "messages_ready", numeric: true, cell: (one) => count(one.messages_ready) },
      { title: "Unacked", sort: "messages_unacknowledged", numeric: true, cell: (one) => count(one.messages_unacknowledged) },
      { title: "Total", sort: "messages", numeric: true, cell: (one) => count(one.messages) },
      { title: "Consumers", sort: "consumers", numeric: true, cell: (one) => count(one.consumers) },
      ...rated,
    ],
  });
  return {
    title: "Queues",
    element: h("div", { class: "stack" }, list.element, drawer("Add a queue", addForm(app))),
    refresh: (signal) => list.refresh(signal),
    stop: () => list.stop(),
  };
}

function stateOf(one) {
  return state(queueState(one));
}

function speed(one, name) {
  return one.message_stats?.[`${name}_details`]?.rate ?? 0;
}

function addForm(app) {
  return form({
    label: "Add queue",
    action: "Add queue",
    fields: [
      select("vhost", "Virtual host", app.vhosts.map(({ name }) => name), { value: app.vhost }),
      text("name", "Name", { required: true }),
      select("type", "Type", ["classic", "quorum", "stream"]),
      check("durable", "Durable", { checked: true }),
      check("auto_delete", "Auto delete"),
      pairs("arguments", "Arguments", { known: QUEUE_ARGUMENTS }),
    ],
    send: async ({ vhost, name, type, ...body }) => {
      if (type !== "classic") body.arguments["x-queue-type"] = type;
      await app.api.put(pathOf("queues", vhost, newName(name)), body);
      toast(`Queue ${name} is there.`);
      app.refresh();
    },
  });
}

export function queueView(app) {
  const [vhost, name] = app.place.names;
  const path = pathOf("queues", vhost, name);
  const live = h("div", { class: "stack" });
  const consumers = h("div", { class: "scroll" });
  const samples = new Samples();
  const bindings = bindingList(app, "Bindings", "from", `${path}/bindings`);
  let last = null;
  return {
    title: `Queue ${name}`,
    heading: ["Queue ", h("span", { class: "name" }, name), h("small", {}, ` in ${vhost}`)],
    element: h(
      "div",
      { class: "stack" },
      live,
      card("Consumers", consumers),
      bindings.element,
      drawer("Add a binding", bindQueueForm(app, vhost, name)),
      drawer("Publish a message", publishForm(app, vhost, "", { routingKey: name })),
      drawer("Get messages", getForm(app, vhost, name)),
      drawer("Purge", purgeForm(app, path, name, () => last)),
      drawer("Delete this queue", deleteForm(app, path, name, () => last)),
    ),
    refresh: async (signal) => {
      const [found] = await Promise.all([app.api.get(path, {}, signal), bindings.refresh(signal)]);
      last = found;
      const now = Date.now();
      samples.add(now, { ready: found.messages_ready ?? 0, unacked: found.messages_unacknowledged ?? 0, ...Object.fromEntries(RATES.map(([key]) => [key, speed(found, key)])) });
      update(live, queueCards(found, samples, now));
      update(consumers, consumerGrid(found.consumer_details ?? [], "channel"));
    },
  };
}

function queueCards(one, { times, values }, now) {
  const lines = (pairs) => pairs.map(([key, name], index) => ({ name, line: index + 1, times, values: values[key] }));
  return [
    tiles(
      tile("ready", count(one.messages_ready), { kind: "large" }),
      tile("unacked", count(one.messages_unacknowledged), { kind: "large" }),
      tile("in", rate(speed(one, "publish")), { kind: "large" }),
      tile("delivered", rate(speed(one, "deliver_get")), { kind: "large" }),
      tile("consumers", count(one.consumers)),
      tile("message bytes", bytes(one.message_bytes)),
      tile("memory", bytes(one.memory)),
    ),
    h("div", { class: "columns charts" }, card(null, chart("Messages", lines([["ready", "Ready"], ["unacked", "Unacked"]]), short, times, now)), card(null, chart("Rates", lines(RATES), rate, times, now))),
    card(
      null,
      facts([
        ["Type", one.type],
        ["State", stateOf(one)],
        ["Idle since", one.idle_since ? dateTime(Date.parse(one.idle_since)) : null],
        ["Features", features(one)],
        ["Policy", one.policy],
        ["Operator policy", one.operator_policy],
        ["Dead letters go to", where(one)],
        ["Owner", one.owner_pid_details?.name ? link(one.owner_pid_details.name, "connections", one.owner_pid_details.name) : null],
        ["Active consumer", one.single_active_consumer_tag],
        ["On disk only", one.messages_paged_out ? count(one.messages_paged_out) : null],
        ["Arguments", tableFacts(one.arguments)],
        ["Set by policies", Object.keys(one.effective_policy_definition ?? {}).length ? tableFacts(one.effective_policy_definition) : null],
      ]),
    ),
  ];
}

/** Where its dead letters go, if anywhere. */
function where({ vhost, arguments: table = {}, effective_policy_definition: policy = {} }) {
  const exchange = table["x-dead-letter-exchange"] ?? policy["dead-letter-exchange"];
  const key = table["x-dead-letter-routing-key"] ?? policy["dead-letter-routing-key"];
  if (typeof exchange !== "string") return null;
  return [exchangeLink(vhost, exchange), typeof key === "string" ? [" as ", h("span", { class: "name" }, key)] : null];
}

function purgeForm(app, path, name, last) {
  return form({
    label: "Purge queue",
    action: "Purge messages",
    danger: true,
    fields: [],
    send: async () => {
      const number = last()?.messages_ready ?? 0;
      if (!(await agreed({ title: `Purge queue ${name}?`, text: `${plural(number, "ready message")} will be lost. What consumers hold stays theirs.`, action: "Purge" }))) return;
      await app.api.delete(`${path}/contents`);
      toast(`Queue ${name} purged.`);
      app.refresh();
    },
  });
}

function deleteForm(app, path, name, last) {
  return form({
    label: "Delete queue",
    action: "Delete queue",
    danger: true,
    keep: true,
    fields: [check("unused", "Only if unused"), check("empty", "Only if empty")],
    send: async ({ unused, empty }) => {
      const number = last()?.messages ?? 0;
      if (!(await agreed({ title: `Delete queue ${name}?`, text: `${plural(number, "message")} and all bindings go with it.`, action: "Delete" }))) return;
      const query = [unused ? "if-unused=true" : "", empty ? "if-empty=true" : ""].filter(Boolean).join("&");
      await app.api.delete(path + (query ? `?${query}` : ""));
      toast(`Queue ${name} deleted.`);
      app.go("queues");
    },
  });
}
