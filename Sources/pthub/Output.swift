// What commands print: tables for people, JSON for programs.

internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import HubDatabase
internal import HubServer
internal import Platform

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, json
}

enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
  case table, json, csv
}

struct ReportOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "How to print: table, or json or csv with every field.")
  var output: ReportFormat = .table

  @Option(help: ArgumentHelp("Of this entity and those under it.", valueName: "name"))
  var entity: String?

  @Flag(help: "With --entity: of that one alone, not of those under it.")
  var only = false

  func validate() throws { try requireEntity(entity, of: only) }

  /// Prints the rows of a report.
  func show(_ report: Report, in store: SQLStore, device: String? = nil, empty: String) async throws {
    if let entity { try await store.requireEntity(entity) }
    try await store.foldEverything()
    let rows = try await store.rows(of: report, entity: entity, alone: only, device: device)
    try printRows(rows, of: report, as: output, empty: empty)
  }
}

/// `--only` narrows `--entity`.
func requireEntity(_ entity: String?, of only: Bool) throws {
  guard !only || entity != nil else {
    throw ValidationError("--only says how far --entity reaches: name the entity by --entity.")
  }
}

/// Prints the rows of a report.
func printRows(_ rows: [[SQLValue]], of report: Report, as output: ReportFormat, empty: String) throws {
  let names = report.columns.map(\.name)
  switch output {
  case .table where rows.isEmpty: printLine(empty)
  case .table:
    let shown = report.columns.indices.filter { report.columns[$0].isShown }
    printTable(
      [shown.map { names[$0].uppercased().replacing("_", with: " ") }]
        + rows.map { row in
          shown.map { column in
            let text = shownText(row[column], report.columns[column].kind) ?? "-"
            return report.columns[column].kind == .text ? cut(text) : text
          }
        })
  case .json:
    try printJSON(
      rows.map { row in Dictionary(uniqueKeysWithValues: zip(names, zip(row, report.columns).map(JSONValue.init))) })
  case .csv:
    printLine(names.joined(separator: ","))
    for row in rows {
      printLine(zip(row, report.columns).map { csvField(shownText($0, $1.kind) ?? "") }.joined(separator: ","))
    }
  }
}

/// A value for people; nil if there is none.
func shownText(_ value: SQLValue, _ kind: Report.Kind) -> String? {
  switch (value, kind) {
  case (.null, _): nil
  case (.integer(let number), .time): timeText(milliseconds: number)
  case (.integer(let number), .day): String(timeText(milliseconds: number * 86_400_000).prefix(10))
  case (.integer(let number), _): "\(number)"
  case (.text(let text), _): text
  case (.bytes(let bytes), _): bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// RFC 4180; what a spreadsheet would take for a formula is told from one by an apostrophe. Numbers and keys of numbers, such as `-1.1.1`, are no
/// formula: programs find them as they are everywhere else.
private func csvField(_ text: String) -> String {
  let isFormula = text.first.map { "=+-@\t\r".contains($0) } ?? false
  let isOfNumbers = text.dropFirst().allSatisfy { "0123456789.".contains($0) } && text.first == "-" && text.count > 1
  let shown = isFormula && !isOfNumbers ? "'" + text : text
  guard shown.contains(where: { ",\"\n\r".contains($0) }) else { return shown }
  return "\"" + shown.replacing("\"", with: "\"\"") + "\""
}

/// Numbers stay numbers; times are in ISO 8601.
private enum JSONValue: Encodable {
  case null
  case number(Int64)
  case text(String)

  init(_ value: SQLValue, _ column: Report.Column) {
    switch value {
    case .null: self = .null
    case .integer(let number) where column.kind == .number: self = .number(number)
    default: self = .text(shownText(value, column.kind) ?? "")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .number(let number): try container.encode(number)
    case .text(let text): try container.encode(text)
    }
  }
}

/// Of what is one thing.
struct OutputOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "How to print: table, or json with the same fields in full.")
  var output: OutputFormat = .table
}

/// A line of a list. Its keys are written out, so that they are known where there is no line.
protocol ListLine: Encodable {
  associatedtype CodingKeys: CodingKey, CaseIterable
}

/// Of what is a list.
struct ListOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "How to print: table, or json or csv with every field.")
  var output: ReportFormat = .table

  /// Prints `items`: as a table of `columns`, or with each of their own members as JSON or CSV.
  func show<Item: ListLine>(_ items: [Item], columns: [(title: String, value: (Item) -> String)], empty: String) throws
  {
    let names = Item.CodingKeys.allCases.map(\.stringValue)
    switch output {
    case .json: try printJSON(items)
    case .table where items.isEmpty: printLine(empty)
    case .table: printTable([columns.map(\.title)] + items.map { item in columns.map { $0.value(item) } })
    case .csv:
      printLine(names.joined(separator: ","))
      for item in items {
        let members = Dictionary(
          uniqueKeysWithValues: Mirror(reflecting: item).children.map { ($0.label ?? "", cell($0.value)) })
        printLine(names.map { csvField(members[$0] ?? "") }.joined(separator: ","))
      }
    }
  }

  /// A member as a cell: nothing where it is nil, the parts of a list beside each other.
  private func cell(_ value: Any) -> String {
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional: return mirror.children.first.map { cell($0.value) } ?? ""
    case .collection: return mirror.children.map { cell($0.value) }.joined(separator: " ")
    default: return "\(value)"
    }
  }
}

/// Prints `items` as a table for people, or with every field as JSON or CSV.
func show<Item: Encodable>(
  _ items: [Item], as format: ReportFormat, table: [(title: String, value: (Item) -> String)],
  csv: [(name: String, value: (Item) -> String)], empty: String
) throws {
  switch format {
  case .json: try printJSON(items)
  case .table where items.isEmpty: printLine(empty)
  case .table: printTable([table.map(\.title)] + items.map { item in table.map { $0.value(item) } })
  case .csv:
    printLine(csv.map(\.name).joined(separator: ","))
    for item in items { printLine(csv.map { csvField($0.value(item)) }.joined(separator: ",")) }
  }
}

func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  printLine(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// A name, as wide as a table may become by it; JSON and CSV have it whole. Sentences are not cut.
func cut(_ text: String) -> String {
  text.count <= cellWidthMax ? text : text.prefix(cellWidthMax - 1) + "…"
}

/// What a name of people's making takes, and a hash in hexadecimal digits.
private let cellWidthMax = 64

/// Columns are as wide as their widest cell; the first row is the titles.
func printTable(_ rows: [[String]]) {
  let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  for row in rows {
    let cells = zip(row, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
    var line = cells.joined(separator: "  ")[...]
    while line.last == " " { line.removeLast() }
    printLine(String(line))
  }
}

/// Pairs, one a line, the names in a column of their own.
func printFields(_ fields: [(String, String)]) {
  let width = fields.map(\.0.count).max() ?? 0
  for (name, value) in fields {
    printLine(name + String(repeating: " ", count: width - name.count + 2) + value)
  }
}

/// Writes a line to standard output at once, so that a program that reads it need not wait for a buffer to fill. Ends the program quietly
/// where the reader has gone away, with a sentence and exit status 74 where the line could not be written.
func printLine(_ line: String) {
  do { try StandardOutput.write(line + "\n") } catch {
    if error.isClosedPipe { Glibc.exit(EXIT_SUCCESS) }
    LineLogHandler.writeToStandardError("pthub: \(error)")
    Glibc.exit(HubError.Kind.inputOutput.rawValue)
  }
}

func timeText(_ milliseconds: Int64?) -> String {
  milliseconds.map { timeText(milliseconds: $0) } ?? "-"
}
