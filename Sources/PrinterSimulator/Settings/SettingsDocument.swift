// A TOML file as a tree of plain values, and where each key stands in the text.
//
// The tree is copied out of the parser at once, so nothing here outlives the parser's memory. The parser tells lines only
// for syntax errors; for a value of the wrong kind the line is found again by following the table headers in the text.

internal import FoundationEssentials
internal import TOMLKit
internal import TOMLText

/// A value of a TOML file.
indirect enum SettingValue: Sendable {
  case string(String)
  case integer(Int)
  case real(Double)
  case flag(Bool)
  case array([SettingValue])
  case table([String: SettingValue])
  /// Dates and times, which no file of ours uses.
  case other

  /// What it is, for "expected a whole number, found text".
  var kind: String {
    switch self {
    case .string: "text"
    case .integer: "a whole number"
    case .real: "a number"
    case .flag: "true or false"
    case .array: "a list"
    case .table: "a table"
    case .other: "a date"
    }
  }
}

/// A parsed file.
final class SettingsDocument: Sendable {
  /// A larger file is surely not one of ours.
  static let bytesMax = 4 << 20

  let file: String
  let root: [String: SettingValue]
  private let lines: [Substring]

  /// Reads and parses a file. Throws `SettingsError`.
  convenience init(file: String) throws {
    let data: Data
    do {
      data = try Data(contentsOf: URL(filePath: file))
    } catch {
      throw SettingsError(file: file, message: "the file could not be read; expected a readable TOML file")
    }
    guard data.count <= Self.bytesMax else {
      throw SettingsError(file: file, message: "the file has \(data.count) bytes; at most \(Self.bytesMax) are read")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw SettingsError(file: file, message: "the file is not UTF-8; TOML files are")
    }
    try self.init(file: file, text: text)
  }

  /// Parses `text`; `file` is the name for messages. Throws `SettingsError`.
  init(file: String, text: String) throws {
    self.file = file
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if let fault = TOMLFault.first(in: text) {
      throw SettingsError(file: file, line: fault.line, message: "not valid TOML: \(fault.message)")
    }
    do {
      root = Self.copy(try TOMLTable(string: text))
    } catch let error as TOMLParseError {
      throw SettingsError(file: file, line: error.source.begin.line, message: "not valid TOML: \(error.description)")
    }
  }

  private static func copy(_ table: TOMLTable) -> [String: SettingValue] {
    var result: [String: SettingValue] = [:]
    for key in table.keys {
      if let value = table[key] { result[key] = copy(value) }
    }
    return result
  }

  private static func copy(_ value: any TOMLValueConvertible) -> SettingValue {
    switch value.type {
    case .string: value.string.map(SettingValue.string) ?? .other
    case .int: value.int.map(SettingValue.integer) ?? .other
    case .double: value.double.map(SettingValue.real) ?? .other
    case .bool: value.bool.map(SettingValue.flag) ?? .other
    case .array: value.array.map { array in .array((0..<array.count).map { copy(array[$0]) }) } ?? .other
    case .table: value.table.map { .table(copy($0)) } ?? .other
    default: .other
    }
  }

  /// The line of a value, given as its path with the positions in arrays of tables: the line of the key itself, or of the
  /// nearest table or list around it that the text shows. Nil for the file as a whole.
  func line(of path: [SettingsPathPart]) -> Int? {
    var path = path
    while !path.isEmpty {
      if let line = writtenLine(of: path) ?? inlineLine(of: path) { return line }
      path.removeLast()
    }
    return nil
  }

  /// The line that holds `key = `, `[key]` or `[[key]]` for exactly this path.
  private func writtenLine(of path: [SettingsPathPart]) -> Int? {
    var seen: [String: Int] = [:]
    var header: [SettingsPathPart] = []
    for (number, line) in lines.enumerated() {
      let text = line.drop { $0 == " " || $0 == "\t" }
      if text.hasPrefix("[[") {
        let name = text.dropFirst(2).prefix { $0 != "]" }.split(separator: ".").map(String.init)
        let joined = name.joined(separator: ".")
        seen[joined, default: -1] += 1
        header = name.dropLast().flatMap { Self.current($0, seen) }
        header += [.key(name.last ?? ""), .position(seen[joined] ?? 0)]
        if path == header { return number + 1 }
      } else if text.hasPrefix("[") {
        header = text.dropFirst().prefix { $0 != "]" }.split(separator: ".").flatMap { Self.current(String($0), seen) }
        if path == header { return number + 1 }
      } else if case .key(let last)? = path.last, path.dropLast().elementsEqual(header) {
        if text.prefix(while: { $0 != "=" && $0 != " " && $0 != "\t" }) == last { return number + 1 }
      }
    }
    return nil
  }

  /// The line of an element of a list whose inline tables stand one on a line.
  private func inlineLine(of path: [SettingsPathPart]) -> Int? {
    guard case .position(let position)? = path.last, let start = writtenLine(of: path.dropLast()) else { return nil }
    let rows = lines.indices.dropFirst(start).filter { lines[$0].drop { $0 == " " || $0 == "\t" }.hasPrefix("{") }
    return position < rows.count ? rows[position] + 1 : start
  }

  private static func current(_ part: String, _ seen: [String: Int]) -> [SettingsPathPart] {
    seen[part].map { [.key(part), .position($0)] } ?? [.key(part)]
  }
}

/// One step of the way to a value.
enum SettingsPathPart: Hashable, Sendable {
  case key(String)
  /// Counted from 0.
  case position(Int)
}
