// A state in a word, with a drawing and a colour: the word alone is enough.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { title } from "./format.js";

/** Tone and drawing of the states that agent, devices, alerts, jobs and installs can be in; others are shown neutrally, by their names. */
const STATES = {
  // Components and health.
  ok: ["good", "check"], working: ["busy", "refresh"], waiting: ["busy", "clock"], degraded: ["warn", "warn"], failed: ["bad", "cross"],
  late: ["warn", "clock"],
  // Devices.
  read: ["good", "check"], unreachable: ["bad", "plug"], new: ["busy", "clock"], replaced: ["mute", "refresh"], merged: ["mute", "box"],
  retired: ["mute", "pause"], unwatched: ["mute", "question"],
  // Alerts.
  critical: ["bad", "warn"], warning: ["warn", "warn"], other: ["mute", "info"], raised: ["warn", "warn"], cleared: ["good", "check"],
  updated: ["busy", "refresh"], open: ["warn", "warn"], info: ["mute", "info"],
  // Jobs, checks and steps.
  received: ["busy", "clock"], queued: ["busy", "clock"], sent: ["busy", "clock"], started: ["busy", "refresh"], running: ["busy", "refresh"],
  completed: ["good", "check"], done: ["good", "check"], passed: ["good", "check"], expired: ["warn", "clock"], refused: ["bad", "cross"],
  cancelled: ["mute", "cross"], interrupted: ["warn", "pause"], skipped: ["mute", "dots"],
  // Identities and codes.
  active: ["good", "check"], revoked: ["bad", "cross"], used: ["mute", "check"],
  // Discovery.
  found: ["good", "printer"], "no-answer": ["mute", "dots"], noAnswer: ["mute", "dots"], notPrinter: ["mute", "info"],
  wrongCredential: ["warn", "lock"], doNotTouch: ["mute", "pause"], excluded: ["mute", "pause"],
  unknown: ["mute", "question"],
};

/**
 * @param {string|null} state
 * @param {string} [text]  instead of the state's own name
 * @param {string} [tone]  "good", "busy", "warn", "bad" or "mute" instead of the state's own
 */
export function pill(state, text = null, tone = null) {
  const [ownTone, drawing] = STATES[state ?? "unknown"] ?? ["mute", "info"];
  return h("span", { class: `pill ${tone ?? ownTone}` }, icon(drawing), h("span", null, text ?? title(state)));
}

/** The tone of a state, for what is not a pill. */
export function toneOf(state) { return (STATES[state] ?? ["mute"])[0]; }
