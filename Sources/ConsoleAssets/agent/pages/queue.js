// What waits for the hub, how fast it goes, and what the hub did not take.

import { h, refill } from "/shared/dom.js";
import { ago, bytes, counted, duration, grouped, number, time, unknown, words } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { plainTable } from "/shared/table.js";
import { terms } from "/shared/value.js";

export async function page({ api, live, signal }) {
  const place = h("div", { class: "stack" });
  async function refresh() { refill(place, content(await api.get("queue"))); }
  await refresh();
  live.refresh(["queue", "status"], signal, refresh, { after: 1000 });
  return [pageHead("Queue", { about: "Records on their way to the hub." }), place];
}

function content(queue) {
  const isEmpty = queue.lag === 0;
  return [
    h("div", { class: "columns" },
      card("Waiting", terms([
        ["State", [queue.state ? pill(queue.state) : null, " ", queue.message ?? "no hub is configured: nothing is delivered"]],
        ["Records", isEmpty ? "none" : number(queue.lag)], ["Size", isEmpty ? null : bytes(queue.lagBytes)],
        ["Oldest", isEmpty || !queue.oldest ? null : [ago(queue.oldest), queue.oldestSeconds ? ` (${duration(queue.oldestSeconds * 1000)})` : ""]],
        ["Mode", queue.mode && words(queue.mode)], ["Next check-in", queue.nextCheckIn && ago(queue.nextCheckIn)],
      ])),
      card("Position", terms([
        ["Journal's head", position(queue.head)], ["Hub has up to", queue.acknowledged ? position(queue.acknowledged) : "nothing yet"],
        ["Countersigned", queue.countersigned ? position(queue.countersigned) : "nothing yet"],
        ["Lost", queue.lost === undefined ? unknown() : queue.lost === 0 ? "none" : counted(queue.lost, "record")],
      ])),
      card("Pace", terms([
        ["Last minute", rate(queue.rateOverOneMinute)], ["Last five", rate(queue.rateOverFiveMinutes)],
        ["Sent", number(queue.recordsSent)], ["Acknowledged", number(queue.recordsAcknowledged)], ["Ahead of turn", number(queue.expressSent)],
      ]))),
    card("What the hub did not take", plainTable("What the hub did not take", [
      { label: "Record", cell: (trouble) => recordLink(trouble.records) },
      { label: "What", cell: (trouble) => pill(trouble.kind === "rejected" ? "refused" : "degraded", words(trouble.kind)) },
      { label: "Reason", cell: (trouble) => trouble.reason },
      { label: "When", class: "nowrap", cell: (trouble) => time(trouble.time) },
    ], queue.troubles ?? [], { empty: "The hub took everything so far." })),
  ];
}

function rate(value) { return value === undefined || value === null ? unknown() : `${grouped(value, 1)} records a second`; }

function position(at) { return at ? h("a", { href: link("journal", at.epoch, at.sequence) }, `${at.epoch}/${grouped(at.sequence)}`) : unknown(); }

function recordLink(records) {
  const [, epoch, sequence] = /^(\d+)\/(\d+)/.exec(records) ?? [];
  return epoch ? h("a", { href: link("journal", epoch, sequence) }, records) : records;
}
