// A device that stands still is not interpreted anew, and its reading is the one that interpreting it anew would give.

internal import MIB
internal import PrinterModel
internal import Testing

@Suite("A device that stands still")
struct StandingStillTests {
  private static let walks = ["colour-mfp", "named-counters", "nonsense", "out-of-range", "several-markers"]

  /// The fixture with a clock.
  private func walk(_ name: String, uptime: ObjectValue) throws -> Walk {
    var walk = try Fixtures.walk(name)
    walk.set(MIB2.sysUpTime, uptime)
    return walk
  }

  @Test(arguments: walks) func `has the reading of the poll before, with its uptime`(_ name: String) throws {
    let former = try walk(name, uptime: .timeTicks(100))
    let now = try walk(name, uptime: .timeTicks(4_294_967_295))
    let reading = try #require(
      Interpretation.read(now, standingStillSince: former, Interpretation.read(former)))
    #expect(reading == Interpretation.read(now))
    #expect(reading.detectors.uptimeTicks == 4_294_967_295)
  }

  @Test(arguments: walks) func `is read anew when any object changed, went or came`(_ name: String) throws {
    let former = try walk(name, uptime: .timeTicks(100))
    let reading = Interpretation.read(former)
    for binding in former.bindings where binding.name != MIB2.sysUpTime {
      var changed = former
      changed.set(binding.name, binding.value == .null ? .integer(0) : .null)
      #expect(Interpretation.read(changed, standingStillSince: former, reading) == nil, "\(binding.name)")
      var shorter = former
      shorter.remove(binding.name)
      #expect(Interpretation.read(shorter, standingStillSince: former, reading) == nil, "\(binding.name)")
      #expect(Interpretation.read(former, standingStillSince: shorter, reading) == nil, "\(binding.name)")
    }
  }

  @Test func `is read anew when its clock is none, which is a finding`() throws {
    let clock = try walk("colour-mfp", uptime: .timeTicks(100))
    for odd: ObjectValue in [.integer(-1), .octets([1]), .counter64(.max), .noSuchObject] {
      let former = try walk("colour-mfp", uptime: odd)
      #expect(Interpretation.read(clock, standingStillSince: former, Interpretation.read(former)) == nil)
      #expect(Interpretation.read(former, standingStillSince: clock, Interpretation.read(clock)) == nil)
    }
  }
}
