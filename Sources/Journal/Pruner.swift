// Retention: removing the oldest records, and keeping what they gave.
//
//   before    [ 1 ......................... ][ checkpoint 5000, countersigned ] 5001 ... head
//   after     base: the tree over 1..5000, the checkpoint; snapshot: the fold's rows after 5000  |  5001 ... head
//
// Only what two others vouch for is removed: the hub's signature under a checkpoint says that it holds exactly these records, and
// the cursor that it has acknowledged them. An earlier epoch goes as a whole, by its last checkpoint. One with gaps has no
// tree that could be signed; it goes once the cursor is past it and a later checkpoint is countersigned.
//
// It goes on in steps of bounded size, each a part of one transaction: records deleted, the base's tree grown by their hashes, the
// snapshot folded over them. Whatever ends it, the journal verifies and replays from the base as it then is. The pages become
// free and are used again: the file does not shrink, it stops growing.

internal import Evidence
internal import LMDB
internal import OpenSSL

/// What may be removed, and who vouches for it.
struct Pruning: Sendable {
  /// A countersigned checkpoint's.
  let through: RecordPosition
  /// Whoever holds a copy.
  let countersigner: VerifierKey
  /// The name of the cursor that is past every record which the copy's holder has acknowledged.
  let cursor: String
}

/// Removes records step by step; keeps the snapshot's fold in memory from one to the next.
final class Pruner {
  private let store: JournalStore
  private let identity: JournalIdentity
  private let fold: any JournalFold
  private let failed: @Sendable (RecordPosition, any Error) -> Void
  private var position: RecordPosition?
  /// Over the snapshot's rows.
  private var sums = RowSums()
  /// Whether the snapshot's rows are those of another version than the fold's.
  private var isOfOtherVersion = false

  /// - Parameter fold: one that has folded nothing.
  init(
    _ store: JournalStore, _ identity: JournalIdentity, fold: any JournalFold,
    failed: @escaping @Sendable (RecordPosition, any Error) -> Void
  ) {
    self.store = store
    self.identity = identity
    self.fold = fold
    self.failed = failed
  }

  /// Does the next step.
  /// - Returns: the last record removed; nil when there is nothing left to remove.
  /// - Throws: `JournalError.pruneRefused` before anything was written. After any other error the transaction must be aborted, and
  ///   this is of no more use.
  func step(_ pruning: Pruning, _ transaction: borrowing WriteTransaction) throws -> RecordPosition? {
    guard let stretch = try nextStretch(pruning, transaction) else { return nil }
    try loadSnapshot(transaction)
    let last = RecordPosition(
      epoch: stretch.epoch,
      sequence: min(stretch.end, stretch.base.size + UInt64(JournalLimits.prunedRecordsPerCommit)))
    let base = try remove(stretch, through: last, transaction)
    try transaction.put(Layout.Meta.base(last.epoch), base, into: store.meta)
    guard let snapshot = store.snapshot else { throw store.damaged("the snapshot is missing") }
    var changes = fold.drainChanges()
    if isOfOtherVersion {
      // Rows of two versions beside each other would be of none.
      try transaction.empty(snapshot)
      (changes, sums, isOfOtherVersion) = (fold.allRows(), RowSums(), false)
    }
    sums.apply(changes)
    try store.put(changes, into: snapshot, transaction)
    let mark = FoldMark(version: fold.version, position: last, sum: sums.total)
    try transaction.put(Layout.Meta.baseFold, mark.rowValue, into: store.meta)
    try moveFirst(of: last.epoch, to: last.sequence + 1, transaction)
    // The checkpoint at the base stays: it vouches for the base.
    try transaction.delete(
      from: RecordPosition(epoch: last.epoch, sequence: 0).keyBytes,
      through: RecordPosition(epoch: last.epoch, sequence: last.sequence - 1).keyBytes, in: store.checkpoints)
    position = last
    return last
  }

  /// What is left of the oldest epoch.
  private struct Stretch {
    let epoch: UInt32
    let base: MerkleFrontier
    let end: UInt64
    let lost: [LostRecords]
  }

