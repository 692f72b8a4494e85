// The hub's console: its pages, and what stands beside their names.

import { startConsole } from "/shared/shell.js";
import { field } from "/shared/form.js";
import { link } from "/shared/router.js";
import { grouped } from "/shared/format.js";
import { Ended } from "/shared/api.js";

const page = (name) => () => import(`/app/pages/${name}.js`);

startConsole({
  name: "PrintTrail hub",
  api: "/api/v1",
  events: "/api/v1/events",
  home: "overview",
  nav: [
    { label: "Overview", icon: "home", to: link("overview") },
    { label: "Entities", icon: "building", to: link("entities") },
    { label: "Installs", icon: "server", to: link("installs"), badge: "installs" },
    { label: "Devices", icon: "printer", to: link("devices"), badge: "devices" },
    { label: "Alerts", icon: "bell", to: link("alerts"), badge: "alerts" },
    { heading: "Work" },
    { label: "Jobs", icon: "list", to: link("jobs"), badge: "jobs" },
    { label: "Open pages", icon: "external", to: link("pages") },
    { label: "DataLink codes", icon: "key", to: link("codes") },
    { heading: "This hub" },
    { label: "Users", icon: "users", to: link("users") },
    { label: "Audit trail", icon: "eye", to: link("audit") },
    { label: "My account", icon: "lock", to: link("account") },
  ],
  routes: [
    { path: "overview", title: "Overview", load: page("overview") },
    { path: "entities", title: "Entities", load: page("entities") },
    { path: "entities/:id/settings", title: "Settings", load: page("settings") },
    { path: "installs", title: "Installs", load: page("installs") },
    { path: "installs/:id", title: "Install", load: page("install") },
    { path: "installs/:id/settings", title: "Settings", load: page("settings") },
    { path: "devices", title: "Devices", load: page("devices") },
    { path: "devices/:id", title: "Device", load: page("device") },
    { path: "devices/:id/settings", title: "Settings", load: page("settings") },
    { path: "alerts", title: "Alerts", load: page("alerts") },
    { path: "jobs", title: "Jobs", load: page("jobs") },
    { path: "jobs/:id", title: "Job", load: page("job") },
    { path: "pages", title: "Open pages", load: page("pages") },
    { path: "codes", title: "DataLink codes", load: page("codes") },
    { path: "users", title: "Users", load: page("users") },
    { path: "audit", title: "Audit trail", load: page("audit") },
    { path: "account", title: "My account", load: page("account") },
  ],
  session: (api) => api.get("session"),
  loginFields: () => [
    field({ name: "user", label: "User", attributes: { autocomplete: "username", required: true, maxlength: 100 } }),
    field({ name: "password", label: "Password", type: "password", attributes: { autocomplete: "current-password", required: true, maxlength: 1024 } }),
  ],
  login: (api, { user, password }) => api.post("session", { user: user.trim(), password }),
  logout: (api) => api.delete("session"),
  ready: begin,
});

let isWired = false;

async function begin(surface, session) {
  const user = session.user;
  surface.setPlace(user ? `${user.displayName}${user.entity ? `, ${user.entity}` : ""}` : "");
  // What is for administrators alone is refused by the server; it need not be offered.
  for (const name of ["users", "audit"]) {
    const entry = document.querySelector(`.side a[href="${link(name)}"]`)?.parentElement;
    if (entry) entry.hidden = !user?.roles.includes("administrator");
  }
  if (!isWired) {
    isWired = true;
    surface.live.refresh(["alert", "device", "install", "job"], new AbortController().signal, () => counts(surface), { after: 2000 });
  }
  counts(surface);
}

/** Numbers of the navigation. */
async function counts(surface) {
  try {
    const { installs, devices, alerts, jobs } = await surface.api.get("overview");
    const troubled = installs.late + installs.doubted;
    surface.setBadge("installs", troubled > 0 ? grouped(troubled) : null, "warn", "late or in doubt");
    surface.setBadge("devices", grouped(devices.total), "mute", "known");
    surface.setBadge("alerts", alerts.total > 0 ? grouped(alerts.total) : null, alerts.critical > 0 ? "bad" : alerts.warning > 0 ? "warn" : "mute", "open");
    surface.setBadge("jobs", jobs.open > 0 ? grouped(jobs.open) : null, "busy", "open");
  } catch (error) {
    // The light says that there is no connection, and the pages say the rest; numbers that may be old are taken away.
    if (error instanceof Ended) return;
    for (const name of ["installs", "devices", "alerts", "jobs"]) surface.setBadge(name, null);
  }
}
