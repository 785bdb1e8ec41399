// The page as a whole: who is signed in, which part is shown, and when it is asked for again.
//
// A view is an object with `title`, `element`, `refresh(signal)` and, where it has something to end, `stop()`. Views are
// made by the functions in `VIEWS` from the place in the address; one is shown at a time, and asked to refresh itself.

import { Api } from "./lib/api.js";
import { h, replace, update } from "./lib/dom.js";
import { plural } from "./lib/format.js";
import { Poller } from "./lib/poller.js";
import { hashOf, parse } from "./lib/route.js";
import { adminView } from "./pages/admin.js";
import { channelView, channelsView } from "./pages/channels.js";
import { connectionView, connectionsView } from "./pages/connections.js";
import { exchangeView, exchangesView } from "./pages/exchanges.js";
import { overviewView } from "./pages/overview.js";
import { queueView, queuesView } from "./pages/queues.js";
import { signInView } from "./pages/signin.js";
import { drawFrame, select } from "./parts/frame.js";

const VIEWS = {
  "": overviewView,
  connections: (app) => (app.place.names.length ? connectionView(app) : connectionsView(app)),
  channels: (app) => (app.place.names.length ? channelView(app) : channelsView(app)),
  exchanges: (app) => (app.place.names.length ? exchangeView(app) : exchangesView(app)),
  queues: (app) => (app.place.names.length ? queueView(app) : queuesView(app)),
  users: adminView,
  vhosts: adminView,
  policies: adminView,
  limits: adminView,
  definitions: adminView,
};

const SESSION = "amqpd.session"; // in this tab's storage: who is signed in
const SETTINGS = "amqpd.settings"; // in the browser's: how it looks

const TIMED_OUT = "Your session is over; sign in again.";

const SWITCHED = { vhost: "", interval: 5000, large: false };

class App {
  constructor() {
    this.api = new Api((error) => this.user && this.signOut(error.message));
    this.user = null; // as /api/whoami tells, once signed in
    this.until = null; // when that ends by itself, if it does
    this.timer = null; // until then
    this.settings = { ...SWITCHED, ...read(localStorage, SETTINGS) };
    this.place = parse(location.hash);
    this.frame = null; // what surrounds the view
    this.view = null;
    this.poller = null;
  }

  async start() {
    document.documentElement.classList.toggle("large", this.settings.large);
    addEventListener("hashchange", () => this.show());
    addEventListener("keydown", (event) => this.key(event));
    const session = read(sessionStorage, SESSION);
    if (session.until && session.until <= Date.now()) {
      this.signOut(TIMED_OUT);
      return;
    }
    if (session.authorization) {
      this.until = session.until ?? null;
      this.api.authorization = session.authorization;
      try {
        await this.enter();
        return;
      } catch (error) {
        this.signOut(error.message);
        return;
      }
    }
    this.signOut();
  }

  /** Throws what the broker says against it. */
  async signIn(name, password) {
    this.api.signIn(name, password);
    this.until = null;
    await this.enter();
    const minutes = this.user.login_session_timeout;
    this.until = minutes ? Date.now() + minutes * 60000 : null;
    sessionStorage.setItem(SESSION, JSON.stringify({ authorization: this.api.authorization, until: this.until }));
    this.watchTime();
  }

  /** Sign out when the time that the broker gives a session is over. */
  watchTime() {
    clearTimeout(this.timer);
    if (!this.until) return;
    const left = this.until - Date.now();
    if (left > 0) this.timer = setTimeout(() => this.watchTime(), Math.min(left, 2 ** 31 - 1));
    else this.signOut(TIMED_OUT);
  }

  async enter() {
    this.user = await this.api.get("whoami");
    [this.overview, this.vhosts] = await Promise.all([this.api.get("overview"), this.api.get("vhosts", { columns: "name" })]);
    if (!this.vhosts.some(({ name }) => name === this.settings.vhost)) this.settings.vhost = "";
    this.show();
    this.watchTime();
  }

  signOut(reason = "") {
    this.leave();
    clearTimeout(this.timer);
    this.user = null;
    this.until = null;
    this.api.authorization = null;
    sessionStorage.removeItem(SESSION);
    document.title = "Sign in · amqpd";
    replace(document.body, signInView(this, reason));
    document.querySelector("input")?.focus();
  }

  has(...tags) {
    return this.user.tags.includes("administrator") || tags.some((tag) => this.user.tags.includes(tag));
  }

  /** Which vhost forms are about, unless they say otherwise. */
  get vhost() {
    return this.settings.vhost || (this.vhosts.some(({ name }) => name === "/") ? "/" : (this.vhosts[0]?.name ?? "/"));
  }

  set(name, value) {
    this.settings[name] = value;
    localStorage.setItem(SETTINGS, JSON.stringify(this.settings));
    document.documentElement.classList.toggle("large", this.settings.large);
    if (name === "interval" && this.poller) this.poller.interval = value;
    if (name === "vhost") this.show();
    else this.framed();
    if (name === "interval") this.refresh();
  }

  go(section, ...names) {
    location.hash = hashOf(section, names);
  }

  /** Keep a list's options in the address, without a step in the history for each. */
  remember(query) {
    this.place.query = query;
    history.replaceState(null, "", hashOf(this.place.section, this.place.names, query));
  }

  /** Show what the address names. */
  show() {
    if (!this.user) return;
    this.leave();
    this.place = parse(location.hash);
    const make = Object.hasOwn(VIEWS, this.place.section) ? VIEWS[this.place.section] : nowhereView;
    this.view = make(this);
    document.title = `${this.view.title} · amqpd`;
    if (!this.frame?.element.isConnected) {
      this.frame = drawFrame(this);
      replace(document.body, this.frame.element);
    }
    this.framed();
    const heading = h("h1", { tabindex: "-1" }, this.view.heading ?? this.view.title);
    replace(this.frame.main, heading, this.view.element);
    if (this.shown) heading.focus({ preventScroll: true });
    this.shown = true;
    scrollTo(0, 0);
    this.poller = new Poller((signal) => this.view.refresh(signal), (error, delay) => this.told(error, delay), this.settings.interval);
    this.poller.start();
  }

  /** What surrounds the view changed. */
  framed() {
    select(this.frame, this);
  }

  leave() {
    this.poller?.stop();
    this.view?.stop?.();
    this.poller = this.view = null;
  }

  refresh() {
    return this.poller?.now();
  }

  told(error, delay) {
    if (!this.user) return;
    const gone = error?.status === 404;
    if (gone) {
      this.leave();
      replace(this.frame.main, h("h1", { tabindex: "-1" }, "Not found"), h("p", { class: "card" }, "This is not there (any more)."));
      return;
    }
    const again = delay ? ` Trying again in ${plural(Math.round(delay / 1000), "second")}.` : "";
    update(this.frame.notice, error ? h("p", { class: "banner", role: "alert" }, `${error.message}${again} `, h("button", { type: "button", onclick: () => this.refresh() }, "Try now")) : null);
    this.frame.element.classList.toggle("stale", Boolean(error));
  }

  key(event) {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.nodeName);
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const filter = document.querySelector("input.filter");
    if (!filter) return;
    event.preventDefault();
    filter.focus();
  }
}

function nowhereView() {
  return { title: "Not found", element: h("p", { class: "card" }, "There is no such page. ", h("a", { href: "#/" }, "To the overview")), refresh: async () => {} };
}

function read(storage, name) {
  try {
    return JSON.parse(storage.getItem(name)) ?? {};
  } catch {
    return {};
  }
}

new App().start();
