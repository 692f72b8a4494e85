// How fast packets may leave. The generic cell rate algorithm: one instant says everything about the past, so that pacing is exact over
// hours (no drift, no rounding) and a test needs no clock.

/// A limit of so many packets per second, with a burst.
package struct Pace: Equatable, Sendable {
  /// Time that one packet costs.
  private let interval: Duration
  /// How far the packets may run ahead of the even pace.
  private let allowance: Duration
  /// When the packets sent so far would all have left at the even pace.
  private var paidUntil: ContinuousClock.Instant?

  /// - Parameters:
  ///   - packetsPerSecond: at least 1.
  ///   - burst: packets that may leave at once after a pause, at least 1.
  package init(packetsPerSecond: Int, burst: Int) {
    interval = .nanoseconds(1_000_000_000 / Int64(max(packetsPerSecond, 1)))
    allowance = interval * max(burst, 1)
  }

  /// Takes room for `packets` packets. Returns false and takes nothing if they must wait. More packets than a burst holds are let through
  /// when nothing is owed, and are paid off afterwards.
  package mutating func take(_ packets: Int = 1, now: ContinuousClock.Instant) -> Bool {
    guard now >= earliest(packets, now: now) else { return false }
    owe(packets, now: now)
    return true
  }

  /// Accounts for packets that left without asking: later ones wait until they are paid off.
  package mutating func owe(_ packets: Int = 1, now: ContinuousClock.Instant) {
    paidUntil = max(paidUntil ?? now, now).advanced(by: interval * packets)
  }

  /// When `packets` packets may leave, if nothing else leaves before.
  package func earliest(_ packets: Int = 1, now: ContinuousClock.Instant) -> ContinuousClock.Instant {
    guard let paidUntil, paidUntil > now else { return now }
    let room = max(allowance - interval * packets, .zero)
    return max(now, paidUntil.advanced(by: .zero - room))
  }
}
