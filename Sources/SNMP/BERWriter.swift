// Writing BER back to front: the length of an element is known once its contents are written, so each byte is written
// once and no size is computed beforehand.
//
//     buffer:  [ free ..................... | written, last element rightmost ]
//                                           ^ start
//
// Hence the children of a constructed element are written last to first.

package import MIB

/// Builds one BER encoding from its end. Lengths are minimal, as RFC 3417 section 8 and X.690 section 10.1 ask.
package struct BERWriter {
  /// Room for an ordinary request; a response with many bindings grows the buffer by doubling.
  private static let capacityInitial = 512

  private var buffer: [UInt8]
  private var start: Int

  package init() {
    buffer = [UInt8](repeating: 0, count: Self.capacityInitial)
    start = buffer.count
  }

  /// How many bytes were written so far; an offset counted from the end of the encoding.
  package var byteCount: Int { buffer.count - start }

  /// The encoding, front to back.
  package var bytes: [UInt8] { Array(buffer[start...]) }

  /// Puts an element around what `children` writes, which must be last to first.
  package mutating func constructed(_ tag: UInt8 = BERTag.sequence, _ children: (inout BERWriter) -> Void) {
    let before = byteCount
    children(&self)
    header(tag, length: byteCount - before)
  }

  /// A string or any other element with ready contents.
  package mutating func primitive(_ tag: UInt8, _ contents: some Collection<UInt8>) {
    prepend(contents)
    header(tag, length: contents.count)
  }

  /// An element without contents.
  package mutating func empty(_ tag: UInt8) { header(tag, length: 0) }

  package mutating func octets(_ contents: some Collection<UInt8>) {
    primitive(BERTag.octetString, contents)
  }

  /// A signed number in the fewest bytes.
  package mutating func integer(_ value: Int64, tag: UInt8 = BERTag.integer) {
    let before = byteCount
    var rest = value
    repeat {
      prepend(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    } while rest != 0 && rest != -1
    // The top bit must be the sign.
    if (buffer[start] & 0x80 != 0) != (value < 0) { prepend(value < 0 ? 0xFF : 0x00) }
    header(tag, length: byteCount - before)
  }

  package mutating func integer(_ value: Int32) { integer(Int64(value)) }

  /// An unsigned number in the fewest bytes, with a zero byte in front where the top bit would read as a sign.
  package mutating func unsigned(_ value: UInt64, tag: UInt8) {
    let before = byteCount
    var rest = value
    repeat {
      prepend(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    } while rest != 0
    if buffer[start] & 0x80 != 0 { prepend(0x00) }
    header(tag, length: byteCount - before)
  }

  /// Identifiers shorter than two parts are completed with zeros, since BER has no encoding for them.
  package mutating func objectIdentifier(_ identifier: ObjectIdentifier) {
    var components = identifier.makeIterator()
    // The first two share one sub-identifier of the encoding.
    let first = components.next().map(UInt64.init) ?? 0
    let second = components.next().map(UInt64.init) ?? 0
    let root = first * 40 + second
    var length = Self.byteCount(subIdentifier: root)
    var sizes = components
    while let component = sizes.next() { length += Self.byteCount(subIdentifier: UInt64(component)) }
    reserve(length)
    start -= length
    var position = write(subIdentifier: root, at: start)
    while let component = components.next() { position = write(subIdentifier: UInt64(component), at: position) }
    header(BERTag.objectIdentifier, length: length)
  }

  /// Seven bits a byte.
  private static func byteCount(subIdentifier value: UInt64) -> Int {
    value < 0x80 ? 1 : (UInt64.bitWidth - value.leadingZeroBitCount + 6) / 7
  }

  /// Writes front to back where room was made; returns the position behind.
  private mutating func write(subIdentifier value: UInt64, at position: Int) -> Int {
    let count = Self.byteCount(subIdentifier: value)
    for index in 0..<count {
      let isLast = index == count - 1
      let bits = UInt8(truncatingIfNeeded: value >> UInt64(7 * (count - 1 - index))) & 0x7F
      buffer[position + index] = isLast ? bits : bits | 0x80
    }
    return position + count
  }

  private mutating func header(_ tag: UInt8, length: Int) {
    if length < 0x80 {
      prepend(UInt8(length))
    } else {
      var rest = length
      var count: UInt8 = 0
      while rest != 0 {
        prepend(UInt8(truncatingIfNeeded: rest))
        rest >>= 8
        count += 1
      }
      prepend(0x80 | count)
    }
    prepend(tag)
  }

  private mutating func prepend(_ byte: UInt8) {
    reserve(1)
    start -= 1
    buffer[start] = byte
  }

  private mutating func prepend(_ contents: some Collection<UInt8>) {
    let count = contents.count
    reserve(count)
    start -= count
    var position = start
    for byte in contents {
      buffer[position] = byte
      position += 1
    }
  }

  private mutating func reserve(_ count: Int) {
    guard start < count else { return }
    let growth = max(buffer.count, count)
    buffer.insert(contentsOf: repeatElement(0, count: growth), at: 0)
    start += growth
  }
}
