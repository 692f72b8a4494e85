// What leaves this building: to whom, what, when; what is kept back; and every record that went, to the byte.

import { h } from "/shared/dom.js";
import { grouped } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { icon } from "/shared/icons.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { plainTable } from "/shared/table.js";
import { recordList } from "/app/records.js";

export async function page(context) {
  const outgoing = await context.api.get("outgoing");
  const isNothing = outgoing.destinations.length === 0;
  const records = isNothing ? null : await recordList({ ...context, path: "outgoing/records", room: "outgoing", caption: "Records sent or waiting" });
  return [
    pageHead("What leaves here", { about: "Everything that this agent sends out of this network, to the byte. All of it is encrypted, and the agent opens every connection itself." }),
    isNothing && h("div", { class: "note good" }, icon("lock"), h("div", null, h("p", null, h("strong", null, "Nothing leaves this network.")),
      h("p", null, "No hub is configured. ", h("a", { href: link("setup") }, "Connect to a hub")))),
    !isNothing && h("div", { class: "figures" },
      figure("Records sent", grouped(outgoing.sent)), figure("Records waiting", grouped(outgoing.waiting)), figure("Destinations", grouped(outgoing.destinations.length))),
    !isNothing && card("Where it goes", plainTable("Destinations", [
      { label: "Service", cell: (one) => [one.service, h("span", { class: "cell-sub" }, one.address)] },
      { label: "What", cell: (one) => one.what }, { label: "When", cell: (one) => one.when },
      { label: "By way of", cell: (one) => one.proxy ?? "directly" }, { label: "State", cell: (one) => pill(one.state) },
    ], outgoing.destinations)),
    h("div", { class: "columns" },
      card("What is kept back", h("p", { class: "soft" }, "This is in the configuration of this agent and is never sent."), plainTable("What is kept back", [
        { label: "What", cell: (one) => one.what }, { label: "Instead", cell: (one) => one.instead },
        { label: "Here", cell: (one) => (one.names ?? []).join(", ") || "none" },
      ], outgoing.withheld)),
      card("The health report, as it would go now", outgoing.health ? h("pre", { class: "json", tabindex: "0", "aria-label": "Health report" }, JSON.stringify(outgoing.health, null, 2)) : h("p", { class: "soft" }, "None is sent."))),
    card("Kinds of records", h("details", null, h("summary", null, `${outgoing.types.length} kinds`), plainTable("Kinds of records", [
      { label: "Event", cell: (one) => one.type }, { label: "What it tells", cell: (one) => one.what },
      { label: "Order", cell: (one) => (one.ahead ? "ahead of its turn" : "in turn") },
    ], outgoing.types))),
    records && card("Records, newest first", records),
  ];
}

function figure(name, value) {
  return h("div", { class: "figure" }, h("span", { class: "figure-name" }, name), h("span", { class: "figure-value" }, value));
}
