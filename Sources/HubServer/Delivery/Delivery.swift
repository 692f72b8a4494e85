// The steps of delivery that stream and check-in share: greet, check, store, keep. Wire types come in and go out here;
// the store sees values.

internal import Evidence
internal import FoundationEssentials
internal import GRPCCore
internal import HubProtocol
internal import Logging
internal import OpenSSL
internal import SwiftProtobuf
internal import Synchronization

/// The answers to one stored batch.
struct StoredAnswer {
  var acknowledgement: Printtrail_Dcam_V1_Acknowledgement
  var rejections: [Printtrail_Dcam_V1_Rejection]
  var conflicts: [Printtrail_Dcam_V1_Conflict]
}

/// The answers to the batches that were stored, and why the one behind them was not.
struct StoreResult {
  var answers: [StoredAnswer] = []
  /// INVALID_ARGUMENT for a gap, PERMISSION_DENIED for a revoked install; ends the exchange after the answers were
  /// told.
  var failure: RPCError?
}

enum CheckpointAnswer {
  /// With this hub's signature, if it countersigns.
  case verified(Printtrail_Dcam_V1_Countersignature?)
  case refused(Printtrail_Dcam_V1_Rejection)
}

final class Delivery: Sendable {
  let records: any RecordStore
  let registry: any RegistryStore
  let committer: Committer
  /// The bytes of all streams that wait for the commit.
  let budget: ByteBudget
  /// What agents are to do; nil: this hub sends no jobs.
  let jobs: (any JobStore)?
  let jobWatch: JobWatch?
  /// Who delivers, and whether there are two of one.
  let streamGuard: StreamGuard
  let clock: HubClock
  /// How often an install in normal mode is asked to check in.
  let checkInInterval: Duration
  let troubles = TroubleMemory()
  /// Nil: this hub sets nothing of its agents.
  let settings: SettingsWatch?
  let metrics: HubMetrics
  /// Nil: this hub does not keep what it is sent, and countersigns nothing.
  private let countersigner: Countersigner?
  private let streamsMax: Int
  private let streams = Mutex(0)

  init(
    records: any RecordStore, registry: any RegistryStore, committer: Committer, countersigner: Countersigner?,
    streams: StreamGuard, settings: SettingsWatch? = nil, clock: HubClock,
    checkInInterval: Duration = HubLimits.checkInInterval,
    jobs: (any JobStore)? = nil, jobWatch: JobWatch? = nil,
    waitingBytesMax: Int = HubLimits.waitingBytesMax, streamsMax: Int = HubLimits.streamsMax,
    metrics: HubMetrics = HubMetrics()
  ) {
    self.jobs = jobs
    self.jobWatch = jobWatch
    self.metrics = metrics
    self.records = records
    self.registry = registry
    self.committer = committer
    self.countersigner = countersigner
    streamGuard = streams
    self.settings = settings
    self.clock = clock
    self.checkInInterval = checkInInterval
    self.streamsMax = streamsMax
    budget = ByteBudget(capacity: waitingBytesMax)
  }

  // MARK: Admission

  /// - Throws: `RPCError` RESOURCE_EXHAUSTED if there are as many streams as there may be.
  func admit() throws {
    let admitted = streams.withLock { streams in
      guard streams < streamsMax else { return false }
      streams += 1
      return true
    }
    guard admitted else {
      metrics.count(.callsRefused, "too_many_streams")
      // Each is told another time, so that those who were refused together do not come back together.
      let wait = Duration.milliseconds(Int64.random(in: 1_000...HubLimits.retryAfter.milliseconds))
      throw RPCError.tooMuch("This hub serves as many streams as it can.", retryAfter: wait)
    }
  }

  func dismiss() { streams.withLock { $0 -= 1 } }

  var streamsOpen: Int { streams.withLock { $0 } }

  // MARK: Hello and Welcome

  /// Checks that the agent speaks for the journal that was registered.
  ///
  /// - Throws: `RPCError` INVALID_ARGUMENT for another journal.
  func recognise(_ hello: Printtrail_Dcam_V1_Hello, install: Install, peer: String) async throws {
    guard Array(hello.journalID) == install.journalID else {
      metrics.count(.callsRefused, "foreign_journal")
      await streamGuard.doubt(
        install, "an agent shows this install's certificate and speaks for another journal", peer: peer)
      throw RPCError(
        code: .invalidArgument,
        message: "The journal's id is not the one registered at enrolment. Enrol this journal with a new DataLink code."
      )
    }
    guard Array(hello.journalPublicKey) == install.journalKey else {
      metrics.count(.callsRefused, "foreign_journal")
      await streamGuard.doubt(
        install, "an agent shows this install's certificate and speaks for the journal with another key",
        peer: peer)
      throw RPCError(
        code: .invalidArgument,
        message:
          "The journal's public key is not the one registered at enrolment. Enrol this journal with a new DataLink code."
      )
    }
  }

