// What operators and strangers did, the newest first.

import { fill, h } from "/shared/dom.js";
import { time } from "/shared/format.js";
import { pageHead } from "/shared/shell.js";
import { plainTable } from "/shared/table.js";
import { actionButton } from "/shared/form.js";
import { failed } from "/shared/toast.js";

const GROUPS = [["", "All"], ["login.", "Logins"], ["user.", "Users"], ["job.", "Jobs"], ["code.", "Codes"], ["settings.", "Settings"], ["entity.", "Entities"],
  ["install.", "Installs"], ["certificate.", "Certificates"], ["identity.", "Identities in doubt"], ["enrolment.", "Refused enrolments"]];

export async function page({ api, live, signal, query, setQuery }) {
  const rows = h("div", { class: "stack" });
  const more = actionButton("Older", () => load(next).catch(failed));
  let [items, next] = [[], null];
  const search = h("input", { type: "search", "aria-label": "Search the audit trail", placeholder: "Search the audit trail", maxlength: 200, props: { value: query.q ?? "" } });
  const group = h("select", null, GROUPS.map(([value, text]) => h("option", { value }, text)));
  group.value = query.action ?? "";

  async function load(before = null) {
    const answer = await api.get("audit", { q: search.value.trim(), action: group.value, before });
    items = before === null ? answer.items : items.concat(answer.items);
    next = answer.next;
    more.hidden = next === null;
    fill(rows, plainTable("Audit trail", [
      { label: "When", class: "nowrap", cell: (entry) => time(entry.time, { always: true, seconds: true }) }, { label: "What", cell: (entry) => h("code", null, entry.action) },
      { label: "Of", cell: (entry) => entry.subject }, { label: "Detail", cell: (entry) => entry.detail },
      { label: "From", cell: (entry) => entry.peer || "the hub itself" }, { label: "Entity", class: "wide-only", cell: (entry) => entry.entity ?? "" },
    ], items, { empty: "Nothing of the kind was done.", key: (entry) => String(entry.number) }));
  }
  const again = () => { setQuery({ q: search.value.trim(), action: group.value }); load().catch(failed); };
  search.addEventListener("change", again);
  search.addEventListener("search", again);
  group.addEventListener("change", again);
  await load();
  // Whoever reads further down is not torn back to the top.
  live.refresh(["audit"], signal, () => { if (items.length <= 50) load().catch(failed); }, { after: 1000 });
  return [pageHead("Audit trail"), h("div", { class: "table" }, h("div", { class: "table-tools" }, search, h("label", { class: "filter" }, h("span", null, "What"), group)), rows, h("div", { class: "actions" }, more))];
}
