// A walk at rest: one buffer, for the many devices of which the last answers are kept until the next poll. Some ten bytes an object, where a
// binding takes 72 and its octets more. It lives in memory only; what is stored has a format of its own.
//
//     object  = name  value
//     name    = shared u8   leading bytes of the key (`NameKey`) that are those of the name before
//               further u8  bytes of the key that follow them, then these bytes
//               count u8    sub-identifiers
//             | 255         a key that does not lie inline: count varint, bytes varint, the bytes
//     value   = kind u8     then a varint (of a number; INTEGER zigzag), or a length varint and bytes, or a name with nothing shared
//
// Octets of an unpacked walk are pieces of the buffer.

/// A walk in few bytes.
package struct PackedWalk: Sendable {
  private let bytes: [UInt8]
  private let count: Int
  /// What stands in place of the value in the bytes: that of an object which alone moves on while the others stand still.
  private var moved: VarBind?

  package init(_ walk: Walk) {
    var writer = Writer()
    writer.bytes.reserveCapacity(walk.bindings.count * 12)
    for binding in walk.bindings { writer.append(binding) }
    // Without the room that was not needed: a copy is as long as what it copies.
    bytes = writer.bytes.withUnsafeBufferPointer { Array($0) }
    count = walk.bindings.count
  }

  /// The same walk with another value of one of its objects. Of several such objects only the last is kept so: the walk is packed anew for
  /// the others.
  package func replacing(_ binding: VarBind) -> PackedWalk {
    guard moved == nil || moved?.name == binding.name else {
      var walk = walk
      walk.set(binding.name, binding.value)
      return PackedWalk(walk)
    }
    var packed = self
    packed.moved = binding
    return packed
  }

  /// The walk as it was.
  package var walk: Walk {
    var reader = Reader(bytes)
    var bindings: [VarBind] = []
    bindings.reserveCapacity(count)
    for _ in 0..<count { bindings.append(reader.next()) }
    var walk = Walk(bindings)
    if let moved { walk.set(moved.name, moved.value) }
    return walk
  }

  package var byteCount: Int { bytes.count }

  fileprivate static let longName: UInt8 = 255

  fileprivate enum Kind: UInt8 {
    case integer, octets, null, objectIdentifier, ipAddress, counter32, gauge32, timeTicks, opaque, counter64
    case noSuchObject, noSuchInstance, endOfMibView
  }
}

// MARK: - Packing

extension PackedWalk {
  private struct Writer {
    var bytes: [UInt8] = []
    private var previous = NameKey()

    mutating func append(_ binding: VarBind) {
      append(binding.name.key, after: previous)
      previous = binding.name.key
      append(binding.value)
    }

    private mutating func append(_ key: NameKey, after previous: NameKey) {
      if let long = key.long {
        bytes.append(PackedWalk.longName)
        append(varint: UInt64(long.count))
        append(varint: UInt64(long.bytes.count))
        bytes += long.bytes
        return
      }
      let shared = key.sharedInlineBytes(with: previous)
      bytes.append(UInt8(shared))
      bytes.append(UInt8(key.inlineByteCount - shared))
      for index in shared..<key.inlineByteCount { bytes.append(key.inlineByte(index)) }
      bytes.append(UInt8(key.count))
    }

    private mutating func append(_ value: ObjectValue) {
      switch value {
      case .integer(let number): append(.integer, UInt64(bitPattern: (number << 1) ^ (number >> 63)))
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
      append(kind, UInt64(octets.count))
      bytes.append(contentsOf: octets)
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
}

// MARK: - Unpacking

extension PackedWalk {
  /// Reads what the writer wrote. Nobody else's bytes come here, so that others would be a defect of ours and stop the process.
  private struct Reader {
    private let bytes: [UInt8]
    private var position = 0
    private var previous = NameKey()

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() -> VarBind {
      previous = key(after: previous)
      return VarBind(ObjectIdentifier(key: previous), value())
    }

    private mutating func key(after previous: NameKey) -> NameKey {
      let shared = byte()
      if shared == PackedWalk.longName {
        let (count, length) = (Int(varint()), Int(varint()))
        return NameKey(long: Array(bytes[take(length)]), count: count)
      }
      let further = bytes[take(Int(byte()))]
      return NameKey(previous, shared: Int(shared), further, count: Int(byte()))
    }

    private mutating func value() -> ObjectValue {
      switch Kind(rawValue: byte()) {
      case .integer:
        let zigzag = varint()
        return .integer(Int64(bitPattern: (zigzag >> 1) ^ (0 &- (zigzag & 1))))
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
      case nil: preconditionFailure("a packed walk has a value of no kind")
      }
    }

    private mutating func octets() -> Octets { Octets(bytes, take(Int(varint()))) }

    private mutating func byte() -> UInt8 {
      defer { position += 1 }
      return bytes[position]
    }

    private mutating func take(_ count: Int) -> Range<Int> {
      defer { position += count }
      return position..<(position + count)
    }

    private mutating func varint() -> UInt64 {
      var (value, shift): (UInt64, UInt64) = (0, 0)
      while true {
        let next = byte()
        value |= UInt64(next & 0x7F) << shift
        if next < 0x80 { return value }
        shift += 7
      }
    }
  }
}
