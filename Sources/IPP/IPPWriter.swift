// Writing IPP messages: requests of the agent, answers of simulated printers.

extension IPPMessage {
  /// A message cannot be written: a name or value has more bytes than its two bytes of length can say.
  package struct TooLong: Error, Hashable, Sendable {
    package let attribute: String

    package init(attribute: String) { self.attribute = attribute }
  }

  /// The bytes of the message, to its end-of-attributes tag.
  package func encoded() throws(TooLong) -> [UInt8] {
    var writer = IPPWriter()
    writer.bytes = [version.major, version.minor]
    writer.put(code)
    writer.put(requestID)
    for group in groups {
      writer.bytes.append(group.kind.tag)
      for attribute in group.attributes { try writer.put(attribute) }
    }
    writer.bytes.append(0x03)
    return writer.bytes
  }

  /// Asks a printer for its description (RFC 8011, section 4.2.5).
  /// - Parameters:
  ///   - uri: the printer's own, such as `ipp://10.0.0.5/ipp/print`; it may check it.
  ///   - attributes: names or group names; none asks for all.
  package static func getPrinterAttributes(
    uri: String, attributes: [String] = [], requestID: Int32, version: Version = Version(2, 0)
  ) -> IPPMessage {
    var operation = [
      IPPAttribute("attributes-charset", [.string("utf-8", .charset)]),
      IPPAttribute("attributes-natural-language", [.string("en", .naturalLanguage)]),
      IPPAttribute("printer-uri", [.string(uri, .uri)]),
    ]
    if !attributes.isEmpty {
      operation.append(IPPAttribute("requested-attributes", attributes.map { .string($0, .keyword) }))
    }
    return IPPMessage(
      version: version, code: IPPOperation.getPrinterAttributes, requestID: requestID,
      groups: [IPPGroup(.operation, operation)])
  }
}

private struct IPPWriter {
  var bytes: [UInt8] = []

  mutating func put(_ integer: some FixedWidthInteger) {
    withUnsafeBytes(of: integer.bigEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func put(_ attribute: IPPAttribute) throws(IPPMessage.TooLong) {
    for (index, value) in attribute.values.enumerated() {
      try put(value, name: index == 0 ? attribute.name : "", of: attribute.name)
    }
  }

  private mutating func put(_ value: IPPValue, name: String, of attribute: String) throws(IPPMessage.TooLong) {
    bytes.append(value.tag)
    try put(counted: Array(name.utf8), of: attribute)
    guard case .collection(let members) = value else { return try put(counted: value.content, of: attribute) }
    put(UInt16(0))
    for member in members {
      bytes.append(0x4A)
      put(UInt16(0))
      try put(counted: Array(member.name.utf8), of: attribute)
      for value in member.values { try put(value, name: "", of: attribute) }
    }
    bytes += [0x37, 0, 0, 0, 0]
  }

  private mutating func put(counted content: [UInt8], of attribute: String) throws(IPPMessage.TooLong) {
    guard let length = UInt16(exactly: content.count) else { throw IPPMessage.TooLong(attribute: attribute) }
    put(length)
    bytes += content
  }
}

extension IPPValue {
  /// RFC 8010, section 3.5.2.
  fileprivate var tag: UInt8 {
    switch self {
    case .integer: 0x21
    case .boolean: 0x22
    case .enumeration: 0x23
    case .octets: 0x30
    case .dateTime: 0x31
    case .resolution: 0x32
    case .range: 0x33
    case .collection: 0x34
    case .string(_, let syntax): syntax.rawValue
    case .outOfBand(let outOfBand): outOfBand.tag
    case .undecodable(let tag, _): tag
    }
  }

  /// The bytes of a value that is no collection.
  fileprivate var content: [UInt8] {
    func bytes(_ integers: Int32...) -> [UInt8] {
      integers.flatMap { withUnsafeBytes(of: $0.bigEndian) { Array($0) } }
    }
    switch self {
    case .integer(let number), .enumeration(let number): return bytes(number)
    case .boolean(let isTrue): return [isTrue ? 1 : 0]
    case .octets(let octets), .undecodable(_, let octets): return octets
    case .dateTime(let date): return date.bytes
    case .resolution(let across, let along, let units):
      return bytes(across, along) + [UInt8(bitPattern: units)]
    case .range(let lower, let upper): return bytes(lower, upper)
    case .string(let text, .textWithLanguage), .string(let text, .nameWithLanguage):
      // What language it is was not kept: no reader of ours asks.
      let language = Array("en".utf8)
      return Self.counted(language) + Self.counted(Array(text.utf8))
    case .string(let text, _): return Array(text.utf8)
    case .collection, .outOfBand: return []
    }
  }

  /// A text too long for its two bytes makes the whole value too long.
  private static func counted(_ bytes: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt16(truncatingIfNeeded: bytes.count).bigEndian) { Array($0) } + bytes
  }
}
