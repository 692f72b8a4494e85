// Lines over time, in SVG. A value that was unknown breaks its line, and so does a new meter epoch: across those nothing may be read off.
// Lines are told apart by dashes and marks as well as by colour. Keys: the chart takes the focus, arrows move along the readings, and each is
// read out; below it stands the same as a table.

import { fill, h, svg } from "./dom.js";
import { grouped, timeText, utc } from "./format.js";
import { plainTable } from "./table.js";

const HEIGHT = 220;
const MARGIN = { top: 12, right: 14, bottom: 26, left: 62 };
/** A chart narrower than this shows nothing. */
const WIDTH_MIN = 240;
/** Rows of the table below; the chart shows them all. */
const TABLE_ROWS_MAX = 200;
/** With more points than this, marks would run together. */
const MARKS_MAX = 60;
const DAY = 86_400_000;

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {Array<{time: string|number, value: number|null, epoch?: number}>} points  in the order of time
 *
 * @param {object} options
 * @param {string} options.label  what is shown
 * @param {Series[]} options.series  at most four
 * @param {(value: number) => string} [options.format]
 * @param {number} [options.min]  the lower end of the scale; without it the least value
 * @param {number} [options.max]
 * @param {boolean} [options.whole]  whether values are counts: the scale has no half ones
 * @param {Array<{time: string|number, text: string}>} [options.marks]  what happened: a replacement, a new epoch
 * @param {boolean} [options.table]  whether the values stand below as a table
 */
export function lineChart({ label, series, format = (value) => grouped(value, 1), min = null, max = null, whole = false, marks = [], table = true }) {
  const lines = series.slice(0, 4).map((one, index) => ({
    ...one, index, points: one.points.map((point) => ({ ...point, at: new Date(point.time).getTime() })).filter((point) => !Number.isNaN(point.at)),
  }));
  const events = marks.map((mark) => ({ ...mark, at: new Date(mark.time).getTime() }));
  const times = [...new Set(lines.flatMap((line) => line.points.map((point) => point.at)))].sort((a, b) => a - b);
  const known = lines.flatMap((line) => line.points.map((point) => point.value)).filter((value) => value !== null && value !== undefined).map(Number);
  if (known.length === 0) return h("p", { class: "soft empty" }, "There is no reading to draw yet.");

  const scale = scales(times, known, min, max, whole);
  const drawing = svg("svg", { class: "chart-drawing", role: "img", "aria-label": summary(label, lines, format) });
  const readout = h("div", { class: "chart-readout", "aria-hidden": "true", hidden: true });
  const cursor = h("div", { class: "chart-cursor", role: "slider", tabindex: "0", "aria-label": `${label}: reading`, "aria-valuemin": "0",
    "aria-valuemax": String(times.length - 1), "aria-valuenow": String(times.length - 1), "aria-valuetext": words(times.length - 1) });
  let at = null;
  let width = 0;
  let hair = null;

  function linesAt(index) {
    const moment = times[index];
    const values = lines.map((line) => {
      const point = line.points.find((one) => one.at === moment);
      return point ? `${line.name} ${point.value === null ? "unknown" : format(Number(point.value))}` : null;
    }).filter(Boolean);
    const happened = events.filter((event) => event.at === moment).map((event) => event.text);
    return [timeText(moment, { always: true, seconds: true }), ...values, ...happened];
  }

  function words(index) { return linesAt(index).join(", "); }

  function draw() {
    const { x, y } = scale.of(width);
    drawing.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    drawing.setAttribute("width", width);
    drawing.setAttribute("height", HEIGHT);
    fill(drawing, axes(scale, x, y, width, format), events.map((event) => eventMark(event, x, width)),
      lines.map((line) => drawLine(line, x, y)));
    hair = drawing.appendChild(svg("g", { class: "hair" }));
    point(at);
  }

  function point(index) {
    at = index;
    if (!hair) return;
    readout.hidden = index === null;
    if (index === null) { fill(hair); return; }
    const { x, y } = scale.of(width);
    const moment = times[index];
    fill(hair, svg("line", { x1: x(moment), x2: x(moment), y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom }), lines.map((line) => {
      const found = line.points.find((one) => one.at === moment);
      return found && found.value !== null ? svg("circle", { class: `dot series-${line.index + 1}`, cx: x(moment), cy: y(Number(found.value)), r: 4 }) : null;
    }));
    fill(readout, linesAt(index).map((line) => h("div", null, line)));
    // Beside the hair, on the side where there is more room; over the drawing, so that nothing moves.
    const isLate = x(moment) > width / 2;
    readout.style.setProperty("--from-left", isLate ? "auto" : `${x(moment) + 10}px`);
    readout.style.setProperty("--from-right", isLate ? `${width - x(moment) + 10}px` : "auto");
    cursor.setAttribute("aria-valuenow", String(index));
    cursor.setAttribute("aria-valuetext", words(index));
  }

  cursor.addEventListener("pointermove", (event) => {
    const wanted = scale.timeAt(event.clientX - cursor.getBoundingClientRect().left, width);
    point(nearest(times, wanted));
  });
  cursor.addEventListener("pointerleave", () => { if (document.activeElement !== cursor) point(null); });
  cursor.addEventListener("focus", () => { if (at === null) point(times.length - 1); });
  cursor.addEventListener("blur", () => point(null));
  cursor.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: -10, PageDown: 10, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    point(Math.max(0, Math.min(times.length - 1, (at ?? times.length - 1) + step)));
  });

  const stage = h("div", { class: "chart-stage" }, drawing, readout, cursor);
  // A page that is gone lets its observer go with it: nothing else refers to the stage.
  new ResizeObserver(([entry]) => {
    const next = Math.max(WIDTH_MIN, Math.floor(entry.contentRect.width));
    if (next === width) return;
    width = next;
    draw();
  }).observe(stage);

  return h("figure", { class: "chart" },
    h("figcaption", null, lines.length > 1 ? legend(lines) : h("span", { class: "visually-hidden" }, label)), stage,
    table && h("details", null, h("summary", null, "As a table"), valueTable(label, lines, times, events, format)));
}

