// Short notes on what was done, read out by screen readers.

import { h } from "../lib/dom.js";

const SECONDS = 6;

const region = h("div", { class: "toasts", role: "status", "aria-live": "polite" });

export function toast(text, kind = "good") {
  if (!region.isConnected) document.body.append(region);
  const remove = () => note.remove();
  const note = h("div", { class: `toast ${kind}` }, h("span", {}, text), h("button", { type: "button", class: "plain", "aria-label": "Dismiss", onclick: remove }, "×"));
  region.append(note);
  setTimeout(remove, SECONDS * 1000 * (kind === "bad" ? 2 : 1));
}
