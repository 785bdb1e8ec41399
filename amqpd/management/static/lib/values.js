// What is typed into forms, as values of an AMQP table.

export const TYPES = ["String", "Number", "Boolean", "JSON"];

/** The value that a text stands for. Throws an Error in words. */
export function valueOf(text, type) {
  if (type === "Number") {
    const number = Number(text);
    if (text.trim() === "" || !Number.isFinite(number)) throw new Error(`“${text}” is not a number`);
    return number;
  }
  if (type === "Boolean") {
    if (text === "true" || text === "false") return text === "true";
    throw new Error(`“${text}” is neither true nor false`);
  }
  if (type === "JSON") {
    try {
      return JSON.parse(text);
    } catch {
      throw new Error(`“${text}” is not JSON`);
    }
  }
  return text;
}

/** A table from rows of a form; rows without a name are left out. Throws an Error that names the row. */
export function tableOf(rows) {
  const table = {};
  for (const { name, text, type } of rows) {
    if (name === "") {
      if (text !== "") throw new Error(`“${text}” has no name`);
      continue;
    }
    if (Object.hasOwn(table, name)) throw new Error(`${name} is there twice`);
    try {
      table[name] = valueOf(text, type);
    } catch (error) {
      throw new Error(`${name}: ${error.message}`);
    }
  }
  return table;
}

/** A name for a queue or exchange, as it is. Throws an Error in words, where the broker says but “Access refused.” */
export function newName(name) {
  if (name.startsWith("amq.")) throw new Error("Names that begin with “amq.” are the broker’s own");
  const octets = new TextEncoder().encode(name).length;
  if (octets > 255) throw new Error(`The name is ${octets} octets long, and 255 is the most`);
  return name;
}

/** Properties of a message, of which some are numbers. Throws an Error that names the property. */
export function propertiesOf(texts) {
  const properties = {};
  for (const [name, text] of Object.entries(texts)) {
    if (text === "" || text === undefined) continue;
    const numeric = ["priority", "timestamp", "delivery_mode"].includes(name);
    properties[name] = numeric ? tableOf([{ name, text, type: "Number" }])[name] : text;
  }
  return properties;
}
