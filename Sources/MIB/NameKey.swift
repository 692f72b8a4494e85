// Sub-identifiers packed into bytes whose order is the order of the names: a name is compared, and tested for lying within another, by
// comparing bytes.
//
//     below 2^7    0vvvvvvv                                    as in BER
//     below 2^14   10vvvvvv vvvvvvvv
//     below 2^21   110vvvvv vvvvvvvv vvvvvvvv
//     below 2^28   1110vvvv vvvvvvvv vvvvvvvv vvvvvvvv
//     below 2^32   11110000 vvvvvvvv vvvvvvvv vvvvvvvv vvvvvvvv
//
// Unlike BER's own encoding, in which 16,384 (81 80 00) stands before 16,383 (FF 7F), more leading ones mean a greater number. No encoding
// is the beginning of another, so that a name lies within another exactly if its bytes begin with the other's.
//
// A key of at most 22 bytes lies inline, in three words, big endian: objects of the standard tables take 13, those of makers up to 20.
//
//     word 0             word 1             word 2
//     k0 k1 ... k7       k8 k9 ... k15      k16 ... k21  length  count
//
// Unused bytes are zero. So words compare as the names do: of two names of which one is the beginning of the other, and goes on with
// zeros at most, the length decides. A longer key keeps its first 22 bytes there, a length of 255, and the whole of it behind a reference.

/// The packed sub-identifiers of a name or of a part of one.
@usableFromInline
package struct NameKey: Sendable {
  @usableFromInline static let inlineBytesMax = 22
  /// Stands for the length of a key that does not fit inline; greater than each that does.
  @usableFromInline static let isLong: UInt64 = 255

  /// A key of more than `inlineBytesMax` bytes.
  @usableFromInline
  package final class Long: Sendable {
    @usableFromInline let bytes: [UInt8]
    @usableFromInline let count: Int

    @usableFromInline
    init(_ bytes: [UInt8], count: Int) {
      self.bytes = bytes
      self.count = count
    }
  }

  @usableFromInline var word0: UInt64 = 0
  @usableFromInline var word1: UInt64 = 0
  @usableFromInline var word2: UInt64 = 0
  @usableFromInline var long: Long?

  @inlinable
  init() {}

  @inlinable var isInline: Bool { long == nil }

  /// Bytes of the key.
  @inlinable var byteCount: Int { long.map(\.bytes.count) ?? inlineByteCount }

  /// Sub-identifiers.
  @inlinable var count: Int { long?.count ?? Int(word2 & 0xFF) }

  @inlinable var inlineByteCount: Int { Int(truncatingIfNeeded: (word2 >> 8) & 0xFF) }

  /// A byte below `byteCount`.
  @inlinable
  func byte(_ index: Int) -> UInt8 {
    if let long { return long.bytes[index] }
    return inlineByte(index)
  }

  @inlinable
  func inlineByte(_ index: Int) -> UInt8 {
    let word = index < 8 ? word0 : index < 16 ? word1 : word2
    return UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * (index & 7)))
  }

  /// The bits of a word that hold the first `byteCount` bytes, of which this word holds those from `start`.
  @inlinable
  static func mask(_ byteCount: Int, from start: Int) -> UInt64 {
    let bytes = min(max(byteCount - start, 0), 8)
    // Shifting by 64 gives zero.
    return UInt64.max << UInt64(64 - 8 * bytes)
  }

  /// Whether this key begins with the other.
  @inlinable
  func begins(with other: NameKey) -> Bool {
    guard other.isInline else { return beginsWithLong(other) }
    let length = other.inlineByteCount
    let difference =
      ((word0 ^ other.word0) & Self.mask(length, from: 0)) | ((word1 ^ other.word1) & Self.mask(length, from: 8))
      | ((word2 ^ other.word2) & Self.mask(length, from: 16))
    return difference == 0 && (long != nil || inlineByteCount >= length)
  }

  @usableFromInline
  func beginsWithLong(_ other: NameKey) -> Bool {
    guard let long, let others = other.long else { return false }
    return long.bytes.starts(with: others.bytes)
  }
}

// MARK: - Comparing

extension NameKey: Hashable, Comparable {
  @inlinable
  package static func == (left: NameKey, right: NameKey) -> Bool {
    guard left.word0 == right.word0, left.word1 == right.word1, left.word2 == right.word2 else { return false }
    return left.long == nil || left.long?.bytes == right.long?.bytes
  }

