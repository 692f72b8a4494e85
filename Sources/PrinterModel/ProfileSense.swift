// What makes no sense in a profile file as a whole, though each key is as the schema has it (docs/formats/profiles.md, "What else is refused").

internal import MIB

extension ProfileParser {
  /// What makes no sense as a whole, though each key is as the schema has it. Told only of a file in which nothing else is wrong.
  static func requireSense(_ profile: Profile, _ fields: ProfileFields) {
    requireTexts(fields)
    requireBeginnings(fields)
    requireOneMeaning(fields)
    requireOneMeaningOfCells(profile, fields)
    requireMakersObjects(profile, fields)
    requireOneMaker(profile, fields)
    requireCuts(fields)
    for (check, part) in zip(profile.checks, fields.tables("check")) where check.isCircular {
      part.note("parts", "expected each meter once in a check: one that is a part of itself proves nothing")
    }
    requireNoCircle(profile, fields)
    let known = profile.knownMeters
    requireOwnTotal(profile, known, fields)
    for (check, part) in zip(profile.checks, fields.tables("check")) {
      for term in check.terms where !known.has(term) {
        part.note(term == check.total ? "total" : "parts", "expected meters that this profile reads, not `\(term)`")
      }
      let units = check.terms.reduce(into: Set<CounterUnit>()) { $0.formUnion(known.units[$1] ?? []) }
      if units.count > 1, !check.isAcrossUnits {
        let names = units.map(\.name).sorted().joined(separator: " and ")
        part.note("parts", "expected meters of one unit, not \(names); `across-units = true` where these are added up")
      }
    }
    let terms = Set(profile.checks.flatMap(\.terms))
    for (reported, place) in profile.reportedMeters where !terms.contains(reported.description) {
      let part = fields.tables(place.list)[place.index]
      part.note("confidence", "expected a check with `\(reported)`: what is only reported is never believed without")
    }
  }

  /// A check whose total is, by other checks, a part of its own parts: each would be the proof of the other.
  private static func requireNoCircle(_ profile: Profile, _ fields: ProfileFields) {
    var parts: [String: Set<String>] = [:]
    for (check, part) in zip(profile.checks, fields.tables("check")) {
      var reached: Set<String> = []
      var next = check.parts + check.optionalParts
      while let term = next.popLast() {
        if reached.insert(term).inserted { next += parts[term] ?? [] }
      }
      if !check.isCircular, reached.contains(check.total) {
        part.note(
          "parts",
          "expected no circle of checks: by those before it `\(check.total)` is a part of its own parts, so that neither proves the other"
        )
      }
      parts[check.total, default: []].formUnion(check.parts + check.optionalParts)
    }
  }

  /// A text that every text begins with matches every device.
  private static func requireTexts(_ fields: ProfileFields) {
    if fields.string("make").trimmed.isEmpty { fields.note("make", "expected the maker's name") }
    for row in fields.tables("table").flatMap({ $0.tables("row") }) where row.string("label").trimmed.isEmpty {
      row.note("label", "expected the device's label of the row")
    }
    let match = fields.optionalTable("match")
    for key in ["descriptions", "printer-descriptions", "printer-words", "other-devices"] {
      guard let match, match.strings(key).contains(where: { $0.trimmed.isEmpty }) else { continue }
      match.note(key, "expected no empty text, which every text begins with")
    }
    for brand in fields.tables("brand") where brand.string("prefix").trimmed.isEmpty {
      brand.note("prefix", "expected no empty text, which every text begins with")
    }
  }

  /// Fewer letters are the beginning of many makers' texts.
  private static let beginningCharactersMin = 3

  /// Texts that devices' texts begin with, which tell one maker from another.
  private static func requireBeginnings(_ fields: ProfileFields) {
    func isShort(_ text: String) -> Bool { !text.trimmed.isEmpty && text.count < beginningCharactersMin }
    let expected = "expected \(beginningCharactersMin) characters or more: what is shorter begins many makers' texts"
    for key in ["descriptions", "printer-descriptions"] {
      guard let match = fields.optionalTable("match"), match.strings(key).contains(where: isShort) else { continue }
      match.note(key, expected)
    }
    for brand in fields.tables("brand") where isShort(brand.string("prefix")) { brand.note("prefix", expected) }
  }

  /// A cut between empty marks is none. One without any takes the whole text.
  private static func requireCuts(_ fields: ProfileFields) {
    for cut in fields.tables("cut") {
      for key in ["after", "until"] where cut.optionalString(key)?.isEmpty == true {
        cut.note(key, "expected a text, or no `\(key)`: an empty one cuts nothing")
      }
    }
  }

