// Meters: the markers' life counts (RFC 3805) and a profile's private counters; then which one is the device's total, and whether the
// parts add up.
//
// One total, one source, chosen by rule:
//   1. a believed private counter that the profile says to replace the life count (`replaces-life-count`, with its reason there);
//   2. else the life count of the primary marker: the one that counts impressions, else the one that counts sheets, else the only one. Of
//      several that count alike it is the one that a believed total of the maker's equals, or that a check holds with; row order proves
//      nothing, and where nothing else does, none is the total, and that is a finding;
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
  /// Of releases that took the first of several markers.
  static let firstMarkerLifeCount = Rule("rfc3805/primary-marker-life-count@1")
  static let primaryMarkerLifeCount = Rule("rfc3805/primary-marker-life-count@2")
}

extension Interpretation {
  package static let noCounterUnit = "the marker states no counter unit, so that the life count has none"

  /// The markers of a walk, in the order of their rows.
  package static func markers(_ walk: Walk) -> [Marker] {
    walk.table(PrinterMIB.Marker.entry).withoutEndlessColumn.map { row in
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
    case .firstMarkerLifeCount:
      return "the device has several markers; the first that counts impressions (else sheets) is taken for the device"
    case .primaryMarkerLifeCount:
      return
        "of the device's several markers the only one that counts impressions (else sheets), or that other counters prove"
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
    var imagingChecks: [ArithmeticCheck] = []
    let imaging = imagingCounters(&imagingChecks)
    var candidates = onceEach((profile.map { privateCounters($0) } ?? []) + imaging)
    let primary = primaryIndex(lives, candidates)
    let ledger = CheckLedger(
      settling: profile?.checks ?? [], candidates: candidates, lifeCount: primary.map { lives[$0] })
    candidates = candidates.map(ledger.told)
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
    return Interpretation.markers(walk).compactMap { marker in
      guard let source = marker.lifeCount else { return nil }
      let binding = VarBind(source.name, source.raw)
      guard let value = count(binding) else { return nil }
      if marker.counterUnit == nil {
        findings.append(Finding(source.name, Interpretation.noCounterUnit))
      }
      if let powerOn = marker.powerOnCount.flatMap(UInt64.init(exactly:)), powerOn > value {
        findings.append(Finding(source.name, "the life count is below the count since power-on, \(powerOn)"))
      }
      return Meter(
        name: MeterName(.total, qualifier: "marker \(marker.row)"), value: value, unit: marker.counterUnit ?? .unknown,
        source: source, rule: .markerLifeCount)
    }
  }

  /// A Counter32's count; a finding where it cannot be one.
  private mutating func count(_ binding: VarBind) -> UInt64? {
    guard let value = number(binding, as: .unsigned32).flatMap(UInt64.init(exactly:)) else { return nil }
    guard let special = binding.value.specialWithoutSign else { return value }
    findings.append(Finding(binding.name, "expected a count, not \(value), which is \(special) without its sign"))
    return nil
  }

  /// Which life count stands for the device, by the second rule of this file's header.
  private mutating func primaryIndex(_ lives: [Meter], _ candidates: [PrivateCounter]) -> Int? {
    let alike = Self.foremost(lives)
    guard alike.count > 1 else { return alike.first }
    let proven = alike.filter { index in
      let ledger = CheckLedger(settling: profile?.checks ?? [], candidates: candidates, lifeCount: lives[index])
      return ledger.provesLifeCount(lives[index], candidates)
    }
    if proven.count == 1 { return proven.first }
    findings.append(
      Finding(
        PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.lifeCount), Self.withoutTotal(alike.map { lives[$0] })))
    return nil
  }

  /// Why several markers that count alike have no total. Where they have one count, it may be one counter that each of them shows, or each has
  /// counted for itself and the device has made as many times that: one reading does not tell.
  private static func withoutTotal(_ lives: [Meter]) -> String {
    let (unit, values) = (lives.first?.unit.name ?? "", lives.map(\.value))
    guard let value = values.first, Set(values).count == 1 else {
      let list = values.map(String.init).joined(separator: ", ")
      return "several markers count \(unit) (\(list)), and nothing proves which of them stands for the device: no total"
    }
    return
      "several markers count \(unit), \(values.count) times \(value), and nothing proves whether that is one counter or one for each: no total"
  }