  @inlinable
  package static func < (left: NameKey, right: NameKey) -> Bool {
    if left.word0 != right.word0 { return left.word0 < right.word0 }
    if left.word1 != right.word1 { return left.word1 < right.word1 }
    if left.word2 != right.word2 { return left.word2 < right.word2 }
    guard let leftLong = left.long, let rightLong = right.long else { return false }
    return leftLong.bytes.lexicographicallyPrecedes(rightLong.bytes)
  }

  @inlinable
  package func hash(into hasher: inout Hasher) {
    hasher.combine(word0)
    hasher.combine(word1)
    hasher.combine(word2)
  }
}

// MARK: - Building

extension NameKey {
  /// A key as it grows.
  @usableFromInline
  struct Builder {
    @usableFromInline var key = NameKey()
    @usableFromInline var length = 0
    @usableFromInline var count = 0
    /// All bytes, once there are too many.
    @usableFromInline var overflow: [UInt8] = []

    @inlinable
    init() {}

    /// Goes on behind a key.
    @inlinable
    init(_ beginning: NameKey) {
      count = beginning.count
      length = beginning.byteCount
      key.word0 = beginning.word0
      key.word1 = beginning.word1
      // Without the length and the count.
      key.word2 = beginning.word2 & ~0xFFFF
      if let long = beginning.long { overflow = long.bytes }
    }

    @inlinable
    mutating func append(_ component: UInt32) {
      count += 1
      if component < 0x80 {
        append(byte: UInt8(truncatingIfNeeded: component))
      } else {
        appendLarge(component)
      }
    }

    @usableFromInline
    mutating func appendLarge(_ component: UInt32) {
      let value = UInt64(component)
      switch component {
      case ..<0x4000: append(0x8000 | value, bytes: 2)
      case ..<0x20_0000: append(0xC0_0000 | value, bytes: 3)
      case ..<0x1000_0000: append(0xE000_0000 | value, bytes: 4)
      default: append(0xF0_0000_0000 | value, bytes: 5)
      }
    }

    private mutating func append(_ bits: UInt64, bytes: Int) {
      for index in (0..<bytes).reversed() { append(byte: UInt8(truncatingIfNeeded: bits >> UInt64(8 * index))) }
    }

    @inlinable
    mutating func append(byte: UInt8) {
      if length < NameKey.inlineBytesMax {
        let bits = UInt64(byte) << UInt64(56 - 8 * (length & 7))
        if length < 8 { key.word0 |= bits } else if length < 16 { key.word1 |= bits } else { key.word2 |= bits }
      } else {
        appendOverflow(byte)
      }
      length += 1
    }

    @usableFromInline
    mutating func appendOverflow(_ byte: UInt8) {
      if overflow.isEmpty { overflow = (0..<length).map { key.inlineByte($0) } }
      overflow.append(byte)
    }

    @inlinable
    mutating func append(_ other: NameKey) {
      for index in 0..<other.byteCount { append(byte: other.byte(index)) }
      count += other.count
    }

    @inlinable
    consuming func finished() -> NameKey {
      if overflow.isEmpty {
        key.word2 |= UInt64(length) << 8 | UInt64(count)
      } else {
        key.word2 |= NameKey.isLong << 8
        key.long = Long(overflow, count: count)
      }
      return key
    }
  }

  /// The sub-identifiers from a byte where one begins.
  func suffix(from start: Int, count: Int) -> NameKey {
    if isInline { return inlineSuffix(from: start, count: count) }
    var builder = Builder()
    for index in start..<max(byteCount, start) { builder.append(byte: byte(index)) }
    builder.count = count
    return builder.finished()
  }

  private func inlineSuffix(from start: Int, count: Int) -> NameKey {
    var key = NameKey()
    let (bits, bytes) = (UInt64(8 * (start & 7)), word2 & ~0xFFFF)
    // Shifting by 64 gives zero.
    let first = word0 << bits | word1 >> (64 - bits)
    let second = word1 << bits | bytes >> (64 - bits)
    let third = bytes << bits
    switch start {
    case ..<8: (key.word0, key.word1, key.word2) = (first, second, third)
    case ..<16: (key.word0, key.word1) = (second, third)
    default: key.word0 = third
    }
    key.word2 |= UInt64(inlineByteCount - start) << 8 | UInt64(count)
    return key
  }

