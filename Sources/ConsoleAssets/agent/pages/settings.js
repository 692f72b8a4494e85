// Settings: what counts and where it comes from, and what may be changed here. Changes are checked together and take effect together.

import { fill, h, calmly, uniqueId } from "/shared/dom.js";
import { counted, title, words } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { icon } from "/shared/icons.js";
import { link } from "/shared/router.js";
import { actionButton, busy, field, form } from "/shared/form.js";
import { failed, toast } from "/shared/toast.js";
import { plainTable } from "/shared/table.js";
import { fromEditable, toEditable } from "/app/toml.js";

const ORIGINS = {
  default: "default", file: "ptagent.toml", console: "this console", hub: "the hub", "file and hub": "ptagent.toml and the hub", "console and hub": "this console and the hub",
};
const LONG = new Set(["words", "ranges", "addresses", "times", "days"]);
/** Long enough to read that it is done; in milliseconds. */
const RELOAD_AFTER = 1200;
const HOW = {
  duration: "A number with its unit: 250ms, 45s, 30m, 1h30m, 7d.", ranges: "One range a line; behind a colon the credentials in their order, such as 10.0.0.0/24: public, site.",
  addresses: "One address or range a line.", times: "One time a line, such as 06:00.", days: "Days such as mon, thu.", words: "One a line.",
};

/** Key to what was typed and is not saved; null takes this console's value away. It outlives the page: whoever looks elsewhere finds it again. */
const changes = new Map();

