internal import MIB
internal import SNMP
internal import Testing

/// How lanes read tables of all shapes, and how little they ask for.
@Suite struct WalkLaneTests {
  private static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 8, 2, 1]
  private static let other: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 9, 2, 1]

  /// A table whose columns have these rows, and an object behind it.
  private func device(_ columns: KeyValuePairs<UInt32, [UInt32]>, entry: ObjectIdentifier = entry) -> Walk {
    var walk = Walk([VarBind([1, 3, 6, 1, 4, 1, 9, 1, 0], .integer(1))])
    for (column, rows) in columns {
      for row in rows { walk.set(entry.appending(column, 1, row), .integer(Int64(row))) }
    }
    return walk
  }

  private func roots(_ columns: UInt32..., entry: ObjectIdentifier = entry) -> [ObjectIdentifier] {
    columns.map { entry.appending($0) }
  }

  private func all(_ roots: [ObjectIdentifier], _ device: Walk) -> [VarBind] { roots.flatMap { device.subtree($0) } }

  /// A device known to bear as much as any.
  private var able: DeviceAbilities {
    var abilities = DeviceAbilities(version: .v2c)
    abilities.bulk = .proven
    abilities.columns.grow(used: DeviceAbilities.columnsMax)
    abilities.bindings.grow(used: DeviceAbilities.bindingsMax)
    return abilities
  }

  private func read(
    _ roots: [ObjectIdentifier], _ agent: inout TestAgent, _ abilities: DeviceAbilities? = nil, rows: Int? = nil
  ) -> TableWalk {
    var walk = TableWalk(roots: roots, abilities: abilities ?? able) { _ in rows }
    agent.run(&walk)
    #expect(walk.stopped == nil)
    return walk
  }

  @Test func `a table of known size is one request with one name, and one binding too many`() {
    let roots = roots(2, 3, 4, 5)
    var agent = TestAgent(device([2: [1, 2, 3], 3: [1, 2, 3], 4: [1, 2, 3], 5: [1, 2, 3]]))
    let walk = read(roots, &agent, rows: 3)
    #expect(agent.requests == [.getBulk([roots[0]], nonRepeaters: 0, maxRepetitions: 13)])
    #expect(walk.bindings == all(roots, agent.walk))
  }

  @Test func `the end of the first column tells how much is left of a table of unknown size`() {
    let roots = roots(2, 3, 4, 5)
    var agent = TestAgent(device([2: [1, 2, 3], 3: [1, 2, 3], 4: [1, 2, 3], 5: [1, 2, 3]]))
    let walk = read(roots, &agent)
    #expect(walk.bindings == all(roots, agent.walk))
    let last = roots[1].appending(1, 1)
    #expect(
      agent.requests == [
        .getBulk([roots[0]], nonRepeaters: 0, maxRepetitions: 4),
        .getBulk([last], nonRepeaters: 0, maxRepetitions: 9),
      ])
  }

  @Test(arguments: [DeviceAbilities(version: .v1), DeviceAbilities(version: .v2c)])
  func `columns with fewer, more or other rows than the first lose none`(_ abilities: DeviceAbilities) {
    let roots = roots(2, 3, 4, 5, 6)
    var agent = TestAgent(device([2: [1, 4, 9], 3: [1], 4: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 6: [4, 200]]))
    for rows in [nil, 0, 1, 3, 40] {
      let walk = read(roots, &agent, abilities, rows: rows)
      #expect(walk.bindings.sorted { $0.name < $1.name } == all(roots, agent.walk), "\(rows ?? -1) rows expected")
      #expect(walk.findings.isEmpty)
    }
  }

  @Test func `a table that grew or shrank since the last walk is read whole`() {
    let roots = roots(2, 3)
    for count in [1, 2, 5, 30] as [UInt32] {
      var agent = TestAgent(device([2: Array(1...count), 3: Array(1...count)]))
      #expect(read(roots, &agent, rows: 2).bindings == all(roots, agent.walk), "\(count) rows")
    }
  }

  @Test func `a table that grows between two requests is read to its end`() {
    let roots = roots(2, 3)
    let before = device([2: [1, 2, 3, 4], 3: [1, 2, 3, 4]])
    let after = device([2: [1, 2, 3, 4, 5], 3: [1, 2, 3, 4, 5]])
    var walk = TableWalk(roots: roots, abilities: able)
    var request = walk.next()
    #expect(request == .getBulk([roots[0]], nonRepeaters: 0, maxRepetitions: 4))
    walk.received(Response(all([roots[0]], before)))
    var agent = TestAgent(after)
    agent.run(&walk)
    #expect(walk.bindings == all(roots, after))
    request = walk.next()
    #expect(request == nil)
  }

  @Test func `a narrow gap is walked through and what lies in it is not kept`() {
    let roots = roots(2, 4)
    var agent = TestAgent(device([2: [1], 3: [1], 4: [1], 5: [1]]))
    let walk = read(roots, &agent, rows: 1)
    #expect(agent.requests == [.getBulk([roots[0]], nonRepeaters: 0, maxRepetitions: 4)])
    #expect(walk.bindings == all(roots, agent.walk))
  }

  @Test func `a gap of many rows is jumped over`() {
    let roots = roots(2, 4)
    let rows = Array(1...20 as ClosedRange<UInt32>)
    var agent = TestAgent(device([2: rows, 3: rows, 4: rows]))
    let walk = read(roots, &agent, rows: 20)
    #expect(walk.bindings == all(roots, agent.walk))
    #expect(agent.requests.map(\.names) == [[roots[0]], [roots[1]]])
  }

  @Test func `columns far apart are lanes of their own that share a request`() {
    let roots = roots(2, 8, 9)
    var agent = TestAgent(device([2: [1], 3: [1], 7: [1], 8: [1], 9: [1]]))
    let walk = read(roots, &agent, rows: 1)
    #expect(agent.requests == [.getBulk([roots[0], roots[1]], nonRepeaters: 0, maxRepetitions: 3)])
    #expect(walk.bindings == all(roots, agent.walk))
  }

  @Test func `a small table does not wait for a large one, nor read as far`() {
    let small = roots(2, entry: Self.other)
    var walk = device([2: [1]], entry: Self.other)
    for binding in device([2: Array(1...30)]).bindings { walk.set(binding.name, binding.value) }
    var agent = TestAgent(walk)
    var source = TableWalk(roots: roots(2) + small, abilities: able) { $0 == small[0] ? 1 : 30 }
    agent.run(&source)
    #expect(
      agent.requests == [
        .getBulk(small, nonRepeaters: 0, maxRepetitions: 2), .getBulk(roots(2), nonRepeaters: 0, maxRepetitions: 31),
      ])
  }

  @Test func `an agent that skips columns when it leaves one is asked for them`() {
    let roots = roots(2, 3, 4)
    let walk = device([2: [1, 2], 3: [1, 2], 4: [1, 2], 9: [1]])
    var agent = TestAgent(walk, .jump(from: roots[0].appending(1, 2), to: Self.entry.appending(9, 1, 1)))
    let source = read(roots, &agent, rows: 2)
    #expect(source.bindings == all(roots, walk))
  }

  @Test func `endOfMibView in front of columns is not believed once`() {
    let roots = roots(2, 3)
    let walk = device([2: [1, 2], 3: [1, 2]])
    var source = TableWalk(roots: roots, abilities: DeviceAbilities(version: .v2c))
    var agent = TestAgent(walk)
    #expect(source.next() != nil)
    source.received(Response([VarBind(roots[0].appending(1, 1), .integer(1))]))
    #expect(source.next() != nil)
    source.received(Response([VarBind(roots[0].appending(1, 1), .endOfMibView)]))
    agent.run(&source)
    #expect(source.bindings.map(\.name).last == roots[1].appending(1, 2))
  }

  @Test func `an error in mid-range halves the request until the object is found`() {
    let roots = roots(2, 3)
    let rows = Array(1...16 as ClosedRange<UInt32>)
    let bad = roots[0].appending(1, 11)
    var agent = TestAgent(device([2: rows, 3: rows]), .genErrAt(bad))
    let walk = read(roots, &agent, rows: 16)
    #expect(walk.bindings.count == 10 + 16)
    #expect(walk.findings == [.error(.genErr, root: roots[0], after: roots[0].appending(1, 10))])
    #expect(walk.abilities.bindings.ceiling == DeviceAbilities.bindingsMax, "the object is bad, not the size")
    #expect(agent.requests.count < 16)
  }

  @Test func `tooBig halves what is asked for, and that stays`() {
    let roots = roots(2, 3)
    let rows = Array(1...16 as ClosedRange<UInt32>)
    var agent = TestAgent(device([2: rows, 3: rows]), .answersAtMost(9))
    let walk = read(roots, &agent, rows: 16)
    #expect(walk.bindings == all(roots, agent.walk))
    #expect(walk.abilities.bindings.ceiling == 8)
    #expect(walk.findings.isEmpty)
  }

  @Test func `an answer cut short is gone on from, and larger ones are not tried`() {
    let root = roots(2)
    let device = device([2: Array(1...30)])
    var abilities = able
    abilities.bindings = Capacity(initial: 8, ceiling: 48)
    var walk = TableWalk(roots: root, abilities: abilities) { _ in 30 }
    while case .getBulk(let names, _, let repetitions)? = walk.next() {
      #expect(repetitions <= 8)
      let following = device.bindings.filter { $0.name > names[0] }
      walk.received(Response(Array(following.prefix(min(repetitions, 5)))))
    }
    #expect(walk.bindings == all(root, device))
  }

  @Test func `a root within another is read once`() {
    let device = device([2: [1, 2], 3: [1]])
    var agent = TestAgent(device)
    let walk = read([Self.entry] + roots(2, 3), &agent)
    #expect(walk.bindings == all([Self.entry], device))
  }
}
