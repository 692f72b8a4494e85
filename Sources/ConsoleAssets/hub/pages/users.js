// Who may use this console, and for what.

import { fill, h } from "/shared/dom.js";
import { ago } from "/shared/format.js";
import { pageHead } from "/shared/shell.js";
import { plainTable } from "/shared/table.js";
import { actionButton, field, form } from "/shared/form.js";
import { confirm, dialog } from "/shared/dialog.js";
import { failed, toast } from "/shared/toast.js";
import { entityOptions, state } from "/app/names.js";

export async function page({ api, live, signal, session }) {
  const place = h("div", { class: "stack" });
  const [{ items: roles }, { items: entities }] = await Promise.all([api.get("roles"), api.get("entities")]);
  const titles = new Map(roles.map((role) => [role.name, role.title]));

  async function refresh() {
    const { items } = await api.get("users");
    fill(place, plainTable("Users", [
      { label: "User", cell: (user) => [user.displayName, h("span", { class: "cell-sub" }, user.name)] },
      { label: "Roles", cell: (user) => user.roles.map((role) => titles.get(role) ?? role).join(", ") },
      { label: "Sees", cell: (user) => user.entity ?? "everything" },
      { label: "Last login", class: "nowrap", cell: (user) => ago(user.lastLogin) },
      { label: "State", cell: (user) => (user.disabled ? state("revoked", "Disabled") : state("valid", "Good")) },
      { label: "Change", cell: (user) => h("span", { class: "row-actions" },
        actionButton("Edit", () => edit(user), { class: "small", "aria-label": `Edit ${user.name}` }),
        actionButton("Password", () => password(user), { class: "small", "aria-label": `Give ${user.name} another password` }),
        actionButton(user.disabled ? "Enable" : "Disable", () => disable(user), { class: "small", "aria-label": `${user.disabled ? "Enable" : "Disable"} ${user.name}` }),
        actionButton("Remove", () => remove(user), { class: "small", "aria-label": `Remove ${user.name}` })) },
    ], items, { empty: "There are no users.", key: (user) => user.name }));
  }

  function roleFields(held) {
    const fields = roles.map((role) => field({ name: `role-${role.name}`, label: role.title, type: "checkbox", value: held.includes(role.name) }));
    const error = field({ name: "roles", label: "", type: "checkbox" });
    error.input.hidden = true;
    return {
      fields, error,
      element: h("fieldset", { class: "checks" }, h("legend", null, "Roles"), fields.map((one) => one.element)),
      chosen: () => roles.filter((_, index) => fields[index].value).map((role) => role.name),
    };
  }

  function scopeField(entity) {
    const everything = session.user.entity ? [] : [["", "Everything"]];
    const known = entities.find((one) => one.name === entity);
    return field({ name: "entity", label: "Sees", type: "select", options: [...everything, ...entityOptions(entities)], value: known ? String(known.id) : "", hint: "An entity and all that is under it." });
  }

  async function add() {
    const done = await dialog("Add a user", (close) => {
      const name = field({ name: "name", label: "Name", attributes: { maxlength: 100, required: true }, hint: "Small letters, digits and . _ - @ +" });
      const display = field({ name: "displayName", label: "What people read" });
      const secret = field({ name: "password", label: "Password", type: "password", attributes: { autocomplete: "new-password", maxlength: 1024 }, hint: "At least 12 characters." });
      const scope = scopeField(null);
      const checks = roleFields(["viewer"]);
      return [form({ fields: [name, display, secret, scope, ...checks.fields], label: "Add a user",
        layout: () => [name.element, display.element, secret.element, scope.element, checks.element, h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Add"))],
        submit: async (values) => {
          await api.post("users", { name: values.name.trim(), displayName: values.displayName.trim() || null, password: values.password, roles: checks.chosen(), entity: values.entity ? Number(values.entity) : null });
          close(values.name);
        } }).element];
    });
    if (done) { toast(`${done} was added.`); await refresh(); }
  }

  async function edit(user) {
    const done = await dialog(`Edit ${user.name}`, (close) => {
      const display = field({ name: "displayName", label: "What people read", value: user.displayName });
      const scope = scopeField(user.entity);
      const checks = roleFields(user.roles);
      return [form({ fields: [display, scope, ...checks.fields], label: "Edit",
        layout: () => [display.element, scope.element, checks.element, h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Save"))],
        submit: async (values) => {
          await api.put(`users/${encodeURIComponent(user.name)}`, { displayName: values.displayName, roles: checks.chosen(), ...(values.entity ? { entity: Number(values.entity) } : { everything: true }) });
          close(true);
        } }).element];
    });
    if (done) await refresh();
  }

  async function password(user) {
    const done = await dialog(`Another password for ${user.name}`, (close) => {
      const secret = field({ name: "new", label: "New password", type: "password", attributes: { autocomplete: "new-password", maxlength: 1024 }, hint: "At least 12 characters. What is open with the old one ends." });
      return [form({ fields: [secret], label: "Another password",
        layout: () => [secret.element, h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Set it"))],
        submit: async (values) => { await api.put(`users/${encodeURIComponent(user.name)}/password`, { new: values.new }); close(true); } }).element];
    });
    if (done) toast(`${user.name} has another password.`);
  }

  async function disable(user) {
    const ask = user.disabled ? [`Enable ${user.name}?`, "The user may log in again.", "Enable"] : [`Disable ${user.name}?`, "What is open ends at once, and the user gets in no more.", "Disable"];
    if (!await confirm(...ask, { danger: !user.disabled })) return;
    try { await api.put(`users/${encodeURIComponent(user.name)}`, { disabled: !user.disabled }); await refresh(); } catch (error) { failed(error); }
  }

  async function remove(user) {
    if (!await confirm(`Remove ${user.name}?`, "What is open ends at once. What the user did stays in the audit trail.", "Remove", { danger: true })) return;
    try { await api.delete(`users/${encodeURIComponent(user.name)}`); toast(`${user.name} was removed.`); await refresh(); } catch (error) { failed(error); }
  }

  await refresh();
  live.refresh(["audit"], signal, () => refresh().catch(failed), { after: 1500 });
  return [pageHead("Users", { actions: [actionButton("Add a user", add, { class: "primary" })] }), place];
}
