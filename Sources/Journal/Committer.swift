// What the writer does with one batch of requests: one transaction, all or nothing on the disk.
//
//   begin -> each request in order -> state rows, tree, checkpoint -> commit (data and meta synced) -> tell every caller
//              |                                                        |
//              refused before it wrote: told so, the others go on       failed: every caller told, memory as committed
//
// Nothing in memory moves before the commit returned: the batch works on a copy of the tail. After any failure the tail and
// the fold are read from the disk again before the next batch, because after a failed write of the meta page only the disk
// knows what became of it.
//
// Runs on one thread at a time: in `Journal.open`, then on whichever thread has the turn (see RequestQueue). A transaction is
// begun and ended in one synchronous call, so it never leaves its thread, as LMDB demands.

internal import Evidence
internal import LMDB

final class Committer {
  private let store: JournalStore
  private let identity: JournalIdentity
  private let key: JournalKey
  private let configuration: JournalConfiguration
  private let fold: FoldDriver?
  private let makePruner: (() -> Pruner)?
  /// While records are being removed.
  private var pruner: Pruner?
  /// Held as long as this is.
  private let lock: DirectoryLock
  private let hasher = Hasher()
  private var sealer: EpochSealer
  /// Being signed since the last commit; the next one stores it.
  private var sealing: Sealing?
  private var tail: Tail
  private var policy: CheckpointPolicy
  private var readerCheck: ReaderCheckPolicy
  /// Uptime in nanoseconds.
  private var pagesGivenBack: UInt64
  /// Set by a failure until memory agrees with the disk again.
  private var needsRecovery = false

  init(_ opening: JournalOpening, _ configuration: JournalConfiguration, fold: (any JournalFold)?) throws {
    store = opening.store
    identity = opening.identity
    key = opening.key
    lock = opening.lock
    self.configuration = configuration
    self.fold = fold.map { FoldDriver($0, opening.store, failed: configuration.foldFailed) }
    makePruner = fold.map { fold in
      // What a fold refuses was told when it was appended.
      { Pruner(opening.store, opening.identity, fold: fold.makeEmpty(), failed: { _, _ in }) }
    }
    let transaction = try store.environment.beginRead()
    tail = try store.tail(transaction)
    sealer = try EpochSealer(identity.origin(epoch: tail.epoch), key)
    policy = CheckpointPolicy(
      records: configuration.checkpointRecords, interval: configuration.checkpointInterval.nanoseconds,
      lastSize: try store.lastCheckpoint(transaction, epoch: tail.epoch)?.size ?? 0,
      lastUptime: configuration.clock.uptime())
    readerCheck = ReaderCheckPolicy(
      interval: configuration.readerCheckInterval.nanoseconds, lastUptime: configuration.clock.uptime())
    pagesGivenBack = configuration.clock.uptime()
    transaction.end()
    try self.fold?.catchUp()
  }

  deinit { hasher.stop() }

  /// The last record of the journal.
  var head: RecordPosition { tail.head }

  /// How long until there is something to do without any further request, in nanoseconds: a checkpoint, a look at the readers.
  var nanosecondsUntilDue: UInt64 {
    if sealing != nil { return JournalLimits.sealingWait.nanoseconds }
    let uptime = configuration.clock.uptime()
    let checkpoint = policy.nanosecondsUntilDue(size: tail.frontier.size, uptime: uptime)
    return min(checkpoint ?? .max, readerCheck.nanosecondsUntilDue(uptime: uptime))
  }

  /// Commits the requests together and tells each its outcome. An empty batch does what is due without them.
  func commit(_ requests: [WriteRequest]) {
    for (request, outcome) in zip(requests, commit(requests.map(\.work))) { request.complete(outcome) }
  }

  /// Commits the works together; the outcome of each.
  func commit(_ works: [WriteRequest.Work]) -> [WriteOutcome] {
    if readerCheck.isDue(atCommitWith: configuration.clock.uptime()) {
      // Before the transaction begins, so that it finds the pages free. Should it fail, the file grows until the next time.
      _ = try? store.environment.clearDeadReaders()
    }
    giveBackPages()
    do {
      return try attempt(works)
    } catch {
      needsRecovery = true
      sealing = nil
      pruner = nil
      // A timed checkpoint that fails is tried again after an interval, not at once for ever.
      policy.lastUptime = configuration.clock.uptime()
      // At once, so that the disk's state is in memory before anyone asks; if it fails, the next batch tries again.
      try? recover()
      return works.map { _ in .failure(JournalError(error)) }
    }
  }

  /// Should it fail, what was read of the file goes on counting as this process's memory, and nothing else.
  private func giveBackPages() {
    let uptime = configuration.clock.uptime()
    guard uptime &- pagesGivenBack >= JournalLimits.pagesKept.nanoseconds else { return }
    pagesGivenBack = uptime
    store.environment.giveBackPages()
  }

