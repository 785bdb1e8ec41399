// Policies, and operator policies that users cannot change.

import { h } from "../../lib/dom.js";
import { pathOf } from "../../lib/route.js";
import { drawer, tableFacts } from "../../parts/common.js";
import { agreed } from "../../parts/dialog.js";
import { form, pairs, select, text } from "../../parts/form.js";
import { Listing } from "../../parts/listing.js";
import { toast } from "../../parts/toast.js";

const DEFINITIONS = [
  ["message-ttl", "Number"],
  ["expires", "Number"],
  ["max-length", "Number"],
  ["max-length-bytes", "Number"],
  ["overflow", "String"],
  ["dead-letter-exchange", "String"],
  ["dead-letter-routing-key", "String"],
  ["delivery-limit", "Number"],
  ["alternate-exchange", "String"],
];

const APPLY_TO = ["queues", "exchanges", "all", "classic_queues", "quorum_queues", "streams"];

const KINDS = [["policies", "Policies", "Add or change a policy"], ["operator-policies", "Operator policies", "Add or change an operator policy"]];

export function policiesView(app) {
  const mine = app.has() ? KINDS : KINDS.slice(0, 1);
  const lists = mine.map(([kind, label]) => policyList(app, kind, label));
  return {
    title: "Policies",
    element: h("div", { class: "stack" }, mine.map(([kind, , title], index) => [lists[index].element, drawer(title, addForm(app, kind, title))])),
    refresh: (signal) => Promise.all(lists.map((list) => list.refresh(signal))),
    stop: () => lists.forEach((list) => list.stop()),
  };
}

function policyList(app, kind, label) {
  const remove = (policy) => async () => {
    if (!(await agreed({ title: `Delete policy ${policy.name}?`, text: "What it matched is governed by the next policy that matches, or none.", action: "Delete" }))) return;
    try {
      await app.api.delete(pathOf(kind, policy.vhost, policy.name));
      toast(`Policy ${policy.name} deleted.`);
    } catch (error) {
      toast(error.message, "bad");
    }
    app.refresh();
  };
  return new Listing(app, {
    label,
    filter: false,
    remember: false,
    path: () => (app.settings.vhost ? pathOf(kind, app.settings.vhost) : kind),
    nothing: "None.",
    key: ({ vhost, name }) => `${vhost}\n${name}`,
    columns: [
      { title: "Name", sort: "name", cell: (one) => h("span", { class: "name" }, one.name) },
      { title: "Virtual host", sort: "vhost", cell: (one) => one.vhost },
      { title: "Pattern", sort: "pattern", cell: (one) => h("code", {}, one.pattern) },
      { title: "Apply to", sort: "apply-to", cell: (one) => one["apply-to"] },
      { title: "Definition", cell: (one) => tableFacts(one.definition) },
      { title: "Priority", sort: "priority", numeric: true, cell: (one) => String(one.priority) },
      { title: "", cell: (one) => h("button", { type: "button", class: "small", "aria-label": `Delete policy ${one.name}`, onclick: remove(one) }, "Delete") },
    ],
  });
}

function addForm(app, kind, label) {
  return form({
    label,
    action: kind === "policies" ? "Set policy" : "Set operator policy",
    fields: [
      select("vhost", "Virtual host", app.vhosts.map(({ name }) => name), { value: app.vhost }),
      text("name", "Name", { required: true }),
      text("pattern", "Pattern", { required: true, hint: "a regular expression, such as ^orders" }),
      select("apply-to", "Apply to", kind === "policies" ? APPLY_TO : APPLY_TO.filter((one) => one.endsWith("s") && one !== "exchanges"), { value: "queues" }),
      text("priority", "Priority", { value: "0", type: "number" }),
      pairs("definition", "Definition", { known: DEFINITIONS }),
    ],
    send: async ({ vhost, name, priority, ...body }) => {
      const number = Number(priority || 0);
      if (!Number.isInteger(number)) throw new Error("Priority has to be a whole number");
      if (!Object.keys(body.definition).length) throw new Error("Definition is missing: a policy sets at least one thing");
      await app.api.put(pathOf(kind, vhost, name), { ...body, priority: number });
      toast(`Policy ${name} is there.`);
      app.refresh();
    },
  });
}
