// Signing in, and why it did not work.

import { h } from "../lib/dom.js";
import { form, text } from "../parts/form.js";

const LOCAL = /^(localhost|127\.|\[::1\]|::1)/;

export function signInView(app, reason) {
  const name = text("name", "User", { required: true, autocomplete: "username", wide: true });
  const password = text("password", "Password", { type: "password", autocomplete: "current-password", wide: true });
  const element = form({
    label: "Sign in",
    action: "Sign in",
    keep: true,
    fields: [name, password],
    send: async (values) => {
      try {
        await app.signIn(values.name, values.password);
      } catch (error) {
        app.api.authorization = null;
        throw new Error(explained(error, values.name));
      }
    },
  });
  return h(
    "main",
    { class: "signin" },
    h("div", { class: "card" }, h("h1", {}, h("img", { src: "icon.svg", alt: "", width: 36, height: 36 }), "amqpd"), reason ? h("p", { class: "note", role: "status" }, explained(new Error(reason))) : null, element),
  );
}

function explained(error, name = "") {
  if (error.message === "Login failed") {
    const far = name === "guest" && !LOCAL.test(location.hostname);
    return `Login failed: the user or the password is wrong.${far ? " The user guest may sign in from the broker's own machine only." : ""}`;
  }
  if (error.message === "Not management user") return "Not management user: this user has none of the tags management, policymaker, monitoring and administrator.";
  return error.message;
}
