// One delivery stream.
//
//     gRPC ──> reader task ──(byte budgets)──> mailbox ──> handling task ──> committer
//                                  SettingsWatch, JobWatch ─┘ └──────> Welcome, Acknowledgement, Rejection, Conflict,
//                                                                      Countersignature, Job, SettingsSet
//
// The reader waits for bytes of the stream's own budget and of the hub's before it hands a message on; while it waits
// it does not read, and HTTP/2 flow control slows the agent. What is handled is all that is there: the batches are
// committed together, and answered with one acknowledgement per epoch. Messages keep their order: a checkpoint is looked
// at after the batches before it were committed.
//
// It ends when the agent ends it, at an error, when its identity ends (`StreamGuard`), or with UNAVAILABLE when the hub
// goes down: what was committed by then is acknowledged first.
//
// Thousands of streams are silent at any time, and a task keeps the memory of all that it went through until it ends. So
// a silent stream has two tasks that never went deep, one which waits for messages and one which waits for the end;
// what is handled, is handled in a task that ends with it, and what happens at a time is no task but an alarm.

internal import Events
internal import GRPCCore
internal import GRPCProtobuf
internal import HubProtocol
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import RPCServing
internal import Settings
internal import SwiftProtobuf
internal import Synchronization

final class StreamSession: GuardedStream {
  private enum Message: Sendable {
    case hello(Printtrail_Dcam_V1_Hello)
    case batch(Append)
    case checkpoint(Printtrail_Dcam_V1_SealedCheckpoint)
    /// There may be something to do.
    case jobs
    /// From the hub itself: what is set of this agent is another.
    case settings(SettingsSet)
  }

  /// A message and the bytes to give back when it is dealt with.
  private struct Held: Sendable {
    let message: Message
    let own: Int
    let shared: Int
  }

  /// What the stream has come to.
  private struct Progress {
    /// Whether the Hello came.
    var isGreeted = false
    /// Whether the agent takes jobs, by its Hello.
    var takesJobs = false
    var sentJobs = SentJobs()
    /// As what it is told of settings.
    var settings: SettingsWatch.ID?
    var helloAlarm: Scheduled<Void>?
    var deadline: Scheduled<Void>?
  }

  private let install: Install
  /// Of the agent, without its port.
  private let address: String
  private let delivery: Delivery
  private let call: RPCCall
  private let response: AgentWriter
  private let logger: Logger
  private let mailbox = Mailbox<Held>()
  private let own = ByteBudget(capacity: HubLimits.streamBytesMax)
  private let share: BudgetShare
  private let progress = Mutex(Progress())

  /// - Parameter address: of the agent, without its port.
  init(install: Install, address: String, delivery: Delivery, call: RPCCall, logger: Logger) {
    self.install = install
    self.address = address
    self.delivery = delivery
    self.call = call
    response = AgentWriter(call: call)
    self.logger = logger
    share = BudgetShare(of: delivery.budget)
  }

  /// Serves the stream to its end.
  ///
  /// - Parameter id: as what the stream's guard knows it.
  func run(as id: LiveStreams.ID) async throws {
    let listener = delivery.jobWatch?.listen(install.number) { [mailbox] in
      mailbox.put(Held(message: .jobs, own: 0, shared: 0))
    }
    progress.withLock { progress in
      progress.helloAlarm = alarm(after: HubLimits.helloTimeout, Self.noHello)
      progress.deadline = call.metadata.callTimeout.map { alarm(after: $0, Self.noTimeLeft) }
    }
    defer { leave(listener) }
    try await withThrowingDiscardingTaskGroup { group in
      group.addTask { await self.read(id) }
      // At an error the group cancels its tasks by itself.
      while try await self.mailbox.next() { group.addTask { await self.handle() } }
      group.cancelAll()
    }
  }

  func abort(_ error: RPCError) { mailbox.abort(throwing: error) }

  func finish(_ error: RPCError) { mailbox.finish(throwing: error) }

