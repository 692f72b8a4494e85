// Reading BER: a cursor over borrowed bytes.
//
// A reader never owns its bytes: it lives inside the closure that lends them (`withUnsafeBytes`). Each access is checked
// against the bounds of the innermost element, so a length that lies cannot reach outside of its parent. Offsets are
// those of the outermost buffer, also in nested readers.

package import MIB

/// A cursor over the elements between two offsets of a borrowed buffer. After an error its position is unspecified.
package struct BERReader {
  /// The header of one element: where it began and where its contents lie.
  package struct Element {
    package let tag: UInt8
    package let offset: Int
    package let contents: Range<Int>
  }

  private let bytes: UnsafeRawBufferPointer
  package private(set) var position: Int
  private let end: Int

  /// Reads `bytes`, which must stay valid as long as this reader and those nested in it are used.
  package init(_ bytes: UnsafeRawBufferPointer) {
    self.init(bytes, 0..<bytes.count)
  }

  private init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  package var isAtEnd: Bool { position >= end }
  package var remaining: Int { end - position }

  /// The tag of the next element, if there is one.
  package var nextTag: UInt8? { position < end ? bytes[position] : nil }

  /// Reads one element of any tag and moves behind it.
  package mutating func element(_ expected: String) throws(BERError) -> Element {
    let offset = position
    let tag = try byte(expected)
    guard tag & 0x1F != 0x1F else { throw BERError(offset: offset, expected: expected, problem: .multiByteTag(tag)) }
    let length = try length(expected)
    guard length <= end - position else {
      throw BERError(
        offset: offset, expected: expected, problem: .truncated(needed: length, available: end - position))
    }
    let contents = position..<(position + length)
    position = contents.upperBound
    return Element(tag: tag, offset: offset, contents: contents)
  }

  /// Reads one element of exactly this tag and moves behind it.
  package mutating func element(tag: UInt8, _ expected: String) throws(BERError) -> Element {
    let element = try element(expected)
    guard element.tag == tag else {
      throw BERError(offset: element.offset, expected: expected, problem: .unexpectedTag(element.tag))
    }
    return element
  }

  /// A reader of the contents of the next element, which must have this tag; moves behind it.
  package mutating func nested(tag: UInt8 = BERTag.sequence, _ expected: String) throws(BERError) -> BERReader {
    reader(of: try element(tag: tag, expected))
  }

  /// A reader of the contents of an element that was read before.
  package func reader(of element: Element) -> BERReader { BERReader(bytes, element.contents) }

  /// An INTEGER of at most 64 significant bits.
  package mutating func integer(_ expected: String) throws(BERError) -> Int64 {
    try signed(element(tag: BERTag.integer, expected), expected)
  }

  /// An INTEGER within `range`.
  package mutating func int32(
    _ expected: String, in range: ClosedRange<Int32> = Int32.min...Int32.max
  ) throws(BERError) -> Int32 {
    let offset = position
    let value = try integer(expected)
    guard let narrow = Int32(exactly: value), range.contains(narrow) else {
      throw BERError(offset: offset, expected: expected, problem: .integerOutOfRange(value))
    }
    return narrow
  }

  /// An OCTET STRING.
  package mutating func octets(_ expected: String) throws(BERError) -> [UInt8] {
    copy(try element(tag: BERTag.octetString, expected))
  }

  /// An OBJECT IDENTIFIER.
  package mutating func objectIdentifier(_ expected: String) throws(BERError) -> ObjectIdentifier {
    try objectIdentifier(element(tag: BERTag.objectIdentifier, expected), expected)
  }

  /// Demands that nothing is left in the element this reader covers.
  package func finish(_ expected: String) throws(BERError) {
    guard isAtEnd else {
      throw BERError(offset: position, expected: expected, problem: .trailingBytes(remaining))
    }
  }

  /// The contents of an element, copied.
  package func copy(_ element: Element) -> [UInt8] { Array(bytes[element.contents]) }

  /// All that is left, for values to be pieces of.
  func piecewise() -> Pieces { Pieces(bytes, position..<end) }

  /// The bytes of an element that was divided into values: copied once, when the first value needs them.
  struct Pieces {
    private let bytes: UnsafeRawBufferPointer
    private let range: Range<Int>
    private var copied: [UInt8]?

    fileprivate init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
      self.bytes = bytes
      self.range = range
    }

    /// The contents of an element, which must lie within.
    mutating func octets(_ element: Element) -> Octets {
      guard range.lowerBound <= element.contents.lowerBound, element.contents.upperBound <= range.upperBound else {
        preconditionFailure("an element lies within the one that it was read from")
      }
      let whole = copied ?? Array(bytes[range])
      copied = whole
      let start = element.contents.lowerBound - range.lowerBound
      return Octets(whole, start..<(start + element.contents.count))
    }
  }
}

