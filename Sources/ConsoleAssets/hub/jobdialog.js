// Jobs to choose from, and what each needs.

import { fill, h } from "/shared/dom.js";
import { counted } from "/shared/format.js";
import { field, form } from "/shared/form.js";
import { dialog } from "/shared/dialog.js";
import { toast } from "/shared/toast.js";
import { go, link } from "/shared/router.js";
import { deviceName, entityOptions, undecided } from "/app/names.js";

const KINDS = [
  ["scan", "Scan: look for printers now"], ["upload", "Upload: read printers now and deliver"], ["alerts", "Alerts: read alerts now and deliver"],
  ["settings", "Settings: take the hub's settings anew"], ["restart", "Restart the agent"], ["diagnostics", "Diagnostics: bring status and log"],
];
/** Those that a device can be named for. */
const OF_DEVICES = ["upload", "alerts", "settings"];
const VALID = [["3600", "1 hour"], ["28800", "8 hours"], ["86400", "1 day"], ["604800", "7 days"]];

/**
 * Asks what is to be done and creates it.
 * @param {object} options
 * @param {object} [options.install]  who is to do it; else it is chosen: an entity's installs
 * @param {object} [options.device]  the device that it is about
 * @returns {Promise<string[]|undefined>} the ids of the jobs
 */
export async function newJob({ api, install = null, device = null }) {
  const entities = install || device ? [] : (await api.get("entities")).items;
  const kinds = device ? KINDS.filter(([kind]) => OF_DEVICES.includes(kind)) : KINDS;
  const ids = await dialog("New job", (close) => {
    const kind = field({ name: "kind", label: "What", type: "select", options: kinds, value: kinds[0][0] });
    const entity = field({ name: "entity", label: "Each install of", type: "select", options: [...undecided(entities), ...entityOptions(entities)], hint: "And of the entities under it; revoked ones are left out." });
    const ranges = field({ name: "ranges", label: "Only there", hint: "Address ranges with commas between them, within what the agent is configured for. Empty: all of it." });
    const atOnce = field({ name: "atOnce", label: "At once: what runs has failed then", type: "checkbox" });
    const valid = field({ name: "validSeconds", label: "May wait and run for", type: "select", options: VALID, value: "3600" });
    const some = h("div", { class: "stack" });
    const show = () => fill(some, kind.value === "scan" ? ranges.element : null, kind.value === "restart" ? atOnce.element : null);
    kind.input.addEventListener("change", show);
    show();
    const whose = install ? h("p", null, "By ", h("strong", null, install.hostName), ".") : device ? h("p", null, "For ", h("strong", null, deviceName(device)), ".") : entity.element;
    return [form({
      fields: [kind, entity, ranges, atOnce, valid], label: "New job",
      layout: () => [whose, kind.element, some, valid.element, h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Create"))],
      submit: async (values) => {
        const body = { kind: values.kind, validSeconds: Number(values.validSeconds) };
        if (install) body.install = install.id;
        else if (device) body.devices = [device.id];
        else if (values.entity) body.entity = Number(values.entity);
        else { entity.complain("Choose one."); entity.input.focus(); return; }
        if (values.kind === "scan") body.ranges = values.ranges.split(",").map((one) => one.trim()).filter(Boolean);
        if (values.kind === "restart") body.atOnce = values.atOnce;
        close((await api.post("jobs", body)).ids);
      },
    }).element];
  });
  if (ids) {
    toast(`${counted(ids.length, "job")} created.`);
    if (ids.length === 1) go(link("jobs", ids[0]));
  }
  return ids;
}
