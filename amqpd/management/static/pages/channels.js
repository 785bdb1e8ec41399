// Channels: a list, and one by itself.

import { h, update } from "../lib/dom.js";
import { count, rate } from "../lib/format.js";
import { pathOf } from "../lib/route.js";
import { badge, card, facts, link, peerLink, state, tile, tiles } from "../parts/common.js";
import { consumerGrid } from "../parts/consumers.js";
import { Listing } from "../parts/listing.js";

const FIELDS = [
  "name",
  "vhost",
  "user",
  "state",
  "confirm",
  "transactional",
  "consumer_count",
  "prefetch_count",
  "global_prefetch_count",
  "messages_unacknowledged",
  "messages_unconfirmed",
  "message_stats.publish_details.rate",
  "message_stats.deliver_get_details.rate",
  "message_stats.ack_details.rate",
];

export function channelsView(app) {
  const list = channelList(app, "Channels", () => (app.settings.vhost ? pathOf("vhosts", app.settings.vhost, "channels") : "channels"), true);
  return { title: "Channels", element: list.element, refresh: (signal) => list.refresh(signal), stop: () => list.stop() };
}

/** `whole`: with a filter, and in the address. */
export function channelList(app, label, path, whole) {
  const rated = (title, name) => ({ title, sort: `message_stats.${name}_details.rate`, numeric: true, cell: (one) => rate(one.message_stats?.[`${name}_details`]?.rate ?? 0) });
  return new Listing(app, {
    label,
    path,
    filter: whole,
    remember: whole,
    nothing: "No channel is open.",
    fields: FIELDS,
    key: ({ name }) => name,
    columns: [
      { title: "Channel", sort: "name", cell: (one) => peerLink(one.name, "channels") },
      { title: "Virtual host", sort: "vhost", cell: (one) => one.vhost },
      { title: "User", sort: "user", cell: (one) => one.user },
      { title: "Mode", cell: (one) => modes(one) },
      { title: "State", sort: "state", cell: (one) => state(one.state) },
      { title: "Consumers", sort: "consumer_count", numeric: true, cell: (one) => count(one.consumer_count) },
      { title: "Prefetch", sort: "prefetch_count", numeric: true, cell: prefetch },
      { title: "Unacked", sort: "messages_unacknowledged", numeric: true, cell: (one) => count(one.messages_unacknowledged) },
      { title: "Unconfirmed", sort: "messages_unconfirmed", numeric: true, cell: (one) => count(one.messages_unconfirmed) },
      rated("Publish", "publish"),
      rated("Deliver", "deliver_get"),
      rated("Ack", "ack"),
    ],
  });
}

function prefetch(one) {
  if (one.global_prefetch_count) return `${count(one.global_prefetch_count)} (global)`;
  return one.prefetch_count ? count(one.prefetch_count) : "–";
}

function modes(one) {
  return h("span", { class: "badges" }, one.confirm ? badge("C", "publisher confirms") : null, one.transactional ? badge("T", "transactional") : null);
}

export function channelView(app) {
  const [name] = app.place.names;
  const live = h("div", { class: "stack" });
  return {
    title: `Channel ${name}`,
    heading: ["Channel ", h("span", { class: "name" }, name)],
    element: live,
    refresh: async (signal) => update(live, channelCards(await app.api.get(pathOf("channels", name), {}, signal))),
  };
}

function channelCards(one) {
  const stats = one.message_stats ?? {};
  const speed = (key) => rate(stats[`${key}_details`]?.rate ?? 0);
  return [
    tiles(
      tile("published", speed("publish"), { kind: "large" }),
      tile("confirmed", speed("confirm"), { kind: "large" }),
      tile("delivered", speed("deliver_get"), { kind: "large" }),
      tile("acked", speed("ack"), { kind: "large" }),
      tile("unacked", count(one.messages_unacknowledged)),
      tile("unconfirmed", count(one.messages_unconfirmed)),
      tile("uncommitted", count(one.messages_uncommitted)),
      tile("acks uncommitted", count(one.acks_uncommitted)),
    ),
    card(
      "Channel",
      facts([
        ["Connection", one.connection_details ? link(one.connection_details.name, "connections", one.connection_details.name) : null],
        ["Virtual host", one.vhost],
        ["User", one.user],
        ["State", state(one.state)],
        ["Mode", one.confirm ? "publisher confirms" : one.transactional ? "transactional" : "plain"],
        ["Prefetch of each consumer", one.prefetch_count ? count(one.prefetch_count) : "unlimited"],
        ["Prefetch of the channel", one.global_prefetch_count ? count(one.global_prefetch_count) : "unlimited"],
        ["Returned as unroutable", stats.return_unroutable ? count(stats.return_unroutable) : null],
        ["Dropped as unroutable", stats.drop_unroutable ? count(stats.drop_unroutable) : null],
        ["Redelivered", stats.redeliver ? count(stats.redeliver) : null],
      ]),
    ),
    card("Consumers", consumerGrid(one.consumer_details ?? [], "queue")),
  ];
}
