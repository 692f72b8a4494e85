// What of a device's answer reaches the browser.
//
//     what a page needs          content, validators, ranges, a maker's own X- fields: passes; all else does not
//     Location, Refresh          a path of the session's origin, or not at all (Redirects.swift)
//     Set-Cookie                 without Domain; never the hub's own cookie, nor one with a browser's special prefix
//     WWW-Authenticate           what a person answers (Challenges.swift)
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

  /// What passes as it is. All that a page can be without is left out: browsers and the proxies before a hub learn new fields every year.
  private static let passing: Set<String> = [
    "accept-patch", "accept-post", "accept-ranges", "allow", "content-disposition", "content-encoding",
    "content-language", "content-length", "content-md5", "content-range", "content-type", "date", "digest",
    "content-digest", "repr-digest", "etag", "last-modified", "retry-after", "server", "vary",
    "sec-websocket-protocol", "sec-websocket-extensions", "authentication-info",
  ]

  /// Of the fields that a maker's own scripts read, those are not that mean something to a browser, or to a proxy before the hub.
  private static let ownButMeaningful = [
    "x-accel-", "x-sendfile", "x-lighttpd-", "x-litespeed-", "x-reproxy-", "x-forwarded-", "x-real-", "x-dns-prefetch-",
    "x-content-", "x-webkit-", "x-frame-", "x-ua-", "x-xss-", "x-permitted-", "x-download-", "x-sourcemap", "x-robots-",
    "x-pingback",
  ]

  private static func passes(_ name: String) -> Bool {
    if passing.contains(name) { return true }
    return name.hasPrefix("x-") && !ownButMeaningful.contains { name.hasPrefix($0) }
  }

  /// What every answer has that comes of a device.
  ///
  /// A frame may lead the whole window somewhere after a click, as the menus of old devices do; by itself it may not. `webrtc` is of CSP 3, and not every
  /// browser knows it.
  package static func protections(host: String) -> [(String, String)] {
    [
      (
        "content-security-policy",
        "sandbox allow-scripts allow-same-origin allow-forms allow-modals allow-downloads allow-popups allow-top-navigation-by-user-activation; "
          + "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' wss://\(host); webrtc 'block'; form-action 'self'; base-uri 'self'; frame-ancestors 'self'"
      ),
      ("referrer-policy", "same-origin"), ("x-content-type-options", "nosniff"),
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
      if hops.contains(field.name) { return nil }
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
      case "www-authenticate": return Challenges.passed(field.value)
      default: return Self.passes(field.name) ? field.value : nil
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
