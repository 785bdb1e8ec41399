// Publishing messages, and looking at them.

import { h, replace } from "../lib/dom.js";
import { bytes, dateTime, plural } from "../lib/format.js";
import { pathOf } from "../lib/route.js";
import { propertiesOf } from "../lib/values.js";
import { badge, exchangeName, exchangePath, facts, peerLink, tableFacts } from "./common.js";
import { area, fixed, form, pairs, select, text } from "./form.js";
import { toast } from "./toast.js";

const PROPERTIES = ["content_type", "content_encoding", "priority", "correlation_id", "reply_to", "expiration", "message_id", "timestamp", "type", "user_id", "app_id"];

const TRUNCATE = 50_000; // octets of a body to show

/**
 * Publish to an exchange; to a queue by the default exchange, which wants its name as `routingKey`. With `explain`,
 * which gets a message and whether it was published, it is shown where messages go.
 */
export function publishForm(app, vhost, exchange, { routingKey = null, explain = null } = {}) {
  return form({
    label: "Publish message",
    action: "Publish message",
    keep: true,
    others: explain ? { "Where would it go?": (values) => explain(messageOf(values), false) } : {},
    fields: [
      routingKey === null ? text("routing_key", "Routing key") : fixed("routing_key", routingKey),
      select("delivery_mode", "Delivery mode", [["1", "1 – transient"], ["2", "2 – persistent"]]),
      pairs("headers", "Headers"),
      pairs("properties", "Properties", { known: PROPERTIES.map((name) => [name, "String"]), types: ["String"] }),
      area("payload", "Payload"),
      select("payload_encoding", "Payload encoding", [["string", "string"], ["base64", "base64"]]),
    ],
    send: async (values) => {
      const message = messageOf(values);
      const { routed } = await app.api.post(pathOf("exchanges", vhost, exchangePath(exchange), "publish"), message);
      if (routed) toast("Message published.");
      else toast("Message published, but NOT routed.", "warn");
      await explain?.(message, true);
      app.refresh();
    },
  });
}

/** As the API wants it. Throws an Error that names what is wrong. */
function messageOf(values) {
  const unknown = Object.keys(values.properties).find((name) => !PROPERTIES.includes(name));
  if (unknown) throw new Error(`${unknown} is no property; headers may have any name`);
  const properties = propertiesOf({ ...values.properties, delivery_mode: values.delivery_mode });
  if (Object.keys(values.headers).length) properties.headers = values.headers;
  return { properties, routing_key: values.routing_key, payload: values.payload, payload_encoding: values.payload_encoding };
}

const MODES = [
  ["peek", "peek, changing nothing"],
  ["unacknowledged", "peek at what consumers hold"],
  ["ack_requeue_true", "get, and put back"],
  ["ack_requeue_false", "get, and remove"],
  ["reject_requeue_true", "reject, and put back"],
  ["reject_requeue_false", "reject, or dead-letter"],
];

/** Look at messages of a queue, or take them. */
export function getForm(app, vhost, queue) {
  const result = h("div", { class: "messages", "aria-live": "polite" });
  const element = form({
    label: "Get messages",
    action: "Get messages",
    keep: true,
    fields: [
      select("mode", "How", MODES),
      text("count", "Messages", { value: "1", type: "number" }),
      select("encoding", "Encoding", [["auto", "text, or base64"], ["base64", "base64"]]),
    ],
    send: async ({ mode, count, encoding }) => {
      const wanted = Number(count);
      if (!Number.isInteger(wanted) || wanted < 1) throw new Error("Messages has to be a whole number from 1 on");
      const query = { count: wanted, encoding, truncate: TRUNCATE };
      const peeking = mode === "peek" || mode === "unacknowledged";
      const found = peeking ? await peek(app, vhost, queue, mode, query) : { messages: await take(app, vhost, queue, { ...query, ackmode: mode }) };
      replace(result, found.note ? h("p", { class: "note" }, found.note) : null, messagesOf(found.messages, mode === "unacknowledged" ? "Consumers hold none." : "Queue is empty."));
      app.refresh();
    },
  });
  return h("div", {}, element, result);
}

const NO_PEEKING =
  "This broker cannot show messages without taking them: they were taken and put back, and are marked redelivered from now on.";

/** Messages as they lie in the queue; where that cannot be, they are taken and put back, and it says so. */
async function peek(app, vhost, queue, mode, query) {
  const path = pathOf("amqpd", "queues", vhost, queue, "messages");
  const found = await app.api.getIfThere(path, { ...query, state: mode === "peek" ? "ready" : mode });
  if (found) return { messages: Array.isArray(found) ? found : found.items };
  if (mode !== "peek") throw new Error("This broker does not show what consumers hold");
  return { messages: await take(app, vhost, queue, { ...query, ackmode: "ack_requeue_true" }), note: NO_PEEKING };
}

function take(app, vhost, queue, body) {
  return app.api.post(pathOf("queues", vhost, queue, "get"), body);
}

/** Which consumer has it. */
function holderOf({ consumer }) {
  if (!consumer) return null;
  const channel = consumer.channel_details?.name;
  return [h("span", { class: "name" }, consumer.consumer_tag), channel ? [" on ", peerLink(channel, "channels")] : null];
}

function messagesOf(messages, nothing) {
  if (!messages.length) return h("p", { class: "muted" }, nothing);
  return messages.map((message, index) => {
    const { headers, ...properties } = message.properties ?? {};
    const when = typeof properties.timestamp === "number" ? dateTime(properties.timestamp * 1000) : "";
    return h(
      "article",
      { class: "message", "aria-label": `Message ${index + 1}` },
      h(
        "header",
        {},
        h("b", {}, `Message ${index + 1}`),
        badge(bytes(message.payload_bytes)),
        message.redelivered ? badge("redelivered", "it was out before", "warn") : null,
        message.payload_encoding === "base64" ? badge("base64", "the payload is no text") : null,
        message.state ? badge(message.state) : null,
        h("span", { class: "muted" }, message.message_count === undefined ? "" : `${plural(message.message_count, "message")} behind it`),
      ),
      facts([
        ["Exchange", exchangeName(message.exchange)],
        ["Routing key", message.routing_key],
        ["Held by", holderOf(message)],
        ["Expires", message.expires_at ? dateTime(message.expires_at) : null],
        ["Properties", Object.keys(properties).length ? tableFacts(when ? { ...properties, timestamp: `${properties.timestamp} (${when})` } : properties) : null],
        ["Headers", headers && Object.keys(headers).length ? tableFacts(headers) : null],
      ]),
      h("pre", { tabindex: "0", "aria-label": "Payload" }, message.payload),
      message.payload_bytes > TRUNCATE ? h("p", { class: "note" }, `The first ${bytes(TRUNCATE)} are shown.`) : null,
    );
  });
}
