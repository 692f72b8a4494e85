// Reading a journal, in the writer's process or another, while it is written.
//
// Every reading transaction is short: pages freed by later commits cannot be used again while one is open, so that a long one
// makes the file grow by some 16 KB a commit. No code of others runs inside one that goes over records: `scan` and `batches`
// copy a bounded portion, end the transaction, hand the copies out, and seek again from the next position. A pipe that nobody
// empties holds up its reader alone. A reader needs no lock and no key, only the right to open lock.mdb for writing.

package import Evidence
internal import LMDB
internal import OpenSSL

package final class JournalReader: Sendable {
  package let identity: JournalIdentity
  let store: JournalStore

  init(_ store: JournalStore, _ identity: JournalIdentity) {
    self.store = store
    self.identity = identity
  }

  /// Opens the journal in `directory` for reading only.
  /// - Throws: when there is none, it is not complete, another's or of a newer format.
  package static func open(directory: String) throws(JournalError) -> JournalReader {
    try Files.prepareDirectory(directory, creating: false)
    guard let identity = try JournalIdentity.read(directory: directory) else { throw .noJournal(path: directory) }
    guard let size = try Files.size(directory + "/" + JournalFile.data) else {
      throw .recordsMissing(path: directory, found: "missing")
    }
    guard size > 0 else { throw .recordsMissing(path: directory, found: "empty") }
    return try asJournalError {
      // LMDB would map what is not there, and reading it would end the process.
      if let fault = try DataFile.shortfall(directory: directory) {
        throw JournalError.damaged(path: directory, what: "\(fault)")
      }
      let store = try JournalStore(directory: directory, access: .readOnly, mapBytes: nil)
      let transaction = try store.environment.beginRead()
      guard let id = try transaction.value(of: Layout.Meta.journal, in: store.meta) else {
        throw JournalError.recordsMissing(path: directory, found: "without a journal in it")
      }
      try JournalOpening.checkFormat(store, transaction)
      guard id == identity.id else {
        throw JournalError.anotherJournal(
          path: directory, expected: identity.hexID, found: "the records of \(hexadecimal(id))")
      }
      return JournalReader(store, identity)
    }
  }

  /// The process that writes the journal in `directory`, or last did; nil: nobody is known. It may have ended: the lock itself is not looked at, because to
  /// ask for it would refuse it to whoever starts at that moment.
  package static func writer(of directory: String) -> Int32? {
    DirectoryLock.holder(directory + "/" + JournalFile.lock)
  }

  /// The error of one who met damage in what was read.
  package func damage(_ what: String) -> JournalError { store.damaged(what) }

  // MARK: Records

  /// The position of the last record; sequence 0 when the current epoch has none.
  package func head() throws(JournalError) -> RecordPosition { try reading { try self.store.head($0) } }

  /// The record at this position; nil when there is none.
  /// - Throws: `removed` where retention took it.
  package func record(at position: RecordPosition) throws(JournalError) -> Record? {
    try reading { transaction in
      try self.expectPresent(position.keyBytes, transaction)
      return try transaction.withCursor(self.store.records) { cursor in
        guard try cursor.seek(position.keyBytes), RecordPosition(key: cursor.key) == position else { return nil }
        guard let view = RecordView(position: position, value: cursor.value) else {
          throw self.store.damaged("record \(position) is unreadable")
        }
        return view.record
      }
    }
  }

  /// Lends copies of the records from `first` through `last` in order, at most `limit`, until `body` returns false. Records
  /// appended meanwhile are included. The body may take its time, and must not keep the view.
  /// - Throws: `JournalError`, and whatever `body` throws; `removed` when retention takes records away before they were read, or has
  ///   taken the one to begin with. A `first` with sequence 0 is the first that there is.
  package func scan(
    from first: RecordPosition = .start, through last: RecordPosition = .end, limit: Int = .max,
    _ body: (RecordView) throws -> Bool
  ) throws {
    try scanRows(from: first, limit: limit) { key, value in
      guard let position = RecordPosition(key: key) else { throw self.store.damaged("a record's key is unreadable") }
      guard position <= last else { return false }
      guard let view = RecordView(position: position, value: value) else {
        throw self.store.damaged("record \(position) is unreadable")
      }
      return try body(view)
    }
  }

  /// Lends copies of raw rows of the records, also damaged ones.
  func scanRows(
    from first: RecordPosition, limit: Int, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool
  ) throws {
    var portion = RowPortion()
    var next: [UInt8]? = first.keyBytes
    var remaining = limit
    var rowsMax = JournalLimits.portionRecordsFirst
    while let key = next, remaining > 0 {
      try fill(&portion, from: key, rowsMax: min(remaining, rowsMax))
      guard try portion.forEach(body) else { return }
      remaining -= portion.count
      next = portion.following
      rowsMax = min(2 * rowsMax, JournalLimits.portionRecordsMax)
    }
  }

  /// One short transaction.
  private func fill(_ portion: inout RowPortion, from key: [UInt8], rowsMax: Int) throws {
    let transaction = try store.environment.beginRead()
    try expectPresent(key, transaction)
    do {
      try portion.fill(
        from: key, of: store.records, transaction, rowsMax: rowsMax, bytesMax: JournalLimits.portionBytes)
    } catch is RowPortion.Disorder {
      let place = RecordPosition(keyBytes: Array(key.prefix(Layout.positionByteCount)))
      throw store.damaged("records behind \(place.map { "\($0)" } ?? "the first") are out of order")
    }
  }

  /// - Parameter key: a record's, or what comes next behind one.
  private func expectPresent(_ key: [UInt8], _ transaction: borrowing ReadTransaction) throws {
    guard let position = RecordPosition(keyBytes: Array(key.prefix(Layout.positionByteCount))), position.sequence > 0
    else { return }
    let next = key.count > Layout.positionByteCount ? position.sequence + 1 : position.sequence
    let base = try store.base(transaction, epoch: position.epoch).size
    guard next > base else {
      throw JournalError.removed(through: RecordPosition(epoch: position.epoch, sequence: base))
    }
  }

  /// The records from `first` through `last` in copied batches, at most `limit` records in all.
  package func batches(
    from first: RecordPosition = .start, through last: RecordPosition = .end, limit: Int = .max
  ) -> RecordBatches {
    RecordBatches(reader: self, next: first, last: last, remaining: limit)
  }

  /// Waits until there is a record after `position`, by looking every `interval`.
  /// - Returns: the head then. Throws `CancellationError` when the task is cancelled.
  package func waitForRecords(
    after position: RecordPosition, lookingEvery interval: Duration = JournalLimits.tailPollInterval
  ) async throws -> RecordPosition {
    while true {
      let head = try head()
      if head > position, head.sequence > 0 { return head }
      try await Task.sleep(for: interval)
    }
  }

  // MARK: What stands beside the records

  package func epochs() throws(JournalError) -> [JournalEpoch] { try reading { try self.store.epochList($0) } }

  /// Where the cursor stands; nil when it was never moved.
  package func cursor(_ name: String) throws(JournalError) -> RecordPosition? {
    try reading { try self.store.cursor($0, name) }
  }

  package func cursors() throws(JournalError) -> [JournalCursor] {
    try reading { try self.cursorList($0) }
  }

  func cursorList(_ transaction: borrowing ReadTransaction) throws -> [JournalCursor] {
    try transaction.withCursor(store.cursors) { cursor in
      var list: [JournalCursor] = []
      while try cursor.next() {
        let name = String(decoding: cursor.key, as: UTF8.self)
        guard let position = RecordPosition(key: cursor.value) else {
          throw store.damaged("the cursor \(name) is unreadable")
        }
        list.append(JournalCursor(name: name, position: position))
      }
      return list
    }
  }

  /// The stored checkpoints of trees from (`first.epoch`, size `first.sequence`) on, in order, at most `limit`.
  package func checkpoints(
    from first: RecordPosition = .start, limit: Int = .max
  ) throws(JournalError) -> [StoredCheckpoint] {
    try reading { transaction in
      try transaction.withCursor(self.store.checkpoints) { cursor in
        var list: [StoredCheckpoint] = []
        var found = try cursor.seek(first.keyBytes)
        while found, list.count < limit {
          guard let position = RecordPosition(key: cursor.key) else {
            throw self.store.damaged("a checkpoint's key is unreadable")
          }
          list.append(StoredCheckpoint(epoch: position.epoch, size: position.sequence, note: Array(cursor.value)))
          found = try cursor.next()
        }
        return list
      }
    }
  }

  /// The last checkpoint of an epoch; nil when it has none yet.
  package func lastCheckpoint(epoch: UInt32) throws(JournalError) -> StoredCheckpoint? {
    try reading { try self.store.lastCheckpoint($0, epoch: epoch) }
  }

  /// The last checkpoint of an epoch whose tree is smaller than `size`; nil when there is none.
  package func checkpoint(epoch: UInt32, before size: UInt64) throws(JournalError) -> StoredCheckpoint? {
    try reading {
      try self.store.checkpoint($0, before: RecordPosition(epoch: epoch, sequence: size))
    }
  }

  /// The first checkpoint of an epoch whose tree has at least `size` records; nil when there is none.
  package func checkpoint(epoch: UInt32, atLeast size: UInt64) throws(JournalError) -> StoredCheckpoint? {
    let first = RecordPosition(epoch: epoch, sequence: size)
    return try checkpoints(from: first, limit: 1).first { $0.epoch == epoch }
  }

  /// The journal's private key, for sealing an export. Reading records needs no key: a copy of a journal has none.
  /// - Throws: when there is no key, it cannot be read, or it is another journal's.
  package func signer() throws(JournalError) -> SignerKey {
    guard let key = try JournalKey.read(directory: store.directory) else { throw .keyMissing(path: store.directory) }
    guard key.id == identity.id, key.publicKey == identity.publicKey else {
      throw .anotherJournal(
        path: store.directory, expected: identity.hexID, found: "the key of \(hexadecimal(key.id))")
    }
    return key.signer
  }

  /// The tree of an epoch: its size and right edge.
  package func frontier(epoch: UInt32) throws(JournalError) -> MerkleFrontier {
    try reading { try self.store.frontier($0, epoch: epoch) }
  }

  /// The tree over the records of an epoch that retention has removed; empty where it has removed none. Of an epoch with gaps only
  /// its size counts.
  package func base(epoch: UInt32) throws(JournalError) -> MerkleFrontier {
    try reading { try self.store.base($0, epoch: epoch) }
  }

  /// Lends the fold's rows as they were after the last record that retention has removed.
  /// - Returns: that record, and the version of the fold that made the rows; nil where none was removed.
  package func scanSnapshot(
    _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void
  ) throws -> JournalBase? {
    let transaction = try store.environment.beginRead()
    guard let mark = try store.snapshotMark(transaction) else { return nil }
    try store.snapshotRows(mark, transaction, body)
    return JournalBase(position: mark.position, foldVersion: mark.version)
  }

  /// What damage has taken of an epoch, ascending; empty for one that is whole.
  package func lost(epoch: UInt32) throws(JournalError) -> [LostRecords] {
    try reading { try self.store.lost($0, epoch: epoch) }
  }

  func reading<R>(_ body: (borrowing ReadTransaction) throws -> R) throws(JournalError) -> R {
    try asJournalError {
      let transaction = try store.environment.beginRead()
      return try body(transaction)
    }
  }
}

