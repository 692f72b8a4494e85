// What the rules say of one poll: a pure function of what was known, what was read, and the clock.

package import Events
package import PrinterModel

package enum Rules {
  /// Looks at a reading.
  /// - Parameters:
  ///   - supplies: as they were remembered before this reading.
  ///   - isRead: whether the levels are of this very poll; an interrupted poll decides nothing about supplies.
  ///   - step: the total's; nil: it has none, or a meter epoch began.
  ///   - standing: the rules' alerts that stand.
  package static func report(
    on reading: Reading, after supplies: SortedTable<RowIndex, SupplyMemory>, isRead: Bool, step: MeterStep?,
    standing: [AlertKey: Standing], rules: DeviceRules, time: Int64
  ) -> RuleReport {
    var report = RuleReport()
    notices(standing, time, &report)
    if let step { MeterRules.look(step, rules: rules.thresholds, into: &report) }
    if isRead {
      SupplyRules.look(reading.supplies, before: supplies, standing: standing, rules: rules, into: &report)
    } else {
      report.undecided.formUnion(standing.keys.filter { $0.code != AlertRule.unreachable.rawValue })
    }
    return report
  }

  /// Looks at a poll that failed.
  /// - Parameter silentSince: when the device first did not answer, in milliseconds since 1970 UTC.
  package static func report(
    silentSince: Int64, standing: [AlertKey: Standing], rules: DeviceRules, time: Int64
  ) -> RuleReport {
    var report = RuleReport()
    report.undecided = Set(standing.keys)
    let silent = Duration.milliseconds(max(time - silentSince, 0))
    guard silent >= rules.thresholds.unreachableAfter else { return report }
    report.add(
      .unreachable, "The device does not answer",
      evidence: "silent for \(Int(silent / .seconds(3_600))) h and more")
    return report
  }

  /// What happened stays told for a while.
  private static func notices(_ standing: [AlertKey: Standing], _ time: Int64, _ report: inout RuleReport) {
    for (key, stands) in standing {
      guard AlertRule(rawValue: key.code)?.isNotice == true,
        Duration.milliseconds(time - stands.raised) < AlertRule.noticeFor
      else { continue }
      report.conditions[key] = stands.condition
    }
  }
}
