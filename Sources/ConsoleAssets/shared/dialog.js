// Dialogs, by the browser's own element: it keeps the focus inside, gives it back at the end, and Escape closes it.

import { h, uniqueId } from "./dom.js";
import { icon } from "./icons.js";

/**
 * Opens a dialog.
 * @param {string} heading
 * @param {(close: (result?: *) => void) => Node[]} content  what is in it; `close` ends it
 * @returns {Promise<*>}  the result; undefined when it was sent away
 */
export function dialog(heading, content, { wide = false } = {}) {
  return new Promise((resolve) => {
    const id = uniqueId("dialog");
    let result;
    const close = (value) => { result = value; element.close(); };
    const element = h("dialog", { "aria-labelledby": id, class: wide ? "wide" : null },
      h("div", { class: "dialog-head" }, h("h2", { id }, heading),
        h("button", { type: "button", class: "quiet", "aria-label": "Close", on: { click: () => close() } }, icon("close"))),
      h("div", { class: "dialog-body" }, content((value) => close(value))));
    element.addEventListener("close", () => { element.remove(); resolve(result); });
    // A click beside it.
    element.addEventListener("click", (event) => { if (event.target === element) close(); });
    // A page that ends takes its dialogs along.
    addEventListener("hashchange", () => close(), { once: true });
    document.body.append(element);
    element.showModal();
    // Whoever opened it came for what is in it.
    element.querySelector(".dialog-body :is(input, select, textarea)")?.focus();
  });
}

/**
 * Asks before something is done that is not easily undone.
 * @param {string} heading  a question
 * @param {string} text  what will happen
 * @param {string} action  the button's verb
 * @returns {Promise<boolean>}
 */
export async function confirm(heading, text, action, { danger = false } = {}) {
  const answer = await dialog(heading, (close) => [
    h("p", null, text),
    h("div", { class: "actions" },
      h("button", { type: "button", on: { click: () => close(false) } }, "Cancel"),
      h("button", { type: "button", class: danger ? "danger" : "primary", on: { click: () => close(true) } }, action)),
  ]);
  return answer === true;
}
