// Records as a list that grows at its head while somebody looks: of the journal, and of what was sent.

import { fill, h } from "/shared/dom.js";
import { bytes, grouped, time, title } from "/shared/format.js";
import { pill } from "/shared/pill.js";
import { link } from "/shared/router.js";
import { actionButton } from "/shared/form.js";
import { failed } from "/shared/toast.js";
import { icon } from "/shared/icons.js";
import { plainTable } from "/shared/table.js";

const PAGE = 50;
/** A tail longer than this forgets its end: what is older is a page away. */
const SHOWN_MAX = 500;
const TYPING_PAUSE = 400;

const STATES = { acknowledged: ["completed", "Hub has it"], waiting: ["waiting", "Waits"], local: ["other", "Here alone"] };

/**
 * @param {object} options
 * @param {string} options.path  "journal/records" or "outgoing/records"
 * @param {string} options.room  "journal" or "outgoing": where a record's page is
 * @param {string} options.caption
 */
export async function recordList({ api, live, signal, query, setQuery, path, room, caption }) {
  const state = { type: query.type ?? "", device: query.device ?? "", isPaused: false };
  let items = [];
  let next = null;
  let isComplete = false;
  let newest = null;
  const place = h("div");
  const foot = h("div", { class: "actions" });
  const said = h("p", { class: "soft count", role: "status" });
  const pause = h("button", { type: "button", "aria-pressed": "false", on: { click: togglePause } }, icon("pause"), h("span", null, "Pause"));
  const type = h("input", { type: "search", "aria-label": "Type of event", placeholder: "Type of event, such as AlertRaised", maxlength: 40, props: { value: state.type } });
  const device = h("input", { type: "search", "aria-label": "Device id", placeholder: "Device id", maxlength: 32, spellcheck: "false", props: { value: state.device } });
  let timer = null;
  for (const input of [type, device]) {
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        state.type = type.value.trim();
        state.device = device.value.trim();
        setQuery({ ...query, type: state.type, device: state.device });
        restart().catch(failed);
      }, TYPING_PAUSE);
    });
  }

  function filters() { return { type: state.type, device: state.device }; }

  async function restart() {
    const answer = await api.get(path, { limit: PAGE, ...filters() });
    items = answer.items;
    ({ next } = answer);
    isComplete = answer.complete;
    newest = items[0]?.position ?? answer.head;
    show();
  }

  async function older() {
    try {
      const answer = await api.get(path, { limit: PAGE, before: next, ...filters() });
      items = [...items, ...answer.items];
      ({ next } = answer);
      isComplete = answer.complete;
      show();
    } catch (error) { failed(error); }
  }

  let isAsking = false;
  async function follow() {
    if (state.isPaused || isAsking || signal.aborted) return;
    if (!newest) { await restart(); return; }
    isAsking = true;
    try {
      const answer = await api.get(path, { limit: PAGE, after: newest, ...filters() });
      const known = new Set(items.map((item) => item.position));
      const fresh = answer.items.filter((item) => !known.has(item.position)).reverse();
      if (fresh.length > 0) {
        newest = fresh[0].position;
        items = [...fresh, ...items];
        if (items.length > SHOWN_MAX) {
          items = items.slice(0, SHOWN_MAX);
          next = items.at(-1).position;
          isComplete = false;
        }
        show();
      }
    } finally { isAsking = false; }
  }

  function togglePause() {
    state.isPaused = !state.isPaused;
    pause.setAttribute("aria-pressed", String(state.isPaused));
    fill(pause, icon(state.isPaused ? "play" : "pause"), h("span", null, state.isPaused ? "Go on" : "Pause"));
    if (!state.isPaused) follow().catch(failed);
  }

  function show() {
    const focused = document.activeElement?.closest?.("tr[data-key]")?.dataset.key;
    fill(place, plainTable(caption, [
      { label: "Record", class: "nowrap", cell: (record) => h("a", { href: link(room, ...record.position.split("/")) }, record.position) },
      { label: "When", class: "nowrap", cell: (record) => time(record.time, { seconds: true }) },
      { label: "Event", cell: (record) => [title(record.type), h("span", { class: "cell-sub" }, record.summary)] },
      { label: "Device", class: "wide-only", cell: (record) => (record.device ? h("a", { href: link("devices", record.device), class: "mono" }, record.device.slice(0, 8)) : "") },
      { label: "Size", number: true, class: "wide-only", cell: (record) => bytes(record.bytes) },
      { label: "Hub", class: "nowrap", cell: (record) => { const [name, text] = STATES[record.state] ?? ["unknown", record.state]; return pill(name, text); } },
    ], items, { empty: state.type || state.device ? "Nothing matches so far." : "No record yet.", key: (record) => record.position }));
    if (focused) [...place.querySelectorAll("tr[data-key]")].find((row) => row.dataset.key === focused)?.querySelector("a")?.focus({ preventScroll: true });
    said.textContent = `${grouped(items.length)} shown`;
    fill(foot, !isComplete && next && actionButton("Older", older), isComplete && h("span", { class: "soft" }, "The beginning."));
  }

  await restart();
  live.refresh(["record"], signal, () => follow().catch(failed), { after: 700 });
  live.refresh(["queue"], signal, () => { if (!state.isPaused && items.length <= PAGE && items.some((item) => item.state === "waiting")) restart().catch(failed); }, { after: 3000 });
  return h("div", { class: "table" }, h("div", { class: "table-tools", role: "search", "aria-label": caption }, type, device, pause, said), place, foot);
}
