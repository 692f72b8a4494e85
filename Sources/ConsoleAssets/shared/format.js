// Numbers, amounts and times as people read them. What is unknown is the word "unknown", never a number.

import { h } from "./dom.js";

/** Between groups of three digits: a narrow space that does not break (SI brochure, 5.4.4). */
const THIN = "\u202f";

/** What stands where nothing is known. */
export function unknown(word = "unknown") {
  return h("span", { class: "unknown" }, word);
}

/**
 * A number with its digits in groups; a counter of 64 bits may come as text. Null gives the word "unknown".
 * @param {number|string|null} value
 * @param {number} decimals  at most so many behind the point
 */
export function number(value, decimals = 0) {
  if (value === null || value === undefined || value === "") return unknown();
  return grouped(value, decimals);
}

/** The same as text, for where an element cannot stand. */
export function grouped(value, decimals = 0) {
  if (value === null || value === undefined || value === "") return "unknown";
  let text = String(value);
  if (typeof value === "number") text = Number.isInteger(value) ? String(value) : String(Number(value.toFixed(decimals)));
  const parts = /^(-?)(\d+)(\.\d+)?$/.exec(text);
  if (!parts) return text;
  const [, sign, whole, fraction = ""] = parts;
  return (sign ? "\u2212" : "") + whole.replace(/\B(?=(\d{3})+$)/g, THIN) + fraction;
}

/** One of something, or several: `counted(3, "device")`. */
export function counted(count, one, many = `${one}s`) {
  if (count === null || count === undefined) return `unknown number of ${many}`;
  return `${grouped(count)} ${Number(count) === 1 ? one : many}`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

/** An amount of storage. */
export function bytes(value) {
  if (value === null || value === undefined) return unknown();
  let amount = Number(value);
  let unit = 0;
  while (amount >= 1024 && unit < UNITS.length - 1) { amount /= 1024; unit += 1; }
  return `${amount >= 100 || unit === 0 ? Math.round(amount) : amount.toFixed(1)}${THIN}${UNITS[unit]}`;
}

/** A span of time, by its two greatest units. */
export function duration(milliseconds) {
  if (milliseconds === null || milliseconds === undefined) return "unknown";
  const value = Math.abs(Number(milliseconds));
  if (value < 1000) return `${Math.round(value)}${THIN}ms`;
  if (value < 10_000) return `${(value / 1000).toFixed(1)}${THIN}s`;
  const seconds = Math.round(value / 1000);
  const steps = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = steps.findIndex(([, size]) => seconds >= size);
  const [unit, size] = steps[first];
  const [lesser, lesserSize] = steps[first + 1] ?? [];
  const rest = lesser ? Math.floor((seconds % size) / lesserSize) : 0;
  return `${Math.floor(seconds / size)}${THIN}${unit}` + (rest ? ` ${rest}${THIN}${lesser}` : "");
}

const two = (value) => String(value).padStart(2, "0");
const dayOf = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;

/** A time of this browser's zone as text: `2026-03-01 13:05`, of today the time alone with its seconds. */
export function timeText(value, { seconds = false, always = false } = {}) {
  const date = asDate(value);
  if (!date) return "unknown";
  const minutes = `${two(date.getHours())}:${two(date.getMinutes())}`;
  const isToday = dayOf(date) === dayOf(new Date());
  if (isToday && !always) return `${minutes}:${two(date.getSeconds())}`;
  return `${dayOf(date)} ${minutes}` + (seconds ? `:${two(date.getSeconds())}` : "");
}

/** A time as RFC 3339 text or milliseconds since 1970; null if it is neither. */
export function asDate(value) {
  if (value === null || value === undefined || value === "") return null;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** UTC, for titles. */
export function utc(date) {
  return date.toISOString().replace("T", " ").replace(/(\.000)?Z$/, " UTC");
}

/** A time of this browser's zone, with UTC in its title. */
export function time(value, options) {
  const date = asDate(value);
  if (!date) return unknown(options?.none ?? "unknown");
  return h("time", { datetime: date.toISOString(), title: utc(date) }, timeText(date, options));
}

/** How long ago (or how soon) a time is; keeps itself right while it is in the page. */
export function ago(value, none = "never") {
  const date = asDate(value);
  if (!date) return h("span", { class: "soft" }, none);
  const element = h("time", { datetime: date.toISOString(), title: `${timeText(date, { seconds: true, always: true })}, ${utc(date)}`,
    "data-ago": String(date.getTime()) });
  element.textContent = agoText(date.getTime());
  return element;
}

function agoText(milliseconds) {
  const passed = Date.now() - milliseconds;
  if (Math.abs(passed) < 5000) return "just now";
  const seconds = Math.round(Math.abs(passed) / 1000);
  const steps = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];
  const [unit, size] = steps.find(([, step]) => seconds >= step);
  const text = `${Math.floor(seconds / size)}${THIN}${unit}`;
  return passed >= 0 ? `${text} ago` : `in ${text}`;
}

/** How often the words of `ago` are looked at: their smallest step that matters. */
const AGO_INTERVAL = 10_000;
setInterval(() => {
  for (const element of document.querySelectorAll("[data-ago]")) {
    const text = agoText(Number(element.dataset.ago));
    if (element.textContent !== text) element.textContent = text;
  }
}, AGO_INTERVAL);

/** `lowToner` as "low toner", `SweepCompleted` as "sweep completed"; an abbreviation stays one. */
export function words(name) {
  if (name === null || name === undefined) return "unknown";
  return String(name).replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/[_-]/g, " ")
    .split(" ").map((word) => (/^[A-Z0-9]{2,}$/.test(word) ? word : word.toLowerCase())).join(" ");
}

/** The same with a capital letter in front. */
export function title(name) {
  const text = words(name);
  return text.charAt(0).toUpperCase() + text.slice(1);
}
