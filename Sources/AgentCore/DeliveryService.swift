// Runs the replicator, says on the board how it goes, and on the way down gives it a moment to deliver the last records.

internal import Evidence
internal import Journal
internal import Logging
internal import Platform
internal import ReadModels
internal import Replicator
internal import ServiceLifecycle

struct DeliveryService: Service {
  /// What an orderly stop may wait for the hub's last acknowledgement. What is not delivered then is delivered after the next start.
  private static let drainMax: Duration = .seconds(5)
  private static let drainLook: Duration = .milliseconds(50)

  let replicator: Replicator
  let journal: Journal

  func run() async throws {
    // Drained first, cancelled then.
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.replicator.run() }
      group.addTask {
        try await gracefulShutdown()
        try await self.drain()
      }
      var failure: (any Error)?
      while let result = await group.nextResult() {
        group.cancelAll()
        if case .failure(let error) = result, !(error is CancellationError), failure == nil { failure = error }
      }
      if let failure { throw failure }
    }
  }

  /// Whoever appends has stopped by now: what is acknowledged comes up to the head. A hub that could not be reached a while ago
  /// may be there again, so that the wait for the next attempt is cut short, once.
  private func drain() async throws {
    let deadline = ContinuousClock.now.advanced(by: Self.drainMax)
    var hasHurried = false
    while ContinuousClock.now < deadline {
      let status = replicator.status
      if try isDone(status) { return }
      switch status.state {
      case .delivering, .connecting: break
      case .waiting where !hasHurried, .checkedIn where !hasHurried:
        replicator.hurry()
        hasHurried = true
      case .waiting, .checkedIn, .journalFull, .notEnrolled, .refused, .foreign, .certificateExpired: return
      }
      try await Task.sleep(for: Self.drainLook)
    }
  }
}

extension DeliveryService {
  /// Whether the hub has every record, and has countersigned the last checkpoint if it ever does.
  private func isDone(_ status: DeliveryStatus) throws -> Bool {
    let head = try journal.reader.head()
    guard head.sequence == 0 || status.acknowledged ?? .start >= head else { return false }
    guard status.countersigningKey != nil, let last = try journal.reader.lastCheckpoint(epoch: head.epoch) else {
      return true
    }
    return status.countersigned ?? .start >= RecordPosition(epoch: last.epoch, sequence: last.size)
  }
}

extension StatusBoard {
  /// Says what the replicator says, with what to do about it.
  func say(_ delivery: DeliveryStatus, isConfigured: Bool) {
    let next = delivery.nextAttempt.map { "; the next attempt is at \(UTCTime.text(milliseconds: $0))" } ?? ""
    update { board in
      if board.delivery?.state != delivery.state { board.deliveryBegan = .now }
      if board.delivery?.recordsAcknowledged != delivery.recordsAcknowledged { board.deliveryAcknowledged = .now }
      board.delivery = delivery
      board.deliveryTrail.note(delivery.recordsAcknowledged, at: Machine.milliseconds)
    }
    switch delivery.state {
    case .notEnrolled:
      let message = isConfigured ? "not enrolled: records wait in the journal" : "no hub is configured"
      say(
        .delivery, isConfigured ? .waiting : .ok, message,
        remedy: isConfigured ? "Run: ptagent enroll --code CODE" : nil)
    case .connecting: say(.delivery, .waiting, "connecting to \(delivery.hub)")
    case .delivering where delivery.recentConflicts > 0, .checkedIn where delivery.recentConflicts > 0:
      say(
        .delivery, .degraded, "the hub holds other records under \(delivery.recentConflicts) of this journal's numbers",
        remedy:
          "The hub keeps both. Was this machine restored from a backup? Then nothing is to be done: this passes by itself within a quarter of an hour. Was it copied? Then the copy needs a state directory of its own."
      )
    case .delivering:
      let lag = delivery.lag ?? 0
      say(
        .delivery, lag == 0 ? .ok : .working,
        lag == 0 ? "everything is at \(delivery.hub)" : "delivering to \(delivery.hub)")
    case .checkedIn:
      let checkIn = delivery.nextCheckIn.map { ", the next check-in is at \(UTCTime.text(milliseconds: $0))" } ?? ""
      say(.delivery, .ok, "checked in at \(delivery.hub)\(checkIn)")
    case .waiting(let trouble):
      say(
        .delivery, .waiting, "nothing is delivered to \(delivery.hub): \(trouble.reason)",
        remedy: "Nothing is lost, and trying goes on\(next). \(trouble.remedy)")
    case .journalFull(let reason):
      say(
        .delivery, .failed, "the journal cannot note what the hub has: \(reason)",
        remedy: "Free some space. Nothing is lost, and delivery goes on by itself.")
    case .refused(let trouble):
      say(.delivery, .failed, trouble.reason, remedy: "Collecting goes on\(next). \(trouble.remedy)")
    case .foreign(let trouble):
      say(
        .delivery, .failed, "what answers at \(delivery.hub) has not proved to be this agent's hub: \(trouble.reason)",
        remedy: "Nothing was sent to it; records wait in the journal\(next). \(trouble.remedy)")
    case .certificateExpired:
      say(
        .delivery, .failed, "the certificate has ended: records wait in the journal",
        remedy: "Check this machine's clock; if it is right, run: ptagent enroll --again --code CODE")
    }
  }
}
