// A TOML document as plain values. The library's classes point into a C++ tree; only this file knows them.

internal import TOMLKit
internal import TOMLText

/// A value of a TOML document.
indirect enum TOMLNode {
  case table([String: TOMLNode])
  case array([TOMLNode])
  case string(String)
  case integer(Int)
  case float(Double)
  case boolean(Bool)
  /// A date, a time or both: no key of ours has one.
  case moment

  /// What is wrong with a document's syntax.
  struct SyntaxError: Error {
    let line: Int
    /// Counts from 1; nil where the whole line is meant.
    let column: Int?
    /// What was found and what was expected, without a full stop.
    let message: String
  }

  static func parse(_ document: String) throws(SyntaxError) -> TOMLNode {
    if let fault = TOMLFault.first(in: document) {
      throw SyntaxError(line: fault.line, column: nil, message: fault.message)
    }
    do {
      let root = try TOMLTable(string: document)
      return withExtendedLifetime(root) { convert(root) }
    } catch let error as TOMLParseError {
      let begin = error.source.begin
      throw SyntaxError(line: begin.line, column: begin.column, message: sentence(error.description))
    } catch {
      throw SyntaxError(line: 1, column: nil, message: "\(error)")
    }
  }

  /// The library's words as the end of a sentence: `Error while parsing value: ...` begins small.
  private static func sentence(_ description: String) -> String {
    var text = description[...]
    while let last = text.last, last == "." || last.isWhitespace { text.removeLast() }
    return text.prefix(1).lowercased() + text.dropFirst()
  }

  private static func convert(_ value: any TOMLValueConvertible) -> TOMLNode {
    switch value.type {
    case .table: .table(convert(table: value.table))
    case .array: .array((value.array.map(Array.init) ?? []).map(convert))
    case .string: .string(value.string ?? "")
    case .int: .integer(value.int ?? 0)
    case .double: .float(value.double ?? 0)
    case .bool: .boolean(value.bool ?? false)
    case .date, .time, .dateTime: .moment
    }
  }

  private static func convert(table: TOMLTable?) -> [String: TOMLNode] {
    var nodes: [String: TOMLNode] = [:]
    guard let table else { return nodes }
    for key in table.keys { nodes[key] = table[key].map(convert) }
    return nodes
  }

  /// How a problem shows the value: `"soon"`, `12`, `a table`.
  var shown: String {
    switch self {
    case .table: "a table"
    case .array: "an array"
    case .string(let text): "\"\(text)\""
    case .integer(let value): "\(value)"
    case .float(let value): "\(value)"
    case .boolean(let value): "\(value)"
    case .moment: "a date or time"
    }
  }
}
