internal import MIB
internal import SNMP
internal import Testing

/// Walks over devices of all habits.
@Suite struct TableWalkTests {
  private let supplies = SamplePrinter.supplies
  private let columns = SamplePrinter.supplyColumns
  /// Two columns, a gap, two columns: two lanes.
  private let markerColumns = [2, 3, 8, 9].map { SamplePrinter.marker.appending($0) }

  private func walk(_ roots: [ObjectIdentifier], _ version: SNMPVersion = .v2c, _ limits: ReadLimits = ReadLimits())
    -> TableWalk
  {
    TableWalk(roots: roots, abilities: DeviceAbilities(version: version), limits: limits)
  }

  /// Everything of the supplies is there, once.
  private func expectAllSupplies(_ walk: TableWalk) {
    #expect(walk.bindings.sorted { $0.name < $1.name } == SamplePrinter.allSupplies)
    #expect(walk.stopped == nil)
  }

  /// Everything below these roots is there, once, and nothing else.
  private func expectAll(_ walk: TableWalk, _ roots: [ObjectIdentifier], in device: Walk = SamplePrinter.walk) {
    let all = roots.flatMap { device.subtree($0) }.sorted { $0.name < $1.name }
    #expect(walk.bindings.sorted { $0.name < $1.name } == all)
    #expect(walk.stopped == nil)
  }

  private func bulks(_ agent: TestAgent) -> [Request] {
    agent.requests.filter { if case .getBulk = $0 { true } else { false } }
  }

  @Test(arguments: [SNMPVersion.v2c, .v3])
  func `A well-behaved table is read whole, and GetBulk only after GetNext proved itself`(_ version: SNMPVersion) {
    var walk = walk(columns, version)
    var agent = TestAgent(SamplePrinter.walk)
    agent.run(&walk)
    expectAllSupplies(walk)
    #expect(walk.findings.isEmpty)
    #expect(walk.abilities.bulk == .proven)
    for request in agent.requests.prefix(2) {
      guard case .getNext(let names) = request else {
        Issue.record("\(request) came too early")
        continue
      }
      #expect(names.count <= 4)
    }
    #expect(!bulks(agent).isEmpty)
    #expect(agent.requests.count < 20, "96 objects in \(agent.requests.count) requests")
    #expect(walk.statistics.requests == agent.requests.count)
    #expect(walk.statistics.responseBytes > 0)
  }

  @Test func `What was learnt about a device saves requests the next time`() {
    var first = walk(columns)
    var agent = TestAgent(SamplePrinter.walk)
    agent.run(&first)
    var second = TableWalk(roots: columns, abilities: first.abilities)
    var again = TestAgent(SamplePrinter.walk)
    again.run(&second)
    expectAllSupplies(second)
    #expect(again.requests.count < agent.requests.count)
  }

  /// Ten tables that the device has not, between two that it has.
  private static let sparse = (
    walk: Walk([
      VarBind([1, 3, 6, 1, 2, 1, 43, 1, 1, 1], .integer(1)), VarBind([1, 3, 6, 1, 2, 1, 43, 90, 1, 1], .integer(2)),
    ]),
    roots: ([1] + Array(20...29) + [90]).map { ObjectIdentifier([1, 3, 6, 1, 2, 1, 43, $0, 1]) }
  )

  @Test(arguments: [SNMPVersion.v1, .v2c])
  func `What follows the beginning of an empty root tells of the roots between, which are not asked for`(
    _ version: SNMPVersion
  ) {
    var walk = walk(Self.sparse.roots, version)
    var agent = TestAgent(Self.sparse.walk)
    agent.run(&walk)
    expectAll(walk, Self.sparse.roots, in: Self.sparse.walk)
    #expect(walk.findings.isEmpty)
    let asked = agent.requests.flatMap(\.names)
    #expect(Self.sparse.roots.dropFirst(3).dropLast().allSatisfy { !asked.contains($0) })
  }

