// At a glance: is the agent well, what did it find, what is wrong, what has left.

import { h, refill } from "/shared/dom.js";
import { ago, bytes, counted, duration, grouped, number, title, words } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { icon } from "/shared/icons.js";
import { link } from "/shared/router.js";
import { pill, toneOf } from "/shared/pill.js";
import { terms } from "/shared/value.js";
import { plainTable } from "/shared/table.js";
import { deviceName } from "/app/names.js";
import { remoteCard } from "/app/remote.js";

export async function page({ api, live, signal }) {
  const place = h("div", { class: "stack" });
  let shown = null;

  async function refresh() {
    const dashboard = await api.get("dashboard");
    // What is the same is left alone, with its focus and its selection.
    const text = JSON.stringify(dashboard);
    if (text === shown) return;
    shown = text;
    refill(place, content(dashboard));
  }

  await refresh();
  const remote = await remoteCard({ api, live, signal }, { onlyWhileOpen: true });
  live.refresh(["status", "device", "alert", "sweep", "queue", "poll"], signal, refresh, { after: 1000 });
  return [pageHead("Overview"), remote, place];
}

function content(dashboard) {
  const { agent, install, journal, delivery, devices, alerts, sweep, lastSweep, lastRead } = dashboard;
  return [
    damage(journal), health(agent), h("div", { class: "figures" }, figures(dashboard)),
    h("div", { class: "columns wide-first" },
      h("div", { class: "stack" },
        card("Alerts that matter most", { actions: [h("a", { href: link("alerts") }, `All ${grouped(alerts.total)}`)] }, worst(alerts)),
        card("Components", componentTable(agent.components))),
      h("div", { class: "stack" },
        card("Devices by state", { actions: [h("a", { href: link("devices") }, "All devices")] }, byState(devices)),
        card("Discovery", { actions: [h("a", { href: link("discovery") }, "Reasons")] }, sweepTerms(sweep, lastSweep)),
        card("Hub", { actions: [h("a", { href: link("setup") }, "Connection")] }, hubTerms(install, journal, delivery)),
        card("This machine", terms([
          ["Version", agent.version], ["Running", [h("span", null, "since "), ago(agent.started)]], ["Last read", ago(lastRead)],
          ["Journal", journal.bytes === null ? null : [bytes(journal.bytes), " of ", bytes(journal.bytesMax)]],
          ["Disk", journal.diskFreeBytes === null ? null : [bytes(journal.diskFreeBytes), " free"]],
        ])))),
  ];
}

/** A journal that cannot be read is more than a component that is not well: nothing is recorded. */
function damage(journal) {
  return journal.damage && h("div", { class: "note bad" }, icon("warn"), h("p", null, h("strong", null, "Journal: "), journal.damage));
}

function health(agent) {
  const troubles = agent.components.filter((component) => component.state === "failed" || component.state === "degraded");
  if (troubles.length === 0) return null;
  return h("div", { class: "stack" }, troubles.map((component) => h("div", { class: `note ${toneOf(component.state)}` }, icon("warn"),
    h("div", null, h("p", null, h("strong", null, `${title(component.name)}: `), component.message), component.remedy && h("p", null, component.remedy),
      h("p", { class: "soft" }, "Since ", ago(component.since))))));
}

function figures({ agent, devices, alerts, journal }) {
  const unread = (devices.byState.unreachable ?? 0) + (devices.byState.new ?? 0);
  return [
    figure("Agent", title(agent.condition), { isText: true, state: agent.condition, more: `${agent.components.length} components`, href: link("diagnostics") }),
    figure("Devices", grouped(devices.total), { more: unread > 0 ? `${grouped(unread)} not read` : "all read", href: link("devices") }),
    figure("Alerts", grouped(alerts.total), { more: `${grouped(alerts.critical)} critical, ${grouped(alerts.warning)} warnings`, href: link("alerts") }),
    figure("Low supplies", grouped(devices.lowSupplies), { more: "by the thresholds in use", href: link("devices", { supply: "low" }) }),
    figure("Not yet at the hub", journal.lag === null ? "unknown" : grouped(journal.lag), {
      isText: journal.lag === null, more: journal.lag === null ? "this agent has no hub" : journal.lag === 0 ? "everything has arrived" : "records wait", href: link("queue") }),
  ];
}

function figure(name, value, { more, href, isText = false, state = null }) {
  return h("a", { class: "figure", href }, h("span", { class: "figure-name" }, name),
    h("span", { class: `figure-value${isText ? " text" : ""}` }, state ? pill(state, value) : value), h("span", { class: "figure-more" }, more));
}

function worst(alerts) {
  return plainTable("Alerts that matter most", [
    { label: "Device", cell: (alert) => h("a", { href: link("devices", alert.device.id) }, deviceName(alert.device)) },
    { label: "Alert", cell: (alert) => alert.description ?? words(alert.code) },
    { label: "Severity", cell: (alert) => pill(alert.severity) },
    { label: "Since", class: "nowrap", cell: (alert) => ago(alert.since) },
  ], alerts.worst, { empty: "No alert is raised." });
}

export function componentTable(components) {
  return plainTable("Components of the agent", [
    { label: "Component", cell: (component) => title(component.name) },
    { label: "State", cell: (component) => pill(component.state) },
    { label: "What it says", cell: (component) => [component.message, component.remedy && h("span", { class: "cell-sub" }, component.remedy)] },
    { label: "Since", class: "nowrap", cell: (component) => ago(component.since) },
  ], components);
}

function byState(devices) {
  const states = Object.entries(devices.byState).filter(([, count]) => count > 0);
  if (states.length === 0) return h("p", { class: "soft" }, "No device was found yet.");
  return h("ul", { class: "state-list" }, states.map(([state, count]) => h("li", null, h("a", { href: link("devices", { state }) }, pill(state)), number(count))));
}

function sweepTerms(sweep, last) {
  const rows = [];
  if (sweep?.running) rows.push(["Now", `${grouped(sweep.done)} of ${counted(sweep.total, "address", "addresses")}, ${grouped(sweep.found)} found`]);
  if (last) {
    rows.push(["Last sweep", [ago(last.completed), `, in ${duration(last.milliseconds)}`]]);
    for (const [reason, count] of Object.entries(last.outcomes)) rows.push([title(reason), number(count)]);
  }
  return rows.length > 0 ? terms(rows) : h("p", { class: "soft" }, "No sweep has ended yet.");
}

function hubTerms(install, journal, delivery) {
  if (!install) return h("p", { class: "soft" }, "This machine is not enrolled: it collects and journals, and sends nothing.");
  const skew = install.clockAheadSeconds;
  return terms([
    ["Entity", install.entity], ["Hub", install.hub], ["Mode", delivery.mode && words(delivery.mode)],
    ["Next check-in", delivery.nextCheckIn && ago(delivery.nextCheckIn)],
    ["Acknowledged", number(delivery.recordsAcknowledged)],
    ["Refused", delivery.rejections > 0 ? pill("degraded", grouped(delivery.rejections)) : "none"],
    ["Certificate", install.certificateDaysLeft === null ? null : `${counted(install.certificateDaysLeft, "day")} left`],
    ["Clock", skew === null ? null : skew === 0 ? "as the hub's" : `${duration(skew * 1000)} ${skew > 0 ? "ahead of" : "behind"} the hub's`],
  ]);
}
