// The few pages at a session's origin that are the hub's: the one that a session is entered by, and those that say why there is nothing to see.

internal import DevicePages

enum RemotePages {
  /// Nothing is loaded but the script beside it, and nothing is sent but to here.
  static func headers(type: String) -> [(String, String)] {
    [
      ("content-type", type), ("cache-control", "no-store"), ("x-content-type-options", "nosniff"),
      ("referrer-policy", "no-referrer"), ("cross-origin-opener-policy", "same-origin"),
      ("cross-origin-resource-policy", "same-origin"), ("x-frame-options", "DENY"),
      (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
      ),
    ]
  }

  /// The key stands behind `#`, which no browser sends; the script takes it out of the address before anything else.
  static let enter = page(
    "One moment", "The device's page is being opened.", more: "<script src=\"/.printtrail/enter.js\"></script>")

  static let script = """
    "use strict";
    const key = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
    fetch("/.printtrail/enter", { method: "POST", headers: { "X-PrintTrail": "1", "Content-Type": "text/plain" }, body: key, credentials: "same-origin", cache: "no-store" })
      .then((answer) => {
        if (answer.ok) return location.replace("/");
        document.querySelector("h1").textContent = "This page cannot be opened";
        document.querySelector("p").textContent = "Its key was used already, or is older than a minute. Open the page again from the hub's console.";
      })
      .catch(() => { document.querySelector("p").textContent = "The hub cannot be reached."; });
    """

  static let nothing = "There is nothing here.\n"

  static func page(_ title: String, _ sentence: String, more: String = "") -> String {
    """
    <!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(escaped(title))</title><style>body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:36rem;padding:0 1rem;color-scheme:light dark}</style></head>
    <body><main><h1>\(escaped(title))</h1><p>\(escaped(sentence))</p></main>\(more)</body></html>

    """
  }

  /// What an agent says it could not do, by the word of docs/formats/tunnel.md.
  static func title(ofError word: String) -> String {
    switch word {
    case "target": "The device is not open to this"
    case "refused", "unreachable": "The device does not answer"
    case "tls", "tls-changed", "tls-old": "The connection to the device is not secure"
    case "not-http", "too-large": "The device answered what is no page"
    case "slow": "The device is too slow"
    case "limit": "The session's limits are used up"
    case "hub": "The session cannot be reached"
    default: "The device's page cannot be shown"
    }
  }

  /// A peer's text within a page: text alone.
  static func escaped(_ text: String) -> String {
    var safe = ""
    for character in text {
      switch character {
      case "&": safe += "&amp;"
      case "<": safe += "&lt;"
      case ">": safe += "&gt;"
      case "\"": safe += "&quot;"
      case "'": safe += "&#39;"
      default: safe.append(character)
      }
    }
    return safe
  }
}
