// Typed access to the keys of a profile's TOML tables. What is not as the schema has it is noted, with the key and what was expected, and
// reading goes on with a stand-in, so that one reading of a file tells everything that is wrong with it. A profile is taken only if nothing
// was noted.

internal import MIB
internal import TOMLKit

/// A key that is not as the schema has it.
struct ProfileFieldError: Equatable {
  var key: String
  var expected: String
}

/// Everything that is wrong with one file, in the order it was met.
final class ProfileProblems {
  private(set) var all: [ProfileFieldError] = []
  /// Keeps a problem, once: some keys are read twice.
  func note(_ problem: ProfileFieldError) {
    if !all.contains(problem) { all.append(problem) }
  }
}

/// One TOML table with its path in the file.
struct ProfileFields {
  private let table: TOMLTable
  private let path: String
  private let problems: ProfileProblems

  init(_ table: TOMLTable, path: String, _ problems: ProfileProblems) {
    self.table = table
    self.path = path
    self.problems = problems
  }

  func note(_ key: String, _ expected: String) {
    problems.note(ProfileFieldError(key: path.isEmpty ? key : "\(path).\(key)", expected: expected))
  }

  func has(_ key: String) -> Bool { table.contains(key: key) }

  /// Notes every key that is not among these: a misspelt key must not be passed over in silence.
  func allow(_ keys: Set<String>) {
    for key in table.keys.sorted() where !keys.contains(key) {
      note(key, "unknown key; expected one of \(keys.sorted().joined(separator: ", "))")
    }
  }

  func string(_ key: String) -> String {
    guard has(key) else {
      note(key, "missing; expected a string")
      return ""
    }
    return optionalString(key) ?? ""
  }

  func optionalString(_ key: String) -> String? {
    guard has(key) else { return nil }
    guard let text = table[key]?.string else {
      note(key, "expected a string")
      return nil
    }
    return text
  }

  func integer(_ key: String, in range: ClosedRange<Int64>) -> Int64 {
    guard has(key) else {
      note(key, "missing; expected a whole number")
      return range.lowerBound
    }
    return optionalInteger(key, in: range) ?? range.lowerBound
  }

