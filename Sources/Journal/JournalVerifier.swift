// Verification: every stored byte that a record or its evidence consists of is checked against the rest.
//
// For each record its leaf hash is computed from what is stored and compared with the stored one; its position must follow
// the one before; its version and flags must be known. The hashes build each epoch's tree anew. At each checkpoint's size its
// root must be that tree's and its signature the journal's; at the end the tree must be the stored one. Meta rows must agree
// with the identity.
//
// Of an epoch that damage has left with gaps, the ranges that are stored as lost are named and not found fault with; its tree
// and its checkpoints can be compared up to the first gap only.
//
// The rows of the state and of the snapshot must have the sum that was written with them.
//
// What is checked is the journal as it was when the verification began; it may be written meanwhile. The rows are read in
// short transactions. What this cannot see: a journal cut off or replaced as a whole together with its key. That shows only
// against a checkpoint that somebody else holds.

package import Evidence
internal import LMDB
internal import OpenSSL

/// One thing that is wrong.
package struct VerificationFinding: Hashable, Sendable, CustomStringConvertible {
  package enum Wrong: Hashable, Sendable {
    /// The key or the fixed part of the value is cut.
    case unreadableRecord
    /// A layout this program does not know.
    case unknownVersion(UInt8)
    case unknownFlags(UInt8)
    /// The record is not what was recorded: payload, time or hash were changed.
    case leafHash
    /// This record should stand here; `found` does, or nothing.
    case missingRecord(found: RecordPosition?)
    /// The tree built from the records is not the stored one.
    case tree
    case unreadableCheckpoint(String)
    /// A checkpoint for more records than there are.
    case checkpointBeyondRecords
    /// The records at its size do not have the root that the checkpoint states.
    case checkpointRoot
    case checkpointSignature(String)
    case meta(String)
    /// The storage below failed: nothing after this place was checked.
    case storage(String)
  }

  /// The record concerned; for a checkpoint, the tree's size stands for the sequence.
  package let position: RecordPosition
  package let wrong: Wrong

  package var description: String {
    switch wrong {
    case .unreadableRecord: "record \(position): its stored form is cut short"
    case .unknownVersion(let version): "record \(position): it has the unknown version \(version)"
    case .unknownFlags(let flags): "record \(position): it has the unknown flags \(flags)"
    case .leafHash: "record \(position): its bytes do not have the hash that was recorded with them"
    case .missingRecord(nil): "record \(position): it is missing"
    case .missingRecord(let found?): "record \(position): it is missing, \(found) stands in its place"
    case .tree: "epoch \(position.epoch): the tree of its \(position.sequence) records is not the stored one"
    case .unreadableCheckpoint(let reason): "checkpoint \(position): \(reason)"
    case .checkpointBeyondRecords: "checkpoint \(position): it is for more records than the epoch has"
    case .checkpointRoot: "checkpoint \(position): the records do not have the root that it states"
    case .checkpointSignature(let reason): "checkpoint \(position): \(reason)"
    case .meta(let reason): "epoch \(position.epoch): \(reason)"
    case .storage(let reason): "after record \(position): \(reason)"
    }
  }
}

package struct VerificationReport: Hashable, Sendable {
  /// The head when the verification began.
  package internal(set) var head: RecordPosition = .start
  package internal(set) var records: UInt64 = 0
  package internal(set) var epochs = 0
  package internal(set) var checkpoints = 0
  /// What retention removed: the last record of each epoch that is not there any more. No finding.
  package internal(set) var removed: [RecordPosition] = []
  /// What earlier damage took, as the journal itself says: no finding.
  package internal(set) var lost: [LostRecords] = []
  /// In the order they were met, at most `JournalLimits.findingsMax`.
  package internal(set) var findings: [VerificationFinding] = []
  /// All of them, also those not listed.
  package internal(set) var findingCount = 0

  package var isSound: Bool { findingCount == 0 }
  /// The first wrong thing.
  package var first: VerificationFinding? { findings.first }

  mutating func found(_ wrong: VerificationFinding.Wrong, at position: RecordPosition) {
    findingCount += 1
    guard findings.count < JournalLimits.findingsMax else { return }
    findings.append(VerificationFinding(position: position, wrong: wrong))
  }
}