export async function page({ api, live, signal, query, setQuery, session }) {
  let settings = await api.get("settings");
  addEventListener("beforeunload", (event) => { if (changes.size > 0) event.preventDefault(); }, { signal });
  const complaints = new Map();
  const body = h("div", { class: "stack" });
  const bar = h("div", { class: "save-bar", role: "region", "aria-label": "Changes", hidden: true });
  const search = h("input", { type: "search", "aria-label": "Search settings", placeholder: "Search settings", maxlength: 100, props: { value: query.q ?? "" } });
  const rows = new Map();
  search.addEventListener("input", calmly(150, () => { setQuery({ q: search.value.trim() }); narrow(); }));

  function show() {
    rows.clear();
    const groups = new Map();
    for (const setting of settings.settings) {
      const name = setting.group ?? setting.key.split(".")[0];
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(setting);
    }
    fill(body, notes(), [...groups].map(([name, list]) => h("section", { class: "card settings-group" }, h("h2", null, title(name)), list.map(row))), others());
    narrow();
    showBar();
  }

  function notes() {
    return [
      settings.refused && h("div", { class: "note warn" }, icon("warn"), h("p", null, typeof settings.refused === "string" ? settings.refused : "The hub's latest settings were not taken; those before stay in use.")),
      ...(settings.problems ?? []).map((problem) => h("div", { class: "note warn" }, icon("warn"), h("p", null, problem.message ?? problem))),
    ];
  }

  function row(setting) {
    const id = uniqueId("setting");
    const isLong = LONG.has(setting.form);
    const shown = changes.has(setting.key) ? changes.get(setting.key) ?? toEditable(setting.default, setting.form) : toEditable(setting.value, setting.form);
    const common = { id, "aria-describedby": `${id}-about ${id}-error`, disabled: !setting.changeable, spellcheck: "false", autocomplete: "off" };
    let input;
    if (setting.form === "boolean") {
      input = h("select", common, h("option", { value: "true" }, "Yes"), h("option", { value: "false" }, "No"));
      input.value = shown;
    } else if (setting.form === "word" && setting.choices) {
      input = h("select", common, setting.choices.map((choice) => h("option", { value: choice }, words(choice))));
      if (![...input.options].some((option) => option.value === shown)) input.append(h("option", { value: shown }, shown || "none"));
      input.value = shown;
    } else if (isLong) input = h("textarea", { ...common, rows: Math.min(8, Math.max(2, shown.split("\n").length + 1)), props: { value: shown } });
    else input = h("input", { ...common, type: "text", inputmode: setting.form === "number" ? "numeric" : null, props: { value: shown } });
    const error = h("p", { class: "field-error", id: `${id}-error` });
    const reset = actionButton("Reset", () => { changes.set(setting.key, null); redraw(); }, { class: "quiet small", title: "Take this console's value away: then the hub's counts, or the default" });
    reset.hidden = !setting.changeable || (setting.saved === null || setting.saved === undefined) || (changes.has(setting.key) && changes.get(setting.key) === null);
    const element = h("div", { class: `setting${changes.has(setting.key) ? " changed" : ""}` },
      h("div", { class: "setting-words" }, h("label", { for: id }, h("code", null, setting.key)),
        h("p", { class: "hint", id: `${id}-about` }, setting.description, " ", limits(setting), HOW[setting.form] && setting.changeable ? ` ${HOW[setting.form]}` : "")),
      h("div", { class: "setting-value" }, h("div", { class: "setting-input" }, input, setting.unit && h("span", { class: "soft" }, setting.unit)), error,
        h("p", { class: "hint" }, originOf(setting), setting.changeable ? null : [". ", setting.reason]), reset));
    const redraw = () => { const next = row(setting); element.replaceWith(next); narrow(); showBar(); next.querySelector("input, select, textarea")?.focus(); };
    input.addEventListener(input.tagName === "SELECT" ? "change" : "input", () => {
      if (input.value === toEditable(setting.value, setting.form)) changes.delete(setting.key);
      else changes.set(setting.key, input.value);
      complaints.delete(setting.key);
      complain(null);
      element.classList.toggle("changed", changes.has(setting.key));
      showBar();
    });
    function complain(message) {
      fill(error, message && [icon("warn"), " ", message]);
      input.setAttribute("aria-invalid", message ? "true" : "false");
    }
    complain(complaints.get(setting.key) ?? null);
    rows.set(setting.key, { element, input, setting, complain });
    return element;
  }

  function narrow() {
    const wanted = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    for (const { element, setting } of rows.values()) {
      const text = `${setting.key} ${setting.description}`.toLowerCase();
      element.hidden = !wanted.every((word) => text.includes(word));
    }
    for (const group of body.querySelectorAll(".settings-group")) group.hidden = [...group.querySelectorAll(".setting")].every((element) => element.hidden);
  }

  function showBar() {
    bar.hidden = changes.size === 0;
    const text = `${counted(changes.size, "change")} not yet saved`;
    if (bar.dataset.text === text) return;
    bar.dataset.text = text;
    fill(bar, h("p", { role: "status" }, text), h("div", { class: "actions" },
      h("button", { type: "button", on: { click: discard } }, "Discard"),
      h("button", { type: "button", on: { click: (event) => busy(event.currentTarget, () => send(true)) } }, "Check"),
      h("button", { type: "button", class: "primary", on: { click: (event) => busy(event.currentTarget, () => send(false)) } }, "Save")));
  }

  function discard() {
    changes.clear();
    complaints.clear();
    show();
    search.focus();
  }

  async function send(dryRun) {
    const forms = new Map(settings.settings.map((setting) => [setting.key, setting.form]));
    const wanted = Object.fromEntries([...changes].map(([key, text]) => [key, text === null ? null : fromEditable(text, forms.get(key))]));
    complaints.clear();
    for (const one of rows.values()) one.complain(null);
    try {
      const answer = await api.put("settings", { changes: wanted, dryRun, revision: settings.revision });
      if (dryRun) { toast("All of it may be saved."); return; }
      settings = answer;
      changes.clear();
      show();
      toast("Saved, and in use from now on.");
      search.focus();
    } catch (error) {
      let first = null;
      const rest = [];
      for (const { field: key, message } of error.all ?? [{ message: error.message }]) {
        const one = rows.get(key);
        if (!one) { rest.push(message); continue; }
        complaints.set(key, message);
        one.complain(message);
        first ??= one;
      }
      // What is wrong is shown, also where the search had left it out.
      if (first?.element.hidden) { search.value = ""; narrow(); }
      first?.input.focus();
      for (const message of rest) failed(new Error(message));
      if (!error.all) throw error;
    }
  }

  function others() {
    return h("div", { class: "columns" },
      card("Not set on this page", h("p", { class: "soft" }, "These take a restart, or the word of whoever owns this machine: they are set in ", h("code", null, settings.file ?? "ptagent.toml"), ", the hub and the proxy also at ", h("a", { href: link("setup") }, "Hub connection"), "."),
        plainTable("Not set on this page", [
          { label: "Key", cell: (one) => [h("code", null, one.key), h("span", { class: "cell-sub" }, one.description)] },
          { label: "Value", cell: (one) => h("code", null, one.value ?? "none") },
          { label: "From", cell: (one) => [ORIGINS[one.origin] ?? one.origin, one.line ? `, line ${one.line}` : ""] },
        ], settings.fixed)),
      h("div", { class: "stack" },
        card("Credentials", h("p", { class: "soft" }, "Their secrets are shown nowhere and never sent."), plainTable("Credentials", [
          { label: "Name", cell: (one) => one.name }, { label: "Kind", cell: (one) => one.kind },
        ], settings.credentials)), passwordCard(api, session)));
  }

  show();
  live.on("settings", signal, async ({ revision }) => {
    if (revision === settings.revision || changes.size > 0) return;
    settings = await api.get("settings");
    if (!body.contains(document.activeElement)) show();
  });
  return [pageHead("Settings", { about: "ptagent.toml counts first, then this console, then the hub, then the default." }),
    h("div", { class: "table-tools", role: "search", "aria-label": "Settings" }, search), body, bar];
}

