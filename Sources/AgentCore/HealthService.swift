// Reports health to hc: each minute, and soon after a change.

internal import Enrolment
internal import Health
internal import Logging
internal import Platform
internal import ReadModels
internal import ServiceLifecycle

struct HealthService: Service {
  private static let lookInterval: Duration = .seconds(1)

  let composer: StatusComposer
  let identity: IdentityWatcher
  let board: StatusBoard
  let logger: Logger

  func run() async throws {
    let reporter = HealthReporter(product: AgentVersion.product)
    try await untilGracefulShutdown {
      var schedule = HealthSchedule()
      while true {
        try await self.reportIfDue(&schedule, reporter)
        try await Task.sleep(for: Self.lookInterval)
      }
    }
  }

  private func reportIfDue(_ schedule: inout HealthSchedule, _ reporter: HealthReporter) async throws {
    guard let target = identity.healthTarget() else {
      return board.say(
        .health, .ok, identity.identity == nil ? "not enrolled: nothing to report to" : "no address for hc is known")
    }
    if let identity = identity.identity { self.identity.sayCertificate(of: identity) }
    let report = try composer.health()
    guard schedule.isDue(report.headline, now: .now) else { return }
    schedule.attempted(report.headline, now: .now)
    do {
      try await reporter.send(report, to: target)
      board.say(.health, .ok, "reported to \(target.address)")
    } catch let error as HealthFailure {
      logger.warning("the health report did not arrive", metadata: ["hub": "\(target.address)", "reason": "\(error)"])
      say(error, target)
    }
  }

  /// Delivery does not depend on any of it.
  private func say(_ failure: HealthFailure, _ target: HealthTarget) {
    let message = "the last report did not arrive: \(failure)"
    switch failure.cause {
    case .unavailable:
      board.say(
        .health, .waiting, message, remedy: "Trying goes on. If it stays: check the firewall for \(target.address).")
    case .refused:
      board.say(
        .health, .failed, message,
        remedy: "Ask the hub's operator; a revoked install needs: ptagent enroll --again --code CODE")
    case .foreign:
      board.say(
        .health, .failed, message,
        remedy: "Check hub.hc: what answers at \(target.address) is not the health service of this agent's hub.")
    }
  }
}
