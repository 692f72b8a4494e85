import Events
import Logging
import Synchronization
import Testing

@testable import Jobs

/// A journal in memory that is full while it is told so.
private final class MemoryJournal: JobJournal {
  struct Full: Error {}
  private let state = Mutex<(events: [EventBody], isFull: Bool)>(([], false))
  private let (news, told) = AsyncStream.makeStream(of: EventBody.self)

  var events: [EventBody] { state.withLock { $0.events } }
  func fill(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }

  func append(_ body: EventBody) async throws {
    try state.withLock { state in
      if state.isFull { throw Full() }
      state.events.append(body)
    }
    told.yield(body)
  }

  func recovers(from error: any Error) -> Bool { error is Full }

  /// Waits for an event of this kind about this job.
  func waits(for type: UInt16, _ id: JobID) async {
    for await body in news where body.type == type && body.job == id { return }
  }
}

/// Runs what it is told to until it is let go or stopped.
private final class Desk: JobExecutor {
  private let gates = Mutex<[JobID: AsyncStream<Never>.Continuation]>([:])
  private let begun = Mutex<[JobID]>([])

  var order: [JobID] { begun.withLock { $0 } }

  func refusal(of order: JobOrder) async -> JobRefusal? {
    order.ranges == ["0.0.0.0/0"] ? JobRefusal(.notPermitted, "That is not ours.") : nil
  }

  func run(_ id: JobID, _ order: JobOrder) async throws -> JobResult {
    let (gate, open) = AsyncStream.makeStream(of: Never.self)
    gates.withLock { $0[id] = open }
    begun.withLock { $0.append(id) }
    for await _ in gate {}
    try Task.checkCancellation()
    return JobResult("done")
  }

  /// Lets a job end, once it has begun.
  func letGo(_ id: JobID) async {
    while gates.withLock({ $0[id] }) == nil { await Task.yield() }
    gates.withLock { $0[id] }?.finish()
  }
}

@Suite struct `A runner of jobs` {
  private let journal = MemoryJournal()
  private let desk = Desk()

  private func runner() -> JobRunner {
    JobRunner(
      journal: journal, executor: desk, clock: { 1_000 },
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  private func id(_ number: UInt8) throws -> JobID {
    try #require(JobID([UInt8](repeating: 0, count: 15) + [number]))
  }

  private func offer(_ id: JobID, _ order: JobOrder) -> JobOffer {
    JobOffer(id: id, order: order, created: 1, timeLeft: .seconds(60))
  }

  @Test(.timeLimit(.minutes(5)))
  func `records, runs, and ends in order what it can`() async throws {
    let (runner, first, second, third) = (runner(), try id(1), try id(2), try id(3))
    async let whole: Void = runner.run(open: [], ended: [:])
    runner.offer(offer(first, JobOrder(.scan)))
    await journal.waits(for: EventType.jobStarted, first)
    runner.offer(offer(first, JobOrder(.scan)))
    runner.offer(offer(second, JobOrder(.scan, ranges: ["0.0.0.0/0"])))
    await journal.waits(for: EventType.jobRefused, second)
    await desk.letGo(first)
    await journal.waits(for: EventType.jobCompleted, first)
    runner.offer(offer(third, JobOrder(.scan)))
    await journal.waits(for: EventType.jobStarted, third)
    runner.stop()
    try await whole
    #expect(
      journal.events.map { EventType.name($0.type) } == [
        "JobReceived", "JobStarted", "JobRefused", "JobCompleted", "JobReceived", "JobStarted", "JobFailed",
      ])
    #expect(desk.order == [first, third])
    #expect(
      journal.events.last == .jobFailed(JobFailed(id: third, .interrupted, "The agent was stopped while it ran.")))
  }

  @Test(.timeLimit(.minutes(5)))
  func `takes nothing that the journal cannot, and the same when it is offered again`() async throws {
    let (runner, first) = (runner(), try id(1))
    journal.fill(true)
    async let whole: Void = runner.run(open: [], ended: [:])
    for _ in 0..<5 {
      runner.offer(offer(first, JobOrder(.scan)))
      await Task.yield()
    }
    #expect(journal.events.isEmpty && desk.order.isEmpty)
    journal.fill(false)
    runner.offer(offer(first, JobOrder(.scan)))
    await journal.waits(for: EventType.jobStarted, first)
    await desk.letGo(first)
    await journal.waits(for: EventType.jobCompleted, first)
    runner.stop()
    try await whole
    #expect(journal.events.count == 3)
  }
}
