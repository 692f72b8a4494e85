// Technicians' sessions with devices' own pages: who is there now, and who was.

import { h, refill } from "/shared/dom.js";
import { ago, duration, time, title } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { plainTable } from "/shared/table.js";
import { deviceName } from "/app/names.js";
import { remoteCard, usage } from "/app/remote.js";

const SHOWN = 100;

export async function page(context) {
  const past = h("div");
  let shown = null;

  async function refresh() {
    const { items } = await context.api.get("remote/closed", { limit: SHOWN });
    const text = JSON.stringify(items);
    if (text === shown) return;
    shown = text;
    refill(past, plainTable("Remote sessions that ended", [
      { label: "Who", cell: (one) => [one.user ?? "no longer known", one.from && h("span", { class: "cell-sub" }, `from ${one.from}`)] },
      { label: "Device", cell: (one) => (one.device ? h("a", { href: link("devices", one.device.id) }, deviceName(one.device)) : "") },
      { label: "Why", cell: (one) => one.reason ?? "" },
      { label: "Ended", class: "nowrap", cell: (one) => [time(one.ended), h("span", { class: "cell-sub" }, `after ${duration(new Date(one.ended) - new Date(one.since))}, `, ago(one.ended))] },
      { label: "By what", cell: (one) => [title(one.why), h("span", { class: "cell-sub" }, one.message)] },
      { label: "Requests", class: "nowrap", cell: usage },
    ], items, { empty: "No session has ended yet." }));
  }

  const open = await remoteCard(context, { changed: refresh });
  return [pageHead("Remote sessions", { about: "Technicians who see a device's own page from afar. What they ask for is in this agent's journal." }),
    open, card("Sessions that ended", past)];
}
