// How often readings are recorded while the hub is away and the journal fills up.
//
//   backlog       what the hub does not have yet, in percent of the journal's size limit
//   below 60      every poll
//   from 60       one reading an hour and device
//   from 75       one in six hours
//   from 85       one a day
//   from 95       one a week
//   from 98       none but a device's first
//
// The last twentieth is for alerts, jobs and audit, which are never thinned. A level is left when the backlog is five percent below it, so
// that it does not come and go with each batch that the hub takes.

package struct ThinningPolicy: Sendable {
  private static let levels: [(percent: Int, interval: Duration)] = [
    (60, .seconds(3_600)), (75, .seconds(6 * 3_600)), (85, .seconds(86_400)), (95, .seconds(7 * 86_400)), (98, none),
  ]
  private static let slack = 5
  /// Ten years: no outage lasts as long.
  private static let none: Duration = .seconds(3_650 * 86_400)

  /// How many of the levels are reached.
  private var reached = 0

  package init() {}

  /// Readings of one device are recorded at most this often; nil: each one.
  package var interval: Duration? { reached == 0 ? nil : Self.levels[reached - 1].interval }

  /// - Parameter backlog: in percent of the size limit.
  package mutating func update(backlog percent: Int) {
    let rising = Self.levels.count { $0.percent <= percent }
    let falling = Self.levels.count { $0.percent - Self.slack < percent }
    reached = max(rising, min(reached, falling))
  }
}
