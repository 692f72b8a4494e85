// Where the agent looks, how far it is, and what it met at each address.

import { fill, h } from "/shared/dom.js";
import { ago, counted, duration, grouped, number, title, words } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { icon } from "/shared/icons.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { actionButton, field, form } from "/shared/form.js";
import { failed, toast } from "/shared/toast.js";
import { dialog } from "/shared/dialog.js";
import { plainTable, table } from "/shared/table.js";
import { terms } from "/shared/value.js";
import { modelName } from "/app/names.js";

const REASONS = ["found", "not a printer", "wrong credential", "no answer", "excluded", "do not touch"];
const REASON_STATES = { found: "found", "not a printer": "notPrinter", "wrong credential": "wrongCredential", "no answer": "noAnswer", excluded: "excluded", "do not touch": "doNotTouch" };

export async function page({ api, live, signal, query, setQuery }) {
  let discovery = await api.get("discovery");
  const progress = h("div");
  const aside = h("div", { class: "stack" });
  const list = table({
    caption: "Addresses", noun: ["address", "addresses"], signal, query, onQuery: setQuery,
    search: "Search by address, model, serial or detail", sort: "address",
    empty: "No address was met yet: no sweep has begun.",
    filters: [{ name: "reason", label: "Reason", options: [["", "All"], ...REASONS.map((reason) => [reason, title(reason)])] }],
    key: (entry) => entry.address,
    href: (entry) => (entry.device ? link("devices", entry.device) : null),
    load: (parameters) => api.get("discovery/addresses", parameters),
    columns: [
      { label: "Address", sort: "address", class: "nowrap", cell: (entry) => (entry.device ? h("a", { href: link("devices", entry.device) }, entry.address) : entry.address) },
      { label: "Reason", sort: "reason", cell: (entry) => [pill(REASON_STATES[entry.reason] ?? "unknown", title(entry.reason)), h("span", { class: "cell-sub" }, entry.detail)] },
      { label: "What", cell: (entry) => [modelName(entry), entry.serial && h("span", { class: "cell-sub" }, `serial ${entry.serial}`)] },
      { label: "Credential", class: "wide-only", cell: (entry) => entry.credential ?? "" },
      { label: "When", sort: "time", class: "nowrap", cell: (entry) => ago(entry.time) },
    ],
  });
  list.facets("reason", discovery.reasons);

  function show() {
    showProgress(discovery.sweep);
    list.facets("reason", discovery.reasons);
    fill(aside, card("Last sweep", lastSweep(discovery.lastSweep)), card("Where it looks", where(discovery)), elsewhere(discovery));
  }

  let isRunning = null;
  function showProgress(sweep) {
    if (!sweep?.running) {
      if (isRunning !== false) fill(progress);
      isRunning = false;
      return;
    }
    const percent = sweep.total > 0 ? Math.min(100, (100 * sweep.done) / sweep.total) : 0;
    const left = sweep.secondsLeft === null || sweep.secondsLeft === undefined ? "" : `, about ${duration(sweep.secondsLeft * 1000)} left`;
    const text = `${grouped(sweep.done)} of ${counted(sweep.total, "address", "addresses")}, ${grouped(sweep.found)} found, ${grouped(sweep.rate, 0)} a second${left}`;
    if (isRunning !== true) {
      fill(progress, h("div", { class: "card" }, h("h2", null, "A sweep is under way"),
        h("div", { class: "progress", role: "progressbar", "aria-label": "Sweep", "aria-valuemin": "0", "aria-valuemax": "100" }, h("span")), h("p", { class: "soft" })));
      isRunning = true;
    }
    const bar = progress.querySelector(".progress");
    bar.setAttribute("aria-valuenow", String(Math.round(percent)));
    bar.setAttribute("aria-valuetext", text);
    bar.firstElementChild.style.setProperty("--done", `${percent}%`);
    progress.querySelector("p").textContent = text;
  }

  async function sweepAll() {
    try {
      await api.post("discovery/sweep", {});
      toast("A sweep of all ranges begins.", "busy");
    } catch (error) { failed(error); }
  }

  function sweepSome() {
    return dialog("Sweep some addresses", (close) => {
      const ranges = field({ name: "ranges", label: "Addresses", type: "textarea", hint: "One range a line: 10.0.0.7, 10.0.0.1-10, 10.0.0.* or 10.0.0.0/24. They have to lie in those that are configured.", attributes: { required: true, spellcheck: "false" } });
      return [form({
        fields: [ranges], label: "Sweep some addresses",
        layout: () => [ranges.element, h("div", { class: "actions" }, h("button", { type: "button", on: { click: () => close() } }, "Cancel"), h("button", { type: "submit", class: "primary" }, "Sweep"))],
        submit: async (values) => {
          const wanted = values.ranges.split(/[\s,;]+/).filter(Boolean);
          await api.post("discovery/sweep", wanted.length > 0 ? { ranges: wanted } : { ranges: [] });
          toast("The sweep begins.", "busy");
          close();
        },
      }).element];
    });
  }

  show();
  live.on("sweep", signal, (sweep) => {
    const hasEnded = isRunning === true && !sweep.running;
    showProgress(sweep);
    if (hasEnded) refresh();
  });
  const refresh = async () => {
    discovery = await api.get("discovery");
    show();
    await list.refresh();
  };
  live.refresh(["sweep"], signal, refresh, { after: 800 });
  return [
    pageHead("Discovery", { actions: [actionButton([icon("radar"), "Sweep now"], sweepAll, { class: "primary" }), h("button", { type: "button", on: { click: sweepSome } }, "Some addresses \u2026")] }),
    progress, h("div", { class: "columns wide-first" }, list.element, aside),
  ];
}

function lastSweep(last) {
  if (!last) return h("p", { class: "soft" }, "None has ended yet.");
  return terms([["Ended", ago(last.completed)], ["Took", duration(last.milliseconds)], ...Object.entries(last.outcomes).map(([reason, count]) => [title(reason), number(count)])]);
}

function where({ ranges, exclusions, doNotTouch, origin, addresses, sweepInterval, sweepTimes, packetsPerSecond, unlisted }) {
  return [
    plainTable("Ranges", [
      { label: "Range", cell: (range) => range.range },
      { label: "Credentials", cell: (range) => (range.credentials ?? []).join(", ") || "public" },
    ], ranges, { empty: "Nowhere." }),
    terms([
      ["Ranges are", { file: "in ptagent.toml", console: "set in this console", hub: "set by the hub", networks: "this machine's own networks" }[origin] ?? words(origin)],
      ["Addresses", number(addresses)], ["Not listed", unlisted > 0 ? number(unlisted) : null],
      ["Left out", exclusions.length ? exclusions.join(", ") : null], ["Never touched", doNotTouch.length ? doNotTouch.join(", ") : null],
      ["Sweeps", sweepTimes?.length ? `at ${sweepTimes.join(", ")}` : `every ${sweepInterval}`], ["Pace", `${grouped(packetsPerSecond)} packets a second at most`],
    ]),
    h("p", null, h("a", { href: link("settings", { q: "discovery" }) }, "Change this in the settings")),
  ];
}

function elsewhere({ announcedElsewhere }) {
  if (!announcedElsewhere?.length) return null;
  return card("Announced where nobody looks", h("p", { class: "soft" }, "These printers announce themselves and lie in no range."),
    plainTable("Announced where nobody looks", [
      { label: "Address", cell: (one) => one.address }, { label: "Name", cell: (one) => one.name }, { label: "Service", cell: (one) => h("code", null, one.service) },
    ], announcedElsewhere));
}
