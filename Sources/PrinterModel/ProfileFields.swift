// Typed access to the keys of a profile's TOML tables. Each accessor names the key and what was expected when it throws.

internal import MIB
internal import TOMLKit

/// A key that is not as the schema has it.
struct ProfileFieldError: Error {
  var key: String
  var expected: String
}

/// One TOML table with its path in the file.
struct ProfileFields {
  private let table: TOMLTable
  private let path: String

  init(_ table: TOMLTable, path: String) {
    self.table = table
    self.path = path
  }

  func error(_ key: String, _ expected: String) -> ProfileFieldError {
    ProfileFieldError(key: path.isEmpty ? key : "\(path).\(key)", expected: expected)
  }

  func has(_ key: String) -> Bool { table.contains(key: key) }

  /// Throws for any key that is not among these: a misspelt key must not be passed over in silence.
  func allow(_ keys: Set<String>) throws(ProfileFieldError) {
    for key in table.keys.sorted() where !keys.contains(key) {
      throw error(key, "unknown key; expected one of \(keys.sorted().joined(separator: ", "))")
    }
  }

  func string(_ key: String) throws(ProfileFieldError) -> String {
    guard let text = try optionalString(key) else { throw error(key, "missing; expected a string") }
    return text
  }

  func optionalString(_ key: String) throws(ProfileFieldError) -> String? {
    guard has(key) else { return nil }
    guard let text = table[key]?.string else { throw error(key, "expected a string") }
    return text
  }

  func integer(_ key: String, in range: ClosedRange<Int64>) throws(ProfileFieldError) -> Int64 {
    guard let number = try optionalInteger(key, in: range) else {
      throw error(key, "missing; expected a whole number")
    }
    return number
  }

  func optionalInteger(_ key: String, in range: ClosedRange<Int64>) throws(ProfileFieldError) -> Int64? {
    guard has(key) else { return nil }
    guard let number = table[key]?.int, range.contains(Int64(number)) else {
      throw error(key, "expected a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return Int64(number)
  }

  func optionalBoolean(_ key: String) throws(ProfileFieldError) -> Bool? {
    guard has(key) else { return nil }
    guard let value = table[key]?.bool else { throw error(key, "expected true or false") }
    return value
  }

  /// An array of strings; an absent key is an empty array.
  func strings(_ key: String) throws(ProfileFieldError) -> [String] {
    guard has(key) else { return [] }
    guard let array = table[key]?.array else { throw error(key, "expected an array of strings") }
    var strings: [String] = []
    for element in array {
      guard let text = element.string else { throw error(key, "expected an array of strings") }
      strings.append(text)
    }
    return strings
  }

  func table(_ key: String) throws(ProfileFieldError) -> ProfileFields {
    guard let fields = try optionalTable(key) else { throw error(key, "missing; expected a table") }
    return fields
  }

  func optionalTable(_ key: String) throws(ProfileFieldError) -> ProfileFields? {
    guard has(key) else { return nil }
    guard let inner = table[key]?.table else { throw error(key, "expected a table") }
    return ProfileFields(inner, path: path.isEmpty ? key : "\(path).\(key)")
  }

  /// An array of tables; an absent key is an empty array.
  func tables(_ key: String) throws(ProfileFieldError) -> [ProfileFields] {
    guard has(key) else { return [] }
    guard let array = table[key]?.array else { throw error(key, "expected an array of tables") }
    var tables: [ProfileFields] = []
    for (index, element) in array.enumerated() {
      guard let inner = element.table else { throw error(key, "expected an array of tables") }
      tables.append(ProfileFields(inner, path: (path.isEmpty ? key : "\(path).\(key)") + "[\(index)]"))
    }
    return tables
  }

  func objectID(_ key: String) throws(ProfileFieldError) -> ObjectIdentifier {
    guard let identifier = ObjectIdentifier(dotted: try string(key)) else {
      throw error(key, "expected an object identifier in dotted form")
    }
    return identifier
  }

  func objectIDs(_ key: String) throws(ProfileFieldError) -> [ObjectIdentifier] {
    var identifiers: [ObjectIdentifier] = []
    for text in try strings(key) {
      guard let identifier = ObjectIdentifier(dotted: text) else {
        throw error(key, "expected object identifiers in dotted form, not `\(text)`")
      }
      identifiers.append(identifier)
    }
    return identifiers
  }

  func meter(_ key: String) throws(ProfileFieldError) -> MeterName {
    let text = try string(key)
    guard let meter = MeterName(text) else {
      throw error(key, "expected a meter (service.colour.size.sides#qualifier), not `\(text)`")
    }
    return meter
  }

  func unit(_ key: String) throws(ProfileFieldError) -> CounterUnit {
    let text = try string(key)
    guard let unit = CounterUnit(name: text) else {
      throw error(key, "expected a unit of IANA-PRINTER-MIB (impressions, sheets, items, …), not `\(text)`")
    }
    return unit
  }

  func word<Word: RawRepresentable & CaseIterable>(_ key: String) throws(ProfileFieldError) -> Word
  where Word.RawValue == String {
    guard let word: Word = try optionalWord(key) else {
      throw error(key, "missing; expected one of \(Self.choices(Word.self))")
    }
    return word
  }

  func optionalWord<Word: RawRepresentable & CaseIterable>(_ key: String) throws(ProfileFieldError) -> Word?
  where Word.RawValue == String {
    guard let text = try optionalString(key) else { return nil }
    guard let word = Word(rawValue: text) else {
      throw error(key, "expected one of \(Self.choices(Word.self)), not `\(text)`")
    }
    return word
  }

  private static func choices<Word: RawRepresentable & CaseIterable>(_ type: Word.Type) -> String
  where Word.RawValue == String {
    type.allCases.map(\.rawValue).joined(separator: ", ")
  }
}

/// Finds the line of a key again, since TOML values do not keep their place.
enum ProfileFieldLocator {
  /// The line of `counter[2].unit` is the first `unit =` after the third `[[counter]]`; a missing key has the line of its table.
  static func line(of path: String, in text: String) -> Int? {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).trimmed }
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
        guard starts.indices.contains(index) else { continue }
        position = starts[index]
        found = position
      } else if let line = lines[position...].firstIndex(where: { line in
        line.hasPrefix("[\(header)]") || isAssignment(line, to: name)
      }) {
        position = line
        found = line
      }
    }
    return found.map { $0 + 1 }
  }

  private static func isAssignment(_ line: String, to key: String) -> Bool {
    line.hasPrefix(key) && line.dropFirst(key.count).drop { $0 == " " }.hasPrefix("=")
  }
}
