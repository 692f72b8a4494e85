// What of a browser's request reaches a device, and what never does.
//
//     Cookie                          without the hub's own, and without those that are there twice with two values
//     Origin, Referer                 the session's origin is the device's own there; another one does not pass
//     Authorization                   passes: the hub takes none at this origin, so it is what the device asked for
//     Forwarded, X-Forwarded-*, Via   never: a device has no business with where a technician sits
//     Sec-*, Priority, Upgrade-…      never: they are the browser's to the hub (those of a WebSocket pass)
//     Accept-Encoding                 gzip and deflate alone: what can be read here

package struct RequestRules: Sendable {
  /// The session's origin as the browser has it: `https://….example.org`.
  package let ownOrigin: String
  /// The name of the cookie that the hub gave at this origin.
  package let ownCookie: String

  package init(ownOrigin: String, ownCookie: String) {
    self.ownOrigin = ownOrigin
    self.ownCookie = ownCookie
  }

  private static let dropped: Set<String> = [
    "host", "forwarded", "via", "proxy-authorization", "proxy-connection", "expect", "priority",
    "upgrade-insecure-requests", "dnt", "service-worker", "x-real-ip", "pt-session", "accept-encoding",
    "content-length",
  ]

  /// - Parameter isWebSocket: whether what makes a WebSocket passes, but for the key, which each hop has of its own.
  package func toDevice(_ request: Fields, _ place: DevicePlace, isWebSocket: Bool = false) -> Fields {
    let hops = request.ofTheConnection
    var passed = request.passing { field in
      if hops.contains(field.name) || Self.dropped.contains(field.name) || field.name.hasPrefix("x-forwarded-") {
        return nil
      }
      switch field.name {
      case "cookie": return deviceCookies(field.value)
      case "origin": return field.value == ownOrigin ? place.origin : nil
      case "referer": return referer(field.value, place)
      case "sec-websocket-protocol", "sec-websocket-version", "sec-websocket-extensions":
        return isWebSocket ? field.value : nil
      default: return field.name.hasPrefix("sec-") || field.name.hasPrefix(":") ? nil : field.value
      }
    }
    if !isWebSocket {
      passed.add("accept-encoding", "gzip, deflate")
      if let length = request["content-length"], request["transfer-encoding"] == nil {
        passed.add("content-length", length)
      }
    }
    return passed
  }

  /// A page at another session's origin may have set a cookie for all of them (`TossedCookies`). Beside the device's own of that name, nobody can tell
  /// which is which: neither goes on, and whoever logs in sees that it does not work instead of working in a login that somebody else has chosen.
  private func deviceCookies(_ value: String) -> String? {
    var values: [String: Set<String>] = [:]
    let pairs = value.split(separator: ";").map(trimmed).filter { !$0.isEmpty }.map { pair in
      (name: trimmed(pair.prefix { $0 != "=" }), pair: pair)
    }
    for pair in pairs { values[pair.name, default: []].insert(pair.pair) }
    let kept = pairs.filter { $0.name.lowercased() != ownCookie.lowercased() && values[$0.name]?.count == 1 }
    return kept.isEmpty ? nil : kept.map(\.pair).joined(separator: "; ")
  }

  private func referer(_ value: String, _ place: DevicePlace) -> String? {
    guard value.hasPrefix(ownOrigin) else { return nil }
    let rest = value.dropFirst(ownOrigin.count)
    guard rest.isEmpty || rest.hasPrefix("/") else { return nil }
    return place.origin + rest
  }
}
