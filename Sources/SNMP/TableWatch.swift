// A table whose rows are expected to stand as they stood, told by one column of it instead of all.
//
//     column   cursors: before c1, c2   repetitions: 2   expected: c1 c2 | c3, and then nothing more of the column
//     beside   cursors: before t1, t3   repetitions: 2   expected: t1 t2 | t3
//
// The column is passed from before its first row to beyond its last, so that no row can come or go unseen, wherever it lies. Columns beside it
// are read at the known rows alone: their values tell whether a row is still about the same.

package import MIB

/// The rows of a table as they were last read.
package struct TableWatch: Sendable, Equatable {
  /// Of a table with more rows, passing one column costs a request of its own, which may as well read all of it.
  package static let rowsMax = 8

  private let column: ObjectIdentifier
  private let names: [ObjectIdentifier]
  private let beside: [[ObjectIdentifier]]

  /// - Parameters:
  ///   - column: passed to its end.
  ///   - beside: further columns of the same table.
  ///   - walk: what was there when the table was last read whole.
  /// - Returns: nil if the column has no row, or more than `rowsMax`.
  package init?(_ column: ObjectIdentifier, beside: [ObjectIdentifier], in walk: Walk) {
    names = walk.subtree(column).map(\.name)
    guard !names.isEmpty, names.count <= Self.rowsMax else { return nil }
    self.column = column
    self.beside = beside.map { walk.subtree($0).map(\.name) }.filter { !$0.isEmpty && $0.count <= Self.rowsMax }
  }

  /// One cursor over names that follow one another.
  struct Piece: Sendable {
    /// What the cursor begins behind.
    let start: ObjectIdentifier
    let names: ArraySlice<ObjectIdentifier>
    /// The column that ends behind the names; nil if that is not asked.
    let ending: ObjectIdentifier?
  }

  /// Bindings that have to answer as expected: the names, and what follows the column.
  var bindingCount: Int { names.count + 1 + beside.reduce(0) { $0 + $1.count } }

  /// Repetitions that pass each column with one cursor.
  var depth: Int { names.count + 1 }

  func pieceCount(of repetitions: Int) -> Int {
    (names.count + 1).pieces(of: repetitions) + beside.reduce(0) { $0 + $1.count.pieces(of: repetitions) }
  }

  func pieces(of repetitions: Int) -> [Piece] {
    let passing = stride(from: 0, through: names.count, by: repetitions).map { first in
      let piece = names[first...].prefix(repetitions)
      return Piece(
        start: first == 0 ? column : names[first - 1], names: piece, ending: piece.count < repetitions ? column : nil)
    }
    return passing
      + beside.flatMap { names in
        stride(from: 0, to: names.count, by: repetitions).map { first in
          Piece(start: names[first].justBefore, names: names[first...].prefix(repetitions), ending: nil)
        }
      }
  }

  /// What came of it.
  struct Tally: Sendable {
    let expected: Int
    private var confirmed = 0
    private var isOther = false

    init(expected: Int) { self.expected = expected }

    /// Takes a binding of the answer.
    /// - Parameter row: its repetition.
    /// - Returns: whether it is one of the known names, with a value.
    mutating func count(_ binding: VarBind, _ piece: Piece, row: Int) -> Bool {
      if row < piece.names.count {
        let isKnown = !binding.value.isException && binding.name == piece.names[piece.names.startIndex + row]
        if isKnown { confirmed += 1 } else { isOther = true }
        return isKnown
      }
      guard row == piece.names.count, let column = piece.ending else { return false }
      if binding.value != .endOfMibView, binding.name.isWithin(column) { isOther = true }
      if binding.value == .endOfMibView || binding.name > column { confirmed += 1 }
      return false
    }

    /// An answer that breaks off says nothing.
    var verdict: KnownRead.Watched {
      if isOther { return .hasOtherRows }
      return confirmed == expected ? .hasKnownRows : .unknown
    }
  }
}

extension Int {
  /// How many pieces so many names make.
  fileprivate func pieces(of repetitions: Int) -> Int { (self + repetitions - 1) / repetitions }
}