  @Test func `Where a value is followed, or nothing, all roots are asked for`() {
    // Values of the first root are followed by what lies behind all the others: some agents skip columns there.
    var walk = walk([[1, 3, 6, 1, 9, 1], [1, 3, 6, 1, 9, 5], [1, 3, 6, 1, 9, 9]])
    var agent = TestAgent(
      Walk([VarBind([1, 3, 6, 1, 9, 1, 1], .integer(1)), VarBind([1, 3, 6, 1, 9, 20], .integer(1))]))
    agent.run(&walk)
    let names = agent.requests.flatMap(\.names)
    #expect(names.contains([1, 3, 6, 1, 9, 5]))
    var atEnd = self.walk([[1, 3, 6, 1, 9, 1], [1, 3, 6, 1, 9, 5], [1, 3, 6, 1, 9, 9]])
    var empty = TestAgent(Walk([VarBind([1, 3, 6, 1, 1], .integer(1))]))
    empty.run(&atEnd)
    #expect(atEnd.bindings.isEmpty)
    #expect(Set(empty.requests.flatMap(\.names)).count == 3)
  }

  @Test func `Of a maker's tables one is asked for first, alone`() {
    let maker: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 11, 2]
    let roots = (1...6).map { maker.appending($0, 1, 1) }
    var abilities = DeviceAbilities(version: .v2c)
    var known = TableWalk(roots: columns, abilities: abilities)
    var first = TestAgent(SamplePrinter.walk)
    first.run(&known)
    abilities = known.abilities
    var absent = TableWalk(roots: roots, abilities: abilities)
    var agent = TestAgent(Walk([VarBind([1, 3, 6, 1, 6, 3, 1], .integer(1))]))
    agent.run(&absent)
    #expect(agent.requests.map(\.names) == [[roots[0]]])
    let device = Walk(roots.map { VarBind($0.appending(7), .counter32(1)) })
    var present = TableWalk(roots: roots, abilities: abilities)
    var other = TestAgent(device)
    other.run(&present)
    expectAll(present, roots, in: device)
    #expect(other.requests.first?.names == [roots[0]])
    // Nothing at all follows, which tells of no other: the rest is asked for together.
    var silent = TableWalk(roots: roots, abilities: abilities)
    var ended = TestAgent(Walk())
    ended.run(&silent)
    #expect(ended.requests.count < roots.count)
  }

  @Test func `No GetBulk asks for more bindings than the named limit`() {
    var walk = walk(columns)
    var agent = TestAgent(SamplePrinter.walk)
    agent.run(&walk)
    for case .getBulk(let names, _, let repetitions) in agent.requests {
      #expect(names.count * repetitions <= DeviceAbilities.bindingsMax)
    }
  }

  @Test func `A v1 device is walked by GetNext, and noSuchName is its end`() {
    var walk = walk(columns + [[1, 3, 6, 1, 4, 1, 11]], .v1)
    var agent = TestAgent(SamplePrinter.walk, .v1)
    agent.run(&walk)
    #expect(bulks(agent).isEmpty)
    #expect(walk.bindings.count == SamplePrinter.allSupplies.count + 1)
    #expect(walk.findings.isEmpty)
  }

  @Test func `A device that never answers GetBulk is read by GetNext`() {
    var walk = walk(columns)
    var agent = TestAgent(SamplePrinter.walk, .silentToBulk)
    agent.run(&walk)
    expectAllSupplies(walk)
    #expect(bulks(agent).count == 1)
    #expect(walk.findings == [.bulkRefused(.failure(.timeout(sends: 3)), at: agent.firstBulkName)])
    #expect(walk.abilities.bulk == .refused)
  }

  @Test func `A device that answers GetBulk with an error is read by GetNext`() {
    var walk = walk(columns)
    var agent = TestAgent(SamplePrinter.walk, .genErrToBulk)
    agent.run(&walk)
    expectAllSupplies(walk)
    #expect(bulks(agent).count == 1)
    #expect(walk.findings == [.bulkRefused(.error(.genErr), at: agent.firstBulkName)])
  }

  @Test func `A device that hangs on several names is read by single ones`() {
    var walk = walk(columns + markerColumns)
    var agent = TestAgent(SamplePrinter.walk, .silentToSeveralNames)
    agent.run(&walk)
    expectAll(walk, columns + markerColumns)
    #expect(agent.requests.count { $0.names.count > 1 } == 1)
  }

  @Test func `A device that forgets bindings is read one column at a time`() {
    var walk = walk(columns + markerColumns)
    var agent = TestAgent(SamplePrinter.walk, .forgetsLastOfSeveral)
    agent.run(&walk)
    expectAll(walk, columns + markerColumns)
    #expect(walk.findings.contains { if case .misshapen(2, 1, _) = $0 { true } else { false } })
    #expect(agent.requests.count { $0.names.count > 1 } == 1)
  }

  @Test func `genErr at the end of a subtree ends it with a finding, and the next one is read`() {
    let last = columns[0].appending(1, UInt32(SamplePrinter.supplyRows))
    var walk = walk([columns[0], SamplePrinter.marker])
    var agent = TestAgent(SamplePrinter.walk, .genErrAtEndOf(columns[0]))
    agent.run(&walk)
    #expect(walk.bindings.count == SamplePrinter.supplyRows + 14)
    #expect(walk.findings.contains(.error(.genErr, root: columns[0], after: last)))
    #expect(walk.stopped == nil)
  }

  @Test(arguments: [true, false])
  func `genErr in the middle costs one column its rest, and no other`(_ hasIndex: Bool) {
    let bad = columns[3].appending(1, 5)
    var walk = walk(columns)
    var agent = TestAgent(SamplePrinter.walk, hasIndex ? .genErrAt(bad) : .genErrWithoutIndexAt(bad))
    agent.run(&walk)
    #expect(walk.bindings.count == SamplePrinter.allSupplies.count - 8)
    #expect(
      walk.findings == [.error(.genErr, root: columns[3], after: columns[3].appending(1, 4))])
    #expect(walk.abilities.bulk == .proven, "one bad object says nothing about GetBulk")
  }

  @Test func `tooBig makes requests smaller until they fit, and they stay so`() {
    var walk = walk(columns)
    var agent = TestAgent(SamplePrinter.walk, .answersAtMost(5))
    agent.run(&walk)
    expectAllSupplies(walk)
    #expect(walk.findings.allSatisfy { if case .bulkRefused = $0 { true } else { false } })
    var failed = 0
    for case .getBulk(let names, _, let repetitions) in agent.requests where names.count * repetitions > 5 {
      failed += 1
    }
    for case .getNext(let names) in agent.requests where names.count > 5 { failed += 1 }
    #expect(failed <= 5)
  }

  @Test func `A device that cannot answer even one binding ends each subtree with a finding`() {
    var walk = walk([columns[0], columns[1]])
    var agent = TestAgent(SamplePrinter.walk, .answersAtMost(0))
    agent.run(&walk)
    #expect(walk.bindings.isEmpty)
    #expect(walk.findings == [.tooBig(columns[0]), .tooBig(columns[1])])
  }

  @Test func `A name that does not increase ends its subtree, and the others are read`() {
    let from = columns[0].appending(1, 6)
    let to = columns[0].appending(1, 2)
    var walk = walk([columns[0], SamplePrinter.marker])
    var agent = TestAgent(SamplePrinter.walk, .jump(from: from, to: to))
    agent.run(&walk)
    #expect(walk.bindings.count == 6 + 14)
    #expect(walk.findings.contains(.cycle(root: columns[0], after: from, received: to)))
    #expect(walk.findings.contains { if case .bulkRefused(.notIncreasing, _) = $0 { true } else { false } })
    #expect(Set(walk.bindings.map(\.name)).count == walk.bindings.count)
  }

  @Test func `A device that stays at one name is not asked for ever`() {
    let stuck = columns[0].appending(1, 3)
    var walk = walk([columns[0]], .v1)
    var agent = TestAgent(SamplePrinter.walk, .v1, .jump(from: stuck, to: stuck))
    agent.run(&walk)
    #expect(walk.bindings.count == 3)
    #expect(walk.findings == [.cycle(root: columns[0], after: stuck, received: stuck)])
    #expect(agent.requests.count == 4)
  }

  @Test func `A device that begins again after its last object ends the subtree with a finding`() {
    let last = columns[0].appending(1, UInt32(SamplePrinter.supplyRows))
    var walk = walk([columns[0]], .v1)
    var agent = TestAgent(SamplePrinter.walk, .v1, .jump(from: last, to: [1, 3, 6, 1, 2, 1, 1, 1, 0]))
    agent.run(&walk)
    #expect(walk.bindings.count == SamplePrinter.supplyRows)
    #expect(walk.findings == [.notIncreasing(root: columns[0], after: last, received: [1, 3, 6, 1, 2, 1, 1, 1, 0])])
  }

  @Test func `A root given as following itself ends without an object`() {
    var walk = walk([columns[0]], .v1)
    var agent = TestAgent(SamplePrinter.walk, .v1, .jump(from: columns[0], to: columns[0]))
    agent.run(&walk)
    #expect(walk.bindings.isEmpty)
    #expect(walk.findings.count == 1)
  }

  @Test func `An exception of Get inside of a walk ends the subtree`() {
    let bad = columns[0].appending(1, 4)
    var walk = walk([columns[0]])
    var agent = TestAgent(SamplePrinter.walk, .exceptionAt(bad))
    agent.run(&walk)
    #expect(walk.bindings.count == 3)
    #expect(walk.findings == [.unexpectedException(.noSuchInstance, bad)])
  }

  @Test func `Endless objects are cut at the limits`() {
    let root: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 7]
    let endless = Walk((1...500).map { VarBind(root.appending(UInt32($0)), .null) })
    var limits = ReadLimits()
    limits.bindingsPerRootMax = 50
    var byRoot = walk([root], .v1, limits)
    var agent = TestAgent(endless)
    agent.run(&byRoot)
    #expect(byRoot.bindings.count == 50)
    #expect(byRoot.findings == [.rootExhausted(root)])

    limits = ReadLimits()
    limits.requestsMax = 20
    var byRequests = walk([root], .v1, limits)
    agent.run(&byRequests)
    #expect(byRequests.stopped == .requestsExhausted(20))
    #expect(byRequests.bindings.count == 20)

    limits = ReadLimits()
    limits.bindingsMax = 30
    var byBindings = walk([root], .v1, limits)
    agent.run(&byBindings)
    #expect(byBindings.stopped == .bindingsExhausted(30))
    #expect(byBindings.bindings.count == 31)
  }

  @Test func `A device that dies stops the walk, keeps what was read and teaches nothing`() {
    var walk = walk(columns)
    var agent = TestAgent(SamplePrinter.walk, .diesAfter(4))
    agent.run(&walk)
    #expect(walk.stopped == .unreachable(.timeout(sends: 3)))
    #expect(!walk.bindings.isEmpty)
    #expect(agent.requests.count == 4 + ReadLimits().failuresInARowMax)
    #expect(walk.abilities.bulk == .proven)
    #expect(walk.abilities.columns.ceiling == DeviceAbilities.columnsMax)
  }

  @Test func `A wrong credential stops the walk at once`() {
    var walk = walk(columns)
    _ = walk.next()
    walk.failed(.authentication(.wrongDigest))
    #expect(walk.next() == nil)
    #expect(walk.stopped == .unreachable(.authentication(.wrongDigest)))
  }

  @Test func `Whatever a device answers, a walk ends and keeps no name twice`() {
    for seed in 0..<200 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      var limits = ReadLimits()
      limits.requestsMax = 300
      var walk = walk(Array(columns.shuffled(using: &random).prefix(3)) + [SamplePrinter.marker], .v2c, limits)
      while let request = walk.next() {
        let names = SamplePrinter.walk.bindings.map(\.name)
        switch Int.random(in: 0..<10, using: &random) {
        case 0: walk.failed(.timeout(sends: 3))
        case 1:
          let status = ErrorStatus(rawValue: Int32.random(in: -1...19, using: &random))
          walk.received(Response([], errorStatus: status, errorIndex: Int.random(in: -2...12, using: &random)))
        case 2:
          let count = Int.random(in: 0...20, using: &random)
          walk.received(
            Response((0..<count).map { _ in VarBind(names.randomElement(using: &random) ?? [0, 0], .null) }))
        default:
          walk.received(
            Response(request.names.map { SamplePrinter.walk.next(after: $0) ?? VarBind($0, .endOfMibView) }))
        }
      }
      let read = walk.bindings.map(\.name)
      #expect(Set(read).count == read.count, "seed \(seed)")
      #expect(walk.statistics.requests <= 300)
    }
  }
}

