// One stream of dcam as the agent sees it (Sources/HubProtocol/Protos/dcam.proto), without socket, journal or clock: events come in, actions
// go out. Its owner reads what it is asked to read, sends what it is told to send, and tells what came of it.
//
//                     opened                     welcomed
//   [ disconnected ] --------> [ awaiting welcome ] --------> [ streaming ] --.
//          ^                          |                            |  ^      | grew, read, sealed, acknowledged, rejected, conflicted
//          '--------------------------+--- closed, endStream ------'  '-----'
//
// Records that damage took from the journal are sent as `Lost` in their place, and the hub goes on behind them. To a hub that does not know
// that, an epoch ends where its first loss begins.
//
// What holds at every moment:
//   * The hub decides where to begin: after what it says it holds, whatever this side remembers.
//   * Epochs are sent in ascending order, sequences without gaps, and a checkpoint never before the records that it seals.
//   * Not more than the hub's window is under way unacknowledged, and one read at a time is under way in the journal.
//   * The cursor follows acknowledgements (a welcome is one, too); it never runs ahead of them.
//   * A rejection becomes one event in the journal; a rejection of such an event becomes none, or the two sides would go on for ever.
//
// A journal that was put back to an earlier state (a restored backup, a reverted virtual machine) appends other records under the numbers of
// those that it lost. It shows by one of these:
//   * the hub holds more of an epoch than the journal, or records of an epoch that the journal does not have;
//   * the hub holds another record where it says that it ends, and the journal has outgrown that already: so the last record that it holds
//     is sent once more, unless the cursor says that the journal knew of it.
// What was appended since lies behind the restored cursor, and is sent, one batch at a time, so that the hub sees the conflicts and keeps
// both. If it is the last epoch, `beginEpoch` is asked for, behind every epoch of the hub's, so that no sequence is used twice from there on.

package import Evidence

/// One record as it is sent.
package struct DeliveryRecord: Equatable, Sendable {
  /// Nanoseconds since 1970 UTC.
  package var time: Int64
  /// The leaf hash, 32 bytes.
  package var hash: [UInt8]
  package var payload: [UInt8]
  /// Whether the payload is itself the report of a rejection.
  package var isRejectionReport: Bool

  package init(time: Int64, hash: [UInt8], payload: [UInt8], isRejectionReport: Bool = false) {
    self.time = time
    self.hash = hash
    self.payload = payload
    self.isRejectionReport = isRejectionReport
  }
}

/// Consecutive records of one epoch.
package struct RecordRun: Equatable, Sendable {
  /// The place of the first.
  package var first: RecordPosition
  package var records: [DeliveryRecord]

  package init(first: RecordPosition, records: [DeliveryRecord]) {
    self.first = first
    self.records = records
  }

  /// The last record's sequence; meaningless for an empty run.
  package var lastSequence: UInt64 { first.sequence + UInt64(records.count) - 1 }
}

/// A sealed checkpoint as it is sent.
package struct CheckpointNote: Equatable, Sendable {
  package var position: RecordPosition
  /// C2SP signed note.
  package var note: String

  package init(position: RecordPosition, note: String) {
    self.position = position
    self.note = note
  }
}

/// What the hub says when a stream begins.
package struct Welcome: Equatable, Sendable {
  /// Per epoch the last sequence up to which it holds everything.
  package var holdings: [UInt32: UInt64]
  package var windowRecords: UInt32
  package var batchBytesMax: UInt32
  /// Whether the hub can be told that records are lost.
  package var takesLost: Bool
  /// The C2SP verifier key that the hub countersigns with; nil: it does not.
  package var countersigningKey: String?

  package init(
    holdings: [UInt32: UInt64], windowRecords: UInt32, batchBytesMax: UInt32, takesLost: Bool = true,
    countersigningKey: String? = nil
  ) {
    self.takesLost = takesLost
    self.countersigningKey = countersigningKey
    self.holdings = holdings
    self.windowRecords = windowRecords
    self.batchBytesMax = batchBytesMax
  }
}