  /// Checks that the agent speaks for its journal, and remembers that it was there.
  ///
  /// - Throws: `RPCError` INVALID_ARGUMENT for another journal, UNAVAILABLE if it could not be stored.
  func greet(_ hello: Printtrail_Dcam_V1_Hello, install: Install, peer: String, logger: Logger) async throws {
    try await recognise(hello, install: install, peer: peer)
    do {
      try await registry.noteSeen(install.number, agentVersion: cleaned(hello.agentVersion), now: clock.now)
      try await noteRollback(hello, install: install, logger: logger)
    } catch {
      logger.error("greeting not stored", metadata: ["error": "\(error)"])
      throw RPCError.storeUnavailable
    }
  }

  /// An agent that has less of an epoch than the hub holds lost its end, or is a copy: someone should look.
  private func noteRollback(_ hello: Printtrail_Dcam_V1_Hello, install: Install, logger: Logger) async throws {
    guard !hello.heads.isEmpty else { return }
    let heads = Dictionary(hello.heads.map { ($0.epoch, $0.sequence) }) { max($0, $1) }
    for holding in try await records.holdings(of: install.number) {
      guard let head = heads[holding.epoch], head < holding.sequence else { continue }
      let detail = "epoch \(holding.epoch): the journal ends at \(head), the hub holds \(holding.sequence)"
      logger.warning(
        "journal is behind the hub",
        metadata: ["epoch": "\(holding.epoch)", "sequence": "\(head)", "held": "\(holding.sequence)"])
      try await registry.audit(
        AuditEntry(at: clock.now, action: "journal.behind", subject: install.id, peer: "", detail: detail))
    }
  }

  /// - Parameter hello: the answers that its agent has are not repeated.
  func welcome(_ install: Install, _ hello: Printtrail_Dcam_V1_Hello) async throws -> Printtrail_Dcam_V1_Welcome {
    let known = Holding(epoch: hello.acknowledged.epoch, sequence: hello.acknowledged.sequence)
    let (holdings, rejected, conflicting): ([Holding], [ListedRecord], [ListedRecord])
    do {
      holdings = try await records.holdings(of: install.number)
      // Else it is an exchange behind the first of a check-in.
      guard !hello.heads.isEmpty else { return welcome(holdings, rejected: [], conflicting: []) }
      rejected = try await records.listed(
        .rejected, of: install.number, after: known, limit: HubLimits.troublesRepeatedMax)
      conflicting = try await records.listed(
        .conflicting, of: install.number, after: known, limit: HubLimits.troublesRepeatedMax)
    } catch { throw RPCError.storeUnavailable }
    return welcome(holdings, rejected: rejected, conflicting: conflicting)
  }

  private func welcome(
    _ holdings: [Holding], rejected: [ListedRecord], conflicting: [ListedRecord]
  ) -> Printtrail_Dcam_V1_Welcome {
    let held = Dictionary(holdings.map { ($0.epoch, $0.sequence) }) { max($0, $1) }
    let isHeld = { (record: ListedRecord) in record.sequence <= held[record.epoch] ?? 0 }
    var welcome = Printtrail_Dcam_V1_Welcome()
    welcome.holdings = holdings.map { holding in
      var position = Printtrail_Dcam_V1_Position()
      position.epoch = holding.epoch
      position.sequence = holding.sequence
      return position
    }
    welcome.hubTime = clock.now
    welcome.windowRecords = HubLimits.windowRecords
    welcome.batchBytesMax = UInt32(HubLimits.batchBytesMax)
    welcome.hubVersion = HubVersion.text
    welcome.takesLost = true
    welcome.takesExpress = true
    welcome.rejections = rejected.filter(isHeld).map { Self.rejection($0.epoch, $0.sequence, $0.reason ?? "") }
    welcome.conflicts = conflicting.filter(isHeld).map { Self.conflict($0.epoch, $0.sequence, $0.heldHash) }
    welcome.countersigningKey = countersigner.map { "\($0.key)" } ?? ""
    return welcome
  }

  // MARK: Batches

