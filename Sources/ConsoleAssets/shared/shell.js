// What stands around the pages of a console: the bar with the live light and the theme, the navigation, the login; and what changes pages.
//
//     startConsole({
//       name: "PrintTrail agent",                             // in the bar and in titles
//       api: "/api/v1", events: "/api/v1/events",
//       nav: [{ label: "Devices", icon: "printer", to: link("devices"), badge: "devices" }, { heading: "Journal" }, …],
//       routes: [{ path: "devices/:id", title: "Device", load: () => import("/app/device.js") }, …],
//       home: "dashboard",                                    // where an address without a page leads
//       session: (api) => api.get("session"),                 // { loginRequired, authenticated, … }
//       login: (api, values) => api.post("session", values),  // throws ApiError; fields by `loginFields`
//       loginFields: () => [field(…)],
//       logout: (api) => api.delete("session"),
//       ready: async (console, session) => {},                // once, before the first page: what the shell itself shows; console.setBadge, console.setPlace
//     });
//
// A page is a module with `export async function page(context)`, which returns a node (or nodes). Its context:
//
//     parameters   of the route           query      of the address
//     api, live    requests and events    signal     ends when the page does
//     setQuery(q)  writes the address     setTitle(text)  the window's title and the heading the page has
//     session      what `session` answered
//
// Errors that a page throws while it is made are shown in its place, with a button to try again.

import { fill, h } from "./dom.js";
import { icon, logo } from "./icons.js";
import { Api, ApiError, Ended, Live } from "./api.js";
import { form } from "./form.js";
import { go, here, match, setQuery } from "./router.js";
import { failed } from "./toast.js";

/** Where the navigation stands beside the page; narrower, it opens over it. The same as in shell.css. */
const WIDE = matchMedia("(min-width: 70rem)");

/** A page that takes longer says so; a quicker one appears at once. */
const PATIENCE = 250;

/** A page's module could not be had. */
class NotLoaded extends Error {
  constructor(cause) { super("not loaded", { cause }); }
}