/// How the hub broke the protocol, or how the journal cannot serve it.
package enum DeliveryViolation: Error, Equatable, Sendable, CustomStringConvertible {
  case messageBeforeWelcome
  case secondWelcome
  case noWindow
  case acknowledgedUnsent(RecordPosition, sent: UInt64)
  case aboutUnsent(RecordPosition)
  case recordsMissing(RecordPosition)
  case epochsClaimed(UInt32, last: UInt32)
  /// No violation: what the hub may not have after all is sent in a stream of its own.
  case unconfirmed(RecordPosition)

  package var description: String {
    switch self {
    case .messageBeforeWelcome: "The hub sent something before its welcome."
    case .secondWelcome: "The hub sent a second welcome in one stream."
    case .noWindow: "The hub allows no record or no byte under way."
    case .acknowledgedUnsent(let position, let sent):
      "The hub acknowledged \(position), but only \(sent) records of that epoch were sent to it."
    case .aboutUnsent(let position): "The hub refused \(position), which was not sent to it."
    case .recordsMissing(let position):
      "The hub asks for \(position), which the journal does not have any more. Run `ptjournal verify` and restore the hub's own backup."
    case .epochsClaimed(let claimed, let last):
      "The hub says that it holds epoch \(claimed), but the journal has only begun epoch \(last)."
    case .unconfirmed(let position):
      "The hub does not confirm that its record \(position) is the journal's. What the cursor does not know of is sent again."
    }
  }
}

