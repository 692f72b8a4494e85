internal import MIB
internal import SNMP
internal import Testing

/// Reading again what was read before.
@Suite struct KnownReadTests {
  private static let level = SamplePrinter.supplies.appending(9)
  private let levels = (1...12).map { level.appending(1, UInt32($0)) }
  private let scalars = [1, 3, 5].map { SamplePrinter.system.appending($0, 0) }

  private var able: DeviceAbilities {
    var abilities = DeviceAbilities(version: .v2c)
    abilities.bulk = .proven
    abilities.columns.grow(used: DeviceAbilities.columnsMax)
    abilities.bindings.grow(used: DeviceAbilities.bindingsMax)
    return abilities
  }

  private func read(_ runs: [[ObjectIdentifier]], _ agent: inout TestAgent, _ abilities: DeviceAbilities) -> KnownRead {
    var read = KnownRead(runs: runs, abilities: abilities)
    agent.run(&read)
    return read
  }

  private func expect(_ read: KnownRead, _ names: [ObjectIdentifier], in walk: Walk) {
    #expect(Set(read.bindings) == Set(names.compactMap { name in walk[name].map { VarBind(name, $0) } }))
    #expect(read.bindings.count == Set(read.bindings.map(\.name)).count)
  }

  @Test func `runs and single names share one request that names each run once`() {
    var agent = TestAgent(SamplePrinter.walk)
    let read = read([levels] + scalars.map { [$0] }, &agent, able)
    expect(read, levels + scalars, in: SamplePrinter.walk)
    #expect(agent.requests.count == 1)
    #expect(agent.requests[0].names.count < 3 + 4)
  }

  @Test func `a watched table is told empty or not by one more name of a request that is sent anyway`() {
    let table = SamplePrinter.supplies
    func watched(_ walk: Walk, _ names: [ObjectIdentifier], _ abilities: DeviceAbilities) -> KnownRead {
      var agent = TestAgent(walk)
      let runs = names == scalars ? names.map { [$0] } : [names]
      var read = KnownRead(KnownRead.Plan(runs: runs, abilities: abilities, watched: table))
      agent.run(&read)
      expect(read, names, in: walk)
      if abilities.bulk == .proven { #expect(agent.requests.count == 1, "\(agent.requests)") }
      return read
    }
    var empty = Walk()
    for name in scalars { empty.set(name, .integer(1)) }
    #expect(watched(empty, scalars, able).watched == .empty, "the end of the MIB follows it")
    var followed = empty
    followed.set(table.dropLast().appending(2, 9, 1), .integer(1))
    #expect(watched(followed, scalars, able).watched == .empty, "another table follows it")
    #expect(watched(SamplePrinter.walk, scalars, able).watched == .hasObjects)
    #expect(watched(SamplePrinter.walk, levels, able).watched == .hasObjects, "and what is read is read as ever")
    #expect(watched(empty, scalars, DeviceAbilities(version: .v1)).watched == .unknown)
  }

  @Test func `an answer that goes back says nothing of a watched table`() {
    let table = SamplePrinter.supplies
    for wrong in [VarBind(table.dropLast(), .integer(1)), VarBind(table, .null), VarBind(table, .noSuchObject)] {
      var read = KnownRead(KnownRead.Plan(runs: [scalars], abilities: able, watched: table))
      _ = read.next()
      read.received(Response([wrong] + scalars.map { VarBind($0, .integer(1)) }))
      #expect(read.watched == .unknown, "\(wrong)")
      #expect(read.bindings.count == scalars.count)
    }
  }

  @Test func `without a proven GetBulk everything is read by Get`() {
    var agent = TestAgent(SamplePrinter.walk)
    let read = read([levels, scalars], &agent, DeviceAbilities(version: .v1))
    expect(read, levels + scalars, in: SamplePrinter.walk)
    #expect(agent.requests.allSatisfy { if case .get = $0 { true } else { false } })
  }

  @Test func `what answers under another name is asked for by Get, and only Get says that it is gone`() {
    var walk = SamplePrinter.walk
    walk.remove(levels[3])
    walk.set(Self.level.appending(1, 6, 1), .integer(1))
    var agent = TestAgent(walk)
    let read = read([levels], &agent, able)
    expect(read, levels, in: walk)
    #expect(read.absent == [levels[3]])
  }

  @Test(arguments: [
    TestAgent.Habit.silentToBulk, .genErrToBulk, .answersAtMost(3), .silentToSeveralNames,
  ])
  func `whatever goes wrong with GetBulk, Get reads the rest`(habit: TestAgent.Habit) {
    var agent = TestAgent(SamplePrinter.walk, habit)
    let read = read([levels, scalars], &agent, able)
    #expect(read.stopped == nil)
    let bulks = agent.requests.count { if case .getBulk = $0 { true } else { false } }
    #expect(bulks == 1)
    expect(read, levels + scalars, in: SamplePrinter.walk)
  }

  @Test func `a device that dies is asked no more than the limit`() {
    var agent = TestAgent(SamplePrinter.walk, .diesAfter(0))
    let read = read([levels, scalars], &agent, able)
    #expect(read.stopped == .unreachable(.timeout(sends: 3)))
    #expect(agent.requests.count <= 1 + ReadLimits().failuresInARowMax)
    #expect(read.bindings.isEmpty)
  }

  @Test func `whatever a device answers, nothing is read under a name that it did not give`() {
    for seed in 0..<200 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      var read = KnownRead(runs: [levels, scalars], abilities: able)
      let names = SamplePrinter.walk.bindings.map(\.name)
      var given: Set<VarBind> = []
      var requests = 0
      while read.next() != nil {
        requests += 1
        let count = Int.random(in: 0...20, using: &random)
        let answer = (0..<count).map { _ in
          VarBind(names.randomElement(using: &random) ?? [0, 0], .integer(Int64.random(in: 0...9, using: &random)))
        }
        given.formUnion(answer)
        read.received(
          Response(answer, errorStatus: ErrorStatus(rawValue: Int32.random(in: -1...6, using: &random) / 3)))
      }
      #expect(Set(read.bindings).isSubset(of: given), "seed \(seed)")
      #expect(requests < 100)
    }
  }
}
