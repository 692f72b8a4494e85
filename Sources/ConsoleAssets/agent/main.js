// The agent's console: its pages, and what stands beside their names.

import { startConsole } from "/shared/shell.js";
import { field } from "/shared/form.js";
import { link } from "/shared/router.js";
import { grouped } from "/shared/format.js";
import { pill } from "/shared/pill.js";
import { Ended } from "/shared/api.js";

const PAGES = {
  dashboard: () => import("/app/pages/dashboard.js"),
  devices: () => import("/app/pages/devices.js"),
  device: () => import("/app/pages/device.js"),
  discovery: () => import("/app/pages/discovery.js"),
  alerts: () => import("/app/pages/alerts.js"),
  jobs: () => import("/app/pages/jobs.js"),
  queue: () => import("/app/pages/queue.js"),
  journal: () => import("/app/pages/journal.js"),
  record: () => import("/app/pages/record.js"),
  outgoing: () => import("/app/pages/outgoing.js"),
  remote: () => import("/app/pages/remote.js"),
  settings: () => import("/app/pages/settings.js"),
  setup: () => import("/app/pages/setup.js"),
  diagnostics: () => import("/app/pages/diagnostics.js"),
};

/** Set once somebody chose to go on without a hub: the first page is then the overview. */
const WITHOUT_HUB = "printtrail.withoutHub";

startConsole({
  name: "PrintTrail",
  api: "/api/v1",
  events: "/api/v1/events",
  home: "dashboard",
  nav: [
    { label: "Overview", icon: "home", to: link("dashboard") },
    { label: "Devices", icon: "printer", to: link("devices"), badge: "devices" },
    { label: "Alerts", icon: "bell", to: link("alerts"), badge: "alerts" },
    { label: "Discovery", icon: "radar", to: link("discovery"), badge: "sweep" },
    { heading: "Delivery" },
    { label: "What leaves here", icon: "eye", to: link("outgoing") },
    { label: "Queue", icon: "box", to: link("queue"), badge: "queue" },
    { label: "Jobs", icon: "list", to: link("jobs") },
    { label: "Journal", icon: "server", to: link("journal") },
    { heading: "This agent" },
    { label: "Remote sessions", icon: "external", to: link("remote"), badge: "remote" },
    { label: "Hub connection", icon: "plug", to: link("setup") },
    { label: "Settings", icon: "sliders", to: link("settings") },
    { label: "Diagnostics", icon: "pulse", to: link("diagnostics") },
  ],
  routes: [
    { path: "dashboard", title: "Overview", load: PAGES.dashboard },
    { path: "devices", title: "Devices", load: PAGES.devices },
    { path: "devices/:id", title: "Device", load: PAGES.device },
    { path: "discovery", title: "Discovery", load: PAGES.discovery },
    { path: "alerts", title: "Alerts", load: PAGES.alerts },
    { path: "jobs", title: "Jobs", load: PAGES.jobs },
    { path: "queue", title: "Queue", load: PAGES.queue },
    { path: "journal", title: "Journal", load: PAGES.journal },
    { path: "journal/:epoch/:sequence", title: "Record", load: PAGES.record },
    { path: "outgoing", title: "What leaves here", load: PAGES.outgoing },
    { path: "outgoing/:epoch/:sequence", title: "What was sent", load: PAGES.record },
    { path: "remote", title: "Remote sessions", load: PAGES.remote },
    { path: "settings", title: "Settings", load: PAGES.settings },
    { path: "setup", title: "Hub connection", load: PAGES.setup },
    { path: "diagnostics", title: "Diagnostics", load: PAGES.diagnostics },
  ],
  session: (api) => api.get("session"),
  loginFields: () => [field({ name: "password", label: "Password", type: "password", hint: "As it was set in the settings here, or by ptagent console password on this machine.",
    attributes: { autocomplete: "current-password", required: true, maxlength: 1024 } })],
  login: (api, { password }) => api.post("session", { password }),
  logout: (api) => api.delete("session"),
  ready: begin,
});

let isWired = false;

async function begin(surface, session) {
  surface.setPlace(session.hostName ?? "", " ");
  if (location.hash.replace(/^#\/?/, "") === "") await firstPage(surface);
  if (!isWired) wire(surface);
  isWired = true;
  counts(surface);
}

/** Whoever opens the console of an agent that knows no hub yet is led to where that is changed. */
async function firstPage({ api }) {
  let isSkipped = false;
  try { isSkipped = localStorage.getItem(WITHOUT_HUB) === "yes"; } catch { /* Without storage, it is shown again. */ }
  if (isSkipped) return;
  try {
    const { state } = await api.get("setup");
    if (state === "unconfigured" || state === "unenrolled") history.replaceState(null, "", link("setup"));
  } catch (error) {
    // The page that is shown instead says what is wrong.
    console.warn("the state of the hub connection is unknown:", error.message);
  }
}

/** Numbers of the navigation, by events. */
function wire(surface) {
  const forever = new AbortController().signal;
  surface.live.refresh(["alert", "device", "status", "job"], forever, () => counts(surface), { after: 1500 });
  surface.live.on("queue", forever, ({ lag }) => showLag(surface, lag));
  surface.live.on("sweep", forever, (sweep) => showSweep(surface, sweep));
}

async function counts(surface) {
  try {
    const { alerts, devices, journal, sweep, agent, remote } = await surface.api.get("dashboard");
    surface.setBadge("alerts", alerts.total > 0 ? grouped(alerts.total) : null, alerts.critical > 0 ? "bad" : alerts.warning > 0 ? "warn" : "mute", "open");
    surface.setBadge("devices", grouped(devices.total), "mute", "known");
    const sessions = (remote?.sessions ?? 0) + (remote?.opening ?? 0);
    surface.setBadge("remote", sessions > 0 ? grouped(sessions) : null, "bad", "open");
    showLag(surface, journal.lag);
    showSweep(surface, sweep);
    surface.setPlace(`${surface.session.hostName ?? agent.hostName} `, agent.condition === "ok" || agent.condition === "working" ? null : pill(agent.condition));
  } catch (error) {
    // The light says that there is no connection, and the pages say the rest; numbers that may be old are taken away.
    if (error instanceof Ended) return;
    for (const name of ["alerts", "devices", "queue", "remote"]) surface.setBadge(name, null);
  }
}

/** Records that wait are normal in small numbers. */
const LAG_SHOWN = 100;

function showLag(surface, lag) {
  const isMuch = lag !== null && lag !== undefined && lag >= LAG_SHOWN;
  surface.setBadge("queue", isMuch ? grouped(lag) : null, "warn", "waiting");
}

function showSweep(surface, sweep) {
  const isRunning = sweep?.running === true && sweep.total > 0;
  surface.setBadge("sweep", isRunning ? `${Math.floor((100 * sweep.done) / sweep.total)}%` : null, "busy", "of the sweep done");
}

export { WITHOUT_HUB };
