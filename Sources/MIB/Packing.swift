// What rests between polls, in few bytes. It lives in memory only; what is stored has a format of its own.
//
//     varint  = seven bits a byte, the least significant first
//     name    = shared u8   leading bytes of the key (`NameKey`) that are those of the name before
//               further u8  bytes of the key that follow them, then these bytes
//               count u8    sub-identifiers
//             | 255         a key that does not lie inline: count varint, bytes varint, the bytes
//     value   = kind u8     then a varint (of a number; INTEGER zigzag), or a length varint and bytes, or a name with nothing shared
//     binding = name  value
//     option  = 0 | 1 and what there is
//     text    = length varint, UTF-8
//     word    = 0 and a text, which is remembered | how many words ago it was remembered, from 1
//
// Reading. Nobody else's bytes come here, so that others would be a defect of ours and stop the process.

/// Writes what `PackedReader` reads.
package struct PackedWriter {
  fileprivate static let longName: UInt8 = 255

  fileprivate enum Kind: UInt8 {
    case integer, octets, null, objectIdentifier, ipAddress, counter32, gauge32, timeTicks, opaque, counter64
    case noSuchObject, noSuchInstance, endOfMibView
  }

  private var bytes: [UInt8] = []
  private var previous = NameKey()
  private var words: [String] = []

  /// - Parameter byteCount: about how many there will be.
  package init(byteCount: Int) { bytes.reserveCapacity(byteCount) }

  /// What was written, without the room that was not needed: a copy is as long as what it copies.
  package func finished() -> [UInt8] { bytes.withUnsafeBufferPointer { Array($0) } }

  /// What was written so far.
  package func withBytes<Result>(_ body: ([UInt8]) -> Result) -> Result { body(bytes) }

  package mutating func append(byte: UInt8) { bytes.append(byte) }

  package mutating func append(varint: UInt64) {
    var rest = varint
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// Small numbers of either sign take few bytes.
  package mutating func append(zigzag number: Int64) {
    append(varint: UInt64(bitPattern: (number << 1) ^ (number >> 63)))
  }

  package mutating func append(_ octets: some Collection<UInt8>) {
    append(varint: UInt64(octets.count))
    bytes.append(contentsOf: octets)
  }

  package mutating func append(_ text: String) { append(text.utf8) }

  /// A text that is likely to come again.
  package mutating func append(word: String) {
    // Texts of other bytes may be equal, and are not to be taken for one another.
    if let index = words.lastIndex(where: { $0.utf8.elementsEqual(word.utf8) }) {
      return append(varint: UInt64(words.count - index))
    }
    append(byte: 0)
    append(word)
    words.append(word)
  }

  package mutating func append<Value>(option: Value?, _ append: (inout PackedWriter, Value) -> Void) {
    guard let option else { return self.append(byte: 0) }
    self.append(byte: 1)
    append(&self, option)
  }

  /// A name that is likely to begin as the one before.
  package mutating func append(_ name: ObjectIdentifier) {
    append(name.key, after: previous)
    previous = name.key
  }

  package mutating func append(_ binding: VarBind) {
    append(binding.name)
    append(binding.value)
  }

  package mutating func append(_ value: ObjectValue) {
    switch value {
    case .integer(let number):
      bytes.append(Kind.integer.rawValue)
      append(zigzag: number)
    case .counter32(let number): append(.counter32, UInt64(number))
    case .gauge32(let number): append(.gauge32, UInt64(number))
    case .timeTicks(let number): append(.timeTicks, UInt64(number))
    case .counter64(let number): append(.counter64, number)
    case .octets(let octets): append(.octets, octets)
    case .ipAddress(let octets): append(.ipAddress, octets)
    case .opaque(let octets): append(.opaque, octets)
    case .objectIdentifier(let name):
      bytes.append(Kind.objectIdentifier.rawValue)
      append(name.key, after: NameKey())
    case .null: bytes.append(Kind.null.rawValue)
    case .noSuchObject: bytes.append(Kind.noSuchObject.rawValue)
    case .noSuchInstance: bytes.append(Kind.noSuchInstance.rawValue)
    case .endOfMibView: bytes.append(Kind.endOfMibView.rawValue)
    }
  }

  private mutating func append(_ kind: Kind, _ number: UInt64) {
    bytes.append(kind.rawValue)
    append(varint: number)
  }

  private mutating func append(_ kind: Kind, _ octets: Octets) {
    bytes.append(kind.rawValue)
    append(octets)
  }

  private mutating func append(_ key: NameKey, after previous: NameKey) {
    if let long = key.long {
      bytes.append(Self.longName)
      append(varint: UInt64(long.count))
      append(long.bytes)
      return
    }
    let shared = key.sharedInlineBytes(with: previous)
    bytes.append(UInt8(shared))
    bytes.append(UInt8(key.inlineByteCount - shared))
    for index in shared..<key.inlineByteCount { bytes.append(key.inlineByte(index)) }
    bytes.append(UInt8(key.count))
  }
}

/// Reads what `PackedWriter` wrote, in the same order.
package struct PackedReader {
  private let bytes: [UInt8]
  private var position = 0
  private var previous = NameKey()
  private var words: [String] = []

  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  package mutating func byte() -> UInt8 {
    defer { position += 1 }
    return bytes[position]
  }

  package mutating func varint() -> UInt64 {
    var (value, shift): (UInt64, UInt64) = (0, 0)
    while true {
      let next = byte()
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
      shift += 7
    }
  }

  package mutating func zigzag() -> Int64 {
    let zigzag = varint()
    return Int64(bitPattern: (zigzag >> 1) ^ (0 &- (zigzag & 1)))
  }

  package mutating func array() -> [UInt8] { Array(bytes[take(Int(varint()))]) }

  package mutating func text() -> String { String(decoding: bytes[take(Int(varint()))], as: UTF8.self) }

  package mutating func word() -> String {
    let distance = Int(varint())
    guard distance == 0 else { return words[words.count - distance] }
    let word = text()
    words.append(word)
    return word
  }

  package mutating func option<Value>(_ read: (inout PackedReader) -> Value) -> Value? {
    byte() == 0 ? nil : read(&self)
  }

  package mutating func name() -> ObjectIdentifier {
    previous = key(after: previous)
    return ObjectIdentifier(key: previous)
  }

  package mutating func binding() -> VarBind {
    let name = name()
    return VarBind(name, value())
  }

  package mutating func value() -> ObjectValue {
    switch PackedWriter.Kind(rawValue: byte()) {
    case .integer: return .integer(zigzag())
    case .counter32: return .counter32(UInt32(varint()))
    case .gauge32: return .gauge32(UInt32(varint()))
    case .timeTicks: return .timeTicks(UInt32(varint()))
    case .counter64: return .counter64(varint())
    case .octets: return .octets(octets())
    case .ipAddress: return .ipAddress(octets())
    case .opaque: return .opaque(octets())
    case .objectIdentifier: return .objectIdentifier(ObjectIdentifier(key: key(after: NameKey())))
    case .null: return .null
    case .noSuchObject: return .noSuchObject
    case .noSuchInstance: return .noSuchInstance
    case .endOfMibView: return .endOfMibView
    case nil: preconditionFailure("a packed value is of no kind")
    }
  }

  /// Passes a value.
  mutating func skipValue() {
    switch PackedWriter.Kind(rawValue: byte()) {
    case .integer, .counter32, .gauge32, .timeTicks, .counter64: _ = varint()
    case .octets, .ipAddress, .opaque: _ = take(Int(varint()))
    case .objectIdentifier: _ = key(after: NameKey())
    case .null, .noSuchObject, .noSuchInstance, .endOfMibView: break
    case nil: preconditionFailure("a packed value is of no kind")
    }
  }

  private mutating func key(after previous: NameKey) -> NameKey {
    let shared = byte()
    if shared == PackedWriter.longName {
      let count = Int(varint())
      return NameKey(long: array(), count: count)
    }
    let further = bytes[take(Int(byte()))]
    return NameKey(previous, shared: Int(shared), further, count: Int(byte()))
  }

  private mutating func octets() -> Octets { Octets(bytes, take(Int(varint()))) }

  private mutating func take(_ count: Int) -> Range<Int> {
    defer { position += count }
    return position..<(position + count)
  }
}
