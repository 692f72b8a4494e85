// Which page is shown: the part of the address behind `#`, so that the server has one page alone and links, reloads and the browser's history
// work as everywhere.
//
//     #/devices/3f2a…?tab=meters        path "devices/3f2a…", query { tab: "meters" }

/** The address of a page: `link("devices", id, { tab: "meters" })`. Parts and query may hold anything. */
export function link(...parts) {
  const query = parts.length && typeof parts.at(-1) === "object" ? parts.pop() : {};
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  const text = search.toString();
  return `#/${parts.map((part) => encodeURIComponent(part)).join("/")}${text ? `?${text}` : ""}`;
}

/** What the address says now: `{ path: ["devices", "3f2a…"], query: {…} }`. */
export function here() {
  const [path, search = ""] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  return { path: path.split("/").filter(Boolean).map(decoded), query: Object.fromEntries(new URLSearchParams(search)) };
}

function decoded(part) {
  // An address typed by hand may hold a lone %.
  try { return decodeURIComponent(part); } catch { return part; }
}

/** Goes to a page. */
export function go(address) { location.hash = address; }

/** Writes other parameters into the address without a new page and without an entry of the history. */
export function setQuery(query) {
  const { path } = here();
  history.replaceState(null, "", link(...path, query));
}

/**
 * Finds the route of a path.
 * @param {Array<{path: string}>} routes  `"devices/:id"`: a part that begins with a colon takes any one
 * @returns {{route: object, parameters: object}|null}
 */
export function match(routes, path) {
  for (const route of routes) {
    const parts = route.path.split("/").filter(Boolean);
    if (parts.length !== path.length) continue;
    const parameters = {};
    const isMatch = parts.every((part, index) => {
      if (part.startsWith(":")) parameters[part.slice(1)] = path[index];
      return part.startsWith(":") || part === path[index];
    });
    if (isMatch) return { route, parameters };
  }
  return null;
}
