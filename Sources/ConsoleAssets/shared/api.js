// Requests to the console's server, and what it tells by itself.
//
// A page is given `api` (requests that end with the page) and `live` (events that end with the page), see router.js.

import { calmly } from "./dom.js";

/** What the server refused, in its words: `{"error":{"code","message","field"}}`. */
export class ApiError extends Error {
  /**
   * @param {number} status  of HTTP; 0 when the server was not reached
   * @param {{code?: string, message?: string, field?: string}} error
   * @param {Array<object>|null} errors
   */
  constructor(status, { code, message, field } = {}, errors = null) {
    super(message ?? "The server gave no reason.");
    this.name = "ApiError";
    this.status = status;
    this.code = code ?? "unknown";
    this.field = field ?? null;
    /** All that was found wrong, in the same form. */
    this.all = errors ?? [{ code: this.code, message: this.message, field: this.field }];
  }
}

/** How long a request may take before the page says that the server does not answer. */
const REQUEST_TIME_MAX = 30_000;

/** Somebody who has not touched the page for this long is not there: what it fetches by itself keeps no session open. */
const IDLE_AFTER = 60_000;
let touched = Date.now();
for (const event of ["pointerdown", "keydown", "wheel"]) addEventListener(event, () => { touched = Date.now(); }, { passive: true, capture: true });

export class Api {
  /**
   * @param {string} base  "/api/v1"
   * @param {AbortSignal} [signal]  ends what is under way
   * @param {() => void} [onUnauthorized]  somebody has to log in
   */
  constructor(base, { signal = null, onUnauthorized = () => {} } = {}) {
    this.base = base;
    this.signal = signal;
    this.onUnauthorized = onUnauthorized;
  }

  /** The same for a page that ends with `signal`. */
  until(signal) { return new Api(this.base, { signal, onUnauthorized: this.onUnauthorized }); }

