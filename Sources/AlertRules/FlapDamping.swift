// Alerts that come and go. After the model of route flap damping (RFC 2439): each raising adds to a penalty that halves in time; an alert
// that is raised with a penalty above the limit is *damped*: it is cleared only after it was away for two hours without a break. So a cover
// switch that flutters, or a printer that goes to sleep and back with each poll, makes a few records and then one long alert.
//
// The penalty stands in the events (`AlertRaised`, `AlertCleared`), so that the agent that starts again knows it. How long a damped alert was
// away does not: after a start it has to be away for the whole time anew, which clears it later and never earlier.

package enum FlapDamping {
  /// Of one raising.
  package static let perRaising: UInt32 = 1_000
  /// A penalty halves in this time. Polls are half an hour apart: what comes and goes with each second of them is damped the fourth time.
  package static let halfLife: Duration = .seconds(2 * 3_600)
  package static let dampedFrom: UInt32 = 2_500
  /// How long a damped alert is away before it is cleared.
  package static let quiet: Duration = .seconds(2 * 3_600)
  /// A penalty grows no further: what fluttered for a year is as calm as any other after a night.
  private static let penaltyMax: UInt32 = 8_000

  /// What is left of a penalty after a time; the half-lives that are over, and a straight line within the one that runs.
  package static func decayed(_ penalty: UInt32, over elapsed: Duration) -> UInt32 {
    guard elapsed > .zero else { return penalty }
    let lives = elapsed / halfLife
    guard lives < 32 else { return 0 }
    let whole = UInt32(lives)
    let base = Double(penalty >> whole)
    return UInt32(base - base / 2 * (lives - Double(whole)))
  }

  /// The penalty of an alert that is raised now.
  package static func raised(after penalty: UInt32, over elapsed: Duration) -> UInt32 {
    min(decayed(penalty, over: elapsed) + perRaising, penaltyMax)
  }

  package static func isDamped(_ penalty: UInt32) -> Bool { penalty >= dampedFrom }
}
