// A file that the server makes: asked for by fetch, so that a refusal is a sentence on the page and not a page of its own.

import { ApiError } from "/shared/api.js";
import { h } from "/shared/dom.js";

/**
 * @param {string} url
 * @param {string} fallback  the name, if the server tells none
 * @throws {ApiError}
 */
export async function download(url, fallback) {
  let response;
  try { response = await fetch(url, { credentials: "same-origin", cache: "no-store" }); } catch {
    throw new ApiError(0, { message: "The server cannot be reached. Is the service running?" });
  }
  if (!response.ok) {
    const answer = await response.json().catch(() => null);
    throw new ApiError(response.status, answer?.error, answer?.errors);
  }
  const blob = await response.blob();
  const name = /filename="?([^";]+)"?/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? fallback;
  const address = URL.createObjectURL(blob);
  const anchor = h("a", { download: name });
  anchor.href = address;
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  return { name, size: blob.size };
}
