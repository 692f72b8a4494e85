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
    // Looked at each second, when nothing else is done: a report itself goes through the whole fleet.
    let headline = try composer.headline()
    guard schedule.isDue(headline, now: .now) else { return }
    schedule.attempted(headline, now: .now)
    do {
      try await reporter.send(try composer.health(), to: target)
      board.say(.health, .ok, "reported to \(target.address)")
    } catch let error as HealthFailure {
      logger.warning(
        "the health report did not arrive",
        metadata: ["hub": "\(target.address)", "reason": "\(error)", "remedy": "\(error.remedy)"])
      // Delivery does not depend on any of it.
      board.say(
        .health, error.cause == .unavailable ? .waiting : .failed,
        "the last report to \(target.address) did not arrive: \(error)", remedy: "Trying goes on. \(error.remedy)")
    }
  }
}
