// The opened environment with its databases, and reading and writing single rows of it.

internal import Evidence
internal import LMDB
internal import OpenSSL

struct JournalStore: Sendable {
  let directory: String
  let environment: LMDB.Environment
  let records: Database
  let meta: Database
  let main: Database
  let checkpoints: Database
  let cursors: Database
  let state: Database
  let epochs: Database
  /// Nil in a journal that no writer of this release has opened yet, to a reader.
  let snapshot: Database?

  init(directory: String, access: LMDB.Environment.Access, mapBytes: Int?) throws(LMDBError) {
    let options = Environment.Options(
      access: access, mapBytes: mapBytes, databases: Layout.databases,
      optionalDatabases: Layout.optionalDatabases)
    let environment = try Environment.open(at: directory, options)
    self.directory = directory
    self.environment = environment
    records = environment.database("records")
    meta = environment.database("meta")
    main = environment.main
    checkpoints = environment.database("checkpoints")
    cursors = environment.database("cursors")
    state = environment.database("state")
    epochs = environment.database("epochs")
    snapshot = environment.optionalDatabase("snapshot")
  }

  func damaged(_ what: String) -> JournalError { .damaged(path: directory, what: what) }

  // MARK: Reading

  /// The current epoch and its tree.
  func tail(_ transaction: borrowing some ReadableTransaction & ~Copyable) throws -> Tail {
    guard let epoch = try transaction.value(of: Layout.Meta.epoch, in: meta).flatMap({ UInt32(bigEndianBytes: $0) })
    else {
      throw damaged("the current epoch is not recorded")
    }
    return Tail(epoch: epoch, frontier: try frontier(transaction, epoch: epoch))
  }

  func frontier(
    _ transaction: borrowing some ReadableTransaction & ~Copyable, epoch: UInt32
  ) throws -> MerkleFrontier {
    guard let row = try changing(Layout.Meta.frontier(epoch), transaction), let frontier = MerkleFrontier(encoded: row)
    else { throw damaged("the tree of epoch \(epoch) is missing or unreadable") }
    return frontier
  }

  /// A row that every commit changes; where it stood in format 1, too.
  private func changing(
    _ key: [UInt8], _ transaction: borrowing some ReadableTransaction & ~Copyable
  ) throws -> [UInt8]? {
    try transaction.value(of: key, in: main) ?? transaction.value(of: key, in: meta)
  }

  /// What is lost of an epoch; empty for one that is whole.
  func lost(
    _ transaction: borrowing some ReadableTransaction & ~Copyable, epoch: UInt32
  ) throws -> [LostRecords] {
    guard let row = try transaction.value(of: Layout.Meta.lost(epoch), in: meta) else { return [] }
    guard let ranges = LostRecords.ranges(epoch: epoch, rowValue: row) else {
      throw damaged("what is lost of epoch \(epoch) is unreadable")
    }
    return ranges
  }

  /// The tree over the records of an epoch that retention has removed; empty where it has removed none. Of an epoch with gaps
  /// only its size counts.
  func base(_ transaction: borrowing some ReadableTransaction & ~Copyable, epoch: UInt32) throws -> MerkleFrontier {
    guard let row = try transaction.value(of: Layout.Meta.base(epoch), in: meta) else { return MerkleFrontier() }
    guard let base = MerkleFrontier(encoded: row) else { throw damaged("the base of epoch \(epoch) is unreadable") }
    return base
  }

  /// Up to where the snapshot goes, and what made it; nil where retention has removed nothing.
  func snapshotMark(_ transaction: borrowing some ReadableTransaction & ~Copyable) throws -> FoldMark? {
    guard let row = try transaction.value(of: Layout.Meta.baseFold, in: meta) else { return nil }
    guard let mark = FoldMark(rowValue: row) else { throw damaged("the mark of the snapshot is unreadable") }
    return mark
  }

  /// Lends every row of the snapshot, in order of keys.
  /// - Throws: after the last one, when they are not those that its mark was written with.
  func snapshotRows(
    _ mark: FoldMark, _ transaction: borrowing some ReadableTransaction & ~Copyable,
    _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
  ) throws {
    guard let snapshot else { throw damaged("the snapshot is missing") }
    guard try rows(of: snapshot, mark, transaction, body) else { throw damaged(Self.otherSnapshot) }
  }

  static let otherSnapshot = "the rows of the snapshot are not those that were written"
  static let otherState = "the rows of the state are not those that were written"

  /// Lends every row of a fold, in order of keys; whether they are those that the mark was written with, as far as it says.
  func rows(
    of database: Database, _ mark: FoldMark?, _ transaction: borrowing some ReadableTransaction & ~Copyable,
    _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void = { _, _ in }
  ) throws -> Bool {
    try transaction.withCursor(database) { cursor in
      var sum = RowSum()
      while try cursor.next() {
        sum += RowSum(key: cursor.key, value: cursor.value)
        try body(cursor.key, cursor.value)
      }
      return mark?.sum.map { $0 == sum } ?? true
    }
  }

  func head(_ transaction: borrowing some ReadableTransaction & ~Copyable) throws -> RecordPosition {
    try tail(transaction).head
  }