/// Scalars by Get.
@Suite struct ScalarReadTests {
  private let names = (1...6).map { SamplePrinter.system.appending(UInt32($0), 0) }
  private let unknown: ObjectIdentifier = SamplePrinter.system.appending(77, 0)

  private func read(_ names: [ObjectIdentifier], _ version: SNMPVersion = .v2c) -> ScalarRead {
    ScalarRead(names: names, abilities: DeviceAbilities(version: version))
  }

  @Test func `Scalars are read several at once, and exceptions are absences`() {
    var read = read(names + [unknown])
    var agent = TestAgent(SamplePrinter.walk)
    agent.run(&read)
    #expect(read.bindings.map(\.name) == names)
    #expect(read.absent == [unknown])
    #expect(read.findings.isEmpty)
    #expect(agent.requests.count == 2)
  }

  @Test func `A v1 device's noSuchName removes the name it points at`() {
    var read = read([names[0], unknown] + names[1...], .v1)
    var agent = TestAgent(SamplePrinter.walk, .v1)
    agent.run(&read)
    #expect(Set(read.bindings.map(\.name)) == Set(names))
    #expect(read.absent == [unknown])
    #expect(read.findings.isEmpty)
  }

  @Test func `A device that hangs on several names is asked one by one, and remembered so`() {
    var read = read(names)
    var agent = TestAgent(SamplePrinter.walk, .silentToSeveralNames)
    agent.run(&read)
    #expect(Set(read.bindings.map(\.name)) == Set(names))
    #expect(read.stopped == nil)
    #expect(read.abilities.names.ceiling == 1)
  }

