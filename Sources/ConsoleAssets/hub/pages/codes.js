// DataLink codes, with which agents enrol. A code's digits are shown once, when it is made.

import { fill, h } from "/shared/dom.js";
import { ago, grouped, time } from "/shared/format.js";
import { pageHead } from "/shared/shell.js";
import { plainTable } from "/shared/table.js";
import { actionButton, field, form } from "/shared/form.js";
import { confirm, dialog } from "/shared/dialog.js";
import { failed, toast } from "/shared/toast.js";
import { entityOptions, may, state, undecided } from "/app/names.js";

const ONE = [["3600", "1 hour"], ["28800", "8 hours"], ["86400", "24 hours"]];
const SEVERAL = [["86400", "1 day"], ["604800", "7 days"], ["2592000", "30 days"]];

export async function page({ api, live, signal, session }) {
  const place = h("div", { class: "stack" });
  const canChange = may(session, "operator");

  async function refresh() {
    const { items } = await api.get("codes");
    fill(place, plainTable("DataLink codes", [
      { label: "Number", cell: (code) => grouped(code.id) }, { label: "Entity", cell: (code) => code.entity }, { label: "State", cell: (code) => state(code.state) },
      { label: "Used", number: true, cell: (code) => `${grouped(code.uses)} of ${grouped(code.usesMax)}` },
      { label: "Made", class: "nowrap", cell: (code) => ago(code.created) }, { label: "Good until", class: "nowrap", cell: (code) => time(code.expires, { always: true }) },
      ...(canChange ? [{ label: "Change", cell: (code) => (code.state === "valid" ? actionButton("Revoke", () => revoke(code), { class: "small", "aria-label": `Revoke code ${code.id}` }) : null) }] : []),
    ], items, { empty: "There are no codes yet.", key: (code) => String(code.id) }));
  }

  async function create() {
    const { items } = await api.get("entities");
    if (items.length === 0) { toast("Add an entity first: a code belongs to one.", "bad"); return; }
    const made = await dialog("New DataLink code", (close) => {
      const entity = field({ name: "entity", label: "Entity", type: "select", options: [...undecided(items), ...entityOptions(items)], hint: "The machines that enrol with it belong to this one." });
      const uses = field({ name: "uses", label: "How many machines", type: "number", value: "1", attributes: { min: 1, max: 100_000, required: true } });
      const valid = field({ name: "validSeconds", label: "Good for", type: "select", options: ONE, value: "86400" });
      uses.input.addEventListener("input", () => {
        const options = Number(uses.value) > 1 ? SEVERAL : ONE;
        const before = valid.value;
        fill(valid.input, options.map(([value, text]) => h("option", { value }, text)));
        valid.value = options.some(([value]) => value === before) ? before : "86400";
      });
      return [form({ fields: [entity, uses, valid], label: "New DataLink code",
        layout: () => [entity.element, uses.element, valid.element, h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Make it"))],
        submit: async (values) => {
          if (!values.entity) { entity.complain("Choose one."); entity.input.focus(); return; }
          close(await api.post("codes", { entity: Number(values.entity), uses: Number(values.uses), validSeconds: Number(values.validSeconds) }));
        },
      }).element];
    });
    if (!made) return;
    await dialog("The code, once", (close) => [
      h("p", null, `For ${made.entity}. Write it down or copy it now: the hub keeps only its hash, and nobody can show it again.`),
      h("p", { class: "secret" }, made.code),
      h("div", { class: "actions" }, h("button", { type: "button", class: "primary", on: { click: () => close(true) } }, "I have it")),
    ]);
    await refresh();
  }

  async function revoke(code) {
    if (!await confirm(`Revoke code ${code.id}?`, "Nobody enrols with it any more. Installs that did stay.", "Revoke", { danger: true })) return;
    try { await api.delete(`codes/${code.id}`); toast("The code is revoked."); await refresh(); } catch (error) { failed(error); }
  }

  await refresh();
  live.refresh(["audit", "install"], signal, () => refresh().catch(failed), { after: 1000 });
  return [pageHead("DataLink codes", { actions: canChange ? [actionButton("New code", create, { class: "primary" })] : [] }), place];
}
