// Runs what the hub wants done (the room Jobs), over this agent's journal, and sees to it that the hub hears of it soon.
//
// In service mode what became of a job goes with the stream, ahead of a backlog. In normal mode the next check-in is minutes away: it is made now.

internal import Events
internal import Evidence
internal import Journal
internal import Jobs
internal import Logging
internal import Platform
internal import Projections
internal import ReadModels
internal import Replicator
internal import ServiceLifecycle
internal import Synchronization

final class JobService: Service {
  private let runner: JobRunner
  private let open: [(job: JobReceived, started: Int64?)]
  private let ended: [JobID: Int64]
  private let urge: DeliveryUrge
  private let logger: Logger

  /// - Parameters:
  ///   - jobs: what the journal says of jobs, before anything else of them is appended.
  init(
    journal: Journal, jobs: JobStates, executor: any JobExecutor, replicator: Replicator, logger: Logger
  ) {
    let urge = DeliveryUrge(replicator)
    runner = JobRunner(
      journal: JobRecords(journal: journal), executor: executor, clock: { Machine.milliseconds }, logger: logger,
      told: { _ in urge.recorded() })
    open = jobs.open.compactMap { job in job.received.map { ($0.fact, job.started?.time) } }
    // One that nothing tells the deadline of is remembered for as long as any may wait.
    let longest = Machine.milliseconds + JobOffer.timeLeftMax.milliseconds
    ended = Dictionary(
      uniqueKeysWithValues: jobs.byID.values.filter { !$0.isOpen }.map { ($0.id, $0.deadline ?? longest) })
    self.urge = urge
    self.logger = logger
  }

  /// Takes what the hub sent; from any thread.
  func take(_ job: HubJob) {
    guard let offer = JobOffer(job) else {
      return logger.error("a job has no id, and nothing can be said of it", metadata: ["bytes": "\(job.id.count)"])
    }
    runner.offer(offer)
  }

  func run() async throws {
    let runner = runner
    try await withGracefulShutdownHandler {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await runner.run(open: self.open, ended: self.ended) }
        group.addTask { try await self.urge.run() }
        defer { group.cancelAll() }
        try await group.next()
      }
    } onGracefulShutdown: {
      runner.stop()
    }
  }
}

/// What happens to jobs, as records.
private struct JobRecords: JobJournal {
  let journal: Journal

  func append(_ body: EventBody) async throws { try await journal.append(body) }

  func recovers(from error: any Error) -> Bool { (error as? JournalError)?.isDiskFull ?? false }
}

/// Lets normal mode check in when something was recorded that somebody waits for.
private final class DeliveryUrge: Sendable {
  private static let look: Duration = .milliseconds(200)
  /// Check-ins that one record is worth: one may be under way that does not see it any more, and one may fail.
  private static let attempts = 2

  private let replicator: Replicator
  private let left = Mutex(0)

  init(_ replicator: Replicator) { self.replicator = replicator }

  func recorded() { left.withLock { $0 = Self.attempts } }

  func run() async throws {
    while true {
      try await Task.sleep(for: Self.look)
      guard replicator.status.mode == .normal, replicator.status.state == .checkedIn else { continue }
      let isDue = left.withLock { left in
        guard left > 0 else { return false }
        left -= 1
        return true
      }
      if isDue { replicator.hurry() }
    }
  }
}

extension JobOffer {
  /// Nil for a job without an id of 16 bytes.
  init?(_ job: HubJob) {
    guard let id = JobID(job.id) else { return nil }
    var malformed: String?
    func devices(_ ids: [[UInt8]]) -> [DeviceID] {
      // No more are looked at than decide that there are too many.
      let read = ids.prefix(JobOffer.devicesMax + 1).map { DeviceID($0) }
      if read.contains(nil) { malformed = "One of its devices has an id that is none: 16 bytes." }
      return read.compactMap { $0 }
    }
    let order: JobOrder? =
      switch job.kind {
      case .scanDevices(let ranges)?: JobOrder(.scan, ranges: Array(ranges.prefix(JobOffer.rangesMax + 1)))
      case .uploadReadings(let ids)?: JobOrder(.upload, devices: devices(ids))
      case .processAlerts(let ids)?: JobOrder(.alerts, devices: devices(ids))
      case .updateSettings(let device)?: JobOrder(.settings, devices: devices(device.isEmpty ? [] : [device]))
      case .restart(let standalone)?:
        JobOrder(.restart, option: (standalone ? JobOrder.RestartMode.standalone : .queued).rawValue)
      case .openDevicePage(let device, let visit)?:
        JobOrder(
          .page, devices: devices(device.isEmpty ? [] : [device]),
          visit: .init(
            user: JobOffer.text(visit.user), reason: JobOffer.text(visit.reason), from: JobOffer.text(visit.from),
            seconds: visit.seconds))
      case .captureDiagnostics?: JobOrder(.diagnostics)
      case nil: nil
      }
    self.init(
      id: id, order: order, created: job.created,
      timeLeft: .milliseconds(min(max(job.millisecondsLeft, 0), 2 * JobOffer.timeLeftMax.milliseconds)),
      isCancelled: job.isCancelled, malformed: malformed)
  }
}

/// Between the replicator, which is there first, and the service.
final class JobBox: Sendable {
  private let service = Mutex<JobService?>(nil)

  func fill(_ service: JobService) { self.service.withLock { $0 = service } }
  func take(_ job: HubJob) { service.withLock { $0 }?.take(job) }
}
