// How a device's meters and supplies came to be what they are.

import { fill, h, refill } from "/shared/dom.js";
import { title, words } from "/shared/format.js";
import { card } from "/shared/shell.js";
import { lineChart } from "/shared/chart.js";
import { icon } from "/shared/icons.js";
import { familyOf, inOrder, meterName } from "/shared/meters.js";

const SPANS = [["1", "1 day"], ["7", "7 days"], ["30", "30 days"], ["365", "1 year"], ["", "All"]];
const DAY = 86_400_000;
/** Lines in one drawing; more cannot be told apart. */
const LINES_MAX = 4;

export async function historyPart({ api, id, query, setQuery, live, signal }) {
  const element = h("div", { class: "stack" });
  const place = h("div", { class: "stack" });
  let shown = null;
  let days = SPANS.some(([value]) => value === query.days) ? query.days : "";
  const select = h("select", { "aria-label": "Time shown", on: { change: () => { days = select.value; setQuery({ tab: "history", days }); refresh(); } } },
    SPANS.map(([value, text]) => h("option", { value }, text)));
  select.value = days;

  async function refresh() {
    const from = days ? new Date(Date.now() - Number(days) * DAY).toISOString() : null;
    const history = await api.get(`devices/${encodeURIComponent(id)}/history`, { from, points: 300 });
    const text = JSON.stringify(history.meters) + JSON.stringify(history.supplies);
    if (text === shown) return;
    shown = text;
    refill(place, content(history));
  }

  await refresh();
  live.refresh(["device"], signal, refresh, { after: 5000, isMine: (data) => data.id === id });
  fill(element, h("div", { class: "actions" }, h("label", { class: "filter" }, h("span", null, "Time shown"), select)), place);
  return { element };
}

function content(history) {
  const meters = inOrder(history.meters).filter((meter) => meter.points.length > 0);
  return [
    !history.complete && h("div", { class: "note mute" }, icon("info"), h("p", null, "Older records were removed by retention: the hub has them.")),
    meters.length === 0 && card("Meters", h("p", { class: "soft" }, "No meter was read in this time.")),
    groups(meters).map((group) => card(group.heading, lineChart({
      label: group.heading, whole: true,
      series: group.meters.map((meter) => ({ name: title(meterName(meter.name)), points: meter.points })),
      marks: group.meters.flatMap((meter) => (meter.epochs ?? []).map((epoch) => ({ time: epoch.time, text: `${title(meterName(meter.name))}: epoch ${epoch.number}, ${words(epoch.cause)}` }))),
    }))),
    supplies(history.supplies.filter((supply) => supply.points.length > 0)),
  ];
}

/** The total alone, because its scale is its own; the other meters of one family in one drawing: `total.monochrome`, `total.fullColor`. */
function groups(meters) {
  const families = new Map();
  for (const meter of meters) {
    const family = `${meter.name === "total" ? "" : familyOf(meter.name)} ${meter.unit}`;
    if (!families.has(family)) families.set(family, []);
    families.get(family).push(meter);
  }
  return [...families.values()].flatMap((family) => {
    const parts = [];
    for (let first = 0; first < family.length; first += LINES_MAX) {
      const part = family.slice(first, first + LINES_MAX);
      const name = part.length === 1 ? title(meterName(part[0].name)) : part[0].name.startsWith("total") ? "Parts of the total" : title(familyOf(part[0].name));
      parts.push({ heading: `${name}${first > 0 && part.length > 1 ? ", continued" : ""}, ${words(part[0].unit)}`, meters: part });
    }
    return parts;
  });
}

function supplies(all) {
  const parts = [];
  for (let first = 0; first < all.length; first += LINES_MAX) {
    const part = all.slice(first, first + LINES_MAX);
    parts.push(card(first === 0 ? "Supplies, percent left" : "Supplies, continued", lineChart({
      label: "Supplies, percent left", min: 0, max: 100, format: (value) => `${Math.round(value)} %`,
      series: part.map((supply) => ({ name: supply.name ?? `supply ${supply.row}`, points: supply.points.map((point) => ({ time: point.time, value: point.percent })) })),
      marks: part.flatMap((supply) => (supply.replaced ?? []).map((time) => ({ time, text: `${supply.name ?? supply.row} replaced` }))),
    })));
  }
  return parts;
}
