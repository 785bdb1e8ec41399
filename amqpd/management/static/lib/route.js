// Where in the page one is, as RabbitMQ writes it: #/queues/%2F/orders?page=2

/** A place from a hash: its section, what it names, and its options. */
export function parse(hash) {
  const [path, search = ""] = split(hash.replace(/^#\/?/, ""), "?");
  const [section = "", ...names] = path.split("/").map(decoded);
  return { section, names: names.filter((name, index) => name !== "" || index < names.length - 1), query: queryOf(search) };
}

/** The hash of a place. */
export function hashOf(section, names = [], query = {}) {
  return `#/${[section, ...names].map(encodeURIComponent).join("/")}${searchOf(query)}`;
}

/** A path of the API below api/; names are encoded, the default exchange has one. */
export function pathOf(...names) {
  return names.map((name) => encodeURIComponent(name)).join("/");
}

/** `?a=1&b=2`, without what is empty. */
export function searchOf(query) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== "" && value !== null && value !== undefined && value !== false) search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

function queryOf(search) {
  return Object.fromEntries(new URLSearchParams(search));
}

function split(text, by) {
  const at = text.indexOf(by);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // somebody typed a lone %
  }
}