  private func attempt(_ works: [WriteRequest.Work]) throws -> [WriteOutcome] {
    if needsRecovery { try recover() }
    if works.contains(where: { $0.isLargeAppend && !$0.hasHashes }) { hasher.alert() }
    let batch = Batch(time: configuration.clock.now(), tail: tail, policy: policy)
    let isFull = try works.contains { $0.appends } && isFull()
    let transaction = try beginWrite()
    try transaction.makeRoom(GrowthAhead(limit: configuration.sizeLimit))
    if let sealing { try store(sealing.position, try sealing.note(), batch, transaction) }
    var outcomes: [WriteOutcome] = []
    for work in works {
      do throws(RequestRefusal) {
        if isFull, work.appends {
          throw .refused(.full(path: store.directory, limitBytes: configuration.sizeLimit))
        }
        outcomes.append(.success(try perform(work, batch, transaction)))
      } catch {
        guard case .refused(let refusal) = error else { throw error.underlying }
        outcomes.append(.failure(refusal))
      }
    }
    let isCheckpointDue =
      batch.wantsCheckpoint || batch.policy.isDue(size: batch.tail.frontier.size, uptime: configuration.clock.uptime())
    var next: Sealing?
    if isCheckpointDue {
      next = try sealMeanwhile(batch)
      if next == nil { try seal(batch, transaction) }
    }
    guard batch.hasChanges else {
      transaction.abort()
      return outcomes
    }
    if batch.tail != tail {
      try store.put(batch.tail, transaction)
      try fold?.writeChanges(upTo: batch.tail.head, transaction)
    }
    try transaction.commit()
    if batch.tail.epoch != tail.epoch { noteEpoch(batch.tail.epoch) }
    tail = batch.tail
    policy = batch.policy
    sealing = next
    return outcomes
  }

  private func perform(
    _ work: WriteRequest.Work, _ batch: Batch, _ transaction: borrowing WriteTransaction
  ) throws(RequestRefusal) -> [RecordPosition] {
    do {
      switch work {
      case .append(let payloads, let hashes): return try append(payloads, hashes, batch, transaction)
      case .openEpoch(let reason, let payloads):
        return [try openEpoch(reason, batch, transaction)] + (try append(payloads, nil, batch, transaction))
      case .moveCursor(let name, let position):
        try moveCursor(name, to: position, batch, transaction)
        return []
      case .checkpoint:
        batch.wantsCheckpoint = true
        return []
      case .countersign(let note, let key):
        try countersign(note, key, batch, transaction)
        return []
      case .prune(let pruning): return try prune(pruning, batch, transaction).map { [$0] } ?? []
      }
    } catch let refusal as RequestRefusal {
      throw refusal
    } catch {
      throw .failed(error)
    }
  }

  private func append(
    _ payloads: [[UInt8]], _ hashes: LeafBatch?, _ batch: Batch, _ transaction: borrowing WriteTransaction
  ) throws -> [RecordPosition] {
    guard !payloads.isEmpty else { return [] }
    guard let first = batch.tail.head.next else { preconditionFailure("2^64 records in one epoch") }
    let foreseen = hashes.flatMap { $0.first == first ? $0 : nil }
    let leaves = foreseen ?? LeafBatch(payloads, from: first, time: batch.time)
    var frontier = batch.tail.frontier
    try transaction.withAppender(store.records) { records in
      try hasher.forEachPiece(of: leaves) { piece in
        try store.append(leaves, piece, to: records)
        frontier.append(leaves.root(piece), height: leaves.pieces[piece].height)
      }
    }
    if let fold {
      for (index, payload) in payloads.enumerated() {
        fold.apply(Record(position: leaves.position(index), time: leaves.time, payload: payload))
      }
    }
    batch.tail.frontier = frontier
    batch.hasChanges = true
    return payloads.indices.map { leaves.position($0) }
  }

  /// Seals the old epoch's tree with a checkpoint and begins the next.
  private func openEpoch(
    _ reason: String, _ batch: Batch, _ transaction: borrowing WriteTransaction
  ) throws -> RecordPosition {
    guard batch.tail.epoch < UInt32.max - 1 else { throw RequestRefusal.refused(.epochsExhausted) }
    try seal(batch, transaction)
    try store.put(batch.tail, transaction)
    let epoch = JournalEpoch(number: batch.tail.epoch + 1, opened: batch.time, firstSequence: 1, reason: reason)
    try store.open(epoch, transaction)
    batch.tail = Tail(epoch: epoch.number, frontier: MerkleFrontier())
    batch.policy.lastSize = 0
    batch.hasChanges = true
    return batch.tail.head
  }

