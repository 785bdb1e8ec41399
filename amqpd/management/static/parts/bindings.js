// Bindings from an exchange or to a queue, with what makes and removes them.

import { h } from "../lib/dom.js";
import { pathOf } from "../lib/route.js";
import { badge, exchangeLink, exchangePath, link, tableFacts } from "./common.js";
import { form, pairs, select, text } from "./form.js";
import { Listing } from "./listing.js";
import { toast } from "./toast.js";

const FIELDS = ["source", "vhost", "destination", "destination_type", "routing_key", "arguments", "properties_key"];

function bindingPath(binding) {
  const kind = binding.destination_type === "queue" ? "q" : "e";
  return pathOf("bindings", binding.vhost, "e", exchangePath(binding.source), kind, binding.destination, binding.properties_key);
}

function ends(side) {
  if (side === "from") return { title: "From", cell: (binding) => exchangeLink(binding.vhost, binding.source) };
  return {
    title: "To",
    cell: (binding) => [
      link(binding.destination, binding.destination_type === "queue" ? "queues" : "exchanges", binding.vhost, binding.destination),
      " ",
      badge(binding.destination_type),
    ],
  };
}

/** `side` is whom rows name: those a binding comes `from`, or leads `to`. */
export function bindingList(app, label, side, path) {
  const unbind = (binding) => async () => {
    try {
      await app.api.delete(bindingPath(binding));
      toast("Unbound.");
    } catch (error) {
      toast(error.message, "bad");
    }
    app.refresh();
  };
  return new Listing(app, {
    label,
    path: () => path,
    filter: false,
    remember: false,
    fields: FIELDS,
    nothing: "No bindings.",
    key: (binding) => [binding.source, binding.destination_type, binding.destination, binding.properties_key].join("\n"),
    columns: [
      ends(side),
      { title: "Routing key", cell: (binding) => h("span", { class: "name" }, binding.routing_key || h("span", { class: "muted" }, "(empty)")) },
      { title: "Arguments", cell: (binding) => (Object.keys(binding.arguments).length ? tableFacts(binding.arguments) : "") },
      {
        title: "",
        cell: (binding) =>
          binding.source === ""
            ? h("span", { class: "muted" }, "always there")
            : h("button", { type: "button", class: "small", "aria-label": `Unbind ${binding.destination} from ${binding.source}`, onclick: unbind(binding) }, "Unbind"),
      },
    ],
  });
}

/** Bind a queue to an exchange that is asked for. */
export function bindQueueForm(app, vhost, queue) {
  return bindForm(app, "Add binding to this queue", [text("source", "From exchange", { required: true })], ({ source }) => ["bindings", vhost, "e", exchangePath(source), "q", queue]);
}

/** Bind a queue or exchange that is asked for to an exchange. */
export function bindExchangeForm(app, vhost, exchange) {
  const fields = [select("kind", "To", [["q", "queue"], ["e", "exchange"]]), text("destination", "Name", { required: true })];
  return bindForm(app, "Add binding from this exchange", fields, ({ kind, destination }) => ["bindings", vhost, "e", exchange, kind, destination]);
}

function bindForm(app, label, fields, place) {
  return form({
    label,
    action: "Bind",
    fields: [...fields, text("routing_key", "Routing key"), pairs("arguments", "Arguments")],
    send: async (values) => {
      await app.api.post(pathOf(...place(values)), { routing_key: values.routing_key, arguments: values.arguments });
      toast("Bound.");
      app.refresh();
    },
  });
}