// MARK: - Contents

extension BERReader {
  /// The contents as a signed number. Redundant sign bytes in front, which BER forbids and devices send, are skipped.
  package func signed(_ element: Element, _ expected: String) throws(BERError) -> Int64 {
    let (bits, negative) = try twosComplement(element, expected)
    guard (bits >> 63 == 1) == negative else {
      throw BERError(
        offset: element.offset, expected: expected, problem: .integerTooLong(byteCount: element.contents.count))
    }
    return Int64(bitPattern: bits)
  }

  /// The contents as up to 64 bits, and whether the encoding's sign bit was set. A negative encoding is sign-extended.
  package func twosComplement(
    _ element: Element, _ expected: String
  ) throws(BERError) -> (bits: UInt64, negative: Bool) {
    guard let first = bytes[element.contents].first else {
      throw BERError(offset: element.offset, expected: expected, problem: .emptyInteger)
    }
    let negative = first & 0x80 != 0
    let sign: UInt8 = negative ? 0xFF : 0x00
    var start = element.contents.lowerBound
    while start < element.contents.upperBound, bytes[start] == sign { start += 1 }
    guard element.contents.upperBound - start <= 8 else {
      throw BERError(
        offset: element.offset, expected: expected, problem: .integerTooLong(byteCount: element.contents.count))
    }
    var bits = negative ? UInt64.max : 0
    for index in start..<element.contents.upperBound { bits = bits << 8 | UInt64(bytes[index]) }
    return (bits, negative)
  }

  /// The contents as an object identifier (X.690, section 8.19).
  package func objectIdentifier(_ element: Element, _ expected: String) throws(BERError) -> ObjectIdentifier {
    let contents = UnsafeRawBufferPointer(rebasing: bytes[element.contents])
    if let plain = ObjectIdentifier(plainBER: contents) { return plain }
    func failure(_ problem: BERError.Problem) -> BERError {
      BERError(offset: element.offset, expected: expected, problem: problem)
    }
    guard !element.contents.isEmpty else { throw failure(.emptyObjectIdentifier) }
    var name = ObjectIdentifier.Builder()
    var subIdentifier: UInt64 = 0
    var unterminated = false
    for byte in bytes[element.contents] {
      subIdentifier = subIdentifier << 7 | UInt64(byte & 0x7F)
      // The first sub-identifier carries two parts: 2.4294967295 is 80 more than 32 bits hold.
      guard subIdentifier <= UInt64(UInt32.max) + (name.count == 0 ? 80 : 0) else {
        throw failure(.subIdentifierTooLarge)
      }
      unterminated = byte & 0x80 != 0
      if unterminated { continue }
      if name.count == 0 {
        let root = min(subIdentifier / 40, 2)
        name.append(UInt32(root))
        guard let second = UInt32(exactly: subIdentifier - root * 40) else { throw failure(.subIdentifierTooLarge) }
        name.append(second)
      } else {
        name.append(UInt32(truncatingIfNeeded: subIdentifier))
      }
      guard name.count <= ObjectIdentifier.componentsMax else { throw failure(.objectIdentifierTooLong) }
      subIdentifier = 0
    }
    guard !unterminated else { throw failure(.objectIdentifierUnterminated) }
    return name.finished()
  }

  private mutating func byte(_ expected: String) throws(BERError) -> UInt8 {
    guard position < end else {
      throw BERError(offset: position, expected: expected, problem: .truncated(needed: 1, available: 0))
    }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func length(_ expected: String) throws(BERError) -> Int {
    let offset = position
    let first = try byte(expected)
    guard first & 0x80 != 0 else { return Int(first) }
    guard first != 0x80 else { throw BERError(offset: offset, expected: expected, problem: .indefiniteLength) }
    var length = 0
    for _ in 0..<(first & 0x7F) {
      length = length << 8 | Int(try byte(expected))
      guard length <= Int32.max else { throw BERError(offset: offset, expected: expected, problem: .lengthTooLarge) }
    }
    return length
  }
}
