// Asks before something is lost.

import { h, uniqueId } from "../lib/dom.js";

/** Whether the reader agrees. */
export function agreed({ title, text, action }) {
  return new Promise((resolve) => {
    const id = uniqueId("dialog");
    const close = (answer) => () => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const dialog = h(
      "dialog",
      { "aria-labelledby": id },
      h("h2", { id }, title),
      h("p", {}, text),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", onclick: close(false) }, "Cancel"),
        h("button", { type: "button", class: "danger", onclick: close(true) }, action),
      ),
    );
    dialog.oncancel = close(false);
    document.body.append(dialog);
    dialog.showModal();
  });
}