  func check(_ batch: Printtrail_Dcam_V1_Batch, install: Install) throws -> Append? {
    do throws(BatchCheck.Violation) {
      let append = try BatchCheck.append(batch, install: install.number)
      if let append {
        metrics.count(.batches)
        metrics.count(.recordsReceived, by: append.records.count)
        metrics.count(.bytesReceived, by: append.records.reduce(0) { $0 + $1.payload.count })
      }
      return append
    } catch {
      metrics.count(.violations, "batch")
      throw RPCError(code: .invalidArgument, message: "The stream does not follow the protocol: \(error).")
    }
  }

  func check(_ lost: Printtrail_Dcam_V1_Lost, install: Install) throws -> Append {
    do throws(BatchCheck.Violation) {
      return try BatchCheck.append(lost, install: install.number)
    } catch {
      metrics.count(.violations, "lost")
      throw RPCError(code: .invalidArgument, message: "The stream does not follow the protocol: \(error).")
    }
  }

  /// Commits `appends` and gives the answers in their order, up to the first that cannot be stored.
  ///
  /// - Throws: `RPCError` UNAVAILABLE; nothing was stored.
  func store(_ appends: [Append], of install: Install, logger: Logger) async throws -> StoreResult {
    let outcomes: [AppendOutcome]
    do throws(Committer.Failure) {
      outcomes = try await committer.submit(appends)
    } catch {
      metrics.count(.records, "not_stored", by: appends.reduce(0) { $0 + $1.records.count })
      logger.error(
        "records not stored", metadata: Self.place(of: appends).merging(["error": "\(error)"]) { $1 })
      throw error == .shuttingDown ? RPCError.shuttingDown : RPCError.storeUnavailable
    }
    var result = StoreResult()
    for (append, outcome) in zip(appends, outcomes) {
      guard case .stored(let stored) = outcome else {
        result.failure = Self.failure(outcome, append)
        refused(outcome, append, logger)
        break
      }
      count(stored, append)
      result.answers.append(answer(stored, append, logger))
      if let conflict = stored.conflicts.first {
        await streamGuard.doubt(
          install,
          "epoch \(append.epoch): another record came under sequence \(conflict.sequence), which is held", peer: "")
      }
    }
    await audit(
      conflicts: result.answers.flatMap(\.conflicts), rejections: result.answers.flatMap(\.rejections),
      install: install,
      logger)
    return result
  }

  /// Where the appends of one submission begin and end.
  private static func place(of appends: [Append]) -> Logger.Metadata {
    guard let first = appends.first, let last = appends.last else { return [:] }
    let end = last.lostThrough ?? last.firstSequence + UInt64(max(last.records.count, 1)) - 1
    return [
      "epoch": "\(first.epoch)", "sequence": "\(first.firstSequence)", "last_epoch": "\(last.epoch)",
      "last_sequence": "\(end)",
    ]
  }

  private func count(_ stored: StoredAppend, _ append: Append) {
    metrics.count(.records, "committed", by: stored.appended)
    metrics.count(.records, "duplicate", by: stored.duplicates)
    metrics.count(.records, "rejected", by: stored.rejections.count)
    metrics.count(.records, "conflicting", by: stored.conflicts.count)
    if let last = append.lostThrough {
      metrics.count(.records, "lost", by: Int(clamping: last - append.firstSequence + 1))
    }
  }

  private func refused(_ outcome: AppendOutcome, _ append: Append, _ logger: Logger) {
    switch outcome {
    case .gap: metrics.count(.violations, "gap")
    case .tooManyEpochs: metrics.count(.violations, "epochs")
    case .revoked: metrics.count(.callsRefused, "install_revoked")
    case .unknownInstall: metrics.count(.callsRefused, "unknown_certificate")
    case .stored: return
    }
    logger.notice(
      "batch refused", metadata: Self.place(of: [append]).merging(["outcome": "\(outcome)"]) { $1 })
  }

  private static func failure(_ outcome: AppendOutcome, _ append: Append) -> RPCError? {
    switch outcome {
    case .stored: nil
    case .gap(let held):
      RPCError(
        code: .invalidArgument,
        message:
          "A batch of epoch \(append.epoch) begins at sequence \(append.firstSequence), but the hub holds up to \(held). Go on from there."
      )
    case .revoked:
      RPCError(code: .permissionDenied, message: PeerCheck.revokedText)
    case .unknownInstall:
      RPCError(
        code: .unauthenticated, message: "This hub does not know the install. Enrol again with a new DataLink code.")
    case .tooManyEpochs:
      RPCError(
        code: .invalidArgument,
        message:
          "The journal has more than \(HubLimits.epochsMax) epochs, which no sound journal has. Look into why the agent opens them."
      )
    }
  }

