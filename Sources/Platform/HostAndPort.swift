// Where a service listens, as people write it: `hub.example.org:7443`, `10.0.0.5:7443`, `[2001:db8::5]:7443`.

/// A host, by name or address, and a TCP port.
package struct HostAndPort: Hashable, Sendable, CustomStringConvertible {
  /// A DNS name, or an IPv4 or IPv6 address without brackets.
  package let host: String
  package let port: UInt16

  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Reads `host:port`; an IPv6 address stands in brackets (RFC 3986, section 3.2.2). Nil for anything else, and for port 0.
  package init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port != 0,
      text[text.index(after: colon)...].utf8.first != UInt8(ascii: "+")
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
      guard host.contains(":") else { return nil }
    } else if host.contains(":") {
      return nil
    }
    guard !host.isEmpty, host.utf8.allSatisfy(Self.isHostCharacter) else { return nil }
    self.init(host: String(host), port: port)
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Letters, digits, and what names and addresses are written with besides.
  private static func isHostCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
    case UInt8(ascii: ":"), UInt8(ascii: "%"): true
    default: false
    }
  }
}
