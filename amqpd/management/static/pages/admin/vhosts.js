// Virtual hosts.

import { h, update } from "../../lib/dom.js";
import { count } from "../../lib/format.js";
import { pathOf } from "../../lib/route.js";
import { badge, card, drawer, facts, grid, link, tagsOf, tile, tiles } from "../../parts/common.js";
import { agreed } from "../../parts/dialog.js";
import { check, form, select, text } from "../../parts/form.js";
import { Listing } from "../../parts/listing.js";
import { toast } from "../../parts/toast.js";

export function vhostsView(app) {
  const list = new Listing(app, {
    label: "Virtual hosts",
    path: () => "vhosts",
    key: ({ name }) => name,
    columns: [
      { title: "Name", sort: "name", cell: (one) => link(one.name, "vhosts", one.name) },
      { title: "Description", cell: (one) => one.description ?? "" },
      { title: "Tags", cell: (one) => h("span", { class: "badges" }, tagsOf(one).map((tag) => badge(tag))) },
      { title: "Tracing", cell: (one) => (one.tracing ? badge("on", "the firehose: copies of all messages go to amq.rabbitmq.trace", "warn") : "off") },
      { title: "Ready", sort: "messages_ready", numeric: true, cell: (one) => count(one.messages_ready) },
      { title: "Unacked", sort: "messages_unacknowledged", numeric: true, cell: (one) => count(one.messages_unacknowledged) },
      { title: "Total", sort: "messages", numeric: true, cell: (one) => count(one.messages) },
    ],
  });
  const add = form({
    label: "Add virtual host",
    action: "Add virtual host",
    fields: [text("name", "Name", { required: true }), text("description", "Description"), text("tags", "Tags", { hint: "with commas between" }), select("default_queue_type", "Default queue type", ["classic", "quorum", "stream"]), check("tracing", "Tracing")],
    send: async ({ name, ...body }) => {
      await app.api.put(pathOf("vhosts", name), body);
      toast(`Virtual host ${name} is there.`);
      await renewed(app);
    },
  });
  const adding = h("div", {});
  return {
    title: "Virtual hosts",
    element: h("div", { class: "stack" }, list.element, adding),
    refresh: async (signal) => {
      await list.refresh(signal);
      if (!adding.firstChild && (await mayChange(app))) adding.append(drawer("Add a virtual host", add));
    },
    stop: () => list.stop(),
  };
}

export function vhostView(app) {
  const [name] = app.place.names;
  const path = pathOf("vhosts", name);
  const live = h("div", { class: "stack" });
  const changing = h("div", { class: "stack" });
  const tracing = (on) => async () => {
    try {
      await app.api.put(path, { tracing: on });
    } catch (error) {
      toast(error.message, "bad");
    }
    app.refresh();
  };
  const remove = form({
    label: "Delete virtual host",
    action: "Delete virtual host",
    danger: true,
    keep: true,
    fields: [],
    send: async () => {
      if (!(await agreed({ title: `Delete virtual host ${name}?`, text: "Its queues, their messages, its exchanges and permissions go with it, and its connections are closed.", action: "Delete" }))) return;
      await app.api.delete(path);
      toast(`Virtual host ${name} deleted.`);
      await renewed(app);
      app.go("vhosts");
    },
  });
  return {
    title: `Virtual host ${name}`,
    heading: ["Virtual host ", h("span", { class: "name" }, name)],
    element: h("div", { class: "stack" }, live, changing),
    refresh: async (signal) => {
      const found = await app.api.get(path, {}, signal);
      const listed = (await app.api.methodsOf("vhosts/x/permissions")).includes("GET");
      const permissions = listed ? await app.api.get(`${path}/permissions`, {}, signal) : null;
      const may = await mayChange(app);
      update(live, vhostCards(found, permissions, may ? tracing : null));
      if (may && !changing.firstChild) changing.append(drawer("Delete this virtual host", remove));
    },
  };
}

function vhostCards(one, permissions, tracing) {
  const pattern = (key) => ({ title: key[0].toUpperCase() + key.slice(1), cell: (each) => h("code", {}, each[key]) });
  const turn = tracing ? h("button", { type: "button", class: "small", onclick: tracing(!one.tracing) }, one.tracing ? "Turn off" : "Turn on") : null;
  return [
    tiles(tile("ready", count(one.messages_ready), { kind: "large" }), tile("unacked", count(one.messages_unacknowledged), { kind: "large" }), tile("messages", count(one.messages), { kind: "large" })),
    card(null, facts([["Description", one.description], ["Tags", tagsOf(one).join(", ")], ["Default queue type", one.default_queue_type], ["Tracing", [one.tracing ? "on " : "off ", turn]]])),
    permissions ? card("Permissions", grid("Permissions", [{ title: "User", cell: (each) => link(each.user, "users", each.user) }, pattern("configure"), pattern("write"), pattern("read")], permissions, "Nobody may enter.")) : null,
  ];
}

async function mayChange(app) {
  return (await app.api.methodsOf("vhosts/x")).includes("PUT");
}

/** The frame offers the vhosts there are. */
async function renewed(app) {
  app.vhosts = await app.api.get("vhosts", { columns: "name" });
  app.framed();
  app.refresh();
}
