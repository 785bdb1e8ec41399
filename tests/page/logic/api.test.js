import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { Api, ApiError, Unreachable, authorizationOf } from "../../../amqpd/management/static/lib/api.js";

const { fetch } = globalThis;

afterEach(() => {
  globalThis.fetch = fetch;
});

function answering(status, text, headers = {}) {
  const asked = [];
  globalThis.fetch = async (path, options) => {
    asked.push({ path, ...options });
    return new Response(status === 204 ? null : text, { status, headers });
  };
  return asked;
}

test("credentials are UTF-8 (RFC 7617)", () => {
  assert.equal(authorizationOf("guest", "guest"), "Basic Z3Vlc3Q6Z3Vlc3Q=");
  assert.equal(authorizationOf("zoë", "☃"), `Basic ${Buffer.from("zoë:☃").toString("base64")}`);
});

test("a call has credentials of ours, and never the browser's", async () => {
  const asked = answering(200, '{"a":1}');
  const api = new Api();
  api.signIn("guest", "guest");
  assert.deepEqual(await api.get("overview", { columns: "a" }), { a: 1 });
  assert.equal(asked[0].path, "api/overview?columns=a");
  assert.equal(asked[0].credentials, "omit");
  assert.equal(asked[0].headers.Authorization, "Basic Z3Vlc3Q6Z3Vlc3Q=");
});

test("nothing is an answer, too", async () => {
  answering(204);
  assert.equal(await new Api().delete("queues/%2F/q"), null);
});

test("a refusal has its status and the broker's reason", async () => {
  answering(400, '{"error":"bad_request","reason":"inequivalent arg"}');
  await assert.rejects(new Api().put("queues/%2F/q"), (error) => error instanceof ApiError && error.status === 400 && error.message === "inequivalent arg");
  answering(400, '{"error":"bad_request","reason":["not_boolean","troo"]}');
  await assert.rejects(new Api().put("queues/%2F/q"), { message: "not boolean: troo" });
  answering(502, "");
  await assert.rejects(new Api().get("overview"), /502/);
});

test("credentials that count no more end the session; a missing right does not", async () => {
  const ended = [];
  const api = new Api((error) => ended.push(error.message));
  for (const [error, reason] of [
    ["not_authorized", "Login failed"],
    ["not_authorised", "Not management user"],
    ["not_authorised", "Not administrator user"],
    ["not_authorised", "Access refused."],
  ]) {
    answering(401, JSON.stringify({ error, reason }));
    await assert.rejects(api.get("nodes"));
  }
  assert.deepEqual(ended, ["Login failed", "Not management user"]);
});

test("no answer is told as such", async () => {
  globalThis.fetch = async () => {
    throw new TypeError("Failed to fetch");
  };
  await assert.rejects(new Api().get("overview"), Unreachable);
});

test("what a path takes is asked once; nothing where there is none", async () => {
  const asked = answering(200, "", { allow: "HEAD, GET, OPTIONS" });
  const api = new Api();
  assert.deepEqual(await api.methodsOf("users"), ["HEAD", "GET", "OPTIONS"]);
  await api.methodsOf("users");
  assert.equal(asked.length, 1);
  answering(404, "{}");
  assert.deepEqual(await api.methodsOf("nosuch"), []);
  assert.equal(await api.getIfThere("nosuch"), null);
});
