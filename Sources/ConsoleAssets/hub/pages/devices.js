// All devices of all installs: found by words, narrowed by entity, state, alerts and supplies.

import { h } from "/shared/dom.js";
import { ago, grouped, number, unknown } from "/shared/format.js";
import { pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { supplyGauges } from "/shared/supply.js";
import { table } from "/shared/table.js";
import { deviceName, entityFilter, shortAddress } from "/app/names.js";

const STATES = [["", "All"], ["read", "Read"], ["unreachable", "Unreachable"], ["new", "New"], ["replaced", "Replaced"], ["retired", "Retired"], ["unwatched", "Unwatched"], ["merged", "Merged"]];

export async function page({ api, live, signal, query, setQuery }) {
  const install = query.install ?? "";
  const list = table({
    caption: "Devices", noun: "device", signal, query, onQuery: (next) => setQuery({ install, ...next }),
    search: "Search by model, serial, name, place or address", sort: "entity", empty: "No agent has found a device yet.",
    filters: [
      { name: "state", label: "State", options: STATES },
      { name: "alerts", label: "Alerts", options: [["", "All"], ["any", "Any"]] },
      { name: "supply", label: "Supplies", options: [["", "All"], ["low", "Low"]] },
      ...await entityFilter(api),
    ],
    key: (device) => device.id,
    href: (device) => link("devices", device.id),
    load: (parameters) => api.get("devices", { install, ...parameters }),
    columns: [
      { label: "Device", sort: "model", cell: (device) => [h("a", { href: link("devices", device.id) }, deviceName(device)), h("span", { class: "cell-sub" }, [device.name, device.location].filter(Boolean).join(", ") || null)] },
      { label: "Entity", sort: "entity", cell: (device) => device.entity.name },
      { label: "Serial", sort: "serial", class: "wide-only serial", cell: (device) => device.serial ?? unknown() },
      { label: "Address", sort: "address", class: "wide-only nowrap", cell: (device) => shortAddress(device.address) },
      { label: "State", sort: "state", cell: (device) => pill(device.state) },
      { label: "Supplies", sort: "supply", cell: (device) => supplyGauges(device.supplies) },
      { label: "Total", sort: "total", number: true, cell: ({ meters: { total } }) => (total ? number(total.value) : h("span", { class: "soft" }, "none")) },
      { label: "Alerts", sort: "alerts", cell: alertsOf },
      { label: "Last read", sort: "lastRead", class: "nowrap", cell: (device) => ago(device.lastRead) },
    ],
  });
  live.refresh(["device", "alert"], signal, list.refresh, { after: 2000 });
  return [pageHead("Devices", install ? { about: h("a", { href: link("installs", install) }, "Of one install"), actions: [h("a", { class: "button", href: link("devices") }, "All devices")] } : {}), list.element];
}

function alertsOf({ alerts }) {
  if (alerts.total === 0) return h("span", { class: "soft" }, "none");
  return pill(alerts.critical > 0 ? "critical" : "warning", grouped(alerts.total));
}
