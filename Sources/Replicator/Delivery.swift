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
//   * A rejection becomes one event in the journal; a rejection of such an event becomes none, or the two sides would go on for ever. So do
//     conflicts, those of consecutive records one together. Answers that a cut took are in the next welcome.
//
// What the hub holds need not be the journal's own: `Holdings` finds that out. What goes ahead of its turn is for `FastLane` to say; it changes
// nothing of the above.
//
// In normal mode a stream is a check-in: the same events and actions; it is over when nothing is unanswered.

package import Evidence

/// The state of one agent's delivery, over all of its streams.
package struct Delivery: Sendable {
  /// Epochs of the hub's that a journal which was put back may pass over: each of them stands for a restore or for damage.
  package static let epochsSkippedMax: UInt32 = 1_024
  /// Records under way, whatever more the hub would take: the answers to them fit into the inbox twice.
  package static let windowRecordsMax: UInt32 = 32_768

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
    /// New records that should not wait behind a backlog, ascending.
    case urgent([ExpressRecord])
    /// The hub's answers to `sendExpress`.
    case expressAnswered([ExpressAnswer])
    /// There is no answer to it, and `sendExpress` may be tried again.
    case expressFailed
    case closed
  }

  package enum Action: Equatable, Sendable {
    /// - acknowledged: what of this the hub told is known here: it repeats what it said of later records.
    case sendHello(heads: [RecordPosition], acknowledged: RecordPosition?)
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
    /// The hub holds other records under these: the hash is that of the first.
    case journalConflict(epoch: UInt32, ClosedRange<UInt64>, heldHash: [UInt8])
    /// Send these ahead of their turn, in a call of their own, and tell `expressAnswered` or `expressFailed`.
    case sendExpress([ExpressRecord])
    /// The hub did not take a record ahead of its turn: for the log.
    case reportExpressRefused(RecordPosition, reason: String)
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
  /// Bytes of payload in one batch that the hub takes.
  private var batchBytesMax = 0
  /// What this link carried before.
  private var batch = BatchSize()
  private var takesLost = true
  private var countersigningKey: String?
  /// The newest checkpoint of each epoch of which one is to be sent, and up to which size one was sent in this stream.
  private var checkpoints: [UInt32: CheckpointNote] = [:]
  private var sentCheckpoints: [UInt32: UInt64] = [:]
  private var rejectionsTold: Set<RecordPosition> = []
  private var rejectionReports: Set<RecordPosition> = []
  private var conflictsTold: Set<RecordPosition> = []
  /// Consecutive conflicts of which the last may not have been told yet.
  private var conflictRun: ConflictRun?
  /// What the welcome said of records that the cursor does not know of, until it is known whether those are the journal's.
  private var retold: [Welcome.Trouble] = []
  private var lane = FastLane()
  private let expressBehind: UInt64
  private var takesExpress = false
  /// Records that the hub acknowledged, over all streams, those that it acknowledged again among them.
  package private(set) var acknowledgedCount: UInt64 = 0
  /// Where the cursor was last told to be.
  package private(set) var cursor: RecordPosition?

  /// - Parameters:
  ///   - heads: every epoch of the journal with its head.
  ///   - lost: what damage took per epoch, ascending, below the heads.
  ///   - expressBehind: so many records further on, a record comes soon enough by itself.
  ///   - cursor: the journal's own memory of what the hub has; used only where the hub's cannot be.
  package init(
    heads: [RecordPosition], lost: [UInt32: [ClosedRange<UInt64>]] = [:], cursor: RecordPosition?,
    checkpoint: CheckpointNote? = nil, expressBehind: UInt64 = FastLane.behindMin
  ) {
    self.expressBehind = expressBehind
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

  /// Records that cannot be sent to this hub, because those before them are lost and it does not know of losses.
  package var withheld: UInt64 {
    guard phase == .streaming else { return 0 }
    return heads.reduce(0) { sum, entry in sum + (entry.value - min(entry.value, reach(entry.key))) }
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
    case .urgent(let records):
      lane.add(records)
      return proceed()
    case .expressAnswered(let answers): return express(answers)
    case .expressFailed:
      lane.failed()
      return proceed()
    }
  }
}

// MARK: a stream's life

extension Delivery {
  private mutating func open() -> [Action] {
    close()
    phase = .awaitingWelcome
    let ends = epochs.map { RecordPosition(epoch: $0, sequence: heads[$0] ?? 0) }
    return [.sendHello(heads: ends, acknowledged: cursor)]
  }

  /// Forgets what belongs to one stream.
  private mutating func close() {
    if phase == .streaming, inFlight > 0 || lane.isUnderWay { batch.broke() }
    phase = .disconnected
    held.forget()
    sent = [:]
    isReading = false
    sentCheckpoints = [:]
    rejectionReports = []
    retold = []
    conflictRun = nil
    lane.closed()
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
    window = UInt64(min(welcome.windowRecords, Self.windowRecordsMax))
    batchBytesMax = Int(welcome.batchBytesMax)
    held.begin(welcome.holdings)
    takesLost = welcome.takesLost
    takesExpress = welcome.takesExpress
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
    retold = welcome.troubles.filter { isOwn($0.position) }
    let moved = moveCursor()
    // What the last stream sent may have arrived, and its acknowledgement not.
    if !moved.isEmpty { batch.arrived() }
    return actions + retell() + moved + proceed()
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
    return sendExpress() + sealedBySent() + readNext()
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
    let wanted = min(remaining, UInt64(batch.records))
    // Half a window or a whole batch: else a hub that acknowledges singly would be sent single records.
    guard room > 0, room >= min(wanted, max(window / 2, 1)) else { return [] }
    isReading = true
    return [.read(first: next, recordsMax: Int(min(wanted, room)), bytesMax: min(batchBytesMax, batch.bytes))]
  }

