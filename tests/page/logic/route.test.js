import assert from "node:assert/strict";
import { test } from "node:test";
import { hashOf, parse, pathOf, searchOf } from "../../../amqpd/management/static/lib/route.js";

test("RabbitMQ's addresses are understood", () => {
  assert.deepEqual(parse("#/queues/%2F/my%20queue"), { section: "queues", names: ["/", "my queue"], query: {} });
  assert.deepEqual(parse("#/"), { section: "", names: [], query: {} });
  assert.deepEqual(parse(""), { section: "", names: [], query: {} });
  assert.deepEqual(parse("#/queues"), { section: "queues", names: [], query: {} });
});

test("an address says what a list shows", () => {
  assert.deepEqual(parse("#/queues?name=a%3Fb&page=2").query, { name: "a?b", page: "2" });
});

test("a name that is no proper escape is taken as it is", () => {
  assert.deepEqual(parse("#/queues/%2F/100%").names, ["/", "100%"]);
});

test("any name comes back from its address", () => {
  for (const name of ["a/b", "a?b=c&d", "#", "<img src=x onerror=alert(1)>", "ü ☃", "100%", "..", "%2F"]) {
    assert.deepEqual(parse(hashOf("queues", ["/", name], { page: 3 })), { section: "queues", names: ["/", name], query: { page: "3" } });
  }
});

test("names are encoded in paths, and empty options left out", () => {
  assert.equal(pathOf("queues", "/", "a/b c"), "queues/%2F/a%2Fb%20c");
  assert.equal(searchOf({ name: "", page: 1, sort: null, use_regex: false, sort_reverse: true }), "?page=1&sort_reverse=true");
  assert.equal(searchOf({}), "");
});
