// What delivery needs of the journal, and the journal as just that.
//
// Reads block on the disk now and then (LMDB maps the file); they run on a queue of their own, never on Swift's cooperative pool. Each is
// one short transaction: the journal cannot reuse pages while one is open.

package import Evidence
package import Journal

internal import Dispatch
internal import OpenSSL

/// The journal, as delivery sees it.
package protocol DeliverySource: Sendable {
  /// Every epoch with its head.
  func heads() async throws -> [RecordPosition]
  /// How many records retention has removed of each epoch of which it has removed any.
  func bases() async throws -> [UInt32: UInt64]
  /// What damage took, per epoch and ascending; nothing above the epoch's head.
  func lost() async throws -> [UInt32: [ClosedRange<UInt64>]]
  /// Up to where the hub acknowledged; nil: never.
  func cursor() async throws -> RecordPosition?
  /// The newest checkpoint; nil: none was sealed yet.
  func checkpoint() async throws -> CheckpointNote?
  /// The last checkpoints of closed epochs, where the hub has not countersigned them yet.
  func closedCheckpoints() async throws -> [CheckpointNote]
  /// Records from `first` on within its epoch, at most so many and so many bytes, but at least one if it is there.
  func records(from first: RecordPosition, recordsMax: Int, bytesMax: Int) async throws -> RecordRun
  func moveCursor(to position: RecordPosition) async throws
  /// Appends that the hub refused a record, unless the record only told of another refusal.
  func appendRejection(of position: RecordPosition, reason: String) async throws
  /// Appends that the hub holds other records under these.
  func appendConflict(epoch: UInt32, _ range: ClosedRange<UInt64>, heldHash: [UInt8]) async throws
  /// Of the records behind `seen` up to and with `head`, in the epoch of `head`, the newest that should not wait behind a backlog, ascending and at
  /// most `FastLane.waitingMax`. Looks at the last `urgentLookMax` at most.
  func urgentRecords(after seen: RecordPosition, through head: RecordPosition) async throws -> [ExpressRecord]
  /// Adds the hub's signature to the checkpoint that it is about.
  /// - Throws: `CountersignatureRefused` when it is no signature by this key of a checkpoint that is there.
  func keepCountersignature(_ checkpoint: CheckpointNote, key: String) async throws
  /// Ends the epoch, because the journal was put back to an earlier state, and begins one of a higher number than `beyond` with a record
  /// that says so. Returns its head.
  func beginEpoch(reason: String, beyond: UInt32) async throws -> RecordPosition
  /// Waits until the head is another than `head` or the newest checkpoint is another than `checkpoint`.
  func waitForNews(after head: RecordPosition, checkpoint: RecordPosition?) async throws
}

extension CheckpointNote {
  fileprivate init(_ stored: StoredCheckpoint) {
    self.init(
      position: RecordPosition(epoch: stored.epoch, sequence: stored.size),
      note: String(decoding: stored.note, as: UTF8.self))
  }
}

/// A countersignature that proves nothing.
package struct CountersignatureRefused: Error, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// How delivery's own records are written and recognised; the events' room knows, this one need not.
package struct DeliveryCoding: Sendable {
  /// The payload that tells of a rejection.
  package var rejection: @Sendable (RecordPosition, _ reason: String) throws -> [UInt8]
  /// Whether a payload tells of one. Called for every record sent: must look at few bytes.
  package var isRejection: @Sendable ([UInt8]) -> Bool
  /// The payload that tells of conflicts.
  package var conflict: @Sendable (_ epoch: UInt32, ClosedRange<UInt64>, _ heldHash: [UInt8]) throws -> [UInt8]
  /// Whether a payload should not wait behind a backlog. Called for every record appended: must look at few bytes.
  package var isUrgent: @Sendable (UnsafeRawBufferPointer) -> Bool
  /// The payload that tells that the journal was put back, and that this is the last record that it had.
  package var restoration: @Sendable (RecordPosition, _ reason: String) throws -> [UInt8]

  package init(
    rejection: @escaping @Sendable (RecordPosition, String) throws -> [UInt8],
    isRejection: @escaping @Sendable ([UInt8]) -> Bool,
    conflict: @escaping @Sendable (UInt32, ClosedRange<UInt64>, [UInt8]) throws -> [UInt8],
    isUrgent: @escaping @Sendable (UnsafeRawBufferPointer) -> Bool,
    restoration: @escaping @Sendable (RecordPosition, String) throws -> [UInt8]
  ) {
    self.rejection = rejection
    self.isRejection = isRejection
    self.conflict = conflict
    self.isUrgent = isUrgent
    self.restoration = restoration
  }
}

