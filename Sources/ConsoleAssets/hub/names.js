// What things are called, and what who is logged in may do.

import { h } from "/shared/dom.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";

/** Make and model, else the address. Whatever a device calls itself is text. */
export function deviceName({ make, model, address, id }) {
  if (model) return make && !String(model).toLowerCase().startsWith(String(make).toLowerCase()) ? `${make} ${model}` : model;
  return make ?? address ?? id?.slice(0, 8) ?? "unknown device";
}

/** An address without the port that nearly all have. */
export function shortAddress(address) { return address ? String(address).replace(/:161$/, "") : "no address"; }

/** What an alert is about: a device, an install, or all of them together. */
export function alertSubject({ device, install, key }) {
  if (device) return [h("a", { href: link("devices", device.id) }, deviceName(device)), h("span", { class: "cell-sub" }, [device.serial, device.location].filter(Boolean).join(", ") || null)];
  if (install) return [installLink(install), h("span", { class: "cell-sub" }, "install")];
  return key === "silence" ? "many installs" : "not known yet";
}

/** An install by its machine. */
export function installLink({ id, hostName }) { return h("a", { href: link("installs", id) }, hostName || id.slice(0, 8)); }

const TONES = { current: "good", good: "good", new: "mute", late: "warn", doubted: "warn", revoked: "bad", replaced: "mute", valid: "good", expired: "mute", used: "mute" };
const WORDS = { current: "On time", doubted: "In doubt" };

/** States that the hub has besides those of devices, alerts and jobs. */
export function state(name, text = null) { return pill(name, text ?? WORDS[name] ?? null, TONES[name] ?? null); }

/** Whether who is logged in has a role. The server has the last word. */
export function may(session, role) { return session?.user?.roles.includes(role) ?? false; }

/** A filter by entity; none where there is only one, or too many to choose from a list. */
export async function entityFilter(api) {
  const { items } = await api.get("entities");
  if (items.length < 2 || items.length > 500) return [];
  return [{ name: "entity", label: "Entity", options: [["", "All"], ...items.map((one) => [String(one.id), `${"\u2003".repeat(one.depth)}${one.name}`])] }];
}

/** What a choice of one of several begins with, so that nobody takes the first by oversight. */
export function undecided(items) { return items.length > 1 ? [["", "Choose \u2026"]] : []; }

/** Entities to choose from, each under the one that it is in. */
export function entityOptions(items) {
  return items.map((one) => [String(one.id), `${"\u2003".repeat(one.depth)}${one.name}`]);
}
