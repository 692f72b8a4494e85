// Keeps a fold in step with the records: at open, with each commit, and after a commit that failed.
//
// At open the stored mark says which version's rows lie in `state`, and up to which record they go.
//   same version, at the head         load the rows
//   same version, before the head     load the rows, fold the rest (a fold again was interrupted, or a writer had no fold)
//   another version, or none, or a row that cannot be read, or other rows than were written
//                                     forget the rows, load the snapshot if there is one, fold everything behind it

internal import Evidence
internal import LMDB

final class FoldDriver {
  private let fold: any JournalFold
  private let store: JournalStore
  private let failed: @Sendable (RecordPosition, any Error) -> Void
  private var sums = RowSums()

  init(_ fold: any JournalFold, _ store: JournalStore, failed: @escaping @Sendable (RecordPosition, any Error) -> Void)
  {
    self.fold = fold
    self.store = store
    self.failed = failed
  }

  /// Brings the fold to the head, in transactions of bounded size. Each leaves a state that the next opening can go on from.
  func catchUp() throws {
    var mark = try loadRows()
    if mark == nil { mark = try beginAgain() }
    guard let mark else { return }
    let snapshot = try store.environment.beginRead()
    let head = try store.head(snapshot)
    snapshot.end()
    var position = mark.position
    while position < head {
      let records = try readRecords(after: position)
      guard let last = records.last else { break }
      for record in records { apply(record) }
      position = last.position
      let transaction = try store.environment.beginWrite()
      try writeChanges(upTo: position, transaction)
      try transaction.commit()
    }
  }

  /// Makes the state what it was at the base: nothing, or the snapshot.
  private func beginAgain() throws -> FoldMark {
    fold.reset()
    let transaction = try store.environment.beginWrite()
    let position = try fold.load(snapshotOf: store, transaction)?.position ?? .start
    try transaction.empty(store.state)
    sums = RowSums()
    let rows = fold.allRows()
    sums.apply(rows)
    let beginning = FoldMark(version: fold.version, position: position, sum: sums.total)
    try store.put(rows, into: store.state, transaction)
    try store.put(beginning, transaction)
    try transaction.commit()
    return beginning
  }

  /// Loads the stored rows afresh; nil when they are no use and everything must be folded again.
  private func loadRows() throws -> FoldMark? {
    fold.reset()
    sums = RowSums()
    let transaction = try store.environment.beginRead()
    guard let mark = try store.foldMark(transaction), mark.version == fold.version, let sum = mark.sum else {
      return nil
    }
    let understood = try transaction.withCursor(store.state) { cursor in
      while try cursor.next() {
        do { try fold.load(key: cursor.key, value: cursor.value) } catch { return false }
        sums.add(key: cursor.key, value: cursor.value)
      }
      return true
    }
    guard understood, sums.total == sum else {
      failed(mark.position, store.damaged("\(JournalStore.otherState): they are made again from the records"))
      return nil
    }
    return mark
  }

  func apply(_ record: Record) {
    do { try fold.apply(record) } catch { failed(record.position, error) }
  }

  /// Writes what the applied records changed.
  func writeChanges(upTo position: RecordPosition, _ transaction: borrowing WriteTransaction) throws(LMDBError) {
    let changes = fold.drainChanges()
    sums.apply(changes)
    try store.put(changes, into: store.state, transaction)
    try store.put(FoldMark(version: fold.version, position: position, sum: sums.total), transaction)
  }

  private func readRecords(after position: RecordPosition) throws -> [Record] {
    let transaction = try store.environment.beginRead()
    return try transaction.withCursor(store.records) { cursor in
      var records: [Record] = []
      var bytes = 0
      var found = try cursor.seek(RecordPosition(epoch: position.epoch, sequence: position.sequence + 1).keyBytes)
      while found, records.count < JournalLimits.foldRecordsPerTransaction, bytes < JournalLimits.batchBytesMax {
        guard let key = RecordPosition(key: cursor.key), let view = RecordView(position: key, value: cursor.value)
        else {
          throw store.damaged("the record after \(records.last?.position ?? position) is unreadable")
        }
        bytes += view.payload.count
        records.append(view.record)
        found = try cursor.next()
      }
      return records
    }
  }
}

extension JournalFold {
  /// Loads the rows that stand for the records which retention removed.
  /// - Returns: up to where they go; nil when there is no snapshot.
  /// - Throws: when a release made it that this one does not understand.
  func load(
    snapshotOf store: JournalStore, _ transaction: borrowing some ReadableTransaction & ~Copyable
  ) throws -> FoldMark? {
    guard let mark = try store.snapshotMark(transaction) else { return nil }
    guard canLoad(version: mark.version) else {
      throw JournalError.fold(
        "the snapshot at \(mark.position) was made by fold version \(mark.version), which this release does not know")
    }
    try store.snapshotRows(mark, transaction) { try load(key: $0, value: $1) }
    return mark
  }
}
