// An address and port to listen on, such as `127.0.0.1:7443` or `[::]:7443`.

package struct Endpoint: Sendable, Equatable, CustomStringConvertible {
  /// An IPv4 or IPv6 address, without brackets.
  package let host: String
  /// 0 lets the system choose.
  package let port: Int

  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// Nil unless `text` is `address:port`, an IPv6 address being in brackets.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
    var host = String(text[..<colon])
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    if isBracketed { host = String(host.dropFirst().dropLast()) }
    guard let address = ServerName.address(host), isBracketed == (address.count == 16) else { return nil }
    self.init(host: host, port: Int(port))
  }

  package var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

  private var isIPv6: Bool { host.contains(":") }

  /// Whether it stands for every address of the machine.
  var isWildcard: Bool { ServerName.address(host).map { $0.allSatisfy { $0 == 0 } } ?? false }
}
