// Users, and what each may do.

import { h, update } from "../../lib/dom.js";
import { pathOf } from "../../lib/route.js";
import { badge, card, drawer, facts, grid, link, tagsOf } from "../../parts/common.js";
import { agreed } from "../../parts/dialog.js";
import { form, select, text } from "../../parts/form.js";
import { Listing } from "../../parts/listing.js";
import { toast } from "../../parts/toast.js";

const TAGS_HINT = "with commas between: administrator, monitoring, policymaker, management, impersonator; none for clients only";

export function usersView(app) {
  let vhosts = new Map(); // of each user
  const list = new Listing(app, {
    label: "Users",
    path: () => "users",
    key: ({ name }) => name,
    columns: [
      { title: "Name", sort: "name", cell: (one) => link(one.name, "users", one.name) },
      { title: "Tags", sort: "tags", cell: (one) => h("span", { class: "badges" }, tagsOf(one).map((tag) => badge(tag, "", tag === "administrator" ? "accent" : ""))) },
      { title: "Virtual hosts", cell: (one) => vhosts.get(one.name)?.join(", ") ?? badge("no access", "this user has permissions in no virtual host", "warn") },
      { title: "Password", cell: (one) => (one.password_hash === "" ? "none" : "set") },
    ],
  });
  const add = form({
    label: "Add user",
    action: "Add user",
    fields: [
      text("name", "Name", { required: true }),
      text("password", "Password", { type: "password", required: true, autocomplete: "new-password" }),
      text("tags", "Tags", { hint: TAGS_HINT, wide: true }),
    ],
    send: async ({ name, password, tags }) => {
      const there = (await app.api.get("users", { columns: "name" })).some((one) => one.name === name);
      if (there && !(await agreed({ title: `Change user ${name}?`, text: "This user is there already; its password and tags are replaced.", action: "Change" }))) return false;
      await app.api.put(pathOf("users", name), { password, tags });
      toast(`User ${name} is there.`);
      app.refresh();
    },
  });
  return {
    title: "Users",
    element: h("div", { class: "stack" }, list.element, drawer("Add a user", add)),
    refresh: async (signal) => {
      vhosts = new Map();
      for (const { user, vhost } of await app.api.get("permissions", {}, signal)) vhosts.set(user, [...(vhosts.get(user) ?? []), vhost]);
      await list.refresh(signal);
    },
    stop: () => list.stop(),
  };
}

export function userView(app) {
  const [name] = app.place.names;
  const path = pathOf("users", name);
  const live = h("div", { class: "stack" });
  const tags = text("tags", "Tags", { hint: TAGS_HINT, wide: true });
  let filled = false;
  const change = form({
    label: "Change user",
    action: "Change user",
    keep: true,
    fields: [tags, text("password", "New password", { type: "password", hint: "empty: the password stays", autocomplete: "new-password" })],
    send: async ({ tags: given, password }) => {
      const { password_hash, hashing_algorithm } = await app.api.get(path);
      await app.api.put(path, password ? { tags: given, password } : { tags: given, password_hash, hashing_algorithm });
      toast(`User ${name} changed.`);
      app.refresh();
    },
  });
  const remove = form({
    label: "Delete user",
    action: "Delete user",
    danger: true,
    keep: true,
    fields: [],
    send: async () => {
      if (!(await agreed({ title: `Delete user ${name}?`, text: "Its permissions go with it.", action: "Delete" }))) return;
      await app.api.delete(path);
      toast(`User ${name} deleted.`);
      app.go("users");
    },
  });
  const vhosts = app.vhosts.map((vhost) => vhost.name);
  const patterns = [text("configure", "Configure", { value: ".*" }), text("write", "Write", { value: ".*" }), text("read", "Read", { value: ".*" })];
  const permit = form({
    label: "Set permissions",
    action: "Set permissions",
    keep: true,
    fields: [select("vhost", "Virtual host", vhosts, { value: app.vhost }), ...patterns],
    send: async ({ vhost, ...body }) => {
      await app.api.put(pathOf("permissions", vhost, name), body);
      toast("Permissions set.");
      app.refresh();
    },
  });
  const permitTopics = form({
    label: "Set topic permissions",
    action: "Set topic permissions",
    keep: true,
    fields: [select("vhost", "Virtual host", vhosts, { value: app.vhost }), text("exchange", "Exchange", { value: "amq.topic" }), text("write", "Write", { value: ".*" }), text("read", "Read", { value: ".*" })],
    send: async ({ vhost, ...body }) => {
      await app.api.put(pathOf("topic-permissions", vhost, name), body);
      toast("Topic permissions set.");
      app.refresh();
    },
  });
  return {
    title: `User ${name}`,
    heading: ["User ", h("span", { class: "name" }, name)],
    element: h("div", { class: "stack" }, live, drawer("Set permissions", permit), drawer("Set topic permissions", permitTopics), drawer("Change tags or password", change), drawer("Delete this user", remove)),
    refresh: async (signal) => {
      const [user, permissions, topics] = await Promise.all([app.api.get(path, {}, signal), app.api.get(`${path}/permissions`, {}, signal), app.api.get(`${path}/topic-permissions`, {}, signal)]);
      if (!filled) tags.input.value = tagsOf(user).join(",");
      filled = true;
      update(live, userCards(app, user, permissions, topics));
    },
  };
}

function userCards(app, user, permissions, topics) {
  const pattern = (key) => ({ title: key[0].toUpperCase() + key.slice(1), cell: (one) => h("code", {}, one[key]) });
  const vhost = { title: "Virtual host", cell: (one) => link(one.vhost, "vhosts", one.vhost) };
  const clear = (path) => ({
    title: "",
    cell: (one) => h("button", { type: "button", class: "small", "aria-label": `Clear permissions in ${one.vhost}`, onclick: () => cleared(app, path(one)) }, "Clear"),
  });
  return [
    card(null, facts([["Tags", h("span", { class: "badges" }, tagsOf(user).map((tag) => badge(tag)))], ["Password", user.password_hash === "" ? "none" : "set"]])),
    card("Permissions", grid("Permissions", [vhost, pattern("configure"), pattern("write"), pattern("read"), clear((one) => pathOf("permissions", one.vhost, user.name))], permissions, "none: this user cannot connect")),
    card(
      "Topic permissions",
      grid("Topic permissions", [vhost, { title: "Exchange", cell: (one) => one.exchange }, pattern("write"), pattern("read"), clear((one) => pathOf("topic-permissions", one.vhost, user.name, one.exchange))], topics, "none: any routing key that the permissions allow"),
    ),
  ];
}

async function cleared(app, path) {
  try {
    await app.api.delete(path);
    toast("Permissions cleared.");
  } catch (error) {
    toast(error.message, "bad");
  }
  app.refresh();
}
