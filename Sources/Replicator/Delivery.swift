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
// What the hub holds need not be the journal's own: `Holdings` finds that out.

package import Evidence

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
  /// What the hub has, as far as it said so in this stream.
  private var held = Holdings()
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
    sent.reduce(0) { sum, entry in sum + (entry.value - min(entry.value, held[entry.key])) }
  }

  /// Records that the hub does not have, over all epochs; nil before the hub said what it has.
  package var lag: UInt64? {
    guard phase == .streaming else { return nil }
    return heads.keys.reduce(0) { sum, epoch in sum + (reach(epoch) - min(reach(epoch), held[epoch])) }
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
    held.forget()
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
    held.begin(welcome.holdings)
    takesLost = welcome.takesLost
    countersigningKey = welcome.countersigningKey
    let last = epochs.last ?? 1
    guard held.lastEpoch <= last || held.lastEpoch - last <= Self.epochsSkippedMax else {
      return end(.epochsClaimed(held.lastEpoch, last: last))
    }
    for epoch in epochs {
      held.compare(
        epoch, head: reach(epoch), known: restoredCursor(epoch), base: bases[epoch] ?? 0, isDamaged: lost[epoch] != nil)
    }
    var actions: [Action] = []
    if let reason = held.reasonForEpoch(after: last, head: reach(last)) { actions += beginEpoch(reason) }
    next = firstToSend()
    return actions + moveCursor() + proceed()
  }

  private var epochs: [UInt32] { heads.keys.sorted() }

  /// The first record that the hub does not have.
  private func firstToSend() -> RecordPosition {
    for epoch in epochs {
      let first = held.firstToSend(epoch)
      if first <= reach(epoch) { return RecordPosition(epoch: epoch, sequence: first) }
    }
    let last = epochs.last ?? 1
    return RecordPosition(epoch: last, sequence: max(held[last], reach(last)) + 1)
  }

  /// How far an epoch can be sent: to its head, or to a hub that does not know of losses, to the first of them.
  private func reach(_ epoch: UInt32) -> UInt64 {
    let head = heads[epoch] ?? 0
    guard !takesLost else { return head }
    if let base = bases[epoch], held[epoch] < base { return min(head, held[epoch]) }
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
    guard !held.isOthers(next.epoch) || underWay == 0 else { return [] }
    let room = window > underWay ? window - underWay : 0
    let wanted = min(remaining, UInt64(Self.batchRecordsMax))
    // Half a window or a whole batch: else a hub that acknowledges singly would be sent single records.
    guard room > 0, room >= min(wanted, max(window / 2, 1)) else { return [] }
    isReading = true
    return [.read(first: next, recordsMax: Int(min(wanted, room)), bytesMax: batchBytes)]
  }

  /// How many records may follow what was sent of this epoch.
  private var recordsToSend: UInt64 {
    let reach = reach(next.epoch)
    return next.sequence <= reach ? held.sendable(reach - next.sequence + 1, from: next) : 0
  }

  /// Moves on to the next epoch where one is done; false if everything was sent.
  private mutating func skipToUnsent() -> Bool {
    while next.sequence > reach(next.epoch) {
      guard let following = epochs.first(where: { $0 > next.epoch }) else { return false }
      next = RecordPosition(epoch: following, sequence: held.firstToSend(following))
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
      guard held.isConfirmed(epoch), size > sentCheckpoints[epoch] ?? 0, max(sent[epoch] ?? 0, held[epoch]) >= size
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
    let sent = sent[position.epoch] ?? 0
    let sentTo = max(sent, held[position.epoch])
    guard position.sequence <= max(sentTo, held.claimed(position.epoch)) else {
      return end(.acknowledgedUnsent(position, sent: sentTo))
    }
    let sequence = min(position.sequence, sentTo)
    guard held.acknowledged(position.epoch, upTo: sequence, sent: sent) else { return [] }
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
    if held.isToConfirm(position) { return doubt(position) }
    if rejectionReports.contains(position) { return [.reportRejection(position, reason: reason)] }
    guard rejectionsTold.insert(position).inserted else { return [] }
    return [.journalRejection(position, reason: reason)]
  }

  private mutating func conflict(_ position: RecordPosition, _ heldHash: [UInt8]) -> [Action] {
    if let violation = violation(about: position) { return end(violation) }
    if held.isToConfirm(position) { return doubt(position) }
    let report = Action.reportConflict(position, heldHash: heldHash)
    guard position.epoch == epochs.last else { return [report] }
    return [report] + beginEpoch("the hub holds another record under \(position)")
  }

  /// Asks for a new epoch, once in a stream.
  private mutating func beginEpoch(_ reason: String) -> [Action] {
    guard let last = epochs.last, let beyond = held.askForEpoch(after: last) else { return [] }
    return [.beginEpoch(reason: reason, beyond: beyond)]
  }

  private mutating func doubt(_ position: RecordPosition) -> [Action] {
    held.doubt(position.epoch)
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
      let has = min(held.isConfirmed(epoch) ? held[epoch] : restoredCursor(epoch), head)
      if place == nil || has > 0 || head > 0 { place = RecordPosition(epoch: epoch, sequence: has) }
      if has < head { break }
    }
    guard let place, place.sequence > 0, place > cursor ?? .start else { return [] }
    cursor = place
    return [.moveCursor(place)]
  }
}
