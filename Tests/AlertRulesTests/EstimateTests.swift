import AlertRules
import Testing

private struct Chance: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

@Suite struct `Days that a supply lasts` {
  private static let day: Int64 = 86_400_000

  /// A level that falls by so much a day, read twice a day, in whole percent.
  private func falling(_ perDay: Double, days: Int, from start: Double = 100) -> [LevelPoint] {
    (0...days * 2).map { half in
      LevelPoint(time: Int64(half) * Self.day / 2, percent: (start - perDay * Double(half) / 2).rounded(.up))
    }
  }

  @Test func `a steady fall gives the days that are left`() throws {
    let forecast = try SupplyForecast.estimate(falling(2, days: 20)).get()
    #expect(abs(forecast.daysLeft - 30) < 1.5, "\(forecast)")
    #expect(forecast.earliest <= forecast.daysLeft && forecast.daysLeft <= forecast.latest ?? .infinity)
    #expect(abs(forecast.percentPerDay - 2) < 0.1)
  }

  @Test func `a few wrong readings do not move it`() throws {
    var points = falling(2, days: 20)
    points[10].percent = 0
    points[25].percent = 100
    let forecast = try SupplyForecast.estimate(points).get()
    #expect(abs(forecast.daysLeft - 30) < 3, "\(forecast)")
  }

  @Test func `too few points, too short a time and no fall are unknown, with the reason`() {
    func reason(_ points: [LevelPoint]) -> SupplyForecast.Unknown? {
      if case .failure(let unknown) = SupplyForecast.estimate(points) { unknown.reason } else { nil }
    }
    #expect(reason([]) == .tooFewPoints)
    #expect(reason(falling(2, days: 2)) == .tooFewPoints)
    #expect(reason((0..<400).map { LevelPoint(time: Int64($0) * Self.day, percent: 40) }) == .tooFewPoints)
    #expect(reason((0..<10).map { LevelPoint(time: Int64($0) * 3_600_000, percent: 90 - Double($0)) }) == .tooShort)
    #expect(reason((0..<10).map { LevelPoint(time: Int64($0) * Self.day, percent: 20 + Double($0)) }) == .noFall)
  }

  @Test func `the interval holds the truth in most of a hundred seeds`() throws {
    var held = 0
    for seed in 1...100 as ClosedRange<UInt64> {
      var chance = Chance(state: seed)
      let perDay = Double.random(in: 0.5...4, using: &chance)
      var level = 100.0
      var points: [LevelPoint] = []
      for step in 0..<60 where level > 5 {
        points.append(LevelPoint(time: Int64(step) * Self.day / 3, percent: level.rounded()))
        // Days differ: between nothing and twice the mean.
        level -= perDay / 3 * .random(in: 0...2, using: &chance)
      }
      guard let forecast = try? SupplyForecast.estimate(points).get(), let last = points.last else { continue }
      let truth = last.percent / perDay
      if forecast.earliest <= truth * 1.1, truth * 0.9 <= forecast.latest ?? .infinity { held += 1 }
    }
    #expect(held >= 75, "\(held)")
  }
}

@Suite struct `Flap damping` {
  @Test func `a penalty halves in two hours`() {
    #expect(FlapDamping.decayed(1_000, over: .zero) == 1_000)
    #expect(FlapDamping.decayed(1_000, over: FlapDamping.halfLife) == 500)
    #expect(FlapDamping.decayed(1_000, over: FlapDamping.halfLife * 2) == 250)
    #expect(FlapDamping.decayed(1_000, over: .seconds(3_600)) == 750)
    #expect(FlapDamping.decayed(.max, over: FlapDamping.halfLife * 32) == 0)
    #expect(FlapDamping.decayed(7, over: .seconds(-5)) == 7, "a clock that was set back")
  }

  @Test func `three raisings close together are not damped enough, the fourth an hour apart is`() {
    var penalty: UInt32 = 0
    var damped: [Bool] = []
    for _ in 0..<5 {
      penalty = FlapDamping.raised(after: penalty, over: .seconds(3_600))
      damped.append(FlapDamping.isDamped(penalty))
    }
    #expect(damped == [false, false, false, true, true])
    for _ in 0..<100 { penalty = FlapDamping.raised(after: penalty, over: .zero) }
    #expect(penalty == 8_000, "it does not grow for ever")
  }
}