function scales(times, known, min, max, whole) {
  let low = min ?? Math.min(...known);
  let high = max ?? Math.max(...known);
  if (low === high) { low = min ?? low - 1; high = max ?? high + 1; }
  const ticks = niceTicks(low, high, 5, whole);
  if (min === null) low = Math.min(low, ticks[0]);
  if (max === null) high = Math.max(high, ticks.at(-1));
  const first = times[0];
  const last = times.at(-1) === first ? first + 1 : times.at(-1);
  return {
    ticks, first, last, low, high,
    of(width) {
      const inner = width - MARGIN.left - MARGIN.right;
      const height = HEIGHT - MARGIN.top - MARGIN.bottom;
      return {
        x: (time) => MARGIN.left + (inner * (time - first)) / (last - first),
        y: (value) => MARGIN.top + height - (height * (value - low)) / (high - low),
      };
    },
    timeAt: (position, width) => first + ((position - MARGIN.left) / (width - MARGIN.left - MARGIN.right)) * (last - first),
  };
}

/** Round numbers from low to high, about so many. */
export function niceTicks(low, high, count, whole = false) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const nice = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const step = whole ? Math.max(1, nice) : nice;
  const ticks = [];
  for (let tick = Math.floor(low / step) * step; tick <= high + step * 0.999; tick += step) {
    ticks.push(Number(tick.toPrecision(12)));
    if (tick >= high) break;
  }
  return ticks;
}

