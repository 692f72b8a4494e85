// Reading columns and conceptual rows (RFC 2578, section 7.7) out of a walk.
//
// A table's bindings stand in the walk column by column, each column ordered by index. Rows are put together in one pass: a cursor
// runs over the known rows as the column's indices ascend, so that a table with holes costs no more than one without.

extension Walk {
  /// Rows that one table may have. The largest seen in a printer is some hundreds; the cap bounds what a hostile walk can cost.
  package static let tableRowsMax = 4_096
  /// Columns of a table beyond this number are not read; no standard printer table has more than 30.
  package static let tableColumnsMax: UInt32 = 255

  /// The cells of one column, in the order of their indices. Exceptions (noSuchObject, …) are not cells.
  package func column(_ column: ObjectIdentifier) -> [(index: ArraySlice<UInt32>, value: ObjectValue)] {
    subtree(column).compactMap { binding in
      let index = binding.name.components[column.components.count...]
      return index.isEmpty || binding.value.isException ? nil : (index, binding.value)
    }
  }

  /// The rows below a table's entry (for example `prtMarkerSuppliesEntry`), in the order of their indices; at most `tableRowsMax`.
  package func table(_ entry: ObjectIdentifier) -> [TableRow] {
    var rows: [TableRow] = []
    var cursor = 0
    var currentColumn: UInt32?
    let depth = entry.components.count
    for binding in subtree(entry) {
      let components = binding.name.components
      guard components.count > depth + 1, !binding.value.isException else { continue }
      let column = components[depth]
      guard column <= Self.tableColumnsMax else { break }
      let index = components[(depth + 1)...]
      if column != currentColumn {
        currentColumn = column
        cursor = 0
      }
      while cursor < rows.count, rows[cursor].index.lexicographicallyPrecedes(index) { cursor += 1 }
      if cursor == rows.count || rows[cursor].index != index {
        guard rows.count < Self.tableRowsMax else { continue }
        rows.insert(TableRow(index: index), at: cursor)
      }
      rows[cursor].cells.append(TableRow.Cell(column: column, binding: binding))
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
    package var binding: VarBind
  }

  package let index: ArraySlice<UInt32>
  package fileprivate(set) var cells: [Cell] = []

  fileprivate init(index: ArraySlice<UInt32>) { self.index = index }

  /// The binding of a column; nil if the device did not give it.
  package func binding(_ column: UInt32) -> VarBind? {
    for cell in cells where cell.column == column { return cell.binding }
    return nil
  }

  /// The value of a column; nil if the device did not give it.
  package subscript(column: UInt32) -> ObjectValue? { binding(column)?.value }

  /// The number in a column; nil if there is none, or none that an object of this syntax can have.
  package func number(_ column: UInt32, as syntax: NumericSyntax = .integer32) -> Int64? {
    self[column]?.number(as: syntax)
  }
}
