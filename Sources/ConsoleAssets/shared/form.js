// Forms: labels, hints, and errors where they belong. What is wrong is found by the server, which has the last word; its `field` says where it
// is shown.

import { fill, h, uniqueId } from "./dom.js";
import { icon } from "./icons.js";
import { Ended } from "./api.js";

/**
 * A labelled input.
 * @param {object} options
 * @param {string} options.name  as the server calls it in `field`
 * @param {string} options.label
 * @param {string} [options.hint]
 * @param {string} [options.type]  of the input; "select" with `options`, "textarea", "checkbox"
 * @param {Array<[string, string]>} [options.options]
 * @param {object} [options.attributes]  of the input
 * @param {string|boolean} [options.value]
 */
export function field({ name, label, hint = null, type = "text", options = [], attributes = {}, value = "" }) {
  const id = uniqueId("field");
  const hintId = hint ? `${id}-hint` : null;
  const errorId = `${id}-error`;
  const common = { id, name, "aria-describedby": [hintId, errorId].filter(Boolean).join(" "), ...attributes };
  let input;
  if (type === "select") {
    input = h("select", common, options.map(([key, text]) => h("option", { value: key }, text)));
    input.value = value;
  } else if (type === "textarea") {
    input = h("textarea", { rows: 3, ...common, props: { value } });
  } else if (type === "checkbox") {
    input = h("input", { type, ...common, props: { checked: Boolean(value) } });
  } else {
    input = h("input", { type, autocomplete: "off", spellcheck: "false", autocapitalize: "off", ...common, props: { value } });
  }
  const error = h("p", { class: "field-error", id: errorId });
  const element = h("div", { class: `field ${type}` },
    type === "checkbox" ? h("label", { for: id }, input, h("span", null, label)) : [h("label", { for: id }, label), input],
    hint && h("p", { class: "hint", id: hintId }, hint), error);
  return {
    element, input, name,
    get value() { return type === "checkbox" ? input.checked : input.value; },
    set value(next) { if (type === "checkbox") input.checked = Boolean(next); else input.value = next ?? ""; },
    /** Says what is wrong with it; null takes that back. */
    complain(message) {
      fill(error, message && [icon("warn"), " ", message]);
      input.setAttribute("aria-invalid", message ? "true" : "false");
      element.classList.toggle("invalid", Boolean(message));
    },
  };
}

/**
 * A form of fields.
 * @param {object} options
 * @param {object[]} options.fields  of `field`
 * @param {(form: object) => Node[]} options.layout  where they stand
 * @param {(values: object, button: string|null) => Promise<void>} options.submit  throws what the server said
 */
export function form({ fields, layout, submit, label = null }) {
  const problem = h("div", { class: "form-error", role: "alert" });
  const byName = new Map(fields.map((one) => [one.name, one]));
  const element = h("form", { novalidate: true, "aria-label": label });
  const controller = {
    element, problem,
    get values() { return Object.fromEntries(fields.map((one) => [one.name, one.value])); },
    clear() {
      for (const one of fields) one.complain(null);
      fill(problem);
    },
    /** Shows what the server refused: at its fields, and what belongs to none above them. The first field gets the focus. */
    show(error) {
      if (error instanceof Ended) return;
      const rest = [];
      let first = null;
      for (const { field: name, message } of error.all ?? [{ message: error.message }]) {
        const one = byName.get(name);
        // It stands at the field, whose label says of what it is said.
        if (one) { one.complain(message.replace(/^[a-z][\w.]*: found /i, "Found ")); first ??= one; } else rest.push(message);
      }
      fill(problem, rest.map((message) => h("p", null, icon("warn"), " ", message)));
      first?.input.focus();
    },
  };
  fill(element, layout(controller), problem);
  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    controller.clear();
    const button = event.submitter;
    await busy(button, async () => {
      try { await submit(controller.values, button?.value || null); } catch (error) {
        if (!(error instanceof Error) || error.name === "TypeError") throw error;
        controller.show(error);
      }
    });
  });
  return controller;
}

/** Keeps a button from being pressed twice while something is under way, and says so. */
export async function busy(button, action) {
  if (!button) return action();
  if (button.getAttribute("aria-disabled") === "true") return undefined;
  button.setAttribute("aria-disabled", "true");
  button.classList.add("busy");
  try { return await action(); } finally {
    button.removeAttribute("aria-disabled");
    button.classList.remove("busy");
  }
}

/** A button that does something that takes a while; what goes wrong is the action's to show. */
export function actionButton(content, action, properties = {}) {
  const button = h("button", { type: "button", ...properties, on: { click: () => busy(button, () => action(button)) } }, content);
  return button;
}
