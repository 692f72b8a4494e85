// How often a peer may ask whether this side is there (gRFC A8): a ping that comes too soon after the last is a strike, and the third strike is
// one too many. A peer that is told something may ask anew: it measures the way. Pure: time comes in, a verdict goes out.

struct PingLimit {
  private static let strikesMax = 2

  private let least: Duration
  private var strikes = 0
  private var last: ContinuousClock.Instant?

  /// - Parameter least: the time between two pings.
  init(least: Duration) { self.least = least }

  /// False for one too many.
  mutating func admits(now: ContinuousClock.Instant) -> Bool {
    guard let last, last.advanced(by: least) > now else {
      last = now
      return true
    }
    strikes += 1
    return strikes <= Self.strikesMax
  }

  /// The peer was sent a part of an answer.
  mutating func forgive() {
    strikes = 0
    last = nil
  }
}
