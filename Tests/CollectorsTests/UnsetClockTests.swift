import Collectors
import Events
import PrinterModel
import Testing

@Suite struct `A clock that is set, and who is retired` {
  private static let day: Int64 = 86_400_000
  private static let sixWeeks: Duration = .seconds(42 * 86_400)
  /// In 2026.
  private static let now: Int64 = 1_790_000_000_000

  /// A device that was read, and the agent's failed polls of it.
  private struct Silent {
    var monitor: DeviceMonitor
    var time: Int64

    init(_ known: KnownDevice? = nil, time: Int64) throws {
      let id = try #require(DeviceID([UInt8](repeating: 1, count: 16)))
      var device = KnownDevice(
        id: id, endpoint: PolledDevice.endpoint, credential: "public", identity: DeviceIdentity())
      device.lastRead = time
      monitor = DeviceMonitor(known ?? device)
      self.time = time
    }

    mutating func fail(after milliseconds: Int64) -> [Event] {
      time += milliseconds
      let outcome = PollOutcome(
        endpoint: PolledDevice.endpoint, credential: "public", cost: PollCost(),
        result: .failed(PollFailure(.timeout, "no answer")))
      return monitor.completed(outcome, time: time)
    }

    var isToRetire: Bool { monitor.isToRetire(after: sixWeeks, time: time) }
  }

  @Test func `a device is retired after six weeks of which it was asked on each day`() throws {
    var device = try Silent(time: Self.now)
    for _ in 1...41 { _ = device.fail(after: Self.day) }
    #expect(!device.isToRetire)
    _ = device.fail(after: Self.day)
    #expect(device.isToRetire)
  }

  @Test(arguments: [[42], [20, 23], [1, 1, 1, 60]] as [[Int64]])
  func `a clock that is set forward, or an agent that was away, retires nobody`(days: [Int64]) throws {
    var device = try Silent(time: Self.now)
    for days in days { _ = device.fail(after: days * Self.day) }
    #expect(!device.isToRetire)
  }

  @Test func `a clock that goes from 1970 to today makes nothing last for half a century`() throws {
    var device = try Silent(time: 1_000_000)
    var known = device.monitor.known
    let key = AlertKey(group: 8, groupIndex: 1, code: 13)
    known.alerts[key] = ActiveAlert(alert: PrinterAlert(row: RowIndex([1, 1])), raised: 1_000_000)
    device = try Silent(known, time: 1_000_000)
    #expect(!device.monitor.isToRetire(after: Self.sixWeeks, time: Self.now), "before it is asked again")
    _ = device.fail(after: Self.now)
    #expect(!device.isToRetire && device.monitor.known.lastRead == device.time)
    let cleared = device.monitor.end(time: device.time + 60_000).compactMap {
      if case .alertCleared(let cleared) = $0.body { cleared.milliseconds } else { nil }
    }
    #expect(cleared == [60_000])
    // From here on it is six weeks.
    for _ in 1...42 { _ = device.fail(after: Self.day) }
    #expect(device.isToRetire)
  }

  private func daysTold(_ events: [Event]) -> UInt32? {
    if case .pollFailed(let failed)? = events.first?.body { failed.daysAsked } else { nil }
  }

  @Test func `the days are counted on over a restart of the agent`() throws {
    var device = try Silent(time: Self.now)
    var told: UInt32?
    for _ in 1...30 { told = daysTold(device.fail(after: Self.day)) ?? told }
    #expect(told == 30)
    var known = device.monitor.known
    (known.daysAsked, known.silentSince) = (30, device.time)
    device = try Silent(known, time: device.time)
    #expect(daysTold(device.fail(after: 60_000)) == 30, "the same day")
    for _ in 1...11 { _ = device.fail(after: Self.day) }
    #expect(!device.isToRetire)
    _ = device.fail(after: Self.day)
    #expect(device.isToRetire)
  }

  @Test func `what is known of a meter from before the clock was set says nothing of how fast it counted`() throws {
    var printer = TestPrinter()
    var device = PolledDevice(printer)
    let id = try #require(DeviceID([UInt8](repeating: 1, count: 16)))
    var monitor = DeviceMonitor(
      KnownDevice(id: id, endpoint: PolledDevice.endpoint, credential: "public", identity: DeviceIdentity()))
    _ = monitor.completed(try device.poll(.full), time: 1_000_000)
    let before = try #require(monitor.known.meters[.total]?.value)
    // In the half century since 1970 as many could have been printed; nobody knows in how long they were.
    printer.lifeCount = 3_000_000_000
    device.agent.walk = printer.walk
    let events = monitor.completed(try device.poll(.full), time: Self.now)
    #expect(!events.contains { if case .alertRaised = $0.body { true } else { false } })
    let all = events.compactMap { if case .meterLeapt(let leapt) = $0.body { leapt } else { nil } }
    let leapt = all.filter { $0.meter == .total }
    #expect(leapt.map(\.previous) == [before] && leapt.map(\.current) == [3_000_000_000])
    printer.lifeCount = UInt32(before) + 1
    device.agent.walk = printer.walk
    let back = monitor.completed(try device.poll(.full), time: Self.now + 1_800_000)
    let returned = back.compactMap { if case .meterEpochOpened(let opened) = $0.body { opened } else { nil } }
    #expect(returned.first { $0.meter == .total }?.volume == 1)
  }

  @Test func `a device without an address is retired after six weeks in which it was found nowhere`() throws {
    func displaced(_ days: UInt32 = 0) throws -> Silent {
      let id = try #require(DeviceID([UInt8](repeating: 1, count: 16)))
      var device = KnownDevice(id: id, endpoint: nil, credential: "public", identity: DeviceIdentity())
      device.lastRead = Self.now
      device.daysAsked = days
      return try Silent(device, time: Self.now)
    }
    var jumped = try displaced()
    #expect(daysTold(jumped.monitor.missed(time: Self.now + 60 * Self.day)) == 1)
    jumped.time = Self.now + 60 * Self.day
    #expect(!jumped.isToRetire, "the clock was set forward")
    jumped.time += Self.day
    #expect(daysTold(jumped.monitor.missed(time: jumped.time)) == 2 && !jumped.isToRetire)
    var device = try displaced()
    for day in 1...41 { _ = device.monitor.missed(time: Self.now + Int64(day) * Self.day) }
    device.time = Self.now + 42 * Self.day
    #expect(!device.isToRetire)
    _ = device.monitor.missed(time: device.time)
    #expect(device.isToRetire)
    _ = device.monitor.retire(time: device.time)
    #expect(device.monitor.missed(time: device.time + Self.day).isEmpty, "a retired one is not missed")
    var restarted = try displaced(41)
    restarted.time = Self.now + 42 * Self.day
    #expect(!restarted.isToRetire)
    _ = restarted.monitor.missed(time: restarted.time)
    #expect(restarted.isToRetire, "the days are counted on over a restart")
    #expect(try Silent(time: Self.now).monitor.known.endpoint != nil)
    var placed = try Silent(time: Self.now)
    #expect(placed.monitor.missed(time: Self.now + Self.day).isEmpty, "who has an address is asked there")
  }
}
