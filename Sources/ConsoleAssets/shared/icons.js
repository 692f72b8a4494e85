// Small drawings on a grid of 16. They stand beside words and say nothing of their own, so assistive technology does not hear of them.

import { svg } from "./dom.js";

const PATHS = {
  home: "M2 7.500 8 2.500l6 5M3.500 6.500v7h3.500v-4h2v4h3.500v-7",
  printer: "M4.500 6V2.500h7V6M4.500 12h-2V6h11v6h-2M4.500 9.500h7v4h-7z",
  search: "M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10zm3.500-1.500 3.500 3.500",
  radar: "M8 14A6 6 0 1 0 2 8m3 0a3 3 0 1 0 3-3M8 8 3 3",
  bell: "M4 11V7a4 4 0 0 1 8 0v4l1.500 1.500h-11zM6.500 14h3",
  list: "M2.500 4h1m2 0h8m-11 4h1m2 0h8m-11 4h1m2 0h8",
  box: "M2.500 5 8 2.500 13.500 5v6L8 13.500 2.500 11zM2.500 5 8 7.500 13.500 5M8 7.500v6",
  eye: "M1.500 8S4 3.500 8 3.500 14.500 8 14.500 8 12 12.500 8 12.500 1.500 8 1.500 8zM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  sliders: "M4 2.500v5m0 3v3M8 2.500v2m0 3v6m4-11v6m0 3v2M2.500 7.500h3m1-3h3m1 4h3",
  pulse: "M1.500 8.500h3l2-5 3 9 2-4h3",
  plug: "M5.500 2v3.500m5-3.500v3.500M3.500 5.500h9v2a4.500 4.500 0 0 1-9 0zM8 12v2.500",
  building: "M3 13.500v-11h6v11m0-8h4v8M1.500 13.500h13M5 5h2M5 7.500h2M5 10h2",
  server: "M2.500 3h11v4h-11zm0 6h11v4h-11zM5 5h.5M5 11h.5",
  key: "M6 10a3 3 0 1 1 2.500-4.500H14V8h-1.500v2H10V8H8.500A3 3 0 0 1 6 10zm-.500-3h.5",
  users: "M6 8a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zm-4.500 5.500c0-2.500 2-4 4.500-4s4.500 1.500 4.500 4M10.500 3.200a2.500 2.500 0 0 1 0 4.600m1.500 2c1.500.5 2.500 1.700 2.500 3.700",
  menu: "M2 4h12M2 8h12M2 12h12",
  close: "M3.500 3.500l9 9m0-9-9 9",
  refresh: "M13.500 8A5.500 5.500 0 1 1 11.700 4M12 1.500V4.500H9",
  download: "M8 2v8m-3-3 3 3 3-3M2.500 13.500h11",
  check: "M3 8.500 6.500 12 13 4.500",
  cross: "M4 4l8 8m0-8-8 8",
  warn: "M8 2.500 14.500 13.500h-13zM8 6.500v3.500m0 1.500v.5",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7.500V11M8 5v.5",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.500V8l2.500 1.500",
  dots: "M3.500 8h.5m3.750 0h.5M12 8h.5",
  question: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM6.200 6.200C6.400 5.200 7.100 4.800 8 4.800c1 0 1.800.6 1.800 1.600C9.800 7.700 8 7.600 8 9m0 2v.4",
  pause: "M5.500 3.500v9m5-9v9",
  play: "M4.500 3v10l8-5z",
  external: "M6.500 3.500h-3v9h9v-3M9 2.500h4.500V7m0-4.500L7.500 8.500",
  lock: "M3.500 7.500h9v6h-9zM5.500 7.500V5a2.500 2.500 0 0 1 5 0v2.500",
  chevron: "M6 3.500 10.500 8 6 12.500",
};

/** @param {string} name  one of those above */
export function icon(name) {
  const path = PATHS[name];
  if (!path) throw new TypeError(`there is no icon ${name}`);
  return svg("svg", { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" }, svg("path", { d: path }));
}

/** The product's sign. */
export function logo() {
  return svg("svg", { class: "logo", viewBox: "0 0 32 32", "aria-hidden": "true", focusable: "false" },
    svg("rect", { width: 32, height: 32, rx: 7 }),
    svg("path", { class: "logo-page", d: "M10 7h9l4 4v14H10z" }),
    svg("path", { class: "logo-trail", d: "M13 21h2m1.500-3.500h2m2-3.500h.5" }));
}
