// Meters as people call them, and in the order in which they look for them.

import { words } from "/shared/format.js";

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
