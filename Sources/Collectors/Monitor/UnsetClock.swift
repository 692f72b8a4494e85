// A machine without a clock of its own begins in 1970, or on a day of its maker's, until somebody tells it the time. What was noted before that was noted
// at no time at all: between such a moment and a right one nobody knows how long it was. Durations are counted anew from the first poll by the right
// clock on, so that no alert stands for half a century and no device is retired for it.

package enum UnsetClock {
  /// 2025-01-01, in milliseconds since 1970 UTC: no release is older, so whatever noted an earlier time had not been told the time.
  package static let releasesBegin: Int64 = 1_735_689_600_000

  /// Whether a moment was noted by a clock that was set right before `time`.
  package static func made(_ moment: Int64, before time: Int64) -> Bool {
    moment < releasesBegin && time >= releasesBegin
  }
}

extension KnownDevice {
  /// Takes the time that it is now for what was noted before the clock was set.
  mutating func countAnew(at time: Int64) {
    func right(_ moment: Int64) -> Int64 { UnsetClock.made(moment, before: time) ? time : moment }
    lastRead = lastRead.map(right)
    silentSince = silentSince.map(right)
    lastFullReading = lastFullReading.map(right)
    for (key, alert) in alerts where UnsetClock.made(alert.raised, before: time) { alerts[key]?.raised = time }
    for (key, flap) in flaps where UnsetClock.made(flap.time, before: time) { flaps[key]?.time = time }
  }
}