function axes(scale, x, y, width, format) {
  const shown = scale.ticks.filter((tick) => tick >= scale.low && tick <= scale.high);
  const span = scale.last - scale.first;
  // Of one moment there is one time to tell.
  const count = span <= 1 ? 1 : Math.max(2, Math.min(6, Math.floor((width - MARGIN.left) / 110)));
  const times = Array.from({ length: count }, (_, index) => scale.first + (count === 1 ? 0 : (span * index) / (count - 1)));
  return svg("g", { class: "axes" },
    shown.map((tick) => [
      svg("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(tick), y2: y(tick) }),
      svg("text", { x: MARGIN.left - 8, y: y(tick) + 4, "text-anchor": "end" }, format(tick)),
    ]),
    times.map((time, index) => svg("text", { x: x(time), y: HEIGHT - 8,
      "text-anchor": index === 0 ? "start" : index === count - 1 ? "end" : "middle" }, axisTime(time, span))));
}

function axisTime(time, span) {
  const text = timeText(time, { always: true, seconds: true });
  if (span > 3 * DAY) return text.slice(0, 10);
  return span > 600_000 ? text.slice(11, 16) : text.slice(11);
}

function eventMark(event, x, width) {
  const position = x(event.at);
  if (position < MARGIN.left - 1 || position > width - MARGIN.right + 1) return null;
  return svg("g", { class: "event" }, svg("title", null, `${event.text}, ${timeText(event.at, { always: true })} (${utc(new Date(event.at))})`),
    svg("line", { x1: position, x2: position, y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom }),
    svg("path", { d: `M${position - 4} ${MARGIN.top - 8}h8l-4 7z` }));
}

function drawLine(line, x, y) {
  const parts = [];
  let part = [];
  let epoch = null;
  for (const point of line.points) {
    const isBreak = point.value === null || point.value === undefined || (epoch !== null && point.epoch !== undefined && point.epoch !== epoch);
    if (isBreak && part.length > 0) { parts.push(part); part = []; }
    epoch = point.epoch ?? epoch;
    if (point.value !== null && point.value !== undefined) part.push(point);
  }
  if (part.length > 0) parts.push(part);
  const withMarks = line.points.length <= MARKS_MAX;
  return svg("g", { class: `line series-${line.index + 1}` }, parts.map((points) => [
    points.length > 1 && svg("path", { d: points.map((point, index) => `${index ? "L" : "M"}${x(point.at).toFixed(1)} ${y(Number(point.value)).toFixed(1)}`).join("") }),
    (withMarks || points.length === 1) && points.map((point) => mark(line.index, x(point.at), y(Number(point.value)))),
  ]));
}

/** Each line has a shape of its own. */
function mark(index, x, y) {
  const place = { class: "mark", transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` };
  if (index === 1) return svg("rect", { ...place, x: -2.5, y: -2.5, width: 5, height: 5 });
  if (index === 2) return svg("path", { ...place, d: "M0-3.500 3.200 2.500h-6.400z" });
  if (index === 3) return svg("path", { ...place, d: "M0-3.500 3.500 0 0 3.500-3.500 0z" });
  return svg("circle", { ...place, r: 2.5 });
}

function legend(lines) {
  return h("ul", { class: "legend" }, lines.map((line) => h("li", null,
    svg("svg", { viewBox: "0 0 26 10", width: 26, height: 10, "aria-hidden": "true" },
      svg("g", { class: `line series-${line.index + 1}` }, svg("path", { d: "M1 5h24" }), mark(line.index, 13, 5))), line.name)));
}

function nearest(times, wanted) {
  let best = 0;
  for (let index = 1; index < times.length; index += 1) if (Math.abs(times[index] - wanted) < Math.abs(times[best] - wanted)) best = index;
  return best;
}

function summary(label, lines, format) {
  return `${label}. ` + lines.map((line) => {
    const known = line.points.filter((point) => point.value !== null && point.value !== undefined);
    if (known.length === 0) return `${line.name}: unknown`;
    const [first, last] = [known[0], known.at(-1)];
    return `${line.name}: from ${format(Number(first.value))} at ${timeText(first.at, { always: true })} to ${format(Number(last.value))} at ${timeText(last.at, { always: true })}`;
  }).join("; ");
}

function valueTable(label, lines, times, events, format) {
  const rows = [...times].reverse().slice(0, TABLE_ROWS_MAX);
  const cellOf = (line) => (moment) => {
    const point = line.points.find((one) => one.at === moment);
    if (!point) return "";
    return point.value === null ? h("span", { class: "unknown" }, "unknown") : format(Number(point.value));
  };
  const columns = [{ label: "Time", cell: (moment) => timeText(moment, { always: true, seconds: true }) },
    ...lines.map((line) => ({ label: line.name, number: true, cell: cellOf(line) }))];
  if (events.length > 0) columns.push({ label: "What happened", cell: (moment) => events.filter((event) => event.at === moment).map((event) => event.text).join(", ") });
  return h("div", { class: "chart-table" }, plainTable(label, columns, rows),
    times.length > rows.length && h("p", { class: "soft" }, `The newest ${rows.length} of ${times.length} readings.`));
}
