// One device: what it reads now with the proof of each value, how that came about, what happened to it, and how reading it goes.
// The parts stand behind tabs, which are addresses of their own.

import { h, fill } from "/shared/dom.js";
import { ago, counted, time, unknown } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { icon } from "/shared/icons.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { actionButton } from "/shared/form.js";
import { failed, toast } from "/shared/toast.js";
import { terms } from "/shared/value.js";
import { deviceName, shortAddress } from "/app/names.js";
import { readingPart } from "/app/device/reading.js";
import { historyPart } from "/app/device/history.js";
import { timelinePart } from "/app/device/timeline.js";
import { collectionPart } from "/app/device/collection.js";

const TABS = [["", "Now"], ["history", "History"], ["timeline", "What happened"], ["collection", "Collection"]];
const PARTS = { history: historyPart, timeline: timelinePart, collection: collectionPart };

/** The server answers a reading within 30 s. */
const READ_TIME_MAX = 40_000;

export async function page(context) {
  const { api, live, signal, parameters, query, setTitle } = context;
  const id = parameters.id;
  const tab = query.tab in PARTS ? query.tab : "";
  let device = await api.get(`devices/${encodeURIComponent(id)}`);
  const head = h("div", { class: "stack" });
  const body = h("div", { class: "stack" });

  function showHead() {
    const identity = device.reading?.identity ?? {};
    const name = deviceName({ ...identity, address: shortAddress(device.address), id });
    setTitle(name);
    fill(head, pageHead(name, {
      back: [link("devices"), "Devices"],
      about: [identity.printerName ?? identity.hostName, identity.location, shortAddress(device.address), identity.serial && `serial ${identity.serial}`].filter(Boolean).join(", "),
      actions: [pill(device.state), readNow()],
    }), notes(), tabs(id, tab));
  }

  function readNow() {
    const { possible, reason } = device.readNow ?? { possible: false, reason: null };
    return h("span", { class: "actions" },
      actionButton([icon("refresh"), "Read now"], read, { class: "primary", disabled: !possible, title: possible ? null : reason }),
      !possible && reason && h("span", { class: "soft" }, reason));
  }

  async function read() {
    try {
      const answer = await api.post(`devices/${encodeURIComponent(id)}/read`, {}, { timeMax: READ_TIME_MAX });
      if (answer.outcome === "read") toast(`Read in ${(answer.milliseconds / 1000).toFixed(1)} s.`);
      else if (answer.outcome === "running") toast("Reading goes on; the page shows it when it ends.", "busy");
      else toast(`The device was not read: ${answer.message}`, "bad");
      await refresh();
    } catch (error) { failed(error); }
  }

  function notes() {
    const list = [];
    if (device.mergedInto) {
      list.push(h("div", { class: "note mute" }, icon("info"), h("p", null, "This record ended: the device is the same as ",
        h("a", { href: link("devices", device.mergedInto) }, "the one that goes on"), ".")));
    }
    if (device.retired) list.push(h("div", { class: "note mute" }, icon("pause"), h("p", null, "Retired ", ago(device.retired), ": it was not read for a long time and is asked no more.")));
    if (device.failure) {
      list.push(h("div", { class: "note bad" }, icon("plug"), h("div", null, h("p", null, h("strong", null, "The last poll failed: "), device.failure.message ?? device.failure.reason),
        h("p", { class: "soft" }, "Since ", ago(device.failure.since), ". What is shown is of ", device.lastRead ? time(device.lastRead, { always: true }) : "no reading", "."))));
    }
    return list;
  }

  async function refresh() {
    const next = await api.get(`devices/${encodeURIComponent(id)}`);
    if (JSON.stringify(next) === JSON.stringify(device)) return;
    device = next;
    // A menu or a sheet that is open belongs to what is there now.
    if (!head.contains(document.activeElement)) showHead();
    part.refresh?.(device);
  }

  showHead();
  const make = PARTS[tab] ?? readingPart;
  const part = await make({ ...context, id, device });
  fill(body, part.element);
  live.refresh(["device", "poll", "alert"], signal, refresh, { after: 800, isMine: (data) => data.id === id || data.id === null || data.device === id });
  return [head, body];
}

function tabs(id, current) {
  return h("nav", { class: "tabs", "aria-label": "Parts of this device" }, TABS.map(([key, text]) =>
    h("a", { href: link("devices", id, { tab: key }), "aria-current": key === current ? "page" : null }, text)));
}

/** Who it is, as it says itself. */
export function identityCard(device, valueOf) {
  const identity = device.reading?.identity ?? {};
  const rows = [["Make", "make"], ["Model", "model"], ["Serial", "serial"], ["MAC address", "macAddress"], ["Firmware", "firmware"], ["Host name", "hostName"],
    ["Printer name", "printerName"], ["Location", "location"], ["Asset number", "assetNumber"], ["UUID", "uuid"], ["System", "systemDescription"]]
    .map(([label, key]) => [label, identity[key] ? valueOf(identity[key], "identity", null, key, label) : key === "serial" ? unknown() : null]);
  return card("Identity", terms([...rows,
    ["Address", shortAddress(device.address)], ["Credential", device.credential],
    ["Discovered", device.discovered && time(device.discovered)], ["Last read", ago(device.lastRead)], ["Last change", device.changed && ago(device.changed)],
    ["Last poll", device.lastCost && `${counted(device.lastCost.requests, "request")}, ${(device.lastCost.milliseconds / 1000).toFixed(1)} s`],
    ["Device id", h("code", null, device.id)],
  ]));
}