/// Records in copied batches: each is read in a few short transactions.
package struct RecordBatches: Sendable {
  private let reader: JournalReader
  private var next: RecordPosition?
  private let last: RecordPosition
  private var remaining: Int

  init(reader: JournalReader, next: RecordPosition, last: RecordPosition, remaining: Int) {
    self.reader = reader
    self.next = next
    self.last = last
    self.remaining = remaining
  }

  /// The next records, at least one; nil when there are none. Asked again later it gives what was appended since.
  package mutating func nextBatch() throws(JournalError) -> [Record]? {
    guard let next, remaining > 0 else { return nil }
    var records: [Record] = []
    var bytes = 0
    let limit = min(remaining, JournalLimits.portionRecordsMax)
    let (reader, last) = (reader, last)
    try asJournalError {
      try reader.scan(from: next, through: last, limit: limit) { view in
        bytes += view.payload.count
        records.append(view.record)
        return bytes < JournalLimits.portionBytes
      }
    }
    guard let final = records.last?.position else { return nil }
    remaining -= records.count
    self.next = final.next
    return records
  }
}

/// Where a journal begins that retention has removed records of.
package struct JournalBase: Hashable, Sendable {
  /// The last record that was removed.
  package let position: RecordPosition
  /// Of the fold that made the snapshot's rows.
  package let foldVersion: UInt32
}

/// A named position: how far somebody got.
package struct JournalCursor: Hashable, Sendable {
  package let name: String
  /// The last record that is done with.
  package let position: RecordPosition
}

/// A checkpoint as it is stored: not verified by being read.
package struct StoredCheckpoint: Hashable, Sendable {
  package let epoch: UInt32
  package let size: UInt64
  /// The signed note's bytes.
  package let note: [UInt8]

  /// Who else has signed it: the names of keys that are not the journal's. A countersignature is verified before it is stored.
  package var countersigners: [String] {
    guard let note = try? SignedNote(bytes: note) else { return [] }
    return note.signatures.map(\.name.description).filter { JournalOrigin.journal(named: $0) == nil }
  }
}
