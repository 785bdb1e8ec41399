import assert from "node:assert/strict";
import { test } from "node:test";
import { newName, propertiesOf, tableOf, valueOf } from "../../../amqpd/management/static/lib/values.js";

test("a value is what its type makes of the text", () => {
  assert.equal(valueOf("12", "String"), "12");
  assert.equal(valueOf("12", "Number"), 12);
  assert.equal(valueOf("true", "Boolean"), true);
  assert.deepEqual(valueOf('["a", 1]', "JSON"), ["a", 1]);
});

test("what is none is refused in words", () => {
  assert.throws(() => valueOf("", "Number"), /“” is not a number/);
  assert.throws(() => valueOf("12x", "Number"), /“12x” is not a number/);
  assert.throws(() => valueOf("yes", "Boolean"), /neither true nor false/);
  assert.throws(() => valueOf("{", "JSON"), /not JSON/);
});

test("a table has the rows with names", () => {
  const rows = [{ name: "x-message-ttl", text: "1000", type: "Number" }, { name: "", text: "", type: "String" }];
  assert.deepEqual(tableOf(rows), { "x-message-ttl": 1000 });
});

test("a table says which row is wrong", () => {
  assert.throws(() => tableOf([{ name: "a", text: "x", type: "Number" }]), /^Error: a: “x” is not a number/);
  assert.throws(() => tableOf([{ name: "", text: "x", type: "String" }]), /“x” has no name/);
  const row = { name: "a", text: "x", type: "String" };
  assert.throws(() => tableOf([row, row]), /a is there twice/);
});

test("some properties are numbers", () => {
  assert.deepEqual(propertiesOf({ priority: "3", content_type: "text/plain", reply_to: "" }), { priority: 3, content_type: "text/plain" });
  assert.throws(() => propertiesOf({ timestamp: "now" }), /timestamp: “now” is not a number/);
});

test("a new name is neither the broker's own nor too long", () => {
  assert.equal(newName("orders/ü"), "orders/ü");
  assert.throws(() => newName("amq.mine"), /the broker’s own/);
  assert.throws(() => newName("ü".repeat(128)), /256 octets/);
});
