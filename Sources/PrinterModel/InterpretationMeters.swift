// Meters: the markers' life counts (RFC 3805) and a profile's private counters; then which one is the device's total, and whether the
// parts add up.
//
// One total, one source, chosen by rule:
//   1. a believed private counter that the profile says to replace the life count (`replaces-life-count`, with its reason there),
//      unless it stands at zero while the life count does not;
//   2. else the life count of the primary marker: the first that counts impressions, else the first that counts sheets, else the first;
//   3. else a believed private counter of the meter `total`.
// What is not the total keeps its value under a name of its own: `total#marker 1.2`, `total#vendor`. Each counter is told once.
//
// Private counters of low confidence (`reported`) are believed only if the device's own numbers prove them: a check in which they
// take part holds, and it is about more than zeros (or its total is believed itself). The others are left out.

package import MIB

/// One row of prtMarkerTable.
package struct Marker: Equatable, Sendable {
  package var row: RowIndex
  package var technology: Int64?
  package var counterUnit: CounterUnit?
  package var lifeCount: Source?
  /// Units since the device was switched on: not a meter, it starts again at each power-up.
  package var powerOnCount: Int64?
  package var processColorants: Int64?
  package var spotColorants: Int64?
  /// PrtSubUnitStatusTC bits.
  package var status: Int64?
}

extension Rule {
  static let markerLifeCount = Rule("rfc3805/marker-life-count@1")
  static let primaryMarkerLifeCount = Rule("rfc3805/primary-marker-life-count@1")
}

extension Interpretation {
  /// The markers of a walk, in the order of their rows.
  package static func markers(_ walk: Walk) -> [Marker] {
    walk.table(PrinterMIB.Marker.entry).map { row in
      Marker(
        row: RowIndex(row.index), technology: row.number(PrinterMIB.Marker.technology),
        counterUnit: row.number(PrinterMIB.Marker.counterUnit).map(CounterUnit.init(rawValue:)),
        lifeCount: row.binding(PrinterMIB.Marker.lifeCount).map { Source($0.name, $0.value) },
        powerOnCount: row.number(PrinterMIB.Marker.powerOnCount, as: .unsigned32),
        processColorants: row.number(PrinterMIB.Marker.processColorants),
        spotColorants: row.number(PrinterMIB.Marker.spotColorants), status: row.number(PrinterMIB.Marker.status))
    }
  }

  /// Why a meter has the source that it has: what was recorded with it, else what the profiles say.
  package static func reason(for meter: Meter, profiles: ProfileSet = .shipped) -> String? {
    meter.reason ?? reason(for: meter.rule, profiles: profiles)
  }

  /// Why a rule is as it is: a sentence for the one who asks.
  package static func reason(for rule: Rule, profiles: ProfileSet = .shipped) -> String? {
    switch rule {
    case .markerLifeCount: return "the life count of the marker, in the unit that the marker states"
    case .primaryMarkerLifeCount:
      return "the device has several markers; the first that counts impressions (else sheets) is taken for the device"
    default:
      for profile in profiles.profiles {
        for counter in profile.counters where profile.rule(counter.id) == rule { return counter.reason }
        for table in profile.tables where profile.rule(table.id) == rule { return table.reason }
        for record in profile.records where profile.rule(record.id) == rule { return record.reason }
      }
      return nil
    }
  }
}

extension Interpreter {
  mutating func meters() -> ([Meter], [ArithmeticCheck]) {
    let lives = lifeCounts()
    let primary = Self.primaryIndex(lives)
    var imagingChecks: [ArithmeticCheck] = []
    let imaging = imagingCounters(&imagingChecks)
    var candidates = onceEach((profile.map { privateCounters($0) } ?? []) + imaging)
    var ledger = CheckLedger(candidates: candidates, lifeCount: primary.map { lives[$0] })
    for rule in profile?.checks ?? [] { ledger.evaluate(rule) }
    ledger.settle()
    let unproven = candidates.count { !ledger.believes($0) }
    if unproven > 0 {
      let counters = unproven == 1 ? "1 private counter is" : "\(unproven) private counters are"
      findings.append(Finding(nil, "\(counters) left out: the device's sums do not prove them"))
    }
    candidates.removeAll { !ledger.believes($0) }
    var checks = ledger.checks() + imagingChecks
    let meters = choosingTotal(lives, primary, candidates, &checks)
    return (meters, checks)
  }

  private mutating func lifeCounts() -> [Meter] {
    for row in rows(PrinterMIB.Marker.entry) {
      // No meter comes of it, because it starts again at each power-up; what it cannot be is told all the same.
      _ = number(row.binding(PrinterMIB.Marker.powerOnCount), as: .unsigned32)
    }
    return Interpretation.markers(walk).compactMap { marker in
      guard let source = marker.lifeCount else { return nil }
      let binding = VarBind(source.name, source.raw)
      guard let value = number(binding, as: .unsigned32).flatMap(UInt64.init(exactly:)) else { return nil }
      if marker.counterUnit == nil {
        findings.append(Finding(source.name, "the marker states no counter unit, so that the life count has none"))
      }
      if let powerOn = marker.powerOnCount.flatMap(UInt64.init(exactly:)), powerOn > value {
        findings.append(Finding(source.name, "the life count is below the count since power-on, \(powerOn)"))
      }
      return Meter(
        name: MeterName(.total, qualifier: "marker \(marker.row)"), value: value, unit: marker.counterUnit ?? .unknown,
        source: source, rule: .markerLifeCount)
    }
  }

