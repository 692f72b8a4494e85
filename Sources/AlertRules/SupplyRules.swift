// Supplies over time: low, due, replaced, replaced too early.
//
//     low         percent <= threshold; over again at threshold + 3 or more
//     replaced    by another serial number of the row, where both tell one; else
//                 by a rise of 30 points or more, to half full or more, that is no return to a level of the last readings
//     premature   replaced while the level before was measured and above the threshold
//
// A level that is unknown decides nothing: what stood stands on. Waste boxes are supplies whose level is the room that is left; they are
// replaced like others, and emptying one early is nobody's loss. Coarse levels (full, low, empty) can be low and never premature.

internal import Events
package import PrinterModel

/// What is remembered of one supply from reading to reading.
package struct SupplyMemory: Equatable, Sendable {
  /// The last level that was measured, in percent.
  package var percent: Double?
  package var quality: Quality
  package var serial: String?
  /// Measured levels before, newest last.
  package var earlier: [Double] = []

  /// A sensor that reads wrongly does so for a few polls; a supply does not come back to a level of hours ago.
  static let earlierMax = 8

  package init(_ supply: Supply, after before: SupplyMemory? = nil) {
    serial = supply.usableSerial ?? before?.serial
    guard let percent = supply.measuredPercent else {
      (self.percent, quality, earlier) = (before?.percent, before?.quality ?? supply.quality, before?.earlier ?? [])
      return
    }
    self.percent = percent
    quality = supply.quality
    earlier = Array(((before?.earlier ?? []) + [before?.percent].compactMap(\.self)).suffix(Self.earlierMax))
  }
}

package enum SupplyRules {
  /// A low supply is so until it is this many points above its threshold: sensors waver.
  static let lowHysteresis = 3.0
  /// Less may be a shaken cartridge or a sensor that settles.
  static let riseMin = 30.0
  /// New and refilled cartridges begin in the upper half.
  static let replacedPercentMin = 50.0
  /// Within so many points it is the level from before a wrong reading.
  private static let sameLevel = 5.0

  /// Why a supply counts as replaced; nil: it does not.
  package static func replacement(
    _ before: SupplyMemory, _ now: Supply, among others: [RowIndex: SupplyMemory] = [:]
  ) -> String? {
    if let old = before.serial, let new = now.usableSerial {
      guard old != new else { return nil }
      // Rows changed places: the cartridge was there before.
      guard !others.contains(where: { $0.key != now.row && $0.value.serial == new }) else { return nil }
      return "serial \(new) instead of \(old)"
    }
    guard let percent = now.measuredPercent, let former = before.percent, percent - former >= riseMin,
      percent >= replacedPercentMin, !before.earlier.contains(where: { abs($0 - percent) <= sameLevel })
    else { return nil }
    return "the level rose from \(whole(former)) % to \(whole(percent)) %"
  }

  /// Looks at all supplies of a reading.
  static func look(
    _ supplies: [Supply], before: [RowIndex: SupplyMemory], standing: [AlertKey: Standing], rules: DeviceRules,
    into report: inout RuleReport
  ) {
    for supply in supplies {
      let low = rules.low(supply)
      level(supply, low, standing, &report)
      guard let memory = before[supply.row],
        let evidence = replacement(memory, supply, among: before)
      else { continue }
      replaced(supply, memory, low, evidence, &report)
    }
  }

  private static func level(
    _ supply: Supply, _ low: Double, _ standing: [AlertKey: Standing], _ report: inout RuleReport
  ) {
    let rule: AlertRule = supply.isMaintenancePart ? .maintenanceDue : .lowSupply
    let key = rule.key(supply.row)
    guard let percent = supply.measuredPercent else {
      report.undecided.insert(key)
      return
    }
    let text =
      rule == .maintenanceDue
      ? "\(supply.title) is due: \(whole(low)) % or less" : "\(supply.title) is low: \(whole(low)) % or less"
    if percent <= low {
      report.add(rule, text, row: supply.row, evidence: "\(whole(percent)) %, threshold \(whole(low)) %")
    } else if percent < low + lowHysteresis, let stands = standing[key] {
      report.conditions[key] = stands.condition
    }
  }

  private static func replaced(
    _ supply: Supply, _ before: SupplyMemory, _ low: Double, _ evidence: String, _ report: inout RuleReport
  ) {
    let left = before.percent.map { ", \(whole($0)) % were left" } ?? ""
    report.add(.supplyReplaced, "\(supply.title) was replaced\(left)", row: supply.row, evidence: evidence)
    guard !supply.isReceptacle, !supply.isMaintenancePart, before.quality == .exact, let percent = before.percent,
      percent > low
    else { return }
    report.add(
      .prematureReplacement, "\(supply.title) was replaced early: \(whole(percent)) % were left", row: supply.row,
      evidence: "\(evidence); \(whole(percent)) % left, threshold \(whole(low)) %")
  }

  /// A percentage without needless digits.
  static func whole(_ percent: Double) -> String {
    percent.rounded() == percent ? "\(Int(percent))" : "\((percent * 10).rounded() / 10)"
  }
}

extension Supply {
  /// The level in percent, if the device measured it in any steps.
  package var measuredPercent: Double? {
    quality == .exact || quality == .coarse ? percentRemaining : nil
  }

  /// PrtMarkerSuppliesTypeTC of what a technician changes.
  private static let maintenanceTypes: Set<Int64> = [
    9,  // opc
    10,  // developer
    15,  // fuser
    16,  // coronaWire
    17,  // fuserOilWick
    18,  // cleanerUnit
    19,  // fuserCleaningPad
    20,  // transferUnit
    22,  // fuserOiler
  ]

  /// A part of the device that wears out: drum, fuser, transfer unit, or a kit of them.
  package var isMaintenancePart: Bool {
    if let type, Self.maintenanceTypes.contains(type) { return true }
    return description?.text.lowercased().contains("maintenance kit") ?? false
  }

  /// What people call it.
  var title: String {
    if let text = description?.text, !text.isEmpty { return text }
    return colorant.map(\.text) ?? "supply \(row)"
  }

  /// The serial number in the form that is compared; nil where it identifies nothing: placeholders, one character repeated.
  package var usableSerial: String? {
    guard let serialNumber else { return nil }
    let kept = serialNumber.uppercased().filter { $0.isLetter || $0.isNumber }
    let placeholders: Set<String> = ["UNKNOWN", "NONE", "NOTAVAILABLE", "NOTSET"]
    guard kept.count >= 4, Set(kept).count > 1, !placeholders.contains(kept) else { return nil }
    return kept
  }
}
