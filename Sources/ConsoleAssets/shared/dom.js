// Elements out of values. Whatever a printer, a network or a person sent gets into the page as text or as an attribute that holds text:
// nothing here parses markup, and nothing in the consoles may.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an HTML element.
 *
 *     h("a", { href: link("devices", id), class: "name" }, device.name)
 *
 * @param {string} tag
 * @param {object|null} properties  attributes by their names; besides those
 *   `on`: listeners by the events' names,
 *   `vars`: CSS custom properties (the consoles' policy allows no style attribute; this sets them through the object model),
 *   `props`: properties of the element itself (`value`, `checked`, `indeterminate`).
 *   An attribute that is null, undefined or false is left out; true is an empty one.
 * @param {...*} children  nodes, texts, numbers, arrays of these; null, undefined and false are nothing.
 */
export function h(tag, properties, ...children) {
  return build(document.createElement(tag), properties, children);
}

/** The same for SVG. */
export function svg(tag, properties, ...children) {
  return build(document.createElementNS(SVG, tag), properties, children);
}

function build(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) set(element, name, value);
  append(element, children);
  return element;
}

function set(element, name, value) {
  if (name === "on") {
    for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  } else if (name === "vars") {
    for (const [variable, text] of Object.entries(value)) element.style.setProperty(variable, text);
  } else if (name === "props") {
    Object.assign(element, value);
  } else if (value === true) {
    element.setAttribute(name, "");
  } else if (value !== null && value !== undefined && value !== false) {
    // Our own bugs, not the world's: markup in an attribute, a handler as text, an address that is a program.
    if (/^on|^style$|^srcdoc$/i.test(name)) throw new TypeError(`h() takes no attribute ${name}`);
    if (name === "href" && !/^(#|\/|https?:\/\/)/.test(value)) throw new TypeError(`h() takes no address ${value}`);
    element.setAttribute(name, value);
  }
}

function append(parent, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(parent, child);
    else parent.append(child instanceof Node ? child : String(child));
  }
}

/** Replaces what is in an element. */
export function fill(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
  return parent;
}

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";

/**
 * Replaces what is in an element by a newer state of the same, and leaves the focus and what was unfolded where they were: at the element of the
 * same kind, address and words, else of the same place.
 */
export function refill(parent, ...children) {
  const focusables = () => [...parent.querySelectorAll(FOCUSABLE)];
  const nameOf = (element) => `${element.tagName} ${element.getAttribute("href") ?? ""} ${element.getAttribute("aria-label") ?? element.textContent}`;
  const unfolded = new Set([...parent.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent));
  const focused = parent.contains(document.activeElement) && document.activeElement !== parent ? document.activeElement : null;
  const place = focused ? focusables().indexOf(focused) : -1;
  const name = focused ? nameOf(focused) : null;
  fill(parent, ...children);
  for (const summary of parent.querySelectorAll("details > summary")) if (unfolded.has(summary.textContent)) summary.parentElement.open = true;
  if (!focused) return parent;
  const now = focusables();
  (now.find((element) => nameOf(element) === name) ?? now[Math.min(place, now.length - 1)])?.focus({ preventScroll: true });
  return parent;
}

let lastId = 0;

/** An id that no other element of the page has, for labels and descriptions. */
export function uniqueId(prefix = "id") {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

/** Text that is read out, and not seen. */
export function hidden(...children) {
  return h("span", { class: "visually-hidden" }, ...children);
}

/**
 * Calls a function a while after the last of many calls, or at the latest after four times that.
 * @param {number} milliseconds
 */
export function calmly(milliseconds, action) {
  let timer = null;
  let first = 0;
  return () => {
    const now = Date.now();
    if (timer === null) first = now;
    clearTimeout(timer);
    const wait = Math.min(milliseconds, Math.max(0, first + 4 * milliseconds - now));
    timer = setTimeout(() => { timer = null; action(); }, wait);
  };
}
