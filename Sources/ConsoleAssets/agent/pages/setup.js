// The way to the hub: on the first run the code, the hub and the proxy, a test of each service with the reason of each failure, and the
// activation; afterwards what this machine is enrolled as, and the test again.

import { fill, h } from "/shared/dom.js";
import { counted, duration } from "/shared/format.js";
import { card, pageHead } from "/shared/shell.js";
import { icon } from "/shared/icons.js";
import { link } from "/shared/router.js";
import { pill } from "/shared/pill.js";
import { field, form } from "/shared/form.js";
import { toast } from "/shared/toast.js";
import { confirm } from "/shared/dialog.js";
import { plainTable } from "/shared/table.js";
import { terms } from "/shared/value.js";

/** The server answers a test within 20 s and an activation within 45 s. */
const TEST_TIME_MAX = 30_000;
const ACTIVATE_TIME_MAX = 60_000;
const WITHOUT_HUB = "printtrail.withoutHub";

const SERVICES = {
  csr: "gives this machine its certificate",
  dcam: "takes the records and hands out jobs",
  hc: "hears how the agent is",
  remotetechnician: "lets technicians see a device's own pages",
};

export async function page(context) {
  const { api, live, signal } = context;
  const element = h("div", { class: "stack" });
  let setup = await api.get("setup");

  function show(isAgain = false) {
    const isEnrolled = setup.state === "enrolled" && !isAgain;
    fill(element,
      pageHead(isEnrolled ? "Hub connection" : "Connect to a hub", {
        about: isEnrolled ? null : "The agent finds and reads printers without a hub; the overview shows how it fares. To send what it reads to a hub, give it the DataLink code that the hub's operator made for this customer.",
        actions: setup.state === "unconfigured" || setup.state === "unenrolled" ? [h("a", { class: "button", href: link("dashboard"), on: { click: withoutHub } }, "Go on without a hub")] : [],
      }),
      identityNote(), isEnrolled ? enrolled() : activation(isAgain));
  }

  function identityNote() {
    if (setup.state !== "failed") return null;
    const { message, remedy } = setup.identity ?? {};
    return h("div", { class: "note bad" }, icon("warn"), h("div", null, h("p", null, h("strong", null, "The identity of this machine cannot be used: "), message), remedy && h("p", null, remedy)));
  }

  function enrolled() {
    const { install, hub, proxy } = setup;
    const results = h("div", { class: "stack", "aria-live": "polite" });
    const test = form({
      fields: [], label: "Test connectivity",
      layout: () => [h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, icon("plug"), "Test connectivity"),
        h("button", { type: "button", on: { click: again } }, "Enrol again \u2026"))],
      submit: async () => showChecks(results, await api.post("setup/connectivity", {}, { timeMax: TEST_TIME_MAX })),
    });
    return h("div", { class: "columns" },
      card("This machine is enrolled", terms([
        ["Entity", install?.entity], ["Install", install && h("code", null, install.id)], ["Hub", install?.hub],
        ["Certificate", install?.certificateDaysLeft === null || install?.certificateDaysLeft === undefined ? null : `${counted(install.certificateDaysLeft, "day")} left; it is renewed by itself`],
        ["Identity", setup.identity && [pill(setup.identity.state), " ", setup.identity.message]],
      ])),
      card("Connection", terms([
        ["csr", hub.csr], ["dcam", hub.dcam ?? "as the hub says"], ["hc", hub.hc ?? "as the hub says"], ["remotetechnician", hub.remotetechnician ?? "not used"],
        ["Trusts", hub.caPin ? h("code", null, hub.caPin) : hub.caFile ? "the certificates of ca_file" : null],
        ["Proxy", proxy.address ?? "none"], ["Set in", origin(hub.origin)],
      ]), test.element, results));
  }

  async function again() {
    const isWanted = await confirm("Enrol this machine again?", "It becomes another install at the hub. Records that were delivered stay those of the install that it is now.", "Enrol again", { danger: true });
    if (isWanted) show(true);
  }

  function activation(isAgain) {
    const { hub, proxy } = setup;
    const fixed = (part) => ({ disabled: !part.changeable });
    const fields = {
      code: field({ name: "code", label: "DataLink code", hint: "24 digits, as the hub's operator gave them; blanks do not matter.",
        attributes: { autocomplete: "one-time-code", maxlength: 64, class: "mono", required: true } }),
      csr: field({ name: "hub.csr", label: "Hub", value: hub.csr ?? "", hint: hub.changeable ? "Host and port where machines enrol, such as hub.example.org:7443." : hub.reason, attributes: fixed(hub) }),
      pin: field({ name: "hub.caPin", label: "Pin of the hub", value: hub.caPin ?? "", hint: hub.caFile ? "The file names a CA instead." : "sha256/ and 44 characters, as pthub ca show prints it. It makes sure that this is the right hub.", attributes: { ...fixed(hub), class: "mono" } }),
      dcam: field({ name: "hub.dcam", label: "dcam", value: hub.dcam ?? "", hint: "Left empty, as the hub says.", attributes: fixed(hub) }),
      hc: field({ name: "hub.hc", label: "hc", value: hub.hc ?? "", hint: "Left empty, as the hub says.", attributes: fixed(hub) }),
      proxy: field({ name: "proxy.address", label: "Proxy", value: proxy.address ?? "", hint: proxy.changeable ? "Host and port; left empty, the hub is reached directly." : proxy.reason, attributes: fixed(proxy) }),
      user: field({ name: "proxy.user", label: "User at the proxy", value: proxy.user ?? "", attributes: fixed(proxy) }),
      password: field({ name: "proxy.password", label: "Password at the proxy", type: "password", hint: proxy.hasPassword ? "One is set; left empty, it stays." : null, attributes: { ...fixed(proxy), autocomplete: "new-password", maxlength: 1024 } }),
    };
    const results = h("div", { class: "stack", "aria-live": "polite" });
    const isAdvanced = Boolean(proxy.address || hub.dcam || hub.hc);
    const advanced = h("details", { open: isAdvanced },
      h("summary", null, "Proxy and other addresses"),
      h("div", { class: "stack advanced" }, fields.proxy.element, fields.user.element, fields.password.element, fields.dcam.element, fields.hc.element));
    const controller = form({
      fields: Object.values(fields), label: "Connect to a hub",
      layout: () => [fields.code.element, fields.csr.element, fields.pin.element, advanced,
        h("div", { class: "actions" },
          h("button", { type: "submit", class: "primary", value: "activate" }, "Activate"),
          h("button", { type: "submit", value: "test" }, icon("plug"), "Test connectivity"))],
      submit: async (values, button) => {
        const body = { ...(hub.changeable ? { hub: hubOf(values) } : {}), ...(proxy.changeable ? { proxy: proxyOf(values) } : {}) };
        // An error may stand at a field that is folded away.
        try {
          if (button === "test") { showChecks(results, await api.post("setup/connectivity", body, { timeMax: TEST_TIME_MAX })); return; }
          setup = await api.post("setup/activate", { ...body, code: values.code, again: isAgain }, { timeMax: ACTIVATE_TIME_MAX });
        } catch (error) {
          if ((error.all ?? []).some(({ field: name }) => name && !["code", "hub.csr", "hub.caPin"].includes(name))) advanced.open = true;
          throw error;
        }
        toast(`This machine is enrolled${setup.install?.entity ? ` under ${setup.install.entity}` : ""}. Delivery begins by itself.`);
        show();
        element.querySelector("h1")?.focus();
      },
    });
    return h("div", { class: "columns" }, card("Activation", controller.element), card("Connectivity", h("p", { class: "soft" },
      "The agent opens connections to these services, outwards alone. Nothing is saved by a test."), serviceList(), results));
  }

  function withoutHub() {
    try { localStorage.setItem(WITHOUT_HUB, "yes"); } catch { /* Then this page comes first again. */ }
  }

  show();
  live.refresh(["status"], signal, async () => {
    const next = await api.get("setup");
    // What somebody is typing is not taken away; that the machine is enrolled meanwhile is worth it.
    if (next.state === setup.state && JSON.stringify(next.install) === JSON.stringify(setup.install)) return;
    setup = next;
    if (!element.querySelector("form")?.contains(document.activeElement)) show();
  });
  return element;
}

