// Which job runs when: a value without clock, journal or task. Events come in, actions go out; its owner records what it is told to record,
// runs what it is told to run, and tells what came of it.
//
//     offered ──> receiving ──> waiting ──> starting ──> running ──> ending ──> (gone, its id is remembered)
//        │            recorded      │          recorded    │  ended      recorded
//        │                          ├── deadline, taken back, stopping ──> ending
//        └── refused ──────────────────────────────────────────────────> ending
//
// What holds at every moment:
//   * A job is in the journal as received before it waits, and as started before it runs; its id is taken once, whatever the hub repeats.
//   * One job runs in each lane, in that of people who wait twenty. A lane waits for no other, but for a restart.
//   * A job whose deadline has passed is ended: at once where it waits, when it has stopped where it runs.
//   * A restart that is queued begins when nothing runs, and nothing begins before it; one that stands alone begins at once. It never ends here:
//     that the agent is back is its end.
//
// A record that the journal could not take (its disk is full) is tried again by the owner, but for the receipt: that job is forgotten here, and
// the hub repeats it.

package import Events

package struct JobLanes: Sendable {
  /// What is done one after the other.
  package enum Lane: CaseIterable, Sendable {
    /// Somebody sits before a screen and waits.
    case interactive
    /// Printers are asked.
    case collection
    /// The agent itself.
    case administration

    /// How many run at one time.
    package var width: Int { self == .interactive ? 20 : 1 }

    package init(_ kind: JobOrder.Kind) {
      switch kind {
      case .page: self = .interactive
      case .scan, .upload, .alerts: self = .collection
      case .settings, .restart, .diagnostics: self = .administration
      }
    }
  }

  /// Jobs that wait in a lane. More of them were sent by mistake, and would come too late.
  package static let waitingMax = 16
  /// Jobs that ended and whose ids are remembered: no more than the projection keeps (`JobStates.endedMax`).
  package static let rememberedMax = 1_024

  package enum Event: Equatable, Sendable {
    /// - refusal: why this agent will not do it, if it is well-formed.
    case offered(JobOffer, refusal: JobRefusal?)
    /// The answers to `record`.
    case recorded(EventBody)
    case notRecorded(EventBody)
    /// What `run` came to. After `stop` it may say anything.
    case ended(JobID, JobOutcome)
    /// The agent goes down in order.
    case stopping
    /// Time has passed: at `nextDeadline`, for one.
    case passed
  }

  package enum Action: Equatable, Sendable {
    /// Append this, and tell `recorded` or `notRecorded`.
    case record(EventBody)
    case run(JobID, JobOrder)
    /// End what runs, and tell `ended`.
    case stop(JobID)
    /// For the log: as many ids are remembered as may be, so that nothing is taken.
    case ignore(JobID)
  }

  private enum Phase: Equatable {
    case receiving, waiting, starting
    case running(since: Int64)
    case ending
  }

  /// Why what runs is being ended.
  private enum Stop: Equatable {
    case deadline, cancelled, stopping
  }

  private struct Job {
    let order: JobOrder
    let lane: Lane
    let deadline: Int64
    var phase: Phase
    var stop: Stop?

    var restart: JobOrder.RestartMode? {
      order.kind == JobOrder.Kind.restart.rawValue ? JobOrder.RestartMode(rawValue: order.option) : nil
    }

    /// Whether it takes its lane.
    var isActive: Bool {
      switch phase {
      case .starting, .running: true
      case .receiving, .waiting, .ending: false
      }
    }
  }

  private var jobs: [JobID: Job] = [:]
  /// Those that wait, in the order in which they came.
  private var queue: [JobID] = []
  /// The deadlines of those that ended.
  private var remembered: [JobID: Int64] = [:]
  private var isStopping = false

  package init() {}

  /// How many are open here.
  package var count: Int { jobs.count }

  /// Whether nothing runs any more that could still be ended in order.
  package var mayStop: Bool { jobs.values.allSatisfy { $0.restart != nil || !$0.isActive && $0.phase != .ending } }

  /// When the next deadline passes, by the agent's clock in milliseconds since 1970 UTC; nil: there is none.
  package var nextDeadline: Int64? {
    jobs.values.filter { $0.phase != .ending && $0.stop == nil && $0.phase != .receiving }.map(\.deadline).min()
  }

  // MARK: - The beginning

  /// What an earlier process left, in the order in which it was received. That of a restart that was begun is its end.
  ///
  /// - Parameters:
  ///   - open: what was received, and when it was started.
  ///   - ended: the ids that are remembered, and their deadlines.
  package mutating func resume(
    open: [(job: JobReceived, started: Int64?)], ended: [JobID: Int64], now: Int64
  ) -> [Action] {
    remembered = ended
    var actions: [Action] = []
    for (job, started) in open {
      guard let kind = JobOrder.Kind(rawValue: job.order.kind) else {
        actions += end(job.id, job.deadline, .jobFailed(JobFailed(id: job.id, .failed, Self.unknownNow, of: job.order)))
        continue
      }
      jobs[job.id] = Job(order: job.order, lane: Lane(kind), deadline: job.deadline, phase: .waiting)
      guard let started else {
        queue.append(job.id)
        continue
      }
      let back = JobCompleted(id: job.id, result: "The agent is back.", milliseconds: UInt64(max(now - started, 0)))
      actions += end(
        job.id, job.deadline,
        kind == .restart
          ? .jobCompleted(back)
          : .jobFailed(
            JobFailed(id: job.id, .interrupted, "The agent's process ended while it ran.", of: job.order)))
    }
    return actions + proceed(now)
  }

  private static let unknownNow = "This release of the agent does not know this kind of job."

  // MARK: - Events

  package mutating func received(_ event: Event, now: Int64) -> [Action] {
    switch event {
    case .offered(let offer, let refusal): return offered(offer, refusal, now)
    case .recorded(let body): return recorded(body, now)
    case .notRecorded(let body):
      // The owner tries everything else again.
      if case .jobReceived(let job) = body { jobs[job.id] = nil }
      return []
    case .ended(let id, let outcome): return ended(id, outcome, now)
    case .stopping:
      isStopping = true
      return stop(.stopping) { _, job in job.restart == nil }
    case .passed: return proceed(now)
    }
  }

  private mutating func offered(_ offer: JobOffer, _ refusal: JobRefusal?, _ now: Int64) -> [Action] {
    if let job = jobs[offer.id] { return offer.isCancelled ? cancel(offer.id, job, now) : [] }
    guard remembered[offer.id] == nil, !isStopping else { return [] }
    guard hasRoom(now) else { return [.ignore(offer.id)] }
    let left = min(max(offer.timeLeft, .zero), JobOffer.timeLeftMax)
    let deadline = now.addingReportingOverflow(left.wholeMilliseconds).partialValue
    if offer.isCancelled {
      return refuse(offer, deadline, JobRefusal(.cancelled, "The hub took it back before it came."))
    }
    if let refusal = offer.fault ?? refusal { return refuse(offer, deadline, refusal) }
    guard let order = offer.order, let kind = JobOrder.Kind(rawValue: order.kind) else { return [] }
    guard left > .zero else {
      return end(offer.id, deadline, .jobExpired(JobExpired(id: offer.id, hadStarted: false)))
    }
    let lane = Lane(kind)
    guard jobs.values.count(where: { $0.lane == lane && !$0.isActive && $0.phase != .ending }) < Self.waitingMax else {
      return refuse(
        offer, deadline, JobRefusal(.busy, "\(Self.waitingMax) jobs of this kind wait already. Send it later."))
    }
    jobs[offer.id] = Job(order: order, lane: lane, deadline: deadline, phase: .receiving)
    return [
      .record(.jobReceived(JobReceived(id: offer.id, order: order, created: offer.created, deadline: deadline)))
    ]
  }

  private mutating func refuse(_ offer: JobOffer, _ deadline: Int64, _ refusal: JobRefusal) -> [Action] {
    end(
      offer.id, deadline,
      .jobRefused(
        JobRefused(id: offer.id, refusal.reason, refusal.message, of: offer.order, deadline: deadline)))
  }

  /// Ids are forgotten once no sound hub can send them any more.
  private mutating func hasRoom(_ now: Int64) -> Bool {
    if remembered.count >= Self.rememberedMax { remembered = remembered.filter { $0.value > now } }
    return remembered.count < Self.rememberedMax
  }

  private mutating func recorded(_ body: EventBody, _ now: Int64) -> [Action] {
    switch body {
    case .jobReceived(let event):
      guard jobs[event.id]?.phase == .receiving else { return [] }
      jobs[event.id]?.phase = .waiting
      queue.append(event.id)
    case .jobStarted(let event):
      guard let job = jobs[event.id], job.phase == .starting else { return [] }
      // It was taken back, or its time was over, while that was being written.
      if let stop = job.stop { return end(event.id, job.deadline, Self.body(event.id, job.order, stopped: stop)) }
      jobs[event.id]?.phase = .running(since: now)
      return [.run(event.id, job.order)] + proceed(now)
    default:
      guard let id = body.endedJob else { return [] }
      if let job = jobs.removeValue(forKey: id) { remembered[id] = job.deadline }
    }
    return proceed(now)
  }

  private mutating func ended(_ id: JobID, _ outcome: JobOutcome, _ now: Int64) -> [Action] {
    guard let job = jobs[id], case .running(let since) = job.phase else { return [] }
    // What comes to an end with the process ends with the next one.
    if job.restart != nil, isStopping { return [] }
    let milliseconds = UInt64(max(now - since, 0))
    switch (outcome, job.stop) {
    // Done all the same.
    case (.completed(let result), _):
      return end(
        id, job.deadline,
        .jobCompleted(
          JobCompleted(
            id: id, result: result.text, milliseconds: milliseconds, attachment: result.attachment, path: result.path)))
    case (.failed, let stop?): return end(id, job.deadline, Self.body(id, job.order, stopped: stop))
    case (.failed(let message), nil):
      return end(id, job.deadline, .jobFailed(JobFailed(id: id, .failed, message, of: job.order)))
    }
  }

  private static func body(_ id: JobID, _ order: JobOrder, stopped: Stop) -> EventBody {
    switch stopped {
    case .deadline: .jobExpired(JobExpired(id: id, hadStarted: true))
    case .cancelled: .jobFailed(JobFailed(id: id, .cancelled, "The hub took it back while it ran.", of: order))
    case .stopping: .jobFailed(JobFailed(id: id, .interrupted, "The agent was stopped while it ran.", of: order))
    }
  }

  private mutating func cancel(_ id: JobID, _ job: Job, _ now: Int64) -> [Action] {
    switch job.phase {
    // What is being written is answered soon, and the hub repeats itself.
    case .receiving, .ending: return []
    case .waiting:
      let refusal = JobRefusal(.cancelled, "The hub took it back before it began.")
      return end(
        id, job.deadline,
        .jobRefused(
          JobRefused(id: id, refusal.reason, refusal.message, of: job.order, deadline: job.deadline)))
    // Past being stopped: the process ends.
    case .starting where job.restart != nil, .running where job.restart != nil: return []
    case .starting, .running: return stop(.cancelled) { meant, _ in meant == id }
    }
  }

  // MARK: - What is due

  private mutating func proceed(_ now: Int64) -> [Action] {
    var actions = expire(now)
    guard !isStopping else { return actions }
    while let id = next() {
      queue.removeAll { $0 == id }
      jobs[id]?.phase = .starting
      actions.append(.record(.jobStarted(JobStarted(id: id))))
    }
    return actions
  }

  private mutating func expire(_ now: Int64) -> [Action] {
    let late = queue.filter { jobs[$0].map { $0.deadline <= now } ?? false }
    var actions: [Action] = late.flatMap { id in
      end(id, jobs[id]?.deadline ?? now, .jobExpired(JobExpired(id: id, hadStarted: false)))
    }
    // A restart that was begun is past being stopped.
    actions += stop(.deadline) { _, job in job.deadline <= now && job.restart == nil }
    return actions
  }

  /// The next job that may begin.
  private func next() -> JobID? {
    guard !jobs.values.contains(where: { $0.restart != nil && $0.isActive }) else { return nil }
    if let id = queue.first(where: { jobs[$0]?.restart == .standalone }) { return id }
    let active = jobs.values.filter(\.isActive).map(\.lane)
    let busy = Lane.allCases.filter { lane in active.count { $0 == lane } >= lane.width }
    let first = Lane.allCases.compactMap { lane in queue.first { jobs[$0]?.lane == lane } }
    if let restart = first.first(where: { jobs[$0]?.restart == .queued }), !busy.contains(.administration) {
      return active.isEmpty ? restart : nil
    }
    return first.first { id in jobs[id].map { !busy.contains($0.lane) } ?? false }
  }

  private mutating func stop(_ reason: Stop, _ isMeant: (JobID, Job) -> Bool) -> [Action] {
    var actions: [Action] = []
    for id in jobs.keys.sorted() {
      guard let job = jobs[id], job.isActive, job.stop == nil, isMeant(id, job) else { continue }
      jobs[id]?.stop = reason
      if case .running = job.phase { actions.append(.stop(id)) }
    }
    return actions
  }

  /// The job is over, once this is recorded.
  private mutating func end(_ id: JobID, _ deadline: Int64, _ body: EventBody) -> [Action] {
    queue.removeAll { $0 == id }
    if jobs[id] == nil {
      jobs[id] = Job(order: JobOrder(kind: ""), lane: .administration, deadline: deadline, phase: .ending)
    }
    jobs[id]?.phase = .ending
    return [.record(body)]
  }
}

extension EventBody {
  /// The job that this ends.
  package var endedJob: JobID? {
    switch self {
    case .jobCompleted(let event): event.id
    case .jobFailed(let event): event.id
    case .jobExpired(let event): event.id
    case .jobRefused(let event): event.id
    default: nil
    }
  }

  /// The job that this is about.
  package var job: JobID? {
    switch self {
    case .jobReceived(let event): event.id
    case .jobStarted(let event): event.id
    default: endedJob
    }
  }
}

extension Duration {
  /// Rounded down; for spans of days.
  fileprivate var wholeMilliseconds: Int64 {
    components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
  }
}
