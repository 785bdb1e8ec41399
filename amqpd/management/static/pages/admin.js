// Administration: parts of which a broker, or a user, may have only some.

import { h, update } from "../lib/dom.js";
import { hashOf } from "../lib/route.js";
import { definitionsView } from "./admin/definitions.js";
import { limitsView } from "./admin/limits.js";
import { policiesView } from "./admin/policies.js";
import { userView, usersView } from "./admin/users.js";
import { vhostView, vhostsView } from "./admin/vhosts.js";

const SECTIONS = {
  users: { title: "Users", path: "users", make: (app) => (app.place.names.length ? userView(app) : usersView(app)), may: (app) => app.has() },
  vhosts: { title: "Virtual hosts", path: "vhosts", make: (app) => (app.place.names.length ? vhostView(app) : vhostsView(app)), may: (app) => app.has() },
  policies: { title: "Policies", path: "policies", make: policiesView, may: (app) => app.has("policymaker") },
  limits: { title: "Limits", path: "vhost-limits", make: limitsView, may: (app) => app.has() },
  definitions: { title: "Definitions", path: "definitions", make: definitionsView, may: (app) => app.has() },
};

export function adminView(app) {
  const here = app.place.section;
  const inner = SECTIONS[here].make(app);
  const tabs = h("nav", { class: "tabs", "aria-label": "Administration" });
  const place = h("div", { class: "stack" });
  return {
    title: inner.title,
    heading: inner.heading,
    element: h("div", { class: "stack" }, tabs, place),
    refresh: async (signal) => {
      const found = await available(app);
      update(tabs, found.map((name) => h("a", { href: hashOf(name), "aria-current": name === here ? "page" : null }, SECTIONS[name].title)));
      if (!found.includes(here)) {
        const why = SECTIONS[here].may(app) ? "This broker's API does not have this part." : "Your user has no tag that allows this.";
        update(place, h("p", { class: "card" }, why));
        return;
      }
      if (inner.element.parentNode !== place) place.replaceChildren(inner.element);
      await inner.refresh(signal);
    },
    stop: () => inner.stop?.(),
  };
}

/** The parts that this broker has and this user may use. */
async function available(app) {
  const names = Object.keys(SECTIONS).filter((name) => SECTIONS[name].may(app));
  const methods = await Promise.all(names.map((name) => app.api.methodsOf(SECTIONS[name].path)));
  return names.filter((name, index) => methods[index].includes("GET"));
}