  /// The identity names the newest epoch, so that it is not begun again if data.mdb is lost. After the commit: an identity that
  /// is behind is brought up to date at the next opening, one that is ahead would look like an old copy of the records.
  private func noteEpoch(_ epoch: UInt32) {
    var identity = identity
    identity.epoch = epoch
    try? identity.write(directory: store.directory)
  }

  private func moveCursor(
    _ name: String, to position: RecordPosition, _ batch: Batch, _ transaction: borrowing WriteTransaction
  ) throws {
    let current = try store.cursor(transaction, name)
    if let current, position < current {
      throw RequestRefusal.refused(.cursorBackwards(name: name, at: current, to: position))
    }
    guard position != current else { return }
    let end =
      position.epoch == batch.tail.epoch ? batch.tail.head : try store.end(transaction, ofEpoch: position.epoch)
    guard let end, position <= end else {
      throw RequestRefusal.refused(.cursorBeyondHead(name: name, to: position, head: batch.tail.head))
    }
    try transaction.put(Array(name.utf8), position.keyBytes, into: store.cursors)
    batch.hasChanges = true
  }

  /// Writes a signed checkpoint of the batch's tree; none when the last one has its size.
  private func seal(_ batch: Batch, _ transaction: borrowing WriteTransaction) throws {
    guard batch.tail.frontier.size > batch.policy.lastSize else { return }
    let note = try signing(batch)()
    try store(batch.tail.head, note, batch, transaction)
  }

  /// Lets the second thread sign the checkpoint of a large batch while this one commits it. Whoever asked for a checkpoint gets
  /// it in this transaction.
  private func sealMeanwhile(_ batch: Batch) throws -> Sealing? {
    let size = batch.tail.frontier.size
    guard !batch.wantsCheckpoint, batch.tail.epoch == tail.epoch,
      size - tail.frontier.size >= UInt64(JournalLimits.sharedHashingRecordsMin)
    else { return nil }
    let (sealing, sign) = (Sealing(position: batch.tail.head), try signing(batch))
    guard hasher.run({ sealing.outcome.give(Result { try sign() }) }) else { return nil }
    batch.noteSeal(configuration.clock.uptime())
    return sealing
  }

  private func signing(_ batch: Batch) throws -> @Sendable () throws -> SignedNote {
    if sealer.epoch != batch.tail.epoch { sealer = try EpochSealer(identity.origin(epoch: batch.tail.epoch), key) }
    let (sealer, tree, time) = (sealer, batch.tail.frontier, configuration.clock.now())
    return { try sealer.seal(tree, at: time) }
  }

  private func store(
    _ position: RecordPosition, _ note: SignedNote, _ batch: Batch, _ transaction: borrowing WriteTransaction
  ) throws {
    try transaction.put(position.keyBytes, note.bytes, into: store.checkpoints)
    batch.noteSeal(configuration.clock.uptime())
    batch.hasChanges = true
  }

  /// Adds another party's signature of a stored checkpoint to it.
  private func countersign(
    _ note: SignedNote, _ signer: VerifierKey, _ batch: Batch, _ transaction: borrowing WriteTransaction
  ) throws {
    func refused(_ reason: String) -> RequestRefusal { .refused(.countersignatureRefused(reason)) }
    guard let checkpoint = try? Checkpoint(text: note.text), let origin = JournalOrigin(checkpoint.origin),
      origin.journal == identity.hexID
    else { throw refused("it is not about a tree of this journal") }
    let key = RecordPosition(epoch: origin.epoch, sequence: checkpoint.size).keyBytes
    guard let stored = try transaction.value(of: key, in: store.checkpoints) else {
      throw refused("there is no checkpoint of size \(checkpoint.size) in epoch \(origin.epoch)")
    }
    var ours: SignedNote
    do throws(NoteError) { ours = try SignedNote(bytes: stored) } catch {
      throw store.damaged("the checkpoint \(origin.epoch)/\(checkpoint.size) is unreadable: \(error)")
    }
    guard ours.text == note.text else { throw refused("its text differs from the stored checkpoint's") }
    do throws(NoteError) {
      try note.verify([signer])
      for signature in note.signatures where signature.name == signer.name && signature.keyID == signer.id {
        try ours.add(signature)
      }
    } catch { throw refused("\(error)") }
    guard ours.bytes != stored else { return }
    try transaction.put(key, ours.bytes, into: store.checkpoints)
    batch.hasChanges = true
  }

