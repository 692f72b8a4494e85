// What commands print: tables for people, JSON for programs.

internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import HubServer
internal import Platform

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, json
}

struct OutputOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: "How to print: table, or json with the same fields in full.")
  var output: OutputFormat = .table

  /// Prints `items`: as JSON, or as a table of `columns`.
  func show<Item: Encodable>(_ items: [Item], columns: [(title: String, value: (Item) -> String)], empty: String) throws
  {
    switch output {
    case .json: try printJSON(items)
    case .table where items.isEmpty: printLine(empty)
    case .table: printTable([columns.map(\.title)] + items.map { item in columns.map { $0.value(item) } })
    }
  }
}

func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  printLine(String(decoding: try encoder.encode(value), as: UTF8.self))
}

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
