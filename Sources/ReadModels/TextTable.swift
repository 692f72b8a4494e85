// Tables for people at a terminal: columns as wide as their content, numbers to the right. Widths count characters, not bytes. A cell that is very
// long does not make its column wide: it stands out of it.

internal import PrinterModel

package struct TextTable {
  package enum Alignment: Sendable {
    case left, right
  }

  package struct Column: Sendable {
    package var title: String
    package var alignment: Alignment
    package init(_ title: String, _ alignment: Alignment = .left) {
      self.title = title
      self.alignment = alignment
    }
  }

  /// Characters that a column is made wide for.
  private static let widthMax = 80

  private let columns: [Column]
  private var rows: [[String]] = []

  package init(_ columns: [Column]) { self.columns = columns }

  /// Adds one row; missing cells are empty. Control characters, which a device's text may hold, become spaces.
  package mutating func add(_ cells: [String]) {
    rows.append(cells.map(\.replacingControls) + [String](repeating: "", count: max(0, columns.count - cells.count)))
  }

  package var isEmpty: Bool { rows.isEmpty }

  /// The table with a line of titles, each line ended by a line feed.
  package var text: String {
    let widths = columns.indices.map { column in
      rows.reduce(columns[column].title.count) { max($0, min($1[column].count, Self.widthMax)) }
    }
    return ([columns.map(\.title)] + rows).map { line($0, widths) }.joined()
  }

  private func line(_ cells: [String], _ widths: [Int]) -> String {
    var line = ""
    for (index, column) in columns.enumerated() {
      let padding = String(repeating: " ", count: max(0, widths[index] - cells[index].count))
      line += column.alignment == .right ? padding + cells[index] : cells[index] + padding
      line += "  "
    }
    while line.last == " " { line.removeLast() }
    return line + "\n"
  }
}

/// `1 poll`, `2 polls`, `2 addresses`.
package func counted(_ count: some BinaryInteger, _ noun: String, plural: String? = nil) -> String {
  "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}