  /// Removes the next records. The fold must have taken them already: it does with each append, and before the first at the opening.
  private func prune(
    _ pruning: Pruning, _ batch: Batch, _ transaction: borrowing WriteTransaction
  ) throws -> RecordPosition? {
    guard let makePruner else {
      throw RequestRefusal.refused(
        .pruneRefused("the journal was opened without a fold, which must keep what they gave"))
    }
    let pruner = pruner ?? makePruner()
    do throws {
      let removed = try pruner.step(pruning, transaction)
      self.pruner = removed == nil ? nil : pruner
      if removed != nil { batch.hasChanges = true }
      return removed
    } catch let refusal as JournalError {
      self.pruner = nil
      guard case .pruneRefused = refusal else { throw refusal }
      throw RequestRefusal.refused(refusal)
    }
  }

  /// The policy's limit lies below the map's, so that the check is made before anything is written. Free pages inside the file
  /// are counted only when the file has reached the limit.
  private func isFull() throws -> Bool {
    guard try store.environment.fileBytes() >= configuration.sizeLimit else { return false }
    let statistics = try store.environment.statistics()
    let transaction = try store.environment.beginRead()
    let freeBytes = try transaction.freePages() * statistics.pageBytes
    return statistics.fileBytes - freeBytes >= configuration.sizeLimit
  }

  private func beginWrite() throws(LMDBError) -> WriteTransaction {
    do throws(LMDBError) {
      return try store.environment.beginWrite()
    } catch  where error.kind == .fatal {
      try store.environment.reopen()
      return try store.environment.beginWrite()
    }
  }

  /// Makes memory agree with the disk: opens the environment again if it must be, reads the tail, loads the fold.
  private func recover() throws {
    let transaction = try beginWrite()
    let committed = try store.tail(transaction)
    let lastSize = try store.lastCheckpoint(transaction, epoch: committed.epoch)?.size ?? 0
    transaction.abort()
    try fold?.catchUp()
    tail = committed
    policy.lastSize = lastSize
    needsRecovery = false
  }
}

/// When to look for readers that died without giving their slot back: after so many commits, or so much time.
private struct ReaderCheckPolicy {
  /// Nanoseconds.
  private let interval: UInt64
  private var commits = 0
  private var lastUptime: UInt64

  /// - Parameter lastUptime: when the opening looked.
  init(interval: UInt64, lastUptime: UInt64) {
    self.interval = interval
    self.lastUptime = lastUptime
  }

  /// Counts a commit; whether to look before it.
  mutating func isDue(atCommitWith uptime: UInt64) -> Bool {
    commits += 1
    guard commits >= JournalLimits.readerCheckCommits || nanosecondsUntilDue(uptime: uptime) == 0 else { return false }
    commits = 0
    lastUptime = uptime
    return true
  }

  func nanosecondsUntilDue(uptime: UInt64) -> UInt64 {
    let passed = uptime &- lastUptime
    return passed >= interval ? 0 : interval - passed
  }
}

/// What one batch has changed so far, thrown away if it fails.
private final class Batch {
  /// When the journal took its records: nanoseconds since 1970 UTC.
  let time: Int64
  var tail: Tail
  var policy: CheckpointPolicy
  var wantsCheckpoint = false
  var hasChanges = false

  init(time: Int64, tail: Tail, policy: CheckpointPolicy) {
    self.time = time
    self.tail = tail
    self.policy = policy
  }

  /// The tree as it is now has its checkpoint.
  func noteSeal(_ uptime: UInt64) {
    policy.lastSize = tail.frontier.size
    policy.lastUptime = uptime
  }
}

/// A checkpoint that is being signed.
private struct Sealing {
  let position: RecordPosition
  let outcome = Handover<Result<SignedNote, any Error>>()

  /// Waits for it.
  func note() throws -> SignedNote { try outcome.wait().get() }
}

/// Signs the checkpoints of one epoch.
private struct EpochSealer {
  let epoch: UInt32
  private let origin: String
  private let signer: SignerKey

  init(_ origin: JournalOrigin, _ key: JournalKey) throws(NoteError) {
    epoch = origin.epoch
    self.origin = origin.description
    signer = try key.signer(origin)
  }

  /// - Parameter time: nanoseconds since 1970 UTC.
  func seal(_ tree: MerkleFrontier, at time: Int64) throws(NoteError) -> SignedNote {
    try Checkpoint(origin: origin, size: tree.size, root: tree.root, sealed: time).signed(by: signer)
  }
}

/// Why one request was not done: refused for itself, before it wrote anything, or failed together with its batch.
private enum RequestRefusal: Error {
  case refused(JournalError)
  case failed(any Error)

  var underlying: any Error {
    switch self {
    case .refused(let error): error
    case .failed(let error): error
    }
  }
}

extension Duration {
  /// Whole nanoseconds; 0 for a negative duration.
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    return UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds)) / 1_000_000_000
  }
}
