// Supplies over time: low, due, replaced, replaced too early.
//
//     low         percent <= threshold; over again at threshold + 3 or more
//     replaced    by another serial number of the row, where both tell one; else
//                 by a rise of 30 points or more, to half full or more, that is no return to a level of the last readings,
//                 or to the level before it fell to nothing and stayed there: a cartridge that was out is put back
//     premature   replaced while the level of the supply that went was measured and above the threshold
//
// The level of the supply that went is the one before the rise, however many readings the rise takes: a gauge that settles has told a few levels of
// the new one by then. A level that was read without a serial number, where there was one before, may be of either supply and counts for neither.
//
// A supply is known by its row, unless the rows changed places: then by its serial number or its description (`memory(of:in:)`).
//
// A level that is unknown decides nothing: what stood stands on. Waste boxes are supplies whose level is the room that is left: a low one is
// nearly full. They are replaced like others, and emptying one early is nobody's loss. Coarse levels (full, low, empty) can be low and never premature.

internal import Events
package import PrinterModel

/// What is remembered of one supply from reading to reading.
package struct SupplyMemory: Equatable, Sendable {
  /// The last level that was measured, in percent.
  package var percent: Double?
  package var quality: Quality
  package var serial: String?
  /// Measured levels before, newest last.
  package var earlier: [Float] = []
  /// The level before it began to rise, in percent; the last one while it falls. Nil as long as `percent` is.
  package private(set) var beforeRise: Double?
  /// The level before it fell to nothing between two readings, as long as it is there: an empty place reads so, too.
  private(set) var beforeFall: Float?
  /// Whether the supply came with the rise that is going on: more of it is no further replacement.
  package private(set) var isNew = false
  /// What the row is called, as a number: it is compared and never shown.
  private var label: Int

  /// A sensor that reads wrongly does so for a few polls; a supply does not come back to a level of hours ago.
  static let earlierMax = 8

  /// - Parameter before: what was remembered of the same supply, or of the one that it replaced.
  package init(_ supply: Supply, after before: SupplyMemory? = nil) {
    let isNew = before.map { SupplyRules.replacement($0, supply) != nil } ?? false
    let former = isNew ? nil : before
    serial = supply.usableSerial ?? former?.serial
    label = Self.label(supply)
    guard let percent = supply.measuredPercent else {
      self.percent = former?.percent
      quality = former?.quality ?? supply.quality
      earlier = former?.earlier ?? []
      beforeRise = former?.beforeRise
      beforeFall = former?.beforeFall
      self.isNew = isNew || former?.isNew ?? false
      return
    }
    self.percent = percent
    quality = supply.quality
    earlier = Array(
      ((former?.earlier ?? []) + [former?.percent].compactMap { $0.map(Float.init) }).suffix(Self.earlierMax))
    let isFalling = former?.percent.map { percent < $0 } ?? true
    let isAnothers = supply.usableSerial == nil && former?.serial != nil
    beforeRise = isFalling && !isAnothers ? percent : former?.beforeRise ?? percent
    beforeFall = Self.beforeFall(to: supply, percent, former)
    self.isNew = isNew || !isFalling && former?.isNew ?? false
  }

  /// Of levels that were measured in more than three steps.
  private static func beforeFall(to supply: Supply, _ percent: Double, _ former: SupplyMemory?) -> Float? {
    guard let former, let before = former.percent, supply.quality == .exact, percent == 0 else { return nil }
    if before == 0 { return former.beforeFall }
    return before >= SupplyRules.riseMin ? Float(before) : nil
  }

  /// Whether it had this level of late.
  func returns(to percent: Double) -> Bool {
    (earlier + [beforeFall].compactMap(\.self)).contains { abs(Double($0) - percent) <= SupplyRules.sameLevel }
  }

  /// Whether the row had this supply's name.
  func isCalled(as supply: Supply) -> Bool { label == Self.label(supply) }

  private static func label(_ supply: Supply) -> Int {
    var hasher = Hasher()
    hasher.combine(supply.description?.text)
    hasher.combine(supply.colorant?.text)
    return hasher.finalize()
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
  static let sameLevel = 5.0

  /// Why a supply counts as replaced; nil: it does not.
  /// - Parameter before: what is remembered of it, by `memory(of:in:)`.
  package static func replacement(_ before: SupplyMemory, _ now: Supply) -> String? {
    if let old = before.serial, let new = now.usableSerial {
      return old == new ? nil : "serial \(new) instead of \(old)"
    }
    guard !before.isNew, let percent = now.measuredPercent, let former = before.beforeRise, percent - former >= riseMin,
      percent >= replacedPercentMin, !before.returns(to: percent)
    else { return nil }
    return "the level rose from \(whole(former)) % to \(whole(percent)) %"
  }

  /// What is remembered of a supply: of its row, unless another row had its serial number, or this row another name and one other row its name.
  package static func memory(of supply: Supply, in memories: SortedTable<RowIndex, SupplyMemory>) -> SupplyMemory? {
    let own = memories[supply.row]
    if let serial = supply.usableSerial {
      if own?.serial == serial { return own }
      let moved = memories.values.filter { $0.serial == serial }
      if moved.count == 1 { return moved[0] }
    }
    guard own?.isCalled(as: supply) != true else { return own }
    let called = memories.values.filter { $0.isCalled(as: supply) }
    return called.count == 1 ? called[0] : own
  }

  /// Looks at all supplies of a reading.
  static func look(
    _ supplies: [Supply], before: SortedTable<RowIndex, SupplyMemory>, standing: [AlertKey: Standing],
    rules: DeviceRules,
    into report: inout RuleReport
  ) {
    for supply in supplies {
      let low = rules.low(supply)
      level(supply, low, standing, &report)
      guard let memory = memory(of: supply, in: before), let evidence = replacement(memory, supply) else { continue }
      replaced(supply, memory, low, evidence, &report)
    }
  }

  private static func level(
    _ supply: Supply, _ low: Double, _ standing: [AlertKey: Standing], _ report: inout RuleReport
  ) {
    let rule: AlertRule = supply.isMaintenancePart ? .maintenanceDue : .lowSupply
    let key = rule.key(supply.row)
    guard let percent = supply.measuredPercent else {
      // What waste that is consumed says was never a level.
      if !supply.isWasteConsumed { report.undecided.insert(key) }
      return
    }
    if percent <= low {
      let (state, amount) = words(supply, rule)
      report.add(
        rule, "\(supply.title) is \(state): \(whole(low)) % \(amount)", row: supply.row,
        evidence: "\(whole(percent)) %\(supply.isReceptacle ? " of room" : ""), threshold \(whole(low)) %")
    } else if percent < low + lowHysteresis, let stands = standing[key] {
      report.conditions[key] = stands.condition
    }
  }

  /// What a supply at its threshold is, and how the threshold is told: what a box for waste has left is room.
  private static func words(_ supply: Supply, _ rule: AlertRule) -> (state: String, amount: String) {
    if rule == .maintenanceDue { return ("due", "or less") }
    return supply.isReceptacle ? ("nearly full", "of room or less") : ("low", "or less")
  }

  private static func replaced(
    _ supply: Supply, _ before: SupplyMemory, _ low: Double, _ evidence: String, _ report: inout RuleReport
  ) {
    let left =
      before.beforeRise.map { ", \(whole($0)) % \(supply.isReceptacle ? "of room was left" : "were left")" } ?? ""
    report.add(.supplyReplaced, "\(supply.title) was replaced\(left)", row: supply.row, evidence: evidence)
    guard !supply.isReceptacle, !supply.isMaintenancePart, before.quality == .exact, let percent = before.beforeRise,
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
    serialNumber.flatMap { SerialNumber($0)?.description }
  }
}