package struct JournalVerifier {
  private let reader: JournalReader
  private let identity: JournalIdentity

  private let progress: (UInt64) -> Void

  /// How many records lie between two words of progress.
  private static let progressEvery: UInt64 = 4_096

  /// - Parameter progress: told now and then how many records were looked at.
  package init(_ reader: JournalReader, progress: @escaping (UInt64) -> Void = { _ in }) {
    self.reader = reader
    self.progress = progress
    identity = reader.identity
  }

  /// Verifies everything.
  /// - Throws: when the journal cannot be read at all. Damage is in the report.
  package func verify() throws(JournalError) -> VerificationReport {
    try asJournalError {
      while true {
        do { return try verifyOnce() } catch JournalError.removed {
          // Retention went on meanwhile: from the new base, then. It takes minutes to remove what a verification reads in one.
        }
      }
    }
  }

  private func verifyOnce() throws -> VerificationReport {
    var report = VerificationReport()
    let plan = try makePlan(&report)
    report.head = plan.last?.end ?? .start
    for epoch in plan { try verify(epoch, &report) }
    try verifyRows(&report)
    return report
  }

  /// The rows of the state and the snapshot against their sums: they are no evidence, but numbers are read from them.
  private func verifyRows(_ report: inout VerificationReport) throws {
    let store = reader.store
    let transaction = try store.environment.beginRead()
    if let mark = try store.foldMark(transaction), try !store.rows(of: store.state, mark, transaction) {
      report.found(.meta(JournalStore.otherState), at: mark.position)
    }
    guard let snapshot = store.snapshot, let mark = try store.snapshotMark(transaction) else { return }
    if try !store.rows(of: snapshot, mark, transaction) {
      report.found(.meta(JournalStore.otherSnapshot), at: mark.position)
    }
  }

  /// An epoch as it was when the verification began.
  private struct EpochPlan {
    let epoch: JournalEpoch
    let frontier: MerkleFrontier
    let checkpoints: [StoredCheckpoint]
    let lost: [LostRecords]
    let base: MerkleFrontier
    var end: RecordPosition { RecordPosition(epoch: epoch.number, sequence: frontier.size) }
  }

  /// Looks at the meta rows, in one transaction.
  private func makePlan(_ report: inout VerificationReport) throws -> [EpochPlan] {
    let store = reader.store
    let transaction = try store.environment.beginRead()
    let tail = try store.tail(transaction)
    let epochs = try store.epochList(transaction)
    let publicKey = try transaction.value(of: Layout.Meta.publicKey, in: store.meta)
    if publicKey != identity.publicKey.rawRepresentation {
      report.found(.meta("the public key in data.mdb is not the identity's"), at: tail.head)
    }
    if epochs.map(\.number) != Array(1...max(1, UInt32(clamping: epochs.count))) || epochs.last?.number != tail.epoch {
      report.found(.meta("the epochs are not numbered from 1 to the current one"), at: tail.head)
    }
    let last = try transaction.withCursor(store.records) { cursor in
      try cursor.last() ? RecordPosition(key: cursor.key) : nil
    }
    if let last, last > tail.head { report.found(.meta("records stand behind the head \(tail.head)"), at: last) }
    report.epochs = epochs.count
    let checkpoints = try storedCheckpoints(transaction, &report)
    return try epochs.map { epoch in
      EpochPlan(
        epoch: epoch, frontier: try store.frontier(transaction, epoch: epoch.number),
        checkpoints: checkpoints.filter { $0.epoch == epoch.number },
        lost: try store.lost(transaction, epoch: epoch.number),
        base: try store.base(transaction, epoch: epoch.number))
    }
  }

  /// Every checkpoint: a thousandth of the records, so 4 MB for 10 million.
  private func storedCheckpoints(
    _ transaction: borrowing ReadTransaction, _ report: inout VerificationReport
  ) throws -> [StoredCheckpoint] {
    try transaction.withCursor(reader.store.checkpoints) { cursor in
      var list: [StoredCheckpoint] = []
      while try cursor.next() {
        if let key = RecordPosition(key: cursor.key) {
          list.append(StoredCheckpoint(epoch: key.epoch, size: key.sequence, note: Array(cursor.value)))
        } else {
          report.found(.unreadableCheckpoint("its key is cut short"), at: .start)
        }
      }
      return list
    }
  }

  private func verify(_ plan: EpochPlan, _ report: inout VerificationReport) throws {
    var pass = EpochPass(
      epoch: plan.epoch.number, end: plan.frontier.size, verifier: try identity.verifier(epoch: plan.epoch.number),
      checkpoints: plan.checkpoints, lost: plan.lost, base: plan.base)
    report.lost += plan.lost.filter { $0.last ?? .max > plan.base.size }
    if plan.base.size > 0 {
      report.removed.append(RecordPosition(epoch: plan.epoch.number, sequence: plan.base.size))
    }
    pass.checkCheckpoints(&report)
    pass.checkBase(&report)
    do {
      let start = RecordPosition(epoch: plan.epoch.number, sequence: plan.base.size + 1)
      try reader.scanRows(from: start, limit: .max) { key, value in
        if pass.seen % Self.progressEvery == 0 { progress(report.records + pass.seen) }
        return pass.check(key, value, &report)
      }
    } catch let removed as JournalError where removed.isRemoval {
      throw removed
    } catch {
      report.found(
        .storage("\(error)"), at: RecordPosition(epoch: plan.epoch.number, sequence: pass.next - 1))
      return
    }
    pass.finish(stored: plan.frontier, &report)
    report.records += pass.seen
  }
}

