// Reading columns and conceptual rows (RFC 2578, section 7.7) out of a walk.
//
// A table's bindings stand in the walk column by column, each column ordered by index. Rows are put together in one pass: a cursor
// runs over the known rows as the column's indices ascend, so that a table with holes costs no more than one without. A row keeps where
// its cells stand, not copies of them.

extension Walk {
  /// Rows that one table may have. The largest seen in a printer is some hundreds; the cap bounds what a hostile walk can cost.
  package static let tableRowsMax = 4_096
  /// Columns of a table beyond this number are not read; no standard printer table has more than 30.
  package static let tableColumnsMax: UInt32 = 255

  /// The cells of one column, in the order of their indices. Exceptions (noSuchObject, …) are not cells.
  package func column(_ column: ObjectIdentifier) -> [(index: ObjectIdentifier, value: ObjectValue)] {
    subtree(column).compactMap { binding in
      guard let index = binding.name.suffix(below: column), !index.isEmpty, !binding.value.isException else {
        return nil
      }
      return (index, binding.value)
    }
  }

  /// The rows below a table's entry (for example `prtMarkerSuppliesEntry`), in the order of their indices; at most `tableRowsMax`.
  package func table(_ entry: ObjectIdentifier) -> [TableRow] {
    var rows: [TableRow] = []
    var cursor = 0
    var current: ObjectIdentifier?
    var column: UInt32 = 0
    let bindings = subtree(entry)
    for position in bindings.indices {
      let name = bindings[position].name
      if current.map({ !name.isWithin($0) }) ?? true {
        guard let number = name.component(entry.count) else { continue }
        guard number <= Self.tableColumnsMax else { break }
        column = number
        current = entry.appending(number)
        cursor = 0
      }
      guard let current, let index = name.suffix(below: current), !index.isEmpty,
        !bindings[position].value.isException
      else { continue }
      while cursor < rows.count, rows[cursor].index < index { cursor += 1 }
      if cursor == rows.count || rows[cursor].index != index {
        guard rows.count < Self.tableRowsMax else { continue }
        rows.insert(TableRow(index: index, walk: self.bindings), at: cursor)
      }
      rows[cursor].cells.append(TableRow.Cell(column: column, position: position))
    }
    return rows
  }

  /// The first column instance at or below `column` that has a value.
  package func first(in column: ObjectIdentifier) -> VarBind? {
    subtree(column).first { !$0.value.isException }
  }
}

/// One conceptual row: its index and the columns that the device gave.
package struct TableRow: Sendable {
  package struct Cell: Sendable {
    package var column: UInt32
    /// In the walk.
    fileprivate var position: Int
  }

  package let index: ObjectIdentifier
  package fileprivate(set) var cells: [Cell] = []
  private let walk: [VarBind]

  fileprivate init(index: ObjectIdentifier, walk: [VarBind]) {
    self.index = index
    self.walk = walk
  }

  /// The binding of a column; nil if the device did not give it.
  package func binding(_ column: UInt32) -> VarBind? {
    for cell in cells where cell.column == column { return walk[cell.position] }
    return nil
  }

  /// The value of a column; nil if the device did not give it.
  package subscript(column: UInt32) -> ObjectValue? { binding(column)?.value }

  /// The number in a column; nil if there is none, or none that an object of this syntax can have.
  package func number(_ column: UInt32, as syntax: NumericSyntax = .integer32) -> Int64? {
    self[column]?.number(as: syntax)
  }
}
