// Profile files: TOML 1.0, schema in docs/formats/profiles.md. A file is taken whole or not at all: an unknown key, a missing one, a
// value of the wrong kind, a meter or unit that is no word of the vocabulary, or a name used twice refuses it, and the error says
// where (file, line, key) and what was expected. All errors of a file are told at once.

internal import MIB
internal import TOMLKit
internal import TOMLText

/// Why a profile file was refused.
package struct ProfileError: Error, Equatable, Sendable, CustomStringConvertible {
  package var file: String
  /// Counted from 1; nil if the file as a whole is meant.
  package var line: Int?
  /// The key's path, for example `counter[2].unit`; empty for a syntax error.
  package var key: String
  package var expected: String

  package var description: String {
    let place = line.map { "\(file):\($0)" } ?? file
    return key.isEmpty ? "\(place): \(expected)" : "\(place): `\(key)`: \(expected)"
  }
}

/// Reads profile files.
package enum ProfileParser {
  /// Largest file that is read; the shipped ones have a few kilobytes.
  package static let fileBytesMax = 1 << 20

  /// Reads one file's bytes. `file` is for messages only.
  /// - Throws: the first error that was met; `check` tells all.
  package static func parse(_ bytes: [UInt8], file: String) throws(ProfileError) -> Profile {
    let (profile, errors) = read(bytes, file: file)
    if let first = errors.first { throw first }
    guard let profile else { throw ProfileError(file: file, key: "", expected: "expected a profile") }
    return profile
  }

  /// Reads one file's bytes and tells everything that is wrong with it, in the order of the lines. The profile is there if nothing is.
  package static func check(_ bytes: [UInt8], file: String) -> (profile: Profile?, errors: [ProfileError]) {
    let (profile, errors) = read(bytes, file: file)
    return (profile, errors.inOrderOfLines)
  }

  private static func read(_ bytes: [UInt8], file: String) -> (profile: Profile?, errors: [ProfileError]) {
    guard bytes.count <= fileBytesMax else {
      let expected = "expected at most \(fileBytesMax) bytes, not \(bytes.count)"
      return (nil, [ProfileError(file: file, key: "", expected: expected)])
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      return (nil, [ProfileError(file: file, key: "", expected: "expected UTF-8 text")])
    }
    if let fault = TOMLFault.first(in: text) {
      return (nil, [ProfileError(file: file, line: fault.line, key: "", expected: "expected TOML: \(fault.message)")])
    }
    let document: TOMLTable
    do {
      document = try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      let line = Int(error.source.begin.line)
      return (nil, [ProfileError(file: file, line: line, key: "", expected: "expected TOML: \(error.description)")])
    } catch {
      return (nil, [ProfileError(file: file, key: "", expected: "expected TOML: \(error)")])
    }
    let problems = ProfileProblems()
    let fields = ProfileFields(document, path: "", problems)
    let profile = profile(fields)
    if problems.all.isEmpty { requireSense(profile, fields) }
    let locator = ProfileFieldLocator(text)
    let errors = problems.all.map { problem in
      ProfileError(file: file, line: locator.line(of: problem.key), key: problem.key, expected: problem.expected)
    }
    return (errors.isEmpty ? profile : nil, errors)
  }

  private static func profile(_ fields: ProfileFields) -> Profile {
    fields.allow([
      "name", "version", "make", "supplies-context", "match", "identity", "brand", "cut", "counter", "table", "record",
      "supply-record",
      "supply-numbers", "check",
    ])
    let name = fields.string("name")
    if fields.has("name"), name.isEmpty || !name.allSatisfy(isNameCharacter) {
      fields.note("name", "expected lower case letters, digits and hyphens")
    }
    let version = fields.integer("version", in: 1...1_000_000)
    var profile = Profile(name: name, version: Int(version), make: fields.string("make"))
    profile.suppliesContext = fields.optionalString("supplies-context")
    if let context = profile.suppliesContext, context.isEmpty || !context.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
      fields.note("supplies-context", "expected the name of an SNMP context")
    }
    if let match = fields.table("match") { profile.match = self.match(match) }
    if let identity = fields.optionalTable("identity") { profile.identity = identitySources(identity) }
    profile.brands = fields.tables("brand").map(brand)
    profile.cuts = fields.tables("cut").map(cut)
    profile.counters = fields.tables("counter").map(counter)
    profile.tables = fields.tables("table").map(table)
    profile.records = fields.tables("record").map(record)
    profile.supplyRecords = fields.tables("supply-record").map(supplyRecord)
    profile.supplyNumbers = fields.tables("supply-numbers").map(supplyNumbers)
    profile.checks = fields.tables("check").map(check)
    requireUniqueIDs(fields)
    return profile
  }

  static func isNameCharacter(_ character: Character) -> Bool {
    ("a"..."z").contains(character) || ("0"..."9").contains(character) || character == "-"
  }

  /// A rule's name stands with each meter of each reading.
  private static let idCharactersMax = 64

  private static func requireUniqueIDs(_ fields: ProfileFields) {
    var seen: Set<String> = []
    for part in ["counter", "table", "record"].flatMap(fields.tables) where part.has("id") {
      guard let id = part.optionalString("id") else { continue }
      if id.isEmpty || id.count > idCharactersMax || !id.allSatisfy(isNameCharacter) {
        part.note(
          "id",
          "expected lower case letters, digits and hyphens, \(idCharactersMax) at most: the id is a part of the rule's name"
        )
      }
      if !seen.insert(id).inserted { part.note("id", "expected each id once; `\(id)` is there twice") }
    }
    var names: Set<String> = []
    for check in fields.tables("check") where check.has("name") && !names.insert(check.string("name")).inserted {
      check.note("name", "expected each name once, which readings tell the check by")
    }
  }

  private static func match(_ fields: ProfileFields) -> Profile.Match {
    fields.allow([
      "object-ids", "descriptions", "printer-object-ids", "printer-descriptions", "printer-words", "other-devices",
    ])
    var match = Profile.Match()
    match.objectIDs = fields.objectIDs("object-ids")
    match.descriptions = fields.strings("descriptions").map { $0.uppercased() }
    match.printerObjectIDs = fields.objectIDs("printer-object-ids")
    match.printerDescriptions = fields.strings("printer-descriptions").map { $0.uppercased() }
    match.printerWords = fields.strings("printer-words").map { $0.uppercased() }
    match.otherDevices = fields.strings("other-devices").map { $0.uppercased() }
    if !fields.has("object-ids"), !fields.has("descriptions") {
      fields.note("object-ids", "expected `object-ids` or `descriptions`, without which nothing matches")
    }
    return match
  }

  private static func identitySources(_ fields: ProfileFields) -> Profile.IdentitySources {
    fields.allow([
      "serial", "model", "firmware", "asset-number", "device-id", "device-id-serial-in-hexadecimal", "console",
    ])
    var sources = Profile.IdentitySources()
    sources.serial = fields.objectIDs("serial")
    sources.model = fields.objectIDs("model")
    sources.firmware = fields.objectIDs("firmware")
    sources.assetNumber = fields.objectIDs("asset-number")
    sources.deviceID = fields.objectIDs("device-id")
    sources.isDeviceIDSerialHexadecimal = fields.optionalBoolean("device-id-serial-in-hexadecimal") ?? false
    sources.console = fields.objectIDs("console")
    return sources
  }

  private static func brand(_ fields: ProfileFields) -> Profile.Brand {
    fields.allow(["prefix", "make"])
    return Profile.Brand(prefix: fields.string("prefix").uppercased(), make: fields.string("make"))
  }

  private static func cut(_ fields: ProfileFields) -> Profile.Cut {
    fields.allow(["field", "from", "after", "until", "drop-last-words"])
    return Profile.Cut(
      field: fields.word("field", else: .model), origin: fields.word("from", else: .sysDescr),
      after: fields.optionalString("after") ?? "", until: fields.optionalString("until") ?? "",
      dropLastWords: Int(fields.optionalInteger("drop-last-words", in: 0...10) ?? 0))
  }

  private static func counter(_ fields: ProfileFields) -> ProfileCounter {
    fields.allow([
      "id", "oid", "meter", "unit", "confidence", "replaces-life-count", "reason", "leading-number-of", "times",
      "otherwise",
    ])
    let meter = fields.meter("meter")
    let replaces = fields.optionalBoolean("replaces-life-count") ?? false
    if replaces, meter != .total { fields.note("replaces-life-count", "expected only with the meter `total`") }
    let reason = fields.optionalString("reason")
    if replaces, !fields.has("reason") {
      fields.note("reason", "expected the reason why this counter and not the marker's life count is the total")
    }
    var counter = ProfileCounter(
      id: fields.string("id"), name: fields.objectID("oid"), meter: meter, unit: fields.unit("unit"),
      confidence: fields.word("confidence", else: .reported), replacesLifeCount: replaces, reason: reason)
    counter.leadingNumberOf = fields.optionalString("leading-number-of")?.uppercased()
    if fields.has("otherwise") { counter.otherwise = fields.meter("otherwise") }
    counter.times = UInt64(fields.optionalInteger("times", in: 1...1_000_000) ?? 1)
    return counter
  }

  private static func table(_ fields: ProfileFields) -> CounterTable {
    fields.allow([
      "id", "labels", "further-labels", "values", "join", "unit", "units", "unit-codes", "confidence", "row",
      "qualifier-of", "qualifier-prefix", "names", "reason",
    ])
    let confidence: Confidence = fields.word("confidence", else: .reported)
    let rows = fields.tables("row")
    let meaning: CounterTable.Meaning
    if fields.has("qualifier-of") {
      if fields.has("row") { fields.note("qualifier-of", "expected either rows or `qualifier-of`") }
      meaning = .qualifier(fields.meter("qualifier-of"))
    } else {
      if !fields.has("row") { fields.note("row", "expected at least one row, or `qualifier-of`") }
      for key in ["qualifier-prefix", "names"] where fields.has(key) {
        fields.note(key, "expected only with `qualifier-of`")
      }
      let labelled = rows.map { row($0, confidence) }
      var seen: Set<String> = []
      for (row, fields) in zip(labelled, rows) where !seen.insert(row.label).inserted {
        fields.note("label", "expected each label once in a table; `\(row.label)` is there twice")
      }
      meaning = .labels(labelled)
    }
    var table = CounterTable(
      id: fields.string("id"), labels: fields.optionalObjectID("labels"), values: fields.objectID("values"),
      join: fields.optionalWord("join") ?? .index, unit: fields.unit("unit"), confidence: confidence, meaning: meaning)
    table.furtherLabels = fields.objectIDs("further-labels")
    if !table.furtherLabels.isEmpty, table.labels == nil {
      fields.note("further-labels", "expected only with `labels`")
    }
    table.units = units(fields)
    table.qualifierPrefix = fields.optionalString("qualifier-prefix") ?? ""
    table.names = fields.stringTable("names")
    table.reason = fields.optionalString("reason")
    if case .labels(let rows) = meaning, table.reason == nil, rows.contains(where: \.replacesLifeCount) {
      fields.note("reason", "expected the reason why a row of this table and not the marker's life count is the total")
    }
    return table
  }

  /// The column of units, which means nothing without what its codes stand for.
  private static func units(_ fields: ProfileFields) -> CounterTable.Units? {
    for (key, other) in [("units", "unit-codes"), ("unit-codes", "units")] where fields.has(key) && !fields.has(other) {
      fields.note(other, "missing; `units` and `unit-codes` are there together or not at all")
    }
    guard let column = fields.optionalObjectID("units") else { return nil }
    var codes: [String: CounterUnit] = [:]
    for (code, name) in fields.stringTable("unit-codes") {
      guard let unit = CounterUnit(name: name) else {
        fields.note("unit-codes.\(code)", "expected a unit of IANA-PRINTER-MIB or images, not `\(name)`")
        continue
      }
      codes[code] = unit
    }
    return CounterTable.Units(column: column, codes: codes)
  }

  private static func row(_ fields: ProfileFields, _ confidence: Confidence) -> CounterTable.Row {
    fields.allow(["label", "meter", "unit", "confidence", "replaces-life-count"])
    var row = CounterTable.Row(
      label: CounterTable.normalizedLabel(fields.string("label")), meter: fields.meter("meter"),
      confidence: fields.optionalWord("confidence") ?? confidence, unit: fields.optionalUnit("unit"))
    row.replacesLifeCount = fields.optionalBoolean("replaces-life-count") ?? false
    if row.replacesLifeCount, row.meter != .total {
      fields.note("replaces-life-count", "expected only with the meter `total`")
    }
    return row
  }

  private static func record(_ fields: ProfileFields) -> CounterRecord {
    fields.allow(["id", "oid", "unit", "confidence", "code", "reason"])
    let codes = fields.tables("code").map { code in
      code.allow(["code", "meter", "unit"])
      return CounterRecord.Code(
        code: UInt8(truncatingIfNeeded: code.integer("code", in: 0...254)), meter: code.meter("meter"),
        unit: code.optionalUnit("unit"))
    }
    var seen: Set<UInt8> = []
    for (code, part) in zip(codes, fields.tables("code")) where !seen.insert(code.code).inserted {
      part.note("code", "expected each code once in a record; \(code.code) is there twice")
    }
    return CounterRecord(
      id: fields.string("id"), name: fields.objectID("oid"), unit: fields.unit("unit"),
      confidence: fields.word("confidence", else: .reported), codes: codes, reason: fields.optionalString("reason"))
  }

  private static func supplyRecord(_ fields: ProfileFields) -> SupplyRecord {
    fields.allow(["oid", "steps-per-percent", "unit", "states", "quality", "rows-from", "ink-models", "code"])
    let codes = fields.tables("code").map { code in
      code.allow(["code", "type", "ink-type", "description", "colorant", "level-of-capacity", "any-of-its-kind"])
      var known = SupplyRecord.Code(
        code: UInt8(truncatingIfNeeded: code.integer("code", in: 0...254)),
        type: supplyType("type", code.string("type"), code) ?? 1,
        description: code.string("description"), colorant: code.optionalString("colorant"),
        isLevelOfCapacity: code.optionalBoolean("level-of-capacity") ?? false)
      known.inkType = code.optionalString("ink-type").flatMap { supplyType("ink-type", $0, code) }
      known.isAnyOfItsKind = code.optionalBoolean("any-of-its-kind") ?? false
      return known
    }
    if codes.isEmpty { fields.note("code", "expected at least one code") }
    let areStates = fields.optionalBoolean("states") ?? false
    if [fields.has("unit"), fields.has("steps-per-percent"), areStates].count(where: { $0 }) != 1 {
      fields.note("steps-per-percent", "expected one of `steps-per-percent`, `unit` and `states = true`")
    }
    let scale: SupplyRecord.Scale =
      if let unit = fields.optionalUnit("unit") {
        .unit(unit)
      } else if areStates {
        .states
      } else {
        .stepsPerPercent(fields.optionalInteger("steps-per-percent", in: 1...1_000) ?? 1)
      }
    var record = SupplyRecord(name: fields.objectID("oid"), scale: scale, codes: codes)
    switch fields.optionalString("quality") {
    case nil, "exact": break
    case "coarse": record.quality = .coarse
    case let other?: fields.note("quality", "expected `exact` or `coarse`, not `\(other)`")
    }
    record.inkModels = fields.strings("ink-models").map { $0.uppercased() }
    record.rowsFrom = UInt32(fields.optionalInteger("rows-from", in: 0...65_536) ?? 0)
    return record
  }

  /// The number of a type of PrtMarkerSuppliesTypeTC.
  private static func supplyType(_ key: String, _ name: String, _ fields: ProfileFields) -> Int64? {
    let number = EnumerationTables.supplyTypes.first { $0.value == name }?.key
    if number == nil, !name.isEmpty {
      fields.note(key, "expected a type of PrtMarkerSuppliesTypeTC (toner, opc, fuser, …), not `\(name)`")
    }
    return number
  }

  private static func supplyNumbers(_ fields: ProfileFields) -> SupplyNumberTable {
    fields.allow(["descriptions", "part-numbers", "serial-numbers"])
    let table = SupplyNumberTable(
      descriptions: fields.objectID("descriptions"), partNumbers: fields.optionalObjectID("part-numbers"),
      serialNumbers: fields.optionalObjectID("serial-numbers"))
    if !fields.has("part-numbers"), !fields.has("serial-numbers") {
      fields.note("part-numbers", "expected `part-numbers` or `serial-numbers`")
    }
    return table
  }

  private static func check(_ fields: ProfileFields) -> CheckRule {
    fields.allow(["name", "total", "parts", "optional-parts", "interchangeable", "across-units"])
    var rule = CheckRule(
      name: fields.string("name"), total: fields.string("total"), parts: fields.strings("parts"),
      optionalParts: fields.strings("optional-parts"))
    rule.interchangeable = Set(fields.strings("interchangeable"))
    rule.isAcrossUnits = fields.optionalBoolean("across-units") ?? false
    if !rule.interchangeable.isSubset(of: rule.parts + rule.optionalParts) {
      fields.note("interchangeable", "expected parts of this check")
    }
    if rule.parts.isEmpty { fields.note("parts", "expected at least one meter") }
    for (key, meters) in [("total", [rule.total]), ("parts", rule.parts), ("optional-parts", rule.optionalParts)] {
      for meter in meters where fields.has(key) && meter != "life" && MeterName(meter) == nil {
        fields.note(key, "expected meters of the vocabulary or `life`, not `\(meter)`")
      }
    }
    return rule
  }
}

extension [ProfileError] {
  /// By line; errors of one line, and those of the whole file before all others, keep their order.
  fileprivate var inOrderOfLines: [ProfileError] {
    enumerated().sorted { left, right in
      (left.element.line ?? 0, left.offset) < (right.element.line ?? 0, right.offset)
    }.map(\.element)
  }
}

extension CounterTable {
  /// Lower case, single spaces, none at the ends and none beside a colon: devices differ in such things from release to release.
  package static func normalizedLabel(_ text: String) -> String {
    let parts = text.lowercased().split(separator: ":", omittingEmptySubsequences: false).map { part in
      part.split { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" }.joined(separator: " ")
    }
    return parts.joined(separator: ":")
  }
}
