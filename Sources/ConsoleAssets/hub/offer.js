// Where devices' own pages may be asked for.

import { h } from "/shared/dom.js";
import { field, form } from "/shared/form.js";
import { dialog } from "/shared/dialog.js";

const CHOICES = [["inherit", "As further away"], ["on", "Technicians may ask for it"], ["off", "Nobody may"]];

/** What counts, in words. */
export function offerWords({ offered, place, served }) {
  if (!served) return "This hub does not serve devices' own pages: it was started without remote technician.";
  const who = { device: "said of the device itself", install: "said of its install" }[place] ?? (place ? `said of ${place}` : "nobody said anything");
  return offered ? `Technicians may ask for it (${who}); the site has a switch of its own at its agent.` : `Nobody may ask for it (${who}).`;
}

/** Asks what is to count at a place. */
export function changeOffer({ api, path, offer }) {
  const own = { devices: "device", installs: "install" }[path.split("/")[0]];
  const isOwn = own ? offer.place === own : false;
  return dialog("Devices' own pages", (close) => {
    const choice = field({ name: "offered", label: "From here on", type: "select", options: CHOICES, value: isOwn ? (offer.offered ? "on" : "off") : "inherit" });
    return [form({
      fields: [choice], label: "Devices' own pages",
      layout: () => [h("p", null, offerWords(offer)), choice.element, h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Set"))],
      submit: async ({ offered }) => {
        await api.put(`${path}/remote`, { offered: { on: true, off: false }[offered] ?? null });
        close(true);
      },
    }).element];
  });
}
