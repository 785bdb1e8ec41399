// Who consumes.

import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { badge, grid, link, peerLink, tableFacts } from "./common.js";

/** `other` is what the consumers' own page does not say: their `queue`, or their `channel`. */
export function consumerGrid(consumers, other) {
  const first =
    other === "queue"
      ? { title: "Queue", cell: (one) => link(one.queue.name, "queues", one.queue.vhost, one.queue.name) }
      : { title: "Channel", cell: (one) => (one.channel_details?.name ? peerLink(one.channel_details.name, "channels") : "–") };
  const columns = [
    first,
    { title: "Consumer tag", cell: (one) => h("span", { class: "name" }, one.consumer_tag) },
    { title: "Acks", cell: (one) => (one.ack_required ? "manual" : "automatic") },
    { title: "Active", cell: (one) => [one.active === false ? badge(one.activity_status ?? "waiting", "waits for its turn", "warn") : "yes", one.exclusive ? badge("Excl", "exclusive") : null] },
    { title: "Prefetch", numeric: true, cell: (one) => (one.prefetch_count ? count(one.prefetch_count) : "–") },
    { title: "Arguments", cell: (one) => (Object.keys(one.arguments ?? {}).length ? tableFacts(one.arguments) : "") },
  ];
  return grid("Consumers", columns, consumers, "Nobody consumes.");
}
