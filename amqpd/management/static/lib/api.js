// The HTTP API, as anybody may call it.

import { searchOf } from "./route.js";

/** A refusal: its status, and the reason in the broker's words. */
export class ApiError extends Error {
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }
}

/** No answer at all. */
export class Unreachable extends Error {
  constructor() {
    super("The broker does not answer.");
  }
}

export class Api {
  /** `onRefused` is called when the credentials count no more. */
  constructor(onRefused = () => {}) {
    this.authorization = null;
    this.onRefused = onRefused;
    this.methods = new Map(); // of paths that were asked about
  }

  signIn(name, password) {
    this.authorization = authorizationOf(name, password);
    this.methods.clear();
  }

  get(path, query = {}, signal) {
    return this.request("GET", path + searchOf(query), undefined, signal);
  }

  put(path, body = {}) {
    return this.request("PUT", path, body);
  }

  post(path, body = {}) {
    return this.request("POST", path, body);
  }

  delete(path, headers = {}) {
    return this.request("DELETE", path, undefined, undefined, headers);
  }

  /** What is answered, from JSON. Throws ApiError or Unreachable. */
  async request(method, path, body, signal, headers = {}) {
    const answer = await this.send(method, path, body, signal, headers);
    const text = await answer.text();
    if (answer.ok) return text ? JSON.parse(text) : null;
    const error = new ApiError(answer.status, reasonOf(text, answer));
    const known = /"not_authorised"/.test(text) && error.message !== "Not management user";
    if (answer.status === 401 && !known) this.onRefused(error); // else it is this one thing that is not permitted
    throw error;
  }

  /** What a path that a broker may not have answers, or null. */
  async getIfThere(path, query, signal) {
    if (!(await this.methodsOf(path)).includes("GET")) return null;
    try {
      return await this.get(path, query, signal);
    } catch (error) {
      if (error.status !== 404) throw error;
      this.methods.set(path, []);
      return null;
    }
  }

  /** Which methods a path takes; none when it is not there. Asked once. */
  async methodsOf(path) {
    if (!this.methods.has(path)) {
      const answer = await this.send("OPTIONS", path);
      const allowed = answer.ok ? (answer.headers.get("allow") ?? "") : "";
      this.methods.set(path, allowed.split(",").map((method) => method.trim()).filter(Boolean));
    }
    return this.methods.get(path);
  }

  async send(method, path, body, signal, headers = {}) {
    try {
      return await fetch(`api/${path}`, {
        method,
        signal,
        credentials: "omit", // ours are in the header, and the browser shall not ask for any
        cache: "no-store",
        headers: {
          ...(this.authorization ? { Authorization: this.authorization } : {}),
          ...(body === undefined ? {} : { "Content-Type": "application/json" }),
          ...headers,
        },
        body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
      });
    } catch (error) {
      throw error.name === "AbortError" ? error : new Unreachable();
    }
  }
}

/** Basic credentials (RFC 7617), in UTF-8. */
export function authorizationOf(name, password) {
  const octets = new TextEncoder().encode(`${name}:${password}`);
  return `Basic ${btoa(Array.from(octets, (octet) => String.fromCharCode(octet)).join(""))}`;
}

function reasonOf(text, answer) {
  try {
    const { reason, error } = JSON.parse(text);
    const found = reason ?? error;
    if (Array.isArray(found)) return found.join(": ").replaceAll("_", " "); // ["no_such_user", "ann"]
    return typeof found === "string" ? found : JSON.stringify(found);
  } catch {
    return text.trim() || `${answer.status} ${answer.statusText}`.trim();
  }
}
