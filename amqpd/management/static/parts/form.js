// Forms: labelled fields, a button, and what went wrong beside it.

import { h, replace, uniqueId } from "../lib/dom.js";
import { TYPES, tableOf } from "../lib/values.js";

/**
 * A form of fields. `send` gets their values by name; what it throws is shown. When it is done the fields are as they
 * were first, unless `keep` or an answer of false says otherwise. `others` are further buttons, and what each does with the values.
 */
export function form({ fields, action, send, keep = false, danger = false, label = null, others = {} }) {
  const error = h("p", { class: "error", role: "alert" });
  const button = h("button", { type: "submit", class: danger ? "danger" : "primary" }, action);
  const valued = () => Object.fromEntries(fields.filter(({ name }) => name).map((field) => [field.name, field.value()]));
  const more = Object.entries(others).map(([title, act]) => h("button", { type: "button", onclick: () => attempt(async () => act(valued())) }, title));
  const attempt = async (act) => {
    if (button.disabled) return;
    replace(error);
    for (const each of [button, ...more]) each.disabled = true;
    try {
      await act();
    } catch (caught) {
      replace(error, caught.message);
    } finally {
      for (const each of [button, ...more]) each.disabled = false;
    }
  };
  const element = h(
    "form",
    { "aria-label": label ?? action, novalidate: true, autocomplete: "off" },
    h("div", { class: "fields" }, fields.map((field) => field.element)),
    h("div", { class: "actions" }, button, more, error),
  );
  element.onsubmit = (event) => {
    event.preventDefault();
    return attempt(async () => {
      const done = await send(valued());
      if (!keep && done !== false) for (const field of fields) field.reset?.();
    });
  };
  return element;
}

/** A line of text; `required` ones are asked for. */
export function text(name, label, { value = "", type = "text", required = false, hint = "", placeholder = null, autocomplete = "off", wide = false } = {}) {
  const input = h("input", { type, value, placeholder, autocomplete, spellcheck: "false", "aria-required": required ? "true" : null });
  return labelled(name, label, input, { hint, wide, required, reset: () => (input.value = value) });
}

/** Several lines. */
export function area(name, label, { value = "", rows = 4, hint = "" } = {}) {
  const input = h("textarea", { rows, value, spellcheck: "false" });
  return labelled(name, label, input, { hint, wide: true, reset: () => (input.value = value) });
}

/** One of some; options are texts, or pairs of a value and a text. */
export function select(name, label, options, { value = null, hint = "" } = {}) {
  const input = h("select", {}, options.map((option) => (Array.isArray(option) ? h("option", { value: option[0] }, option[1]) : h("option", { value: option }, option))));
  if (value !== null) input.value = value;
  return labelled(name, label, input, { hint });
}

export function check(name, label, { checked = false } = {}) {
  const id = uniqueId("field");
  const input = h("input", { type: "checkbox", id, checked });
  return {
    name,
    input,
    element: h("div", { class: "field check" }, input, h("label", { for: id }, label)),
    value: () => input.checked,
    reset: () => (input.checked = checked),
  };
}

/** A fixed value that the form sends along. */
export function fixed(name, value) {
  return { name, element: null, value: () => value };
}

function labelled(name, label, input, { hint = "", wide = false, required = false, reset } = {}) {
  const id = uniqueId("field");
  input.id = id;
  const note = hint ? h("small", { id: `${id}-hint`, class: "hint" }, hint) : null;
  if (note) input.setAttribute("aria-describedby", note.id);
  return {
    name,
    input,
    element: h("div", { class: wide ? "field wide" : "field" }, h("label", { for: id }, label), input, note),
    value: () => {
      if (required && input.value === "") {
        input.focus();
        throw new Error(`${label} is missing`);
      }
      return input.value;
    },
    reset,
  };
}

/** Names with typed values. `known` are pairs of a name and its type to choose from. */
export function pairs(name, label, { known = [], types = TYPES } = {}) {
  const rows = h("div", { class: "pairs" });
  const list = uniqueId("names");
  const add = (key = "", type = types[0], focus = false) => {
    const nameInput = h("input", { value: key, "aria-label": `${label}: name`, placeholder: "name", list: known.length ? list : null, spellcheck: "false" });
    const textInput = h("input", { "aria-label": `${label}: value`, placeholder: "value", spellcheck: "false" });
    const typeInput = h("select", { "aria-label": `${label}: type`, hidden: types.length === 1 }, types.map((each) => h("option", { value: each }, each)));
    typeInput.value = type;
    nameInput.onchange = () => {
      const found = known.find(([each]) => each === nameInput.value);
      if (found && types.includes(found[1])) typeInput.value = found[1];
      if (row === rows.lastElementChild && nameInput.value) add();
    };
    const remove = () => {
      row.remove();
      if (!rows.children.length) add();
    };
    const row = h("div", { class: "pair" }, nameInput, textInput, typeInput, h("button", { type: "button", class: "plain", "aria-label": `${label}: remove this row`, onclick: remove }, "×"));
    row.fields = () => ({ name: nameInput.value, text: textInput.value, type: typeInput.value });
    rows.append(row);
    if (focus) textInput.focus();
  };
  add();
  const choose = ([key, type]) => () => {
    const last = rows.lastElementChild;
    if (last.fields().name === "" && last.fields().text === "") last.remove();
    add(key, type, true);
  };
  return {
    name,
    element: h(
      "fieldset",
      { class: "field wide" },
      h("legend", {}, label),
      rows,
      known.length ? h("datalist", { id: list }, known.map(([each]) => h("option", { value: each }))) : null,
      known.length ? h("div", { class: "suggestions" }, known.map((each) => h("button", { type: "button", class: "small", onclick: choose(each) }, each[0]))) : null,
    ),
    value: () => tableOf([...rows.children].map((row) => row.fields())),
    reset: () => {
      rows.replaceChildren();
      add();
    },
  };
}
