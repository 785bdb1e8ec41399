// The topology, users and policies as a file: to take away, and to bring.

import { h, uniqueId } from "../../lib/dom.js";
import { pathOf } from "../../lib/route.js";
import { card } from "../../parts/common.js";
import { agreed } from "../../parts/dialog.js";
import { form, select } from "../../parts/form.js";
import { toast } from "../../parts/toast.js";

export function definitionsView(app) {
  const scope = () => select("vhost", "Scope", [["", "the whole broker"], ...app.vhosts.map(({ name }) => [name, `virtual host ${name}`])]);
  const path = (vhost) => (vhost === "" ? "definitions" : pathOf("definitions", vhost));
  const take = form({
    label: "Export definitions",
    action: "Download definitions",
    keep: true,
    fields: [scope()],
    send: async ({ vhost }) => {
      const definitions = await app.api.get(path(vhost));
      save(JSON.stringify(definitions, null, 2), `${fileName(app.overview.cluster_name)}${vhost === "" ? "" : `-${fileName(vhost)}`}.json`);
    },
  });
  const file = chooser();
  const bring = form({
    label: "Import definitions",
    action: "Upload definitions",
    keep: true,
    fields: [scope(), file],
    send: async ({ vhost, file: chosen }) => {
      if (!chosen) throw new Error("Choose a file first");
      if (!(await agreed({ title: "Import definitions?", text: `What ${chosen.name} declares is added; what is there already stays, and settings of the same name are replaced.`, action: "Import" }))) return;
      await app.api.post(path(vhost), await chosen.text());
      toast("Definitions imported.");
      app.refresh();
    },
  });
  return {
    title: "Definitions",
    element: h("div", { class: "columns" }, card("Export", h("p", {}, "Users, virtual hosts, permissions, policies, queues, exchanges and bindings; no messages."), take), card("Import", h("p", {}, "A file exported here, or from RabbitMQ."), bring)),
    refresh: async () => {},
  };
}

function chooser() {
  const id = uniqueId("field");
  const input = h("input", { type: "file", id, accept: "application/json,.json" });
  return { name: "file", element: h("div", { class: "field wide" }, h("label", { for: id }, "File"), input), value: () => input.files[0] };
}

function fileName(text) {
  return text.replace(/[^\w@.-]+/g, "_");
}

function save(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  h("a", { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
