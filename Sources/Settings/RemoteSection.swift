// [remote]: whether technicians may see devices' own pages through this agent, and which. A site decides it by itself: no key of it can be set by a hub.

package import AlertRules
package import Discovery

/// [remote]
package struct RemoteSettings: Sendable {
  package static let timeRange: ClosedRange<Duration> = .seconds(60) ... .seconds(30 * 60)
  package static let sessionsRange = 1...20
  package static let bytesRange = ByteCount(bytes: 1 << 20)...ByteCount(bytes: 1 << 40)
  package static let requestsRange = 1...1_000_000
  package static let rateRange = 1...10_000
  /// Ports that may be reached at most.
  package static let portsMax = 8
  /// Raw printing: what is sent there is paper.
  package static let rawPrinting = 9_100

  /// Characters of a serial number at least.
  private static let serialMin = 3

  /// Devices as somebody wrote them.
  package enum DeviceSet: Sendable, Hashable {
    case addresses(AddressRange)
    case mac([UInt8])
    /// By serial number or id.
    case named(DeviceSelector)
  }

  package var isEnabled = false
  package var ports: [UInt16] = [80, 443, 631]
  /// Devices that no session leads to.
  package var exclusions: [DeviceSet] = []
  /// Devices with which TLS before 1.2 is spoken.
  package var oldTLS: [DeviceSet] = []
  /// Addresses that are no customer's device, and are reached all the same: a test fleet's.
  package var allowedAddresses: [AddressRange] = []
  package var timeLimit: Duration = .seconds(30 * 60)
  package var sessionsMax = 20
  package var bytesMax = ByteCount(bytes: 1 << 30)
  package var requestsMax = 20_000
  package var requestsPerSecond = 200

  package init() {}
}

extension RemoteSettings {
  private static let deviceForm =
    "a serial number, a MAC address such as \"00:11:22:33:44:55\", eight digits or more of a device's id, or an address range"

  init(_ table: TableReader) {
    self.init()
    isEnabled = table.boolean("enabled", default: isEnabled)
    if table.has("ports") {
      ports = table.list("ports", expected: "TCP ports such as 443, and not 9100") { node, place in
        if case .integer(let value) = node, (1...65_535).contains(value), value != Self.rawPrinting {
          return UInt16(value)
        }
        table.findings.note(
          place, found: node.shown, expected: "a TCP port from 1 to 65535 and not 9100, where paper comes out")
        return nil
      }
      if !(1...Self.portsMax).contains(ports.count) {
        table.note("ports", found: "\(ports.count) ports", expected: "1 to \(Self.portsMax) ports")
      }
    } else {
      table.know("ports")
    }
    exclusions = Self.deviceSets("exclude", table)
    oldTLS = Self.deviceSets("old_tls", table)
    allowedAddresses = table.texts("allow_addresses", expected: "address ranges of a test fleet") {
      try? AddressRange($0, for: .exclusion)
    }
    timeLimit = table.duration("time_limit", in: Self.timeRange, default: timeLimit)
    sessionsMax = table.integer("sessions_max", in: Self.sessionsRange, default: sessionsMax)
    bytesMax = table.size("bytes_max", in: Self.bytesRange, default: bytesMax)
    requestsMax = table.integer("requests_max", in: Self.requestsRange, default: requestsMax)
    requestsPerSecond = table.integer("requests_per_second", in: Self.rateRange, default: requestsPerSecond)
    table.finish()
  }

  private static func deviceSets(_ key: String, _ table: TableReader) -> [DeviceSet] {
    table.list(key, expected: deviceForm) { node, place in
      guard case .string(let text) = node else {
        table.findings.note(place, found: node.shown, expected: deviceForm)
        return nil
      }
      if let set = devices(text) { return set }
      table.findings.note(place, found: node.shown, expected: expected(of: text))
      return nil
    }
  }

  /// What a text ought to have been, by what it looks like.
  private static func expected(of text: String) -> String {
    if looksLikeAddresses(text) { return "an address range such as \"10.0.0.0/24\", since it has the form of one" }
    if looksLikeMAC(text) {
      return
        "a MAC address of six pairs of hexadecimal digits, such as \"00:11:22:33:44:55\", since it has the form of one"
    }
    return
      deviceForm
      + "; a serial number has three characters or more: letters, digits, - _ . / and single spaces inside"
  }

  /// What is neither an address, a MAC address nor what a serial number may look like is none: nobody is to believe that a device is excluded.
  static func devices(_ text: String) -> DeviceSet? {
    if looksLikeAddresses(text) { return (try? AddressRange(text, for: .exclusion)).map { .addresses($0) } }
    if looksLikeMAC(text) { return mac(text).map { .mac($0) } }
    return isSerial(text) ? DeviceSelector(text).map { .named($0) } : nil
  }

  /// A dot and no letter, or three dots and more.
  private static func looksLikeAddresses(_ text: String) -> Bool {
    text.contains(".") && !text.contains(where: \.isLetter) || text.count { $0 == "." } >= 3
  }

  /// A colon, four pairs of signs and more with hyphens between them, or three groups of four hexadecimal digits with dots.
  private static func looksLikeMAC(_ text: String) -> Bool {
    let groups = text.split(separator: "-", omittingEmptySubsequences: false)
    let dotted = text.split(separator: ".", omittingEmptySubsequences: false)
    return text.contains(":") || groups.count >= 4 && groups.allSatisfy { $0.count == 2 }
      || dotted.count == 3 && dotted.allSatisfy { $0.count == 4 && $0.allSatisfy(\.isHexDigit) }
  }

  /// Six pairs of hexadecimal digits, with colons or with hyphens between them.
  private static func mac(_ text: String) -> [UInt8]? {
    for separator in [Character(":"), "-"] {
      let pairs = text.split(separator: separator, omittingEmptySubsequences: false)
      guard pairs.count == 6, pairs.allSatisfy({ $0.utf8.count == 2 && $0.allSatisfy(\.isHexDigit) }) else { continue }
      return pairs.compactMap { UInt8($0, radix: 16) }
    }
    return nil
  }

  /// Letters, digits, - _ . / and single spaces inside, three at least; of ASCII.
  private static func isSerial(_ text: String) -> Bool {
    text.utf8.count >= serialMin && !text.hasPrefix(" ") && !text.hasSuffix(" ") && !text.contains("  ")
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./ ".contains($0)) }
  }
}
