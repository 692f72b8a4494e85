internal import Testing

@testable internal import HubFleet

@Suite("A counter at the hub") struct MeterLedgerTests {
  private static let day = MeterLedger.millisecondsPerDay

  private func seen(_ value: Int64?, at time: Int64, epoch: Int64 = 1, unit: String = "impressions")
    -> MeterLedger.Observation
  {
    .init(
      name: "total", value: value, unit: unit, quality: value == nil ? "unknown" : "exact", agentEpoch: epoch,
      time: time)
  }

  @Test func `has the first and last value of each day`() {
    var ledger = MeterLedger()
    for (value, time) in [(100, 10), (120, 20), (150, Self.day + 5), (150, Self.day + 9)] as [(Int64, Int64)] {
      ledger.observe(seen(value, at: time), by: 1)
    }
    #expect(ledger.days[.init(name: "total", epoch: 1, day: 0)] == .init(first: 100, last: 120, time: 20))
    #expect(ledger.days[.init(name: "total", epoch: 1, day: 1)] == .init(first: 150, last: 150, time: Self.day + 9))
  }

  @Test func `is booked on the days that are, once the hub and its agent are ahead no more`() {
    var ledger = MeterLedger(now: 40 * Self.day)
    for (value, time) in [(100, 3 * Self.day), (150, 40 * Self.day)] as [(Int64, Int64)] {
      ledger.observe(seen(value, at: time), by: 1)
    }
    ledger = MeterLedger(current: ledger.current, now: 5 * Self.day)
    var former = 40 * Self.day
    for (value, time) in [(160, 5 * Self.day - 9), (175, 5 * Self.day - 5)] as [(Int64, Int64)] {
      var observation = seen(value, at: time)
      (observation.formerly, former) = (former, time)
      ledger.observe(observation, by: 1)
    }
    #expect(
      ledger.days == [.init(name: "total", epoch: 2, day: 4): .init(first: 150, last: 175, time: 5 * Self.day - 5)])
    ledger = MeterLedger(current: ledger.current, now: 41 * Self.day)
    ledger.observe(seen(190, at: 41 * Self.day), by: 1)
    #expect(ledger.current["total"]?.epoch == 2)
  }

  @Test func `moves to no earlier day because of one clock alone`() {
    // (the hub's time, the reading's own, the agent's reading before): the hub is behind; a reading is late; both are apart by less than a day; the
    // agent was behind all the time, and the hub is now.
    let clocks = ([(30, 40, 40), (40, 30, 40), (39, 39, 40), (30, 30, 29)] as [(Int64, Int64, Int64)]).map {
      (now: $0.0 * Self.day + 5, told: $0.1 * Self.day + 5, formerly: $0.2 * Self.day)
    }
    for clock in clocks {
      var ledger = MeterLedger(now: 40 * Self.day)
      for (value, time) in [(100, 3 * Self.day), (150, 40 * Self.day)] as [(Int64, Int64)] {
        ledger.observe(seen(value, at: time), by: 1)
      }
      ledger = MeterLedger(current: ledger.current, now: clock.now)
      var late = seen(160, at: min(clock.now, clock.told))
      (late.told, late.formerly) = (clock.told, clock.formerly)
      ledger.observe(late, by: 1)
      #expect(ledger.current["total"]?.epoch == 1 && ledger.current["total"]?.value == 160, "\(clock)")
      #expect(ledger.days.keys.map(\.day) == [40], "\(clock)")
    }
  }

  @Test func `begins anew where its agent says so, and where another one reads less or counts in another unit`() {
    var ledger = MeterLedger()
    ledger.observe(seen(100, at: 1), by: 1)
    ledger.observe(seen(5, at: 2, epoch: 2), by: 1)
    #expect(ledger.current["total"]?.epoch == 2)
    ledger.observe(seen(7, at: 3), by: 2)
    #expect(ledger.current["total"]?.epoch == 2, "another install that reads on")
    ledger.observe(seen(3, at: 4), by: 1)
    #expect(ledger.current["total"]?.value == 7, "their clocks may be apart by that")
    ledger.observe(seen(3, at: 3 + MeterLedger.skewMax), by: 1)
    #expect(ledger.current["total"]?.epoch == 3)
    ledger.observe(seen(9, at: 5 + MeterLedger.skewMax, unit: "sheets"), by: 2)
    #expect(ledger.current["total"]?.epoch == 4)
  }

  @Test func `goes on where its count was found again, and wrong readings count nothing`() {
    func back(_ value: Int64, at time: Int64, epoch: Int64) -> MeterLedger.Observation {
      var observation = seen(value, at: time, epoch: epoch)
      (observation.continues, observation.goesOnFrom) = (epoch - 2, 50_000)
      return observation
    }
    var ledger = MeterLedger()
    ledger.observe(seen(50_000, at: 1), by: 1)
    ledger.observe(seen(0, at: 2, epoch: 2), by: 1)
    ledger.observe(seen(3, at: 3, epoch: 2), by: 1)
    ledger.observe(back(50_001, at: 4, epoch: 3), by: 1)
    ledger.observe(back(50_002, at: 5, epoch: 3), by: 1)
    #expect(ledger.current["total"]?.epoch == 1 && ledger.resumed == ["total": 1])
    #expect(ledger.days == [.init(name: "total", epoch: 1, day: 0): .init(first: 50_000, last: 50_002, time: 5)])
    ledger.observe(seen(7, at: 6, epoch: 4), by: 1)
    ledger.observe(seen(9, at: 7, epoch: 4), by: 1)
    #expect(ledger.days[.init(name: "total", epoch: 2, day: 0)] == .init(first: 7, last: 9, time: 7))
  }

  @Test func `loses the pages of a rise that was read wrongly, also on a day before`() {
    var ledger = MeterLedger()
    func observe(_ value: Int64, at time: Int64, epoch: Int64 = 1, by install: Int64 = 1, isReturn: Bool = false) {
      var observation = seen(value, at: time, epoch: epoch)
      if epoch == 2 { (observation.continues, observation.goesOnFrom, observation.isOpening) = (1, 50_000, isReturn) }
      ledger.observe(observation, by: install)
    }
    observe(50_000, at: 1)
    observe(90_000, at: 2)
    observe(90_000, at: Self.day + 3)
    observe(50_002, at: Self.day + 4, epoch: 2, isReturn: true)
    observe(50_005, at: Self.day + 5, epoch: 2)
    #expect(
      ledger.days == [
        .init(name: "total", epoch: 1, day: 0): .init(first: 50_000, last: 50_000, time: 2),
        .init(name: "total", epoch: 1, day: 1): .init(first: 50_000, last: 50_005, time: Self.day + 5),
      ])
    #expect(ledger.lowered == ["total": .init(epoch: 1, value: 50_000)] && ledger.current["total"]?.epoch == 1)
  }

  @Test func `loses them as well where another install read the wrong count last, and nothing else`() {
    var ledger = MeterLedger()
    func observe(_ value: Int64, at time: Int64, epoch: Int64 = 1, by install: Int64, isReturn: Bool = false) {
      var observation = seen(value, at: time, epoch: epoch)
      if epoch == 2 { (observation.continues, observation.goesOnFrom, observation.isOpening) = (1, 50_000, isReturn) }
      ledger.observe(observation, by: install)
    }
    observe(50_000, at: 1, by: 1)
    observe(90_000, at: 2, by: 1)
    observe(90_000, at: 3, by: 2)
    observe(50_002, at: 4, epoch: 2, by: 1, isReturn: true)
    observe(50_500, at: 5, epoch: 2, by: 1)
    observe(50_500, at: Self.day + 1, epoch: 2, by: 2, isReturn: true)
    observe(50_600, at: Self.day + 2, epoch: 2, by: 2)
    #expect(ledger.days[.init(name: "total", epoch: 1, day: 0)] == .init(first: 50_000, last: 50_500, time: 5))
    #expect(ledger.days[.init(name: "total", epoch: 1, day: 1)]?.last == 50_600)
    observe(50_300, at: Self.day + 3 + MeterLedger.skewMax, epoch: 2, by: 1)
    #expect(ledger.current["total"]?.epoch == 2, "below what the other one read, and no return")
  }

  @Test func `goes on for each of several installs that saw the wrong reading`() {
    var ledger = MeterLedger()
    func observe(_ value: Int64, at time: Int64, epoch: Int64, by install: Int64) {
      var observation = seen(value, at: time, epoch: epoch)
      if epoch == 3 { (observation.continues, observation.goesOnFrom) = (1, 800) }
      ledger.observe(observation, by: install)
    }
    observe(800, at: 1, epoch: 1, by: 1)
    observe(700, at: 2, epoch: 2, by: 1)
    observe(700, at: 3, epoch: 2, by: 2)
    observe(801, at: 4, epoch: 3, by: 1)
    observe(801, at: 5, epoch: 3, by: 2)
    observe(802, at: 6, epoch: 3, by: 1)
    #expect(ledger.days == [.init(name: "total", epoch: 1, day: 0): .init(first: 800, last: 802, time: 6)])
  }

  @Test func `is no number where the device did not say, and has no day of it`() {
    var ledger = MeterLedger()
    ledger.observe(seen(nil, at: 1), by: 1)
    #expect(ledger.current["total"]?.value == nil)
    #expect(ledger.days.isEmpty)
  }

  @Test func `is not put back by one who tells late what he read before`() {
    var ledger = MeterLedger()
    ledger.observe(seen(200, at: 50), by: 1)
    ledger.observe(seen(100, at: 40), by: 2)
    #expect(ledger.current["total"]?.value == 200)
    #expect(ledger.current["total"]?.epoch == 1)
  }

  @Test func `never counts a page on a day before one that it counted on, whatever the clock does`() {
    var ledger = MeterLedger()
    ledger.observe(seen(100, at: 1), by: 1)
    ledger.observe(seen(134, at: Self.day + 5), by: 1)
    // The clock was put right, and the counter goes on.
    ledger.observe(seen(140, at: 10), by: 1)
    ledger.observe(seen(150, at: 20), by: 1)
    #expect(ledger.days[.init(name: "total", epoch: 1, day: 0)]?.last == 100)
    #expect(ledger.days[.init(name: "total", epoch: 1, day: 1)]?.last == 150)
    #expect(ledger.current["total"]?.value == 150)
    // Another epoch is compared with nothing.
    ledger.observe(seen(3, at: 30, epoch: 2), by: 1)
    #expect(ledger.days[.init(name: "total", epoch: 2, day: 0)]?.last == 3)
  }

  @Test func `is never the same where it is lower, whatever its agent says`() {
    var ledger = MeterLedger()
    ledger.observe(seen(6_200, at: 1), by: 1)
    ledger.observe(seen(nil, at: 2), by: 1)
    ledger.observe(seen(400, at: 3), by: 1)
    #expect(ledger.current["total"]?.epoch == 2)
    #expect(ledger.days.values.allSatisfy { $0.last >= $0.first })
  }

  @Test func `goes on in its epoch when it comes back after readings that did not have it`() {
    var ledger = MeterLedger()
    ledger.observe(seen(6_200, at: 1), by: 1)
    ledger.observe(seen(100, at: 2, epoch: 2), by: 1)
    ledger.keepPresent([])
    #expect(ledger.current["total"]?.isPresent == false)
    ledger.observe(seen(400, at: Self.day, epoch: 2), by: 1)
    #expect(ledger.current["total"]?.epoch == 2 && ledger.current["total"]?.isPresent == true)
    #expect(ledger.days[.init(name: "total", epoch: 2, day: 1)]?.last == 400)
  }

  @Test func `has the pages of a rollover on the day that showed it`() {
    var ledger = MeterLedger()
    ledger.observe(seen(4_294_967_246, at: 1), by: 1)
    var around = seen(50, at: Self.day, epoch: 2)
    (around.isOpening, around.rolledOver) = (true, 100)
    ledger.observe(around, by: 1)
    ledger.observe(seen(70, at: Self.day + 1, epoch: 2), by: 1)
    #expect(ledger.days[.init(name: "total", epoch: 2, day: 1)] == .init(first: -50, last: 70, time: Self.day + 1))
  }

  @Test func `of an agent that was put back goes on where it is not lower, and begins anew where the agent saw it`() {
    var ledger = MeterLedger()
    func observe(_ value: Int64, at time: Int64, epoch: Int64, journal: Int64, isOpening: Bool = false) {
      var observation = seen(value, at: time, epoch: epoch)
      (observation.journalEpoch, observation.isOpening) = (journal, isOpening)
      ledger.observe(observation, by: 1)
    }
    observe(1_000, at: 1, epoch: 1, journal: 1)
    observe(10, at: 2, epoch: 2, journal: 1, isOpening: true)
    observe(2_000, at: Self.day, epoch: 3, journal: 1)
    // Put back to the first reading: it knows one epoch.
    observe(2_000, at: Self.day + 1, epoch: 1, journal: 2)
    #expect(ledger.current["total"]?.epoch == 3)
    observe(5, at: Self.day + 2, epoch: 2, journal: 2, isOpening: true)
    #expect(ledger.current["total"]?.epoch == 4)
    // And once more, with a board that had counted more.
    observe(90_000, at: Self.day + 3, epoch: 2, journal: 3, isOpening: true)
    #expect(ledger.current["total"]?.epoch == 5)
    #expect(ledger.days.values.reduce(0) { $0 + $1.last - $1.first } == 0)
  }

  @Test func `is one history of an agent and its copy, which tell it by turns`() {
    var ledger = MeterLedger()
    for (number, value) in [300, 310, 309, 310, 320, 319, 330].enumerated() {
      var observation = seen(Int64(value), at: Int64(number) * 1_000, epoch: 2)
      observation.journalEpoch = Int64(1 + number % 2)
      ledger.observe(observation, by: 1)
    }
    #expect(ledger.current["total"]?.epoch == 1)
    #expect(ledger.days == [.init(name: "total", epoch: 1, day: 0): .init(first: 300, last: 330, time: 6_000)])
  }

  @Test func `goes on with an install whose clock is behind`() {
    var ledger = MeterLedger()
    ledger.observe(seen(30_000, at: 30 * Self.day), by: 1)
    ledger.observe(seen(30_300, at: 29 * Self.day), by: 2)
    ledger.observe(seen(30_400, at: 29 * Self.day + 60_000), by: 2)
    #expect(ledger.current["total"]?.value == 30_400 && ledger.current["total"]?.epoch == 1)
    #expect(ledger.days.keys.map(\.day) == [30])
  }

  @Test func `has days before 1970 as well`() {
    #expect([-1, 0, Self.day - 1, -Self.day, -Self.day - 1].map(MeterLedger.day) == [-1, 0, 0, -1, -2])
  }
}

