// Keeps the read models up with the records: behind each commit, and once at start for what was left.
//
// It never holds an acknowledgement up: it follows in transactions of its own, and when it cannot, records are stored all the same and
// it comes back to them.

internal import HubDatabase
internal import HubFleet
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

final class FleetService: Service {
  /// Commits gather for this long before their records are folded: a fleet changes every second, and who looks at it does not.
  private static let gathering = Duration.milliseconds(500)
  /// How often all installs are looked at: for what failed, and for what another hub that is gone has left.
  private static let lookInterval = Duration.seconds(60)

  /// An install that brought more than so many records since it was folded last is catching up, and is folded again only after a rest: each
  /// fold writes every device that it touches, and would hold up the records that still come. The rest is so many times what the fold took,
  /// and at least and at most this.
  private static let catchingUpMin = 2_000
  private static let restFactor = 10
  private static let restLeast = Duration.seconds(3)
  private static let restMost = Duration.seconds(30)

  private struct State {
    var due: Set<InstallNumber> = []
    /// Until when an install that catches up is left alone.
    var resting: [InstallNumber: ContinuousClock.Instant] = [:]
    var looksAtAll = true
  }

  private let store: SQLStore
  private let projector = FleetProjector()
  private let logger: Logger
  private let metrics: HubMetrics
  private let clock: HubClock
  private let state = Mutex(State())

  init(store: SQLStore, logger: Logger, metrics: HubMetrics = HubMetrics(), clock: HubClock = .system) {
    self.store = store
    self.clock = clock
    self.metrics = metrics
    self.logger = logger
  }

  /// Tells that records of these installs were committed.
  func committed(_ installs: some Sequence<InstallNumber>) { state.withLock { $0.due.formUnion(installs) } }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var lastLook = ContinuousClock.now - Self.lookInterval
      while !Task.isCancelled {
        if ContinuousClock.now - lastLook >= Self.lookInterval {
          lastLook = .now
          self.state.withLock { $0.looksAtAll = true }
        }
        await self.foldDue()
        do { try await Task.sleep(for: Self.gathering) } catch { return }
      }
    }
  }

  /// Folds what is due now.
  func foldDue() async {
    let (due, looksAtAll) = state.withLock { state in
      state.resting = state.resting.filter { $0.value > .now }
      let due = state.due.filter { state.resting[$0] == nil }
      defer { state = State(due: state.due.subtracting(due), resting: state.resting, looksAtAll: false) }
      return (due, state.looksAtAll)
    }
    do {
      let installs = looksAtAll ? due.union(try await store.installsToFold()) : due
      for install in installs.sorted(by: { $0.rawValue < $1.rawValue }) {
        let start = ContinuousClock.now
        let (records, unreadable) = try await store.fold(install, projector, now: clock.now)
        if records > Self.catchingUpMin {
          let rest = min(max((ContinuousClock.now - start) * Self.restFactor, Self.restLeast), Self.restMost)
          state.withLock { $0.resting[install] = .now + rest }
        }
        metrics.count(.unreadable, by: unreadable.count)
        if let first = unreadable.first {
          let id = try await store.installID(install)
          logger.warning(
            "records are in no read model",
            metadata: [
              "install": "\(id)", "records": "\(unreadable.count)",
              "epoch": "\(first.epoch)", "sequence": "\(first.sequence)", "reason": "\(first.reason)",
            ])
        }
        if Task.isCancelled { return }
      }
    } catch is CancellationError {
      // The hub goes down; the next one finds what is left.
    } catch {
      // What the hub's end cuts is no failure.
      guard !Task.isCancelled else { return }
      // The next look finds what is left.
      metrics.count(.fleetFailures)
      logger.error("the fleet is not up to date", metadata: ["error": "\(error)"])
    }
  }
}

extension SQLStore {
  /// The installs that have records which are in no read model yet.
  func installsToFold() async throws -> Set<InstallNumber> {
    try await read { db in Set(try FleetProjector.due(db).map { InstallNumber($0) }) }
  }

  /// The id of an install, for the log.
  func installID(_ install: InstallNumber) async throws -> String {
    try await read { db in try db.value("SELECT id FROM install WHERE number = ?", install) } ?? "unknown"
  }

  /// Folds all that is stored of an install when this begins; gives how many records that were, and which of them could not be read as events.
  @discardableResult
  func fold(_ install: InstallNumber, _ projector: FleetProjector, now: Int64) async throws -> (
    records: Int, unreadable: UnreadableRecords
  ) {
    var records = 0
    var unreadable = UnreadableRecords()
    while true {
      let step = try await write(.readCommitted) { db in try projector.advance(install.rawValue, now: now, db) }
      projector.keep(step)
      records += step.records
      unreadable.add(step.unreadable)
      guard step.hasMore, !Task.isCancelled else { return (records, unreadable) }
    }
  }

  /// Brings every read model up with the records, as `serve` does all the time.
  package func foldEverything(now: Int64 = HubClock.system.now) async throws {
    let projector = FleetProjector()
    for install in try await installsToFold().sorted(by: { $0.rawValue < $1.rawValue }) {
      try await fold(install, projector, now: now)
    }
  }
}