  /// The life counts in impressions, if there are any, else those in sheets, else all.
  private static func foremost(_ lives: [Meter]) -> [Int] {
    for unit in [CounterUnit.impressions, .sheets] {
      let fitting = lives.indices.filter { lives[$0].unit == unit }
      if !fitting.isEmpty { return fitting }
    }
    return Array(lives.indices)
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
    let vendorReplaces = vendor?.replacesLifeCount ?? false
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

extension ObjectValue {
  /// The sentinel that a device put into an unsigned number of 32 bits: -1 and -2, which the MIB's amounts have for "other" and "unknown", are
  /// 4294967295 and 4294967294 there. Nil for other values.
  fileprivate var specialWithoutSign: String? {
    if case .counter64 = self { return nil }
    return switch counter {
    case 0xffff_ffff: "-1 (other)"
    case 0xffff_fffe: "-2 (unknown)"
    default: nil
    }
  }

  /// What a counter has counted; nil where it holds no number, or a sentinel.
  var counted: UInt64? { specialWithoutSign == nil ? counter : nil }

  /// Whether a counter says that the device does not know what it has counted.
  package var isUnknownCount: Bool { specialWithoutSign != nil }
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
  var meter: Meter
  let confidence: Confidence
  let replacesLifeCount: Bool
  /// The meter's stable key, by which checks name it.
  let key: String
  /// What it is told as where a sum proves no more than that it is a part.
  let otherwise: MeterName?

  init(
    meter: Meter, confidence: Confidence, replacesLifeCount: Bool = false, otherwise: MeterName? = nil
  ) {
    self.meter = meter
    self.confidence = confidence
    self.replacesLifeCount = replacesLifeCount
    self.otherwise = otherwise
    key = meter.name.description
  }
}

/// Runs a profile's checks over the counters at hand and decides which low-confidence counters they prove.
struct CheckLedger {
  private struct Entry {
    var check: ArithmeticCheck
    var total: String
    var terms: [String]
    /// Terms that the sum does not tell from each other.
    var alike: Set<String>
  }

  private struct Term {
    var value: UInt64
    var unit: CounterUnit
  }

  private var terms: [String: Term] = [:]
  private var believed: Set<String> = []
  /// Terms of which no more is proven than that they are parts, and that have a name for it.
  private var parts: Set<String> = []
  private var entries: [Entry] = []

  /// The name that checks use for the primary marker's life count.
  private static let life = "life"

  /// Runs all the checks.
  init(settling rules: [CheckRule], candidates: [PrivateCounter], lifeCount: Meter?) {
    if let lifeCount {
      let term = Term(value: lifeCount.value, unit: lifeCount.unit)
      terms[Self.life] = term
      terms[MeterName.total.description] = term
      believed = [Self.life, MeterName.total.description]
    }
    for candidate in candidates {
      terms[candidate.key] = Term(value: candidate.meter.value, unit: candidate.meter.unit)
      if candidate.confidence == .reported {
        believed.remove(candidate.key)
      } else {
        believed.insert(candidate.key)
      }
    }
    for rule in rules { evaluate(rule) }
    let named = candidates.filter { $0.otherwise != nil }
    settle(named: Set(named.map(\.key)), claimless: Set(named.filter { $0.otherwise == $0.meter.name }.map(\.key)))
  }

  /// Adds a check if its total and all its obligatory parts are there, what is added up is of one unit, and no sum is beyond 63 bits.
  private mutating func evaluate(_ rule: CheckRule) {
    // A counter that is its own part proves nothing.
    guard !rule.isCircular, let whole = terms[rule.total], let total = Int64(exactly: whole.value) else { return }
    var added: [String] = []
    var units: Set<CounterUnit> = [whole.unit]
    var sum: Int64 = 0
    for part in rule.parts + rule.optionalParts {
      guard let term = terms[part] else {
        if rule.optionalParts.contains(part) { continue }
        return
      }
      guard let number = Int64(exactly: term.value) else { return }
      let (next, overflow) = sum.addingReportingOverflow(number)
      guard !overflow else { return }
      sum = next
      added.append(part)
      units.insert(term.unit)
    }
    guard rule.isAcrossUnits || units.subtracting([.unknown]).count <= 1 else { return }
    let check = ArithmeticCheck(name: rule.name, expected: total, actual: sum)
    let alike = rule.interchangeable.intersection(added)
    let isOneValue = Set(alike.compactMap { terms[$0]?.value }).count <= 1
    entries.append(
      Entry(check: check, total: rule.total, terms: [rule.total] + added, alike: isOneValue ? [] : alike))
  }

  /// Believes what holding checks prove, until nothing more follows.
  /// - Parameters:
  ///   - named: terms that have a name for being parts.
  ///   - claimless: those of them whose name claims no more.
  private mutating func settle(named: Set<String>, claimless: Set<String>) {
    var hasChanged = true
    while hasChanged {
      hasChanged = false
      for entry in entries where entry.check.holds && (entry.check.expected > 0 || believed.contains(entry.total)) {
        let unproven = entry.alike.subtracting(claimless)
        let new = entry.terms.filter { !believed.contains($0) && !unproven.contains($0) }
        if !new.isEmpty { hasChanged = true }
        believed.formUnion(new)
        parts.formUnion(unproven.intersection(named))
      }
    }
    parts.subtract(believed)
  }

  func believes(_ candidate: PrivateCounter) -> Bool {
    believed.contains(candidate.key) || parts.contains(candidate.key)
  }

  /// The counter under the name that is proven of it.
  func told(_ candidate: PrivateCounter) -> PrivateCounter {
    guard parts.contains(candidate.key), let otherwise = candidate.otherwise else { return candidate }
    var candidate = candidate
    candidate.meter.name = otherwise
    return candidate
  }

  /// Whether the life count that these checks were run with is proven to be the device's: it is a term of one that holds, of more than zeros;
  /// or a total of the maker's that needs no proof equals it.
  func provesLifeCount(_ life: Meter, _ candidates: [PrivateCounter]) -> Bool {
    let makers = candidates.first { $0.key == MeterName.total.description }
    if let makers, makers.confidence != .reported, makers.meter.value == life.value, makers.meter.unit == life.unit {
      return true
    }
    let names = makers == nil ? [Self.life, MeterName.total.description] : [Self.life]
    return entries.contains { entry in
      entry.check.holds && entry.check.expected > 0 && names.contains(where: entry.terms.contains)
    }
  }

  /// The checks whose terms are all believed, whether they hold or not.
  func checks() -> [ArithmeticCheck] {
    entries.filter { $0.terms.allSatisfy { believed.contains($0) || parts.contains($0) } }.map(\.check)
  }
}