  @Test func `A device that answers no Get is read by GetNext, and remembered so`() {
    let unknown: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 11, 2, 0, 0]
    var read = read(names + [unknown])
    var agent = TestAgent(SamplePrinter.walk, .silentToGet)
    agent.run(&read)
    #expect(Set(read.bindings.map(\.name)) == Set(names))
    #expect(read.absent == [unknown])
    #expect(read.findings.isEmpty)
    #expect(read.abilities.get == .refused)
    #expect(read.abilities.names.ceiling == DeviceAbilities.namesMax, "it was not the number of names")
    var later = ScalarRead(names: names, abilities: read.abilities)
    agent = TestAgent(SamplePrinter.walk, .silentToGet)
    agent.run(&later)
    #expect(Set(later.bindings.map(\.name)) == Set(names))
    #expect(agent.requests.allSatisfy { if case .getNext = $0 { true } else { false } })
  }

  @Test func `A name left out of the answer is asked alone`() {
    var read = read(names)
    var agent = TestAgent(SamplePrinter.walk, .forgetsLastOfSeveral)
    agent.run(&read)
    #expect(Set(read.bindings.map(\.name)) == Set(names))
    #expect(read.findings.contains(.misshapen(asked: 4, received: 3, at: names[0])))
  }

  @Test func `genErr for one name is a finding about that name only`() {
    var read = read(names)
    var agent = TestAgent(SamplePrinter.walk, .genErrAt(names[2]))
    agent.run(&read)
    #expect(Set(read.bindings.map(\.name)) == Set(names).subtracting([names[2]]))
    #expect(read.findings == [.scalarError(.genErr, names[2])])
  }

  @Test func `tooBig halves the number of names`() {
    var read = read(names)
    var agent = TestAgent(SamplePrinter.walk, .answersAtMost(1))
    agent.run(&read)
    #expect(Set(read.bindings.map(\.name)) == Set(names))
    #expect(read.abilities.names.ceiling == 1)
    #expect(read.findings.isEmpty)
  }

  @Test func `A device that dies stops the reading and teaches nothing`() {
    var read = read(names)
    var agent = TestAgent(SamplePrinter.walk, .diesAfter(0))
    agent.run(&read)
    #expect(read.stopped == .unreachable(.timeout(sends: 3)))
    #expect(agent.requests.count == ReadLimits().failuresInARowMax)
    #expect(read.abilities == DeviceAbilities(version: .v2c))
  }
}
