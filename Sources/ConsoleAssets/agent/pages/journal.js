// The journal: what it holds, the check of every hash, exports, and its records as they come.

import { fill, h } from "/shared/dom.js";
import { ago, bytes, counted, duration, grouped } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { icon } from "/shared/icons.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { actionButton, field, form } from "/shared/form.js";
import { failed } from "/shared/toast.js";
import { dialog } from "/shared/dialog.js";
import { terms } from "/shared/value.js";
import { plainTable } from "/shared/table.js";
import { recordList } from "/app/records.js";
import { download } from "/app/download.js";

export async function page(context) {
  const { api, live, signal } = context;
  const about = h("div", { class: "columns" });
  const verification = h("div", { class: "stack", "aria-live": "polite" });
  const [journal, check, records] = await Promise.all([
    api.get("journal"), api.get("journal/verify"), recordList({ ...context, path: "journal/records", room: "journal", caption: "Records of the journal" }),
  ]);
  fill(about, numbers(journal), signatures(journal), card("Verification", verification));
  let state = check;

  function showCheck() {
    const isRunning = state.state === "running";
    fill(verification, outcome(state), isRunning ? null : actionButton([icon("check"), "Verify everything"], verify));
  }

  async function verify() {
    try {
      await api.post("journal/verify", {});
      state = await api.get("journal/verify");
      showCheck();
    } catch (error) { failed(error); }
  }

  function exportDialog() {
    return dialog("Export records", (close) => {
      const format = field({ name: "format", label: "Form", type: "select", options: [["jsonl", "All events, one line each (JSON)"], ["csv", "Meter values as a table (CSV)"]], value: "jsonl" });
      const from = field({ name: "from", label: "From", hint: "A record such as 1/4711, a day such as 2026-03-01, or a time. Left empty, from the beginning." });
      const to = field({ name: "to", label: "To", hint: "Left empty, up to now." });
      const device = field({ name: "device", label: "Device", hint: "Its id or serial number. Left empty, all of them." });
      return [h("p", null, "The export is sealed by the journal's key and can be checked without this agent."), form({
        fields: [format, from, to, device], label: "Export records",
        layout: () => [format.element, from.element, to.element, device.element, h("div", { class: "actions" },
          h("button", { type: "button", on: { click: () => close() } }, "Cancel"), h("button", { type: "submit", class: "primary" }, icon("download"), "Export"))],
        submit: async (values) => {
          const trimmed = Object.fromEntries(Object.entries(values).map(([name, text]) => [name, text.trim()]));
          await download(api.url("journal/export", trimmed), "printtrail-export.tar");
          close();
        },
      }).element];
    });
  }

  showCheck();
  live.on("verify", signal, (next) => { state = next; showCheck(); });
  live.refresh(["record"], signal, async () => { const next = await api.get("journal"); if (!about.contains(document.activeElement)) fill(about, numbers(next), signatures(next), about.lastElementChild); }, { after: 5000 });
  return [pageHead("Journal", { about: "Every event is written here first. Nothing in it is ever rewritten.", actions: [h("button", { type: "button", on: { click: exportDialog } }, icon("download"), "Export \u2026")] }), about, records];
}

function at(position) { return position ? h("a", { href: link("journal", position.epoch, position.sequence) }, `${position.epoch}/${grouped(position.sequence)}`) : "nothing yet"; }

function numbers(journal) {
  const share = journal.bytesMax ? Math.min(100, (100 * journal.bytes) / journal.bytesMax) : 0;
  return card("What it holds", terms([
    ["Head", at(journal.head)], ["Hub has up to", at(journal.acknowledged)],
    ["Size", [bytes(journal.bytes), " of ", bytes(journal.bytesMax)]], ["Disk", [bytes(journal.diskFreeBytes), " free"]], ["Keeps", journal.keep], ["Directory", h("code", null, journal.directory)],
  ]), h("div", { class: "progress", role: "img", "aria-label": `${Math.round(share)} percent of the journal's space is used` }, h("span", { vars: { "--done": `${share}%` } })));
}

function signatures(journal) {
  const lost = journal.epochs.flatMap((epoch) => (epoch.lost ?? []).map((gap) => `${epoch.number}/${grouped(gap.first)}\u2013${grouped(gap.last)}`));
  return card("What vouches for it", terms([
    ["Key", h("code", null, journal.key)],
    ["Checkpoint", journal.checkpoint ? `over ${counted(journal.checkpoint.size, "record")} of epoch ${journal.checkpoint.epoch}` : "none yet"],
    ["Countersigned", journal.countersigned ? ["up to ", at({ epoch: journal.countersigned.epoch, sequence: journal.countersigned.sequence ?? journal.countersigned.size })] : "by no hub yet"],
    ["Epochs", journal.epochs.map((epoch) => h("div", null, `${epoch.number}: ${counted(epoch.size, "record")}`, epoch.removedThrough > 0 ? `, removed through ${grouped(epoch.removedThrough)}` : ""))],
    ["Lost", lost.length > 0 ? lost.join(", ") : "none"],
  ]));
}

function outcome(check) {
  if (check.state === "none") return h("p", { class: "soft" }, "Every hash, checkpoint and countersignature can be computed again here, beside the running agent.");
  if (check.state === "running") {
    return [h("p", null, `${grouped(check.records)} of ${counted(check.total, "record")}`), h("div", { class: "progress", role: "progressbar", "aria-label": "Verification", "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(check.percent ?? 0) },
      h("span", { vars: { "--done": `${check.percent ?? 0}%` } }))];
  }
  if (check.state === "failed") return h("p", null, pill("failed", "Could not be verified"), ` ${check.message ?? ""}`);
  return [h("p", null, check.sound ? pill("passed", "Sound") : pill("failed", "Not sound"), ` ${counted(check.records, "record")}, `, ago(check.ended), check.started && check.ended ? `, in ${duration(new Date(check.ended) - new Date(check.started))}` : ""),
    check.findings?.length > 0 && plainTable("Findings", [{ label: "Finding", cell: (finding) => finding }], check.findings)];
}
