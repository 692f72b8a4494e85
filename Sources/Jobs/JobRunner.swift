// The shell around `JobLanes`: records what it is told to, runs what may run, wakes it at deadlines.
//
// Everything that happens goes through one actor. What an action takes time for is awaited here, so that other events come between; each event
// finds the lanes as the last one left them.

package import Events
package import Logging

/// Does what jobs want done.
package protocol JobExecutor: Sendable {
  /// Why this agent will not do it; nil: it may begin.
  func refusal(of order: JobOrder) async -> JobRefusal?

  /// Does it. It ends soon after its task was cancelled.
  /// - Throws: whatever it failed for; as text it is the sentence that the hub is told.
  func run(_ id: JobID, _ order: JobOrder) async throws -> JobResult
}

/// Where what happens to jobs is kept.
package protocol JobJournal: Sendable {
  /// Returns when it is on the disk.
  /// - Throws: what the journal failed for.
  func append(_ body: EventBody) async throws
  /// Whether what `append` threw passes by itself, as a full disk does.
  func recovers(from error: any Error) -> Bool
}

package actor JobRunner {
  /// Offers that wait to be looked at. A hub that sends more at once repeats them.
  package static let offersMax = 64
  /// What is waited before a record is tried again that the journal could not take.
  static let recordPause: Duration = .seconds(5)

  private let journal: any JobJournal
  private let executor: any JobExecutor
  private let clock: @Sendable () -> Int64
  private let logger: Logger
  /// Told of each event that was recorded.
  private let told: @Sendable (EventBody) -> Void
  private nonisolated let offers: AsyncStream<JobOffer>
  private nonisolated let offered: AsyncStream<JobOffer>.Continuation
  private nonisolated let events: AsyncStream<JobLanes.Event>
  private nonisolated let happened: AsyncStream<JobLanes.Event>.Continuation

  private var lanes = JobLanes()
  private var running: [JobID: Task<Void, Never>] = [:]
  private var isStopping = false

  /// - Parameters:
  ///   - clock: milliseconds since 1970 UTC.
  ///   - told: hears of each event once it is on the disk.
  package init(
    journal: any JobJournal, executor: any JobExecutor, clock: @escaping @Sendable () -> Int64, logger: Logger,
    told: @escaping @Sendable (EventBody) -> Void = { _ in }
  ) {
    self.journal = journal
    self.executor = executor
    self.clock = clock
    self.logger = logger
    self.told = told
    (offers, offered) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.offersMax))
    // Each is the end of something that was begun, or comes once.
    (events, happened) = AsyncStream.makeStream()
  }

  /// Takes what the hub sent; from any thread. What is too much is dropped: the hub repeats it.
  package nonisolated func offer(_ offer: JobOffer) {
    if case .dropped(let dropped) = offered.yield(offer) {
      logger.warning("a job is not looked at: too many came at once", metadata: ["job": "\(dropped.id)"])
    }
  }

  /// The agent goes down in order: what runs is ended, and what waits stays for the next start. `run` returns when all is recorded.
  package nonisolated func stop() { happened.yield(.stopping) }

  /// Runs jobs until it is stopped, or its task is cancelled.
  ///
  /// - Parameters:
  ///   - open: what an earlier process left.
  ///   - ended: the ids that are remembered, and their deadlines.
  /// - Throws: what the journal failed for, or `CancellationError`.
  package func run(open: [(job: JobReceived, started: Int64?)], ended: [JobID: Int64]) async throws {
    defer {
      for task in running.values { task.cancel() }
      offered.finish()
      happened.finish()
    }
    // Before anything else is heard of.
    let first = lanes.resume(open: open, ended: ended, now: clock())
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.perform(first) }
      group.addTask { try await self.lookAtOffers() }
      group.addTask { try await self.lookAtDeadlines() }
      group.addTask { try await self.dealWithEvents() }
      defer { group.cancelAll() }
      // The first ends by itself; of the others the last alone, when it is over.
      while try await group.next() != nil { if isStopping { return } }
    }
  }

  private func lookAtOffers() async throws {
    for await offer in offers where !isStopping {
      let refusal: JobRefusal? =
        if let order = offer.order, offer.fault == nil { await executor.refusal(of: order) } else { nil }
      try await deal(with: .offered(offer, refusal: refusal))
    }
    // The stream has ended because this was.
    try Task.checkCancellation()
  }

  /// Deadlines are minutes and hours away: a quarter of a second more or less is nothing.
  private func lookAtDeadlines() async throws {
    while true {
      try await Task.sleep(for: .milliseconds(250))
      if isStopping { happened.yield(.passed) }
      guard let deadline = lanes.nextDeadline, deadline <= clock() else { continue }
      try await deal(with: .passed)
    }
  }

  /// Returns once it was stopped and what ran has ended.
  private func dealWithEvents() async throws {
    for await event in events {
      if event == .stopping { isStopping = true }
      if case .ended(let id, _) = event { running[id] = nil }
      try await deal(with: event)
      if isStopping, lanes.mayStop { return }
    }
    try Task.checkCancellation()
  }

  private func deal(with event: JobLanes.Event) async throws {
    try await perform(lanes.received(event, now: clock()))
  }

  private func perform(_ actions: [JobLanes.Action]) async throws {
    for action in actions {
      switch action {
      case .record(let body): try await record(body)
      case .run(let id, let order): start(id, order)
      case .stop(let id): running[id]?.cancel()
      case .ignore(let id):
        logger.error(
          "a job is not taken: this agent had more of them in the last days than it remembers",
          metadata: ["job": "\(id)"])
      }
    }
  }

  private func record(_ body: EventBody) async throws {
    while true {
      do {
        try await journal.append(body)
        break
      } catch {
        guard journal.recovers(from: error) else { throw error }
        logger.warning("what became of a job is not recorded yet", metadata: ["reason": "\(error)"])
        // The next start finds out.
        if isStopping { throw CancellationError() }
        if case .jobReceived = body { return try await deal(with: .notRecorded(body)) }
        try await Task.sleep(for: Self.recordPause)
      }
    }
    log(body)
    told(body)
    try await deal(with: .recorded(body))
  }

  private func start(_ id: JobID, _ order: JobOrder) {
    running[id] = Task.detached { [executor, happened] in
      let outcome: JobOutcome
      do { outcome = .completed(try await executor.run(id, order)) } catch is CancellationError {
        outcome = .failed(message: "It was stopped.")
      } catch { outcome = .failed(message: "\(error)") }
      happened.yield(.ended(id, outcome))
    }
  }

  private func log(_ body: EventBody) {
    switch body {
    case .jobReceived(let event):
      logger.notice("the hub wants something done", metadata: ["job": "\(event.id)", "what": "\(event.order.summary)"])
    case .jobStarted(let event): logger.notice("a job has begun", metadata: ["job": "\(event.id)"])
    case .jobCompleted(let event):
      logger.notice(
        "a job is done",
        metadata: ["job": "\(event.id)", "result": "\(event.result)", "milliseconds": "\(event.milliseconds)"])
    case .jobFailed(let event):
      logger.error(
        "a job has failed", metadata: ["job": "\(event.id)", "reason": "\(event.reason)", "detail": "\(event.message)"])
    case .jobExpired(let event): logger.warning("a job's time is over", metadata: ["job": "\(event.id)"])
    case .jobRefused(let event):
      logger.warning(
        "a job is refused",
        metadata: ["job": "\(event.id)", "reason": "\(event.reason)", "detail": "\(event.message)"])
    default: break
    }
  }
}