  private func nextStretch(_ pruning: Pruning, _ transaction: borrowing WriteTransaction) throws -> Stretch? {
    for epoch in try store.epochList(transaction).map(\.number) where epoch <= pruning.through.epoch {
      let base = try store.base(transaction, epoch: epoch)
      let size = try store.frontier(transaction, epoch: epoch).size
      let end = epoch == pruning.through.epoch ? pruning.through.sequence : size
      guard end > base.size else { continue }
      let stretch = Stretch(
        epoch: epoch, base: base, end: end, lost: try store.lost(transaction, epoch: epoch))
      try expectVouchers(for: stretch, pruning, transaction)
      return stretch
    }
    return nil
  }

  private func expectVouchers(
    for stretch: Stretch, _ pruning: Pruning, _ transaction: borrowing WriteTransaction
  ) throws {
    let end = RecordPosition(epoch: stretch.epoch, sequence: stretch.end)
    guard let cursor = try store.cursor(transaction, pruning.cursor), cursor >= end else {
      throw JournalError.pruneRefused("the records through \(end) are not all acknowledged")
    }
    try expectCountersignature(at: stretch.lost.isEmpty ? end : pruning.through, pruning.countersigner, transaction)
  }

  private func expectCountersignature(
    at position: RecordPosition, _ key: VerifierKey, _ transaction: borrowing WriteTransaction
  ) throws {
    guard let bytes = try transaction.value(of: position.keyBytes, in: store.checkpoints) else {
      throw JournalError.pruneRefused("there is no checkpoint at \(position)")
    }
    do throws(NoteError) {
      let note = try SignedNote(bytes: bytes)
      let own = try identity.verifier(epoch: position.epoch)
      guard try note.verify([own, key]).contains(key), try note.verify([own]) == [own] else {
        throw NoteError.unsigned
      }
    } catch { throw JournalError.pruneRefused("the checkpoint at \(position) is not countersigned by \(key.name)") }
  }

  private func loadSnapshot(_ transaction: borrowing WriteTransaction) throws {
    guard position == nil else { return }
    let mark = try fold.load(snapshotOf: store, transaction)
    position = mark?.position ?? .start
    isOfOtherVersion = mark.map { $0.version != fold.version } ?? false
    sums.apply(fold.allRows())
  }

  /// Deletes the records and folds them; the encoded tree over all that are gone.
  private func remove(
    _ stretch: Stretch, through last: RecordPosition, _ transaction: borrowing WriteTransaction
  ) throws -> [UInt8] {
    var tree = stretch.base
    var next = stretch.base.size + 1
    let first = RecordPosition(epoch: stretch.epoch, sequence: next)
    try transaction.delete(from: first.keyBytes, through: last.keyBytes, in: store.records) { key, value in
      if let gap = stretch.lost.first(where: { $0.contains(next) }) { next = (gap.last ?? stretch.end) + 1 }
      let expected = RecordPosition(epoch: stretch.epoch, sequence: next)
      guard RecordPosition(key: key) == expected, let view = RecordView(position: expected, value: value) else {
        throw store.damaged("the record \(expected) is missing or unreadable")
      }
      if stretch.lost.isEmpty { tree.append(view.leafHash) }
      do { try fold.apply(view.record) } catch { failed(expected, error) }
      next += 1
      return true
    }
    guard !stretch.lost.isEmpty else {
      guard tree.size == last.sequence else { throw store.damaged("the record \(tree.size + 1) is missing") }
      return tree.encoded
    }
    return MerkleFrontier.encodedSize(last.sequence)
  }

  private func moveFirst(
    of epoch: UInt32, to sequence: UInt64, _ transaction: borrowing WriteTransaction
  ) throws {
    guard let row = try transaction.value(of: epoch.bigEndianBytes, in: store.epochs),
      let old = JournalEpoch(key: epoch.bigEndianBytes, value: row)
    else { throw store.damaged("the row of epoch \(epoch) is unreadable") }
    let moved = JournalEpoch(number: epoch, opened: old.opened, firstSequence: sequence, reason: old.reason)
    try transaction.put(epoch.bigEndianBytes, moved.rowValue, into: store.epochs)
  }
}
