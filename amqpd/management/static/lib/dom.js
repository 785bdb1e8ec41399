// Elements from data. Text only ever becomes text nodes and attributes: nothing here reads HTML.

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "indeterminate"]);
const HANDLERS = ["onclick", "oninput", "onchange", "onsubmit", "onkeydown"];

/** An element. Handlers are properties (`onclick`), so that `patch` can carry them over; null and false are left out. */
export function h(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS(SVG, tag), attributes, children);
}

function build(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element[name] = value;
    else if (PROPERTIES.has(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Have `element` show other children. */
export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/**
 * Have `element` show these children, changing only what differs: focus, selection and scrolling stay. Children with
 * `data-key` are recognised by it, others by their place.
 */
export function update(element, ...children) {
  const fresh = document.createDocumentFragment();
  append(fresh, children);
  patchChildren(element, fresh);
}

function patch(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    const user = name === "open" && old.nodeName === "DETAILS"; // the reader's business
    if (!user && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const name of HANDLERS) if (old[name] !== fresh[name]) old[name] = fresh[name];
  if (old.disabled !== fresh.disabled) old.disabled = fresh.disabled;
  patchChildren(old, fresh);
}

function patchChildren(old, fresh) {
  const keyed = new Map();
  for (const child of old.children) if (child.dataset.key !== undefined) keyed.set(child.dataset.key, child);
  const kept = new Set();
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const key = wanted.dataset?.key;
    let found = key !== undefined ? keyed.get(key) : place;
    if (found && key === undefined && found.dataset?.key !== undefined) found = null;
    if (found && (kept.has(found) || found.nodeName !== wanted.nodeName)) found = null;
    if (!found) {
      old.insertBefore(wanted, place);
      kept.add(wanted);
      continue;
    }
    kept.add(found);
    if (found === place) place = place.nextSibling;
    else old.insertBefore(found, place);
    while (place && kept.has(place)) place = place.nextSibling;
    patch(found, wanted);
  }
  for (const child of [...old.childNodes]) if (!kept.has(child)) child.remove();
}

let numbers = 0;

/** An id nobody else has, to tie a label to what it labels. */
export function uniqueId(stem) {
  numbers += 1;
  return `${stem}-${numbers}`;
}
