// Where a message goes that is published to an exchange, and why: in words, from the broker's own explanation.

import { h, replace } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { keyOf, labelOf } from "../lib/layout.js";
import { pathOf } from "../lib/route.js";
import { badge, exchangeName, exchangePath, grid, link } from "./common.js";

const MOST = 50; // bindings to tell of

/** Whether the broker explains; others than ours do not. */
export async function explains(api) {
  return (await api.methodsOf("amqpd/route/x/x")).includes("POST");
}

/** `marked` hears which bindings of the exchange matched, as a set of their keys; null when it counts no more. */
export function routing(app, vhost, exchange, marked) {
  const element = h("div", { class: "routing", "aria-live": "polite" });
  const clear = () => {
    replace(element);
    marked(null);
  };
  return {
    element,
    /** Ask for a message, and show the answer. */
    async explain({ properties, routing_key }, published = false) {
      const found = await app.api.post(pathOf("amqpd", "route", vhost, exchangePath(exchange)), { properties, routing_key });
      replace(element, ...told(vhost, found, published), h("button", { type: "button", onclick: clear }, "Clear"));
      marked(new Set(found.exchanges[0].bindings.filter(({ matched }) => matched).map(keyOf)));
    },
  };
}

function told(vhost, { queues, exchanges }, published) {
  const names = queues.map(({ name }, index) => [index ? ", " : "", link(name, "queues", vhost, name)]);
  const summary = queues.length
    ? [`${published ? "Routed" : "It would be routed"} to ${plural(queues.length, "queue")}: `, names]
    : `${published ? "Routed" : "It would be routed"} to no queue: such a message is dropped, or returned if it was published as mandatory.`;
  const chance = published && exchanges.some(({ type }) => type.includes("random"));
  return [
    h("p", { class: queues.length ? "verdict good" : "verdict warn" }, summary),
    chance ? h("p", { class: "note" }, "Chance decided anew for this explanation: the message may have gone another way.") : null,
    exchanges.map((step) => explained(vhost, step)),
  ];
}

function explained(vhost, step) {
  const ordered = [...step.bindings].sort((one, other) => other.matched - one.matched);
  const columns = [
    { title: "Matches", cell: ({ matched }) => h("span", { class: matched ? "state good" : "state" }, matched ? "yes" : "no") },
    { title: "To", cell: ({ destination, destination_type: kind }) => [link(destination, kind === "queue" ? "queues" : "exchanges", vhost, kind === "queue" ? destination : exchangePath(destination)), " ", badge(kind)] },
    { title: "Binding", cell: (binding) => h("code", {}, labelOf(binding, step.type)) },
    { title: "Why", cell: ({ reason }) => h("span", { class: "why" }, reason) },
  ];
  const how = { binding: `, reached from ${exchangeName(step.reached_from ?? "")}`, "alternate-exchange": `, the alternate exchange of ${exchangeName(step.reached_from ?? "")}` }[step.reached_by] ?? "";
  const nothing = !step.bindings.some(({ matched }) => matched);
  const onward = step.alternate_exchange_exists ? `Nothing matches: on to the alternate exchange ${step.alternate_exchange}.` : `Nothing matches, and the alternate exchange ${step.alternate_exchange} does not exist.`;
  return h(
    "section",
    {},
    h("h3", {}, h("span", { class: "name" }, exchangeName(step.name)), ` (${step.type})${how}`),
    h("div", { class: "scroll" }, grid(`Bindings of ${exchangeName(step.name)}`, columns, ordered.slice(0, MOST), "It has no bindings.")),
    ordered.length > MOST ? h("p", { class: "muted" }, `${plural(ordered.length - MOST, "more binding")} not shown.`) : null,
    nothing && step.alternate_exchange ? h("p", {}, onward) : null,
  );
}