@Suite("Who leads") struct LeadershipTests {
  private func candidate(_ install: Int64, _ state: String = "read", _ last: Int64? = 0, revoked: Bool = false)
    -> Leadership.Candidate
  {
    .init(install: install, state: state, lastRead: last, isRevoked: revoked)
  }

  @Test func `stays who reads, also when another has read since`() {
    #expect(Leadership.leader(1, of: [candidate(1, "read", 0), candidate(2, "read", 1_000)]) == 1)
  }

  @Test func `is another when the leader does not reach the device, is far behind, or was revoked`() {
    let other = candidate(2, "read", 10)
    #expect(Leadership.leader(1, of: [candidate(1, "unreachable", 20), other]) == 2)
    let late = candidate(2, "read", Leadership.patienceMilliseconds + 1)
    #expect(Leadership.leader(1, of: [candidate(1, "read", 0), late]) == 2)
    #expect(Leadership.leader(1, of: [candidate(1, "read", 20, revoked: true), other]) == 2)
  }

  @Test func `is another when the hub waits for the leader in vain, and stays where the other is late too`() {
    let silent = Leadership.Candidate(install: 1, state: "read", lastRead: 20, isLate: true)
    #expect(Leadership.leader(1, of: [silent, candidate(2, "read", 10)]) == 2)
    let other = Leadership.Candidate(install: 2, state: "read", lastRead: 30, isLate: true)
    #expect(Leadership.leader(1, of: [silent, other]) == 1)
    // It comes back, and the other still reads.
    #expect(Leadership.leader(2, of: [candidate(1, "read", 40), candidate(2, "read", 30)]) == 2)
  }

