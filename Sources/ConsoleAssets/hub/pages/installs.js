// Every agent: when it was heard of, how far behind it is, how long its certificate lasts.

import { h } from "/shared/dom.js";
import { ago, counted, number } from "/shared/format.js";
import { pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { table } from "/shared/table.js";
import { entityFilter, state } from "/app/names.js";

/** Days before its end from which a certificate is shown as short: agents renew in the last third of 90. */
const CERTIFICATE_DAYS_LOW = 20;

export async function page({ api, live, signal, query, setQuery }) {
  const list = table({
    caption: "Installs", noun: "install", signal, query, onQuery: setQuery,
    search: "Search by host, version, entity or id", sort: "host", empty: "No agent has enrolled yet. Make a DataLink code, and enrol one with it.",
    filters: [
      { name: "state", label: "State", options: [["", "All"], ["current", "On time"], ["late", "Late"], ["unwell", "Not well"], ["doubted", "In doubt"], ["revoked", "Revoked"]] },
      ...await entityFilter(api),
    ],
    key: (install) => install.id,
    href: (install) => link("installs", install.id),
    load: (parameters) => api.get("installs", parameters),
    columns: [
      { label: "Install", sort: "host", cell: (install) => [h("a", { href: link("installs", install.id) }, install.hostName || install.id.slice(0, 8)), h("span", { class: "cell-sub" }, `${install.id.slice(0, 8)}, ${install.operatingSystem}`)] },
      { label: "Entity", sort: "entity", cell: (install) => install.entity.name },
      { label: "State", cell: (install) => [state(install.state), ["degraded", "failed"].includes(install.condition) ? pill(install.condition) : null, install.reasons && h("span", { class: "cell-sub" }, install.reasons)] },
      { label: "Seen", sort: "seen", class: "nowrap", cell: (install) => ago(install.seen) },
      { label: "Behind", number: true, cell: (install) => number(install.lag) },
      { label: "Devices", number: true, cell: (install) => number(install.devices) },
      { label: "Version", sort: "version", class: "wide-only", cell: (install) => install.version },
      { label: "Certificate", class: "wide-only nowrap", cell: (install) => certificate(install) },
    ],
  });
  live.refresh(["install", "audit"], signal, list.refresh, { after: 1500 });
  return [pageHead("Installs"), list.element];
}

export function certificate({ certificateDaysLeft: days }) {
  if (days === null) return "none";
  const text = days < 0 ? "has ended" : `${counted(days, "day")} left`;
  return days < CERTIFICATE_DAYS_LOW ? pill(days < 0 ? "failed" : "degraded", text) : text;
}