/// The state of one agent's delivery, over all of its streams.
package struct Delivery: Sendable {
  /// Records in one batch. 500 is where the journal's read and the hub's transaction both stop getting cheaper per record.
  package static let batchRecordsMax = 500
  /// Epochs of the hub's that a journal which was put back may pass over: each of them stands for a restore or for damage.
  package static let epochsSkippedMax: UInt32 = 1_024
  /// Bytes of payload in one batch, whatever more the hub would take: two batches fit into one HTTP/2 window of 1 MiB.
  package static let batchBytesMax = 512 << 10

  package enum Event: Equatable, Sendable {
    /// How many records of each epoch retention has removed: before `opened`, where it has removed any.
    case based([UInt32: UInt64])
    case opened
    case welcomed(Welcome)
    /// The answer to `read`.
    case read(RecordRun)
    /// The journal's head has moved, or a new epoch begun.
    case grew(RecordPosition)
    case sealed(CheckpointNote)
    case acknowledged(RecordPosition)
    case rejected(RecordPosition, reason: String)
    case conflicted(RecordPosition, heldHash: [UInt8])
    case countersigned(CheckpointNote)
    case closed
  }

  package enum Action: Equatable, Sendable {
    case sendHello(heads: [RecordPosition])
    /// Read records from `first` on, up to both limits but at least one, and tell `read`.
    case read(first: RecordPosition, recordsMax: Int, bytesMax: Int)
    case send(RecordRun)
    /// Tell that these records of the epoch are lost.
    case sendLost(epoch: UInt32, ClosedRange<UInt64>)
    case sendCheckpoint(CheckpointNote)
    /// The hub has everything up to and with this. Only forward, also when a hub was put back: it is then sent again what it lost.
    case moveCursor(RecordPosition)
    case journalRejection(RecordPosition, reason: String)
    /// The hub refused a record that only told of another rejection, or a checkpoint: for the log.
    case reportRejection(RecordPosition, reason: String)
    case reportConflict(RecordPosition, heldHash: [UInt8])
    /// The hub holds exactly what this checkpoint seals: keep its signature, made with this verifier key.
    case keepCountersignature(CheckpointNote, key: String)
    /// The journal's last epoch was put back to an earlier state: begin an epoch of a higher number than `beyond` and tell its head with
    /// `grew`.
    case beginEpoch(reason: String, beyond: UInt32)
    case endStream(DeliveryViolation)
  }

  private enum Phase: Equatable {
    case disconnected, awaitingWelcome, streaming
  }

  private var phase = Phase.disconnected
  /// Head per epoch of the journal, as far as this hub can be brought.
  private var heads: [UInt32: UInt64]
  /// What damage took per epoch, ascending.
  private let lost: [UInt32: [ClosedRange<UInt64>]]
  /// What retention removed per epoch: the first so many. The hub had them, or none would have been removed.
  private var bases: [UInt32: UInt64] = [:]
  /// What the hub has per epoch, as far as it said so in this stream.
  private var held: [UInt32: UInt64] = [:]
  /// What the welcome said, where the hub holds other records than the journal.
  private var claimed: [UInt32: UInt64] = [:]
  /// What the welcome said, where the cursor does not know of it and the hub has not yet confirmed the last record.
  private var unproven: [UInt32: UInt64] = [:]
  /// Epochs of which the hub may hold other records behind the cursor.
  private var doubtful: Set<UInt32> = []
  /// The epoch behind which a new one was asked for in this stream.
  private var epochAskedAfter: UInt32?
  /// The last sequence sent per epoch in this stream.
  private var sent: [UInt32: UInt64] = [:]
  /// What is to be read next.
  private var next: RecordPosition
  private var isReading = false
  private var window: UInt64 = 0
  private var batchBytes = 0
  private var takesLost = true
  private var countersigningKey: String?
  /// The newest checkpoint of each epoch of which one is to be sent, and up to which size one was sent in this stream.
  private var checkpoints: [UInt32: CheckpointNote] = [:]
  private var sentCheckpoints: [UInt32: UInt64] = [:]
  private var rejectionsTold: Set<RecordPosition> = []
  private var rejectionReports: Set<RecordPosition> = []
  /// Where the cursor was last told to be.
  package private(set) var cursor: RecordPosition?

  /// - Parameters:
  ///   - heads: every epoch of the journal with its head.
  ///   - lost: what damage took per epoch, ascending, below the heads.
  ///   - cursor: the journal's own memory of what the hub has; used only where the hub's cannot be.
  package init(
    heads: [RecordPosition], lost: [UInt32: [ClosedRange<UInt64>]] = [:], cursor: RecordPosition?,
    checkpoint: CheckpointNote? = nil
  ) {
    self.lost = lost.filter { !$0.value.isEmpty }
    self.heads = Dictionary(heads.map { ($0.epoch, $0.sequence) }, uniquingKeysWith: { max($0, $1) })
    self.cursor = cursor
    if let checkpoint { checkpoints[checkpoint.position.epoch] = checkpoint }
    next = RecordPosition(epoch: 0, sequence: 1)
  }

  /// Records under way: sent and not acknowledged.
  package var inFlight: UInt64 {
    sent.reduce(0) { sum, entry in sum + (entry.value - min(entry.value, held[entry.key] ?? 0)) }
  }

  /// Records that the hub does not have, over all epochs; nil before the hub said what it has.
  package var lag: UInt64? {
    guard phase == .streaming else { return nil }
    return heads.keys.reduce(0) { sum, epoch in sum + (reach(epoch) - min(reach(epoch), held[epoch] ?? 0)) }
  }

  package mutating func received(_ event: Event) -> [Action] {
    switch event {
    case .based(let bases):
      self.bases = bases
      return []
    case .opened: return open()
    case .closed:
      close()
      return []
    case .welcomed(let welcome): return begin(welcome)
    case .grew(let head):
      heads[head.epoch] = max(heads[head.epoch] ?? 0, head.sequence)
      return proceed()
    case .sealed(let note):
      if note.position >= checkpoints[note.position.epoch]?.position ?? note.position {
        checkpoints[note.position.epoch] = note
      }
      return proceed()
    case .read(let run): return send(run)
    case .acknowledged(let position): return acknowledge(position)
    case .rejected(let position, let reason): return reject(position, reason)
    case .conflicted(let position, let heldHash):
      return conflict(position, heldHash)
    case .countersigned(let note):
      guard phase == .streaming else { return end(.messageBeforeWelcome) }
      // Without a key there is nothing that it could be checked with.
      guard let countersigningKey else { return [] }
      return [.keepCountersignature(note, key: countersigningKey)]
    }
  }
}

// MARK: a stream's life

extension Delivery {
  private mutating func open() -> [Action] {
    close()
    phase = .awaitingWelcome
    return [.sendHello(heads: epochs.map { RecordPosition(epoch: $0, sequence: heads[$0] ?? 0) })]
  }

