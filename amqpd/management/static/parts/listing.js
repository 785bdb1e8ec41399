// A list of any length: the broker filters, sorts and cuts it into pages, this shows a page of it.

import { h, replace, uniqueId, update } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { ApiError } from "../lib/api.js";
import { rowOf, titleOf } from "./common.js";

const SIZES = [25, 100, 500];
const TYPING = 250; // milliseconds without a keystroke that end it

export class Listing {
  /**
   * `columns`: {title, cell(row), sort?, numeric?, always?}; `sort` is the API's name of what to sort by. `fields` are
   * the API's columns that cells read; `key` tells rows apart. `path` is below api/. `remember` keeps filter, order and
   * page in the address.
   */
  constructor(app, { label, path, columns, fields, key, filter = true, remember = true, nothing = "Nothing here." }) {
    columns = columns.filter(({ sort }) => sort !== "vhost" || app.vhosts.length > 1);
    Object.assign(this, { app, label, path, columns, fields, key, remember, nothing, items: [], total: 0 });
    const query = remember ? app.place.query : {};
    this.name = query.name ?? "";
    this.regex = query.use_regex === "true";
    this.sort = query.sort ?? "";
    this.reverse = query.sort_reverse === "true";
    this.page = Number(query.page) || 1;
    this.size = SIZES.includes(Number(query.page_size)) ? Number(query.page_size) : 100;
    this.typing = null;
    const filterId = uniqueId("filter");
    const regexId = uniqueId("regex");
    this.input = h("input", { id: filterId, type: "search", value: this.name, placeholder: "part of a name", spellcheck: "false", autocomplete: "off", class: "filter" });
    this.input.oninput = () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.change({ name: this.input.value, page: 1 }), TYPING);
    };
    this.check = h("input", { id: regexId, type: "checkbox", checked: this.regex });
    this.check.onchange = () => this.change({ regex: this.check.checked, page: 1 });
    const sortable = columns.filter(({ sort }) => sort);
    const order = h(
      "select",
      { "aria-label": "Sort by", class: "order", onchange: () => this.change({ sort: order.value, reverse: Boolean(sortable.find(({ sort }) => sort === order.value)?.numeric), page: 1 }) },
      h("option", { value: "" }, "sort by …"),
      sortable.map(({ title, sort }) => h("option", { value: sort, selected: sort === this.sort }, title)),
    ); // for phones, where there are no headings
    this.count = h("span", { class: "count", role: "status" });
    this.error = h("p", { class: "error", role: "alert" });
    this.body = h("div", { class: "scroll" });
    this.pager = h("div", { class: "pager" });
    this.element = h(
      "section",
      { class: "card listing", "aria-label": label },
      h("div", { class: "toolbar" }, filter ? [h("label", { for: filterId }, "Filter"), this.input, h("span", { class: "check" }, this.check, h("label", { for: regexId }, "regex"))] : h("h2", {}, label), sortable.length ? order : null, this.count),
      this.error,
      this.body,
      this.pager,
    );
  }

  /** The list has other parameters: remember and ask again. */
  change(changes) {
    Object.assign(this, changes);
    if (this.remember) this.app.remember(this.query());
    return this.app.refresh();
  }

  query() {
    return {
      name: this.name,
      use_regex: this.regex && this.name !== "",
      sort: this.sort,
      sort_reverse: this.reverse,
      page: this.page === 1 ? "" : this.page,
      page_size: this.size === 100 ? "" : this.size,
    };
  }

  async refresh(signal) {
    const query = { ...this.query(), page: this.page, page_size: this.size, columns: this.fields?.join(",") };
    let answer;
    try {
      answer = await this.app.api.get(this.path(), query, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 400) throw error;
      if (this.page > 1) {
        this.page = 1; // the list became shorter than that
        return this.refresh(signal);
      }
      replace(this.error, this.regex ? `The filter is no regular expression that the broker takes (${error.message})` : error.message);
      return;
    }
    replace(this.error);
    this.show(answer);
  }

  /** A page of a list, or all of one that has no pages. */
  show(answer) {
    const paged = Array.isArray(answer) ? { items: answer, page: 1, page_count: 1, filtered_count: answer.length, total_count: answer.length } : answer;
    const { items, filtered_count: found, total_count: total } = paged;
    this.items = items;
    this.total = total;
    replace(this.count, found === total ? plural(total, "entry", "entries") : `${found} of ${plural(total, "entry", "entries")}`);
    const nothing = this.name ? "No name matches the filter." : this.nothing;
    update(this.body, items.length ? this.table(items) : h("p", { class: "muted empty" }, nothing));
    update(this.pager, this.pages(paged));
  }

  table(items) {
    return h(
      "table",
      { class: "grid wide stacks", role: "table" },
      h("caption", { class: "unseen" }, this.label),
      h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, this.columns.map((column) => this.heading(column)))),
      h("tbody", { role: "rowgroup" }, items.map((item) => rowOf(this.columns, item, this.key(item)))),
    );
  }

  heading({ title, sort, numeric }) {
    const kind = numeric ? "numeric" : null;
    if (!sort) return h("th", { scope: "col", role: "columnheader", class: kind }, titleOf({ title }));
    const sorted = this.sort === sort;
    const direction = sorted ? (this.reverse ? "descending" : "ascending") : null;
    const turn = () => this.change(sorted ? { reverse: !this.reverse, page: 1 } : { sort, reverse: Boolean(numeric), page: 1 });
    return h(
      "th",
      { scope: "col", role: "columnheader", class: kind, "aria-sort": direction },
      h("button", { type: "button", class: "sort", onclick: turn }, title, h("span", { class: "arrow", "aria-hidden": "true" }, sorted ? (this.reverse ? "▼" : "▲") : "")),
    );
  }

  pages({ page, page_count: pages, filtered_count: found }) {
    if (found <= SIZES[0] && pages === 1) return null;
    const go = (to) => () => this.change({ page: to });
    return [
      h("button", { type: "button", disabled: page <= 1, onclick: go(page - 1) }, "Previous"),
      h("span", {}, `Page ${page} of ${pages}`),
      h("button", { type: "button", disabled: page >= pages, onclick: go(page + 1) }, "Next"),
      h("label", { class: "size" }, "per page ", h("select", { onchange: (event) => this.change({ size: Number(event.target.value), page: 1 }) }, SIZES.map((size) => h("option", { value: size, selected: size === this.size }, size)))),
    ];
  }

  stop() {
    clearTimeout(this.typing);
  }
}
