// All open alerts, the worst first.

import { ago } from "/shared/format.js";
import { pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { table } from "/shared/table.js";
import { alertSubject, entityFilter } from "/app/names.js";

export async function page({ api, live, signal, query, setQuery }) {
  const list = table({
    caption: "Open alerts", noun: "alert", signal, query, onQuery: setQuery,
    search: "Search by device, install, entity, place or text", sort: "severity", empty: "No alert is open.",
    filters: [
      { name: "severity", label: "Severity", options: [["", "All"], ["critical", "Critical"], ["warning", "Warning"], ["other", "Other"]] },
      ...await entityFilter(api),
    ],
    key: (alert) => `${alert.device?.id ?? alert.install?.id ?? alert.entity} ${alert.key}`,
    href: ({ device, install }) => (device ? link("devices", device.id) : install && link("installs", install.id)),
    load: (parameters) => api.get("alerts", parameters),
    columns: [
      { label: "Alert", cell: (alert) => alert.description },
      { label: "Severity", sort: "severity", cell: (alert) => pill(alert.severity) },
      { label: "Of", sort: "device", cell: alertSubject },
      { label: "Entity", sort: "entity", cell: (alert) => alert.entity ?? "" },
      { label: "Since", sort: "since", class: "nowrap", cell: (alert) => ago(alert.since) },
    ],
  });
  live.refresh(["alert"], signal, list.refresh, { after: 1000 });
  return [pageHead("Alerts"), list.element];
}
