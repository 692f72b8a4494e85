// Which arithmetic checks a meter takes part in. A reading keeps a check's name and numbers; its terms are told by the profile that
// defines it, and by the rule of the total (InterpretationMeters.swift), which may have given a term another name.
//
//     term of a check     meter of the reading
//     life                the life count that stands for the device
//     total               the maker's total where there is one (`total` or `total#vendor`), else that life count
//     any other           the meter of that name

extension Reading {
  /// The checks of this reading that include the meter. One whose profile these profiles do not have includes nothing that is known.
  package func checks(including meter: Meter, profiles: ProfileSet = .shipped) -> [ArithmeticCheck] {
    let makers = Set(meters.map(\.rule.source))
    let own = profiles.profiles.filter { makers.contains($0.name) }
    // A part of which no more than that is known goes into a check by the name that it would have.
    let claimed = own.flatMap(\.counters).filter { $0.otherwise == meter.name }.map(\.meter.description)
    let terms = terms(of: meter).union(claimed)
    let rules = own.flatMap(\.checks)
    return checks.filter { check in
      if check.name == ArithmeticCheck.vendorTotalName { return !terms.isDisjoint(with: [.life, .total]) }
      if check.name.hasSuffix(ArithmeticCheck.impressionKindsSuffix) { return meter.isKind(of: check) }
      return rules.contains { $0.name == check.name && !terms.isDisjoint(with: $0.terms) }
    }
  }

  /// The names that checks have for this meter.
  private func terms(of meter: Meter) -> Set<String> {
    let hasVendorTotal = meters.contains { !$0.rule.isLifeCount && $0.name.isTotal }
    guard meter.rule.isLifeCount else { return meter.name.isTotal ? [.total] : [meter.name.description] }
    guard meter.name == primaryLifeCount?.name else { return [] }
    return hasVendorTotal ? [.life] : [.life, .total]
  }

  /// The life count that stands for the device: its total, or what would be it if the maker's did not replace it.
  private var primaryLifeCount: Meter? {
    let lives = meters.filter(\.rule.isLifeCount)
    if let total = lives.first(where: { $0.name == .total }) { return total }
    for unit in [CounterUnit.impressions, .sheets] {
      let alike = lives.filter { $0.unit == unit }
      if !alike.isEmpty { return alike.count == 1 ? alike.first : nil }
    }
    return lives.count == 1 ? lives.first : nil
  }
}

extension Meter {
  /// Whether it is one of the kinds of impressions that a check of imaging counters adds up.
  fileprivate func isKind(of check: ArithmeticCheck) -> Bool {
    guard rule.source == "pwg5106.3", let base = MeterName(String(check.name.prefix { $0 != "=" }).trimmed) else {
      return false
    }
    let blank = base.qualifier.isEmpty ? "blank" : "\(base.qualifier), blank"
    return name.service == base.service && name.sides == base.sides
      && (name.qualifier == base.qualifier || name.qualifier == blank)
  }
}

extension MeterName {
  /// The device's total, or the maker's beside it.
  fileprivate var isTotal: Bool { self == .total || self == MeterName(.total, qualifier: "vendor") }
}

extension Rule {
  fileprivate var isLifeCount: Bool {
    [.markerLifeCount, .primaryMarkerLifeCount, .firstMarkerLifeCount].contains(self)
  }

  /// What the rule is of: a profile's name, or that of a standard.
  fileprivate var source: String { String(description.prefix { $0 != "/" }) }
}

extension String {
  fileprivate static let life = "life"
  fileprivate static let total = "total"
}
