// The layout of a journal directory and of the databases in it. docs/formats/journal.md is the specification; this file is
// the only place that knows the byte offsets.
//
//   records      epoch u32, sequence u64         -> time i64, version u8, flags u8, leaf hash 32, payload
//   checkpoints  epoch u32, size u64             -> signed note
//   epochs       epoch u32                       -> opened i64, first sequence u64, reason UTF-8
//   cursors      name UTF-8                      -> epoch u32, sequence u64
//   state        the fold's key                  -> the fold's value
//   snapshot     the fold's key                  -> the fold's value, as it was at the base; missing before retention was there
//   meta         "format"                        -> u32
//                "journal"                       -> 16 bytes
//                "key"                           -> the journal's public key, 32 bytes
//                "epoch"                         -> the current epoch, u32
//                "lost" epoch u32                -> first u64, last u64 of each range of lost records: see LostRecords
//                "base" epoch u32                -> encoded Merkle frontier over the records that retention removed
//                "basefold"                      -> version u32, epoch u32, sequence u64, row sum 32: as "fold", of `snapshot`
//   (main)       "frontier" epoch u32            -> encoded Merkle frontier
//                "fold"                          -> version u32, epoch u32, sequence u64, row sum 32: what `state` holds, and up to where
//
// The rows of the main database are what every commit changes: a page of `meta` less to write. In format 1 they stood in `meta`.
//
// Integers are big-endian, so that keys sort as numbers.

internal import Evidence
internal import LMDB
internal import OpenSSL

/// The files of a journal directory.
enum JournalFile {
  static let identity = "identity"
  static let key = "journal.key"
  static let lock = "lock"
  static let data = "data.mdb"
  static let readers = "lock.mdb"
  /// Left by a writer that a fault ended: the next one inspects every record.
  static let fault = "fault"
  /// Where a salvaged journal is built before it takes the place of the damaged one.
  static let salvage = "salvage"
  /// What a salvage may make anew.
  static let salvaged = [data, key]
}

enum Layout {
  /// The format this program writes, and the newest it reads.
  static let format: UInt32 = 2
  static let databases = ["records", "meta", "checkpoints", "cursors", "state", "epochs"]
  /// What older journals do not have.
  static let optionalDatabases = ["snapshot"]
  static let positionByteCount = 12

  enum Meta {
    static let format = Array("format".utf8)
    static let journal = Array("journal".utf8)
    static let publicKey = Array("key".utf8)
    static let epoch = Array("epoch".utf8)
    static let fold = Array("fold".utf8)
    static func frontier(_ epoch: UInt32) -> [UInt8] { frontierPrefix + epoch.bigEndianBytes }
    static func lost(_ epoch: UInt32) -> [UInt8] { lostPrefix + epoch.bigEndianBytes }
    static let baseFold = Array("basefold".utf8)
    static func base(_ epoch: UInt32) -> [UInt8] { basePrefix + epoch.bigEndianBytes }
    static let basePrefix = Array("base".utf8)
    static let frontierPrefix = Array("frontier".utf8)
    static let lostPrefix = Array("lost".utf8)
  }

  /// The value of a record: 42 bytes before the payload. With its key, a payload of 300 bytes then takes 364 bytes of a page,
  /// and 11 of them fill one of 4 KiB.
  enum RecordValue {
    static let time = 0
    static let version = 8
    static let flags = 9
    static let leafHash = 10
    static let payload = 42
  }

  /// No flag is defined: 0 is written, and anything else is damage.
  static let recordFlags: UInt8 = 0
}

extension RecordPosition {
  /// Lends the 12 bytes of the key.
  func withKey<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    // Three words of four bytes have no padding between them.
    let words = (
      epoch.bigEndian, UInt32(truncatingIfNeeded: sequence >> 32).bigEndian,
      UInt32(truncatingIfNeeded: sequence).bigEndian
    )
    return try withUnsafeBytes(of: words, body)
  }

  var keyBytes: [UInt8] { withKey { Array($0) } }

  /// Nil unless `key` has exactly 12 bytes.
  init?(key: UnsafeRawBufferPointer) {
    guard key.count == Layout.positionByteCount else { return nil }
    self.init(
      epoch: UInt32(bigEndian: key.loadUnaligned(as: UInt32.self)),
      sequence: UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 4, as: UInt64.self)))
  }

  init?(keyBytes: [UInt8]) {
    guard let position = keyBytes.withUnsafeBytes({ RecordPosition(key: $0) }) else { return nil }
    self = position
  }
}

extension FixedWidthInteger {
  var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }

  /// Nil unless there are exactly as many bytes as this type has.
  init?(bigEndianBytes bytes: some Collection<UInt8>) {
    guard bytes.count == MemoryLayout<Self>.size else { return nil }
    self = bytes.reduce(0) { $0 << 8 | Self($1) }
  }
}

/// When and why an epoch was opened.
package struct JournalEpoch: Hashable, Sendable {
  package let number: UInt32
  /// Nanoseconds since 1970 UTC.
  package let opened: Int64
  /// The sequence of its first record that is kept: 1 until retention moves it.
  package let firstSequence: UInt64
  package let reason: String

  var rowValue: [UInt8] { opened.bigEndianBytes + firstSequence.bigEndianBytes + Array(reason.utf8) }

  init(number: UInt32, opened: Int64, firstSequence: UInt64, reason: String) {
    self.number = number
    self.opened = opened
    self.firstSequence = firstSequence
    self.reason = reason
  }

  init?(key: [UInt8], value: [UInt8]) {
    guard let number = UInt32(bigEndianBytes: key), value.count >= 16,
      let opened = UInt64(bigEndianBytes: value[..<8]), let first = UInt64(bigEndianBytes: value[8..<16])
    else { return nil }
    self.init(
      number: number, opened: Int64(bitPattern: opened), firstSequence: first,
      reason: String(decoding: value[16...], as: UTF8.self))
  }
}

/// What `state` or `snapshot` holds: the rows of this fold's version after the record at `position`.
struct FoldMark: Hashable {
  var version: UInt32
  var position: RecordPosition
  /// Over the rows; nil when a release wrote them that kept none.
  var sum: RowSum?

  private static let byteCountWithoutSum = 16

  var rowValue: [UInt8] { version.bigEndianBytes + position.keyBytes + (sum?.bytes ?? []) }

  init(version: UInt32, position: RecordPosition, sum: RowSum?) {
    self.version = version
    self.position = position
    self.sum = sum
  }

  init?(rowValue: [UInt8]) {
    let (fixed, rest) = (rowValue.prefix(Self.byteCountWithoutSum), rowValue.dropFirst(Self.byteCountWithoutSum))
    guard let version = UInt32(bigEndianBytes: fixed.prefix(4)),
      let position = RecordPosition(keyBytes: Array(fixed.dropFirst(4)))
    else { return nil }
    let sum = RowSum(bytes: Array(rest))
    guard rest.isEmpty || sum != nil else { return nil }
    self.init(version: version, position: position, sum: sum)
  }
}