  func foldMark(_ transaction: borrowing some ReadableTransaction & ~Copyable) throws -> FoldMark? {
    try changing(Layout.Meta.fold, transaction).flatMap { FoldMark(rowValue: $0) }
  }

  func cursor(
    _ transaction: borrowing some ReadableTransaction & ~Copyable, _ name: String
  ) throws -> RecordPosition? {
    guard let row = try transaction.value(of: Array(name.utf8), in: cursors) else { return nil }
    guard let position = RecordPosition(keyBytes: row) else { throw damaged("the cursor \(name) is unreadable") }
    return position
  }

  /// The position of the last record of an epoch that was closed or is open; nil when there is no such epoch.
  func end(
    _ transaction: borrowing some ReadableTransaction & ~Copyable, ofEpoch epoch: UInt32
  ) throws -> RecordPosition? {
    guard try transaction.value(of: epoch.bigEndianBytes, in: epochs) != nil else { return nil }
    return RecordPosition(epoch: epoch, sequence: try frontier(transaction, epoch: epoch).size)
  }

  func epochList(_ transaction: borrowing some ReadableTransaction & ~Copyable) throws -> [JournalEpoch] {
    try transaction.withCursor(epochs) { cursor in
      var list: [JournalEpoch] = []
      while try cursor.next() {
        guard let epoch = JournalEpoch(key: Array(cursor.key), value: Array(cursor.value)) else {
          throw damaged("the row of an epoch is unreadable")
        }
        list.append(epoch)
      }
      return list
    }
  }

  /// The last checkpoint of an epoch: its size and its note's bytes.
  func lastCheckpoint(
    _ transaction: borrowing some ReadableTransaction & ~Copyable, epoch: UInt32
  ) throws -> StoredCheckpoint? {
    // No tree has 2^64 - 1 records.
    try checkpoint(transaction, before: RecordPosition(epoch: epoch, sequence: .max))
  }

  /// The last checkpoint of the position's epoch whose tree is smaller than the position's sequence.
  func checkpoint(
    _ transaction: borrowing some ReadableTransaction & ~Copyable, before end: RecordPosition
  ) throws -> StoredCheckpoint? {
    try transaction.withCursor(checkpoints) { cursor in
      guard try cursor.seek(before: end.keyBytes), let position = RecordPosition(key: cursor.key),
        position.epoch == end.epoch
      else { return nil }
      return StoredCheckpoint(epoch: position.epoch, size: position.sequence, note: Array(cursor.value))
    }
  }

  // MARK: Writing

  func put(_ tail: Tail, _ transaction: borrowing WriteTransaction) throws(LMDBError) {
    try transaction.put(Layout.Meta.frontier(tail.epoch), tail.frontier.encoded, into: main)
  }

  func put(_ mark: FoldMark, _ transaction: borrowing WriteTransaction) throws(LMDBError) {
    try transaction.put(Layout.Meta.fold, mark.rowValue, into: main)
  }

  func put(
    _ changes: [StateChange], into state: Database, _ transaction: borrowing WriteTransaction
  ) throws(LMDBError) {
    for change in changes {
      precondition(
        (1...Environment.keyBytesMax).contains(change.key.count), "a fold's key must have 1 to 511 bytes")
      if let value = change.value {
        try transaction.put(change.key, value, into: state)
      } else {
        try transaction.delete(change.key, from: state)
      }
    }
  }

  /// Opens an epoch with an empty tree.
  func open(_ epoch: JournalEpoch, _ transaction: borrowing WriteTransaction) throws(LMDBError) {
    try transaction.put(epoch.number.bigEndianBytes, epoch.rowValue, into: epochs)
    try transaction.put(Layout.Meta.epoch, epoch.number.bigEndianBytes, into: meta)
    try put(Tail(epoch: epoch.number, frontier: MerkleFrontier()), transaction)
  }

  /// Appends the records of one piece of a batch, whose hashes are done. Their positions must be after every other's.
  func append(_ batch: LeafBatch, _ piece: Int, to records: borrowing Appender) throws(LMDBError) {
    let time = batch.time
    for index in batch.pieces[piece].records {
      let (payload, leaf) = (batch.payload(index), batch.leaf(index))
      try batch.position(index).withKey { (key) throws(LMDBError) in
        try records.append(key, valueByteCount: Layout.RecordValue.payload + payload.count) { value in
          value.storeBytes(of: time.bigEndian, toByteOffset: Layout.RecordValue.time, as: Int64.self)
          value.storeBytes(of: Record.version, toByteOffset: Layout.RecordValue.version, as: UInt8.self)
          value.storeBytes(of: Layout.recordFlags, toByteOffset: Layout.RecordValue.flags, as: UInt8.self)
          UnsafeMutableRawBufferPointer(rebasing: value[Layout.RecordValue.leafHash...]).copyMemory(from: leaf)
          UnsafeMutableRawBufferPointer(rebasing: value[Layout.RecordValue.payload...]).copyMemory(from: payload)
        }
      }
    }
  }
}

/// Where a journal ends: the open epoch and its tree.
struct Tail: Hashable {
  var epoch: UInt32
  var frontier: MerkleFrontier

  /// The position of the last record; sequence 0 when the epoch has none.
  var head: RecordPosition { RecordPosition(epoch: epoch, sequence: frontier.size) }
}