/// The state of one epoch's verification, moved by each record.
private struct EpochPass {
  let epoch: UInt32
  /// The number of records it must have.
  let end: UInt64
  let verifier: VerifierKey
  let checkpoints: [StoredCheckpoint]
  let lost: [LostRecords]
  var frontier: MerkleFrontier
  var seen: UInt64 = 0
  /// The sequence that must come next.
  private(set) var next: UInt64
  private var nextCheckpoint = 0
  /// After a gap the tree's positions no longer fit, and one finding is enough.
  private var isTreeBroken = false

  init(
    epoch: UInt32, end: UInt64, verifier: VerifierKey, checkpoints: [StoredCheckpoint], lost: [LostRecords],
    base: MerkleFrontier
  ) {
    self.lost = lost
    frontier = base
    next = base.size + 1
    // Its tree is not known where there are gaps.
    isTreeBroken = base.size > 0 && !lost.isEmpty
    self.epoch = epoch
    self.end = end
    self.verifier = verifier
    self.checkpoints = checkpoints
  }

  /// Checks one row; false when the epoch is over.
  mutating func check(
    _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ report: inout VerificationReport
  ) -> Bool {
    skipLost()
    let expected = RecordPosition(epoch: epoch, sequence: next)
    guard let position = RecordPosition(key: key) else {
      report.found(.unreadableRecord, at: expected)
      isTreeBroken = true
      return true
    }
    guard position.epoch == epoch, position.sequence <= end else { return false }
    if position != expected, !isTreeBroken {
      report.found(.missingRecord(found: position), at: expected)
      isTreeBroken = true
    }
    seen += 1
    next = position.sequence + 1
    guard let view = RecordView(position: position, value: value) else {
      report.found(.unreadableRecord, at: position)
      isTreeBroken = true
      return true
    }
    if view.version != Record.version { report.found(.unknownVersion(view.version), at: position) }
    if view.flags != Layout.recordFlags { report.found(.unknownFlags(view.flags), at: position) }
    let leaf = view.computedLeafHash()
    if !view.stores(leaf) { report.found(.leafHash, at: position) }
    frontier.append(leaf)
    if nextCheckpoint < checkpoints.count { compareRoot(&report) }
    return true
  }

  /// After what is known to be lost, the tree's positions no longer fit, and nothing is wrong.
  private mutating func skipLost() {
    guard let gap = lost.first(where: { $0.first == next }) else { return }
    next = gap.last.map { $0 + 1 } ?? end + 1
    isTreeBroken = true
  }

  /// Compares the tree with the checkpoints of its present size.
  private mutating func compareRoot(_ report: inout VerificationReport) {
    while nextCheckpoint < checkpoints.count, checkpoints[nextCheckpoint].size <= frontier.size {
      let stored = checkpoints[nextCheckpoint]
      nextCheckpoint += 1
      guard stored.size == frontier.size, !isTreeBroken, let stated = try? Self.parse(stored) else { continue }
      if stated.root != frontier.root {
        report.found(.checkpointRoot, at: RecordPosition(epoch: epoch, sequence: stored.size))
      }
    }
  }

  /// The base's tree is nobody's word alone: the checkpoint at its size, or else the next, states a root that it leads to.
  mutating func checkBase(_ report: inout VerificationReport) {
    guard frontier.size > 0, !isTreeBroken else { return }
    compareRoot(&report)
    if checkpoints.last.map({ $0.size < frontier.size }) ?? true {
      report.found(.tree, at: RecordPosition(epoch: epoch, sequence: frontier.size))
    }
  }

  /// Checks what does not need the records: form, signature, origin.
  func checkCheckpoints(_ report: inout VerificationReport) {
    for stored in checkpoints {
      let position = RecordPosition(epoch: epoch, sequence: stored.size)
      report.checkpoints += 1
      do throws(NoteError) {
        try SignedNote(bytes: stored.note).verify([verifier])
        let stated = try Self.parse(stored)
        guard stated.origin == verifier.name.description, stated.size == stored.size else {
          report.found(.unreadableCheckpoint("it is another tree's or another size's"), at: position)
          continue
        }
      } catch {
        if case .malformed(let reason) = error {
          report.found(.unreadableCheckpoint(reason), at: position)
        } else {
          report.found(.checkpointSignature("\(error)"), at: position)
        }
      }
    }
  }

  private static func parse(_ stored: StoredCheckpoint) throws(NoteError) -> Checkpoint {
    try Checkpoint(text: try SignedNote(bytes: stored.note).text)
  }

  /// Compares what was built with what is stored.
  mutating func finish(stored: MerkleFrontier, _ report: inout VerificationReport) {
    skipLost()
    if next <= end, !isTreeBroken || !lost.isEmpty {
      report.found(.missingRecord(found: nil), at: RecordPosition(epoch: epoch, sequence: next))
    } else if !isTreeBroken, frontier != stored {
      report.found(.tree, at: RecordPosition(epoch: epoch, sequence: end))
    }
    for stored in checkpoints[nextCheckpoint...] where stored.size > end {
      report.found(.checkpointBeyondRecords, at: RecordPosition(epoch: epoch, sequence: stored.size))
    }
  }
}
