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
    printer.lifeCount = 4_000_000
    device.agent.walk = printer.walk
    let events = monitor.completed(try device.poll(.full), time: Self.now)
    #expect(!events.contains { if case .alertRaised = $0.body { true } else { false } })
    #expect(monitor.known.meters[.total]?.value == 4_000_000)
  }
}
