// Exchanges: a list, and one by itself with its bindings.

import { h, update } from "../lib/dom.js";
import { count, rate } from "../lib/format.js";
import { pathOf } from "../lib/route.js";
import { newName } from "../lib/values.js";
import { bindExchangeForm, bindingList } from "../parts/bindings.js";
import { card, drawer, exchangeLink, exchangeName, exchangePath, facts, features, tableFacts, tile, tiles } from "../parts/common.js";
import { MOST, diagram } from "../parts/diagram.js";
import { agreed } from "../parts/dialog.js";
import { check, form, pairs, select, text } from "../parts/form.js";
import { Listing } from "../parts/listing.js";
import { publishForm } from "../parts/messages.js";
import { explains, routing } from "../parts/routing.js";
import { toast } from "../parts/toast.js";

export function exchangesView(app) {
  const list = new Listing(app, {
    label: "Exchanges",
    path: () => (app.settings.vhost ? pathOf("exchanges", app.settings.vhost) : "exchanges"),
    fields: ["name", "vhost", "type", "durable", "auto_delete", "internal", "arguments", "policy", "message_stats.publish_in_details.rate", "message_stats.publish_out_details.rate"],
    key: ({ vhost, name }) => `${vhost}\n${name}`,
    columns: [
      { title: "Name", sort: "name", cell: (one) => exchangeLink(one.vhost, one.name) },
      { title: "Virtual host", sort: "vhost", cell: (one) => one.vhost },
      { title: "Type", sort: "type", cell: (one) => one.type },
      { title: "Features", cell: features },
      { title: "In", sort: "message_stats.publish_in_details.rate", numeric: true, cell: (one) => speed(one, "publish_in") },
      { title: "Out", sort: "message_stats.publish_out_details.rate", numeric: true, cell: (one) => speed(one, "publish_out") },
    ],
  });
  return {
    title: "Exchanges",
    element: h("div", { class: "stack" }, list.element, drawer("Add an exchange", addForm(app))),
    refresh: (signal) => list.refresh(signal),
    stop: () => list.stop(),
  };
}

function speed(one, name) {
  return rate(one.message_stats?.[`${name}_details`]?.rate ?? 0);
}

function addForm(app) {
  const types = (app.overview.exchange_types ?? []).map(({ name }) => name);
  return form({
    label: "Add exchange",
    action: "Add exchange",
    fields: [
      select("vhost", "Virtual host", app.vhosts.map(({ name }) => name), { value: app.vhost }),
      text("name", "Name", { required: true }),
      select("type", "Type", types.length ? types : ["direct", "fanout", "topic", "headers"], { value: "direct" }),
      check("durable", "Durable", { checked: true }),
      check("auto_delete", "Auto delete"),
      check("internal", "Internal"),
      pairs("arguments", "Arguments", { known: [["alternate-exchange", "String"], ["x-delayed-type", "String"]] }),
    ],
    send: async ({ vhost, name, ...body }) => {
      await app.api.put(pathOf("exchanges", vhost, newName(name)), body);
      toast(`Exchange ${name} is there.`);
      app.refresh();
    },
  });
}

export function exchangeView(app) {
  const [vhost, given = ""] = app.place.names;
  const name = given === "amq.default" ? "" : given;
  const path = pathOf("exchanges", vhost, exchangePath(name));
  const live = h("div", { class: "stack" });
  const outgoing = bindingList(app, "Bindings from this exchange", "to", `${path}/bindings/source`);
  const incoming = name === "" ? null : bindingList(app, "Bindings to this exchange", "from", `${path}/bindings/destination`);
  const remove = form({
    label: "Delete exchange",
    action: "Delete exchange",
    danger: true,
    keep: true,
    fields: [check("unused", "Only if unused")],
    send: async ({ unused }) => {
      if (!(await agreed({ title: `Delete exchange ${name}?`, text: "Its bindings go with it.", action: "Delete" }))) return;
      await app.api.delete(path + (unused ? "?if-unused=true" : ""));
      toast(`Exchange ${name} deleted.`);
      app.go("exchanges");
    },
  });
  const picture = h("div", {});
  const state = { way: null }; // what the picture shows
  const draw = (news) => {
    Object.assign(state, news);
    if (state.exchange) update(picture, card("Bindings at a glance", diagram(state)));
  };
  const route = routing(app, vhost, name, (way) => (name === "" ? null : draw({ way })));
  const publishing = h("div", {});
  const predeclared = name === "" || name.startsWith("amq.");
  return {
    title: `Exchange ${exchangeName(name)}`,
    heading: ["Exchange ", h("span", { class: "name" }, exchangeName(name)), h("small", {}, ` in ${vhost}`)],
    element: h(
      "div",
      { class: "stack" },
      live,
      picture,
      drawer("Publish a message", publishing),
      outgoing.element,
      name === "" ? null : drawer("Add a binding", bindExchangeForm(app, vhost, name)),
      incoming?.element,
      predeclared ? null : drawer("Delete this exchange", remove),
    ),
    refresh: async (signal) => {
      const [found] = await Promise.all([app.api.get(path, {}, signal), outgoing.refresh(signal), incoming?.refresh(signal)]);
      update(live, exchangeCards(found));
      if (name !== "") draw({ exchange: found, bindings: outgoing.items, total: outgoing.total, incoming: incoming.items, queues: await queuesOf(app, vhost, outgoing.items, signal) });
      if (publishing.firstChild) return;
      const explain = (await explains(app.api)) ? route.explain : null;
      publishing.replaceChildren(publishForm(app, vhost, name, { explain }), route.element);
    },
  };
}

/** What the queues hold that are drawn, by name. */
async function queuesOf(app, vhost, bindings, signal) {
  const names = new Set(bindings.slice(0, MOST).filter((one) => one.destination_type === "queue").map((one) => one.destination));
  if (!names.size) return new Map();
  const pattern = `^(${[...names].map((one) => one.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})$`;
  const query = { name: pattern, use_regex: true, page: 1, page_size: 100, columns: "name,messages_ready,messages_unacknowledged,consumers" };
  const { items } = await app.api.get(pathOf("queues", vhost), query, signal);
  return new Map(items.map((queue) => [queue.name, queue]));
}

function exchangeCards(one) {
  const alternate = one.arguments?.["alternate-exchange"] ?? one.effective_policy_definition?.["alternate-exchange"];
  return [
    tiles(
      tile("in", speed(one, "publish_in"), { kind: "large" }),
      tile("out", speed(one, "publish_out"), { kind: "large" }),
      tile("messages in", count(one.message_stats?.publish_in ?? 0)),
      tile("messages out", count(one.message_stats?.publish_out ?? 0)),
    ),
    card(
      null,
      facts([
        ["Type", one.type],
        ["Features", features(one)],
        ["Policy", one.policy],
        ["Alternate exchange", typeof alternate === "string" ? exchangeLink(one.vhost, alternate) : null],
        ["Waiting for their time", one.messages_delayed === undefined ? null : count(one.messages_delayed)],
        ["Arguments", tableFacts(one.arguments)],
      ]),
    ),
  ];
}
