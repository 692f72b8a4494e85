// A table of rows that the server hands out in pages: sorted, searched and filtered there, so that five thousand rows are as quick as fifty.
// It is a real table at any width; on a phone each row becomes a block of labelled lines, and the roles stay.

import { calmly, fill, h, uniqueId } from "./dom.js";
import { counted, grouped } from "./format.js";
import { icon } from "./icons.js";
import { Ended } from "./api.js";

/** Rows on a page. */
const PAGE = 50;
const TYPING_PAUSE = 250;

/**
 * @typedef {object} Column
 * @property {string} label
 * @property {(item: object) => *} cell  what stands in a cell, as `h` takes children
 * @property {string} [sort]  the server's name of the column, if it sorts by it
 * @property {boolean} [number]  figures, set to the right
 * @property {string} [class]  of its cells; "wide-only" leaves it out where there is little room
 *
 * @typedef {object} Filter
 * @property {string} name  the parameter
 * @property {string} label
 * @property {Array<[string, string]>} options  value and words; the value "" stands for all
 *
 * @param {object} options
 * @param {string} options.caption  what the rows are, read out and not seen
 * @param {Column[]} options.columns  the first one names the row
 * @param {(parameters: object) => Promise<{total: number, items: object[]}>} options.load  offset, limit, sort, q and filters
 * @param {(item: object) => string} options.key  what identifies a row: keeps the focus when rows change
 * @param {string|[string, string]} [options.noun]  what the rows are, for one and for several
 * @param {string} [options.search]  what can be searched for; without it there is no search field
 * @param {Filter[]} [options.filters]
 * @param {string} [options.sort]  the order in the beginning: "-since" descends
 * @param {string} [options.empty]  what is said where there are no rows at all
 * @param {object} [options.query]  the state in the beginning, as `onQuery` gave it
 * @param {(query: object) => void} [options.onQuery]  the state as it is to stand in the address
 * @param {number} [options.page]  rows on a page
 * @param {(item: object) => string|null} [options.href]  where a click on a row leads; the first cell should hold a link there for keyboards
 * @param {AbortSignal} options.signal  ends it
 * @returns {{element: HTMLElement, refresh: () => Promise<void>, facets: (name: string, counts: object) => void, count: HTMLElement}}
 */
