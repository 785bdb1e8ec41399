// Limits of virtual hosts and of users.

import { h, update } from "../../lib/dom.js";
import { count } from "../../lib/format.js";
import { pathOf } from "../../lib/route.js";
import { card, drawer, grid } from "../../parts/common.js";
import { form, select, text } from "../../parts/form.js";
import { toast } from "../../parts/toast.js";

const KINDS = {
  "vhost-limits": { of: "vhost", title: "Limits of virtual hosts", label: "Virtual host", names: ["max-connections", "max-queues"] },
  "user-limits": { of: "user", title: "Limits of users", label: "User", names: ["max-connections", "max-channels"] },
};

export function limitsView(app) {
  const live = h("div", { class: "stack" });
  const adding = h("div", { class: "stack" });
  return {
    title: "Limits",
    element: h("div", { class: "stack" }, live, adding),
    refresh: async (signal) => {
      const kinds = [];
      for (const kind of Object.keys(KINDS)) if ((await app.api.methodsOf(kind)).includes("GET")) kinds.push(kind);
      const found = await Promise.all(kinds.map((kind) => app.api.get(kind, {}, signal)));
      update(live, kinds.map((kind, index) => limitCard(app, kind, found[index])));
      if (!adding.firstChild) adding.append(...kinds.map((kind) => drawer(`Set ${KINDS[kind].title.toLowerCase()}`, setForm(app, kind))));
    },
  };
}

function limitCard(app, kind, found) {
  const { of, title, label } = KINDS[kind];
  const rows = found.flatMap((one) => Object.entries(one.value).map(([name, value]) => ({ owner: one[of], name, value })));
  const clear = (row) => async () => {
    try {
      await app.api.delete(pathOf(kind, row.owner, row.name));
      toast("Limit cleared.");
    } catch (error) {
      toast(error.message, "bad");
    }
    app.refresh();
  };
  const columns = [
    { title: label, cell: (row) => h("span", { class: "name" }, row.owner) },
    { title: "Limit", cell: (row) => row.name },
    { title: "Value", numeric: true, cell: (row) => (row.value < 0 ? "unlimited" : count(row.value)) },
    { title: "", cell: (row) => h("button", { type: "button", class: "small", "aria-label": `Clear ${row.name} of ${row.owner}`, onclick: clear(row) }, "Clear") },
  ];
  return card(title, grid(title, columns, rows, "No limits."));
}

function setForm(app, kind) {
  const { of, title, label, names } = KINDS[kind];
  const owner = of === "vhost" ? select("owner", label, app.vhosts.map(({ name }) => name), { value: app.vhost }) : text("owner", label, { required: true });
  return form({
    label: title,
    action: "Set limit",
    fields: [owner, select("limit", "Limit", names), text("value", "Value", { type: "number", required: true, hint: "-1: unlimited" })],
    send: async (values) => {
      const number = Number(values.value);
      if (!Number.isInteger(number)) throw new Error("Value has to be a whole number");
      await app.api.put(pathOf(kind, values.owner, values.limit), { value: number });
      toast("Limit set.");
      app.refresh();
    },
  });
}
