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
    #expect((forecast.latest ?? 1_000) - forecast.earliest < 20, "\(forecast)")
  }

  @Test func `days pass, and after a week without a level nothing is known`() throws {
    let points = falling(2, days: 20)
    let last = try #require(points.last).time
    let read = try SupplyForecast.estimate(points, at: last).get()
    let later = try SupplyForecast.estimate(points, at: last + 5 * Self.day).get()
    #expect(abs(read.daysLeft - later.daysLeft - 5) < 0.001 && abs(read.earliest - later.earliest - 5) < 0.001)
    let week = SupplyForecast.estimate(points, at: last + 8 * Self.day)
    #expect(throws: UnknownForecast.self) { try week.get() }
    let ahead = try SupplyForecast.estimate(points, at: last - 8 * Self.day).get()
    #expect(ahead == read, "a clock that was set back gives no days")
    let nearlyEmpty = falling(2, days: 20, from: 44)
    #expect(try SupplyForecast.estimate(nearlyEmpty, at: last + 6 * Self.day).get().daysLeft == 0)
  }

  @Test func `too few points, too short a time and no fall are unknown, with the reason`() {
    func reason(_ points: [LevelPoint]) -> SupplyForecast.Unknown? {
      if case .failure(let unknown) = SupplyForecast.estimate(points) { unknown.reason } else { nil }
    }
    #expect(reason([]) == .tooFewPoints)
    #expect(reason(falling(2, days: 2)) == .tooFewPoints)
    #expect(reason((0..<400).map { LevelPoint(time: Int64($0) * Self.day, percent: 40) }) == .noFall)
    #expect(reason((0..<4).map { LevelPoint(time: Int64($0) * Self.day, percent: 40) }) == .tooFewPoints)
    #expect(
      reason((0..<100).map { LevelPoint(time: Int64($0) * 3_600_000, percent: 99 - Double($0) / 2) }) == .tooShort)
    #expect(reason((0..<10).map { LevelPoint(time: Int64($0) * Self.day, percent: 20 + Double($0)) }) == .noFall)
  }

  /// Simulated supplies that are used day by day, more on some days than on others, until they are empty: was it in the interval?
  @Test(arguments: [0.3, 1.0, 2.0])
  func `the interval holds the day on which it is empty nearly always, and is not as wide as to say nothing`(
    unevenness: Double
  ) {
    var (held, known) = (0, 0)
    var widths: [Double] = []
    for seed in 1...300 as ClosedRange<UInt64> {
      var chance = Chance(state: seed)
      let perDay = Double.random(in: 0.8...3, using: &chance)
      var (level, day, points) = (100.0, 0.0, [LevelPoint]())
      func use() -> Double { perDay / 4 * max(0, 1 + unevenness * .random(in: -1...1, using: &chance)) }
      let seen = Double.random(in: 12...25, using: &chance)
      while day < seen, level > 10 {
        points.append(LevelPoint(time: Int64(day * Double(Self.day)), percent: level.rounded(.up)))
        level -= use()
        day += 0.25
      }
      let asked = day
      while level > 0 {
        level -= use()
        day += 0.25
      }
      guard case .success(let forecast) = SupplyForecast.estimate(points) else { continue }
      known += 1
      let truth = day - asked
      if forecast.earliest <= truth + 0.5, truth - 0.5 <= forecast.latest ?? .infinity { held += 1 }
      widths.append((forecast.latest ?? 1_000) - forecast.earliest)
    }
    #expect(known >= 280, "\(known)")
    #expect(held * 100 >= known * 92, "\(held) of \(known)")
    let median = widths.sorted()[widths.count / 2]
    #expect(median > 1 && median < 60, "\(median)")
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
