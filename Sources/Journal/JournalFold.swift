// The contract between the journal and the projections above it, which it does not know.
//
// A fold is moved in the same transaction as the append: `apply` for each new record, then `drainChanges` into the database
// `state`. A reader therefore always sees records and state agree. The journal may throw the state away and fold again from
// the first record at any opening; nothing may be in it that records do not give. Where retention has removed the first
// records, the rows that they gave are kept as a snapshot, and folding begins with them.

package import Evidence
package import OpenSSL

package protocol JournalFold: AnyObject, Sendable {
  /// The version of the fold's rules and rows. When it differs from the stored one, the journal forgets every row and folds
  /// again from the start at open, in transactions of bounded size.
  var version: UInt32 { get }

  /// Forgets everything in memory, changes not yet drained included.
  func reset()

  /// Another fold of the same kind, which has folded nothing.
  func makeEmpty() -> any JournalFold

  /// Whether `load` understands the rows of a snapshot that this version made. The records that gave them are gone: a version that
  /// nobody can load any more would lose what only they said.
  func canLoad(version: UInt32) -> Bool

  /// Every row, in any order: what `drainChanges` would give if all had changed.
  func allRows() -> [StateChange]

  /// Takes one stored row, at open and after an aborted commit. Throwing says that the row cannot be understood: the journal
  /// then folds again from the start.
  func load(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws

  /// Takes the next record. Throwing loses nothing: the record is kept, the failure is counted and told to
  /// `JournalConfiguration.foldFailed`, and the journal goes on with the next one. A fold that throws must leave itself as it
  /// was before, for the same records must always give the same state.
  func apply(_ record: Record) throws

  /// The rows that changed since the last call. Keys have 1 to 511 bytes.
  func drainChanges() -> [StateChange]
}

/// A row to write, or to delete when its value is nil.
package struct StateChange: Hashable, Sendable {
  package var key: [UInt8]
  package var value: [UInt8]?

  package init(key: [UInt8], value: [UInt8]?) {
    self.key = key
    self.value = value
  }
}

/// The digest over all rows of a state: SHA-256 over each row in order of keys, as key length (u32 big-endian), key, value
/// length (u32 big-endian), value. Two folds of the same records have the same.
package struct StateDigest: Sendable {
  private var sha = SHA256()
  package private(set) var rows = 0

  package init() {}

  /// Adds the next row; the caller keeps the order.
  package mutating func add(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    for part in [key, value] {
      withUnsafeBytes(of: UInt32(clamping: part.count).bigEndian) { sha.update($0) }
      sha.update(part)
    }
    rows += 1
  }

  package mutating func add(key: [UInt8], value: [UInt8]) {
    key.withUnsafeBytes { key in value.withUnsafeBytes { add(key: key, value: $0) } }
  }

  package var digest: Digest { sha.finalize() }
}
