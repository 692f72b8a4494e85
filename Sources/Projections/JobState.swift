// The agent's jobs: those that are open, and of those that ended the last ones, so that none is run twice.

package import Events

/// One job as its events tell it.
package struct JobState: Equatable, Sendable {
  /// How a job ended.
  package enum End: Equatable, Sendable {
    case completed(JobCompleted)
    case failed(JobFailed)
    case expired(JobExpired)
    case refused(JobRefused)

    package var body: EventBody {
      switch self {
      case .completed(let event): .jobCompleted(event)
      case .failed(let event): .jobFailed(event)
      case .expired(let event): .jobExpired(event)
      case .refused(let event): .jobRefused(event)
      }
    }
  }

  package let id: JobID
  /// Nil of a job that was refused at once. Once the job has ended, without what it was about.
  package internal(set) var received: Timed<JobReceived>?
  /// Nil again once it has ended.
  package internal(set) var started: Timed<JobStarted>?
  /// Without what it brought.
  package internal(set) var ended: Timed<End>?

  init(id: JobID) { self.id = id }

  package var isOpen: Bool { ended == nil }

  /// By the agent's clock, in milliseconds since 1970 UTC; nil where nothing tells.
  package var deadline: Int64? {
    if case .refused(let refused)? = ended?.fact, received == nil { return refused.deadline }
    return received?.fact.deadline
  }
}

/// The jobs of one agent.
package struct JobStates: Equatable, Sendable {
  /// Jobs that ended are remembered, the last so many: a hub that was put back to an earlier state may send them again.
  package static let endedMax = 1_024
  /// No agent has more open ones; a journal that says so has lost the ends of the oldest.
  package static let openMax = 256

  package private(set) var byID: [JobID: JobState] = [:]

  package init() {}

  package subscript(_ id: JobID) -> JobState? { byID[id] }

  /// Those that were received and have not ended, in the order in which they were received.
  package var open: [JobState] { ordered { $0.isOpen } }

  private func ordered(_ isWanted: (JobState) -> Bool) -> [JobState] {
    byID.values.filter(isWanted).sorted { (Self.time($0), $0.id) < (Self.time($1), $1.id) }
  }

  /// Of an open one when it was received, else when it ended.
  private static func time(_ job: JobState) -> Int64 { job.ended?.time ?? job.received?.time ?? job.started?.time ?? 0 }

  /// Whether the event is of a job.
  mutating func apply(_ event: Event, _ touched: (StateKey) -> Void) -> Bool {
    switch event.body {
    case .jobReceived(let body):
      // A job that has ended has: a second receipt is none.
      guard byID[body.id]?.ended == nil else { return true }
      change(body.id, touched) { $0.received = Timed(event.time, body) }
    case .jobStarted(let body):
      guard byID[body.id]?.ended == nil else { return true }
      change(body.id, touched) { $0.started = Timed(event.time, body) }
    case .jobCompleted(var body):
      body.attachment = []
      end(body.id, event.time, .completed(body), touched)
    case .jobFailed(var body):
      (body.visit, body.device) = (nil, nil)
      end(body.id, event.time, .failed(body), touched)
    case .jobExpired(let body): end(body.id, event.time, .expired(body), touched)
    case .jobRefused(var body):
      (body.visit, body.device) = (nil, nil)
      end(body.id, event.time, .refused(body), touched)
    default: return false
    }
    return true
  }

  private mutating func end(_ id: JobID, _ time: Int64, _ end: JobState.End, _ touched: (StateKey) -> Void) {
    change(id, touched) { job in
      job.received?.fact.order.ranges = []
      job.received?.fact.order.devices = []
      job.started = nil
      job.ended = Timed(time, end)
    }
  }

  private mutating func change(
    _ id: JobID, _ touched: (StateKey) -> Void, _ change: (inout JobState) -> Void
  ) {
    change(&byID[id, default: JobState(id: id)])
    StateKey.ofJob(id).forEach(touched)
    guard byID.count > Self.openMax else { return }
    forget(ordered { $0.isOpen }.dropLast(Self.openMax), touched)
    forget(ordered { !$0.isOpen }.dropLast(Self.endedMax), touched)
  }

  private mutating func forget(_ jobs: some Sequence<JobState>, _ touched: (StateKey) -> Void) {
    for job in jobs {
      byID[job.id] = nil
      StateKey.ofJob(job.id).forEach(touched)
    }
  }
}

// MARK: - Rows

extension StateKey {
  /// The rows of a job: as received, as started, and its end, which is a row of type 82 whichever it was.
  static func ofJob(_ id: JobID) -> [StateKey] {
    [EventType.jobReceived, EventType.jobStarted, EventType.jobCompleted].map { StateKey($0, job: id) }
  }
}

extension JobStates {
  var keys: [StateKey] { byID.keys.flatMap(StateKey.ofJob) }

  func row(_ type: UInt16, _ id: JobID) -> Event? {
    guard let job = byID[id] else { return nil }
    return switch type {
    case EventType.jobReceived: job.received.map { Event(time: $0.time, .jobReceived($0.fact)) }
    case EventType.jobStarted: job.started.map { Event(time: $0.time, .jobStarted($0.fact)) }
    case EventType.jobCompleted: job.ended.map { Event(time: $0.time, $0.fact.body) }
    default: nil
    }
  }
}
