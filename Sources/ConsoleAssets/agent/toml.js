// The few values of TOML (https://toml.io/en/v1.0.0) that settings are written in, to and from what a form shows. The server has the last word;
// what this reader does not understand stays as it is written.

/**
 * @param {string} text  one value: a string, a number, a boolean, an array or an inline table
 * @returns {*}  undefined where it is none of these
 */
export function readValue(text) {
  const reader = { text, at: 0 };
  try {
    const value = valueAt(reader);
    skip(reader);
    return reader.at === text.length ? value : undefined;
  } catch { return undefined; }
}

/** A string as TOML writes it: escaped as JSON does, which TOML reads. */
export function quoted(text) { return JSON.stringify(text).replace(/\x7f/g, "\\u007F"); }

function skip(reader) { while (/[\s]/.test(reader.text[reader.at] ?? "")) reader.at += 1; }

function take(reader, character) {
  skip(reader);
  if (reader.text[reader.at] !== character) throw new SyntaxError(`expected ${character}`);
  reader.at += 1;
}

function peek(reader) {
  skip(reader);
  return reader.text[reader.at];
}

function valueAt(reader) {
  const first = peek(reader);
  if (first === '"') return basicString(reader);
  if (first === "'") return literalString(reader);
  if (first === "[") return array(reader);
  if (first === "{") return inlineTable(reader);
  const found = /^[^\s,\]}#]+/.exec(reader.text.slice(reader.at))?.[0];
  if (!found) throw new SyntaxError("expected a value");
  reader.at += found.length;
  if (found === "true" || found === "false") return found === "true";
  const value = Number(found.replaceAll("_", ""));
  if (Number.isNaN(value)) throw new SyntaxError("expected a number");
  return value;
}

function basicString(reader) {
  const found = /^"(?:[^"\\]|\\.)*"/.exec(reader.text.slice(reader.at))?.[0];
  if (!found) throw new SyntaxError("expected a string");
  reader.at += found.length;
  return JSON.parse(found.replace(/\\U0*([0-9a-fA-F]{1,6})/g, (_, digits) => JSON.stringify(String.fromCodePoint(Number.parseInt(digits, 16))).slice(1, -1)));
}

function literalString(reader) {
  const end = reader.text.indexOf("'", reader.at + 1);
  if (end < 0) throw new SyntaxError("expected a string");
  const value = reader.text.slice(reader.at + 1, end);
  reader.at = end + 1;
  return value;
}

function array(reader) {
  take(reader, "[");
  const values = [];
  while (peek(reader) !== "]") {
    values.push(valueAt(reader));
    if (peek(reader) !== ",") break;
    take(reader, ",");
  }
  take(reader, "]");
  return values;
}

function inlineTable(reader) {
  take(reader, "{");
  const table = {};
  while (peek(reader) !== "}") {
    const first = peek(reader);
    let key;
    if (first === '"') key = basicString(reader);
    else {
      key = /^[A-Za-z0-9_-]+/.exec(reader.text.slice(reader.at))?.[0];
      if (!key) throw new SyntaxError("expected a key");
      reader.at += key.length;
    }
    take(reader, "=");
    table[key] = valueAt(reader);
    if (peek(reader) !== ",") break;
    take(reader, ",");
  }
  take(reader, "}");
  return table;
}

// MARK: What a form shows

const LISTS = new Set(["words", "addresses", "times", "days"]);

/** A value as it is edited: a list one line each, a range with its credentials behind a colon. */
export function toEditable(toml, form) {
  if (toml === null || toml === undefined) return "";
  const value = readValue(toml);
  if (value === undefined) return toml;
  if (LISTS.has(form) && Array.isArray(value)) return value.join("\n");
  if (form === "ranges" && Array.isArray(value)) {
    return value.map((range) => (typeof range === "string" ? range : `${range.range}${range.credentials ? `: ${range.credentials.join(", ")}` : ""}`)).join("\n");
  }
  return typeof value === "object" ? toml : String(value);
}

/** What was edited, as TOML; what it is worth is the server's to say. */
export function fromEditable(text, form) {
  const trimmed = text.trim();
  if (form === "number" || form === "boolean") return trimmed;
  const lines = trimmed.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  if (LISTS.has(form)) return `[${lines.flatMap((line) => line.split(/\s*,\s*/)).filter(Boolean).map(quoted).join(", ")}]`;
  if (form === "ranges") {
    return `[${lines.map((line) => {
      const [range, names] = line.split(/\s*:\s*/);
      if (names === undefined) return quoted(range);
      return `{ range = ${quoted(range)}, credentials = [${names.split(/\s*,\s*/).filter(Boolean).map(quoted).join(", ")}] }`;
    }).join(", ")}]`;
  }
  return quoted(trimmed);
}
