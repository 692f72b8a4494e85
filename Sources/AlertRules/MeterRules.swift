// The device's total over time: thresholds that it passes again and again, and jumps that no printer makes.

package import PrinterModel

/// The total of a poll beside the one of the poll before, in the same meter epoch.
package struct MeterStep: Equatable, Sendable {
  package var before: UInt64
  package var now: UInt64
  package var unit: CounterUnit
  /// Between the two, by the agent's clock; nil where it is not known, or the clock was set back.
  package var elapsed: Duration?

  package init(before: UInt64, now: UInt64, unit: CounterUnit, elapsed: Duration?) {
    self.before = before
    self.now = now
    self.unit = unit
    self.elapsed = elapsed
  }
}

package enum MeterRules {
  /// What a counter may be ahead of what its device could print: counters are written down after a job, and clocks are not ours.
  package static let slackPages: UInt64 = 1_000

  /// The most that a device prints in a time.
  package static func plausiblePages(_ elapsed: Duration, perMinute: UInt64) -> UInt64 {
    let minutes = max(elapsed / .seconds(60), 0)
    let pages = min(minutes * Double(perMinute), 1e18)
    return UInt64(pages) + slackPages
  }

  /// Whether the unit counts what a device prints so many of in a minute.
  package static func countsPages(_ unit: CounterUnit) -> Bool { unit == .impressions || unit == .sheets }

  static func look(_ step: MeterStep, rules: RuleThresholds, into report: inout RuleReport) {
    guard countsPages(step.unit), step.now >= step.before else { return }
    anomaly(step, rules, &report)
    guard let every = rules.volumeEvery, every > 0, step.now / every > step.before / every else { return }
    let passed = step.now / every * every
    report.add(
      .volumeThreshold, "The total has passed \(passed)", evidence: "\(step.before), then \(step.now); each \(every)")
  }

  private static func anomaly(_ step: MeterStep, _ rules: RuleThresholds, _ report: inout RuleReport) {
    guard let elapsed = step.elapsed else { return }
    let plausible = plausiblePages(elapsed, perMinute: rules.pagesPerMinuteMax)
    let volume = step.now - step.before
    guard volume > plausible else { return }
    report.add(
      .meterAnomaly, "The total jumped by \(volume), more than can be printed",
      evidence:
        "\(step.before), then \(step.now) after \(Int(elapsed / .seconds(60))) min; at most \(plausible) with \(rules.pagesPerMinuteMax) a minute"
    )
  }
}
