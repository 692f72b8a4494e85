internal import PrinterModel
internal import Testing

@Suite struct SortedTableTests {
  @Test func `it holds what a dictionary holds, in the order of the keys`() {
    for seed in 0..<200 as Range<UInt64> {
      var random = SeededNumbers(state: seed)
      var table: SortedTable<Int, Int> = [:]
      var dictionary: [Int: Int] = [:]
      for _ in 0..<60 {
        let key = Int.random(in: 0..<12, using: &random)
        let value = Bool.random(using: &random) ? Int.random(in: 0..<100, using: &random) : nil
        table[key] = value
        dictionary[key] = value
        #expect(table[key] == value)
      }
      #expect((0..<12).allSatisfy { table[$0] == dictionary[$0] }, "seed \(seed)")
      #expect(table.map(\.key) == dictionary.keys.sorted())
      #expect(Array(table.values) == dictionary.keys.sorted().map { dictionary[$0] })
      #expect(table.count == dictionary.count)
    }
  }

  @Test func `of several values of one key the first counts`() {
    let table = SortedTable([(2, "b"), (1, "a"), (2, "c")])
    #expect(table.map(\.value) == ["a", "b"])
    #expect(table == [1: "a", 2: "b"])
    #expect(table != [1: "a", 2: "c"])
  }

  private struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) | (state << 31)
    }
  }
}