  /// Forgets what belongs to one stream.
  private mutating func close() {
    phase = .disconnected
    held = [:]
    claimed = [:]
    unproven = [:]
    epochAskedAfter = nil
    sent = [:]
    isReading = false
    sentCheckpoints = [:]
    rejectionReports = []
  }

  private mutating func end(_ violation: DeliveryViolation) -> [Action] {
    close()
    return [.endStream(violation)]
  }

  private mutating func begin(_ welcome: Welcome) -> [Action] {
    guard phase != .streaming else { return end(.secondWelcome) }
    guard phase == .awaitingWelcome else { return [] }
    guard welcome.windowRecords > 0, welcome.batchBytesMax > 0 else { return end(.noWindow) }
    phase = .streaming
    window = UInt64(welcome.windowRecords)
    batchBytes = min(Int(welcome.batchBytesMax), Self.batchBytesMax)
    held = welcome.holdings
    takesLost = welcome.takesLost
    countersigningKey = welcome.countersigningKey
    let last = epochs.last ?? 1
    let hubLast = held.filter { $0.value > 0 }.keys.max() ?? 0
    guard hubLast <= last || hubLast - last <= Self.epochsSkippedMax else {
      return end(.epochsClaimed(hubLast, last: last))
    }
    for epoch in epochs { compare(epoch) }
    var actions: [Action] = []
    if let reason = reasonForEpoch(after: last, hubLast) { actions += beginEpoch(reason) }
    next = firstToSend()
    return actions + moveCursor() + proceed()
  }

  /// Finds out whether the hub's records of an epoch are the journal's, or what must be sent to know.
  private mutating func compare(_ epoch: UInt32) {
    guard let hubHead = held[epoch], hubHead > 0 else { return }
    let (head, known) = (reach(epoch), restoredCursor(epoch))
    if lost[epoch] != nil {
      // No surprise: the hub has what damage took here.
      held[epoch] = min(hubHead, head)
    } else if hubHead > head || hubHead > known && doubtful.contains(epoch) {
      claimed[epoch] = hubHead
      held[epoch] = min(known, head)
    } else if hubHead > known, hubHead > bases[epoch] ?? 0 {
      unproven[epoch] = hubHead
    }
  }

  /// Why the last epoch must not be appended to any more; nil when it may, as far as the hub's welcome tells.
  private func reasonForEpoch(after last: UInt32, _ hubLast: UInt32) -> String? {
    if hubLast > last { return "the hub holds records of epoch \(hubLast), the journal ends with epoch \(last)" }
    guard let hubHead = claimed[last], case let head = reach(last), hubHead > head else { return nil }
    return "the hub holds \(hubHead) records of epoch \(last), the journal only \(head)"
  }

  private var epochs: [UInt32] { heads.keys.sorted() }

  /// The first record of an epoch to send: the one after what the hub holds, or the last of those where it must be confirmed.
  private func firstSequence(_ epoch: UInt32) -> UInt64 { unproven[epoch] ?? (held[epoch] ?? 0) + 1 }

  /// The first record that the hub does not have.
  private func firstToSend() -> RecordPosition {
    for epoch in epochs {
      let first = firstSequence(epoch)
      if first <= reach(epoch) { return RecordPosition(epoch: epoch, sequence: first) }
    }
    let last = epochs.last ?? 1
    return RecordPosition(epoch: last, sequence: max(held[last] ?? 0, reach(last)) + 1)
  }

  /// How far an epoch can be sent: to its head, or to a hub that does not know of losses, to the first of them.
  private func reach(_ epoch: UInt32) -> UInt64 {
    let head = heads[epoch] ?? 0
    guard !takesLost else { return head }
    if let base = bases[epoch], held[epoch] ?? 0 < base { return min(head, held[epoch] ?? 0) }
    guard let first = lost[epoch]?.first else { return head }
    return min(head, max(first.lowerBound - 1, bases[epoch] ?? 0))
  }

  /// Up to where the journal remembers that this epoch was acknowledged: what it was restored with.
  private func restoredCursor(_ epoch: UInt32) -> UInt64 {
    guard let cursor, cursor.epoch >= epoch else { return 0 }
    return cursor.epoch == epoch ? cursor.sequence : .max
  }
}

