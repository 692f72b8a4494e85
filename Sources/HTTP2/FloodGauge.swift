// When a peer sends more than is worth an answer. Pure: time comes in, a verdict goes out.

package struct FloodGauge {
  private let atOnceMax: Double
  private let perSecond: Double
  private var level = 0.0
  private var measured: ContinuousClock.Instant

  package init(_ configuration: HTTP2Configuration, now: ContinuousClock.Instant) {
    (atOnceMax, perSecond) = (Double(configuration.choresAtOnceMax), Double(configuration.choresPerSecond))
    measured = now
  }

  /// Counts `count` frames that came by now; false when they are too many.
  package mutating func admits(_ count: Int, now: ContinuousClock.Instant) -> Bool {
    let seconds = measured.duration(to: now) / .seconds(1)
    measured = now
    level = max(0, level - seconds * perSecond) + Double(count)
    return level <= atOnceMax
  }
}
