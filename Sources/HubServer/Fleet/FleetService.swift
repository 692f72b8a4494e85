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

  private struct State {
    var due: Set<InstallNumber> = []
    var looksAtAll = true
  }

  private let store: SQLStore
  private let projector = FleetProjector()
  private let logger: Logger
  private let metrics: HubMetrics
  private let state = Mutex(State())

  init(store: SQLStore, logger: Logger, metrics: HubMetrics = HubMetrics()) {
    self.store = store
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
      defer { state = State(looksAtAll: false) }
      return (state.due, state.looksAtAll)
    }
    do {
      let installs = looksAtAll ? due.union(try await store.installsToFold()) : due
      for install in installs.sorted(by: { $0.rawValue < $1.rawValue }) {
        let unreadable = try await store.fold(install, projector)
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

  /// Folds all that is stored of an install; tells of records that could not be read as events.
  @discardableResult
  func fold(_ install: InstallNumber, _ projector: FleetProjector) async throws -> UnreadableRecords {
    var unreadable = UnreadableRecords()
    while true {
      let step = try await write(.readCommitted) { db in try projector.advance(install.rawValue, db) }
      projector.keep(step)
      unreadable.add(step.unreadable)
      guard step.hasMore, !Task.isCancelled else { return unreadable }
    }
  }

  /// Brings every read model up with the records, as `serve` does all the time.
  package func foldEverything() async throws {
    let projector = FleetProjector()
    for install in try await installsToFold().sorted(by: { $0.rawValue < $1.rawValue }) {
      try await fold(install, projector)
    }
  }
}
