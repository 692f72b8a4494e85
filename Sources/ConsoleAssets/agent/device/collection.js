// How reading the device goes: its last polls, step by step, with how long each took.

import { h, refill } from "/shared/dom.js";
import { ago, bytes, counted, duration, grouped, time, title, words } from "/shared/format.js";
import { card } from "/shared/shell.js";
import { pill } from "/shared/pill.js";
import { plainTable } from "/shared/table.js";
import { terms } from "/shared/value.js";

export async function collectionPart({ api, id, live, signal }) {
  const element = h("div", { class: "stack" });

  async function refresh() {
    const answer = await api.get(`devices/${encodeURIComponent(id)}/collection`);
    refill(element, content(answer));
  }

  await refresh();
  live.refresh(["poll"], signal, refresh, { isMine: (data) => data.id === id });
  return { element };
}

function content({ items, next }) {
  const when = card("Next poll", h("p", null, next ? ago(next) : h("span", { class: "unknown" }, "None is planned: it is retired, or collecting is stopped.")));
  if (items.length === 0) return [when, card("Polls", h("p", { class: "soft" }, "It was not polled since the agent started."))];
  const longest = Math.max(...items.flatMap((poll) => poll.steps.map((step) => step.milliseconds ?? 0)), 1);
  return [when, items.map((poll) => card(h("span", null, `${title(poll.kind)} poll, `, time(poll.time, { always: true, seconds: true })),
    { actions: [pill(poll.outcome === "failed" ? "failed" : poll.outcome)] },
    poll.failure && h("p", null, typeof poll.failure === "string" ? poll.failure : poll.failure.message),
    terms([["Address", poll.address], ["Credential", poll.credential],
      ["Cost", poll.cost && [`${counted(poll.cost.requests, "request")} in ${duration(poll.cost.milliseconds)}, sent `, bytes(poll.cost.bytesSent), ", received ", bytes(poll.cost.bytesReceived)]]]),
    plainTable("Steps of the poll", [
      { label: "Step", cell: (step) => words(step.name) },
      { label: "State", cell: (step) => [pill(step.state === "broken" ? "failed" : step.state, title(step.state)), step.detail && h("span", { class: "cell-sub" }, step.detail)] },
      { label: "Took", number: true, cell: (step) => duration(step.milliseconds) },
      { label: "", class: "wide-only", cell: (step) => h("div", { class: "progress", "aria-hidden": "true" }, h("span", { vars: { "--done": `${(100 * (step.milliseconds ?? 0)) / longest}%` } })) },
      { label: "Requests", number: true, cell: (step) => grouped(step.requests) },
      { label: "Objects", number: true, cell: (step) => grouped(step.objects) },
    ], poll.steps)))];
}
