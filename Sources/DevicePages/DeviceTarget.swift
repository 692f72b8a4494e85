// Where a device's pages are, and how it is told from everything else.

/// A scheme and a port: `https:443`, as the tunnel's hello has it (docs/formats/tunnel.md).
package struct DeviceTarget: Hashable, Sendable, CustomStringConvertible {
  package let isSecure: Bool
  package let port: UInt16

  package init(isSecure: Bool, port: UInt16) {
    self.isSecure = isSecure
    self.port = port
  }

  package init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "http" || parts[0] == "https", let port = UInt16(parts[1]), port > 0 else {
      return nil
    }
    self.init(isSecure: parts[0] == "https", port: port)
  }

  package var scheme: String { isSecure ? "https" : "http" }
  package var description: String { "\(scheme):\(port)" }

  static func usualPort(isSecure: Bool) -> UInt16 { isSecure ? 443 : 80 }
}

/// A session's device, as its addresses are judged by.
package struct DevicePlace: Equatable, Sendable {
  /// What it calls itself and is reached by, in lower case; the first stands for it in what the device is sent.
  package let names: [String]
  /// What answered there.
  package let targets: [DeviceTarget]
  /// Where requests go now.
  package var current: DeviceTarget

  /// Ports at which a device may have pages, besides those that answered at first.
  static let usualPorts: Set<UInt16> = [80, 443, 631]

  /// - Returns: nil without a name or a target.
  package init?(names: [String], targets: [DeviceTarget], current: DeviceTarget? = nil) {
    guard !names.isEmpty, let first = targets.first else { return nil }
    self.names = names.map { $0.lowercased() }
    self.targets = targets
    self.current = current ?? first
  }

  /// As `Origin` and `Referer` name it to itself.
  package var origin: String {
    let name = names[0].contains(":") ? "[\(names[0])]" : names[0]
    let port = current.port == DeviceTarget.usualPort(isSecure: current.isSecure) ? "" : ":\(current.port)"
    return "\(current.scheme)://\(name)\(port)"
  }

  /// Where a link or a redirect to the device at a port leads; nil: that is none of its targets. From TLS it never leads to none, which whoever stands between
  /// would ask for as well: its path is then one of the present target.
  package func leading(to target: DeviceTarget) -> DeviceTarget? {
    if current.isSecure, !target.isSecure { return current }
    return has(target) ? target : nil
  }

  package func has(_ target: DeviceTarget) -> Bool {
    targets.contains(target) || Self.usualPorts.contains(target.port)
  }
}

/// An address as a device writes it: scheme and authority, or neither.
struct WrittenAddress {
  let scheme: String?
  let host: String?
  let port: UInt16?
  /// From the path on; empty where the authority is all.
  let rest: String

  /// Nil for an authority that cannot be read.
  init?(_ text: String) {
    var rest = Substring(text)
    var scheme: String?
    if let colon = rest.firstIndex(of: ":"), colon < (rest.firstIndex(where: { "/?#".contains($0) }) ?? rest.endIndex) {
      let name = rest[..<colon]
      guard let first = name.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first | 0x20),
        name.utf8.allSatisfy({ Self.isOfScheme($0) })
      else { return nil }
      scheme = name.lowercased()
      rest = rest[rest.index(after: colon)...]
    }
    guard rest.hasPrefix("//") else {
      (self.scheme, host, port, self.rest) = (scheme, nil, nil, String(rest))
      return
    }
    rest = rest.dropFirst(2)
    let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
    guard let (host, port) = Self.authority(rest[..<end]) else { return nil }
    (self.scheme, self.host, self.port, self.rest) = (scheme, host, port, String(rest[end...]))
  }

  private static func isOfScheme(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39, 0x2B, 0x2D, 0x2E:
      true
    default: false
    }
  }

  /// The host in lower case without brackets, and the port. A user's name before the host is the oldest of disguises, and no address.
  static func authority(_ text: Substring) -> (host: String, port: UInt16?)? {
    guard !text.contains("@"), !text.contains("\\"), !text.isEmpty else { return nil }
    var host = text
    var port: UInt16?
    let isBracketed = text.hasPrefix("[")
    if let colon = text.lastIndex(of: ":"), !isBracketed || text[..<colon].hasSuffix("]") {
      let digits = text[text.index(after: colon)...]
      host = text[..<colon]
      if !digits.isEmpty {
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(digits) else { return nil }
        port = number
      }
    }
    if isBracketed {
      guard host.hasSuffix("]") else { return nil }
      host = host.dropFirst().dropLast()
    }
    if host.hasSuffix(".") { host = host.dropLast() }
    guard !host.isEmpty else { return nil }
    return (host.lowercased(), port)
  }
}
