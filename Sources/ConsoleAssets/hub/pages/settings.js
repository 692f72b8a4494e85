// What agents are to do: what counts for an entity, an install or a device, who set it, and what became of it.

import { fill, h } from "/shared/dom.js";
import { time, words } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { here, link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { plainTable } from "/shared/table.js";
import { actionButton, field, form } from "/shared/form.js";
import { dialog } from "/shared/dialog.js";
import { failed, toast } from "/shared/toast.js";
import { may } from "/app/names.js";
import { changeOffer, offerWords } from "/app/offer.js";

const TONES = { applied: "good", waiting: "busy", refused: "bad", none: "mute" };

export async function page({ api, live, signal, parameters, session }) {
  const kind = here().path[0];
  const path = `${kind}/${encodeURIComponent(parameters.id)}/settings`;
  const place = h("div", { class: "stack" });
  const canChange = may(session, "configurer");

  async function refresh() {
    const { standing, settings, install } = await api.get(path);
    const whose = `${kind}/${encodeURIComponent(parameters.id)}`;
    const offer = await api.get(`${whose}/remote`);
    fill(place,
      install && h("p", null, pill(standing.state, standing.state === "none" ? "Nothing is set" : `${words(standing.state)}${standing.version === null ? "" : `, version ${standing.version}`}`, TONES[standing.state]),
        standing.since && [" since ", time(standing.since, { always: true })]),
      standing.reason && h("div", { class: "note bad" }, h("p", null, standing.reason),
        h("p", null, standing.inUse === null ? "The agent goes on without settings of this hub." : `The agent goes on with version ${standing.inUse}.`)),
      plainTable("Settings", [
        { label: "Key", cell: (one) => h("code", null, one.key) }, { label: "Value", cell: (one) => (one.value === null ? h("span", { class: "soft" }, "none") : h("code", null, one.value)) },
        { label: "Set by", cell: (one) => one.origin }, { label: "At the agent", cell: (one) => one.agent ?? "" },
        ...(canChange ? [{ label: "Change", cell: (one) => actionButton("Change", () => change(one), { class: "small", "aria-label": `Change ${one.key}` }) }] : []),
      ], settings, { key: (one) => one.key }),
      card("Devices' own pages", h("p", null, offerWords(offer)),
        canChange && h("div", { class: "actions" }, actionButton("Change", () => changeOffer({ api, path: whose, offer }).then((done) => done && refresh())))));
  }

  async function change(one) {
    const done = await dialog(`Set ${one.key} here`, (close) => {
      const value = field({ name: one.key, label: "Value", value: one.value ?? "", hint: "As in ptagent.toml; a text needs no quotes, and a list has commas between its elements." });
      return [form({ fields: [value], label: one.key,
        layout: () => [value.element, h("div", { class: "actions" }, h("button", { type: "submit", value: "unset" }, "Set it here no more"), h("button", { type: "submit", class: "primary", value: "set" }, "Set"))],
        submit: async (values, button) => { await api.put(path, { changes: { [one.key]: button === "unset" ? null : values[one.key] } }); close(true); } }).element];
    });
    if (done) { toast("Agents that are connected take it within seconds, others when they come."); await refresh(); }
  }

  await refresh();
  live.refresh(["audit", "device"], signal, () => refresh().catch(failed), { after: 2000 });
  return [pageHead("Settings", { back: [kind === "entities" ? link(kind) : link(kind, parameters.id), kind === "entities" ? "Entities" : kind === "installs" ? "Install" : "Device"],
    about: "What counts here: its own setting, else that of the nearest above." }), place];
}