  @Test func `stays when nobody else reads either`() {
    #expect(Leadership.leader(1, of: [candidate(1, "unreachable"), candidate(2, "retired")]) == 1)
    #expect(Leadership.leader(1, of: [candidate(1)]) == 1)
  }

  @Test func `is the first who sees it`() {
    #expect(Leadership.leader(nil, of: [candidate(3, "new", nil)]) == 3)
  }
}

@Suite("Two sightings") struct DeviceMatchTests {
  private func match(_ serial: String?, _ mac: String?, _ make: String? = "Kyocera") -> DeviceMatch {
    DeviceMatch(serial: serial, mac: mac, make: make)
  }

  @Test func `are one printer by serial or MAC, unless something contradicts`() {
    #expect(match("S1", nil).isSame(as: match("S1", "001122334455")))
    #expect(match(nil, "001122334455").isSame(as: match("S1", "001122334455", nil)))
    #expect(!match("S1", "001122334455").isSame(as: match("S1", "66778899aabb")), "clones of one serial")
    #expect(!match("S1", "001122334455").isSame(as: match("S2", "001122334455")))
    #expect(!match("S1", nil, "Canon").isSame(as: match("S1", nil)))
    #expect(!match(nil, nil).isSame(as: match(nil, nil)))
  }
}
