// A SHA-256 digest as a value of 32 bytes without a heap allocation.
//
// The bytes are held as four words in big-endian order, so that comparing words compares bytes lexicographically.

/// Exactly 32 bytes: the result of SHA-256. Ordered as its bytes are.
package struct Digest: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The number of bytes of every digest.
  package static let byteCount = 32
  /// 32 zero bytes.
  package static let zero = Digest(words: (0, 0, 0, 0))

  private let first: UInt64
  private let second: UInt64
  private let third: UInt64
  private let fourth: UInt64

  private init(words: (UInt64, UInt64, UInt64, UInt64)) {
    (first, second, third, fourth) = words
  }

  /// Nil unless `bytes` are exactly 32.
  package init?(bytes: some Collection<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    self = bytes.withContiguousBytes { Digest(loading: $0) }
  }

  /// Nil unless `hex` are exactly 64 hexadecimal digits, of either case.
  package init?(hex: some StringProtocol) {
    guard let decoded = OpenSSL.bytes(hexadecimal: hex) else { return nil }
    self.init(bytes: decoded)
  }

  /// Reads the first 32 bytes of `buffer`, which must hold as many.
  package init(loading buffer: UnsafeRawBufferPointer) {
    precondition(buffer.count >= Self.byteCount)
    func word(_ index: Int) -> UInt64 {
      UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
    }
    self.init(words: (word(0), word(1), word(2), word(3)))
  }

  /// Lends the 32 bytes without allocating.
  package func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try withUnsafeBytes(of: (first.bigEndian, second.bigEndian, third.bigEndian, fourth.bigEndian), body)
  }

  /// Writes the 32 bytes to the beginning of `buffer`, which must have room for them. Not generic, and so as fast from another
  /// room as from here.
  package func copyBytes(to buffer: UnsafeMutableRawBufferPointer) {
    buffer.storeBytes(of: first.bigEndian, toByteOffset: 0, as: UInt64.self)
    buffer.storeBytes(of: second.bigEndian, toByteOffset: 8, as: UInt64.self)
    buffer.storeBytes(of: third.bigEndian, toByteOffset: 16, as: UInt64.self)
    buffer.storeBytes(of: fourth.bigEndian, toByteOffset: 24, as: UInt64.self)
  }

  /// The 32 bytes, copied.
  package var bytes: [UInt8] { withBytes { Array($0) } }

  /// 64 lower-case hexadecimal digits.
  package var hex: String { hexadecimal(bytes) }

  package var description: String { hex }

  package static func < (left: Digest, right: Digest) -> Bool {
    (left.first, left.second, left.third, left.fourth) < (right.first, right.second, right.third, right.fourth)
  }
}
