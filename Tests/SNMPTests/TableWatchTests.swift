internal import MIB
internal import SNMP
internal import Testing

/// Telling from one column of a table that all of it stands as it stood.
@Suite struct TableWatchTests {
  private static let table: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 18, 1, 1]
  private static let codes = table.appending(7)
  private static let times = table.appending(9)
  private let wanted = [1, 3, 5].map { SamplePrinter.system.appending($0, 0) }
  private let levels = (1...12).map { SamplePrinter.supplies.appending(9, 1, UInt32($0)) }

  private func able(columns: Int = DeviceAbilities.columnsMax) -> DeviceAbilities {
    var abilities = DeviceAbilities(version: .v2c)
    abilities.bulk = .proven
    abilities.columns.grow(used: columns / 2)
    abilities.bindings.grow(used: DeviceAbilities.bindingsMax)
    return abilities
  }

  /// The sample printer with rows in its table of alerts.
  private func walk(_ rows: [UInt32], code: Int64 = 8, time: UInt32? = 100) -> Walk {
    var walk = SamplePrinter.walk
    for row in rows {
      for column in 2...8 as ClosedRange<UInt32> { walk.set(Self.table.appending(column, 1, row), .integer(code)) }
      if let time { walk.set(Self.times.appending(1, row), .timeTicks(time)) }
    }
    return walk
  }

  private func watched(
    _ before: Walk, now: Walk, _ habits: TestAgent.Habit..., abilities: DeviceAbilities? = nil,
    runs: [[ObjectIdentifier]]? = nil
  ) throws -> (read: KnownRead, requests: Int) {
    var agent = TestAgent(now)
    agent.habits = Set(habits)
    let plan = KnownRead.Plan(
      runs: runs ?? [levels] + wanted.map { [$0] }, abilities: abilities ?? able(), watched: Self.table)
    let watch = try #require(TableWatch(Self.codes, beside: [Self.times], in: before))
    var read = KnownRead(plan, watch: watch)
    agent.run(&read)
    let names = plan.runs.joined()
    #expect(
      names.allSatisfy { name in read.bindings.contains { $0.name == name } }, "what is wanted is read in any case")
    return (read, agent.requests.count)
  }

  @Test(arguments: [[1], [1, 2], [5, 6], [2, 9, 4_000_000], Array(1...8)] as [[UInt32]])
  func `rows that stand are told from one column, in the request that is sent anyway`(rows: [UInt32]) throws {
    let (read, requests) = try watched(walk(rows), now: walk(rows))
    #expect(read.watched == .hasKnownRows)
    #expect(requests == 1)
    for row in rows {
      #expect(read.bindings.contains(VarBind(Self.codes.appending(1, row), .integer(8))))
      #expect(read.bindings.contains(VarBind(Self.times.appending(1, row), .timeTicks(100))))
    }
  }

  @Test(
    arguments: [
      [3, 5, 6, 9], [5, 6, 7, 9], [5, 6, 9, 10], [5, 9], [6, 9], [5, 6], [7], [4, 6, 9],
      [5, 6, 9, 10, 11, 12, 13, 14, 15],
    ] as [[UInt32]])
  func `no row comes or goes unseen, wherever it lies`(rows: [UInt32]) throws {
    for columns in [4, 8, 16, 20] {
      let (read, _) = try watched(walk([5, 6, 9]), now: walk(rows), abilities: able(columns: columns))
      #expect(read.watched == .hasOtherRows, "\(columns) columns a request")
    }
  }

  @Test func `an emptied table has other rows, also at the end of the MIB`() throws {
    #expect(try watched(walk([5, 6]), now: SamplePrinter.walk).read.watched == .hasOtherRows)
    var last = Walk()
    for name in wanted { last.set(name, .integer(1)) }
    var one = last
    one.set(Self.codes.appending(1, 5), .integer(8))
    #expect(try watched(one, now: last, runs: [wanted]).read.watched == .hasOtherRows)
    #expect(
      try watched(one, now: one, runs: [wanted]).read.watched == .hasKnownRows, "the end of the MIB ends the column")
  }

  @Test func `what changed in a row that stands is among what was read`() throws {
    let read = try watched(walk([5, 6]), now: walk([5, 6], code: 9, time: 101)).read
    #expect(read.watched == .hasKnownRows)
    #expect(read.bindings.contains(VarBind(Self.codes.appending(1, 5), .integer(9))))
    #expect(read.bindings.contains(VarBind(Self.times.appending(1, 6), .timeTicks(101))))
  }

  @Test func `what a device does not bear in one request is asked in another`() throws {
    let (read, requests) = try watched(walk([5, 6]), now: walk([5, 6]), abilities: able(columns: 4))
    #expect(read.watched == .hasKnownRows)
    #expect(requests > 1)
  }

  @Test(arguments: [TestAgent.Habit.silentToBulk, .genErrToBulk, .answersAtMost(3)])
  func `an answer that fails or breaks off says nothing of the rows`(habit: TestAgent.Habit) throws {
    #expect(try watched(walk([5, 6]), now: walk([5, 6]), habit).read.watched == .unknown)
  }

  @Test func `no rows, or many, are not watched`() {
    #expect(TableWatch(Self.codes, beside: [], in: SamplePrinter.walk) == nil)
    #expect(TableWatch(Self.codes, beside: [], in: walk(Array(1...9))) == nil)
  }

  @Test func `whatever a device answers, rows are said to stand only when each was answered`() throws {
    let names = walk([5, 6, 7]).bindings.map(\.name)
    let watch = try #require(TableWatch(Self.codes, beside: [Self.times], in: walk([5, 6])))
    for seed in 0..<500 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      var read = KnownRead(KnownRead.Plan(runs: [wanted], abilities: able(), watched: Self.table), watch: watch)
      var given: Set<ObjectIdentifier> = []
      while read.next() != nil {
        let answer = (0..<Int.random(in: 0...12, using: &random)).map { _ in
          VarBind(names.randomElement(using: &random) ?? [0, 0], .integer(Int64.random(in: 0...9, using: &random)))
        }
        given.formUnion(answer.map(\.name))
        read.received(Response(answer))
      }
      guard read.watched == .hasKnownRows else { continue }
      #expect([5, 6].allSatisfy { given.contains(Self.codes.appending(1, $0)) }, "seed \(seed)")
    }
  }
}
