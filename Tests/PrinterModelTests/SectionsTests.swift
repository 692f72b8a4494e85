// A reading that is brought up to date section by section is the one that reading all anew gives.

internal import MIB
internal import PrinterModel
internal import Testing

@Suite("A device of which something changed")
struct SectionsTests {
  private func walk(_ name: String) throws -> Walk {
    var walk = try Fixtures.walk(name)
    walk.set(MIB2.sysUpTime, .timeTicks(100))
    return walk
  }

  /// Other values that an object may have next: of its kind, of another, and none.
  private func others(_ value: ObjectValue) -> [ObjectValue] {
    let alike: [ObjectValue] =
      switch value {
      case .integer(let number): [.integer(number == 0 ? 1 : 0), .integer(-3), .integer(number &+ 1)]
      case .counter32(let number): [.counter32(number &+ 1)]
      case .gauge32(let number): [.gauge32(number &+ 1)]
      case .counter64(let number): [.counter64(number &+ 1)]
      case .timeTicks(let number): [.timeTicks(number &+ 1)]
      case .octets(let octets): [.octets(octets.array + [0x41]), .octets([])]
      default: []
      }
    return alike + [.null, .noSuchInstance]
  }

  private func expectSame(_ former: Walk, _ path: String, step: Int = 1) {
    let reading = Interpretation.read(former)
    #expect(Interpretation.read(former, since: former, reading) == reading, "\(path)")
    var all = former
    for index in stride(from: 0, to: former.bindings.count, by: step) {
      let binding = former.bindings[index]
      for value in others(binding.value) {
        var walk = former
        walk.set(binding.name, value)
        let expected = Interpretation.read(walk)
        #expect(Interpretation.read(walk, since: former, reading) == expected, "\(path) \(binding.name) \(value)")
        #expect(Interpretation.read(former, since: walk, expected) == reading, "\(path) \(binding.name) \(value)")
      }
      if let value = others(binding.value).first, index % 3 == 0, !value.isException { all.set(binding.name, value) }
    }
    #expect(Interpretation.read(all, since: former, reading) == Interpretation.read(all), "\(path)")
  }

  @Test(arguments: Fixtures.names) func `has the reading that all its objects give, whatever changed`(
    _ name: String
  ) throws {
    expectSame(try walk(name), name)
  }

  /// Some objects of each, since there are thousands.
  @Test(.enabled(if: Corpus.root != nil, Corpus.skipped)) func `so has every recorded device`() throws {
    for path in Corpus.walks {
      let walk = try Corpus.walk(path)
      guard walk.bindings.count < 2_000 else { continue }
      expectSame(walk, path, step: max(1, walk.bindings.count / 40))
    }
  }

  @Test func `is read anew where an object came or went`() throws {
    let former = try walk("colour-mfp")
    let reading = Interpretation.read(former)
    for binding in former.bindings {
      var shorter = former
      shorter.remove(binding.name)
      let expected = Interpretation.read(shorter)
      #expect(Interpretation.read(shorter, since: former, reading) == expected, "\(binding.name)")
      #expect(Interpretation.read(former, since: shorter, expected) == reading, "\(binding.name)")
    }
  }
}
