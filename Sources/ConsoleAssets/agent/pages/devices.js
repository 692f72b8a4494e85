// All devices: found by words, narrowed by state, make, alerts and supplies.

import { h } from "/shared/dom.js";
import { ago, counted, grouped, number, unknown } from "/shared/format.js";
import { pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { supplyGauges } from "/shared/supply.js";
import { table } from "/shared/table.js";
import { deviceName, shortAddress } from "/app/names.js";

const STATES = [["", "All"], ["read", "Read"], ["unreachable", "Unreachable"], ["new", "New"], ["replaced", "Replaced"], ["retired", "Retired"], ["merged", "Merged"]];

export async function page({ api, live, signal, query, setQuery }) {
  const list = table({
    caption: "Devices", noun: "device", signal, query, onQuery: setQuery,
    search: "Search by address, model, serial, name or place",
    sort: "address", empty: "No device was found yet. Discovery says where the agent looks, and what it met there.",
    filters: [
      { name: "state", label: "State", options: STATES },
      { name: "make", label: "Make", options: [["", "All"]] },
      { name: "alerts", label: "Alerts", options: [["", "All"], ["any", "Any"], ["critical", "Critical"], ["warning", "Warnings"]] },
      { name: "supply", label: "Supplies", options: [["", "All"], ["low", "Low"], ["unknown", "Unknown level"]] },
    ],
    key: (device) => device.id,
    href: (device) => link("devices", device.id),
    async load(parameters) {
      const answer = await api.get("devices", parameters);
      for (const [name, counts] of Object.entries(answer.facets ?? {})) list.facets(name, counts);
      return answer;
    },
    columns: [
      { label: "Device", sort: "model", cell: (device) => [h("a", { href: link("devices", device.id) }, deviceName(device)),
        h("span", { class: "cell-sub" }, [device.name, device.location].filter(Boolean).join(", ") || null)] },
      { label: "Address", sort: "address", class: "nowrap", cell: (device) => shortAddress(device.address) },
      { label: "Serial", sort: "serial", class: "wide-only serial", cell: (device) => device.serial ?? unknown() },
      { label: "State", sort: "state", cell: (device) => [pill(device.state), device.failure && h("span", { class: "cell-sub" }, device.failure.message ?? device.failure.reason)] },
      { label: "Supplies", sort: "supply", cell: (device) => supplyGauges(device.supplies) },
      { label: "Total", sort: "total", number: true, cell: (device) => meter(device.meters?.total) },
      { label: "Alerts", sort: "alerts", cell: alertsOf },
      { label: "Last read", sort: "lastRead", class: "nowrap", cell: (device) => ago(device.lastRead) },
    ],
  });
  live.refresh(["device", "alert"], signal, list.refresh, { after: 1500 });
  return [pageHead("Devices"), list.element];
}

/** A meter that the device does not have is not one that is unknown. */
function meter(one) {
  if (!one) return h("span", { class: "soft" }, "none");
  const text = number(one.value);
  return h("span", { title: one.unit ? `${grouped(one.value)} ${one.unit}` : null }, one.quality === "coarse" ? ["~", text] : text);
}

function alertsOf({ alerts }) {
  if (!alerts || alerts.total === 0) return h("span", { class: "soft" }, "none");
  const state = alerts.critical > 0 ? "critical" : alerts.warning > 0 ? "warning" : "other";
  return [pill(state, state === "critical" ? `${grouped(alerts.critical)} critical` : state === "warning" ? counted(alerts.warning, "warning") : grouped(alerts.total)), alerts.first && h("span", { class: "cell-sub wide-only" }, alerts.first)];
}
