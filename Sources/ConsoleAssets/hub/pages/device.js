// One device, whoever reads it: meters, supplies, alerts, and how it came to its numbers.

import { fill, h } from "/shared/dom.js";
import { ago, number, time, title, words } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { plainTable } from "/shared/table.js";
import { lowMark, supplyBar, supplyName, supplyWords } from "/shared/supply.js";
import { lineChart } from "/shared/chart.js";
import { terms } from "/shared/value.js";
import { actionButton } from "/shared/form.js";
import { failed } from "/shared/toast.js";
import { deviceName, installLink, may, shortAddress } from "/app/names.js";
import { inOrder, meterName } from "/shared/meters.js";
import { newJob } from "/app/jobdialog.js";
import { askForPage } from "/app/remote.js";
import { offerWords } from "/app/offer.js";
import { bringBack, retire } from "/app/retirement.js";

const SPANS = [["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["400", "All"]];

export async function page({ api, live, signal, parameters, session, setTitle, query, setQuery }) {
  const id = parameters.id;
  const place = h("div", { class: "stack" });
  const drawing = h("div");
  let days = SPANS.some(([value]) => value === query.days) ? query.days : "90";
  let meter = query.meter ?? "total";
  let device = null;

  async function draw() {
    const names = inOrder(device.allMeters).map((one) => one.name);
    if (names.length === 0) { fill(drawing, h("p", { class: "soft empty" }, "It told no meters.")); return; }
    if (!names.includes(meter)) meter = names.includes("total") ? "total" : names[0];
    const { meters } = await api.get(`devices/${encodeURIComponent(id)}/history`, { meters: meter, days });
    const points = meters[0]?.points ?? [];
    fill(drawing, h("div", { class: "table-tools" }, choice("Meter", names.map((name) => [name, title(meterName(name))]), meter, (value) => { meter = value; }),
      choice("Time shown", SPANS, days, (value) => { days = value; })),
      lineChart({ label: `${title(meterName(meter))} by day`, series: [{ name: title(meterName(meter)), points }], whole: true }));
  }

  function choice(label, options, value, set) {
    const select = h("select", { on: { change: () => { set(select.value); setQuery({ days, meter }); draw().catch(failed); } } }, options.map(([key, text]) => h("option", { value: key }, text)));
    select.value = value;
    return h("label", { class: "filter" }, h("span", null, label), select);
  }

  async function refresh() {
    const path = `devices/${encodeURIComponent(id)}`;
    device = await api.get(path);
    const offer = may(session, "technician") ? await api.get(`${path}/remote`) : null;
    const name = deviceName(device);
    setTitle(name);
    fill(place, pageHead(name, {
      back: [link("devices"), "Devices"], about: [device.entity.name, device.name, device.location, shortAddress(device.address)].filter(Boolean).join(", "),
      actions: [pill(device.state), h("a", { class: "button", href: link("devices", id, "settings") }, "Settings"),
        may(session, "technician") && actionButton("Open its page", () => askForPage({ api, device })),
        may(session, "operator") && device.retirement && actionButton("Bring back", async () => { if (await bringBack({ api, device })) await refresh(); }),
        may(session, "operator") && !["retired", "merged"].includes(device.state) && actionButton("Retire", async () => { if (await retire({ api, device })) await refresh(); }),
        may(session, "operator") && actionButton("New job", () => newJob({ api, device }), { class: "primary" })],
    }), content(device, drawing), offer && card("Its own page", h("p", null, offerWords(offer))));
    await draw();
  }

  await refresh();
  live.refresh(["device", "alert"], signal, () => refresh().catch(failed), { after: 3000 });
  return [place];
}

function content(device, drawing) {
  return [
    device.retirement && card("Retired", h("p", null, `${device.retirement.by}: ${device.retirement.reason} (`, time(device.retirement.at, { always: true }), "). It comes back by itself when an agent reads it again.")),
    h("div", { class: "columns" },
      card("Device", terms([
        ["Make", device.make], ["Model", device.model], ["Serial", device.serial], ["Asset number", device.assetNumber], ["Address", shortAddress(device.address)],
        ["MAC", device.mac], ["Host name", device.hostName], ["Firmware", device.firmware], ["First seen", time(device.firstSeen, { always: true })],
        ["Last read", ago(device.lastRead)], ["Read by", installLink(device.install)], ["Id", h("code", null, device.id)],
      ])),
      card("Supplies", device.supplies.length === 0 ? h("p", { class: "soft empty" }, "It told no supplies.")
        : plainTable("Supplies", [
          { label: "Supply", cell: (one) => [supplyName(one), h("span", { class: "cell-sub" }, one.partNumber)] },
          { label: "Level", cell: (one) => [supplyBar(one), h("span", null, supplyWords(one)), lowMark(one)] },
        ], device.supplies))),
    card("Open alerts and those before", plainTable("Alerts", [
      { label: "Alert", cell: (alert) => alert.description }, { label: "Severity", cell: (alert) => pill(alert.severity) },
      { label: "Since", class: "nowrap", cell: (alert) => ago(alert.since) },
      { label: "Cleared", class: "nowrap", cell: (alert) => (alert.cleared ? ago(alert.cleared) : pill("open", "Open")) },
    ], device.history, { empty: "No alert was ever raised." })),
    card("How a meter went", drawing),
    card("Meters", plainTable("Meters", [
      { label: "Meter", cell: (one) => title(meterName(one.name)) }, { label: "Value", number: true, cell: (one) => number(one.value) },
      { label: "Adjusted", number: true, class: "wide-only", cell: (one) => (one.adjusted === null ? "as read" : number(one.adjusted)) },
      { label: "Unit", cell: (one) => words(one.unit) }, { label: "Quality", cell: (one) => words(one.quality) },
      { label: "Read", class: "nowrap", cell: (one) => ago(one.read) },
    ], inOrder(device.allMeters), { empty: "It told no meters." })),
    device.installs.length > 1 && card("Seen by", plainTable("Installs that see it", [
      { label: "Install", cell: (one) => installLink({ id: one.install, hostName: one.hostName }) }, { label: "State", cell: (one) => pill(one.state) },
      { label: "Last read", class: "nowrap", cell: (one) => ago(one.lastRead) }, { label: "Counts", cell: (one) => (one.leads ? "its readings count" : "stands by") },
    ], device.installs)),
  ];
}
