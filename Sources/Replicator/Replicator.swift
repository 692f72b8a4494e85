// The shell around `Delivery`: streams to dcam, one after the other, for as long as the agent lives.
//
//    run ── wait for an identity ── connect ── stream ── it ends ── back off ──.
//            ^                                                                 |
//            '-----------------------------------------------------------------'
//
//    In normal mode a check-in stands in the stream's place (ReplicatorCheckIn.swift), and when it is over the next one is waited for.
//
//    A journal that can take nothing for a while (a full disk) ends all this as the agent's end would: it begins anew with what the
//    journal knows, once that can be written again.

package import Logging

internal import Evidence
internal import GRPCCore
internal import Platform
internal import Synchronization

/// Delivers the journal to the hub.
package final class Replicator: Sendable {
  /// Messages of the hub that wait to be dealt with. Each is a few bytes and the window bounds how many make sense
  /// (`Delivery.windowRecordsMax`); a hub that sends more than this at once is broken.
  static let inboxMax = 65_536
  /// What to wait, besides jitter, before asking a hub again that refused this agent: somebody must act first.
  static let refusedPause: Duration = .seconds(60)
  /// What to wait before the journal is tried again that could take nothing.
  static let journalPause: Duration = .seconds(5)
  /// How long a hub may take to connect, look the certificate up and say what it holds. One that takes longer is not worth holding on to.
  static let welcomeMax: Duration = .seconds(30)
  /// How long a hub may take for one exchange of a check-in: a batch over a slow line, and a commit that waits for others.
  static let exchangeMax: Duration = .seconds(60)
  /// How often a check-in that goes on looks for what came meanwhile.
  static let lookInterval: Duration = .milliseconds(250)
  /// What is waited between two check-ins where neither hub nor configuration says anything.
  package static let checkInInterval: Duration = .seconds(300)
  /// A hub that asks for more than this is taken at this: a supply lasts hours.
  package static let checkInLongest: Duration = .seconds(3_600)
  /// A hub that asks for less is taken at this, or it would be asked without a pause.
  package static let checkInShortest: Duration = .seconds(1)

  /// What is waited after a check-in at least before a record that is in a hurry has another one made: a connection with its handshake costs the hub more
  /// than the record, and a device whose alerts come and go must not make a stream of it.
  package static let urgentSpacing: Duration = .seconds(30)
  /// How often it is looked for such a record: what would have waited for minutes may wait a second more.
  static let urgentLook: Duration = .seconds(1)

  /// For how long a conflict is told of. What caused it is over once the hub takes what came after it; a copy of this machine that goes on with the
  /// same identity makes others before this ends.
  package static let conflictMemory: Duration = .seconds(900)
  /// How often it is looked whether one may be forgotten.
  private static let conflictLook: Duration = .seconds(1)

  /// Jobs of one answer that are taken; the hub repeats what is not.
  static let jobsAtOnceMax = 64

  let source: any DeliverySource
  private let targets: any DeliveryTargets
  let introduction: AgentIntroduction
  private let schedule: @Sendable () -> CheckInSchedule?
  let settings: (any SettingsReceiver)?
  private let journalRecovers: @Sendable (any Error) -> Bool
  private let conflictMemory: Duration
  let logger: Logger
  let takeJob: @Sendable (HubJob) -> Void
  private let observe: @Sendable (DeliveryStatus) -> Void
  private let shared: Mutex<DeliveryStatus>
  /// Finished, it ends the wait for the next attempt.
  private let bell = Mutex<AsyncStream<Never>.Continuation?>(nil)
  /// What is watched from outside.
  let live = Mutex(Live())

  struct Live {
    var delivery: SharedDelivery?
    var inbox: Inbox?
    var lastConflict: ContinuousClock.Instant?
    /// When the wait for the next attempt ends; nil while none is waited for.
    var waitEnds: SuspendingClock.Instant?
  }

  /// - Parameters:
  ///   - schedule: of check-ins, in normal mode; nil: service mode. Looked at again and again: a change takes effect within a second.
  ///   - settings: takes what the hub sets; nil: nobody does.
  ///   - journalRecovers: whether what the source threw passes without a restart, as a full disk does.
  ///   - takeJob: told of each job that the hub sends, as often as it sends it; it must not block. The hub has proved to be the one that this
  ///     agent is enrolled with: nothing else is spoken to.
  ///   - observe: told of each change of the status, from any task; it must not block.
  package init(
    source: any DeliverySource, targets: any DeliveryTargets, introduction: AgentIntroduction,
    schedule: @escaping @Sendable @autoclosure () -> CheckInSchedule? = nil, settings: (any SettingsReceiver)? = nil,
    journalRecovers: @escaping @Sendable (any Error) -> Bool, conflictMemory: Duration = Replicator.conflictMemory,
    logger: Logger, takeJob: @escaping @Sendable (HubJob) -> Void = { _ in },
    observe: @escaping @Sendable (DeliveryStatus) -> Void
  ) {
    self.source = source
    self.targets = targets
    self.introduction = introduction
    self.schedule = schedule
    self.settings = settings
    self.journalRecovers = journalRecovers
    self.conflictMemory = conflictMemory
    self.logger = logger
    self.takeJob = takeJob
    self.observe = observe
    let target = targets.current()
    var status = DeliveryStatus(state: target == nil ? .notEnrolled : .connecting)
    status.mode = schedule() == nil ? .service : .normal
    if let target { status.hub = target.address.description }
    shared = Mutex(status)
  }

  package var status: DeliveryStatus { shared.withLock { $0 } }

  /// Makes the next attempt or check-in now if it is being waited for: the status is `connecting` when this returns. Does nothing else, least
  /// of all where the hub has refused this agent.
  package func hurry() {
    switch status.state {
    case .waiting, .checkedIn: break
    default: return
    }
    update { $0.state = .connecting }
    bell.withLock { $0?.finish() }
  }

  /// Delivers until the task is cancelled.
  /// - Throws: `CancellationError`, or an error of the journal itself that does not pass.
  package func run() async throws {
    try await first({ try await self.deliverAlways() }, { try await self.forgetConflicts() })
  }

  private func deliverAlways() async throws {
    while true {
      do { try await deliver() } catch let failure as SourceFailure {
        guard journalRecovers(failure.cause) else { throw failure.cause }
        update { ($0.state, $0.lag) = (.journalFull(reason: "\(failure.cause)"), nil) }
        logger.warning(
          "delivery is interrupted: the journal cannot be written",
          metadata: ["reason": "\(failure.cause)", "retry_in": "\(Self.journalPause.spoken)"])
        try await Task.sleep(for: Self.journalPause)
      }
    }
  }

  /// Delivers until the journal fails.
  private func deliver() async throws {
    let (delivery, cursor) = try await fromSource { source in
      let cursor = try await source.cursor()
      let delivery = SharedDelivery(
        Delivery(
          heads: try await source.heads(), lost: try await source.lost(), cursor: cursor,
          checkpoint: try await source.checkpoint()))
      return (delivery, cursor)
    }
    live.withLock { $0 = Live(delivery: delivery, lastConflict: $0.lastConflict) }
    update { $0.acknowledged = cursor }
    var backoff = Backoff()
    var generator = SystemRandomNumberGenerator()
    var install: String?
    while true {
      try Task.checkCancellation()
      guard let target = targets.current() else {
        update { ($0.state, $0.lag) = (.notEnrolled, nil) }
        try await targets.changed(from: nil)
        continue
      }
      guard Machine.milliseconds / 1000 <= target.usableUntil else {
        logger.error("the certificate has ended", metadata: ["hub": "\(target.address)"])
        update { $0.state = .certificateExpired }
        try await targets.changed(from: target)
        continue
      }
      // Of another install the hub holds nothing that this journal could contradict.
      if let install, install != target.install { update { $0.recentConflicts = 0 } }
      install = target.install
      let schedule = schedule()
      update {
        ($0.state, $0.hub) = (.connecting, target.address.description)
        ($0.nextCheckIn, $0.nextAttempt) = (nil, nil)
        $0.mode = schedule == nil ? .service : .normal
      }
      let ending = try await attempt(target, schedule, delivery)
      delivery.value.withLock { _ = $0.received(.closed) }
      if delivery.takeProgress() { backoff.succeeded() }
      let (silence, bell) = AsyncStream.makeStream(of: Never.self)
      self.bell.withLock { $0 = bell }
      let delay: Duration
      var isCheckedIn = false
      switch ending {
      case .overtaken: continue
      case .checkedIn(let next):
        backoff.succeeded()
        (delay, isCheckedIn) = (next, true)
        update { ($0.state, $0.nextCheckIn) = (.checkedIn, Machine.milliseconds + next.milliseconds) }
      case .ended(let ending): delay = pause(after: ending, &backoff, &generator)
      }
      let cutsShort = isCheckedIn
      live.withLock { $0.waitEnds = .now + delay }
      defer { live.withLock { $0.waitEnds = nil } }
      try await first(
        { try await Task.sleep(for: delay) }, { try await self.targets.changed(from: target) },
        { try await self.changed(from: schedule) }, { for await _ in silence {} },
        { if cutsShort { try await self.untilUrgent(delivery) } else { try await Self.never() } })
    }
  }

  private enum Ending {
    /// By another identity, or another schedule.
    case overtaken
    /// Everything was answered; the next check-in is due after this.
    case checkedIn(next: Duration)
    case ended(StreamEnding)
  }

  /// One stream, or one check-in. Returns how it ended.
  private func attempt(
    _ target: DeliveryTarget, _ schedule: CheckInSchedule?, _ delivery: SharedDelivery
  ) async throws -> Ending {
    let next = Mutex<Duration?>(nil)
    do {
      try await first(
        {
          guard let schedule else { return try await self.stream(to: target, delivery) }
          let asked = try await self.checkIn(to: target, delivery)
          next.withLock { $0 = schedule.pause(asked: asked) }
        }, { try await self.targets.changed(from: target) }, { try await self.changed(from: schedule) })
      return next.withLock { $0 }.map { .checkedIn(next: $0) } ?? .overtaken
    } catch let error as CancellationError {
      throw error
    } catch let error as SourceFailure {
      throw error
    } catch {
      try Task.checkCancellation()
      return .ended(StreamEnding(error))
    }
  }

  /// Until it is cancelled.
  private static func never() async throws { while true { try await Task.sleep(for: .seconds(3_600)) } }

  /// Returns when check-ins are to be made otherwise.
  private func changed(from schedule: CheckInSchedule?) async throws {
    while self.schedule() == schedule { try await Task.sleep(for: Self.lookInterval) }
  }

  private func pause(
    after ending: StreamEnding, _ backoff: inout Backoff, _ generator: inout SystemRandomNumberGenerator
  ) -> Duration {
    switch ending {
    case .unavailable(let trouble, let hint):
      let delay = backoff.failed(hint: hint, using: &generator)
      fail(.waiting(trouble), delay)
      logger.warning("delivery is interrupted", metadata: Self.metadata(trouble, delay))
      return delay
    case .refused(let trouble):
      let delay = backoff.failed(hint: Self.refusedPause, using: &generator)
      fail(.refused(trouble), delay)
      logger.error("the hub refuses this agent", metadata: Self.metadata(trouble, delay))
      return delay
    case .foreign(let trouble):
      let delay = backoff.failed(hint: Self.refusedPause, using: &generator)
      fail(.foreign(trouble), delay)
      logger.error("what answers is not this agent's hub", metadata: Self.metadata(trouble, delay))
      return delay
    }
  }

  private func fail(_ state: DeliveryStatus.State, _ delay: Duration) {
    let next = Machine.milliseconds + delay.milliseconds
    update { ($0.state, $0.lag, $0.nextAttempt) = (state, nil, next) }
  }

  private static func metadata(_ trouble: DeliveryStatus.Trouble, _ delay: Duration) -> Logger.Metadata {
    ["reason": "\(trouble.reason)", "remedy": "\(trouble.remedy)", "retry_in": "\(delay.spoken)"]
  }

  func noteConflict() {
    live.withLock { $0.lastConflict = .now }
    update { ($0.conflicts, $0.recentConflicts) = ($0.conflicts + 1, $0.recentConflicts + 1) }
  }

  /// Until it is cancelled.
  private func forgetConflicts() async throws {
    while true {
      try await Task.sleep(for: min(Self.conflictLook, conflictMemory))
      update { status in
        // Looked at within, so that none is forgotten that comes now.
        let last = live.withLock { $0.lastConflict }
        if last.map({ .now - $0 >= conflictMemory }) ?? true { status.recentConflicts = 0 }
      }
    }
  }

  /// How delivery moves, for whoever watches it.
  package var pulse: DeliveryPulse {
    let live = live.withLock { $0 }
    var pulse =
      live.delivery?.value.withLock { DeliveryPulse(unacknowledged: $0.inFlight, withheld: $0.withheld) }
      ?? DeliveryPulse()
    pulse.undealtSince = live.inbox?.undealtSince
    pulse.waitEnds = live.waitEnds
    return pulse
  }

  func update(_ change: (inout DeliveryStatus) -> Void) {
    let changed = shared.withLock { status -> DeliveryStatus? in
      let before = status
      change(&status)
      return status == before ? nil : status
    }
    if let changed { observe(changed) }
  }
}

/// The journal failed, not the hub: delivery cannot go on by trying again.
struct SourceFailure: Error {
  let cause: any Error
}

/// Runs them all; the first to end ends the others, and what it throws is thrown.
func first(_ operations: (@Sendable () async throws -> Void)...) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for operation in operations { group.addTask { try await operation() } }
    defer { group.cancelAll() }
    try await group.next()
  }
}