  /** The address of a request; parameters that are null or empty are left out. */
  url(path, parameters = {}) {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== null && value !== undefined && value !== "") search.set(name, value);
    }
    const text = search.toString();
    return `${this.base}/${path}${text ? `?${text}` : ""}`;
  }

  get(path, parameters, options) { return this.#send("GET", this.url(path, parameters), undefined, options); }
  post(path, body = {}, options) { return this.#send("POST", this.url(path), body, options); }
  put(path, body = {}, options) { return this.#send("PUT", this.url(path), body, options); }
  patch(path, body = {}, options) { return this.#send("PATCH", this.url(path), body, options); }
  delete(path, options) { return this.#send("DELETE", this.url(path), {}, options); }

  async #send(method, url, body, { timeMax = REQUEST_TIME_MAX } = {}) {
    const headers = { Accept: "application/json" };
    if (Date.now() - touched > IDLE_AFTER) headers["X-PrintTrail-Background"] = "1";
    if (method !== "GET") {
      // No other site can set this header without being asked first (CORS), and the server refuses what has it not.
      headers["X-PrintTrail"] = "1";
      headers["Content-Type"] = "application/json";
    }
    const signals = [AbortSignal.timeout(timeMax), ...(this.signal ? [this.signal] : [])];
    let response;
    let text;
    try {
      response = await fetch(url, {
        method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: AbortSignal.any(signals),
        credentials: "same-origin", cache: "no-store", redirect: "error",
      });
      text = await response.text();
    } catch (error) {
      if (this.signal?.aborted) throw new Ended();
      const message = error.name === "TimeoutError"
        ? `The server did not answer within ${timeMax / 1000} seconds.` : "The server cannot be reached. Is the service running?";
      throw new ApiError(0, { code: "unreachable", message });
    }
    // What was asked for a page that is gone is nobody's business.
    if (this.signal?.aborted) throw new Ended();
    const json = parsed(text);
    if (response.ok) return json ?? null;
    if (response.status === 401 && json?.error?.code !== "wrong_password") this.onUnauthorized();
    throw new ApiError(response.status, json?.error ?? { message: `The server answered ${response.status} without a reason.` },
      json?.errors);
  }
}

/** A request that ended because its page did: not an error to show. */
export class Ended extends Error {
  constructor() { super("the page ended"); this.name = "Ended"; }
}

function parsed(text) {
  if (!text) return null;
  try { return JSON.parse(text); } catch { return null; }
}

/** Waits before the stream is opened again, in milliseconds: doubled from the first to the last, by half at random. */
const RETRY_FIRST = 500;
const RETRY_LAST = 15_000;
/** The server sends at least a comment within this time; a stream silent for longer is dead. */
const SILENCE_MAX = 45_000;
/** A tab that nobody looks at lets its stream go after this time: a browser has six connections for all tabs of one server. */
const HIDDEN_TIME_MAX = 20_000;
/** Of one event; a server that sends more is not ours. */
const EVENT_LENGTH_MAX = 1 << 20;

/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) by fetch: unlike EventSource it tells what went wrong,
 * goes on after a refusal, and notices a silent stream.
 *
 * Events of the class itself: "state" (its `detail`: "connecting", "open", "closed", "unauthorized"), "resync" when what is shown has to be
 * asked for again: after a connection that was lost, and where the server says `reset`, because events were.
 */
export class Live extends EventTarget {
  #url;
  #lastEventId = null;
  #abort = null;
  #attempts = 0;
  #retryTimer = null;
  #hiddenTimer = null;
  #isCurrent = false;
  #isStopped = true;
  state = "closed";

  constructor(url) {
    super();
    this.#url = url;
    document.addEventListener("visibilitychange", () => this.#visibilityChanged());
    addEventListener("online", () => this.#soon());
  }

  start() {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    this.#connect();
  }

  stop() {
    this.#isStopped = true;
    clearTimeout(this.#retryTimer);
    this.#abort?.abort();
    this.#say("closed");
  }

  /**
   * Asks again for what a page shows, a while after one of these events or after a gap in them.
   * @param {string|string[]} names
   * @param {(data: object, name: string) => boolean} [isMine]  whether an event is about what is shown
   */
  refresh(names, signal, action, { after = 600, isMine = () => true } = {}) {
    const soon = calmly(after, () => { if (!signal.aborted) action(); });
    this.on(names, signal, (data, name) => { if (isMine(data ?? {}, name)) soon(); });
    this.addEventListener("resync", soon, { signal });
  }

  /**
   * Calls `action` with an event's data for as long as `signal` lasts.
   * @param {string|string[]} names
   */
  on(names, signal, action) {
    for (const name of [names].flat()) {
      this.addEventListener(`event:${name}`, (event) => action(event.detail, name), { signal });
    }
  }

  #say(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }

  #soon() {
    if (this.#isStopped || this.state === "open") return;
    clearTimeout(this.#retryTimer);
    this.#connect();
  }

  #visibilityChanged() {
    clearTimeout(this.#hiddenTimer);
    if (!document.hidden) return this.#soon();
    this.#hiddenTimer = setTimeout(() => {
      clearTimeout(this.#retryTimer);
      this.#abort?.abort();
    }, HIDDEN_TIME_MAX);
  }

  async #connect() {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#say("connecting");
    let unauthorized = false;
    try {
      const headers = { Accept: "text/event-stream" };
      if (this.#lastEventId !== null) headers["Last-Event-ID"] = this.#lastEventId;
      const response = await fetch(this.#url, { headers, signal: abort.signal, credentials: "same-origin", cache: "no-store" });
      if (response.ok) await this.#read(response, abort);
      else {
        unauthorized = response.status === 401;
        await response.body?.cancel();
      }
    } catch {
      // The network's faults are one state, which the page shows: not connected.
    }
    if (this.#abort !== abort || this.#isStopped) return;
    this.#say(unauthorized ? "unauthorized" : "closed");
    // A hidden tab waits until somebody looks.
    if (unauthorized || (document.hidden && abort.signal.aborted)) return;
    const wait = Math.min(RETRY_LAST, RETRY_FIRST * 2 ** Math.min(this.#attempts, 10));
    this.#attempts += 1;
    this.#retryTimer = setTimeout(() => this.#connect(), wait * (0.5 + Math.random() / 2));
  }

  async #read(response, abort) {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    this.#say("open");
    // What came before the first stream was asked for by the pages; what comes after a cut without an id may be missing.
    if (this.#isCurrent && this.#lastEventId === null) this.dispatchEvent(new Event("resync"));
    let silence = setTimeout(() => abort.abort(), SILENCE_MAX);
    let rest = "";
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENCE_MAX);
        this.#attempts = 0;
        rest = this.#dispatch(rest + value);
        if (rest.length > EVENT_LENGTH_MAX) return abort.abort();
      }
    } finally {
      clearTimeout(silence);
    }
  }

  /** Takes whole events off the front. A carriage return at the very end waits for what follows it. */
  #dispatch(text) {
    let begin = 0;
    for (const end of text.matchAll(/\r\n\r\n|\n\n|\r\r/g)) {
      this.#event(text.slice(begin, end.index));
      begin = end.index + end[0].length;
    }
    return text.slice(begin);
  }

  #event(block) {
    let name = "message";
    const data = [];
    for (const line of block.split(/\r\n|\n|\r/)) {
      const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (field === "event") name = value;
      else if (field === "data") data.push(value);
      else if (field === "id" && !value.includes("\0")) this.#lastEventId = value;
    }
    if (data.length === 0) return;
    if (name === "reset") {
      // The first one of all says only that there is nothing to go on from.
      if (this.#isCurrent) this.dispatchEvent(new Event("resync"));
      this.#isCurrent = true;
      return;
    }
    this.dispatchEvent(new CustomEvent(`event:${name}`, { detail: parsed(data.join("\n")) }));
  }
}
