// What the hub wanted done, and what came of it.

import { h, refill } from "/shared/dom.js";
import { ago, duration, time } from "/shared/format.js";
import { pageHead } from "/shared/shell.js";
import { pill } from "/shared/pill.js";
import { plainTable } from "/shared/table.js";

const SHOWN = 200;

export async function page({ api, live, signal }) {
  const place = h("div");
  async function refresh() {
    const { items } = await api.get("jobs", { limit: SHOWN });
    refill(place, plainTable("Jobs", [
      { label: "Job", cell: (job) => [job.what, h("span", { class: "cell-sub mono" }, job.id)] },
      { label: "State", cell: (job) => pill(job.state) },
      { label: "Result", cell: (job) => job.result ?? "" },
      { label: "Received", class: "nowrap", cell: (job) => ago(job.received) },
      { label: "Ended", class: "nowrap", cell: (job) => (job.ended ? [time(job.ended), job.started && h("span", { class: "cell-sub" }, `after ${duration(new Date(job.ended) - new Date(job.started))}`)] : "") },
    ], items, { empty: "The hub has asked for nothing yet." }));
  }
  await refresh();
  live.refresh(["job"], signal, refresh);
  return [pageHead("Jobs", { about: "Work that the hub handed to this agent, newest first." }), place];
}
