// Answers whose bytes are wrong, or right in a way that no agent of ours writes: the encoded message is taken apart into its elements and put
// together again with other lengths.
//
//     definite      30 0c …            what every agent sends
//     padded        30 84 00 00 00 0c  allowed by BER (X.690, section 8.1.3.5)
//     short         30 0b …            one less than what follows
//     long          30 88 80 00 …      the whole message says to have 2^63 bytes
//     indefinite    30 80 … 00 00      allowed by BER, forbidden by RFC 3417, section 8

/// One element of BER. What it is made of is our own encoding, so tags have one byte and lengths are definite.
indirect enum BERElement: Equatable {
  case primitive(UInt8, [UInt8])
  case constructed(UInt8, [BERElement])

  enum Lengths { case definite, padded, short, long, indefinite }

  private static let null = BERElement.primitive(0x05, [])
  private static let sequence: UInt8 = 0x30
  private static let constructedBit: UInt8 = 0x20

  /// Nil for bytes that are not exactly one element.
  init?(_ bytes: [UInt8]) {
    var rest = bytes[...]
    guard let element = Self.next(&rest), rest.isEmpty else { return nil }
    self = element
  }

  private static func next(_ rest: inout ArraySlice<UInt8>) -> BERElement? {
    guard let tag = rest.popFirst(), let first = rest.popFirst() else { return nil }
    var count = Int(first)
    if first > 0x80 {
      guard first <= 0x84 else { return nil }
      count = 0
      for _ in 0..<(first & 0x7f) {
        guard let byte = rest.popFirst() else { return nil }
        count = count << 8 | Int(byte)
      }
    }
    guard first != 0x80, count <= rest.count else { return nil }
    var contents = rest.prefix(count)
    rest = rest.dropFirst(count)
    guard tag & constructedBit != 0 else { return .primitive(tag, Array(contents)) }
    var children: [BERElement] = []
    while !contents.isEmpty {
      guard let child = next(&contents) else { return nil }
      children.append(child)
    }
    return .constructed(tag, children)
  }

  func encoded(_ lengths: Lengths) -> [UInt8] {
    // The outermost length alone is a lie there, so that nothing before it is refused for another reason.
    let inner: Lengths = lengths == .long ? .definite : lengths
    switch self {
    case .primitive(let tag, let contents):
      return [tag] + Self.length(contents.count, lengths == .indefinite ? .definite : lengths) + contents
    case .constructed(let tag, let children):
      let contents = children.flatMap { $0.encoded(inner) }
      guard lengths == .indefinite else { return [tag] + Self.length(contents.count, lengths) + contents }
      return [tag, 0x80] + contents + [0, 0]
    }
  }

  private static func length(_ count: Int, _ lengths: Lengths) -> [UInt8] {
    switch lengths {
    case .short: return length(max(0, count - 1), .definite)
    case .long: return [0x88, 0x80, 0, 0, 0, 0, 0, 0, 0]
    case .padded: return [0x84] + (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) }
    case .definite, .indefinite:
      if count < 0x80 { return [UInt8(count)] }
      if count < 0x100 { return [0x81, UInt8(count)] }
      return [0x82, UInt8(truncatingIfNeeded: count >> 8), UInt8(truncatingIfNeeded: count)]
    }
  }

  /// A message of SNMPv1 or v2c with each value put into so many sequences; others stay as they are.
  func nested(_ depth: Int) -> BERElement {
    guard case .constructed(let tag, var message) = self, message.count == 3,
      case .constructed(let type, var pdu) = message[2], pdu.count == 4,
      case .constructed(let list, let bindings) = pdu[3]
    else { return self }
    let deep = (0..<depth).reduce(Self.null) { inner, _ in .constructed(Self.sequence, [inner]) }
    pdu[3] = .constructed(
      list,
      bindings.map { binding in
        guard case .constructed(let tag, var parts) = binding, parts.count == 2 else { return binding }
        parts[1] = deep
        return .constructed(tag, parts)
      })
    message[2] = .constructed(type, pdu)
    return .constructed(tag, message)
  }
}

extension Fault {
  /// The bytes of an answer as a device with this fault sends them.
  func distorted(_ bytes: [UInt8]) -> [UInt8] {
    switch self {
    case .truncated: Array(bytes.prefix(bytes.count / 2))
    case .cut(let count): Array(bytes.prefix(count))
    case .malformed: Self.withLyingLengths(bytes)
    case .shortLengths: BERElement(bytes)?.encoded(.short) ?? bytes
    case .longLengths: BERElement(bytes)?.encoded(.long) ?? bytes
    case .indefiniteLengths: BERElement(bytes)?.encoded(.indefinite) ?? bytes
    case .paddedLengths: BERElement(bytes)?.encoded(.padded) ?? bytes
    case .deepNesting: BERElement(bytes)?.nested(Self.nestingDepth).encoded(.definite) ?? bytes
    default: bytes
    }
  }

  /// The outer length stays, so that the datagram looks whole; the lengths inside point past its end.
  private static func withLyingLengths(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for position in bytes.indices.dropFirst(4) where bytes[position] == 0x30 || bytes[position] == 0x02 {
      if position + 1 < bytes.count { bytes[position + 1] = 0x7f }
    }
    return bytes
  }
}
