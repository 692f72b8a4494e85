// What state something was in over a stretch of time, as a strip of pieces; each has a pattern of its own, and the list below says the same.

import { h, svg } from "./dom.js";
import { duration, timeText } from "./format.js";
import { toneOf } from "./pill.js";

const WIDTH = 1000;
const HEIGHT = 22;

/**
 * @param {string} label
 * @param {Array<{state: string, text: string, from: number, to: number}>} pieces  milliseconds since 1970, in the order of time
 */
export function strip(label, pieces) {
  if (pieces.length === 0) return null;
  const from = pieces[0].from;
  const span = Math.max(1, pieces.at(-1).to - from);
  const described = pieces.map((piece) => `${piece.text} from ${timeText(piece.from, { always: true })} for ${duration(piece.to - piece.from)}`);
  return h("figure", { class: "strip" },
    svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${label}: ${described.slice(-12).join("; ")}` },
      pieces.map((piece, index) => {
        const x = (WIDTH * (piece.from - from)) / span;
        const width = Math.max(2, (WIDTH * (piece.to - piece.from)) / span);
        const tone = toneOf(piece.state);
        return svg("g", { class: `piece ${tone}` }, svg("title", null, described[index]),
          svg("rect", { x, y: 0, width, height: HEIGHT }),
          tone === "bad" && svg("rect", { class: "piece-mark", x, y: HEIGHT - 6, width, height: 6 }),
          tone === "warn" && svg("rect", { class: "piece-mark", x, y: HEIGHT / 2 - 2, width, height: 4 }));
      })),
    h("figcaption", { class: "strip-ends soft" }, h("span", null, timeText(from, { always: true })), h("span", null, "now")));
}
