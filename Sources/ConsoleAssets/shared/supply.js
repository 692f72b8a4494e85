// Supplies as bars. A bar is as long as what was measured; what was not measured has no length, and looks like nothing that was:
//
//     exact           ████████░░░░  72 %
//     coarse          ▒▒▒▒▒▒░░░░░░  ~50 %            steps: the device knows only a few
//     some remaining  ╱╱╱╱╱╱╱╱╱╱╱╱  some remaining   hatched all over: there is some, and nobody knows how much
//     unknown         ┆    ?      ┆  unknown          an empty frame, dashed, with a question mark
//
// Of a receptacle (a waste box) the length is the room that is left.

import { h, svg } from "./dom.js";
import { icon } from "./icons.js";

/** Colours by the names of prtMarkerColorantValue, and what they are called in one letter. */
const COLOURS = {
  black: ["black", "K"], cyan: ["cyan", "C"], magenta: ["magenta", "M"], yellow: ["yellow", "Y"],
  "photo black": ["black", "PK"], photoblack: ["black", "PK"], "light cyan": ["cyan", "LC"], "light magenta": ["magenta", "LM"],
  "matte black": ["black", "MK"], gray: ["plain", "G"], grey: ["plain", "G"],
};

function colourOf(supply) {
  return COLOURS[String(supply.colorant ?? "").toLowerCase()] ?? ["plain", null];
}

/** The forms of both APIs in one: `percent` of lists, `percentRemaining` of readings. */
function level(supply) {
  const percent = supply.percent ?? supply.percentRemaining ?? null;
  const quality = supply.quality ?? "unknown";
  if (quality === "someRemaining") return { kind: "some", percent: null };
  if (percent === null || quality === "unknown") return { kind: "unknown", percent: null };
  return { kind: quality === "coarse" ? "coarse" : "exact", percent: Math.max(0, Math.min(100, Number(percent))) };
}

/** A supply's name: what the device calls it, else its colour and type, else its row. */
export function supplyName(supply) {
  return supply.name ?? supply.description ?? ([supply.colorant, supply.type].filter(Boolean).join(" ") || `supply ${supply.row}`);
}

/** What is left, in words. */
export function supplyWords(supply) {
  const { kind, percent } = level(supply);
  if (supply.remaining) return supply.remaining;
  if (kind === "some") return isReceptacle(supply) ? "some room" : "some remaining";
  if (kind === "unknown") return "unknown";
  return `${kind === "coarse" ? "~" : ""}${isReceptacle(supply) ? "room " : ""}${Math.round(percent)} %`;
}

/** Whether the level is the room that is left: prtMarkerSuppliesClass receptacleThatIsFilled. */
export function isReceptacle(supply) {
  return supply.receptacle === true || /receptacle/i.test(supply.class ?? "");
}

/**
 * A bar as wide as there is room, without its words.
 * @param {object} supply  of a list or of a reading
 */
export function supplyBar(supply) {
  const { kind, percent } = level(supply);
  const [colour] = colourOf(supply);
  return h("div", { class: `bar ${kind} ${colour}${supply.low ? " low" : ""}`, "aria-hidden": "true", vars: percent === null ? {} : { "--level": `${percent}%` } },
    kind === "unknown" ? h("span", { class: "bar-mark" }, "?") : h("span", { class: "bar-fill" }));
}

/** The supplies of a device in little room: one tube each, colour by colour, and all of it in words for who does not see them. */
export function supplyGauges(supplies, shownMax = 8) {
  if (!supplies || supplies.length === 0) return h("span", { class: "soft" }, "none told");
  const text = supplies.map((supply) => `${supplyName(supply)}: ${supplyWords(supply)}${supply.low ? ", low" : ""}`).join("; ");
  const rest = supplies.length - shownMax;
  return h("span", { class: "gauges", role: "img", "aria-label": text, title: text },
    supplies.slice(0, shownMax).map(gauge), rest > 0 && h("span", { class: "gauge-more" }, `+${rest}`));
}

const TUBE = { width: 9, height: 20 };

function gauge(supply) {
  const { kind, percent } = level(supply);
  const [colour, letter] = colourOf(supply);
  const inner = TUBE.height - 2;
  const height = percent === null ? inner : Math.max(percent > 0 ? 1.5 : 0, (inner * percent) / 100);
  return svg("svg", { class: `gauge ${kind} ${colour}${supply.low ? " low" : ""}`, viewBox: `0 0 ${TUBE.width + 3} 32`, width: TUBE.width + 3, height: 32 },
    svg("rect", { class: "tube", x: 1.5, y: 1.5, width: TUBE.width, height: TUBE.height, rx: 2 }),
    kind === "unknown"
      ? svg("text", { class: "gauge-unknown", x: 6, y: 15, "text-anchor": "middle" }, "?")
      : svg("rect", { class: "fill", x: 2.5, y: 2.5 + inner - height, width: TUBE.width - 2, height, rx: 1 }),
    kind === "some" && svg("path", { class: "hatch", d: "M3 9l6-6M3 15l6-6M3 21l6-6" }),
    kind === "coarse" && svg("path", { class: "hatch", d: "M2.500 8.500h7M2.500 13h7M2.500 17.500h7" }),
    svg("text", { class: "gauge-letter", x: 6, y: 30, "text-anchor": "middle" }, letter ?? (isReceptacle(supply) ? "W" : "\u00b7")),
    supply.low && svg("circle", { class: "gauge-low", cx: 10, cy: 3, r: 2 }));
}

/** The word "low" with its sign. */
export function lowMark(supply) {
  return supply.low ? h("span", { class: "pill warn small" }, icon("warn"), h("span", null, isReceptacle(supply) ? "nearly full" : "low")) : null;
}
