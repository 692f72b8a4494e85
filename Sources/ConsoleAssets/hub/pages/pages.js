// Devices' own pages that are open or asked for: one's own, and for configurers all.

import { fill, h } from "/shared/dom.js";
import { ago, time } from "/shared/format.js";
import { pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { plainTable } from "/shared/table.js";
import { actionButton } from "/shared/form.js";
import { failed } from "/shared/toast.js";
import { deviceName } from "/app/names.js";
import { endPage, enterPage } from "/app/remote.js";

export async function page({ api, live, signal }) {
  const place = h("div", { class: "stack" });

  async function refresh() {
    const { items } = await api.get("pages");
    fill(place, plainTable("Open pages", [
      { label: "Session", cell: (one) => h("a", { href: link("jobs", one.id) }, one.reason) }, { label: "User", cell: (one) => one.user },
      { label: "Device", cell: (one) => [h("a", { href: link("devices", one.device) }, deviceName(one.about)), h("span", { class: "cell-sub" }, one.about.serial)] }, { label: "State", cell: (one) => pill(one.state) },
      { label: "Asked", class: "nowrap", cell: (one) => ago(one.created) }, { label: "Ends", class: "nowrap", cell: (one) => (one.ends ? time(one.ends, { always: true }) : "") },
      { label: "Do", cell: (one) => h("div", { class: "row-actions" },
        one.own && one.state === "open" && actionButton("Show", () => enterPage({ api, id: one.id }), { class: "small" }),
        one.mayEnd && actionButton("End now", async () => { await endPage({ api, id: one.id }); await refresh(); }, { class: "small danger" })) },
    ], items, { empty: "No device's page is open.", key: (one) => one.id }));
  }

  // First to listen, then to ask: what changes between the two is not missed.
  live.refresh(["job", "audit"], signal, () => refresh().catch(failed), { after: 500 });
  await refresh();
  return [pageHead("Open pages", { about: "Devices' own pages, through their agents." }), place];
}
