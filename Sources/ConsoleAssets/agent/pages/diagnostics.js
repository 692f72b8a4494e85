// How each part of the agent is, and one file for whoever helps.

import { h, refill } from "/shared/dom.js";
import { ago } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { icon } from "/shared/icons.js";
import { actionButton } from "/shared/form.js";
import { failed, toast } from "/shared/toast.js";
import { pill } from "/shared/pill.js";
import { terms } from "/shared/value.js";
import { componentTable } from "/app/pages/dashboard.js";
import { download } from "/app/download.js";

export async function page({ api, live, signal }) {
  const place = h("div", { class: "stack" });
  let shown = null;
  async function refresh() {
    const { agent } = await api.get("dashboard");
    const text = JSON.stringify(agent);
    if (text === shown) return;
    shown = text;
    refill(place, card("Components", componentTable(agent.components)),
      card("The program", terms([["State", pill(agent.condition)], ["Version", agent.version], ["Host", agent.hostName], ["Process", agent.process], ["Started", ago(agent.started)]])));
  }
  await refresh();
  live.refresh(["status"], signal, refresh);

  async function bundle() {
    try {
      const { name } = await download(api.url("diagnostics"), "printtrail-diagnostics.tar.gz");
      toast(`${name} is among your downloads.`);
    } catch (error) { failed(error); }
  }

  return [
    pageHead("Diagnostics"),
    card("For whoever helps", h("p", null, "One archive with the status, the configuration without its secrets, the journal's numbers, the devices and the end of the log. Nothing is sent: it is yours to pass on."),
      h("div", { class: "actions" }, actionButton([icon("download"), "Download diagnostics"], bundle, { class: "primary" }))),
    place,
  ];
}