// MARK: sending

extension Delivery {
  /// Whatever can be done now.
  private mutating func proceed() -> [Action] {
    guard phase == .streaming else { return [] }
    return sealedBySent() + readNext()
  }

  private mutating func readNext() -> [Action] {
    guard !isReading else { return [] }
    var losses: [Action] = []
    while skipToUnsent(), let range = gap(at: next) {
      losses.append(.sendLost(epoch: next.epoch, next.sequence...range.upperBound))
      sent[next.epoch] = max(sent[next.epoch] ?? 0, range.upperBound)
      next.sequence = range.upperBound + 1
    }
    return losses + readRecords()
  }

  /// The records from this one on that are not there any more. A hub that had them and asks for them has lost them: they are lost.
  private func gap(at place: RecordPosition) -> ClosedRange<UInt64>? {
    if let base = bases[place.epoch], place.sequence <= base { return place.sequence...base }
    return lost[place.epoch]?.first { $0.contains(place.sequence) }
  }

  private mutating func readRecords() -> [Action] {
    let remaining = recordsToSend
    guard remaining > 0 else { return [] }
    let underWay = inFlight
    // The hub's acknowledgements of such an epoch say what it had before; only one batch at a time can be told apart.
    guard claimed[next.epoch] == nil || underWay == 0 else { return [] }
    let room = window > underWay ? window - underWay : 0
    let wanted = min(remaining, UInt64(Self.batchRecordsMax))
    // Half a window or a whole batch: else a hub that acknowledges singly would be sent single records.
    guard room > 0, room >= min(wanted, max(window / 2, 1)) else { return [] }
    isReading = true
    return [.read(first: next, recordsMax: Int(min(wanted, room)), bytesMax: batchBytes)]
  }

  /// How many records may follow what was sent of this epoch. What lies behind a record of the hub's that may be another's waits until the
  /// hub has answered for it: else the hub would go on with the journal's own, and look as if it never held another's.
  private var recordsToSend: UInt64 {
    guard next.sequence <= reach(next.epoch) else { return 0 }
    let remaining = reach(next.epoch) - next.sequence + 1
    if let unproven = unproven[next.epoch] { return next.sequence <= unproven ? 1 : 0 }
    guard let claimed = claimed[next.epoch], next.sequence <= claimed else { return remaining }
    return min(remaining, claimed - next.sequence + 1)
  }

  /// Moves on to the next epoch where one is done; false if everything was sent.
  private mutating func skipToUnsent() -> Bool {
    while next.sequence > reach(next.epoch) {
      guard let following = epochs.first(where: { $0 > next.epoch }) else { return false }
      next = RecordPosition(epoch: following, sequence: firstSequence(following))
    }
    return true
  }

  private mutating func send(_ run: RecordRun) -> [Action] {
    guard phase == .streaming, isReading else { return [] }
    isReading = false
    guard run.first == next, !run.records.isEmpty else { return end(.recordsMissing(next)) }
    sent[next.epoch] = max(sent[next.epoch] ?? 0, run.lastSequence)
    for (offset, record) in run.records.enumerated() where record.isRejectionReport {
      rejectionReports.insert(RecordPosition(epoch: next.epoch, sequence: next.sequence + UInt64(offset)))
    }
    next.sequence = run.lastSequence + 1
    return [.send(run)] + proceed()
  }

  /// The newest checkpoint of each epoch, once all that it seals is on its way.
  private mutating func sealedBySent() -> [Action] {
    var actions: [Action] = []
    for (epoch, checkpoint) in checkpoints.sorted(by: { $0.key < $1.key }) {
      let size = checkpoint.position.sequence
      // Of records that the hub has yet to confirm, it may hold others, with another root.
      guard unproven[epoch] == nil, size > sentCheckpoints[epoch] ?? 0, max(sent[epoch] ?? 0, held[epoch] ?? 0) >= size
      else { continue }
      sentCheckpoints[epoch] = size
      actions.append(.sendCheckpoint(checkpoint))
    }
    return actions
  }
}

// MARK: what the hub answers

