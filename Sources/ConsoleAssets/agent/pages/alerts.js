// All alerts that are raised, the worst first.

import { h } from "/shared/dom.js";
import { ago, words } from "/shared/format.js";
import { pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { table } from "/shared/table.js";
import { deviceName, shortAddress } from "/app/names.js";
import { training } from "/app/device/reading.js";

export async function page({ api, live, signal, query, setQuery }) {
  const list = table({
    caption: "Alerts", noun: "alert", signal, query, onQuery: setQuery,
    search: "Search by device, text or code", sort: "severity", empty: "No alert is raised.",
    filters: [
      { name: "severity", label: "Severity", options: [["", "All"], ["critical", "Critical"], ["warning", "Warning"], ["other", "Other"]] },
      { name: "origin", label: "Told by", options: [["", "All"], ["device", "The device"], ["rule", "The agent's rules"]] },
    ],
    key: (alert) => `${alert.device.id} ${alert.key}`,
    href: (alert) => link("devices", alert.device.id),
    load: (parameters) => api.get("alerts", parameters),
    columns: [
      { label: "Alert", cell: (alert) => [alert.description ?? words(alert.code), h("span", { class: "cell-sub" }, alert.evidence ?? [alert.group && words(alert.group), alert.location].filter(Boolean).join(", "))] },
      { label: "Severity", sort: "severity", cell: (alert) => [pill(alert.severity), alert.flapping && pill("other", "Comes and goes")] },
      { label: "Device", sort: "device", cell: (alert) => [h("a", { href: link("devices", alert.device.id) }, deviceName(alert.device)), h("span", { class: "cell-sub" }, shortAddress(alert.device.address))] },
      { label: "Who can fix it", class: "wide-only", cell: training },
      { label: "Told by", class: "wide-only", cell: (alert) => (alert.origin === "rule" ? "the agent's rules" : "the device") },
      { label: "Since", sort: "since", class: "nowrap", cell: (alert) => ago(alert.since) },
    ],
  });
  live.refresh(["alert"], signal, list.refresh, { after: 1000 });
  return [pageHead("Alerts"), list.element];
}