  /// After all tasks ended: what nobody handled is given back, too.
  private func leave(_ listener: JobWatch.Listener?) {
    share.close()
    if let listener { delivery.jobWatch?.leave(install.number, listener) }
    let progress = progress.withLock { $0 }
    progress.settings.map { delivery.settings?.forget($0) }
    progress.helloAlarm?.cancel()
    progress.deadline?.cancel()
  }

  /// Ends the stream after a while, a year at most: more does not fit an event loop's clock.
  private func alarm(after duration: Duration, _ error: RPCError) -> Scheduled<Void> {
    MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: TimeAmount(min(duration, .seconds(365 * 86_400)))) {
      [mailbox] in
      mailbox.abort(throwing: error)
    }
  }

  private static let noHello = RPCError(
    code: .invalidArgument, message: "The stream did not begin with a Hello within \(HubLimits.helloTimeout).")

  private static let noTimeLeft = RPCError(
    code: .deadlineExceeded, message: "The caller waited for the end of the stream no longer.")

  // MARK: Reading

  private func read(_ id: LiveStreams.ID) async {
    do {
      while let bytes = try await call.next() {
        let message: Printtrail_Dcam_V1_AgentMessage = try ProtobufDeserializer().deserialize(bytes)
        if let twins = delivery.streamGuard.heard(id) { await delivery.streamGuard.tell(twins, of: install) }
        guard let (message, bytes) = try checked(message), !put(message, bytes) else { continue }
        let held = Held(message: message, own: try await own.take(bytes), shared: try await share.take(bytes))
        mailbox.put(held)
      }
      mailbox.finish()
    } catch {
      mailbox.finish(throwing: error)
    }
  }

  /// The message and what it costs to keep; nil for an empty batch, which asks for nothing.
  private func checked(_ message: Printtrail_Dcam_V1_AgentMessage) throws -> (Message, Int)? {
    switch message.message {
    case .hello(let hello): return (.hello(hello), BatchCheck.recordOverheadBytes * (1 + hello.heads.count))
    case .batch(let batch): return try delivery.check(batch, install: install).map { (.batch($0), $0.byteCount) }
    case .checkpoint(let checkpoint): return (.checkpoint(checkpoint), checkpoint.note.utf8.count)
    case .lost(let lost):
      let append = try delivery.check(lost, install: install)
      return (.batch(append), append.byteCount)
    case nil:
      delivery.metrics.count(.violations, "order")
      throw RPCError(
        code: .invalidArgument, message: "The stream does not follow the protocol: a message of an unknown kind.")
    }
  }

  /// Hands a message on if there is room for it now.
  private func put(_ message: Message, _ bytes: Int) -> Bool {
    guard let own = own.takeNow(bytes) else { return false }
    guard let shared = share.takeNow(bytes) else {
      self.own.release(own)
      return false
    }
    mailbox.put(Held(message: message, own: own, shared: shared))
    return true
  }

  // MARK: Handling

  /// Handles what there is until nothing is left.
  private func handle() async {
    do {
      while let taken = mailbox.takeAll() { try await handle(taken) }
    } catch {
      mailbox.abort(throwing: error)
    }
  }

  private func handle(_ taken: [Held]) async throws {
    defer {
      for held in taken {
        own.release(held.own)
        share.release(held.shared)
      }
    }
    var batches: [Append] = []
    var isJobLookDue = false
    for held in taken {
      switch held.message {
      case .hello(let hello):
        try begin(hello)
        try await greet(hello)
        isJobLookDue = true
      case .jobs: isJobLookDue = isGreeted
      case .batch(let append):
        try expectHello()
        batches.append(append)
      case .checkpoint(let checkpoint):
        try expectHello()
        try await store(batches)
        batches = []
        try await keep(checkpoint)
      case .settings(let set): try await response.write(.with { $0.settings = .init(set) })
      }
    }
    try await store(batches)
    if isJobLookDue { try await sendJobs() }
  }

  private var isGreeted: Bool { progress.withLock { $0.isGreeted } }

  /// - Throws: `RPCError` INVALID_ARGUMENT if a Hello came before.
  private func begin(_ hello: Printtrail_Dcam_V1_Hello) throws {
    let isFirst = progress.withLock { progress in
      defer {
        progress.isGreeted = true
        progress.takesJobs = hello.takesJobs
      }
      progress.helloAlarm?.cancel()
      progress.helloAlarm = nil
      return !progress.isGreeted
    }
    guard isFirst else {
      delivery.metrics.count(.violations, "order")
      throw RPCError(code: .invalidArgument, message: "The stream does not follow the protocol: a second Hello.")
    }
  }

  private func sendJobs() async throws {
    guard progress.withLock({ $0.takesJobs }) else { return }
    let due = await delivery.dueJobs(of: install, logger: logger)
    // Whoever is to take its settings has them by then, however lately they were set.
    if due.contains(where: { $0.order.kind == JobOrder.Kind.settings.rawValue }) { try await offerSettings() }
    let now = delivery.clock.now
    for job in progress.withLock({ $0.sentJobs.take(due, now: now) }) {
      logger.info("job sent", metadata: ["job": "\(job.id)", "what": "\(job.order.summary)"])
      try await response.write(.with { $0.job = .init(job, now: now) })
    }
  }

  private func expectHello() throws {
    guard isGreeted else {
      delivery.metrics.count(.violations, "order")
      throw RPCError(
        code: .invalidArgument, message: "The stream does not follow the protocol: it must begin with a Hello.")
    }
  }

  private func greet(_ hello: Printtrail_Dcam_V1_Hello) async throws {
    var message = Printtrail_Dcam_V1_HubMessage()
    try await delivery.greet(hello, install: install, peer: address, logger: logger)
    message.welcome = try await delivery.welcome(install, hello)
    try await response.write(message)
    guard let settings = delivery.settings else { return }
    // Watched first: what changes from here on comes by the mailbox.
    let id = settings.watch(install.number, applied: SettingsWatch.Mark(hello)) { [mailbox] set in
      mailbox.put(Held(message: .settings(set), own: 0, shared: 0))
    }
    progress.withLock { $0.settings = id }
    try await offerSettings()
  }

  private func offerSettings() async throws {
    guard let settings = delivery.settings, let id = progress.withLock({ $0.settings }) else { return }
    do {
      guard let set = try await settings.offer(of: id) else { return }
      try await response.write(.with { $0.settings = .init(set) })
    } catch is HubError { throw RPCError.storeUnavailable }
  }

  private func store(_ batches: [Append]) async throws {
    guard !batches.isEmpty else { return }
    var messages: [Printtrail_Dcam_V1_HubMessage] = []
    var acknowledgements: [UInt32: Printtrail_Dcam_V1_Acknowledgement] = [:]
    let result = try await delivery.store(batches, of: install, logger: logger)
    for answer in result.answers {
      messages += answer.rejections.map { rejection in .with { $0.rejection = rejection } }
      messages += answer.conflicts.map { conflict in .with { $0.conflict = conflict } }
      acknowledgements[answer.acknowledgement.epoch] = answer.acknowledgement
    }
    // Acknowledgements last: when an agent has one, it has been told of all that was wrong up to there.
    for (_, acknowledgement) in acknowledgements.sorted(by: { $0.key < $1.key }) {
      messages.append(.with { $0.acknowledgement = acknowledgement })
    }
    try await response.write(contentsOf: messages)
    if let failure = result.failure { throw failure }
  }

  private func keep(_ checkpoint: Printtrail_Dcam_V1_SealedCheckpoint) async throws {
    switch try await delivery.keep(checkpoint, install: install, logger: logger) {
    case .refused(let rejection): try await response.write(.with { $0.rejection = rejection })
    case .verified(let countersignature?): try await response.write(.with { $0.countersignature = countersignature })
    case .verified(nil): break
    }
  }
}

/// Writes to the agent of a stream; waits while it does not read.
struct AgentWriter: Sendable {
  let call: RPCCall

  func write(_ message: Printtrail_Dcam_V1_HubMessage) async throws { try await write(contentsOf: [message]) }

  func write(contentsOf messages: [Printtrail_Dcam_V1_HubMessage]) async throws {
    try await call.send(messages.map { try ProtobufSerializer().serialize($0) })
  }
}
