// A value that can show where it comes from: the object it was read from, what that held, the rule that gave it its meaning, its quality, and
// when it was read. Pressing it opens a small sheet with these, and Escape or a press beside it closes that.

import { fill, h, uniqueId } from "./dom.js";
import { time, unknown, words } from "./format.js";
import { icon } from "./icons.js";

/** What a quality means, in a sentence. */
const QUALITIES = {
  exact: "exact: as the device counts it",
  coarse: "coarse: the device knows only a few steps",
  someRemaining: "some remaining: there is some, and the device does not know how much",
  unknown: "unknown: the device does not know, or told nothing that has a meaning",
};

let sheet = null;
let opener = null;

function theSheet() {
  if (sheet) return sheet;
  sheet = h("div", { class: "sheet", popover: "auto", id: uniqueId("sheet"), tabindex: "-1", role: "dialog", "aria-label": "Where this value comes from" });
  sheet.addEventListener("toggle", (event) => {
    if (event.newState === "closed") {
      opener?.setAttribute("aria-expanded", "false");
      if (sheet.contains(document.activeElement) || document.activeElement === document.body) opener?.focus({ preventScroll: true });
      opener = null;
    }
  });
  addEventListener("hashchange", () => { if (sheet.matches(":popover-open")) sheet.hidePopover(); });
  addEventListener("resize", () => { if (sheet.matches(":popover-open")) sheet.hidePopover(); });
  return document.body.appendChild(sheet);
}

/** Beside what was pressed, and inside the window. */
function placeSheet(anchor) {
  const box = anchor.getBoundingClientRect();
  const width = sheet.offsetWidth;
  const height = sheet.offsetHeight;
  const gap = 6;
  const left = Math.max(8, Math.min(box.left, innerWidth - width - 8));
  const isBelow = box.bottom + gap + height < innerHeight || box.top < height + gap;
  const top = isBelow ? Math.min(box.bottom + gap, Math.max(8, innerHeight - height - 8)) : box.top - height - gap;
  sheet.style.setProperty("--left", `${left}px`);
  sheet.style.setProperty("--top", `${top}px`);
}

/**
 * @param {Node|string|null} shown  what stands there; null is the word "unknown"
 * @param {object|null} source  `oid` or `attribute`, `raw`, `unit`, `rule`, `quality`, `reason`, `time` (when it was read), `label`
 *   (what the value is); null: nothing is known of where it comes from, and there is nothing to press
 * @param {() => Promise<Node[]>} [more]  what else can be asked for, when the sheet opens
 */
export function value(shown, source, more = null) {
  const content = shown ?? unknown();
  const isMarked = (typeof content === "string" ? content : content.textContent ?? "").startsWith("~");
  const mark = source?.quality === "coarse" && !isMarked ? h("span", { class: "quality", title: QUALITIES.coarse }, "~") : null;
  if (!source) return h("span", { class: "value" }, mark, content);
  const button = h("button", { type: "button", class: "value", "aria-haspopup": "dialog", "aria-expanded": "false",
    title: "Where this value comes from" }, mark, content);
  button.addEventListener("click", () => open(button, source, more));
  return button;
}

function open(button, source, more) {
  const isAgain = opener === button;
  const element = theSheet();
  if (element.matches(":popover-open")) element.hidePopover();
  if (isAgain) return;
  opener = button;
  fill(element, h("div", { class: "sheet-head" }, h("h2", null, source.label ?? "Where this value comes from"),
    h("button", { type: "button", class: "quiet small", "aria-label": "Close", on: { click: () => element.hidePopover() } }, icon("close"))),
    provenance(source));
  element.showPopover();
  button.setAttribute("aria-expanded", "true");
  placeSheet(button);
  element.focus({ preventScroll: true });
  if (!more) return;
  const extra = h("div", { class: "sheet-more", "aria-live": "polite" }, h("p", { class: "soft" }, "Looking it up in the journal \u2026"));
  element.append(extra);
  more().then((nodes) => fill(extra, nodes), (error) => fill(extra, h("p", { class: "soft" }, error.message)))
    .finally(() => { if (opener === button) placeSheet(button); });
}

/** The proof of a value as a list of terms. */
export function provenance(source) {
  const rows = [
    ["Object", source.oid && code(source.oid)],
    ["Attribute", source.attribute && code(source.attribute)],
    ["Raw", source.raw !== null && source.raw !== undefined && code(source.raw)],
    ["Unit", source.unit && words(source.unit)],
    ["Rule", source.rule && code(source.rule)],
    ["Reason", source.reason],
    ["Quality", source.quality && (QUALITIES[source.quality] ?? words(source.quality))],
    ["Read", source.time && time(source.time, { always: true, seconds: true })],
  ].filter(([, content]) => content);
  return terms(rows);
}

/** A list of terms and what they stand for; rows whose content is null are left out. */
export function terms(rows, className = "terms") {
  return h("dl", { class: className }, rows.filter(([, content]) => content !== null && content !== undefined && content !== false)
    .map(([term, content]) => h("div", null, h("dt", null, term), h("dd", null, content))));
}

/** Text as a machine has it. */
export function code(text) { return h("code", null, text); }