/// The journal of this process.
package final class JournalSource: DeliverySource {
  /// The name of delivery's cursor.
  package static let cursorName = "dcam"

  /// How often it looks for news: an alert is on its way within a tenth of a second, and ten looks cost nothing.
  package static let lookInterval: Duration = .milliseconds(100)

  /// Records that a look for urgent ones goes through at most, a few milliseconds: more are there only when delivery begins anew, and alerts
  /// further back are old.
  package static let urgentLookMax: UInt64 = 100_000

  private let journal: Journal
  private let coding: DeliveryCoding
  private let queue = DispatchQueue(label: "printtrail.replicator.reads")

  package init(_ journal: Journal, coding: DeliveryCoding) {
    self.journal = journal
    self.coding = coding
  }

  package func heads() async throws -> [RecordPosition] {
    let reader = journal.reader
    return try await reading {
      try reader.epochs().map { epoch in
        RecordPosition(epoch: epoch.number, sequence: try reader.frontier(epoch: epoch.number).size)
      }
    }
  }

  package func bases() async throws -> [UInt32: UInt64] {
    let reader = journal.reader
    return try await reading {
      let removed = try reader.epochs().map { ($0.number, $0.firstSequence - 1) }
      return Dictionary(uniqueKeysWithValues: removed.filter { $0.1 > 0 })
    }
  }

  package func lost() async throws -> [UInt32: [ClosedRange<UInt64>]] {
    let reader = journal.reader
    return try await reading {
      var lost: [UInt32: [ClosedRange<UInt64>]] = [:]
      for epoch in try reader.epochs() {
        let end = try reader.frontier(epoch: epoch.number).size
        // What came after the end, if anything did, has no numbers that could be told.
        lost[epoch.number] = try reader.lost(epoch: epoch.number).filter { $0.first <= end }.map {
          $0.first...max($0.first, min($0.last ?? end, end))
        }
      }
      return lost
    }
  }

  package func cursor() async throws -> RecordPosition? { try journal.cursor(Self.cursorName) }

  package func checkpoint() async throws -> CheckpointNote? {
    let reader = journal.reader
    return try await reading {
      for epoch in try reader.epochs().reversed() {
        guard let stored = try reader.lastCheckpoint(epoch: epoch.number) else { continue }
        // A tree with gaps has no root that the hub could compare.
        guard try reader.lost(epoch: epoch.number).isEmpty else { continue }
        return CheckpointNote(stored)
      }
      return nil
    }
  }

  package func closedCheckpoints() async throws -> [CheckpointNote] {
    let reader = journal.reader
    return try await reading {
      try reader.epochs().dropLast().compactMap { epoch in
        guard let stored = try reader.lastCheckpoint(epoch: epoch.number), stored.countersigners.isEmpty,
          try reader.lost(epoch: epoch.number).isEmpty
        else { return nil }
        return CheckpointNote(stored)
      }
    }
  }

  package func records(from first: RecordPosition, recordsMax: Int, bytesMax: Int) async throws -> RecordRun {
    let (reader, coding) = (journal.reader, coding)
    return try await reading {
      var records: [DeliveryRecord] = []
      var bytes = 0
      let last = RecordPosition(epoch: first.epoch, sequence: .max)
      try reader.scan(from: first, through: last, limit: recordsMax) { view in
        // A gap ends the run: what follows is not what was asked for.
        guard view.position.sequence == first.sequence + UInt64(records.count) else { return false }
        guard records.isEmpty || bytes + view.payload.count <= bytesMax else { return false }
        // The hub would refuse it for its hash, and the journal's damage would be nobody's business.
        guard view.isSound else {
          throw reader.damage("the record \(view.position) is not what was recorded")
        }
        let payload = Array(view.payload)
        bytes += payload.count
        records.append(
          DeliveryRecord(
            time: view.time, hash: view.leafHash.bytes, payload: payload,
            isRejectionReport: coding.isRejection(payload)))
        return true
      }
      return RecordRun(first: first, records: records)
    }
  }

  package func moveCursor(to position: RecordPosition) async throws {
    try await journal.moveCursor(Self.cursorName, to: position)
  }

  package func appendRejection(of position: RecordPosition, reason: String) async throws {
    let (reader, coding) = (journal.reader, coding)
    let isReport = try await reading {
      var isReport = false
      try reader.scan(from: position, through: position, limit: 1) { view in
        isReport = coding.isRejection(Array(view.payload))
        return false
      }
      return isReport
    }
    guard !isReport else { return }
    try await journal.append([try coding.rejection(position, reason)])
  }

  package func appendConflict(epoch: UInt32, _ range: ClosedRange<UInt64>, heldHash: [UInt8]) async throws {
    try await journal.append([try coding.conflict(epoch, range, heldHash)])
  }

  package func urgentRecords(after seen: RecordPosition, through head: RecordPosition) async throws -> [ExpressRecord] {
    let last = seen.epoch == head.epoch ? seen.sequence : 0
    let first = max(last, head.sequence - min(head.sequence, Self.urgentLookMax)) + 1
    guard first <= head.sequence else { return [] }
    let (reader, coding) = (journal.reader, coding)
    return try await reading {
      var urgent: [ExpressRecord] = []
      // Not what retention has removed since: the hub has had it.
      let base = try reader.base(epoch: head.epoch).size
      let from = RecordPosition(epoch: head.epoch, sequence: max(first, base + 1))
      guard from <= head else { return [] }
      try reader.scan(from: from, through: head, limit: Int(Self.urgentLookMax)) { view in
        guard coding.isUrgent(view.payload), view.isSound else { return true }
        if urgent.count == FastLane.waitingMax { urgent.removeFirst() }
        let record = DeliveryRecord(time: view.time, hash: view.leafHash.bytes, payload: Array(view.payload))
        urgent.append(ExpressRecord(position: view.position, record: record))
        return true
      }
      return urgent
    }
  }

  package func keepCountersignature(_ checkpoint: CheckpointNote, key: String) async throws {
    let (note, verifier): (SignedNote, VerifierKey)
    do throws(NoteError) {
      (note, verifier) = (try SignedNote(bytes: Array(checkpoint.note.utf8)), try VerifierKey(key))
    } catch { throw CountersignatureRefused("\(error)") }
    do throws(JournalError) { try await journal.storeCountersignature(note, by: verifier) } catch {
      guard case .countersignatureRefused(let reason) = error else { throw error }
      throw CountersignatureRefused(reason)
    }
  }

  package func beginEpoch(reason: String, beyond: UInt32) async throws -> RecordPosition {
    let end = try journal.reader.head()
    let record = try coding.restoration(end, reason)
    // Epochs are numbered without a gap: those that are passed over stay empty.
    var epoch = end.epoch
    while epoch < beyond { epoch = try await journal.openEpoch(reason: reason) }
    epoch = try await journal.openEpoch(reason: reason, with: [record])
    return RecordPosition(epoch: epoch, sequence: 1)
  }

  package func waitForNews(after head: RecordPosition, checkpoint: RecordPosition?) async throws {
    let reader = journal.reader
    while true {
      let isNew = try await reading {
        let now = try reader.head()
        let sealed = try reader.lastCheckpoint(epoch: now.epoch).map {
          RecordPosition(epoch: $0.epoch, sequence: $0.size)
        }
        return now != head || (sealed != nil && sealed != checkpoint)
      }
      if isNew { return }
      try await Task.sleep(for: Self.lookInterval)
    }
  }

  private func reading<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try body() }) }
    }
  }
}
