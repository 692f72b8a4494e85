// When to try again: exponential with full jitter. A hundred thousand agents lose one hub in the same second, and must not come back in one.
//
//   delay = hint + random(0 ... min(longest, first * 2^attempts))
//
// The hub's own hint (trailer `retry-after-ms`) is a time before which trying is useless; the jitter comes on top of it.

/// The state of one series of attempts.
package struct Backoff: Sendable {
  /// The jitter's width after the first failure.
  package static let first: Duration = .seconds(1)
  /// Nobody should wait longer than this for a hub that is back, and no hub is helped by more.
  package static let longest: Duration = .seconds(300)
  /// A hint beyond this is taken for a mistake.
  package static let hintMax: Duration = .seconds(3600)

  /// Failures since the last success.
  package private(set) var attempts = 0

  package init() {}

  /// Something was achieved: start anew.
  package mutating func succeeded() { attempts = 0 }

  /// The time to wait after another failure.
  package mutating func failed(
    hint: Duration? = nil, using generator: inout some RandomNumberGenerator
  ) -> Duration {
    let width = min(Self.longest, Self.first * (1 << min(attempts, 20)))
    attempts += 1
    let jitter = Duration.milliseconds(Int64.random(in: 0...Self.milliseconds(width), using: &generator))
    return min(max(hint ?? .zero, .zero), Self.hintMax) + jitter
  }

  private static func milliseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    return seconds * 1000 + attoseconds / 1_000_000_000_000_000
  }
}
