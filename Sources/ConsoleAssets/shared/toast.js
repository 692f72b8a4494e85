// A sentence that comes and goes: what an action led to. Errors stay until they are sent away.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { Ended } from "./api.js";

/** Long enough to read a sentence twice (WCAG 2.2, 2.2.1: pointing at it keeps it). */
const SHOWN_FOR = 8000;
const SHOWN_MAX = 4;

let region = null;

function place() {
  region ??= document.body.appendChild(h("div", { class: "toasts", role: "status", "aria-live": "polite" }));
  return region;
}

/**
 * @param {string} text
 * @param {"good"|"bad"|"busy"} tone
 */
export function toast(text, tone = "good") {
  const close = h("button", { type: "button", class: "quiet small", "aria-label": "Close", on: { click: () => box.remove() } }, icon("close"));
  const box = h("div", { class: `toast ${tone}` }, icon(tone === "bad" ? "warn" : tone === "busy" ? "clock" : "check"), h("p", null, text), close);
  place().append(box);
  while (region.children.length > SHOWN_MAX) region.firstElementChild.remove();
  if (tone === "bad") return;
  let timer = setTimeout(() => box.remove(), SHOWN_FOR);
  box.addEventListener("pointerenter", () => clearTimeout(timer));
  box.addEventListener("pointerleave", () => { timer = setTimeout(() => box.remove(), SHOWN_FOR); });
}

/** Says what went wrong with an action. An action of a page that is gone says nothing. */
export function failed(error) {
  if (error instanceof Ended) return;
  toast(error.message, "bad");
}
