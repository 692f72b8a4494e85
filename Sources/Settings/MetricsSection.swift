// [metrics]: where Prometheus may read numbers.

package import Platform

/// [metrics]
package struct MetricsSettings: Sendable {
  /// What the documentation suggests; beside the console's port.
  package static let usualPort: UInt16 = 1302

  /// Where /metrics is served; nil: nowhere.
  package var listen: HostAndPort?

  package init() {}
}

extension MetricsSettings {
  init(_ table: TableReader) {
    self.init()
    let form =
      "\"off\", or an address of this machine to itself such as \"127.0.0.1:\(Self.usualPort)\": the numbers are served without a login"
    listen = table.parsed("listen", expected: form) { Self.place($0) } ?? nil
    table.finish()
  }

  /// Nil inside: off. Nil outside: neither that nor a place of loopback.
  private static func place(_ text: String) -> HostAndPort?? {
    if text == "off" { return .some(nil) }
    guard let place = HostAndPort(text), isLoopback(place.host) else { return nil }
    return place
  }

  /// RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3; RFC 6761, section 6.3.
  private static func isLoopback(_ host: String) -> Bool {
    if host == "::1" || host == "localhost" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.first == "127" && parts.allSatisfy { UInt8($0) != nil && $0.first != "+" }
  }
}
