// What devices and events are called.

import { words } from "/shared/format.js";

/** Make and model, else the address. Whatever a device calls itself is text. */
export function deviceName(device) {
  const text = modelName(device);
  return text || device.address || device.id?.slice(0, 8) || "unknown device";
}

/** Make and model; many devices tell the make in the model as well. */
export function modelName({ make, model }) {
  if (!model) return make ?? "";
  if (!make || String(model).toLowerCase().startsWith(String(make).toLowerCase())) return model;
  return `${make} ${model}`;
}

/** An address without the port that nearly all have. */
export function shortAddress(address) { return address ? String(address).replace(/:161$/, "") : "no address"; }

/** Words of meters that narrow nothing. */
const WIDE = new Set(["all", "any"]);

/** A meter's name as people say it: `total.all.any.twoSided` is "total, two sided", `total#vendor` "total (vendor)". */
export function meterName(name) {
  const [counted, source] = String(name).split("#", 2);
  const parts = counted.split(".").filter((part) => !WIDE.has(part)).map(words);
  return parts.join(", ") + (source === undefined ? "" : ` (${words(source)})`);
}

const FAMILIES = ["total", "print", "copy", "scan", "fax"];

/** Meters in the order in which people look for them: totals first, what is maintained last, and of a family the whole before its parts. */
export function inOrder(meters) {
  const rank = ({ name }) => {
    const place = FAMILIES.indexOf(familyOf(name));
    return place >= 0 ? place : familyOf(name) === "maintenance" ? FAMILIES.length + 1 : FAMILIES.length;
  };
  // What one device counts in a way of its own comes behind what all devices count.
  const parts = ({ name }) => name.split(".").length + (name.includes("#") ? 100 : 0);
  return [...meters].sort((a, b) => rank(a) - rank(b) || familyOf(a.name).localeCompare(familyOf(b.name)) || parts(a) - parts(b) || a.name.localeCompare(b.name));
}

/** `total` of `total.monochrome` and of `total#vendor`. */
export function familyOf(name) { return String(name).split(/[.#]/)[0]; }

/** Where an alert is, if it says so: prtAlertLocation is -1 (other) or -2 (unknown) otherwise. */
export function placeOf({ location }) {
  if (location === null || location === undefined || Number(location) < 0) return null;
  return typeof location === "number" ? `location ${location}` : location;
}
