// The journal: append-only, durable, evident. The only thing in the system that writes records.
//
// Promises
//   * When `append` returns, the records are on the disk: their commit was synced. If it throws, none of its records is
//     recorded (one exception: see `JournalError`).
//   * One call's records stand together and in order; each has the next sequence of its epoch, without a gap.
//   * Records, the Merkle tree, the fold's rows and the head move in one transaction: a reader always sees them agree.
//   * No record is rewritten.
//
// One writer a journal (a second one is refused), any number of readers in any process (`JournalReader`).
//
//   append ---> RequestQueue ---> WriterThread ---> Committer ---> LMDB
//   append ---/                   one commit for everything queued
//
// `appendBlocking` commits on its caller's thread when nothing is queued and nobody commits.

package import Evidence

package final class Journal: Sendable {
  package let identity: JournalIdentity
  /// Reads this journal, also while it is written.
  package let reader: JournalReader
  /// What was found damaged at this opening, and dealt with; nil when there was nothing.
  package let damage: JournalDamage?
  let writer: WriterThread

  /// Opens the journal, making it when there is none, and brings the fold to its head; that takes long only when the fold's
  /// version changed. Blocks its thread on the disk.
  /// - Throws: with nothing left open. See `JournalOpening` for what is decided when.
  package static func open(
    _ configuration: JournalConfiguration, fold: (any JournalFold)? = nil
  ) throws(JournalError) -> Journal {
    try asJournalError {
      let opening = try JournalOpening(configuration)
      let writer = try WriterThread.start(configuration.clock) { try Committer(opening, configuration, fold: fold) }
      return Journal(
        identity: opening.identity, reader: JournalReader(opening.store, opening.identity), damage: opening.damage,
        writer: writer)
    }
  }

  private init(identity: JournalIdentity, reader: JournalReader, damage: JournalDamage?, writer: WriterThread) {
    self.identity = identity
    self.damage = damage
    self.reader = reader
    self.writer = writer
  }

  deinit { writer.stopBlocking() }

  /// Appends the payloads, together and in order. Joins other callers' appends in one commit.
  /// - Returns: their positions, when they are durable.
  /// - Throws: with nothing recorded, and the journal usable again once the cause is gone.
  @discardableResult
  package func append(_ payloads: [[UInt8]]) async throws(JournalError) -> [RecordPosition] {
    try check(payloads)
    return try await perform(writer.prepare(payloads))
  }

  /// As `append`, blocking the thread. Not for code that runs on Swift's cooperative pool.
  @discardableResult
  package func appendBlocking(_ payloads: [[UInt8]]) throws(JournalError) -> [RecordPosition] {
    try check(payloads)
    if let outcome = writer.performHere(.append(payloads)) { return try outcome.get() }
    let outcome = Handover<WriteOutcome>()
    switch writer.queue.submitBlocking(WriteRequest(writer.prepare(payloads)) { outcome.give($0) }) {
    case .queued: return try outcome.wait().get()
    case .closed, .full: throw .closed
    }
  }

  /// Ends the epoch with a checkpoint and begins the next, whose sequence starts at 1, in one commit.
  /// - Parameters:
  ///   - reason: why, for people: 1 to 1,024 bytes.
  ///   - payloads: the first records of the new epoch; they may exceed the size limit, so few and short.
  /// - Returns: the new epoch's number.
  @discardableResult
  package func openEpoch(reason: String, with payloads: [[UInt8]] = []) async throws(JournalError) -> UInt32 {
    guard (1...JournalLimits.reasonBytesMax).contains(reason.utf8.count) else {
      throw .reasonRefused(bytes: reason.utf8.count)
    }
    try check(payloads)
    guard let start = try await perform(.openEpoch(reason: reason, payloads)).first else {
      preconditionFailure("an opened epoch has a start")
    }
    return start.epoch
  }

  /// Where the cursor stands; nil when it was never moved.
  package func cursor(_ name: String) throws(JournalError) -> RecordPosition? { try reader.cursor(name) }

  /// Moves a cursor forward to `position`, durably; to where it stands already, does nothing.
  /// - Throws: `cursorBackwards`, or `cursorBeyondHead` when no record stands there, with the cursor where it was.
  package func moveCursor(_ name: String, to position: RecordPosition) async throws(JournalError) {
    guard (1...JournalLimits.cursorNameBytesMax).contains(name.utf8.count) else { throw .cursorNameRefused(name) }
    _ = try await perform(.moveCursor(name, position))
  }

  /// Signs a checkpoint of the tree as it is now, unless the last one says the same.
  package func checkpoint() async throws(JournalError) { _ = try await perform(.checkpoint) }

  /// Adds another party's signature to a stored checkpoint.
  /// - Parameters:
  ///   - note: the same checkpoint, signed by that party.
  ///   - key: the party's key, by which its signature is verified first.
  /// - Throws: `countersignatureRefused`, with the stored checkpoint as it was.
  package func storeCountersignature(_ note: SignedNote, by key: VerifierKey) async throws(JournalError) {
    _ = try await perform(.countersign(note, key))
  }

  /// Removes the records up to a checkpoint for good, a bounded number a commit, so that appends go on in between. What they gave
  /// is kept: the tree over them and the fold's rows as they were there, from which verification and replay begin.
  /// - Parameters:
  ///   - position: the checkpoint's. Its signature by `key` must be stored.
  ///   - key: of whoever holds a copy of exactly these records.
  ///   - cursor: the name of the cursor that says how far that copy's holder has acknowledged them.
  /// - Throws: `pruneRefused` where nobody vouches for records: those before them may be gone. Cancelled in between, it may be called again.
  package func prune(
    through position: RecordPosition, countersignedBy key: VerifierKey, acknowledgedBy cursor: String
  ) async throws(JournalError) {
    let pruning = Pruning(through: position, countersigner: key, cursor: cursor)
    while let removed = try await perform(.prune(pruning)).first, removed < position {}
  }

  /// How the writer moves, for whoever watches it; takes no transaction and waits for nothing.
  package var progress: WriterProgress { writer.queue.progress }

  /// Commits what is queued, signs a last checkpoint and lets go of the directory. Whatever is called later throws `closed`.
  /// The reader goes on reading.
  package func close() async { await writer.stop() }

  private func perform(_ work: WriteRequest.Work) async throws(JournalError) -> [RecordPosition] {
    while true {
      if Task.isCancelled { throw .cancelled }
      let answer: Answer = await withCheckedContinuation { continuation in
        let request = WriteRequest(work) { continuation.resume(returning: .done($0)) }
        switch writer.queue.submit(request) {
        case .queued: break
        case .full: continuation.resume(returning: .heldBack)
        case .closed: continuation.resume(returning: .done(.failure(.closed)))
        }
      }
      switch answer {
      case .done(let outcome): return try outcome.get()
      case .heldBack: await writer.queue.waitForRoom()
      }
    }
  }

  private enum Answer { case done(WriteOutcome), heldBack }

  private func check(_ payloads: [[UInt8]]) throws(JournalError) {
    var bytes = 0
    for payload in payloads {
      guard payload.count <= JournalLimits.payloadBytesMax else { throw .payloadTooLarge(bytes: payload.count) }
      bytes += payload.count
    }
    guard payloads.count <= JournalLimits.appendRecordsMax, bytes <= JournalLimits.appendBytesMax else {
      throw .appendTooLarge(records: payloads.count, bytes: bytes)
    }
  }
}

/// How a journal's writer moves: times by a clock that stands still while the machine sleeps.
package struct WriterProgress: Equatable, Sendable {
  /// Requests that wait for the next commit.
  package var waiting: Int
  /// For how long there has been something to commit, and no commit was done; nil: there is nothing.
  package var busyFor: Duration?
  /// Since the last commit was done; nil: there was none yet.
  package var sinceCommit: Duration?

  package init(waiting: Int = 0, busyFor: Duration? = nil, sinceCommit: Duration? = nil) {
    (self.waiting, self.busyFor, self.sinceCommit) = (waiting, busyFor, sinceCommit)
  }
}
