// The checksum over a fold's rows.

internal import Testing

@testable internal import Journal

@Suite struct `A row sum` {
  private func sum(_ rows: [StateChange]) -> RowSum {
    var sums = RowSums()
    sums.apply(rows)
    return sums.total
  }

  private let rows = (UInt8(0)..<40).map { StateChange(key: [$0], value: [$0, $0 &* 3]) }

  @Test func `is the same in whatever order rows come and go`() {
    var wandering = RowSums()
    for row in rows.shuffled() { wandering.apply([StateChange(key: row.key, value: [1])]) }
    wandering.apply([StateChange(key: [99], value: [9])])
    wandering.apply(rows.shuffled())
    wandering.apply([StateChange(key: [99], value: nil), StateChange(key: [98], value: nil)])
    #expect(wandering.total == sum(rows))
    #expect(sum(rows.map { StateChange(key: $0.key, value: nil) }) == RowSum())
  }

  @Test func `differs with each bit, with each row, and with where key and value part`() {
    let whole = sum(rows)
    for bit in 0..<16 {
      var changed = rows
      changed[7].value?[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(sum(changed) != whole)
    }
    for index in rows.indices { #expect(sum(rows.filter { $0 != rows[index] }) != whole) }
    #expect(sum([StateChange(key: [1, 2], value: [3])]) != sum([StateChange(key: [1], value: [2, 3])]))
  }

  @Test func `is read from exactly its bytes`() {
    let bytes = sum(rows).bytes
    #expect(bytes.count == RowSum.byteCount)
    #expect(RowSum(bytes: bytes) == sum(rows))
    #expect(RowSum(bytes: bytes + [0]) == nil && RowSum(bytes: bytes.dropLast()) == nil)
  }
}
