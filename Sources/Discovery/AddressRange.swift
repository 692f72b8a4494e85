// The forms in which people write address ranges:
//
//   10.0.0.7                one address
//   10.0.0.1-10             the last octet from 1 to 10; any octet may be a range: 10.0.0-3.1-254
//   10.0.0.1-10.0.1.20      from one address to another, both included
//   10.0.0.*                any octet may be `*`. In the last octet it stands for 1 to 254, because .0 and .255 are nearly always a
//                           network's own and its broadcast address, and a broadcast would be answered by every device at once;
//                           in the other octets it stands for 0 to 255. Who really means all of them writes 10.0.0.0-255.
//   10.0.0.0/24             CIDR, /8 to /32. Of /30 and shorter the network and the broadcast address are left out; /31 (RFC 3021) and
//                           /32 are taken whole. Host bits may be set: 10.0.0.7/24 is the network that 10.0.0.7 is in.
//
// What is left out of a sweep is left out of what to sweep only. To be spared, a network or a `*` means every address of it: what looks like
// a broadcast address may be a host of a wider network.
//
// A range is kept as spans, never as a list of addresses, so that a /8 costs as little as one address.

/// A range of addresses as somebody wrote it.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
  /// The widest network: anything wider is a typing mistake, and would take weeks at a polite pace.
  package static let shortestPrefix = 8

  /// The text as written.
  package let description: String
  /// The addresses: closed intervals of host-order numbers, ascending, disjoint and not adjacent.
  package let spans: [ClosedRange<UInt32>]

  /// What a range is written for.
  package enum Purpose: Sendable {
    /// To be asked.
    case sweep
    /// Not to be asked.
    case exclusion
  }

  /// Reads one of the forms above. Blanks around it are ignored.
  package init(_ text: some StringProtocol, for purpose: Purpose = .sweep) throws(AddressRangeError) {
    let body = text.trimmingBlanks
    description = String(body)
    if body.contains(":") {
      throw AddressRangeError(text: description, problem: "IPv6 addresses and ports are not supported here")
    } else if body.contains(where: \.isLetter) {
      throw AddressRangeError(text: description, problem: "host names are not resolved: give the address")
    } else if body.contains("/") {
      spans = [try Self.network(body, purpose)]
    } else if let span = try Self.interval(body) {
      spans = [span]
    } else {
      spans = try Self.pattern(body, purpose)
    }
  }

  /// The one address.
  package init(_ address: IPv4Address) {
    description = address.description
    spans = [address.value...address.value]
  }

  /// Whether every address can be one device's (RFC 1112: from 224.0.0.0 on are groups, reserved addresses and the broadcast address; RFC 1122,
  /// section 3.2.1.3: 0.0.0.0/8 is this network).
  package var isUnicast: Bool {
    spans.allSatisfy { $0.lowerBound > Self.thisNetwork && $0.upperBound < Self.firstMulticast }
  }

  /// What is wrong with a range that is not.
  package static let notUnicast = "multicast, reserved and broadcast addresses and 0.0.0.0/8 are no device's"

  private static let firstMulticast: UInt32 = 224 << 24
  private static let thisNetwork: UInt32 = (1 << 24) - 1

  private static func network(_ text: Substring, _ purpose: Purpose) throws(AddressRangeError) -> ClosedRange<UInt32> {
    let halves = text.split(separator: "/", omittingEmptySubsequences: false)
    if halves.count == 2, halves[1].contains(".") {
      throw AddressRangeError(text: String(text), problem: "a network mask is not read; write the length of the prefix")
    }
    guard halves.count == 2, let address = IPv4Address(halves[0]) else {
      throw AddressRangeError(text: String(text), problem: "what stands before the / is not an IPv4 address")
    }
    guard let prefix = Int(halves[1]), halves[1].utf8.first != UInt8(ascii: "+"), (shortestPrefix...32).contains(prefix)
    else {
      throw AddressRangeError(text: String(text), problem: "the prefix length must be from \(shortestPrefix) to 32")
    }
    let hostMask: UInt32 = prefix == 32 ? 0 : .max >> UInt32(prefix)
    let first = address.value & ~hostMask
    let last = address.value | hostMask
    return prefix >= 31 || purpose == .exclusion ? first...last : first + 1...last - 1
  }

  /// `a.b.c.d-e.f.g.h`; nil when it is not of this form.
  private static func interval(_ text: Substring) throws(AddressRangeError) -> ClosedRange<UInt32>? {
    let halves = text.split(separator: "-", omittingEmptySubsequences: false).map { $0.trimmingBlanks }
    guard halves.count == 2, halves[1].contains(".") else { return nil }
    guard let first = IPv4Address(halves[0]) else { return nil }
    guard let last = IPv4Address(halves[1]) else {
      throw AddressRangeError(text: String(text), problem: "\"\(halves[1])\" is not an IPv4 address")
    }
    guard first <= last else {
      throw AddressRangeError(text: String(text), problem: "it ends before it begins")
    }
    guard last.value - first.value <= .max >> UInt32(shortestPrefix) else {
      throw AddressRangeError(text: String(text), problem: "it holds more addresses than a /\(shortestPrefix)")
    }
    return first.value...last.value
  }

  private static func pattern(_ text: Substring, _ purpose: Purpose) throws(AddressRangeError) -> [ClosedRange<UInt32>]
  {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else {
      throw AddressRangeError(text: String(text), problem: "it does not have four octets")
    }
    var octets: [ClosedRange<UInt32>] = []
    for (index, part) in parts.enumerated() {
      octets.append(try octetRange(part, isHost: index == 3 && purpose == .sweep, in: text))
    }
    // With one first octet a pattern is no wider than a /8 and comes apart into 65,536 spans at most (10.*.*.7).
    guard octets[0].count == 1 else {
      throw AddressRangeError(text: String(text), problem: "the first octet must be one number")
    }
    return expand(octets)
  }

  private static func octetRange(
    _ part: Substring, isHost: Bool, in text: Substring
  ) throws(AddressRangeError) -> ClosedRange<UInt32> {
    if part == "*" { return isHost ? 1...254 : 0...255 }
    let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { $0.trimmingBlanks }
    guard ends.count <= 2, let first = ends.first.flatMap({ IPv4Address.octet($0) }),
      let last = ends.last.flatMap({ IPv4Address.octet($0) })
    else {
      throw AddressRangeError(
        text: String(text), problem: "\"\(part)\" is not an octet: a number from 0 to 255 without leading zeros")
    }
    guard first <= last else {
      throw AddressRangeError(text: String(text), problem: "\"\(part)\" ends before it begins")
    }
    return UInt32(first)...UInt32(last)
  }

  /// Multiplies the octets out, keeping neighbours together.
  private static func expand(_ octets: [ClosedRange<UInt32>]) -> [ClosedRange<UInt32>] {
    var spans = [octets[3]]
    for (position, octet) in octets[..<3].reversed().enumerated() {
      let unit: UInt32 = 1 << UInt32(8 * (position + 1))
      if spans == [0...unit - 1] {
        spans = [octet.lowerBound * unit...octet.upperBound * unit + (unit - 1)]
        continue
      }
      spans = octet.flatMap { high in spans.map { high * unit + $0.lowerBound...high * unit + $0.upperBound } }
    }
    return spans
  }
}

/// A range that could not be read, with what was expected.
package struct AddressRangeError: Error, Equatable, CustomStringConvertible {
  package let text: String
  package let problem: String

  package init(text: String, problem: String) {
    self.text = text
    self.problem = problem
  }

  package var description: String {
    """
    "\(text)" is not an address range: \(problem). Expected 10.0.0.7, 10.0.0.1-10, 10.0.0.1-10.0.1.20, 10.0.0.* or 10.0.0.0/24.
    """
  }
}

extension StringProtocol {
  /// Without blanks and tabs at both ends.
  fileprivate var trimmingBlanks: Substring {
    var rest = Substring(self)
    while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
    while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
    return rest
  }
}