  /// How many records may follow what was sent of this epoch.
  private var recordsToSend: UInt64 {
    let reach = reach(next.epoch)
    return next.sequence <= reach ? held.sendable(reach - next.sequence + 1, from: next) : 0
  }

  /// Moves to the first epoch of which something is unsent; false if everything was sent. An epoch may grow after a later one began: what was
  /// appended just before is told just after.
  private mutating func skipToUnsent() -> Bool {
    for epoch in epochs {
      let first =
        epoch == next.epoch ? next.sequence : max(held.firstToSend(epoch), (sent[epoch] ?? 0) + 1)
      guard first <= reach(epoch) else { continue }
      next = RecordPosition(epoch: epoch, sequence: first)
      return true
    }
    return false
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
    let before = held[position.epoch]
    guard held.acknowledged(position.epoch, upTo: sequence, sent: sent) else { return [] }
    acknowledgedCount += held[position.epoch] - before
    batch.arrived()
    let isDealtWith = { (place: RecordPosition) in place.epoch == position.epoch && place.sequence <= sequence }
    rejectionsTold = rejectionsTold.filter { !isDealtWith($0) }
    rejectionReports = rejectionReports.filter { !isDealtWith($0) }
    conflictsTold = conflictsTold.filter { !isDealtWith($0) }
    return retell() + endConflictRun() + moveCursor() + proceed()
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
    return tellConflict(position, heldHash)
  }

  private mutating func tellConflict(_ position: RecordPosition, _ heldHash: [UInt8]) -> [Action] {
    guard conflictsTold.insert(position).inserted else { return [] }
    var actions = [Action.reportConflict(position, heldHash: heldHash)]
    if conflictRun?.extend(to: position) != true {
      actions += endConflictRun()
      conflictRun = ConflictRun(position, heldHash)
    }
    guard position.epoch == epochs.last else { return actions }
    return actions + beginEpoch("the hub holds another record under \(position)")
  }

  private mutating func endConflictRun() -> [Action] {
    guard let run = conflictRun else { return [] }
    conflictRun = nil
    return [.journalConflict(epoch: run.epoch, run.range, heldHash: run.heldHash)]
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
    return isSent || lane.hasSent(position) ? nil : .aboutUnsent(position)
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

// MARK: what the hub said before

extension Delivery {
  /// Whether what an earlier stream's hub said of a record can be about the journal's own.
  private func isOwn(_ position: RecordPosition) -> Bool {
    position > cursor ?? .start && heads[position.epoch] != nil && position.sequence <= reach(position.epoch)
      && !held.isOthers(position.epoch)
  }

  /// Tells what the welcome repeated, as soon as the hub's records are known to be the journal's. Where they are not, the journal's are sent
  /// again, and answered for themselves.
  private mutating func retell() -> [Action] {
    guard !retold.isEmpty else { return [] }
    let known = retold.filter { held.isConfirmed($0.position.epoch) }
    retold.removeAll { held.isConfirmed($0.position.epoch) }
    var actions: [Action] = []
    for trouble in known {
      switch trouble {
      case .rejected(let position, let reason):
        guard rejectionsTold.insert(position).inserted else { continue }
        actions.append(.journalRejection(position, reason: reason))
      case .conflicted(let position, let heldHash): actions += tellConflict(position, heldHash)
      }
    }
    return actions + endConflictRun()
  }
}

// MARK: ahead of their turn

extension Delivery {
  private mutating func sendExpress() -> [Action] {
    guard takesExpress, lane.count > 0 else { return [] }
    // Out of the way of those who ask this struct.
    var lane = FastLane()
    swap(&lane, &self.lane)
    defer { swap(&lane, &self.lane) }
    let call = lane.next(
      bytesMax: batch.bytes,
      isDone: { held[$0.epoch] >= $0.sequence },
      isDue: { recordsAhead(of: $0) > expressBehind && held.isConfirmed($0.epoch) && !held.isOthers($0.epoch) })
    return call.isEmpty ? [] : [.sendExpress(call)]
  }

  /// How many records the hub is to acknowledge before this one.
  private func recordsAhead(of place: RecordPosition) -> UInt64 {
    heads.keys.reduce(0) { sum, epoch in
      guard epoch <= place.epoch else { return sum }
      let end = epoch == place.epoch ? place.sequence - 1 : reach(epoch)
      return sum + (end - min(end, held[epoch]))
    }
  }

  private mutating func express(_ answers: [ExpressAnswer]) -> [Action] {
    guard phase == .streaming else { return end(.messageBeforeWelcome) }
    lane.answered()
    batch.arrived()
    let refused = answers.compactMap { answer in
      answer.refusal.map { Action.reportExpressRefused(answer.position, reason: $0) }
    }
    return refused + endConflictRun() + proceed()
  }
}

/// Consecutive records of one epoch that are in conflict.
private struct ConflictRun: Equatable, Sendable {
  let epoch: UInt32
  private(set) var range: ClosedRange<UInt64>
  let heldHash: [UInt8]

  init(_ position: RecordPosition, _ heldHash: [UInt8]) {
    epoch = position.epoch
    range = position.sequence...position.sequence
    self.heldHash = heldHash
  }

  /// Takes the record in if it is the next one.
  mutating func extend(to position: RecordPosition) -> Bool {
    guard position.epoch == epoch, range.upperBound < .max, position.sequence == range.upperBound + 1 else {
      return false
    }
    range = range.lowerBound...position.sequence
    return true
  }
}
