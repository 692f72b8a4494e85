// Devices' own pages: asking for one, waiting for it, entering it, ending it.

import { fill, h } from "/shared/dom.js";
import { time, words } from "/shared/format.js";
import { actionButton, field, form } from "/shared/form.js";
import { dialog } from "/shared/dialog.js";
import { failed, toast } from "/shared/toast.js";
import { go, link } from "/shared/router.js";
import { deviceName } from "/app/names.js";

const LONG = [["300", "5 minutes"], ["900", "15 minutes"], ["1800", "30 minutes"]];

const path = (id) => `jobs/${encodeURIComponent(id)}/page`;

/** Asks why, then asks its agent to open a device's own page, and goes to where it is waited for. */
export async function askForPage({ api, device }) {
  const id = await dialog(`Open the page of ${deviceName(device)}?`, (close) => {
    const reason = field({ name: "reason", label: "Why do you have to see it?", type: "textarea", attributes: { required: true, maxlength: 500 },
      hint: "The site sees it, with your name, in its own journal." });
    const seconds = field({ name: "seconds", label: "For at most", type: "select", options: LONG, value: "1800" });
    return [form({
      fields: [reason, seconds], label: "Open its page",
      layout: () => [reason.element, seconds.element, h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Ask its agent"))],
      submit: async (values) => { close((await api.post(`devices/${encodeURIComponent(device.id)}/page`, { reason: values.reason, seconds: Number(values.seconds) })).id); },
    }).element];
  });
  if (id) go(link("jobs", id));
}

/** Enters an open session in a tab of its own. The key stands behind `#`, which no server and no log ever sees. */
export async function enterPage({ api, id }) {
  try {
    const { url, key } = await api.post(path(id));
    const way = h("a", { href: `${url}#${key}`, target: "_blank", rel: "noopener noreferrer" });
    document.body.append(way);
    way.click();
    way.remove();
  } catch (error) { failed(error); }
}

export async function endPage({ api, id }) {
  try {
    const { ended } = await api.delete(path(id));
    toast(ended ? "The session has ended." : "It had ended already.");
  } catch (error) { failed(error); }
}

/** What a job says of the session that it is. */
export function sessionCard({ api, session, job, refresh }) {
  const place = h("div", { class: "stack", role: "status" });
  const { id, own, mayEnd } = session;
  fill(place,
    h("p", null, "The page of ", h("a", { href: link("devices", session.device) }, deviceName(session.about)), session.about.serial && `, ${session.about.serial}`, session.from && `, asked for from ${session.from}`, "."),
    h("p", null, ...sentence(session, job)),
    h("div", { class: "actions" },
      mayEnd && actionButton("End now", async () => { await endPage({ api, id }); await refresh(); }, { class: "danger" }),
      own && session.state === "open" && actionButton(session.entered ? "Show the page anew" : "Show the page", () => enterPage({ api, id }), { class: "primary" })));
  return place;
}

function sentence({ state, reason, user, ends, endReason }, job) {
  const asked = `${user}: ${closed(reason)} `;
  if (state === "open") return [asked, "The page is open until ", time(ends, { always: true }), "."];
  if (state === "ended") return [asked, `The session is over: ${closed(endReason ?? "its time is over")}`];
  const waits = { created: "The agent is told as soon as it is connected.", sent: "The agent has been told.", received: "The agent has it.", started: "The agent looks whether the device is the one it should be." };
  return [asked, waits[job?.state] ?? "Waiting for the agent."];
}

/** A sentence with one full stop, however it came. */
const closed = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);

/** The words for an answer in the list of requests. */
export function answered({ status, error }) {
  if (error === "begun") return "no answer yet";
  if (error) return `${words(error)} (${status})`;
  return status === 0 ? "broken off" : String(status);
}
