// Meters over IPP: printer-impressions-completed, printer-media-sheets-completed and printer-pages-completed with their collections by colour and
// sides (PWG 5100.22), in the vocabulary of PWG 5106.3.
//
// An impression is one side, a sheet is one piece of paper, a page is one of a document, whatever it is printed on: three things, never mixed. The
// device's total is its impressions; where it tells none, its sheets, in their unit; pages are never the total.

internal import MIB

extension AttributeTranslation {
  private struct Counter {
    let keyword: String
    let unit: CounterUnit
    /// What tells this counter's meters from the total's.
    let qualifier: String
  }

  private static let counters = [
    Counter(keyword: "printer-impressions-completed", unit: .impressions, qualifier: ""),
    Counter(keyword: "printer-media-sheets-completed", unit: .sheets, qualifier: "sheets"),
    Counter(keyword: "printer-pages-completed", unit: .other, qualifier: "pages"),
  ]

  /// The members of the three collections, by what they count, as IANA registers them for printer-impressions-completed-col. Sheets and pages have
  /// fewer by the registry (blank, full-color, highlight-color, monochrome; full-color, monochrome); what a device tells beyond is read by its name.
  private static let members: [(String, MeterName.Colour, MeterName.Sides)] = [
    ("monochrome", .monochrome, .any), ("full-color", .fullColor, .any), ("highlight-color", .highlightColor, .any),
    ("monochrome-two-sided", .monochrome, .twoSided), ("full-color-two-sided", .fullColor, .twoSided),
    ("highlight-color-two-sided", .highlightColor, .twoSided),
  ]

  func meters(_ findings: inout [Finding]) -> ([Meter], [ArithmeticCheck]) {
    var meters: [Meter] = []
    var checks: [ArithmeticCheck] = []
    for counter in Self.counters {
      let isTotal = counter.qualifier.isEmpty || (counter.qualifier == "sheets" && meters.isEmpty)
      let qualifier = isTotal ? "" : counter.qualifier
      let name = MeterName(.total, qualifier: qualifier)
      if let total = meter(counter.keyword, name, counter.unit, &findings) { meters.append(total) }
      let parts = Self.members.compactMap { member, colour, sides in
        meter(
          "\(counter.keyword)-col/\(member)", MeterName(.total, colour, sides: sides, qualifier: qualifier),
          counter.unit, &findings)
      }
      let blankQualifier = qualifier.isEmpty ? "blank" : "\(qualifier) blank"
      let blanks = [("blank", MeterName.Sides.any), ("blank-two-sided", .twoSided)].compactMap { member, sides in
        meter(
          "\(counter.keyword)-col/\(member)", MeterName(.total, sides: sides, qualifier: blankQualifier), counter.unit,
          &findings)
      }
      if let check = Self.check(meters.last { $0.name == name }, parts + blanks) { checks.append(check) }
      meters += parts + blanks
    }
    return (meters, checks)
  }

  private func meter(
    _ keyword: String, _ name: MeterName, _ unit: CounterUnit, _ findings: inout [Finding]
  ) -> Meter? {
    guard let binding = first(keyword) else { return nil }
    guard let number = binding.value.number(as: .integer32), let value = UInt64(exactly: number) else {
      findings.append(Finding(binding.name, "expected a count from 0 to 2147483647, not \(binding.value.display)"))
      return nil
    }
    return Meter(
      name: name, value: value, unit: unit, source: Source(binding), rule: .attribute(.pwg510022, binding.name))
  }

  /// Whether the colours add up to the total. Not checked where two-sided impressions are told: whether they are among the others is not.
  private static func check(_ total: Meter?, _ parts: [Meter]) -> ArithmeticCheck? {
    let all = parts.filter { $0.name.sides == .any }
    guard let total, all.contains(where: { $0.name.colour != .all }),
      !parts.contains(where: { $0.name.sides == .twoSided && $0.value > 0 })
    else {
      return nil
    }
    // Each is below 2^31, and there are four.
    let sum = all.reduce(Int64(0)) { $0 + Int64(clamping: $1.value) }
    let terms = all.map(\.name.description).joined(separator: " + ")
    return ArithmeticCheck(name: "\(total.name) = \(terms)", expected: Int64(clamping: total.value), actual: sum)
  }
}
