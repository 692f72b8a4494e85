// Packed objects: raw SNMP objects in few bytes, for the `raw` fields of readings and the `source` of meters.
//
// Layout, entry after entry, names in any order (in MIB order they pack best):
//
//     shared      varint   leading sub-identifiers that are the same as in the entry before (0 in the first)
//     further     varint   sub-identifiers that follow them, then so many varints
//     tag         u8       the BER tag of the value (RFC 3417, section 8; RFC 2578, section 7.1)
//     value                by tag:  INTEGER zigzag varint | Counter32, Gauge32, TimeTicks, Counter64 varint
//                                   OCTET STRING, IpAddress, Opaque: varint length, bytes
//                                   OBJECT IDENTIFIER: varint count, varints | NULL and the exceptions: nothing
//
// Varints are protobuf's: base 128, least significant group first. A decoder meets bytes that a disk or another release wrote, so
// it never trusts a length: what does not fit is a `PackedObjectsError`.

package import MIB

/// Why packed objects could not be read: what was expected, and at which byte.
package struct PackedObjectsError: Error, Equatable, CustomStringConvertible {
  package var offset: Int
  package var expected: String
  package var description: String { "Packed objects are damaged at byte \(offset): expected \(expected)." }
}

package enum PackedObjects {
  /// Packs the bindings in the order given.
  package static func pack(_ bindings: some Sequence<VarBind>) -> [UInt8] {
    var writer = PackedWriter()
    for binding in bindings { writer.append(binding) }
    return writer.bytes
  }

  /// Reads all bindings back.
  package static func unpack(_ bytes: [UInt8]) throws(PackedObjectsError) -> [VarBind] {
    try bytes.span.bytes.withUnsafeBytes { (bytes) throws(PackedObjectsError) in try unpack(bytes) }
  }

  static func unpack(_ bytes: UnsafeRawBufferPointer) throws(PackedObjectsError) -> [VarBind] {
    var reader = PackedReader(bytes)
    var bindings: [VarBind] = []
    while !reader.isAtEnd { bindings.append(try reader.next()) }
    return bindings
  }
}

/// BER tags of the SNMP types.
private enum Tag {
  static let integer: UInt8 = 0x02
  static let octets: UInt8 = 0x04
  static let null: UInt8 = 0x05
  static let objectIdentifier: UInt8 = 0x06
  static let ipAddress: UInt8 = 0x40
  static let counter32: UInt8 = 0x41
  static let gauge32: UInt8 = 0x42
  static let timeTicks: UInt8 = 0x43
  static let opaque: UInt8 = 0x44
  static let counter64: UInt8 = 0x46
  static let noSuchObject: UInt8 = 0x80
  static let noSuchInstance: UInt8 = 0x81
  static let endOfMibView: UInt8 = 0x82
}

private struct PackedWriter {
  var bytes: [UInt8] = []
  private var previous: ObjectIdentifier = []

  mutating func append(_ binding: VarBind) {
    let shared = previous.sharedCount(with: binding.name)
    append(varint: UInt64(shared))
    append(binding.name.dropFirst(shared))
    previous = binding.name
    append(binding.value)
  }

  private mutating func append(_ value: ObjectValue) {
    switch value {
    case .integer(let number):
      bytes.append(Tag.integer)
      append(varint: UInt64(bitPattern: (number << 1) ^ (number >> 63)))
    case .counter32(let number): append(Tag.counter32, UInt64(number))
    case .gauge32(let number): append(Tag.gauge32, UInt64(number))
    case .timeTicks(let number): append(Tag.timeTicks, UInt64(number))
    case .counter64(let number): append(Tag.counter64, number)
    case .octets(let octets): append(Tag.octets, octets)
    case .ipAddress(let octets): append(Tag.ipAddress, octets)
    case .opaque(let octets): append(Tag.opaque, octets)
    case .objectIdentifier(let name):
      bytes.append(Tag.objectIdentifier)
      append(name)
    case .null: bytes.append(Tag.null)
    case .noSuchObject: bytes.append(Tag.noSuchObject)
    case .noSuchInstance: bytes.append(Tag.noSuchInstance)
    case .endOfMibView: bytes.append(Tag.endOfMibView)
    }
  }

  private mutating func append(_ tag: UInt8, _ number: UInt64) {
    bytes.append(tag)
    append(varint: number)
  }