function originOf(setting) {
  const where = setting.line ? `, line ${setting.line}` : "";
  if (setting.origin === "default") return "The default";
  return `From ${ORIGINS[setting.origin] ?? setting.origin}${where}${setting.default === null || setting.default === undefined ? "" : `; default ${toEditable(setting.default, setting.form).split("\n").join(", ") || "none"}`}`;
}

function limits({ minimum, maximum }) {
  if (minimum !== null && minimum !== undefined && maximum !== null && maximum !== undefined) return `${minimum} to ${maximum}.`;
  return "";
}

/** The console's password: set, changed, taken away. */
function passwordCard(api, session) {
  const isSet = session?.passwordSet === true;
  const current = field({ name: "current", label: "Current password", type: "password", attributes: { autocomplete: "current-password", maxlength: 1024 } });
  const next = field({ name: "new", label: "New password", type: "password", hint: "10 characters or more.", attributes: { autocomplete: "new-password", maxlength: 1024 } });
  const again = field({ name: "again", label: "New password once more", type: "password", attributes: { autocomplete: "new-password", maxlength: 1024 } });
  const controller = form({
    fields: [...(isSet ? [current] : []), next, again], label: "Password",
    layout: () => [isSet && current.element, next.element, again.element, h("div", { class: "actions" },
      h("button", { type: "submit", class: "primary", value: "set" }, isSet ? "Change the password" : "Set a password"),
      isSet && h("button", { type: "submit", value: "remove" }, "Take it away"))],
    submit: async (values, button) => {
      if (button !== "remove" && values.new !== values.again) { again.complain("The two are not the same."); again.input.focus(); return; }
      await api.put("password", { ...(isSet ? { current: values.current } : {}), new: button === "remove" ? null : values.new });
      toast(button === "remove" ? "The console asks for no password any more." : isSet ? "The password is another one now. Whoever was logged in logs in again." : "The password is set: log in with it from now on.");
      if (button === "remove") { setTimeout(() => location.reload(), RELOAD_AFTER); return; }
      // Where this session has ended with the others, the shell shows the login as soon as anything is refused.
      try { await api.get("settings"); } catch (error) { if (error.status !== 401) throw error; }
    },
  });
  return card("Password of this console", h("p", { class: "soft" }, isSet ? "A login is needed." : "None is set: whoever is logged in on this machine can open the console."), controller.element);
}