export function table(options) {
  const { columns, load, key, filters = [], onQuery = () => {}, query = {}, page = PAGE } = options;
  const id = uniqueId("table");
  const state = {
    sort: query.sort ?? options.sort ?? "", q: query.q ?? "", offset: Math.max(0, Number.parseInt(query.offset, 10) || 0),
    filters: Object.fromEntries(filters.map((filter) => [filter.name, query[filter.name] ?? ""])),
  };
  let turn = 0;
  let shown = null;

  const search = options.search && h("input", { type: "search", "aria-label": options.search, placeholder: options.search, maxlength: 200,
    props: { value: state.q } });
  const selects = filters.map((filter) => {
    const select = h("select", { id: uniqueId("filter"), on: { change: () => change(() => { state.filters[filter.name] = select.value; }) } },
      filter.options.map(([value, text]) => h("option", { value }, text)));
    // A value out of the address that is not among the options is one all the same.
    if (state.filters[filter.name] && ![...select.options].some((option) => option.value === state.filters[filter.name])) {
      select.append(h("option", { value: state.filters[filter.name] }, state.filters[filter.name]));
    }
    select.value = state.filters[filter.name];
    return { filter, select, field: h("label", { class: "filter" }, h("span", null, filter.label), select) };
  });
  const count = h("p", { class: "count soft", role: "status" });
  const body = h("tbody", { role: "rowgroup" });
  const heads = columns.map(head);
  const previous = h("button", { type: "button", on: { click: () => turnTo(state.offset - page) } }, "Previous");
  const next = h("button", { type: "button", on: { click: () => turnTo(state.offset + page) } }, "Next");
  const where = h("span", { class: "soft" });
  const pager = h("nav", { class: "pager", "aria-label": `${options.caption}: pages`, hidden: true }, previous, where, next);
  const message = h("div", { class: "table-message", hidden: true });
  const sheet = h("table", { role: "table", "aria-labelledby": `${id}-caption`, "aria-busy": "true" },
    h("caption", { class: "visually-hidden", id: `${id}-caption` }, options.caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads.map((column) => column.cell))), body);
  const element = h("div", { class: "table" },
    (search || selects.length > 0) && h("div", { class: "table-tools", role: "search", "aria-label": options.caption }, search,
      selects.map((one) => one.field), count),
    sheet, message, pager);
  if (!search && selects.length === 0) element.append(count);

  if (search) {
    const typed = calmly(TYPING_PAUSE, () => { if (state.q !== search.value.trim()) change(() => { state.q = search.value.trim(); }); });
    search.addEventListener("input", typed);
  }

  function head(column) {
    if (!column.sort) {
      return { column, cell: h("th", { scope: "col", role: "columnheader", class: classOf(column) }, column.label) };
    }
    const button = h("button", { type: "button", class: "sort", on: { click: () => sortBy(column) } }, column.label,
      h("span", { class: "arrow", "aria-hidden": "true" }));
    return { column, cell: h("th", { scope: "col", role: "columnheader", class: classOf(column) }, button) };
  }

  function sortBy(column) {
    // Counts and times are looked for from the greatest down.
    const first = column.number ? `-${column.sort}` : column.sort;
    const other = column.number ? column.sort : `-${column.sort}`;
    change(() => { state.sort = state.sort === first ? other : first; });
  }

  function change(what) {
    what();
    state.offset = 0;
    refresh();
  }

  async function turnTo(offset) {
    state.offset = Math.max(0, offset);
    await refresh();
    sheet.scrollIntoView({ block: "nearest" });
  }

  function write() {
    onQuery({ ...state.filters, q: state.q, sort: state.sort === (options.sort ?? "") ? "" : state.sort, offset: state.offset || "" });
    for (const { column, cell } of heads) {
      if (!column.sort) continue;
      const direction = state.sort === column.sort ? "ascending" : state.sort === `-${column.sort}` ? "descending" : "none";
      cell.setAttribute("aria-sort", direction);
    }
  }

  async function refresh() {
    turn += 1;
    const mine = turn;
    write();
    sheet.setAttribute("aria-busy", "true");
    try {
      const answer = await load({ offset: state.offset, limit: page, sort: state.sort, q: state.q, ...state.filters });
      if (mine !== turn) return;
      // Rows that went away may leave this page empty.
      if (answer.items.length === 0 && answer.total > 0 && state.offset > 0) {
        state.offset = Math.floor((answer.total - 1) / page) * page;
        await refresh();
        return;
      }
      show(answer);
    } catch (error) {
      if (error instanceof Ended || mine !== turn) return;
      fill(message, icon("warn"), h("p", null, error.message), h("button", { type: "button", on: { click: refresh } }, "Try again"));
      message.hidden = false;
    } finally {
      if (mine === turn) sheet.setAttribute("aria-busy", "false");
    }
  }

  function show(answer) {
    const isNarrowed = state.q !== "" || Object.values(state.filters).some((value) => value !== "");
    const text = JSON.stringify(answer.items);
    if (text !== shown) {
      shown = text;
      const focused = focusedRow();
      fill(body, answer.items.map(row));
      focused?.();
    }
    message.hidden = answer.total > 0;
    sheet.hidden = answer.total === 0;
    if (answer.total === 0) {
      fill(message, h("p", null, isNarrowed ? "Nothing matches." : options.empty ?? "There is nothing here yet."));
      if (isNarrowed) message.append(h("button", { type: "button", on: { click: clear } }, "Show all"));
    }
    const last = state.offset + answer.items.length;
    count.textContent = counted(answer.total, ...[options.noun ?? "row"].flat());
    where.textContent = `${grouped(state.offset + 1)}\u2013${grouped(last)} of ${grouped(answer.total)}`;
    previous.disabled = state.offset === 0;
    next.disabled = last >= answer.total;
    pager.hidden = answer.total <= page && state.offset === 0;
  }

  function clear() {
    if (search) search.value = "";
    for (const { filter, select } of selects) { select.value = ""; state.filters[filter.name] = ""; }
    change(() => { state.q = ""; });
    (search ?? selects[0]?.select)?.focus();
  }

  function row(item) {
    const href = options.href?.(item);
    const line = h("tr", { role: "row", "data-key": key(item), class: href ? "link-row" : null }, columns.map((column, index) => {
      const content = column.cell(item);
      return index === 0
        ? h("th", { scope: "row", role: "rowheader", class: classOf(column) }, content)
        : dataCell(column, content);
    }));
    if (href) {
      line.addEventListener("click", (event) => {
        // Text that was just marked, and what is itself pressed, are left alone.
        if (event.target.closest("a, button, input, select") || String(getSelection()) !== "") return;
        if (event.ctrlKey || event.metaKey) window.open(href, "_blank", "noopener");
        else location.hash = href;
      });
    }
    return line;
  }

  /** Where the focus is inside the rows, as a function that puts it there again. */
  function focusedRow() {
    const line = document.activeElement?.closest?.("tr[data-key]");
    if (!line || !body.contains(line)) return null;
    const place = [...line.querySelectorAll("a, button")].indexOf(document.activeElement);
    const wanted = line.dataset.key;
    return () => {
      const found = [...body.rows].find((one) => one.dataset.key === wanted);
      const target = found?.querySelectorAll("a, button")[place];
      if (target) target.focus({ preventScroll: true });
      else search?.focus({ preventScroll: true });
    };
  }

  /** Says beside the options of a filter how many rows each has; options that the server tells of and that are not there are added. */
  function facets(name, counts) {
    const one = selects.find(({ filter }) => filter.name === name);
    if (!one || !counts) return;
    for (const [value, amount] of Object.entries(counts)) {
      let option = [...one.select.options].find((candidate) => candidate.value === value);
      if (!option) option = one.select.appendChild(h("option", { value, "data-text": value }));
      option.dataset.text ??= option.textContent;
      option.textContent = `${option.dataset.text} (${grouped(amount)})`;
    }
    for (const option of one.select.options) {
      if (option.value === "" || option.value in counts || !option.dataset.text) continue;
      option.textContent = option.dataset.text;
    }
  }

  options.signal?.addEventListener("abort", () => { turn += 1; });
  refresh();
  return { element, refresh, facets, count };
}

function classOf(column) {
  return [column.number && "number", column.class].filter(Boolean).join(" ") || null;
}

/**
 * A table of rows that are all at hand.
 * @param {string} caption  read out and not seen
 * @param {Column[]} columns
 * @param {object[]} items
 */
export function plainTable(caption, columns, items, { empty = "None.", key = null } = {}) {
  if (items.length === 0) return h("p", { class: "soft empty" }, empty);
  return h("table", { role: "table" }, h("caption", { class: "visually-hidden" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, columns.map((column) =>
      h("th", { scope: "col", role: "columnheader", class: classOf(column) }, column.label)))),
    h("tbody", { role: "rowgroup" }, items.map((item) => h("tr", { role: "row", "data-key": key?.(item) }, columns.map((column, index) =>
      index === 0
        ? h("th", { scope: "row", role: "rowheader", class: classOf(column) }, column.cell(item))
        : dataCell(column, column.cell(item)))))));
}

/** One box for what is in it, because on a phone a label stands beside that. */
function dataCell(column, content) {
  const isEmpty = content === null || content === undefined || content === false || content === "";
  return h("td", { role: "cell", class: classOf(column), "data-label": column.label }, isEmpty ? null : h("div", null, content));
}
