// What a device reads now. Each value can show where it comes from: meters have that beside them, the rest is asked for when somebody wants to
// know, because it takes a walk over the journal.

import { fill, h } from "/shared/dom.js";
import { ago, counted, grouped, number, title, unknown, words } from "/shared/format.js";
import { card } from "/shared/shell.js";
import { icon } from "/shared/icons.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { plainTable } from "/shared/table.js";
import { lowMark, supplyBar, supplyName, supplyWords } from "/shared/supply.js";
import { provenance, terms, value } from "/shared/value.js";
import { inOrder, meterName } from "/shared/meters.js";
import { placeOf } from "/app/names.js";
import { identityCard } from "/app/pages/device.js";

export async function readingPart({ api, signal, id, device }) {
  const element = h("div", { class: "stack" });
  const supplyPlace = h("div");
  const path = `devices/${encodeURIComponent(id)}`;
  let sources = null;
  let forecasts = new Map();
  let confidence = null;
  let current = device;

  /** Where a value of a group or a row comes from; asked for once for each reading. */
  async function sourcesOf(group, row, name) {
    sources ??= api.get(`${path}/provenance`);
    let answer;
    try { answer = await sources; } catch (error) { sources = null; throw error; }
    if (!answer.reading) return [h("p", { class: "soft" }, answer.reason ?? "The raw objects are not in the journal any more.")];
    const part = row === null ? answer.reading[group] : (answer.reading[group] ?? []).find((one) => one.row === row);
    const found = (part?.sources ?? []).filter((source) => name === null || source.value === name || source.value.startsWith(`${name}`));
    if (found.length === 0) return [h("p", { class: "soft" }, "The journal names no object for this value.")];
    return found.map((source) => h("div", null, h("h3", null, words(source.value)), provenance(source)));
  }

  function valueOf(shown, group, row, name, label, more = {}) {
    return value(shown, { label, time: current.lastRead, ...more }, () => sourcesOf(group, row, name));
  }

  function show() {
    const reading = current.reading;
    if (!reading) {
      fill(element, card("Nothing was read yet", h("p", { class: "soft" }, current.failure?.message ?? "The first reading is still to come.")), identityCard(current, valueOf));
      return;
    }
    fill(supplyPlace, supplies(reading));
    fill(element, h("div", { class: "columns wide-first" },
      h("div", { class: "stack" }, (current.alerts ?? []).length > 0 && alerts(), supplyPlace, meters(reading), trays(reading)),
      h("div", { class: "stack" }, status(reading), identityCard(current, valueOf), checks(reading))));
  }

  function meters(reading) {
    const offsets = new Map((current.meterOffsets ?? []).map((offset) => [offset.meter, offset]));
    const columns = [
      { label: "Meter", cell: (meter) => [title(meterName(meter.name)), epochNote(meter.name)] },
      { label: "Value", number: true, cell: (meter) => value(meter.value === null ? unknown(meter.quality === "someRemaining" ? "some" : "unknown") : number(meter.value),
        { ...meter, label: title(meterName(meter.name)), time: current.lastRead }, () => why(meter.name)) },
      { label: "Unit", cell: (meter) => words(meter.unit) },
    ];
    if (offsets.size > 0) {
      columns.splice(2, 0, { label: "With offset", number: true, cell: (meter) => {
        const offset = offsets.get(meter.name);
        return offset && h("span", { title: `${offset.reason}, ${grouped(offset.offset)}` }, number(offset.adjusted));
      } });
    }
    return card("Meters", plainTable("Meters", columns, inOrder(reading.meters), { empty: "The device tells no meter." }));
  }

  function epochNote(name) {
    const epochs = (current.meterEpochs ?? []).filter((epoch) => epoch.meter === name);
    const last = epochs.at(-1);
    return last && h("span", { class: "cell-sub" }, `epoch ${last.epoch}: ${words(last.cause)}, `, ago(last.since));
  }

  /** The chain behind a number. */
  async function why(name) {
    const chain = await api.get(`${path}/meters/${encodeURIComponent(name)}/why`);
    const { record, acknowledgement, checkpoint, before } = chain;
    const countersigners = checkpoint?.countersigners ?? [];
    return [h("h3", null, "In the journal"), terms([
      ["Record", record && h("a", { href: link("journal", record.epoch, record.sequence) }, `${record.epoch}/${record.sequence}`)],
      ["Confirmed", chain.confirmations === undefined ? null : counted(chain.confirmations, "time")],
      ["Hash", chain.leafHash && h("code", { title: chain.leafHash }, `${chain.leafHash.slice(0, 16)}\u2026`)],
      ["Bytes", chain.intact === undefined ? null : chain.intact ? "are those of the hash" : "are not those of the hash"],
      ["Checkpoint", checkpoint ? `over ${counted(checkpoint.size, "record")}, ${checkpoint.fault ?? "sound"}` : "none yet"],
      ["Countersigned", countersigners.length > 0 ? countersigners.join(", ") : "by nobody yet"],
      ["Hub", acknowledgement?.state && words(acknowledgement.state)],
      ["Before", before && [number(before.meter?.value), before.volumeSince === undefined ? null : `, ${grouped(before.volumeSince)} since`]],
    ])];
  }

  function supplies(reading) {
    const rows = reading.supplies.map((supply) => ({ ...supply, ...forecasts.get(supply.row) }));
    return card("Supplies", plainTable("Supplies", [
      { label: "Supply", cell: (supply) => [supplyName(supply), h("span", { class: "cell-sub" },
        [supply.type && words(supply.type), supply.partNumber, supply.serialNumber && `serial ${supply.serialNumber}`].filter(Boolean).join(", ") || null)] },
      { label: "Level", class: "level", cell: supplyBar },
      { label: "Left", class: "nowrap", cell: (supply) => [valueOf(supplyWords(supply), "supplies", supply.row, null, supplyName(supply),
        { quality: supply.quality, rule: supply.rule, raw: supply.levelRaw, unit: supply.unit }), " ", lowMark(supply)] },
      { label: "Lasts", class: "nowrap", cell: forecastOf },
    ], rows, { empty: "The device tells no supply.", key: (supply) => supply.row }));
  }

  function alerts() {
    return card("Alerts", plainTable("Alerts", [
      { label: "Alert", cell: (alert) => [alert.description ?? words(alert.code), h("span", { class: "cell-sub" }, alert.evidence ?? [alert.group && words(alert.group), placeOf(alert)].filter(Boolean).join(", "))] },
      { label: "Severity", cell: (alert) => pill(alert.severity) },
      { label: "Who", cell: (alert) => training(alert) },
      { label: "Since", class: "nowrap", cell: (alert) => ago(alert.since) },
    ], current.alerts));
  }

  function trays(reading) {
    const rows = [...reading.inputs.map((tray) => ({ ...tray, kind: "inputs", level: tray.levelRaw, meaning: tray.levelMeaning })),
      ...reading.outputs.map((bin) => ({ ...bin, kind: "outputs", level: bin.remainingRaw, meaning: bin.remainingMeaning }))];
    return card("Trays and bins", plainTable("Trays and bins", [
      { label: "Name", cell: (tray) => [tray.name ?? tray.description ?? `row ${tray.row}`, h("span", { class: "cell-sub" }, [tray.kind === "outputs" ? "output" : tray.type && words(tray.type), tray.media].filter(Boolean).join(", "))] },
      { label: "Level", cell: (tray) => valueOf(amount(tray.level, tray.meaning), tray.kind, tray.row, null, tray.name ?? tray.description ?? "Tray") },
      { label: "Holds", cell: (tray) => amount(tray.capacityRaw, tray.capacityMeaning) },
      { label: "Status", cell: (tray) => tray.status?.length ? tray.status.map(words).join(", ") : tray.status ? "ready" : unknown() },
    ], rows, { empty: "The device tells no tray." }));
  }

  function status(reading) {
    const { device: hr, printer, detectedErrors, console: lines } = reading.status ?? {};
    return card("Status", terms([
      ["Printer", valueOf(printer ? words(printer) : null, "status", null, "printer", "Printer status")],
      ["Device", valueOf(hr ? words(hr) : null, "status", null, "device", "Device status")],
      ["Errors", detectedErrors === null || detectedErrors === undefined ? unknown() : detectedErrors.length ? detectedErrors.map((error) => pill("warning", title(error))) : "none detected"],
      ["Display", lines?.length ? h("span", { class: "mono" }, lines.map((line) => h("div", null, line))) : null],
      ["Covers", reading.covers.length ? reading.covers.map((cover) => h("div", null, `${cover.description ?? `cover ${cover.row}`}: ${cover.status ? words(cover.status) : "unknown"}`)) : null],
    ]));
  }

  function checks(reading) {
    if (reading.checks.length === 0 && reading.findings.length === 0) return null;
    return card("Checks",
      reading.checks.map((check) => h("p", null, pill(check.holds ? "passed" : "degraded", check.holds ? "Adds up" : "Does not add up"), ` ${check.name}`,
        !check.holds && h("span", { class: "soft" }, ` expected ${grouped(check.expected)}, told ${grouped(check.actual)}`))),
      reading.findings.length > 0 && h("details", null, h("summary", null, counted(reading.findings.length, "finding")),
        h("ul", { class: "stack" }, reading.findings.map((finding) => h("li", null, finding.message, finding.oid && h("span", { class: "cell-sub mono" }, finding.oid))))));
  }

  function forecastOf(supply) {
    if (supply.forecast) {
      const { daysLeft, earliest, latest, points } = supply.forecast;
      const range = latest === null ? `${Math.round(earliest)} days or more` : `${Math.round(earliest)} to ${Math.round(latest)} days`;
      return h("span", { title: `${range}, with ${confidence} % confidence, from ${points} levels` }, `${Math.round(daysLeft)} days`, h("span", { class: "cell-sub" }, range));
    }
    return supply.unknown ? h("span", { class: "unknown", title: words(supply.unknown) }, "unknown") : h("span", { class: "soft" }, "\u2026");
  }

  async function askForecasts() {
    try {
      const answer = await api.get(`${path}/supplies`);
      confidence = answer.confidencePercent;
      forecasts = new Map(answer.supplies.map((one) => [one.supply.row, { low: one.low, forecast: one.forecast, unknown: one.forecast ? null : one.unknown ?? "unknown" }]));
    } catch (error) {
      if (signal.aborted) return;
      forecasts = new Map((current.reading?.supplies ?? []).map((supply) => [supply.row, { unknown: error.message }]));
    }
    // Nothing else of the page is touched: somebody may be at it already.
    whenIdle(supplyPlace, () => { if (current.reading) fill(supplyPlace, supplies(current.reading)); });
  }

  /** Does something with a part of the page once nobody is at it: neither with the focus nor with a sheet that belongs to it. */
  function whenIdle(part, action) {
    const isInUse = () => part.contains(document.activeElement) || document.querySelector(".sheet:popover-open") !== null;
    if (!isInUse()) { action(); return; }
    const again = () => {
      if (signal.aborted || isInUse()) return;
      document.removeEventListener("focusin", later);
      action();
    };
    // The focus is nowhere for a moment while it moves.
    const later = () => setTimeout(again, 50);
    document.addEventListener("focusin", later, { signal });
  }

  show();
  // The page is there at once; what lasts how long follows.
  askForecasts();
  return {
    element,
    refresh(next) {
      current = next;
      sources = null;
      whenIdle(element, show);
    },
  };
}

/** A tray's amount as the MIB means it: -1 no restriction, -2 unknown, -3 some. */
function amount(raw, meaning) {
  if (raw === null || raw === undefined || meaning === "unknown") return unknown();
  if (meaning === "some" || meaning === "someRemaining" || raw === -3) return "some";
  if (raw === -1) return "no limit";
  if (raw < 0) return unknown();
  return number(raw);
}

export function training(alert) {
  if (!alert.training) return h("span", { class: "soft" }, "not told");
  const text = { untrained: "anyone can fix it", trained: "a trained person", fieldService: "a technician", management: "management", noInterventionRequired: "nobody has to act" }[alert.training];
  return text ?? words(alert.training);
}