export function startConsole(options) {
  const state = { page: null, session: null, turn: 0 };
  const api = new Api(options.api, { onUnauthorized: () => showLogin() });
  const live = new Live(options.events);
  const main = h("main", { id: "main", tabindex: "-1" });
  const place = h("p", { class: "place" });
  const light = h("p", { class: "live", role: "status" });
  const badges = new Map();
  const links = [];
  const nav = h("nav", { class: "side", id: "side", "aria-label": "Pages" }, navList());
  const menu = h("button", { type: "button", class: "quiet menu", "aria-controls": "side", "aria-expanded": "false", "aria-label": "Pages",
    on: { click: () => openMenu(menu.getAttribute("aria-expanded") !== "true") } }, icon("menu"));
  const logout = h("button", { type: "button", class: "quiet", hidden: true, on: { click: leave } }, "Log out");
  const bar = h("header", { class: "top" }, menu, h("a", { class: "brand", href: "#/" }, logo(), h("span", null, options.name)), place,
    h("div", { class: "top-end" }, light, themeSwitch(), logout));
  const skip = h("a", { class: "skip", href: "#main", on: { click: (event) => { event.preventDefault(); main.focus(); } } }, "Skip to the page");
  const shell = h("div", { class: "shell" }, skip, bar, nav, main);
  const surface = {
    api, live,
    /** A number beside an entry of the navigation; null takes it away. */
    setBadge(name, text, tone = "mute", words = "") {
      const badge = badges.get(name);
      if (!badge) return;
      fill(badge, text === null ? null : [h("span", { "aria-hidden": "true" }, text), h("span", { class: "visually-hidden" }, ` (${text} ${words})`)]);
      badge.className = `badge ${tone}`;
      badge.hidden = text === null;
    },
    /** What stands beside the name: the machine, the hub. */
    setPlace(...content) { fill(place, content); },
    get session() { return state.session; },
  };

  function navList() {
    return h("ul", null, options.nav.map((entry) => {
      if (entry.heading) return h("li", { class: "nav-heading" }, entry.heading);
      const anchor = h("a", { href: entry.to }, icon(entry.icon), h("span", null, entry.label));
      links.push(anchor);
      if (entry.badge) {
        const badge = h("span", { class: "badge mute", hidden: true });
        badges.set(entry.badge, badge);
        anchor.append(badge);
      }
      return h("li", null, anchor);
    }));
  }

  function openMenu(isOpen) {
    menu.setAttribute("aria-expanded", String(isOpen));
    shell.classList.toggle("menu-open", isOpen);
    if (isOpen) links[0]?.focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.getAttribute("aria-expanded") === "true") { openMenu(false); menu.focus(); }
    // A slash goes to the page's search, where nothing is being typed.
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, textarea, select, dialog")) {
      const search = main.querySelector("input[type=search]");
      if (search) { event.preventDefault(); search.focus(); }
    }
  });
  // The menu over the page closes when the focus leaves it, so that nothing has it that lies beneath.
  shell.addEventListener("focusin", (event) => {
    if (!WIDE.matches && menu.getAttribute("aria-expanded") === "true" && !nav.contains(event.target) && event.target !== menu) openMenu(false);
  });
  main.addEventListener("pointerdown", () => { if (menu.getAttribute("aria-expanded") === "true") openMenu(false); });

  function themeSwitch() {
    const select = h("select", { class: "theme", "aria-label": "Colours" },
      [["system", "System"], ["light", "Light"], ["dark", "Dark"]].map(([value, text]) => h("option", { value }, text)));
    select.value = window.printtrailTheme.get();
    select.addEventListener("change", () => window.printtrailTheme.set(select.value));
    return select;
  }

  let lightTimer = null;
  const LIGHTS = { open: ["good", "Live"], connecting: ["busy", "Connecting"], closed: ["bad", "Not connected"], unauthorized: ["mute", "Logged out"] };
  let wasOpen = false;
  function showLight() {
    wasOpen ||= live.state === "open";
    // In the beginning there is nothing yet that was lost.
    const [tone, text] = LIGHTS[live.state === "closed" && !wasOpen && lightTimer === null ? "connecting" : live.state] ?? LIGHTS.closed;
    light.className = `live ${tone}`;
    // Said only when it says something else.
    if (light.textContent !== text) fill(light, h("span", { class: "live-dot", "aria-hidden": "true" }), h("span", null, text));
  }
  // A blink of the connection is not worth a word.
  live.addEventListener("state", ({ detail }) => {
    clearTimeout(lightTimer);
    if (detail === "unauthorized") showLogin();
    if (detail === "open") showLight();
    else lightTimer = setTimeout(showLight, 800);
  });
  live.addEventListener("event:session", () => showLogin());

  async function leave() {
    try { await options.logout(api); } catch (error) { failed(error); return; }
    showLogin();
  }

  async function showPage() {
    if (shell.classList.contains("logged-out")) return;
    const { path, query } = here();
    const found = match(options.routes, path.length ? path : options.home.split("/"));
    openMenu(false);
    for (const anchor of links) {
      const isHere = isUnder(anchor.getAttribute("href"), path.length ? path : options.home.split("/"));
      if (isHere) anchor.setAttribute("aria-current", "page"); else anchor.removeAttribute("aria-current");
    }
    state.page?.abort();
    const page = new AbortController();
    state.page = page;
    // The page before stays until this one is there, unless that takes long.
    const waiting = setTimeout(() => fill(main, h("p", { class: "soft loading", role: "status" }, "Loading \u2026")), PATIENCE);
    main.setAttribute("aria-busy", "true");
    const isFirst = state.turn === 0;
    state.turn += 1;
    try {
      if (!found) throw new ApiError(404, { message: "There is no such page." });
      const setTitle = (text) => { document.title = `${text} \u2013 ${options.name}`; };
      setTitle(found.route.title);
      const module = await found.route.load().catch((error) => { throw new NotLoaded(error); });
      const content = await module.page({
        parameters: found.parameters, query, api: api.until(page.signal), live, signal: page.signal, setTitle, session: state.session, console: surface,
        setQuery: (next) => { if (!page.signal.aborted) setQuery(next); },
      });
      if (page.signal.aborted) return;
      fill(main, content);
    } catch (error) {
      if (error instanceof Ended || page.signal.aborted) return;
      if (!(error instanceof ApiError)) console.error(error);
      fill(main, error instanceof NotLoaded ? notLoaded(page.signal) : problem(error));
    } finally {
      clearTimeout(waiting);
      if (state.page === page) main.removeAttribute("aria-busy");
    }
    if (state.page !== page) return;
    scrollTo(0, 0);
    // Whoever does not see the page hears that it is another one.
    if (!isFirst && !main.contains(document.activeElement)) (main.querySelector("h1") ?? main).focus({ preventScroll: true });
  }

  /** Browsers remember that a module was not there: the document is loaded again, once the server answers. */
  function notLoaded(signal) {
    live.addEventListener("state", ({ detail }) => { if (detail === "open") location.reload(); }, { signal });
    const again = () => options.session(api).then(() => location.reload(), failed);
    return h("div", { class: "problem" }, h("h1", { tabindex: "-1" }, "The server cannot be reached"), h("p", null, "This page comes by itself as soon as it answers."),
      h("button", { type: "button", class: "primary", on: { click: again } }, "Try again"));
  }

  function problem(error) {
    const text = error instanceof ApiError ? error.message : "This page could not be shown. That is a fault of the console; its details are in the browser's console.";
    return h("div", { class: "problem" }, h("h1", { tabindex: "-1" }, error.status === 404 ? "Not found" : "This did not work"), h("p", null, text),
      h("button", { type: "button", class: "primary", on: { click: showPage } }, "Try again"));
  }

  function isUnder(href, path) {
    const own = href.replace(/^#\//, "").split("?")[0].split("/").filter(Boolean);
    return own.length > 0 ? own.every((part, index) => decodeURIComponent(part) === path[index]) : path.length === 0;
  }

  let loginBox = null;
  function showLogin() {
    if (loginBox) return;
    state.page?.abort();
    live.stop();
    shell.classList.add("logged-out");
    logout.hidden = true;
    nav.hidden = true;
    menu.hidden = true;
    const fields = options.loginFields();
    const controller = form({
      fields, label: "Log in",
      layout: () => [fields.map((one) => one.element), h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Log in"))],
      submit: async (values) => {
        await options.login(api, values);
        state.session = await options.session(api);
        loginBox = null;
        shell.classList.remove("logged-out");
        await begin();
      },
    });
    loginBox = h("section", { class: "login" }, logo(), h("h1", { tabindex: "-1" }, "Log in"), controller.element);
    document.title = `Log in \u2013 ${options.name}`;
    fill(main, loginBox);
    main.removeAttribute("aria-busy");
    fields[0]?.input.focus();
  }

  async function begin() {
    nav.hidden = false;
    menu.hidden = false;
    logout.hidden = !(state.session?.loginRequired && state.session.authenticated);
    live.start();
    await options.ready?.(surface, state.session);
    await showPage();
  }

  addEventListener("hashchange", showPage);
  addEventListener("unhandledrejection", (event) => {
    if (event.reason instanceof Ended) event.preventDefault();
    else if (event.reason instanceof ApiError) { event.preventDefault(); failed(event.reason); }
  });
  document.body.replaceChildren(shell);
  showLight();

  (async () => {
    for (;;) {
      try {
        state.session = await options.session(api);
        break;
      } catch (error) {
        await new Promise((resolve) => {
          fill(main, h("div", { class: "problem" }, h("h1", { tabindex: "-1" }, "Not connected"), h("p", null, error.message),
            h("button", { type: "button", class: "primary", on: { click: resolve } }, "Try again")));
        });
      }
    }
    if (state.session?.loginRequired && !state.session.authenticated) showLogin();
    else await begin();
  })();
  return surface;
}

export { go };

/**
 * The head of a page.
 * @param {string|Node} heading
 * @param {object} [parts]  `about`: a line below it; `actions`: buttons at its end; `back`: [address, words] of the page above
 */
export function pageHead(heading, { about = null, actions = [], back = null } = {}) {
  return h("header", { class: "page-head" },
    h("div", { class: "page-words" }, back && h("a", { class: "back", href: back[0] }, back[1]), h("h1", { tabindex: "-1" }, heading), about && h("p", { class: "soft" }, about)),
    h("div", { class: "actions" }, actions));
}

/** A part of a page with its heading. */
export function card(heading, ...content) {
  const options = content.length && content[0]?.constructor === Object ? content.shift() : {};
  return h("section", { class: `card ${options.class ?? ""}` },
    h("div", { class: "card-head" }, h("h2", null, heading), options.actions && h("div", { class: "actions" }, options.actions)), content);
}
