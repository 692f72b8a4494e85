// Whether a device answers, and how often it is worth telling and asking when it does not.

/// The reachability of one device.
package struct Reachability: Equatable, Sendable {
  /// A silent device is told of at once, then after these times: a night off is three records, not a hundred.
  package static let reportAfter: [Duration] = [.zero, .seconds(3_600), .seconds(4 * 3_600), .seconds(24 * 3_600)]
  /// Polls of a silent device are at most this far apart, so that it is noticed soon after it is back.
  package static let backOffMax: Duration = .seconds(3_600)

  /// Polls that failed since the last answer.
  package private(set) var failures = 0
  private var firstFailure: Int64?
  private var reports = 0
  /// Days, by UTC, on which it was asked in vain since the last answer. A clock that is set makes one day of years, and a service that is away none.
  package private(set) var daysAsked: UInt32 = 0
  private var lastDay: Int64?

  package init() {}

  /// As an earlier run of the service left it.
  package init(daysAsked: UInt32, until last: Int64?) {
    self.daysAsked = daysAsked
    lastDay = last.map(Self.day)
  }

  private static func day(_ time: Int64) -> Int64 { time / 86_400_000 }

  package var isReachable: Bool { failures == 0 }

  package mutating func answered() {
    self = Reachability()
  }

  /// Takes a failed poll; returns whether it is to be told.
  package mutating func failed(time: Int64) -> Bool {
    failures += 1
    let day = Self.day(time)
    if day > lastDay ?? .min, daysAsked < .max { daysAsked += 1 }
    lastDay = day
    let first = firstFailure ?? time
    firstFailure = first
    let silent = Duration.milliseconds(max(time - first, 0))
    guard silent >= dueAfter else { return false }
    reports += 1
    return true
  }

  /// How long after the first failure the next one is told: the steps above, then once a day.
  private var dueAfter: Duration {
    if reports < Self.reportAfter.count { return Self.reportAfter[reports] }
    let days = reports - Self.reportAfter.count + 2
    return .seconds(24 * 3_600) * days
  }

  /// Time to the next poll: the interval, doubled with each failure after the first up to `backOffMax`, and never below the interval.
  package func pause(interval: Duration) -> Duration {
    guard failures > 1 else { return interval }
    let factor = 1 << min(failures - 1, 16)
    return max(interval, min(interval * factor, Self.backOffMax))
  }
}
