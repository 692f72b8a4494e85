// Whether this hub can do what it is there for: commit. It is what /healthz says, and what a balancer goes by.
//
// | what is seen                                                         | said as               |
// |----------------------------------------------------------------------|-----------------------|
// | the last commit, of records or of the hub's own probe, was done      | well                  |
// | records were refused less than a minute ago, and none were done since | the store's reason    |
// | the probe was refused                                                | the store's reason    |
// | a commit has been under way for longer than `HubLimits.commitStall`  | it makes no progress  |
// | the disk has no room for the next commits                            | the disk is full      |
//
// The probe is a transaction that changes nothing, with a flush to disk like any other. A hub that is busy proves itself by its records and is
// not probed. That a small probe succeeds does not excuse records that were refused.

internal import HubDatabase
internal import Platform
internal import ServiceLifecycle
internal import Synchronization
internal import Logging

/// The judgement. Pure.
struct WellnessRecord: Sendable {
  typealias Instant = ContinuousClock.Instant

  private struct Refusal {
    var reason: String
    var at: Instant
  }

  private var refusedRecords: Refusal?
  private var refusedProbe: String?
  private(set) var committedAt: Instant?
  private var probeBegan: Instant?

  mutating func committedRecords(at now: Instant) {
    committedAt = now
    refusedRecords = nil
    refusedProbe = nil
  }

  mutating func refusedRecords(_ reason: String, at now: Instant) { refusedRecords = Refusal(reason: reason, at: now) }

  mutating func beginProbe(at now: Instant) { probeBegan = now }

  /// - Parameter reason: nil if it was committed.
  mutating func endProbe(_ reason: String?, at now: Instant) {
    probeBegan = nil
    refusedProbe = reason
    if reason == nil { committedAt = now }
  }

  /// - Parameters:
  ///   - committing: how long the transaction of records that is under way has been so; nil if there is none.
  ///   - bytesFree: on the database's disk; nil where that is not this machine's.
  /// - Returns: nil if all is well, else one sentence.
  func complaint(committing: Duration?, bytesFree: UInt64?, now: Instant) -> String? {
    let probing = probeBegan.map { now - $0 }
    for (what, duration) in [("records", committing), ("a probe", probing)] {
      if let duration, duration > HubLimits.commitStall {
        return "The store has been busy with \(what) for \(duration.components.seconds) seconds."
      }
    }
    if let bytesFree, bytesFree < HubLimits.diskBytesLeast {
      return "The disk of the database has \(bytesFree) bytes left. Free some space."
    }
    if let refusedProbe { return refusedProbe }
    if let refusedRecords, now - refusedRecords.at < HubLimits.refusalRemembered { return refusedRecords.reason }
    return committedAt == nil ? "The hub has not looked at its store yet." : nil
  }
}

/// Looks after a store, and knows what it last said.
final class Wellness: Service {
  private struct Shared {
    var record = WellnessRecord()
    var figures: StoreFigures?
    var committer: Committer?
  }

  private let store: SQLStore
  private let logger: Logger
  private let looked: @Sendable () -> Void
  private let shared = Mutex(Shared())

  /// - Parameter looked: called after each look at the store, whatever it found.
  init(store: SQLStore, logger: Logger, looked: @escaping @Sendable () -> Void = {}) {
    self.store = store
    self.logger = logger
    self.looked = looked
  }

  /// From now on this one must make progress.
  func watch(_ committer: Committer) { shared.withLock { $0.committer = committer } }

  /// A transaction of records was done; or was refused, for this reason. Rows of one install that contradict each other are no fault of the
  /// store: its neighbours are served.
  func recordsEnded(_ refusal: HubError?) {
    shared.withLock { shared in
      if let refusal {
        if refusal.kind != .configuration { shared.record.refusedRecords(refusal.message, at: .now) }
      } else {
        shared.record.committedRecords(at: .now)
      }
    }
  }

  /// Why the hub is not well, as one sentence; nil if it is.
  var complaint: String? {
    let free = store.isShared ? nil : Machine.bytesFree(at: store.database.place)
    let committing = shared.withLock { $0.committer }?.committingFor
    return shared.withLock { $0.record.complaint(committing: committing, bytesFree: free, now: .now) }
  }

  /// As last counted; nil before, and where they could not be for a while.
  var figures: StoreFigures? { shared.withLock { $0.figures } }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var counted: ContinuousClock.Instant?
      while !Task.isCancelled {
        let known = self.shared.withLock { $0.record.committedAt }
        if known.map({ .now - $0 >= HubLimits.probeInterval }) ?? true { await self.probe() }
        self.looked()
        if counted.map({ .now - $0 >= HubLimits.figuresInterval }) ?? true {
          counted = .now
          await self.count()
        }
        do { try await Task.sleep(for: HubLimits.probeInterval) } catch { return }
      }
    }
  }

  /// Commits nothing, and remembers what came of it.
  func probe() async {
    shared.withLock { $0.record.beginProbe(at: .now) }
    var refusal: String?
    do { try await store.commitNothing() } catch {
      refusal = "\(error)"
      if !Task.isCancelled { logger.error("the store does not commit", metadata: ["error": "\(error)"]) }
    }
    shared.withLock { $0.record.endProbe(refusal, at: .now) }
  }

  private func count() async {
    do {
      let figures = try await store.figures()
      shared.withLock { $0.figures = figures }
    } catch {
      // What is not known is not shown.
      shared.withLock { $0.figures = nil }
      if !Task.isCancelled { logger.error("the store was not counted", metadata: ["error": "\(error)"]) }
    }
  }
}
