// What happened to a device: its states as a strip, and each event that says more than "all as before".

import { h, fill } from "/shared/dom.js";
import { time, title } from "/shared/format.js";
import { card } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { strip } from "/shared/strip.js";
import { actionButton } from "/shared/form.js";
import { failed } from "/shared/toast.js";

const PAGE = 50;

/** What the events say of how the device was from there on; others say nothing of it. */
const STATES = {
  ReadingTaken: ["read", "read"], ReadingChanged: ["read", "read"], ReadingUnchanged: ["read", "read"], DeviceReturned: ["read", "read"],
  PollFailed: ["unreachable", "not read"], DeviceRetired: ["retired", "retired"], DeviceDiscovered: ["new", "discovered"],
};

export async function timelinePart({ api, id, live, signal }) {
  const list = h("ol", { class: "trail" });
  const band = h("div");
  const more = h("div", { class: "actions" });
  let items = [];
  let next = null;

  async function load(before) {
    const answer = await api.get(`devices/${encodeURIComponent(id)}/timeline`, { limit: PAGE, before });
    items = before ? [...items, ...answer.items] : answer.items;
    next = answer.next;
    show();
  }

  function show() {
    fill(list, items.map((item) => h("li", null, time(item.time, { always: true, seconds: true }),
      h("a", { href: link("journal", ...item.position.split("/")) }, title(item.type)), h("span", null, item.summary))));
    fill(band, strip("States of the device", pieces(items)));
    fill(more, next && actionButton("Older", () => load(next).catch(failed)));
  }

  await load(null);
  live.refresh(["device"], signal, () => { if (items.length <= PAGE && !list.contains(document.activeElement)) load(null); }, { after: 1500, isMine: (data) => data.id === id });
  return { element: card("What happened", items.length === 0 ? h("p", { class: "soft" }, "Nothing is recorded of it.") : null, band, list, more) };
}

/** Stretches of one state, from the oldest event that is shown until now. */
function pieces(items) {
  const found = [];
  for (const item of [...items].reverse()) {
    const state = STATES[item.type];
    if (!state) continue;
    const at = new Date(item.time).getTime();
    const last = found.at(-1);
    if (last) last.to = at;
    if (last?.state === state[0]) continue;
    found.push({ state: state[0], text: state[1], from: at, to: at });
  }
  if (found.length > 0) found.at(-1).to = Math.max(Date.now(), found.at(-1).from + 1);
  return found;
}
