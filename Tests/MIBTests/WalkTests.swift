// Walks: order, GETNEXT, subtrees, columns and rows.

internal import MIB
internal import Testing

@Suite("Walk")
struct WalkTests {
  private let entry: ObjectIdentifier = [1, 3, 9]

  private func walk(_ cells: [(column: UInt32, index: [UInt32])]) -> Walk {
    Walk(cells.map { VarBind(entry.appending($0.column).appending($0.index), .integer(Int64($0.column))) })
  }

  @Test func `rows with holes are put together by index`() {
    let rows = walk([(2, [1, 1]), (2, [1, 3]), (3, [1, 2]), (3, [1, 3]), (4, [1, 1]), (4, [2, 1])]).table(entry)
    #expect(rows.map { Array($0.index) } == [[1, 1], [1, 2], [1, 3], [2, 1]])
    #expect(rows[0].number(2) == 2 && rows[0].number(3) == nil && rows[0].number(4) == 4)
    #expect(rows[1].number(3) == 3 && rows[1][2] == nil)
    #expect(rows[2].binding(3)?.name == [1, 3, 9, 3, 1, 3])
  }

  @Test func `rows put together in one pass are those of a search for each cell`() {
    var generator = SeededGenerator(seed: 42)
    for _ in 0..<100 {
      let cells = (0..<40).map { _ in
        (UInt32.random(in: 1...6, using: &generator), [1, UInt32.random(in: 0...9, using: &generator)])
      }
      let walk = walk(cells.map { (column: $0.0, index: $0.1) })
      let rows = walk.table(entry)
      #expect(rows.map { Array($0.index) } == Set(cells.map(\.1)).sorted { $0.lexicographicallyPrecedes($1) })
      for row in rows {
        for column in 1...6 as ClosedRange<UInt32> {
          #expect(row[column] == walk[entry.appending(column).appending(row.index)])
        }
      }
    }
  }

  @Test func `exceptions and entries without an index are no cells`() {
    let walk = Walk([
      VarBind(entry.appending(2), .integer(1)), VarBind(entry.appending(2, 1), .noSuchInstance),
      VarBind(entry.appending(2, 2), .integer(5)),
    ])
    #expect(walk.table(entry).map { Array($0.index) } == [[2]])
    #expect(walk.column(entry.appending(2)).map(\.value) == [.integer(5)])
    #expect(walk.first(in: entry.appending(2, 1)) == nil)
  }

  @Test func `a table has no more rows and columns than its caps`() {
    let many = Walk((0..<5_000).map { VarBind(entry.appending(2, UInt32($0)), .null) })
    #expect(many.table(entry).count == Walk.tableRowsMax)
    let wide = Walk([VarBind(entry.appending(255, 1), .null), VarBind(entry.appending(256, 1), .null)])
    #expect(wide.table(entry).first?.cells.map(\.column) == [255])
  }

  @Test func `GETNEXT, subtree and set keep the order`() {
    var walk = walk([(3, [1]), (2, [1])])
    #expect(walk.next(after: entry)?.name == [1, 3, 9, 2, 1])
    #expect(walk.next(after: [1, 3, 9, 2, 1])?.name == [1, 3, 9, 3, 1])
    #expect(walk.next(after: [1, 3, 9, 3, 1]) == nil)
    walk.set([1, 3, 9, 2, 5], .null)
    #expect(walk.subtree([1, 3, 9, 2]).count == 2)
    walk.remove([1, 3, 9, 2, 1])
    #expect(walk.bindings.map(\.name) == [[1, 3, 9, 2, 5], [1, 3, 9, 3, 1]])
  }

  @Test func `identifiers have at most 128 parts of 32 bits`() {
    #expect(ObjectIdentifier(dotted: ".1.3.6") == [1, 3, 6])
    for text in ["", "1..3", "1.3.", "1.+3", "1.4294967296", "a", "1.-3"] {
      #expect(ObjectIdentifier(dotted: text) == nil, "\(text)")
    }
    #expect(ObjectIdentifier(dotted: Array(repeating: "1", count: 129).joined(separator: ".")) == nil)
  }
}