  /// The sub-identifiers before a byte where one begins.
  func prefix(upTo end: Int, count: Int) -> NameKey {
    if isInline {
      var key = NameKey()
      key.word0 = word0 & Self.mask(end, from: 0)
      key.word1 = word1 & Self.mask(end, from: 8)
      key.word2 = word2 & Self.mask(end, from: 16) | UInt64(end) << 8 | UInt64(count)
      return key
    }
    var builder = Builder()
    for index in 0..<end { builder.append(byte: byte(index)) }
    builder.count = count
    return builder.finished()
  }
}

extension NameKey {
  /// The key of what BER (X.690, section 8.19) has in these bytes; nil where a sub-identifier takes more than one, or the key would not lie
  /// inline. Where it is one byte each, both encodings are alike but for the first, in which BER has two.
  init?(plainBER bytes: UnsafeRawBufferPointer) {
    let count = bytes.count
    guard count > 0, count < Self.inlineBytesMax else { return nil }
    let first = bytes[0]
    let root = min(first / 40, 2)
    word0 = UInt64(root) << 56 | UInt64(first &- root &* 40) << 48 | Self.word(bytes, from: 1, most: 6)
    word1 = Self.word(bytes, from: 7, most: 8)
    word2 = Self.word(bytes, from: 15, most: 6) << 16
    guard first < 0x80, (word0 | word1 | word2) & 0x8080_8080_8080_8080 == 0 else { return nil }
    word2 |= UInt64(count + 1) << 8 | UInt64(count + 1)
  }

  /// Bytes as the upper ones of a number of `most` bytes, as far as there are any.
  private static func word(_ bytes: UnsafeRawBufferPointer, from start: Int, most: Int) -> UInt64 {
    let end = min(start + most, bytes.count)
    guard start < end else { return 0 }
    var word: UInt64 = 0
    for index in start..<end { word = word << 8 | UInt64(bytes[index]) }
    return word << UInt64(8 * (start + most - end))
  }
}

extension NameKey {
  /// Leading bytes that are the same, of keys that lie inline.
  func sharedInlineBytes(with other: NameKey) -> Int {
    let most = min(inlineByteCount, other.isInline ? other.inlineByteCount : 0)
    var shared = (word0 ^ other.word0).leadingZeroBitCount / 8
    if shared == 8 { shared += (word1 ^ other.word1).leadingZeroBitCount / 8 }
    if shared == 16 { shared += (word2 ^ other.word2).leadingZeroBitCount / 8 }
    return min(shared, most)
  }

  /// The key that begins as another does, both inline. `further` are the bytes behind.
  init(_ other: NameKey, shared: Int, _ further: ArraySlice<UInt8>, count: Int) {
    precondition(shared + further.count <= Self.inlineBytesMax)
    word0 = other.word0 & Self.mask(shared, from: 0)
    word1 = other.word1 & Self.mask(shared, from: 8)
    word2 = other.word2 & Self.mask(shared, from: 16)
    var index = shared
    for byte in further {
      let bits = UInt64(byte) << UInt64(56 - 8 * (index & 7))
      if index < 8 { word0 |= bits } else if index < 16 { word1 |= bits } else { word2 |= bits }
      index += 1
    }
    word2 |= UInt64(index) << 8 | UInt64(count)
  }

  /// A key of the bytes and the count of another that does not lie inline.
  init(long bytes: [UInt8], count: Int) {
    var builder = Builder()
    for byte in bytes { builder.append(byte: byte) }
    builder.count = count
    self = builder.finished()
  }
}

// MARK: - Reading

extension NameKey {
  /// The sub-identifiers one after the other.
  @usableFromInline
  package struct Iterator: IteratorProtocol {
    @usableFromInline let key: NameKey
    @usableFromInline let end: Int
    /// Where the next one begins.
    @usableFromInline package private(set) var position = 0

    @inlinable
    init(_ key: NameKey) {
      self.key = key
      end = key.byteCount
    }

    @inlinable
    package mutating func next() -> UInt32? {
      guard position < end else { return nil }
      let first = key.byte(position)
      if first < 0x80 {
        position += 1
        return UInt32(first)
      }
      return nextLarge(first)
    }

    @usableFromInline
    mutating func nextLarge(_ first: UInt8) -> UInt32? {
      let bytes = min((~first).leadingZeroBitCount, 4) + 1
      // What the leading ones and the zero behind them leave of the first byte.
      var value = bytes > 4 ? 0 : UInt32(first) & (0x7F >> UInt32(bytes - 1))
      for index in 1..<bytes { value = value << 8 | UInt32(key.byte(position + index)) }
      position += bytes
      return value
    }
  }
}