  private mutating func append(_ tag: UInt8, _ octets: Octets) {
    bytes.append(tag)
    append(varint: UInt64(octets.count))
    bytes.append(contentsOf: octets)
  }

  private mutating func append(_ name: ObjectIdentifier) {
    append(varint: UInt64(name.count))
    for component in name { append(varint: UInt64(component)) }
  }

  private mutating func append(varint: UInt64) {
    var rest = varint
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

/// Reads entry after entry. Valid as long as the bytes are.
struct PackedReader {
  private var rest: VarintReader
  private var previous: ObjectIdentifier = []

  init(_ bytes: UnsafeRawBufferPointer) { rest = VarintReader(bytes) }

  var isAtEnd: Bool { rest.isAtEnd }

  mutating func next() throws(PackedObjectsError) -> VarBind {
    let shared = try varint()
    guard shared <= UInt64(previous.count) else { throw expected("at most \(previous.count) shared sub-identifiers") }
    let name = previous.dropLast(previous.count - Int(shared)).appending(try components())
    guard name.count <= ObjectIdentifier.componentsMax else {
      throw expected("at most \(ObjectIdentifier.componentsMax) sub-identifiers")
    }
    previous = name
    return VarBind(name, try value())
  }

  /// The first entry, whose name shares nothing with another and may be known already.
  mutating func first(knowing names: inout Vocabulary<ObjectIdentifier>) throws(PackedObjectsError) -> VarBind {
    let start = rest.offset
    guard try varint() == 0 else { throw expected("no shared sub-identifiers in the first entry") }
    for _ in 0..<(try componentCount()) { _ = try varint() }
    let name = try names.word(rest.bytes(since: start)) { (bytes) throws(PackedObjectsError) in
      var name = PackedReader(bytes)
      _ = try name.varint()
      return try name.components()
    }
    return VarBind(name, try value())
  }

  private mutating func value() throws(PackedObjectsError) -> ObjectValue {
    guard let tag = rest.byte() else { throw expected("the tag of a value") }
    switch tag {
    case Tag.integer:
      let zigzag = try varint()
      return .integer(Int64(bitPattern: (zigzag >> 1) ^ (0 &- (zigzag & 1))))
    case Tag.counter32: return .counter32(try varint32())
    case Tag.gauge32: return .gauge32(try varint32())
    case Tag.timeTicks: return .timeTicks(try varint32())
    case Tag.counter64: return .counter64(try varint())
    case Tag.octets: return .octets(try octets())
    case Tag.ipAddress: return .ipAddress(try octets())
    case Tag.opaque: return .opaque(try octets())
    case Tag.objectIdentifier: return .objectIdentifier(try components())
    case Tag.null: return .null
    case Tag.noSuchObject: return .noSuchObject
    case Tag.noSuchInstance: return .noSuchInstance
    case Tag.endOfMibView: return .endOfMibView
    default: throw expected("the tag of an SNMP type, not \(tag)")
    }
  }

  private mutating func components() throws(PackedObjectsError) -> ObjectIdentifier {
    let count = try componentCount()
    var name = ObjectIdentifier.Builder()
    for _ in 0..<count { name.append(try varint32()) }
    return name.finished()
  }

  private mutating func componentCount() throws(PackedObjectsError) -> Int {
    let count = try varint()
    guard count <= UInt64(ObjectIdentifier.componentsMax) else {
      throw expected("at most \(ObjectIdentifier.componentsMax) sub-identifiers")
    }
    return Int(count)
  }

  private mutating func octets() throws(PackedObjectsError) -> [UInt8] {
    let count = try varint()
    guard let octets = rest.bytes(count) else { throw expected("\(count) bytes") }
    return Array(octets)
  }

  private mutating func varint32() throws(PackedObjectsError) -> UInt32 {
    guard let number = UInt32(exactly: try varint()) else { throw expected("a number below 2^32") }
    return number
  }

  private mutating func varint() throws(PackedObjectsError) -> UInt64 {
    switch rest.next() {
    case .number(let number): return number
    case .truncated: throw expected("the rest of a number")
    case .tooLarge: throw expected("a number below 2^64")
    }
  }

  private func expected(_ what: String) -> PackedObjectsError {
    PackedObjectsError(offset: rest.offset, expected: what)
  }
}
