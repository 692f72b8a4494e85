// The encoding of variable bindings (RFC 3416, section 3): SEQUENCE { name OBJECT IDENTIFIER, value }.
//
// A value that cannot be read as its type says, or whose type SNMP does not have, is kept as `opaque` with a note:
// one nonsense value must not cost a device the rest of its answer. A broken name or length does, since nothing after it
// could be trusted.

package import MIB

extension ObjectValue {
  /// Reads one value.
  ///
  /// - Parameter notes: receives what was tolerated.
  /// - Throws: when the element's tag or length cannot be read.
  package init(from reader: inout BERReader, notes: inout [DecodingNote]) throws(BERError) {
    var pieces = reader.piecewise()
    try self.init(from: &reader, notes: &notes, pieces: &pieces)
  }

  /// Reads one value of several, whose bytes stay together.
  fileprivate init(
    from reader: inout BERReader, notes: inout [DecodingNote], pieces: inout BERReader.Pieces
  ) throws(BERError) {
    let element = try reader.element("value")
    do throws(BERError) {
      self = try Self.contents(of: element, in: reader, notes: &notes, pieces: &pieces)
    } catch {
      notes.append(DecodingNote(offset: element.offset, kind: .unreadableValue(error.problem)))
      self = .opaque(pieces.octets(element))
    }
  }

  private static func contents(
    of element: BERReader.Element, in reader: BERReader, notes: inout [DecodingNote], pieces: inout BERReader.Pieces
  ) throws(BERError) -> ObjectValue {
    switch element.tag {
    case BERTag.integer: .integer(try integer(element, reader, &notes))
    case BERTag.octetString: .octets(pieces.octets(element))
    case BERTag.null: .null
    case BERTag.objectIdentifier: .objectIdentifier(try identifier(element, reader, &notes))
    case BERTag.ipAddress: .ipAddress(pieces.octets(element))
    case BERTag.counter32: .counter32(try unsigned32(element, reader, &notes))
    case BERTag.gauge32, BERTag.unsigned32: .gauge32(try unsigned32(element, reader, &notes))
    case BERTag.timeTicks: .timeTicks(try unsigned32(element, reader, &notes))
    case BERTag.opaque: .opaque(pieces.octets(element))
    case BERTag.counter64: .counter64(try unsigned64(element, reader, &notes))
    case BERTag.noSuchObject: .noSuchObject
    case BERTag.noSuchInstance: .noSuchInstance
    case BERTag.endOfMibView: .endOfMibView
    default: unknown(element, &notes, &pieces)
    }
  }

  private static func integer(
    _ element: BERReader.Element, _ reader: BERReader, _ notes: inout [DecodingNote]
  ) throws(BERError) -> Int64 {
    guard !isEmpty(element, &notes) else { return 0 }
    return try reader.signed(element, "INTEGER")
  }

  /// Agents written in C send a Counter32 above 2^31 as a negative number now and then: `41 04 FF FF FF FF`.
  private static func unsigned32(
    _ element: BERReader.Element, _ reader: BERReader, _ notes: inout [DecodingNote]
  ) throws(BERError) -> UInt32 {
    guard !isEmpty(element, &notes) else { return 0 }
    let value = try reader.signed(element, "unsigned number")
    if let negative = Int32(exactly: value), negative < 0 {
      notes.append(DecodingNote(offset: element.offset, kind: .negativeUnsigned))
      return UInt32(bitPattern: negative)
    }
    guard let unsigned = UInt32(exactly: value) else {
      throw BERError(offset: element.offset, expected: "unsigned number", problem: .integerOutOfRange(value))
    }
    return unsigned
  }

  private static func unsigned64(
    _ element: BERReader.Element, _ reader: BERReader, _ notes: inout [DecodingNote]
  ) throws(BERError) -> UInt64 {
    guard !isEmpty(element, &notes) else { return 0 }
    let (bits, negative) = try reader.twosComplement(element, "Counter64")
    if negative { notes.append(DecodingNote(offset: element.offset, kind: .negativeUnsigned)) }
    return bits
  }

  private static func identifier(
    _ element: BERReader.Element, _ reader: BERReader, _ notes: inout [DecodingNote]
  ) throws(BERError) -> ObjectIdentifier {
    guard !element.contents.isEmpty else {
      notes.append(DecodingNote(offset: element.offset, kind: .emptyObjectIdentifier))
      return [0, 0]
    }
    return try reader.objectIdentifier(element, "object identifier")
  }

  private static func isEmpty(_ element: BERReader.Element, _ notes: inout [DecodingNote]) -> Bool {
    guard element.contents.isEmpty else { return false }
    notes.append(DecodingNote(offset: element.offset, kind: .emptyInteger))
    return true
  }

  private static func unknown(
    _ element: BERReader.Element, _ notes: inout [DecodingNote], _ pieces: inout BERReader.Pieces
  ) -> ObjectValue {
    notes.append(DecodingNote(offset: element.offset, kind: .unknownType(element.tag)))
    return .opaque(pieces.octets(element))
  }

  /// Writes the value in front of what `writer` holds.
  package func write(to writer: inout BERWriter) {
    switch self {
    case .integer(let value): writer.integer(value)
    case .octets(let bytes): writer.octets(bytes)
    case .null: writer.empty(BERTag.null)
    case .objectIdentifier(let identifier): writer.objectIdentifier(identifier)
    case .ipAddress(let bytes): writer.primitive(BERTag.ipAddress, bytes)
    case .counter32(let value): writer.unsigned(UInt64(value), tag: BERTag.counter32)
    case .gauge32(let value): writer.unsigned(UInt64(value), tag: BERTag.gauge32)
    case .timeTicks(let value): writer.unsigned(UInt64(value), tag: BERTag.timeTicks)
    case .opaque(let bytes): writer.primitive(BERTag.opaque, bytes)
    case .counter64(let value): writer.unsigned(value, tag: BERTag.counter64)
    case .noSuchObject: writer.empty(BERTag.noSuchObject)
    case .noSuchInstance: writer.empty(BERTag.noSuchInstance)
    case .endOfMibView: writer.empty(BERTag.endOfMibView)
    }
  }
}

/// A `VarBindList`: SEQUENCE OF VarBind.
enum VarBindList {
  /// About what a binding takes; room is made by it.
  private static let typicalBytes = 20

  static func read(from reader: inout BERReader, notes: inout [DecodingNote]) throws(BERError) -> [VarBind] {
    var list = try reader.nested("variable bindings")
    var pieces = list.piecewise()
    var bindings: [VarBind] = []
    bindings.reserveCapacity(list.remaining / typicalBytes + 1)
    while !list.isAtEnd {
      var pair = try list.nested("variable binding")
      let name = try pair.objectIdentifier("name")
      bindings.append(VarBind(name, try ObjectValue(from: &pair, notes: &notes, pieces: &pieces)))
      try pair.finish("variable binding")
    }
    return bindings
  }

  static func write(_ bindings: [VarBind], to writer: inout BERWriter) {
    writer.constructed { list in
      for binding in bindings.reversed() {
        list.constructed { pair in
          binding.value.write(to: &pair)
          pair.objectIdentifier(binding.name)
        }
      }
    }
  }
}
