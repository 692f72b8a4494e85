// When to check in again, in normal mode. Hub and operator may both ask for patience, and the one who asks for more gets it: a hub that is loaded,
// or an operator who pays for the line.

package struct CheckInSchedule: Equatable, Sendable {
  /// What the operator asks for; nil: whatever the hub says.
  package var interval: Duration?

  package init(interval: Duration? = nil) { self.interval = interval }

  /// - Parameter asked: what the hub said; nil: nothing. Beyond the bounds it is taken for a mistake.
  func pause(asked: Duration?) -> Duration {
    guard let asked else { return interval ?? Replicator.checkInInterval }
    let bounded = min(max(asked, Replicator.checkInShortest), Replicator.checkInLongest)
    return max(bounded, interval ?? .zero)
  }
}
