// Whether what fails again and again is worth a line in the log. Pure: the owner tells the time.

/// Something that is tried again and again while it fails.
struct Outage: Sendable {
  /// Said again this long after the last time, for whoever looks at the end of the log only.
  static let repeatAfter: Duration = .seconds(600)

  /// It is over when nothing has failed for this long, which is longer than the pause between two attempts.
  static let calm: Duration = .seconds(15)

  private var told: (reason: String, at: ContinuousClock.Instant)?
  private var lastFailure: ContinuousClock.Instant?

  init() {}

  /// Whether it lasts.
  var isOn: Bool { told != nil }

  /// It failed (again). Returns whether that is to be told: it is new, for another reason, or was told long ago.
  mutating func failed(_ reason: String, now: ContinuousClock.Instant) -> Bool {
    lastFailure = now
    if let told, told.reason == reason, told.at.duration(to: now) < Self.repeatAfter { return false }
    told = (reason, now)
    return true
  }

  /// It works now. Returns whether that ends the outage.
  mutating func works(now: ContinuousClock.Instant) -> Bool {
    guard let lastFailure, lastFailure.duration(to: now) >= Self.calm else { return false }
    self = Outage()
    return true
  }
}
