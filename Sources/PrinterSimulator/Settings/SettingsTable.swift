// Reading one table of a settings file: every access names the kind it expects, and a key nobody asked for is an error,
// because a misspelt key that is silently ignored costs its author an afternoon.

/// A table at its place in a document. The accessors throw `SettingsError`.
struct SettingsTable {
  let document: SettingsDocument
  let path: [SettingsPathPart]
  let entries: [String: SettingValue]

  init(_ document: SettingsDocument) {
    self.init(document: document, path: [], entries: document.root)
  }

  private init(document: SettingsDocument, path: [SettingsPathPart], entries: [String: SettingValue]) {
    self.document = document
    self.path = path
    self.entries = entries
  }

  /// Throws unless every key of the table is one of `known`.
  func allowOnly(_ known: String...) throws {
    for key in entries.keys.sorted() where !known.contains(key) {
      throw fault(key, "unknown key; expected one of \(known.joined(separator: ", "))")
    }
  }

  func fault(_ key: String, _ message: String) -> SettingsError {
    let full = key.isEmpty ? path : path + [.key(key)]
    var name = ""
    for part in full {
      switch part {
      case .key(let key): name += name.isEmpty ? key : "." + key
      case .position(let position): name += "[\(position + 1)]"
      }
    }
    return SettingsError(file: document.file, line: document.line(of: full), key: name, message: message)
  }

  func string(_ key: String) throws -> String? {
    guard let value = entries[key] else { return nil }
    guard case .string(let text) = value else { throw mismatch(key, "text in quotation marks", value) }
    return text
  }

  func requiredString(_ key: String) throws -> String {
    guard let text = try string(key) else { throw fault(key, "missing; expected text in quotation marks") }
    return text
  }

  func integer(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let value = entries[key] else { return nil }
    let expected = "a whole number from \(range.lowerBound) to \(range.upperBound)"
    guard case .integer(let number) = value else { throw mismatch(key, expected, value) }
    guard range.contains(number) else { throw fault(key, "expected \(expected), found \(number)") }
    return number
  }

  func requiredInteger(_ key: String, in range: ClosedRange<Int>) throws -> Int {
    guard let number = try integer(key, in: range) else {
      throw fault(key, "missing; expected a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  func flag(_ key: String) throws -> Bool? {
    guard let value = entries[key] else { return nil }
    guard case .flag(let flag) = value else { throw mismatch(key, "true or false", value) }
    return flag
  }

  /// A list of text; one text alone is a list of one.
  func strings(_ key: String) throws -> [String]? {
    guard let value = entries[key] else { return nil }
    if case .string(let text) = value { return [text] }
    guard case .array(let elements) = value else { throw mismatch(key, "a list of text", value) }
    return try elements.map { element in
      guard case .string(let text) = element else { throw mismatch(key, "only text in the list", element) }
      return text
    }
  }

  /// A list of two whole numbers, the first not above the second.
  func range(_ key: String) throws -> ClosedRange<Int>? {
    guard let value = entries[key] else { return nil }
    guard case .array(let elements) = value, elements.count == 2, case .integer(let low) = elements[0],
      case .integer(let high) = elements[1], low >= 0, low <= high
    else { throw mismatch(key, "two whole numbers [least, most]", value) }
    return low...high
  }

  func table(_ key: String) throws -> SettingsTable? {
    guard let value = entries[key] else { return nil }
    guard case .table(let entries) = value else { throw mismatch(key, "a table", value) }
    return SettingsTable(document: document, path: path + [.key(key)], entries: entries)
  }

  /// The tables of `[[key]]`; none if it is absent.
  func tables(_ key: String) throws -> [SettingsTable] {
    guard let value = entries[key] else { return [] }
    guard case .array(let elements) = value else { throw mismatch(key, "a list of tables [[\(key)]]", value) }
    return try elements.enumerated().map { position, element in
      guard case .table(let entries) = element else { throw mismatch(key, "only tables in the list", element) }
      return SettingsTable(document: document, path: path + [.key(key), .position(position)], entries: entries)
    }
  }

  /// One of a set of words.
  func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, _ type: Choice.Type) throws -> Choice?
  where Choice.RawValue == String {
    guard let text = try string(key) else { return nil }
    guard let choice = Choice(rawValue: text) else {
      let words = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw fault(key, "'\(text)' is not known; expected one of \(words)")
    }
    return choice
  }

  private func mismatch(_ key: String, _ expected: String, _ found: SettingValue) -> SettingsError {
    fault(key, "expected \(expected), found \(found.kind)")
  }
}
