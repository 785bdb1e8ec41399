// Connections: a list, and one by itself.

import { h, update } from "../lib/dom.js";
import { bytes, count, dateTime } from "../lib/format.js";
import { pathOf } from "../lib/route.js";
import { card, drawer, facts, peerLink, state, tableFacts, tile, tiles } from "../parts/common.js";
import { agreed } from "../parts/dialog.js";
import { form, text } from "../parts/form.js";
import { Listing } from "../parts/listing.js";
import { toast } from "../parts/toast.js";
import { channelList } from "./channels.js";

export function connectionsView(app) {
  const list = new Listing(app, {
    label: "Connections",
    path: () => (app.settings.vhost ? pathOf("vhosts", app.settings.vhost, "connections") : "connections"),
    nothing: "No client is connected.",
    fields: ["name", "user_provided_name", "vhost", "user", "state", "channels", "ssl", "protocol", "client_properties", "connected_at", "recv_oct_details.rate", "send_oct_details.rate"],
    key: ({ name }) => name,
    columns: [
      { title: "Name", sort: "name", cell: (one) => [peerLink(one.name, "connections"), one.user_provided_name ? h("small", { class: "under" }, one.user_provided_name) : null] },
      { title: "Virtual host", sort: "vhost", cell: (one) => one.vhost },
      { title: "User", sort: "user", cell: (one) => one.user },
      { title: "State", sort: "state", cell: (one) => state(one.state) },
      { title: "Client", cell: (one) => clientOf(one.client_properties) },
      { title: "TLS", sort: "ssl", cell: (one) => (one.ssl ? "yes" : "no") },
      { title: "Channels", sort: "channels", numeric: true, cell: (one) => count(one.channels) },
      { title: "From client", sort: "recv_oct_details.rate", numeric: true, cell: (one) => `${bytes(one.recv_oct_details?.rate ?? 0)}/s` },
      { title: "To client", sort: "send_oct_details.rate", numeric: true, cell: (one) => `${bytes(one.send_oct_details?.rate ?? 0)}/s` },
      { title: "Since", sort: "connected_at", cell: (one) => h("span", { class: "moment" }, dateTime(one.connected_at)) },
    ],
  });
  return { title: "Connections", element: list.element, refresh: (signal) => list.refresh(signal), stop: () => list.stop() };
}

function clientOf({ product, version, platform } = {}) {
  const under = [version, platform].filter((part) => typeof part === "string").join(", ");
  return [typeof product === "string" ? product : "–", under ? h("small", { class: "under" }, under) : null];
}

export function connectionView(app) {
  const [name] = app.place.names;
  const live = h("div", { class: "stack" });
  const channels = channelList(app, "Channels", () => pathOf("connections", name, "channels"), false);
  const close = form({
    label: "Close connection",
    action: "Close connection",
    danger: true,
    keep: true,
    fields: [text("reason", "Reason", { value: "Closed via management plugin", wide: true })],
    send: async ({ reason }) => {
      if (!(await agreed({ title: "Close this connection?", text: `${name} is told: “${reason}”. The client may well connect again.`, action: "Close connection" }))) return;
      await app.api.delete(pathOf("connections", name), { "X-Reason": reason.replace(/[^\x20-\x7e]/g, "?") });
      toast("Connection closed.");
      app.go("connections");
    },
  });
  return {
    title: `Connection ${name}`,
    heading: ["Connection ", h("span", { class: "name" }, name)],
    element: h("div", { class: "stack" }, live, channels.element, drawer("Close this connection", close)),
    refresh: async (signal) => {
      const [found] = await Promise.all([app.api.get(pathOf("connections", name), {}, signal), channels.refresh(signal)]);
      update(live, connectionCards(found));
    },
  };
}

function connectionCards(one) {
  return [
    tiles(
      tile("from client", `${bytes(one.recv_oct_details?.rate ?? 0)}/s`, { kind: "large" }),
      tile("to client", `${bytes(one.send_oct_details?.rate ?? 0)}/s`, { kind: "large" }),
      tile("received", bytes(one.recv_oct)),
      tile("sent", bytes(one.send_oct)),
      tile("waiting to be sent", count(one.send_pend)),
      tile("channels", count(one.channels)),
    ),
    h(
      "div",
      { class: "columns" },
      card(
        "Connection",
        facts([
          ["Name given by the client", one.user_provided_name],
          ["State", state(one.state)],
          ["Virtual host", one.vhost],
          ["User", one.user],
          ["Protocol", one.protocol],
          ["Authentication", one.auth_mechanism],
          ["Connected", dateTime(one.connected_at)],
          ["Heartbeat", one.timeout ? `${one.timeout} s` : "none"],
          ["Largest frame", bytes(one.frame_max)],
          ["Channels at most", count(one.channel_max)],
          ["Encryption", one.ssl ? [one.ssl_protocol, one.ssl_cipher].filter(Boolean).join(", ") || "TLS" : "none"],
          ["Certificate", one.peer_cert_subject],
        ]),
      ),
      card("What the client says of itself", tableFacts(one.client_properties)),
    ),
  ];
}

