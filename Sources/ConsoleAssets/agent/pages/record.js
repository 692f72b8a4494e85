// One record: of the journal, or as it went to the hub, byte by byte.

import { h } from "/shared/dom.js";
import { bytes, time, title, words } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { terms } from "/shared/value.js";

const BYTES_IN_A_LINE = 16;
/** A whole reading has some thousand bytes; more than this nobody reads. */
const DUMP_MAX = 16_384;

export async function page({ api, parameters, setTitle }) {
  const isOutgoing = location.hash.startsWith("#/outgoing");
  const room = isOutgoing ? "outgoing" : "journal";
  const { epoch, sequence } = parameters;
  const record = await api.get(`${room}/records/${encodeURIComponent(epoch)}/${encodeURIComponent(sequence)}`);
  const name = `${title(record.type)} ${record.position}`;
  setTitle(name);
  const sent = record.message;
  return [
    pageHead(name, { back: isOutgoing ? [link("outgoing"), "What leaves here"] : [link("journal"), "Journal"], about: record.summary, actions: neighbours(room, epoch, sequence) }),
    h("div", { class: "columns" },
      card("The record", terms([
        ["Observed", time(record.time, { always: true, seconds: true })], ["Recorded", time(record.recorded, { always: true, seconds: true })],
        ["Device", record.device ? h("a", { href: link("devices", record.device), class: "mono" }, record.device) : "the agent itself"],
        ["Size", bytes(record.bytes)], ["Hub", words(record.state)],
        ["Hash", h("code", null, record.leafHash)],
        ["Bytes", record.intact === undefined ? null : record.intact ? pill("passed", "Those of the hash") : pill("failed", "Not those of the hash")],
        ["Checkpoint", record.checkpoint ? `epoch ${record.checkpoint.epoch}, over ${record.checkpoint.size} records` : "none covers it yet"],
        ["Countersigned", record.checkpoint?.countersigners?.length ? record.checkpoint.countersigners.join(", ") : "by nobody yet"],
        ["Elsewhere", isOutgoing ? h("a", { href: link("journal", epoch, sequence) }, "in the journal") : h("a", { href: link("outgoing", epoch, sequence) }, "as it goes to the hub")],
      ])),
      card("Decoded", h("pre", { class: "json", tabindex: "0", "aria-label": "Decoded" }, JSON.stringify(record.decoded ?? record.body, null, 2)))),
    sent ? card(`What goes to the hub: ${sent.bytes} bytes`, dump(sent.payload)) : card("Its bytes", dump(record.payload)),
  ];
}

function neighbours(room, epoch, sequence) {
  const at = Number(sequence);
  return [at > 1 && h("a", { class: "button", href: link(room, epoch, at - 1) }, "Before"), h("a", { class: "button", href: link(room, epoch, at + 1) }, "After")];
}

/** Bytes as everywhere: where, sixteen in hexadecimal, and what of them is text. */
function dump(base64) {
  let raw;
  try { raw = atob(base64 ?? ""); } catch { return h("p", { class: "soft" }, "The server sent no bytes that can be shown."); }
  const lines = [];
  for (let first = 0; first < Math.min(raw.length, DUMP_MAX); first += BYTES_IN_A_LINE) {
    const part = raw.slice(first, first + BYTES_IN_A_LINE);
    const hex = [...part].map((character) => character.charCodeAt(0).toString(16).padStart(2, "0")).join(" ");
    const text = [...part].map((character) => (character >= " " && character <= "~" ? character : ".")).join("");
    lines.push(`${first.toString(16).padStart(6, "0")}  ${hex.padEnd(BYTES_IN_A_LINE * 3 - 1)}  ${text}`);
  }
  return [h("pre", { class: "json dump", tabindex: "0", "aria-label": "Bytes in hexadecimal" }, lines.join("\n")),
    raw.length > DUMP_MAX && h("p", { class: "soft" }, `The first ${DUMP_MAX} of ${raw.length} bytes.`)];
}