  private func answer(_ stored: StoredAppend, _ append: Append, _ logger: Logger) -> StoredAnswer {
    var acknowledgement = Printtrail_Dcam_V1_Acknowledgement()
    acknowledgement.epoch = append.epoch
    acknowledgement.sequence = stored.held
    if let last = append.lostThrough {
      logger.warning(
        "an agent lost records",
        metadata: [
          "epoch": "\(append.epoch)", "sequence": "\(append.firstSequence)", "last_sequence": "\(last)",
        ])
    }
    for rejected in stored.rejections {
      logger.warning(
        "record rejected",
        metadata: ["epoch": "\(append.epoch)", "sequence": "\(rejected.sequence)", "reason": "\(rejected.reason)"])
    }
    for conflict in stored.conflicts {
      logger.error(
        "record in conflict",
        metadata: ["epoch": "\(append.epoch)", "sequence": "\(conflict.sequence)", "held_hash": "\(conflict.heldHash)"])
    }
    return StoredAnswer(
      acknowledgement: acknowledgement,
      rejections: stored.rejections.map { Self.rejection(append.epoch, $0.sequence, $0.reason) },
      conflicts: stored.conflicts.map { Self.conflict(append.epoch, $0.sequence, $0.heldHash) })
  }

  // MARK: Checkpoints

  /// - Throws: `RPCError`: INVALID_ARGUMENT for a checkpoint over more than the hub holds, UNAVAILABLE if it could not
  ///   be stored.
  func keep(
    _ checkpoint: Printtrail_Dcam_V1_SealedCheckpoint, install: Install, logger: Logger
  ) async throws -> CheckpointAnswer {
    guard checkpoint.note.utf8.count <= HubLimits.noteBytesMax else {
      metrics.count(.violations, "checkpoint")
      throw RPCError(code: .invalidArgument, message: "A checkpoint has more than \(HubLimits.noteBytesMax) bytes.")
    }
    let delivered = DeliveredCheckpoint(
      install: install, epoch: checkpoint.epoch, sequence: checkpoint.sequence, note: checkpoint.note)
    let outcome: CheckpointOutcome
    do { outcome = try await records.keep(delivered, now: clock.now) } catch {
      logger.error("checkpoint not stored", metadata: ["error": "\(error)"])
      throw RPCError.storeUnavailable
    }
    switch outcome {
    case .verified:
      metrics.count(.checkpoints, "verified")
      return .verified(try countersign(checkpoint))
    case .refused(let reason):
      metrics.count(.checkpoints, "refused")
      logger.error(
        "checkpoint not verified",
        metadata: ["epoch": "\(checkpoint.epoch)", "sequence": "\(checkpoint.sequence)", "reason": "\(reason)"])
      return .refused(Self.rejection(checkpoint.epoch, checkpoint.sequence, reason))
    case .ahead(let held):
      metrics.count(.violations, "checkpoint")
      throw RPCError(
        code: .invalidArgument,
        message:
          "A checkpoint of epoch \(checkpoint.epoch) is over \(checkpoint.sequence) records, but the hub holds \(held). Send the records first."
      )
    }
  }

  private func countersign(
    _ checkpoint: Printtrail_Dcam_V1_SealedCheckpoint
  ) throws -> Printtrail_Dcam_V1_Countersignature? {
    guard let countersigner else { return nil }
    let note = try countersigner.countersign(try SignedNote(bytes: Array(checkpoint.note.utf8)))
    return .with {
      ($0.epoch, $0.sequence) = (checkpoint.epoch, checkpoint.sequence)
      $0.note = String(decoding: note.bytes, as: UTF8.self)
    }
  }

  static func conflict(_ epoch: UInt32, _ sequence: UInt64, _ heldHash: Digest?) -> Printtrail_Dcam_V1_Conflict {
    .with {
      ($0.epoch, $0.sequence) = (epoch, sequence)
      $0.heldHash = heldHash.map { Data($0.bytes) } ?? Data()
    }
  }

  private static func rejection(_ epoch: UInt32, _ sequence: UInt64, _ reason: String) -> Printtrail_Dcam_V1_Rejection {
    var rejection = Printtrail_Dcam_V1_Rejection()
    rejection.epoch = epoch
    rejection.sequence = sequence
    rejection.reason = reason
    return rejection
  }
}

/// Text from a peer as the hub keeps it: without control characters, and not longer than `HubLimits.machineTextMax`.
func cleaned(_ text: String) -> String {
  let printable = text.unicodeScalars.filter {
    $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
  }
  return String(String(String.UnicodeScalarView(printable)).prefix(HubLimits.machineTextMax))
}