  /// The columns of a table have one index, so that they are one maker's, or the standard's that it extends.
  private static func requireOneMaker(_ profile: Profile, _ fields: ProfileFields) {
    func maker(_ name: ObjectIdentifier) -> UInt32? { name.suffix(below: MIB2.enterprises)?.first }
    func expect(_ key: String, _ names: [ObjectIdentifier], beside values: ObjectIdentifier, _ part: ProfileFields) {
      guard let own = maker(values), let other = names.first(where: { maker($0).map { $0 != own } ?? false }) else {
        return
      }
      part.note(
        key,
        "expected a column of the maker whose counters these are: \(other) is of another maker's tree than \(values)")
    }
    for (table, part) in zip(profile.tables, fields.tables("table")) {
      expect("labels", table.labels.map { [$0] } ?? [], beside: table.values, part)
      expect("further-labels", table.furtherLabels, beside: table.values, part)
      expect("units", table.units.map { [$0.column] } ?? [], beside: table.values, part)
    }
    for (table, part) in zip(profile.supplyNumbers, fields.tables("supply-numbers")) {
      expect("part-numbers", table.partNumbers.map { [$0] } ?? [], beside: table.descriptions, part)
      expect("serial-numbers", table.serialNumbers.map { [$0] } ?? [], beside: table.descriptions, part)
    }
  }

  /// A maker is known by the number that it has; of a standard object it is known what it counts.
  private static func requireMakersObjects(_ profile: Profile, _ fields: ProfileFields) {
    func isOfMaker(_ name: ObjectIdentifier) -> Bool { name.isWithin(MIB2.enterprises) && name != MIB2.enterprises }
    let identifiers = [
      ("object-ids", profile.match.objectIDs), ("printer-object-ids", profile.match.printerObjectIDs),
    ]
    for (key, names) in identifiers {
      guard let wrong = names.first(where: { !isOfMaker($0) }) else { continue }
      fields.optionalTable("match")?.note(
        key, "expected names below \(MIB2.enterprises), with a maker's number: \(wrong) is not one maker's")
    }
    let objects = [
      ("counter", "oid", profile.counters.map(\.name)), ("record", "oid", profile.records.map(\.name)),
      ("table", "values", profile.tables.map(\.values)),
    ]
    for (list, key, names) in objects {
      for (name, part) in zip(names, fields.tables(list)) where name.isWithin(Self.standardObjects) {
        part.note(key, "expected an object of the maker's own: \(name) is a standard's, which says what it counts")
      }
    }
  }

  /// mib-2
  private static let standardObjects: ObjectIdentifier = [1, 3, 6, 1, 2, 1]

  /// An object counts one thing, and of one table two labels do not count the same.
  private static func requireOneMeaning(_ fields: ProfileFields) {
    var objects: Set<String> = []
    for counter in fields.tables("counter") where !objects.insert(counter.string("oid")).inserted {
      counter.note("oid", "expected each object once; `\(counter.string("oid"))` is read as another meter already")
    }
    for table in fields.tables("table") {
      var meters: Set<String> = []
      for row in table.tables("row") where !meters.insert(row.string("meter")).inserted {
        row.note(
          "meter", "expected each meter once in a table: `\(row.string("meter"))` has another label there already")
      }
    }
  }

  /// A cell of a table is that table's: as another meter beside it, it would be its own proof.
  private static func requireOneMeaningOfCells(_ profile: Profile, _ fields: ProfileFields) {
    for (counter, part) in zip(profile.counters, fields.tables("counter")) {
      if let table = profile.tables.first(where: { table in
        ([table.values] + [table.labels, table.units?.column].compactMap { $0 } + table.furtherLabels)
          .contains { $0.isWithin(counter.name) }
      }) {
        part.note(
          "oid",
          "expected an object with its instance: `\(counter.name)` is a column of the table `\(table.id)`, or above it")
        continue
      }
      guard let table = profile.tables.first(where: { counter.name.isWithin($0.values) }) else { continue }
      part.note("oid", "expected each object once; `\(counter.name)` is a cell of the table `\(table.id)` already")
    }
    var meters: [ObjectIdentifier: [String: MeterName]] = [:]
    for (table, part) in zip(profile.tables, fields.tables("table")) {
      guard case .labels(let rows) = table.meaning else { continue }
      for (row, fields) in zip(rows, part.tables("row")) {
        let former = meters[table.values, default: [:]].updateValue(row.meter, forKey: row.label)
        guard let former, former != row.meter else { continue }
        fields.note("meter", "expected one meter of a cell; the label `\(row.label)` is `\(former)` in another table")
      }
    }
  }

  /// Without a total of the maker's `total` is the life count, which is always equal to itself.
  private static func requireOwnTotal(_ profile: Profile, _ known: KnownMeters, _ fields: ProfileFields) {
    guard known.units[MeterName.total.description] == nil else { return }
    for (check, part) in zip(profile.checks, fields.tables("check"))
    where check.terms.contains("life") && check.terms.contains(MeterName.total.description) {
      part.note(
        "total",
        "expected a `total` that this profile reads beside `life`: else both are the life count, which proves nothing")
    }
  }
}
