// How long to wait before connecting again: exponential with full jitter, so that a hundred thousand agents that lost
// their hub in the same second do not come back in the same second.

package struct Backoff: Sendable, Hashable {
  /// The most that may be waited the first time.
  package var base = Duration.seconds(1)
  /// The most that may ever be waited.
  package var max = Duration.seconds(120)
  /// A connection that held this long was a success: the next wait is a first one again. Without it a server that
  /// accepts and closes at once would be asked once a second for ever.
  package var stableAfter = Duration.seconds(10)

  /// Failures in a row.
  private var failures = 0

  package init() {}

  /// The time to wait now: anything from nothing to `base` doubled for each earlier failure, `max` at most.
  package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
    let ceiling = min(max, base * (1 << min(failures, Self.doublingsMax)))
    failures += 1
    return ceiling * Double.random(in: 0...1, using: &generator)
  }

  /// Tells how long a connection held.
  package mutating func connectionEnded(after lifetime: Duration) {
    if lifetime >= stableAfter { failures = 0 }
  }

  /// Doublings beyond this change nothing: `base` of a millisecond would be over 12 days.
  private static let doublingsMax = 30
}
