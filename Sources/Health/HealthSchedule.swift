// When to report: each minute, and soon after a change. Pure: the owner tells the time.

package struct HealthSchedule: Sendable {
  /// What the hub expects; an install is late after three of them.
  package static let interval: Duration = .seconds(60)
  /// A state that flaps must not become a report each time.
  package static let changePause: Duration = .seconds(5)

  private var lastReport: ContinuousClock.Instant?
  private var lastHeadline: [String] = []

  package init() {}

  /// Whether a report with this headline is due now.
  package func isDue(_ headline: [String], now: ContinuousClock.Instant) -> Bool {
    guard let lastReport else { return true }
    let pause = headline == lastHeadline ? Self.interval : Self.changePause
    return lastReport.duration(to: now) >= pause
  }

  /// An attempt was made, whether it arrived or not: a hub that is away is not asked more often.
  package mutating func attempted(_ headline: [String], now: ContinuousClock.Instant) {
    lastReport = now
    lastHeadline = headline
  }
}
