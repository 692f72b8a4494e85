// A checksum over the rows that a fold has made, which moves with each change instead of being made anew.
//
// It is the sum of a hash of each row: the same rows give the same sum in whatever order they came and went, and a changed row
// costs one hash, however many there are. It finds what a disk may do to rows: a flipped bit, a row that is gone, a page
// that is older than the others. Against somebody who can write the file it proves nothing; records and checkpoints do.

internal import OpenSSL

struct RowSum: Hashable, Sendable {
  static let byteCount = 32

  /// SHA-256(key length u32 || key || value) as four u64, big-endian, added word by word modulo 2^64.
  private var words: SIMD4<UInt64> = .zero

  /// Of no rows.
  init() {}

  /// Of one row.
  init(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    var sha = SHA256()
    withUnsafeBytes(of: UInt32(clamping: key.count).bigEndian) { sha.update($0) }
    sha.update(key)
    sha.update(value)
    words = sha.finalize().withBytes(Self.words)
  }

  /// Nil unless `bytes` are exactly 32.
  init?(bytes: [UInt8]) {
    guard bytes.count == Self.byteCount else { return nil }
    words = bytes.withUnsafeBytes(Self.words)
  }

  private static func words(_ bytes: UnsafeRawBufferPointer) -> SIMD4<UInt64> {
    func word(_ index: Int) -> UInt64 {
      UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
    }
    return SIMD4(word(0), word(1), word(2), word(3))
  }

  var bytes: [UInt8] { words.indices.flatMap { words[$0].bigEndianBytes } }

  static func += (sum: inout RowSum, other: RowSum) { sum.words &+= other.words }
  static func -= (sum: inout RowSum, other: RowSum) { sum.words &-= other.words }
}

/// The sum over rows that change, with what each of them adds to it.
struct RowSums {
  private(set) var total = RowSum()
  private var rows: [[UInt8]: RowSum] = [:]

  /// Takes a stored row.
  mutating func add(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    set(Array(key), RowSum(key: key, value: value))
  }

  mutating func apply(_ changes: [StateChange]) {
    for change in changes {
      let row = change.value.map { value in
        change.key.withUnsafeBytes { key in value.withUnsafeBytes { RowSum(key: key, value: $0) } }
      }
      set(change.key, row)
    }
  }

  private mutating func set(_ key: [UInt8], _ row: RowSum?) {
    let old = row.map { rows.updateValue($0, forKey: key) } ?? rows.removeValue(forKey: key)
    if let old { total -= old }
    if let row { total += row }
  }
}