  func optionalInteger(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
    guard has(key) else { return nil }
    guard let number = table[key]?.int, range.contains(Int64(number)) else {
      note(key, "expected a whole number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return Int64(number)
  }

  func optionalBoolean(_ key: String) -> Bool? {
    guard has(key) else { return nil }
    guard let value = table[key]?.bool else {
      note(key, "expected true or false")
      return nil
    }
    return value
  }

  /// An array of strings; an absent key is an empty array.
  func strings(_ key: String) -> [String] {
    guard has(key) else { return [] }
    let strings = table[key]?.array.map { $0.map(\.string) }
    guard let strings, !strings.contains(nil) else {
      note(key, "expected an array of strings")
      return []
    }
    return strings.compactMap { $0 }
  }

  /// A table of strings; an absent key is an empty one.
  func stringTable(_ key: String) -> [String: String] {
    guard has(key) else { return [:] }
    guard let inner = table[key]?.table else {
      note(key, "expected a table of strings")
      return [:]
    }
    var strings: [String: String] = [:]
    for name in inner.keys.sorted() {
      guard let text = inner[name]?.string else {
        note("\(key).\(name)", "expected a string")
        continue
      }
      strings[name] = text
    }
    return strings
  }

  /// The table of this key; if there is none, that is noted.
  func table(_ key: String) -> ProfileFields? {
    if !has(key) { note(key, "missing; expected a table") }
    return optionalTable(key)
  }

  func optionalTable(_ key: String) -> ProfileFields? {
    guard has(key) else { return nil }
    guard let inner = table[key]?.table else {
      note(key, "expected a table")
      return nil
    }
    return ProfileFields(inner, path: path.isEmpty ? key : "\(path).\(key)", problems)
  }

  /// An array of tables; an absent key is an empty array.
  func tables(_ key: String) -> [ProfileFields] {
    guard has(key) else { return [] }
    let tables = table[key]?.array.map { $0.map(\.table) }
    guard let tables, !tables.contains(where: { $0 == nil }) else {
      note(key, "expected an array of tables")
      return []
    }
    return tables.enumerated().compactMap { index, inner in
      inner.map { ProfileFields($0, path: (path.isEmpty ? key : "\(path).\(key)") + "[\(index)]", problems) }
    }
  }

  func objectID(_ key: String) -> ObjectIdentifier {
    guard has(key) else {
      note(key, "missing; expected an object identifier in dotted form")
      return []
    }
    return optionalObjectID(key) ?? []
  }

  func optionalObjectID(_ key: String) -> ObjectIdentifier? {
    guard let text = optionalString(key) else { return nil }
    guard let identifier = ObjectIdentifier(dotted: text) else {
      note(key, "expected an object identifier in dotted form")
      return nil
    }
    return identifier
  }

  func objectIDs(_ key: String) -> [ObjectIdentifier] {
    strings(key).compactMap { text in
      let identifier = ObjectIdentifier(dotted: text)
      if identifier == nil { note(key, "expected object identifiers in dotted form, not `\(text)`") }
      return identifier
    }
  }

  /// It is a name that people read in tables, and stands in each reading.
  private static let qualifierCharactersMax = 64

  func meter(_ key: String) -> MeterName {
    let text = string(key)
    guard !text.isEmpty || !has(key) else {
      note(key, "expected a meter (service.colour.size.sides#qualifier), not an empty string")
      return .total
    }
    guard !text.isEmpty, let meter = MeterName(text) else {
      if !text.isEmpty { note(key, "expected a meter (service.colour.size.sides#qualifier), not `\(text)`") }
      return .total
    }
    guard meter.qualifier.count <= Self.qualifierCharactersMax else {
      note(
        key, "expected a qualifier of \(Self.qualifierCharactersMax) characters at most, not \(meter.qualifier.count)")
      return .total
    }
    return meter
  }

  func unit(_ key: String) -> CounterUnit {
    if !has(key) { note(key, "missing; expected a unit (impressions, sheets, items, …)") }
    return optionalUnit(key) ?? .unknown
  }

  func optionalUnit(_ key: String) -> CounterUnit? {
    guard let text = optionalString(key) else { return nil }
    guard let unit = CounterUnit(name: text) else {
      note(key, "expected a unit of IANA-PRINTER-MIB (impressions, sheets, items, …) or images, not `\(text)`")
      return nil
    }
    return unit
  }

  func word<Word: RawRepresentable & CaseIterable>(_ key: String, else standIn: Word) -> Word
  where Word.RawValue == String {
    if !has(key) { note(key, "missing; expected one of \(Self.choices(Word.self))") }
    return optionalWord(key) ?? standIn
  }

  func optionalWord<Word: RawRepresentable & CaseIterable>(_ key: String) -> Word? where Word.RawValue == String {
    guard let text = optionalString(key) else { return nil }
    guard let word = Word(rawValue: text) else {
      note(key, "expected one of \(Self.choices(Word.self)), not `\(text)`")
      return nil
    }
    return word
  }

  private static func choices<Word: RawRepresentable & CaseIterable>(_ type: Word.Type) -> String
  where Word.RawValue == String {
    type.allCases.map(\.rawValue).joined(separator: ", ")
  }
}

/// Finds the line of a key again, since TOML values do not keep their place.
struct ProfileFieldLocator {
  private let lines: [String]

  init(_ text: String) {
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).trimmed }
  }

  /// The line of `counter[2].unit` is the first `unit =` after the third `[[counter]]`; a missing key has the line of its table.
  func line(of path: String) -> Int? {
    var position = 0
    var found: Int?
    var names: [String] = []
    for component in path.split(separator: ".") {
      let parts = component.split(separator: "[")
      let name = String(parts.first ?? "")
      names.append(name)
      let header = names.joined(separator: ".")
      if parts.count == 2, let index = Int(parts[1].dropLast()) {
        let starts = lines.indices.filter { $0 >= position && lines[$0].hasPrefix("[[\(header)]]") }
        guard let start = starts.indices.contains(index) ? starts[index] : inlineElement(name, index, position)
        else { continue }
        position = start
        found = position
      } else if let line = lines[position...].firstIndex(where: { line in
        line.hasPrefix("[\(header)]") || Self.isAssignment(line, to: name)
      }) {
        position = line
        found = line
      }
    }
    return found.map { $0 + 1 }
  }

  /// The line of an element of `row = [`, where each element has a line of its own that begins with a brace; else that of the array.
  private func inlineElement(_ key: String, _ index: Int, _ from: Int) -> Int? {
    guard let array = lines[from...].firstIndex(where: { Self.isAssignment($0, to: key) }) else { return nil }
    let elements = lines[(array + 1)...].prefix { !$0.hasPrefix("]") }.indices.filter { lines[$0].hasPrefix("{") }
    return elements.indices.contains(index) ? elements[index] : array
  }

  private static func isAssignment(_ line: String, to key: String) -> Bool {
    line.hasPrefix(key) && line.dropFirst(key.count).drop { $0 == " " }.hasPrefix("=")
  }
}
