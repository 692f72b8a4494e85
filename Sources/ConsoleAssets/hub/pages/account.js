// One's own account.

import { h } from "/shared/dom.js";
import { ago, time } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { field, form } from "/shared/form.js";
import { terms } from "/shared/value.js";
import { toast } from "/shared/toast.js";

export async function page({ api }) {
  const [{ user, expires, version }, { items: roles }] = await Promise.all([api.get("session"), api.get("roles")]);
  const current = field({ name: "current", label: "Present password", type: "password", attributes: { autocomplete: "current-password", maxlength: 1024 } });
  const next = field({ name: "new", label: "New password", type: "password", attributes: { autocomplete: "new-password", maxlength: 1024 }, hint: "At least 12 characters: a few words that do not belong together make a good one." });
  const again = field({ name: "again", label: "The same again", type: "password", attributes: { autocomplete: "new-password", maxlength: 1024 } });
  const change = form({
    fields: [current, next, again], label: "Change my password",
    layout: () => [h("input", { type: "text", autocomplete: "username", hidden: true, "aria-hidden": "true", tabindex: "-1", props: { value: user.name } }),
      current.element, next.element, again.element, h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Change it"))],
    submit: async (values) => {
      if (values.new !== values.again) { again.complain("The two are not the same."); again.input.focus(); return; }
      await api.put("password", { current: values.current, new: values.new });
      for (const one of [current, next, again]) one.value = "";
      toast("Your password was changed. Every other session of yours has ended.");
    },
  });
  return [pageHead("My account"), h("div", { class: "columns" },
    card("Account", terms([
      ["Name", user.name], ["What people read", user.displayName], ["Roles", roles.filter((role) => user.roles.includes(role.name)).map((role) => role.title).join(", ")],
      ["Sees", user.entity ?? "everything"], ["Password changed", ago(user.passwordChanged)], ["This session ends", time(expires, { always: true })], ["Hub", `pthub ${version}`],
    ])),
    card("Change my password", change.element))];
}
