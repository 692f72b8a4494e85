// What a journal measures, and its state seen at one moment.

package import Evidence
internal import LMDB
package import OpenSSL

/// The sizes of a journal, all of one committed state but the bytes allocated, which are the file system's.
package struct JournalStatistics: Hashable, Sendable {
  package let records: Int
  package let epochs: Int
  package let head: RecordPosition
  package let stateRows: Int
  /// The length of data.mdb, in bytes.
  package let fileBytes: Int
  /// What the file system has given to it, in bytes.
  package let allocatedBytes: Int
  /// Bytes of pages that hold something.
  package let usedBytes: Int
  /// Pages of the records alone: leaves and pages of large records.
  package let recordPages: Int
  package let pageBytes: Int
  package let mapBytes: Int
  /// The current epoch's last checkpoint.
  package let checkpoint: StoredCheckpoint?
  package let cursors: [JournalCursor]
  /// Reader slots in use, of all processes, this look included.
  package let readers: Int
}

/// Head and state at one moment.
package struct JournalSnapshot: Hashable, Sendable {
  package let head: RecordPosition
  /// The root of the current epoch's tree.
  package let root: Digest
  /// The digest over the fold's rows: see `StateDigest`.
  package let stateDigest: Digest
  package let stateRows: Int
  /// The version of the fold that made the rows; nil when none ever did.
  package let foldVersion: UInt32?
  /// The last record in the rows. Before the head only while the fold is being made again.
  package let foldPosition: RecordPosition?
}

extension JournalReader {
  package func statistics() throws(JournalError) -> JournalStatistics {
    try reading { transaction in
      let environment = try self.store.environment.statistics()
      let records = try transaction.statistics(of: self.store.records)
      let head = try self.store.head(transaction)
      return JournalStatistics(
        records: records.entries, epochs: try transaction.statistics(of: self.store.epochs).entries, head: head,
        stateRows: try transaction.statistics(of: self.store.state).entries, fileBytes: environment.fileBytes,
        allocatedBytes: Files.allocatedBytes(self.store.directory + "/" + JournalFile.data),
        usedBytes: environment.fileBytes - (try transaction.freePages()) * environment.pageBytes,
        recordPages: records.leafPages + records.overflowPages, pageBytes: environment.pageBytes,
        mapBytes: environment.mapBytes, checkpoint: try self.store.lastCheckpoint(transaction, epoch: head.epoch),
        cursors: try self.cursorList(transaction), readers: environment.readers)
    }
  }

  /// Head, tree and digest of the state, which one transaction sees together.
  package func snapshot() throws(JournalError) -> JournalSnapshot {
    try reading { transaction in
      let tail = try self.store.tail(transaction)
      let mark = try self.store.foldMark(transaction)
      let digest = try transaction.withCursor(self.store.state) { cursor in
        var digest = StateDigest()
        while try cursor.next() { digest.add(key: cursor.key, value: cursor.value) }
        return digest
      }
      return JournalSnapshot(
        head: tail.head, root: tail.frontier.root, stateDigest: digest.digest, stateRows: digest.rows,
        foldVersion: mark?.version, foldPosition: mark?.position)
    }
  }

  /// Lends every row of the fold's state, in order of keys, in one transaction.
  /// - Throws: after the last one, when they are not those that the writer left.
  package func scanState(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Void) throws {
    let transaction = try store.environment.beginRead()
    guard try store.rows(of: store.state, store.foldMark(transaction), transaction, body) else {
      throw store.damaged(JournalStore.otherState)
    }
  }

  /// The fold's row of this key; nil when there is none.
  package func stateRow(_ key: [UInt8]) throws(JournalError) -> [UInt8]? {
    try reading { try $0.value(of: key, in: self.store.state) }
  }
}