function hubOf(values) {
  const text = (name) => values[name].trim() || null;
  return { csr: text("hub.csr"), dcam: text("hub.dcam"), hc: text("hub.hc"), caPin: text("hub.caPin") };
}

function proxyOf(values) {
  const address = values["proxy.address"].trim();
  if (!address) return null;
  return { address, ...(values["proxy.user"] ? { user: values["proxy.user"] } : {}), ...(values["proxy.password"] ? { password: values["proxy.password"] } : {}) };
}

function serviceList() {
  return h("dl", { class: "terms" }, Object.entries(SERVICES).map(([name, what]) => h("div", null, h("dt", null, name), h("dd", null, what))));
}

const CHECK_WORDS = { ok: ["passed", "Passed"], failed: ["failed", "Failed"], unknown: ["unknown", "Not known yet"], off: ["skipped", "Not used"] };

function showChecks(place, { checks }) {
  const failures = checks.filter((check) => check.state === "failed");
  const tested = checks.filter((check) => check.state === "ok").length;
  fill(place,
    h("p", null, failures.length > 0 ? h("strong", null, `${failures.length} of ${failures.length + tested} tests failed.`) : tested > 0 ? "Every service that could be tested answers." : "Nothing could be tested."),
    plainTable("Connectivity", [
      { label: "Service", cell: (check) => [check.service, h("span", { class: "cell-sub" }, check.address)] },
      { label: "Result", cell: (check) => { const [state, text] = CHECK_WORDS[check.state] ?? ["unknown", check.state]; return pill(state, text); } },
      { label: "Why", cell: (check) => [check.message, check.remedy && h("span", { class: "cell-sub" }, check.remedy)] },
      { label: "Took", number: true, cell: (check) => (check.milliseconds === null ? "" : duration(check.milliseconds)) },
    ], checks));
}

function origin(name) {
  return { file: "ptagent.toml", console: "this console", none: null, default: null }[name] ?? name;
}
