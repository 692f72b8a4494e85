// The tree of entities with what is in each and below it.

import { fill, h } from "/shared/dom.js";
import { grouped } from "/shared/format.js";
import { pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { plainTable } from "/shared/table.js";
import { actionButton, field, form } from "/shared/form.js";
import { confirm, dialog } from "/shared/dialog.js";
import { failed, toast } from "/shared/toast.js";
import { entityOptions, may } from "/app/names.js";

export async function page({ api, live, signal, session }) {
  const place = h("div", { class: "stack" });
  const canChange = may(session, "configurer");
  let items = [];

  async function refresh() {
    ({ items } = await api.get("entities"));
    fill(place, plainTable("Entities", columns(), items, { empty: "There are no entities yet.", key: (one) => String(one.id) }));
  }

  function columns() {
    const counts = (own, below) => (own === below ? grouped(below) : [grouped(below), h("span", { class: "cell-sub" }, `${grouped(own)} its own`)]);
    return [
      { label: "Entity", cell: (one) => h("span", { class: "tree-name", vars: { "--depth": String(one.depth) } }, one.name) },
      { label: "Installs", number: true, cell: (one) => h("a", { href: link("installs", { entity: one.id }) }, counts(one.installs, one.installsBelow)) },
      { label: "Devices", number: true, cell: (one) => h("a", { href: link("devices", { entity: one.id }) }, counts(one.devices, one.devicesBelow)) },
      { label: "Open alerts", number: true, cell: (one) => h("a", { href: link("alerts", { entity: one.id }) }, counts(one.alerts, one.alertsBelow)) },
      { label: "Settings", cell: (one) => h("a", { href: link("entities", one.id, "settings") }, one.settings > 0 ? `${grouped(one.settings)} set here` : "inherited") },
      ...(canChange ? [{ label: "Change", cell: (one) => h("span", { class: "row-actions" },
        actionButton("Rename", () => rename(one), { class: "small", "aria-label": `Rename ${one.name}` }),
        actionButton("Remove", () => remove(one), { class: "small", "aria-label": `Remove ${one.name}` })) }] : []),
    ];
  }

  async function add() {
    const done = await dialog("Add an entity", (close) => {
      const name = field({ name: "name", label: "Name", attributes: { maxlength: 200, required: true } });
      const under = field({ name: "under", label: "Under", type: "select", options: [...(session.user.entity ? [] : [["", "None: at the top"]]), ...entityOptions(items)] });
      return [form({ fields: [name, under], label: "Add an entity",
        layout: () => [name.element, under.element, h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Add"))],
        submit: async (values) => {
          await api.post("entities", { name: values.name, under: values.under ? Number(values.under) : null });
          close(values.name);
        } }).element];
    });
    if (done) { toast(`${done} was added.`); await refresh(); }
  }

  async function rename(one) {
    const done = await dialog(`Rename ${one.name}`, (close) => {
      const name = field({ name: "name", label: "Name", value: one.name, attributes: { maxlength: 200, required: true } });
      return [form({ fields: [name], label: "Rename",
        layout: () => [name.element, h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Rename"))],
        submit: async (values) => { await api.put(`entities/${one.id}`, { name: values.name }); close(true); } }).element];
    });
    if (done) await refresh();
  }

  async function remove(one) {
    if (!await confirm(`Remove ${one.name}?`, "It goes with its settings and its used codes. Only an entity that nothing is in is removed.", "Remove", { danger: true })) return;
    try { await api.delete(`entities/${one.id}`); toast(`${one.name} was removed.`); await refresh(); } catch (error) { failed(error); }
  }

  await refresh();
  live.refresh(["audit", "install", "device"], signal, () => refresh().catch(failed), { after: 3000 });
  return [pageHead("Entities", { actions: canChange ? [actionButton("Add an entity", add, { class: "primary" })] : [] }), place];
}
