// Looks for jobs that were created or taken back, by whatever process (`pthub job create` writes into the database, and so do other hubs), and
// tells the streams of their installs, which then send what is due.

internal import HubProtocol
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

final class JobWatch: Service {
  struct Listener: Hashable, Sendable {
    fileprivate let number: UInt64
  }

  private struct State {
    var next: UInt64 = 0
    var listeners: [InstallNumber: [Listener: @Sendable () -> Void]] = [:]
  }

  private let store: any JobStore
  private let clock: HubClock
  private let logger: Logger
  private let state = Mutex(State())

  init(store: any JobStore, clock: HubClock, logger: Logger) {
    self.store = store
    self.clock = clock
    self.logger = logger
  }

  /// - Parameter wake: told that there may be something for this install; must return soon.
  func listen(_ install: InstallNumber, _ wake: @escaping @Sendable () -> Void) -> Listener {
    state.withLock { state in
      state.next += 1
      let listener = Listener(number: state.next)
      state.listeners[install, default: [:]][listener] = wake
      return listener
    }
  }

  func leave(_ install: InstallNumber, _ listener: Listener) {
    state.withLock { state in
      state.listeners[install]?[listener] = nil
      if state.listeners[install]?.isEmpty == true { state.listeners[install] = nil }
    }
  }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var lastWhole = ContinuousClock.now - HubLimits.jobWholeLook
      while !Task.isCancelled {
        let isWhole = ContinuousClock.now - lastWhole >= HubLimits.jobWholeLook
        if isWhole { lastWhole = .now }
        await self.look(isWhole: isWhole)
        do { try await Task.sleep(for: HubLimits.jobWatchInterval) } catch { return }
      }
    }
  }

  /// - Parameter isWhole: whether at all that is due, and not at what changed of late: for what was sent and never came, and for clocks that are
  ///   further apart than `HubLimits.jobLookBack`.
  func look(isWhole: Bool) async {
    let now = clock.now
    do {
      if isWhole { try await store.expireJobs(now: now) }
      guard state.withLock({ !$0.listeners.isEmpty }) else { return }
      let installs = try await store.installsWithDueJobs(
        since: isWhole ? 0 : now - HubLimits.jobLookBack.milliseconds)
      let wakes = state.withLock { state in installs.flatMap { state.listeners[$0].map { Array($0.values) } ?? [] } }
      for wake in wakes { wake() }
    } catch is CancellationError {
      // The hub goes down.
    } catch {
      logger.error("it was not looked for jobs", metadata: ["error": "\(error)"])
    }
  }
}

/// What one stream has sent of late: each job once, and again when it was taken back, or after a while without a receipt.
struct SentJobs {
  private struct Sent {
    let at: Int64
    let isCancelled: Bool
  }

  private var sent: [Int64: Sent] = [:]

  /// Those that are to be sent now.
  mutating func take(_ due: [DueJob], now: Int64) -> [DueJob] {
    let before = sent
    let wanted = due.filter { job in
      guard let last = before[job.number], last.isCancelled == job.isCancelled else { return true }
      return now - last.at >= HubLimits.jobRepeated.milliseconds
    }
    // What is not due any more is done with.
    sent = sent.filter { number, _ in due.contains { $0.number == number } }
    for job in wanted { sent[job.number] = Sent(at: now, isCancelled: job.isCancelled) }
    return wanted
  }
}

extension Delivery {
  /// What an install is to be told of jobs, if its agent knows them. A store that does not answer is no reason to end a stream.
  func dueJobs(of install: Install, logger: Logger) async -> [DueJob] {
    guard let jobs else { return [] }
    do { return try await jobs.dueJobs(of: install.number, now: clock.now) } catch {
      logger.error("jobs not read", metadata: ["error": "\(error)"])
      return []
    }
  }
}
