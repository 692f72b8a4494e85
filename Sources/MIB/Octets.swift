// The contents of OCTET STRINGs and their like. An answer has many of them and came in one datagram: each is a piece of that datagram, which
// stays as long as one of its pieces does, instead of bytes of its own.

/// Bytes as a device sent them: a part of a longer array, shared with the other parts.
package struct Octets: Sendable {
  @usableFromInline let whole: [UInt8]
  @usableFromInline let start: UInt32
  @usableFromInline let end: UInt32

  package init(_ bytes: [UInt8]) {
    whole = bytes
    start = 0
    end = UInt32(clamping: bytes.count)
  }

  /// - Parameter range: must lie within `whole`.
  @inlinable
  package init(_ whole: [UInt8], _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= whole.count && range.upperBound <= Int(UInt32.max))
    self.whole = whole
    start = UInt32(truncatingIfNeeded: range.lowerBound)
    end = UInt32(truncatingIfNeeded: range.upperBound)
  }

  package init(_ bytes: some Sequence<UInt8>) { self.init(Array(bytes)) }

  /// The bytes as an array: the whole one where it has no others, else a copy.
  package var array: [UInt8] { count == whole.count ? whole : Array(whole[Int(start)..<Int(end)]) }

  /// Bytes that are kept in memory for this piece.
  package var keptByteCount: Int { whole.count }
}

extension Octets: RandomAccessCollection {
  @inlinable package var startIndex: Int { 0 }
  @inlinable package var endIndex: Int { Int(end &- start) }

  @inlinable
  package subscript(position: Int) -> UInt8 { whole[Int(start) + position] }

  @inlinable
  package func withContiguousStorageIfAvailable<R>(_ body: (UnsafeBufferPointer<UInt8>) throws -> R) rethrows -> R? {
    let range = Int(start)..<Int(end)
    return try whole.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[range])) }
  }
}

extension Octets: Hashable {
  @inlinable
  package static func == (left: Octets, right: Octets) -> Bool {
    guard left.count == right.count else { return false }
    return left.whole.withUnsafeBufferPointer { left0 in
      right.whole.withUnsafeBufferPointer { right0 in
        left0[Int(left.start)..<Int(left.end)].elementsEqual(right0[Int(right.start)..<Int(right.end)])
      }
    }
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    whole.withUnsafeBytes { hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: $0[Int(start)..<Int(end)])) }
  }
}

extension Octets: ExpressibleByArrayLiteral {
  package init(arrayLiteral elements: UInt8...) { self.init(elements) }
}

extension Octets: CustomStringConvertible {
  package var description: String { array.description }
}
