// One delivery stream.
//
//     gRPC ──> reader task ──(byte budgets)──> mailbox ──> handler ──> committer
//                                  SettingsWatch, JobWatch ─┘ └──────> Welcome, Acknowledgement, Rejection, Conflict,
//                                                                      Countersignature, Job, SettingsSet
//
// The reader waits for bytes of the stream's own budget and of the hub's before it hands a message on; while it waits
// it does not read, and HTTP/2 flow control slows the agent. The handler takes all that is there, commits the batches
// together, and answers with one acknowledgement per epoch. Messages keep their order: a checkpoint is looked at after
// the batches before it were committed.
//
// It ends when the agent ends it, at an error, or with UNAVAILABLE when the hub goes down: what was committed by then
// is acknowledged first.

internal import Events
internal import GRPCCore
internal import HubProtocol
internal import Logging
internal import ServiceLifecycle
internal import Settings
internal import SwiftProtobuf
internal import Synchronization

struct StreamSession: Sendable {
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

  let install: Install
  /// Of the agent, without its port.
  let address: String
  let delivery: Delivery
  let response: RPCWriter<Printtrail_Dcam_V1_HubMessage>
  let logger: Logger

  func run(_ request: RPCAsyncSequence<Printtrail_Dcam_V1_AgentMessage, any Error>) async throws {
    let mailbox = Mailbox<Held>()
    let own = ByteBudget(capacity: HubLimits.streamBytesMax)
    let share = BudgetShare(of: delivery.budget)
    // After both tasks ended: what nobody handled is given back too.
    defer { share.close() }
    let greeting = Greeting()
    let listener = delivery.jobWatch?.listen(install.number) { mailbox.put(Held(message: .jobs, own: 0, shared: 0)) }
    defer { if let listener { delivery.jobWatch?.leave(install.number, listener) } }
    defer { greeting.settings.map { delivery.settings?.forget($0) } }
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { await read(request, into: mailbox, own: own, share: share) }
        group.addTask { await expect(greeting, mailbox) }
        defer { group.cancelAll() }
        try await handle(mailbox, own: own, share: share, greeting: greeting)
      }
    } onGracefulShutdown: {
      mailbox.finish(throwing: RPCError.shuttingDown)
    }
  }

  // MARK: Reading

  private func read(
    _ request: RPCAsyncSequence<Printtrail_Dcam_V1_AgentMessage, any Error>, into mailbox: Mailbox<Held>,
    own: ByteBudget,
    share: BudgetShare
  ) async {
    do {
      for try await message in request {
        guard let (message, bytes) = try received(message) else { continue }
        let held = Held(message: message, own: try await own.take(bytes), shared: try await share.take(bytes))
        mailbox.put(held)
      }
      mailbox.finish()
    } catch {
      mailbox.finish(throwing: error)
    }
  }

  /// The message and what it costs to keep; nil for an empty batch, which asks for nothing.
  private func received(_ message: Printtrail_Dcam_V1_AgentMessage) throws -> (Message, Int)? {
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

  /// Ends a stream that does not say Hello in time.
  private func expect(_ greeting: Greeting, _ mailbox: Mailbox<Held>) async {
    // Cancelled when the stream ends before the time.
    guard (try? await Task.sleep(for: HubLimits.helloTimeout)) != nil, !greeting.isDone else { return }
    mailbox.finish(
      throwing: RPCError(
        code: .invalidArgument, message: "The stream did not begin with a Hello within \(HubLimits.helloTimeout)."))
  }

  // MARK: Handling

  private func handle(_ mailbox: Mailbox<Held>, own: ByteBudget, share: BudgetShare, greeting: Greeting) async throws {
    var hello = Printtrail_Dcam_V1_Hello()
    var sentJobs = SentJobs()
    while let taken = try await mailbox.takeAll() {
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
        case .hello(let greeted):
          guard greeting.begin() else {
            delivery.metrics.count(.violations, "order")
            throw RPCError(code: .invalidArgument, message: "The stream does not follow the protocol: a second Hello.")
          }
          hello = greeted
          try await greet(hello, greeting, mailbox)
          isJobLookDue = true
        case .jobs: isJobLookDue = greeting.isDone
        case .batch(let append):
          try expect(greeting)
          batches.append(append)
        case .checkpoint(let checkpoint):
          try expect(greeting)
          try await store(batches)
          batches = []
          try await keep(checkpoint)
        case .settings(let set): try await response.write(.with { $0.settings = .init(set) })
        }
      }
      try await store(batches)
      if isJobLookDue { try await sendJobs(hello, &sentJobs, greeting) }
    }
  }

  private func sendJobs(
    _ hello: Printtrail_Dcam_V1_Hello, _ sent: inout SentJobs, _ greeting: Greeting
  ) async throws {
    let due = await delivery.dueJobs(of: install, hello, logger: logger)
    // Whoever is to take its settings has them by then, however lately they were set.
    if due.contains(where: { $0.order.kind == JobOrder.Kind.settings.rawValue }) {
      try await offerSettings(greeting)
    }
    let now = delivery.clock.now
    for job in sent.take(due, now: now) {
      logger.info("job sent", metadata: ["job": "\(job.id)", "what": "\(job.order.summary)"])
      try await response.write(.with { $0.job = .init(job, now: now) })
    }
  }

  private func expect(_ greeting: Greeting) throws {
    guard greeting.isDone else {
      delivery.metrics.count(.violations, "order")
      throw RPCError(
        code: .invalidArgument, message: "The stream does not follow the protocol: it must begin with a Hello.")
    }
  }

  private func greet(
    _ hello: Printtrail_Dcam_V1_Hello, _ greeting: Greeting, _ mailbox: Mailbox<Held>
  ) async throws {
    var message = Printtrail_Dcam_V1_HubMessage()
    message.welcome = try await aside {
      try await delivery.greet(hello, install: install, peer: address, logger: logger)
      return try await delivery.welcome(install, hello)
    }
    try await response.write(message)
    guard let settings = delivery.settings else { return }
    // Watched first: what changes from here on comes by the mailbox.
    let id = settings.watch(install.number, applied: SettingsWatch.Mark(hello)) { set in
      mailbox.put(Held(message: .settings(set), own: 0, shared: 0))
    }
    greeting.watched(as: id)
    try await offerSettings(greeting)
  }

  private func offerSettings(_ greeting: Greeting) async throws {
    guard let settings = delivery.settings, let id = greeting.settings else { return }
    do {
      guard let set = try await aside({ try await settings.offer(of: id) }) else { return }
      try await response.write(.with { $0.settings = .init(set) })
    } catch is HubError { throw RPCError.storeUnavailable }
  }

  private func store(_ batches: [Append]) async throws {
    guard !batches.isEmpty else { return }
    var messages: [Printtrail_Dcam_V1_HubMessage] = []
    var acknowledgements: [UInt32: Printtrail_Dcam_V1_Acknowledgement] = [:]
    let result = try await aside { try await delivery.store(batches, of: install, logger: logger) }
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
    switch try await aside({ try await delivery.keep(checkpoint, install: install, logger: logger) }) {
    case .refused(let rejection): try await response.write(.with { $0.rejection = rejection })
    case .verified(let countersignature?): try await response.write(.with { $0.countersignature = countersignature })
    case .verified(nil): break
    }
  }
}

/// Whether the stream's Hello came.
private final class Greeting: Sendable {
  private let done = Atomic(false)
  private let watch = Mutex<SettingsWatch.ID?>(nil)

  /// As what it is told of settings.
  var settings: SettingsWatch.ID? { watch.withLock { $0 } }

  func watched(as id: SettingsWatch.ID) { watch.withLock { $0 = id } }

  var isDone: Bool { done.load(ordering: .acquiring) }

  /// False if it came before.
  func begin() -> Bool { !done.exchange(true, ordering: .acquiringAndReleasing) }
}
