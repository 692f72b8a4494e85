// Profile files: TOML 1.0, schema in docs/formats/profiles.md. A file is taken whole or not at all: an unknown key, a missing one, a
// value of the wrong kind, a meter or unit that is no word of the vocabulary, or a name used twice refuses it, and the error says
// where (file, line, key) and what was expected.

internal import TOMLKit

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
  package static func parse(_ bytes: [UInt8], file: String) throws(ProfileError) -> Profile {
    guard bytes.count <= fileBytesMax else {
      throw ProfileError(file: file, key: "", expected: "expected at most \(fileBytesMax) bytes, not \(bytes.count)")
    }
    guard let text = String(validating: bytes, as: UTF8.self), !text.contains("\0") else {
      throw ProfileError(file: file, key: "", expected: "expected UTF-8 text")
    }
    let document: TOMLTable
    do {
      document = try TOMLTable(string: text)
    } catch let error as TOMLParseError {
      throw ProfileError(
        file: file, line: Int(error.source.begin.line), key: "", expected: "expected TOML: \(error.description)")
    } catch {
      throw ProfileError(file: file, key: "", expected: "expected TOML: \(error)")
    }
    do throws(ProfileFieldError) {
      return try profile(ProfileFields(document, path: ""))
    } catch {
      throw ProfileError(
        file: file, line: ProfileFieldLocator.line(of: error.key, in: text), key: error.key, expected: error.expected)
    }
  }

  private static func profile(_ fields: ProfileFields) throws(ProfileFieldError) -> Profile {
    try fields.allow([
      "name", "version", "make", "match", "identity", "brand", "cut", "counter", "table", "record", "check",
    ])
    let name = try fields.string("name")
    guard !name.isEmpty, name.allSatisfy({ ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "-" }) else {
      throw fields.error("name", "expected lower case letters, digits and hyphens")
    }
    let version = try fields.integer("version", in: 1...1_000_000)
    var profile = Profile(name: name, version: Int(version), make: try fields.string("make"))
    profile.match = try match(fields.table("match"))
    if let identity = try fields.optionalTable("identity") { profile.identity = try identitySources(identity) }
    for brand in try fields.tables("brand") { profile.brands.append(try self.brand(brand)) }
    for cut in try fields.tables("cut") { profile.cuts.append(try self.cut(cut)) }
    for counter in try fields.tables("counter") { profile.counters.append(try self.counter(counter)) }
    for table in try fields.tables("table") { profile.tables.append(try self.table(table)) }
    for record in try fields.tables("record") { profile.records.append(try self.record(record)) }
    for check in try fields.tables("check") { profile.checks.append(try self.check(check)) }
    try requireUniqueIDs(profile, fields)
    return profile
  }

  private static func requireUniqueIDs(_ profile: Profile, _ fields: ProfileFields) throws(ProfileFieldError) {
    var seen: Set<String> = []
    let ids = profile.counters.map(\.id) + profile.tables.map(\.id) + profile.records.map(\.id)
    for id in ids where !seen.insert(id).inserted {
      throw fields.error("id", "expected each id once; `\(id)` is there twice")
    }
  }

  private static func match(_ fields: ProfileFields) throws(ProfileFieldError) -> Profile.Match {
    try fields.allow([
      "object-ids", "descriptions", "printer-object-ids", "printer-descriptions", "printer-words", "other-devices",
    ])
    var match = Profile.Match()
    match.objectIDs = try fields.objectIDs("object-ids")
    match.descriptions = try fields.strings("descriptions").map { $0.uppercased() }
    match.printerObjectIDs = try fields.objectIDs("printer-object-ids")
    match.printerDescriptions = try fields.strings("printer-descriptions").map { $0.uppercased() }
    match.printerWords = try fields.strings("printer-words").map { $0.uppercased() }
    match.otherDevices = try fields.strings("other-devices").map { $0.uppercased() }
    guard !match.objectIDs.isEmpty || !match.descriptions.isEmpty else {
      throw fields.error("object-ids", "expected `object-ids` or `descriptions`, without which nothing matches")
    }
    return match
  }

  private static func identitySources(_ fields: ProfileFields) throws(ProfileFieldError) -> Profile.IdentitySources {
    try fields.allow(["serial", "model", "firmware", "asset-number", "device-id", "console"])
    var sources = Profile.IdentitySources()
    sources.serial = try fields.objectIDs("serial")
    sources.model = try fields.objectIDs("model")
    sources.firmware = try fields.objectIDs("firmware")
    sources.assetNumber = try fields.objectIDs("asset-number")
    sources.deviceID = try fields.objectIDs("device-id")
    sources.console = try fields.objectIDs("console")
    return sources
  }

  private static func brand(_ fields: ProfileFields) throws(ProfileFieldError) -> Profile.Brand {
    try fields.allow(["prefix", "make"])
    return Profile.Brand(prefix: try fields.string("prefix").uppercased(), make: try fields.string("make"))
  }

  private static func cut(_ fields: ProfileFields) throws(ProfileFieldError) -> Profile.Cut {
    try fields.allow(["field", "from", "after", "until", "drop-last-words"])
    return Profile.Cut(
      field: try fields.word("field"), origin: try fields.word("from"), after: try fields.optionalString("after") ?? "",
      until: try fields.optionalString("until") ?? "",
      dropLastWords: Int(try fields.optionalInteger("drop-last-words", in: 0...10) ?? 0))
  }

  private static func counter(_ fields: ProfileFields) throws(ProfileFieldError) -> ProfileCounter {
    try fields.allow(["id", "oid", "meter", "unit", "confidence", "replaces-life-count", "reason"])
    let meter = try fields.meter("meter")
    let replaces = try fields.optionalBoolean("replaces-life-count") ?? false
    guard !replaces || meter == .total else {
      throw fields.error("replaces-life-count", "expected only with the meter `total`")
    }
    let reason = try fields.optionalString("reason")
    guard !replaces || reason != nil else {
      throw fields.error("reason", "expected the reason why this counter and not the marker's life count is the total")
    }
    return ProfileCounter(
      id: try fields.string("id"), name: try fields.objectID("oid"), meter: meter, unit: try fields.unit("unit"),
      confidence: try fields.word("confidence"), replacesLifeCount: replaces, reason: reason)
  }

  private static func table(_ fields: ProfileFields) throws(ProfileFieldError) -> CounterTable {
    try fields.allow(["id", "labels", "values", "join", "unit", "confidence", "row", "qualifier-of"])
    let confidence: Confidence = try fields.word("confidence")
    let rows = try fields.tables("row")
    let meaning: CounterTable.Meaning
    if fields.has("qualifier-of") {
      guard rows.isEmpty else { throw fields.error("qualifier-of", "expected either rows or `qualifier-of`") }
      meaning = .qualifier(try fields.meter("qualifier-of"))
    } else {
      guard !rows.isEmpty else { throw fields.error("row", "expected at least one row, or `qualifier-of`") }
      var known: [CounterTable.Row] = []
      for row in rows { known.append(try self.row(row, confidence)) }
      meaning = .labels(known)
    }
    return CounterTable(
      id: try fields.string("id"), labels: try fields.objectID("labels"), values: try fields.objectID("values"),
      join: try fields.optionalWord("join") ?? .index, unit: try fields.unit("unit"), confidence: confidence,
      meaning: meaning)
  }

  private static func row(
    _ fields: ProfileFields, _ confidence: Confidence
  ) throws(ProfileFieldError) -> CounterTable.Row {
    try fields.allow(["label", "meter", "confidence"])
    return CounterTable.Row(
      label: CounterTable.normalizedLabel(try fields.string("label")), meter: try fields.meter("meter"),
      confidence: try fields.optionalWord("confidence") ?? confidence)
  }

  private static func record(_ fields: ProfileFields) throws(ProfileFieldError) -> CounterRecord {
    try fields.allow(["id", "oid", "unit", "confidence", "code"])
    var codes: [CounterRecord.Code] = []
    for code in try fields.tables("code") {
      try code.allow(["code", "meter"])
      codes.append(
        CounterRecord.Code(
          code: UInt8(truncatingIfNeeded: try code.integer("code", in: 0...254)), meter: try code.meter("meter")))
    }
    return CounterRecord(
      id: try fields.string("id"), name: try fields.objectID("oid"), unit: try fields.unit("unit"),
      confidence: try fields.word("confidence"), codes: codes)
  }

  private static func check(_ fields: ProfileFields) throws(ProfileFieldError) -> CheckRule {
    try fields.allow(["name", "total", "parts", "optional-parts"])
    let rule = CheckRule(
      name: try fields.string("name"), total: try fields.string("total"), parts: try fields.strings("parts"),
      optionalParts: try fields.strings("optional-parts"))
    guard !rule.parts.isEmpty else { throw fields.error("parts", "expected at least one meter") }
    for meter in [rule.total] + rule.parts + rule.optionalParts where meter != "life" && MeterName(meter) == nil {
      throw fields.error("parts", "expected meters of the vocabulary or `life`, not `\(meter)`")
    }
    return rule
  }
}

extension CounterTable {
  /// Lower case, single spaces, none at the ends: devices differ in such things from release to release.
  package static func normalizedLabel(_ text: String) -> String {
    text.lowercased().split { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" }.joined(separator: " ")
  }
}
