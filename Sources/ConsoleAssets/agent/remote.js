// Technicians who see a device's own page at this moment, and the button that ends them all.

import { fill, h, refill } from "/shared/dom.js";
import { ago, bytes, counted, grouped, time } from "/shared/format.js";
import { actionButton } from "/shared/form.js";
import { card } from "/shared/shell.js";
import { icon } from "/shared/icons.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { plainTable } from "/shared/table.js";
import { failed, toast } from "/shared/toast.js";
import { deviceName } from "/app/names.js";

/** Records of devices that tell of sessions. */
const isOfSession = (data, name) => name !== "device" || data.type === undefined || String(data.type).startsWith("Remote");

/**
 * The card, which keeps itself up to date for as long as `signal` lasts.
 * @param {boolean} [onlyWhileOpen]  it is hidden where no session is open
 * @param {function} [changed]  called when it was looked again
 */
export async function remoteCard({ api, live, signal }, { onlyWhileOpen = false, changed = null } = {}) {
  const state = h("p", { class: "remote-state", role: "status" });
  const label = h("span");
  const all = actionButton([icon("cross"), label], () => end("remote/sessions"), { class: "alarm" });
  const list = h("div");
  const place = card("Remote sessions", onlyWhileOpen ? { actions: [h("a", { href: link("remote") }, "All sessions")] } : {}, state, all, list);
  let shown = null;
  /** What counts on, by session. */
  let counters = new Map();

  async function refresh() {
    const remote = await api.get("remote");
    const count = remote.sessions.length + remote.opening;
    place.hidden = onlyWhileOpen && count === 0;
    all.hidden = count === 0;
    label.textContent = count === 1 ? "End the session now" : `End all ${grouped(count)} sessions now`;
    // Rows are made anew only where a session came or went: a button that is replaced while it is pressed does nothing.
    const same = JSON.stringify([remote.enabled, remote.opening, remote.sessions.map((one) => one.id)]);
    if (same !== shown) {
      shown = same;
      counters = new Map(remote.sessions.map((one) => [one.id, h("div")]));
      fill(state, pill(remote.enabled ? "on" : "off", null, remote.enabled ? "warn" : "mute"), " ", words(remote));
      refill(list, count > 0 && table(remote.sessions));
    }
    for (const one of remote.sessions) fill(counters.get(one.id), usage(one));
    await changed?.();
  }

  /** At once, and without a question: whoever presses it does not want to be asked. */
  async function end(path) {
    try {
      const { ended } = await api.delete(path);
      toast(ended === 1 ? "The session has ended." : `${counted(ended, "session")} ended.`);
    } catch (error) { failed(error); }
    await refresh().catch(failed);
  }

  function table(sessions) {
    return plainTable("Open remote sessions", [
      { label: "Who", cell: (one) => [one.user, h("span", { class: "cell-sub" }, `from ${one.from || "an unknown address"}`)] },
      { label: "Device", cell: (one) => [h("a", { href: link("devices", one.device.id) }, deviceName(one.device)), h("span", { class: "cell-sub" }, one.address)] },
      { label: "Why", cell: (one) => one.reason },
      { label: "Since", class: "nowrap", cell: (one) => [ago(one.since), h("span", { class: "cell-sub" }, "until ", time(one.until, { always: true }))] },
      { label: "Requests", class: "nowrap", cell: (one) => counters.get(one.id) },
      { label: "Do", cell: (one) => actionButton("End now", () => end(`remote/sessions/${encodeURIComponent(one.id)}`), { class: "danger", "aria-label": `End now: ${one.user}, ${deviceName(one.device)}` }) },
    ], sessions, { empty: "The device is asked who it is.", key: (one) => one.id });
  }

  await refresh();
  live.refresh(["job", "device", "settings"], signal, () => refresh().catch(failed), { after: 500, isMine: isOfSession });
  return place;
}

export function usage({ requests, bytesReceived, bytesSent }) {
  return [grouped(requests), h("span", { class: "cell-sub" }, bytes(bytesReceived), " read, ", bytes(bytesSent), " sent")];
}

function words({ enabled, sessions, opening, hub }) {
  if (sessions.length > 0) return `${counted(sessions.length, "session")} with a device's own page ${sessions.length === 1 ? "is" : "are"} open.`;
  if (opening > 0) return "A session is being opened.";
  if (!enabled) return "Nobody can see a device's own page through this agent. It is switched on in ptagent.toml alone.";
  return `No session is open. The hub may ask for one${hub ? `; it then goes to ${hub}` : ""}.`;
}
