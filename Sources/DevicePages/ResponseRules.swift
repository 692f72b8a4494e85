// What of a device's answer reaches the browser.
//
//     Location, Refresh          a path of the session's origin, or not at all (Redirects.swift)
//     Set-Cookie                 without Domain; never the hub's own cookie, nor one with a browser's special prefix
//     what binds the browser     HSTS, key pins, reports, alternative services, Clear-Site-Data: gone, they outlive the session
//     what opens the origin      Access-Control-*: gone
//     Content-Security-Policy    ours is added; the device's stays where it names nobody and reports to nobody
//     caches                     store nothing of it
//
// A device is an attacker here: whatever its pages do, they do in an origin that is theirs alone and that ends with the session.

package struct ResponseRules: Sendable {
  package struct Passed: Equatable, Sendable {
    package var fields: Fields
    /// The session goes over to this one.
    package var target: DeviceTarget?
    /// Where the device wanted to send the browser, where that is somewhere else: the answer is not to pass.
    package var elsewhere: String?
  }

  package let ownOrigin: String
  package let ownCookie: String

  package init(ownOrigin: String, ownCookie: String) {
    self.ownOrigin = ownOrigin
    self.ownCookie = ownCookie
  }

  private static let dropped: Set<String> = [
    "strict-transport-security", "public-key-pins", "public-key-pins-report-only", "report-to", "reporting-endpoints",
    "nel", "expect-ct", "alt-svc", "alternate-protocol", "clear-site-data", "content-security-policy-report-only",
    "x-content-security-policy", "x-webkit-csp", "service-worker-allowed", "set-cookie2", "content-location", "link",
    "proxy-authenticate", "proxy-authentication-info", "forwarded", "via", "sourcemap", "x-sourcemap", "accept-ch",
    "critical-ch", "origin-agent-cluster", "origin-trial", "speculation-rules", "supports-loading-mode",
    "set-login", "no-vary-search", "cache-control", "pragma", "expires", "age", "referrer-policy",
    "x-content-type-options", "permissions-policy", "feature-policy", "cross-origin-opener-policy",
    "cross-origin-opener-policy-report-only", "cross-origin-embedder-policy", "cross-origin-resource-policy",
    "timing-allow-origin", "server-timing", "pt-error", "x-frame-options", "document-policy", "alt-used",
  ]

  /// What every answer has that comes of a device.
  ///
  /// A frame may lead the whole window somewhere after a click, as the menus of old devices do; by itself it may not.
  package static func protections(host: String) -> [(String, String)] {
    [
      (
        "content-security-policy",
        "sandbox allow-scripts allow-same-origin allow-forms allow-modals allow-downloads allow-popups allow-top-navigation-by-user-activation; "
          + "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' wss://\(host); form-action 'self'; base-uri 'self'; frame-ancestors 'self'"
      ),
      ("referrer-policy", "no-referrer"), ("x-content-type-options", "nosniff"),
      ("cross-origin-opener-policy", "same-origin"), ("cross-origin-resource-policy", "same-origin"),
      (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), serial=(), bluetooth=(), hid=(), publickey-credentials-get=()"
      ),
      ("cache-control", "no-store"),
    ]
  }

  package func toBrowser(_ status: Int, _ answer: Fields, _ place: DevicePlace) -> Passed {
    var passed = Passed(fields: Fields())
    let hops = answer.ofTheConnection
    passed.fields = answer.passing { field in
      if hops.contains(field.name) || Self.dropped.contains(field.name) || field.name.hasPrefix("access-control-")
        || field.name.hasPrefix(":")
      {
        return nil
      }
      switch field.name {
      case "set-cookie": return cookie(field.value)
      case "content-security-policy": return Self.isHarmless(policy: field.value) ? field.value : nil
      case "location":
        switch place.redirect(field.value, ownOrigin: ownOrigin) {
        case .within(let path, let target):
          passed.target = target
          return path
        case .elsewhere(let address):
          // Only these send a browser anywhere (RFC 9110, section 15.4); 201 names what was made.
          if (300..<400).contains(status) { passed.elsewhere = address }
          return nil
        }
      case "refresh":
        guard let (value, target) = place.refresh(field.value, ownOrigin: ownOrigin) else { return nil }
        passed.target = passed.target ?? target
        return value
      default: return field.value
      }
    }
    let host = String(ownOrigin.split(separator: "/", maxSplits: 2).last ?? "")
    for (name, value) in Self.protections(host: host) { passed.fields.add(name, value) }
    return passed
  }

  /// A cookie as it may be set at the session's origin; nil: not at all.
  func cookie(_ value: String) -> String? {
    var parts = value.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
    // One without a name is sent as its value alone, and that can look like any other cookie (RFC 6265bis, section 5.6).
    guard let pair = parts.first, let sign = pair.firstIndex(of: "=") else { return nil }
    let name = trimmed(pair[..<sign])
    guard !name.isEmpty, !isReserved(name) else { return nil }
    parts.removeAll { part in
      let attribute = trimmed(part.prefix { $0 != "=" }).lowercased()
      return attribute == "domain" || attribute == "partitioned"
    }
    return parts.joined(separator: "; ")
  }

  private func isReserved(_ name: String) -> Bool {
    let lower = name.lowercased()
    return lower == ownCookie.lowercased() || lower.hasPrefix("__host-") || lower.hasPrefix("__secure-")
      || lower.hasPrefix("__http-")
  }

  /// A policy of the device's that can stay beside ours: it names no host, and reports to nobody.
  private static func isHarmless(policy: String) -> Bool {
    let lower = policy.lowercased()
    return !["://", "report", "sandbox", "upgrade-insecure"].contains { lower.contains($0) }
  }
}
