// What surrounds each view: navigation, and the controls that are there always.

import { h, update } from "../lib/dom.js";
import { hashOf } from "../lib/route.js";

const PARTS = [["", "Overview"], ["connections", "Connections"], ["channels", "Channels"], ["exchanges", "Exchanges"], ["queues", "Queues"]];

export const ADMIN = ["users", "vhosts", "policies", "limits", "definitions"];

const INTERVALS = [[2000, "every 2 s"], [5000, "every 5 s"], [30000, "every 30 s"], [0, "paused"]];

export function drawFrame(app) {
  const main = h("main", { id: "main", tabindex: "-1" });
  const nav = h("nav", { "aria-label": "Parts" });
  const controls = h("div", { class: "controls" });
  const notice = h("div", { class: "notice" });
  const skip = h("a", { class: "skip", href: "#main", onclick: (event) => (event.preventDefault(), main.focus()) }, "Skip to content");
  const { amqpd_version: own, product_name: product, product_version: version } = app.overview;
  const names = [own ? `amqpd ${own}` : null, product && version ? `${own ? "to clients " : ""}${product} ${version}` : null];
  const element = h(
    "div",
    { class: "frame" },
    skip,
    h("header", { class: "top" }, h("a", { class: "brand", href: "#/" }, h("img", { src: "icon.svg", alt: "", width: 24, height: 24 }), h("span", {}, "amqpd")), h("span", { class: "cluster", title: app.overview.node }, app.overview.cluster_name), nav, controls),
    notice,
    app.overview.disable_stats ? h("p", { class: "note" }, NO_STATISTICS) : null,
    main,
    h("footer", {}, h("span", {}, names.filter(Boolean).join(", ")), h("a", { href: "api/index.html" }, "HTTP API"), h("a", { href: "cli/index.html" }, "Command line"), h("span", {}, "press ", h("kbd", {}, "/"), " to filter")),
  );
  return { element, main, nav, controls, notice };
}

const NO_STATISTICS = "The broker shows no statistics (management.disable_stats): nothing here tells how many messages there are, or come and go.";

/** Mark the part that is shown. */
export function select(frame, app) {
  const { section } = app.place;
  const parts = app.has("policymaker") ? [...PARTS, [app.has() ? "users" : "policies", "Admin"]] : PARTS;
  const here = ADMIN.includes(section) ? "Admin" : (PARTS.find(([name]) => name === section)?.[1] ?? "");
  update(frame.nav, parts.map(([name, title]) => h("a", { href: hashOf(name), "aria-current": title === here ? "page" : null }, title)));
  update(
    frame.controls,
    app.vhosts.length > 1 && options("Virtual host", [["", "all vhosts"], ...app.vhosts.map(({ name }) => [name, name])], app.settings.vhost, (value) => app.set("vhost", value)),
    options("Refresh", INTERVALS, app.settings.interval, (value) => app.set("interval", Number(value))),
    h("button", { type: "button", "aria-pressed": String(app.settings.large), title: "Large type, for a projector", onclick: () => app.set("large", !app.settings.large) }, "Aa", h("span", { class: "unseen" }, " large type")),
    h("span", { class: "who" }, h("span", { class: "muted" }, app.user.name), h("button", { type: "button", onclick: () => app.signOut() }, "Sign out")),
  );
}

function options(name, pairs, chosen, pick) {
  return h("select", { "aria-label": name, title: name, onchange: (event) => pick(event.target.value) }, pairs.map(([value, title]) => h("option", { value, selected: value === chosen }, title)));
}
