// How everything stands at a glance: installs, devices, alerts, jobs.

import { fill, h } from "/shared/dom.js";
import { ago, grouped } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { plainTable } from "/shared/table.js";
import { failed } from "/shared/toast.js";
import { alertSubject, installLink, state } from "/app/names.js";

export async function page({ api, live, signal, session }) {
  const place = h("div", { class: "stack" });
  async function refresh() {
    const [overview, alerts, late] = await Promise.all([
      api.get("overview"), api.get("alerts", { limit: 5, sort: "severity" }), api.get("installs", { limit: 5, state: "late", sort: "seen" }),
    ]);
    fill(place, content(overview, alerts.items, late.items));
  }
  await refresh();
  live.refresh(["alert", "device", "install", "job"], signal, () => refresh().catch(failed), { after: 2000 });
  return [pageHead("Overview", { about: session?.user?.entity ? `Of ${session.user.entity} and what is under it` : null }), place];
}

function content({ installs, devices, alerts, jobs, supplies }, worst, late) {
  const unread = (devices.byState.unreachable ?? 0) + (devices.byState.new ?? 0);
  return [
    h("div", { class: "figures" },
      figure("Installs", grouped(installs.total - installs.revoked), troubled(installs), link("installs")),
      figure("Devices", grouped(devices.total), unread > 0 ? `${grouped(unread)} not read` : "all read", link("devices")),
      figure("Open alerts", grouped(alerts.total), `${grouped(alerts.critical)} critical, ${grouped(alerts.warning)} warnings`, link("alerts")),
      figure("Low supplies", grouped(supplies.low), "a fifth or less is left", link("devices", { supply: "low" })),
      figure("Open jobs", grouped(jobs.open), "sent, waiting or running", link("jobs", { which: "open" }))),
    installs.doubted > 0 && h("div", { class: "note warn" }, h("p", null, `${grouped(installs.doubted)} installs are in doubt: one identity seems to be in two places. `,
      h("a", { href: link("installs", { state: "doubted" }) }, "See which"))),
    h("div", { class: "columns" },
      card("Alerts that matter most", { actions: [h("a", { href: link("alerts") }, `All ${grouped(alerts.total)}`)] }, plainTable("Alerts that matter most", [
        { label: "Of", cell: alertSubject },
        { label: "Alert", cell: (alert) => alert.description },
        { label: "Severity", cell: (alert) => pill(alert.severity) },
        { label: "Since", class: "nowrap", cell: (alert) => ago(alert.since) },
      ], worst, { empty: "No alert is open." })),
      card("Installs that are late", { actions: [h("a", { href: link("installs", { state: "late" }) }, `All ${grouped(installs.late)}`)] }, plainTable("Installs that are late", [
        { label: "Install", cell: installLink },
        { label: "Entity", cell: (install) => install.entity.name },
        { label: "Since", class: "nowrap", cell: (install) => ago(install.late) },
      ], late, { empty: "Every install reports." })),
      card("Devices by state", h("ul", { class: "state-list" }, Object.entries(devices.byState).map(([name, count]) =>
        h("li", null, h("a", { href: link("devices", { state: name }) }, state(name)), grouped(count)))))),
  ];
}

function troubled({ late, unwell }) {
  return [late > 0 && `${grouped(late)} late`, unwell > 0 && `${grouped(unwell)} not well`].filter(Boolean).join(", ") || "all well";
}

function figure(name, value, more, href) {
  return h("a", { class: "figure", href }, h("span", { class: "figure-name" }, name), h("span", { class: "figure-value" }, value), h("span", { class: "figure-more" }, more));
}