  private static func primaryIndex(_ lives: [Meter]) -> Int? {
    lives.firstIndex { $0.unit == .impressions } ?? lives.firstIndex { $0.unit == .sheets }
      ?? (lives.isEmpty ? nil : lives.startIndex)
  }

  /// All meters with exactly one total, by the rules of this file's header.
  private func choosingTotal(
    _ lives: [Meter], _ primary: Int?, _ candidates: [PrivateCounter], _ checks: inout [ArithmeticCheck]
  ) -> [Meter] {
    var lives = lives
    var others = candidates.map(\.meter)
    let vendor = candidates.first { $0.meter.name == .total }
    let life = primary.map { lives[$0] }
    if let vendor, let life, let check = ArithmeticCheck(vendor: vendor.meter, life: life) { checks.append(check) }
    let vendorReplaces = vendor.map { $0.replacesLifeCount && ($0.meter.value > 0 || (life?.value ?? 0) == 0) } ?? false
    guard let primary, !vendorReplaces else { return others.sorted(by: Self.totalFirst) + lives }
    lives[primary].name = .total
    if lives.count > 1 { lives[primary].rule = .primaryMarkerLifeCount }
    if let index = others.firstIndex(where: { $0.name == .total }) {
      others[index].name = MeterName(.total, qualifier: "vendor")
    }
    lives.insert(lives.remove(at: primary), at: 0)
    return lives + others
  }

  private static func totalFirst(_ left: Meter, _ right: Meter) -> Bool {
    left.name == .total && right.name != .total
  }
}

extension ArithmeticCheck {
  /// The check that every device with both totals has, whatever its profile.
  static let vendorTotalName = "vendor total = life count"

  /// The vendor's total against the life count, where both count the same thing.
  fileprivate init?(vendor: Meter, life: Meter) {
    guard vendor.unit == life.unit || life.unit == .unknown, let expected = Int64(exactly: vendor.value),
      let actual = Int64(exactly: life.value)
    else { return nil }
    self.init(name: Self.vendorTotalName, expected: expected, actual: actual)
  }
}

/// A private counter before it is known whether to believe it.
struct PrivateCounter {
  let meter: Meter
  let confidence: Confidence
  let replacesLifeCount: Bool
  /// The meter's stable key, by which checks name it.
  let key: String

  init(meter: Meter, confidence: Confidence, replacesLifeCount: Bool = false) {
    self.meter = meter
    self.confidence = confidence
    self.replacesLifeCount = replacesLifeCount
    key = meter.name.description
  }
}

/// Runs a profile's checks over the counters at hand and decides which low-confidence counters they prove.
struct CheckLedger {
  private struct Entry {
    var check: ArithmeticCheck
    var total: String
    var terms: [String]
  }

  private var values: [String: UInt64] = [:]
  private var believed: Set<String> = []
  private var entries: [Entry] = []

  /// The name that checks use for the primary marker's life count.
  private static let life = "life"

  init(candidates: [PrivateCounter], lifeCount: Meter?) {
    if let lifeCount {
      values[Self.life] = lifeCount.value
      values[MeterName.total.description] = lifeCount.value
      believed = [Self.life, MeterName.total.description]
    }
    for candidate in candidates {
      values[candidate.key] = candidate.meter.value
      if candidate.confidence == .reported {
        believed.remove(candidate.key)
      } else {
        believed.insert(candidate.key)
      }
    }
  }

  /// Adds a check if its total and all its obligatory parts are there, and no sum is beyond 63 bits.
  mutating func evaluate(_ rule: CheckRule) {
    guard let total = values[rule.total].flatMap(Int64.init(exactly:)) else { return }
    var terms: [String] = []
    var sum: Int64 = 0
    for part in rule.parts + rule.optionalParts {
      guard let value = values[part] else {
        if rule.optionalParts.contains(part) { continue }
        return
      }
      guard let number = Int64(exactly: value) else { return }
      let (next, overflow) = sum.addingReportingOverflow(number)
      guard !overflow else { return }
      sum = next
      terms.append(part)
    }
    let check = ArithmeticCheck(name: rule.name, expected: total, actual: sum)
    entries.append(Entry(check: check, total: rule.total, terms: [rule.total] + terms))
  }

  /// Believes what holding checks prove, until nothing more follows.
  mutating func settle() {
    var hasChanged = true
    while hasChanged {
      hasChanged = false
      for entry in entries where entry.check.holds && (entry.check.expected > 0 || believed.contains(entry.total)) {
        let new = entry.terms.filter { !believed.contains($0) }
        if !new.isEmpty { hasChanged = true }
        believed.formUnion(new)
      }
    }
  }

  func believes(_ candidate: PrivateCounter) -> Bool { believed.contains(candidate.key) }

  /// The checks whose terms are all believed, whether they hold or not.
  func checks() -> [ArithmeticCheck] {
    entries.filter { $0.terms.allSatisfy(believed.contains) }.map(\.check)
  }
}
