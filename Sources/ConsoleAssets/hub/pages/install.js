// One agent: the machine, its latest report, its certificates, its devices and its jobs.

import { fill, h } from "/shared/dom.js";
import { ago, bytes, counted, duration, number, time, title } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { plainTable } from "/shared/table.js";
import { terms } from "/shared/value.js";
import { actionButton } from "/shared/form.js";
import { failed } from "/shared/toast.js";
import { may, state } from "/app/names.js";
import { certificate } from "/app/pages/installs.js";
import { newJob } from "/app/jobdialog.js";

export async function page({ api, live, signal, parameters, session, setTitle }) {
  const id = parameters.id;
  const place = h("div", { class: "stack" });

  async function refresh() {
    const [install, jobs] = await Promise.all([api.get(`installs/${encodeURIComponent(id)}`), api.get("jobs", { install: id, limit: 5 })]);
    setTitle(install.hostName || id.slice(0, 8));
    fill(place, pageHead(install.hostName || id.slice(0, 8), {
      back: [link("installs"), "Installs"], about: [install.entity.name, install.operatingSystem].join(", "),
      actions: [state(install.state), h("a", { class: "button", href: link("installs", id, "settings") }, "Settings"),
        may(session, "operator") && install.revoked === null && actionButton("New job", () => newJob({ api, install }).then((done) => done && refresh()), { class: "primary" })],
    }), content(install, jobs.items));
  }

  await refresh();
  live.refresh(["install", "job", "audit"], signal, () => refresh().catch(failed), { after: 1500 });
  return [place];
}

function content(install, jobs) {
  const { report } = install;
  return [
    install.doubt && h("div", { class: "note warn" }, h("div", null, h("p", null, h("strong", null, "In doubt: "), install.doubt), h("p", { class: "soft" }, "Since ", ago(install.doubted), "."))),
    install.replacedBy && h("div", { class: "note mute" }, h("p", null, "Replaced by ", h("a", { href: link("installs", install.replacedBy) }, install.replacedBy.slice(0, 8)), ".")),
    h("div", { class: "columns" },
      card("Install", terms([
        ["Id", h("code", null, install.id)], ["Version", install.version], ["Enrolled", time(install.enrolled, { always: true })], ["Seen", ago(install.seen)],
        ["Devices", h("a", { href: link("devices", { install: install.id }) }, counted(install.devices, "device"))],
        ["Behind", install.lag === null ? null : counted(install.lag, "record")], ["Certificate", certificate(install)],
        ["Condition", install.condition && [state(install.condition), install.reasons && h("p", { class: "soft" }, install.reasons)]],
        ["Late since", install.late && ago(install.late)],
        ["Revoked", install.revoked && time(install.revoked, { always: true })],
      ])),
      card("What it says of itself", report ? terms([
        ["Reported", ago(install.reported)], ["Running for", report.uptimeSeconds === undefined ? null : duration(report.uptimeSeconds * 1000)],
        ["Disk", report.diskFreeBytes === undefined ? null : [bytes(report.diskFreeBytes), " free"]],
        ["Clock", report.clockAheadSeconds === undefined ? null : `${report.clockAheadSeconds} s ahead of the hub's`],
        ["Last sweep", report.lastSweep && ago(report.lastSweep.completed)], ["Collector moved", report.collectorProgress && ago(report.collectorProgress)],
        ...Object.entries(report.devices ?? {}).map(([name, count]) => [`Devices ${name}`, number(count)]),
      ]) : h("p", { class: "soft" }, "It has not reported yet."))),
    report?.components && card("Components", plainTable("Components of the agent", [
      { label: "Component", cell: (one) => title(one.name) }, { label: "State", cell: (one) => pill(one.state) },
      { label: "What it says", cell: (one) => one.message ?? "" }, { label: "Since", class: "nowrap", cell: (one) => ago(one.since) },
    ], report.components)),
    card("Latest jobs", { actions: [h("a", { href: link("jobs", { install: install.id }) }, "All")] }, plainTable("Latest jobs", [
      { label: "Job", cell: (job) => h("a", { href: link("jobs", job.id) }, job.summary) }, { label: "State", cell: (job) => pill(job.state) },
      { label: "Created", class: "nowrap", cell: (job) => ago(job.created) }, { label: "By", cell: (job) => job.createdBy ?? "unknown" },
    ], jobs, { empty: "It was asked to do nothing yet." })),
    card("Certificates", plainTable("Certificates", [
      { label: "Serial", cell: (one) => h("code", null, one.serial) }, { label: "Issued", class: "nowrap", cell: (one) => time(one.issued, { always: true }) },
      { label: "Good until", class: "nowrap", cell: (one) => time(one.notAfter, { always: true }) }, { label: "First used", class: "nowrap", cell: (one) => ago(one.firstUsed, "not yet") },
      { label: "Replaced", class: "nowrap", cell: (one) => ago(one.superseded, "in use") },
    ], install.certificates, { empty: "None." })),
  ];
}