extension Delivery {
  private mutating func acknowledge(_ position: RecordPosition) -> [Action] {
    guard phase == .streaming else { return end(.messageBeforeWelcome) }
    let sentTo = max(sent[position.epoch] ?? 0, held[position.epoch] ?? 0)
    guard position.sequence <= max(sentTo, claimed[position.epoch] ?? 0) else {
      return end(.acknowledgedUnsent(position, sent: sentTo))
    }
    let sequence = min(position.sequence, sentTo)
    // Conflicts are told before the acknowledgement: what is acknowledged without one is the same record.
    let isProof = unproven[position.epoch].map { $0 <= min(sequence, sent[position.epoch] ?? 0) } ?? false
    if isProof { unproven[position.epoch] = nil }
    // An earlier number than before is an acknowledgement that was overtaken.
    guard isProof || sequence > held[position.epoch] ?? 0 else { return [] }
    held[position.epoch] = max(sequence, held[position.epoch] ?? 0)
    let isDealtWith = { (place: RecordPosition) in place.epoch == position.epoch && place.sequence <= sequence }
    rejectionsTold = rejectionsTold.filter { !isDealtWith($0) }
    rejectionReports = rejectionReports.filter { !isDealtWith($0) }
    return moveCursor() + proceed()
  }

  private mutating func reject(_ position: RecordPosition, _ reason: String) -> [Action] {
    // Refused without having been sent as a record in this stream: the checkpoint there, whose root is not that of the hub's records.
    let isCheckpoint = phase == .streaming && position.sequence > sent[position.epoch] ?? 0
    if isCheckpoint, position.sequence == sentCheckpoints[position.epoch] {
      return [.reportRejection(position, reason: reason)]
    }
    if let violation = violation(about: position) { return end(violation) }
    // The hub refuses such a record whatever it holds in its place.
    if unproven[position.epoch] == position.sequence { return doubt(position) }
    if rejectionReports.contains(position) { return [.reportRejection(position, reason: reason)] }
    guard rejectionsTold.insert(position).inserted else { return [] }
    return [.journalRejection(position, reason: reason)]
  }

  private mutating func conflict(_ position: RecordPosition, _ heldHash: [UInt8]) -> [Action] {
    if let violation = violation(about: position) { return end(violation) }
    if unproven[position.epoch] == position.sequence { return doubt(position) }
    let report = Action.reportConflict(position, heldHash: heldHash)
    guard position.epoch == epochs.last else { return [report] }
    return [report] + beginEpoch("the hub holds another record under \(position)")
  }

  /// Asks for a new epoch, once in a stream.
  private mutating func beginEpoch(_ reason: String) -> [Action] {
    guard let last = epochs.last, epochAskedAfter != last else { return [] }
    epochAskedAfter = last
    return [.beginEpoch(reason: reason, beyond: max(last, held.filter { $0.value > 0 }.keys.max() ?? 0))]
  }

  /// What the hub holds of the epoch need not be what the journal does: all that the cursor does not know of is sent again, in a stream of
  /// its own, so that no answer is about what was sent before.
  private mutating func doubt(_ position: RecordPosition) -> [Action] {
    doubtful.insert(position.epoch)
    return end(.unconfirmed(position))
  }

  /// A rejection or conflict must be about something that was sent in this stream.
  private func violation(about position: RecordPosition) -> DeliveryViolation? {
    guard phase == .streaming else { return .messageBeforeWelcome }
    let isSent = position.sequence >= 1 && position.sequence <= sent[position.epoch] ?? 0
    return isSent ? nil : .aboutUnsent(position)
  }

  /// The cursor stands where everything before it is held.
  private mutating func moveCursor() -> [Action] {
    var place: RecordPosition?
    for epoch in epochs {
      let head = reach(epoch)
      let proven = unproven[epoch] == nil ? held[epoch] ?? 0 : restoredCursor(epoch)
      let has = min(proven, head)
      if place == nil || has > 0 || head > 0 { place = RecordPosition(epoch: epoch, sequence: has) }
      if has < head { break }
    }
    guard let place, place.sequence > 0, place > cursor ?? .start else { return [] }
    cursor = place
    return [.moveCursor(place)]
  }
}
