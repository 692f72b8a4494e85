// IPv4 addresses and endpoints. SNMP over IPv6 is not collected: every form of range in this room is about IPv4, and its errors say so.

/// An IPv4 address as a number in host byte order, so that ranges are arithmetic: `127.0.0.1` is `0x7f000001`.
package struct IPv4Address: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let value: UInt32

  package init(_ value: UInt32) {
    self.value = value
  }

  /// Reads four decimal octets. Octets with a leading zero are refused, because half of the world reads them as octal (RFC 6943,
  /// section 3.1.1). Returns nil for anything else.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      guard let octet = Self.octet(part) else { return nil }
      value = value << 8 | UInt32(octet)
    }
    self.value = value
  }

  /// One octet as it is written in an address: decimal digits only, at most 255, no leading zero.
  static func octet(_ text: some StringProtocol) -> UInt8? {
    guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    guard text.utf8.count == 1 || text.utf8.first != 0x30 else { return nil }
    return UInt8(text)
  }

  package static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.value < right.value }

  package var description: String {
    "\(value >> 24).\(value >> 16 & 0xff).\(value >> 8 & 0xff).\(value & 0xff)"
  }
}

/// Where a device answers: an address and a UDP port. The text form is `10.0.0.7:161`.
package struct Endpoint: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The port that agents listen on (RFC 3417, section 3.1).
  package static let snmpPort: UInt16 = 161

  package let address: IPv4Address
  package let port: UInt16

  package init(_ address: IPv4Address, port: UInt16 = snmpPort) {
    self.address = address
    self.port = port
  }

  /// Reads `address:port`, or an address alone with the SNMP port. Returns nil for anything else and for port 0.
  package init?(_ text: some StringProtocol) {
    let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = halves.first, let address = IPv4Address(first) else { return nil }
    guard halves.count == 2 else {
      self.init(address)
      return
    }
    guard let port = UInt16(halves[1]), port != 0 else { return nil }
    self.init(address, port: port)
  }

  package static func < (left: Endpoint, right: Endpoint) -> Bool {
    (left.address, left.port) < (right.address, right.port)
  }

  package var description: String { "\(address):\(port)" }
}
