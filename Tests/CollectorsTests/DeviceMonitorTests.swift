import AlertRules
import Collectors
import Discovery
import Events
import MIB
import PrinterModel
import Testing

/// A printer under a monitor, with a clock of its own.
private struct Monitored {
  var printer = TestPrinter()
  var device: PolledDevice
  var monitor: DeviceMonitor
  var time: Int64 = 1_000_000

  init() throws {
    device = PolledDevice(printer)
    let id = try #require(DeviceID([UInt8](repeating: 1, count: 16)))
    monitor = DeviceMonitor(
      KnownDevice(id: id, endpoint: PolledDevice.endpoint, credential: "public", identity: DeviceIdentity()))
  }

  /// Polls as the collector would; returns what happened.
  mutating func poll(
    after minutes: Int64 = 30, thinning: Duration? = nil, offsets: [MeterOffset] = [],
    _ change: (inout TestPrinter) -> Void = { _ in }
  ) throws -> [EventBody] {
    time += minutes * 60_000
    printer.uptime += UInt32(minutes) * 6_000
    change(&printer)
    device.agent.walk = printer.walk
    let kind = monitor.nextPoll(time: time)
    let outcome = try device.poll(kind, hasActiveAlerts: !monitor.known.alerts.isEmpty)
    let events = monitor.completed(outcome, time: time, thinning: thinning, offsets: offsets)
    #expect(events.allSatisfy { $0.time == time && $0.device == monitor.known.id })
    return events.map(\.body)
  }
}

extension Monitored {
  /// Polls and compares what happened, in words.
  fileprivate mutating func expect(
    _ expected: [String], after minutes: Int64 = 30, thinning: Duration? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ change: (inout TestPrinter) -> Void = { _ in }
  ) throws {
    let happened = words(try poll(after: minutes, thinning: thinning, change))
    #expect(happened == expected, sourceLocation: sourceLocation)
  }
}

private func words(_ events: [EventBody]) -> [String] {
  events.map { event in
    switch event {
    case .readingTaken: "taken"
    case .readingChanged: "changed"
    case .readingUnchanged: "unchanged"
    case .pollFailed(let failed): "failed \(failed.reason)"
    case .alertRaised(let raised): "raised \(raised.key)"
    case .alertUpdated(let updated): "updated \(updated.key)"
    case .alertCleared(let cleared): "cleared \(cleared.key) after \(cleared.milliseconds / 60_000) min"
    case .meterOffsetSet(let set): "offset of \(set.meter) \(set.previous) to \(set.offset): \(set.reason)"
    case .deviceRetired(let retired): "retired: \(retired.evidence)"
    case .deviceReturned(let returned): "returned: \(returned.evidence)"
    case .meterLeapt(let leapt): "leapt \(leapt.meter) \(leapt.previous) to \(leapt.current): \(leapt.evidence)"
    case .meterEpochOpened(let opened): "epoch \(opened.epoch) of \(opened.meter): \(opened.evidence)"
    default: "?"
    }
  }
}

@Suite struct DeviceMonitorTests {
  @Test func `the first reading is whole and later ones tell only what differs`() throws {
    var device = try Monitored()
    try device.expect(["taken"])
    try device.expect(["unchanged"])
    let events = try device.poll { $0.lifeCount += 10 }
    guard case .readingChanged(let changed)? = events.first else {
      Issue.record("\(words(events))")
      return
    }
    #expect(changed.change.meters.changed.contains { $0.name == .total && $0.value == 12_355 })
    #expect(changed.change.supplies.isEmpty)
    #expect(changed.raw.map(\.name) == [PrinterMIB.Marker.entry.appending(4, 1, 1)])
    #expect(changed.removed.isEmpty)
    try device.expect(["unchanged"])
  }

  @Test func `thinned, readings are told at most so often, each as the difference from the last one told`() throws {
    let hour: Duration = .seconds(3_600)
    var device = try Monitored()
    try device.expect(["taken"], thinning: hour)
    try device.expect([], thinning: hour) { $0.lifeCount += 10 }
    let events = try device.poll(after: 40, thinning: hour) { $0.lifeCount += 5 }
    guard case .readingChanged(let changed)? = events.first else {
      Issue.record("\(words(events))")
      return
    }
    #expect(changed.change.meters.changed.contains { $0.name == .total && $0.value == 12_360 })
    try device.expect([], thinning: hour)
    // It is over: every poll again.
    try device.expect(["unchanged"])
    try device.expect(["unchanged"])
  }

  @Test func `thinned, all that is no reading is told as always`() throws {
    let week: Duration = .seconds(7 * 86_400)
    var device = try Monitored()
    try device.expect(["taken"], thinning: week)
    try device.expect(["raised 11.1.12"], thinning: week) {
      $0.alerts = [(11, 1, 12, "Toner low")]
      $0.alertEvents += 1
    }
    try device.expect(["cleared 11.1.12 after 30 min"], thinning: week) { $0.alerts = [] }
    // A meter that begins anew, with the reading that shows it.
    let events = words(try device.poll(thinning: week) { $0.lifeCount = 3 })
    #expect(events.contains { $0.hasPrefix("epoch 2") } && events.contains("changed"), "\(events)")
    // A whole reading that is due waits as every other does: of the day, or of another structure.
    try device.expect([], thinning: week)
    try device.expect([], after: 24 * 60, thinning: week) { $0.levels.append(55) }
    try device.expect(["taken"], after: 6 * 24 * 60, thinning: week)
  }

  @Test func `a whole reading is told once a day`() throws {
    var device = try Monitored()
    _ = try device.poll()
    try device.expect(["unchanged"], after: 23 * 60)
    try device.expect(["taken"], after: 60)
    try device.expect(["unchanged"], after: 60)
  }

  @Test func `a new supply row makes the reading whole`() throws {
    var device = try Monitored()
    _ = try device.poll()
    let events = try device.poll {
      $0.levels.append(55)
      $0.configurationChanges += 1
    }
    guard case .readingTaken(let taken)? = events.first else {
      Issue.record("\(words(events))")
      return
    }
    #expect(taken.reading.supplies.count == 6)
    #expect(taken.raw == device.printer.walk)
  }

  @Test func `changes applied one after another lead to the reading of the last poll`() throws {
    var device = try Monitored()
    guard case .readingTaken(let taken)? = try device.poll().first else { return }
    var reading = taken.reading
    var raw = taken.raw
    for step in 1...5 {
      let events = try device.poll {
        $0.lifeCount += UInt32(step)
        $0.levels[step % 5] -= 1
      }
      guard case .readingChanged(let changed)? = events.first else {
        Issue.record("\(words(events))")
        return
      }
      reading.apply(changed.change)
      for binding in changed.raw { raw.set(binding.name, binding.value) }
    }
    var last = try #require(device.monitor.reading)
    last.detectors.uptimeTicks = reading.detectors.uptimeTicks
    #expect(reading == last)
    raw.set(MIB2.sysUpTime, .timeTicks(device.printer.uptime))
    #expect(raw == device.printer.walk)
  }

  @Test func `an alert is raised, updated and cleared with its duration`() throws {
    var device = try Monitored()
    _ = try device.poll()
    try device.expect(["changed", "raised 11.1.12"]) {
      $0.alerts = [(11, 1, 12, "Toner low")]
      $0.alertEvents += 1
    }
    try device.expect(["unchanged"])
    try device.expect(["unchanged", "updated 11.1.12"]) { $0.alerts[0].text = "Toner very low" }
    try device.expect(["unchanged", "cleared 11.1.12 after 90 min"]) { $0.alerts = [] }
    try device.expect(["unchanged"])
  }

  @Test func `an error bit is an alert unless a row of the table tells the same`() throws {
    var device = try Monitored()
    _ = try device.poll()
    // Bit 5: jammed; bit 4: doorOpen.
    let events = try device.poll {
      $0.errorState = [0b0000_1100, 0]
      $0.alerts = [(13, 1, 8, "Paper jam")]
    }
    #expect(words(events) == ["changed", "raised 0.0.4", "raised 13.1.8"])
    try device.expect(["unchanged", "cleared 13.1.8 after 30 min", "raised 0.0.5"]) { $0.alerts = [] }
    try device.expect(["changed", "cleared 0.0.4 after 60 min", "cleared 0.0.5 after 30 min"]) {
      $0.errorState = [0, 0]
    }
  }

  @Test(arguments: ["Sleep mode on", "Ready", "Power Saver", "warming up"])
  func `a state of a healthy printer is no alert`(text: String) throws {
    var device = try Monitored()
    _ = try device.poll()
    try device.expect(["changed"]) {
      $0.alerts = [(5, 1, 1, text), (5, 2, 23, "anything")]
      $0.alertEvents += 1
    }
  }

  @Test(arguments: [(5, false), (4, true), (3, true)] as [(Int64, Bool)])
  func `a fuser that is cold as an event which ends warms up, and is no alert; else it is one`(
    severity: Int64, isAlert: Bool
  ) {
    var row = PrinterAlert(row: RowIndex([1, 23]))
    (row.severity, row.training, row.group, row.groupIndex, row.code) = (severity, 3, 10, 1, 1001)
    #expect(PseudoAlert.isState(row) != isAlert)
  }

  @Test func `a word that only begins like a state is an alert`() throws {
    var device = try Monitored()
    try device.expect(["taken", "raised 5.1.1"]) { $0.alerts = [(5, 1, 1, "Readying of fuser failed")] }
  }

  @Test func `rows in another order change nothing`() throws {
    var device = try Monitored()
    _ = try device.poll {
      $0.alerts = [(11, 1, 12, "Toner low"), (8, 1, 13, "Tray empty"), (11, 1, 12, "Black toner low")]
    }
    try device.expect(["unchanged"]) { $0.alerts.reverse() }
  }

  @Test func `a drop opens an epoch before the reading that shows it`() throws {
    var device = try Monitored()
    _ = try device.poll()
    let events = words(try device.poll { $0.lifeCount = 5 })
    #expect(events.first?.hasPrefix("epoch 2 of total: dropped from 12345 to 5") == true)
    #expect(events.last == "changed")
    try device.expect(["changed"]) { $0.lifeCount = 9 }
  }

  /// The epoch that a poll opened.
  private func opened(_ events: [EventBody]) throws -> MeterEpochOpened {
    guard case .meterEpochOpened(let opened)? = events.first else { throw NoEpoch(events: words(events)) }
    return opened
  }

  private struct NoEpoch: Error { var events: [String] }

  @Test(arguments: [
    (50_000, 0, 50_001, 1), (800, 700, 801, 1), (12_345, 0, 12_345, 3), (50_000, 0, 50_120, 8),
  ])
  func `a counter that comes back after wrong readings goes on, with what was printed as its volume`(
    before: UInt32, wrong: UInt32, after: UInt32, wrongReadings: Int
  ) throws {
    var device = try Monitored()
    _ = try device.poll { $0.lifeCount = before }
    let drop = try opened(try device.poll(after: 5) { $0.lifeCount = wrong })
    #expect(drop.cause == "drop" && drop.epoch == 2 && drop.continues == nil)
    for _ in 1..<wrongReadings { #expect(words(try device.poll(after: 5)) == ["unchanged"]) }
    let events = try device.poll(after: 5) { $0.lifeCount = after }
    let back = try opened(events)
    #expect(back.cause == "returned" && back.epoch == 3 && back.continues == 1 && back.volume == UInt64(after - before))
    #expect(
      back.evidence == "returned to \(after) from \(wrong), after it was \(before) in epoch 1, which goes on")
    #expect(words(events).last == "changed")
    try device.expect(["changed"]) { $0.lifeCount += 1 }
  }

  @Test func `a counter that cannot have been printed is back, also where the wrong one counted and days went by`()
    throws
  {
    var device = try Monitored()
    _ = try device.poll { $0.lifeCount = 5_000_000 }
    _ = try device.poll { $0.lifeCount = 10 }
    _ = try device.poll { $0.lifeCount = 20 }
    for _ in 1...60 { _ = try device.poll(after: 60) }
    let back = try opened(try device.poll { $0.lifeCount = 5_000_300 })
    #expect(back.cause == "returned" && back.volume == 300 && back.continues == 1)
  }

  @Test(arguments: [[0, 100, 200, 300], [0, 0, 0, 0, 0, 0, 310], [0, 400], [290, 305]] as [[UInt32]])
  func `a counter that was put back and counts on is a real one, and no page of it is lost`(counts: [UInt32]) throws {
    var device = try Monitored()
    _ = try device.poll { $0.lifeCount = 300 }
    var events: [EventBody] = []
    for count in counts { events += try device.poll { $0.lifeCount = count } }
    let epochs = events.compactMap { event in
      if case .meterEpochOpened(let opened) = event { opened.cause } else { nil }
    }
    #expect(epochs == ["drop"])
  }

  @Test(
    arguments: [
      [50_000, 90_000, 50_002], [50_000, 90_000, 90_000, 90_000, 50_003], [50_000, 90_000, 90_007, 50_001],
      [50_000, 90_000, 4, 50_002], [50_000, 4, 90_000, 50_002],
    ] as [[UInt32]])
  func `a counter that comes back after it rose by more than can be printed has counted none of that`(
    counts: [UInt32]
  ) throws {
    var device = try Monitored()
    var events: [EventBody] = []
    for count in counts { events = try device.poll(after: 5) { $0.lifeCount = count } }
    let back = try opened(events)
    let (last, wrong) = (try #require(counts.last), counts[counts.count - 2])
    #expect(back.cause == "returned" && back.continues == 1 && back.volume == UInt64(last - 50_000))
    #expect(back.evidence == "returned to \(last) from \(wrong), after it was 50000 in epoch 1, which goes on")
    try device.expect(["changed"]) { $0.lifeCount += 1 }
  }

  @Test(
    arguments: [
      [50_000, 51_000, 50_200], [50_000, 51_000, 49_999], [50_000, 90_000, 49_999], [50_000, 90_000, 60_000],
      [50_000, 90_000, 3],
    ] as [[UInt32]])
  func `a counter that falls from what can have been printed, or to another count, has dropped`(counts: [UInt32]) throws
  {
    var device = try Monitored()
    var events: [EventBody] = []
    for count in counts { events = try device.poll(after: 5) { $0.lifeCount = count } }
    let drop = try opened(events)
    #expect(drop.cause == "drop" && drop.continues == nil && drop.volume == nil)
  }

  @Test func `with another board nothing has returned`() throws {
    var device = try Monitored()
    _ = try device.poll()
    _ = try device.poll { $0.lifeCount = 0 }
    let events = try device.poll {
      $0.lifeCount = 12_350
      $0.mac = [0, 0x11, 0x22, 0x33, 0x44, 0x66]
      $0.configurationChanges += 1
    }
    #expect(!words(events).contains { $0.contains("returned") })
  }

  @Test func `a total that is answered with an error is unknown, and no other counter takes its place`() throws {
    let total: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 1347, 43, 10, 1, 1, 12, 1, 1]
    let life = PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.lifeCount, 1, 1)
    let id = try #require(DeviceID([UInt8](repeating: 1, count: 16)))
    var monitor = DeviceMonitor(
      KnownDevice(id: id, endpoint: PolledDevice.endpoint, credential: "public", identity: DeviceIdentity()))
    var (printer, time) = (TestPrinter(), Int64(0))
    printer.objectID = [1, 3, 6, 1, 4, 1, 1347, 41]
    func poll(_ pages: UInt32?, unanswered: [ObjectIdentifier] = [], step: NamesStep = .same) -> [EventBody] {
      time += 1_800_000
      var walk = printer.walk
      if let pages { walk.set(total, .counter32(pages)) }
      var poll = PollReading(
        kind: .full, walk: walk, reading: Interpretation.read(walk),
        alerts: AlertReport(rows: [], detectedErrors: nil), read: NameSet(of: walk.bindings))
      poll.unanswered = unanswered
      poll.step = step
      let outcome = PollOutcome(
        endpoint: PolledDevice.endpoint, credential: "public", cost: PollCost(), result: .reading(poll))
      return monitor.completed(outcome, time: time).map(\.body)
    }
    func meters(_ events: [EventBody]) -> [Meter] {
      if case .readingTaken(let taken)? = events.last { taken.reading.meters } else { [] }
    }
    #expect(meters(poll(12_000)).first { $0.name == .total }?.value == 12_000)
    for _ in 1...2 {
      let events = poll(nil, unanswered: [total])
      #expect(!words(events).contains { $0.hasPrefix("epoch") }, "\(words(events))")
      #expect(monitor.reading?.meters.first { $0.name == .total }?.quality == .unknown)
      #expect(monitor.reading?.meters.first { $0.source.name == life }?.name.description == "total#marker 1.1")
      #expect(monitor.reading?.findings.contains { $0.name == total && $0.message.contains("unknown") } == true)
      #expect(monitor.reading?.checks.isEmpty == true)
    }
    #expect(!words(poll(.max - 1)).contains { $0.hasPrefix("epoch") }, "-2 without its sign")
    #expect(monitor.reading?.meters.first { $0.name == .total }?.quality == .unknown)
    let back = poll(12_004)
    #expect(!words(back).contains { $0.hasPrefix("epoch") }, "\(words(back))")
    #expect(monitor.known.meters[.total]?.value == 12_004 && monitor.known.meters[.total]?.epoch == 1)
    #expect(!words(poll(nil, step: .fewer)).contains { $0.hasPrefix("epoch") }, "one poll does not settle it")
    #expect(monitor.reading?.meters.first { $0.name == .total }?.quality == .unknown)
    #expect(words(poll(nil)).contains { $0.hasPrefix("epoch 2 of total: source changed") }, "it has none")
  }

  @Test func `a counter that went around at 2 to the 32 is told as such`() throws {
    var device = try Monitored()
    _ = try device.poll { $0.lifeCount = 4_294_967_280 }
    _ = try device.poll { $0.lifeCount = 4_294_967_290 }
    let events = words(try device.poll { $0.lifeCount = 4 })
    #expect(events.first == "epoch 2 of total: rolled over at 2^32: 4294967290 to 4")
  }

  @Test func `a drop near 2 to the 32 that is too far to be printed is a drop`() throws {
    var device = try Monitored()
    _ = try device.poll { $0.lifeCount = 4_294_000_000 }
    let events = try device.poll { $0.lifeCount = 4 }
    guard case .meterEpochOpened(let opened)? = events.first else {
      Issue.record("\(words(events))")
      return
    }
    #expect(opened.cause == "drop" && opened.volume == nil)
  }

  @Test func `a rollover knows its volume`() throws {
    var device = try Monitored()
    _ = try device.poll { $0.lifeCount = 4_294_967_280 }
    _ = try device.poll { $0.lifeCount = 4_294_967_290 }
    let events = try device.poll { $0.lifeCount = 4 }
    guard case .meterEpochOpened(let opened)? = events.first else {
      Issue.record("\(words(events))")
      return
    }
    #expect(opened.cause == "rollover" && opened.volume == 10)
  }

  @Test func `a drop with another MAC is a board swap, with what changed`() throws {
    var device = try Monitored()
    _ = try device.poll()
    let events = try device.poll {
      $0.lifeCount = 100
      $0.mac = [0, 0x11, 0x22, 0x33, 0x44, 0x66]
      $0.configurationChanges += 1
    }
    guard case .meterEpochOpened(let opened)? = events.first else {
      Issue.record("\(words(events))")
      return
    }
    #expect(opened.cause == "boardSwap")
    #expect(
      opened.evidence.hasPrefix("another board: MAC 00:11:22:33:44:66 instead of 00:11:22:33:44:55")
        && opened.evidence.contains("dropped from 12345 to 100"), "\(opened.evidence)")
  }

  @Test func `a board that brings another device's count opens an epoch, and no volume is invented`() throws {
    var device = try Monitored()
    _ = try device.poll()
    let events = try device.poll {
      $0.lifeCount = 900_000
      $0.mac = [0, 0x11, 0x22, 0x33, 0x44, 0x66]
      $0.configurationChanges += 1
    }
    #expect(words(events).first?.contains("jumped from 12345 to 900000") == true, "\(words(events))")
    #expect(!words(events).contains("raised -1.0.7"), "an epoch began: there is no jump within it")
  }

  @Test func `a jump that no printer makes is an anomaly for a day`() throws {
    var device = try Monitored()
    _ = try device.poll()
    let leapt = "leapt total 12345 to 112345: rose by 100000, and at most 8500 can be printed in 30 min"
    try device.expect([leapt, "changed", "raised -1.0.7"]) { $0.lifeCount += 100_000 }
    try device.expect(["unchanged"])
    try device.expect(["taken", "cleared -1.0.7 after 1440 min"], after: 24 * 60 - 30)
  }

  @Test func `an offset is told when it is set, changed and taken away, and readings stay raw`() throws {
    var device = try Monitored()
    func offset(_ number: Int64) throws -> [MeterOffset] {
      [MeterOffset(device: try #require(DeviceSelector("VNB3K12345")), meter: .total, offset: number, reason: "board")]
    }
    #expect(words(try device.poll(offsets: try offset(500))) == ["offset of total 0 to 500: board", "taken"])
    #expect(device.monitor.known.meters[.total]?.value == 12_345)
    #expect(words(try device.poll(offsets: try offset(500))) == ["unchanged"])
    #expect(words(try device.poll(offsets: try offset(-3))) == ["offset of total 500 to -3: board", "unchanged"])
    try device.expect(["offset of total -3 to 0: taken out of the settings", "unchanged"])
  }

  @Test func `a supply that runs low and is replaced is told once each; early it is premature`() throws {
    var device = try Monitored()
    _ = try device.poll()
    try device.expect(["changed", "raised -1.4.1"]) { $0.levels[3] = 10 }
    try device.expect(["changed"]) { $0.levels[3] = 12 }
    try device.expect(["changed"]) { $0.levels[3] = 9 }
    try device.expect(["changed", "cleared -1.4.1 after 90 min", "raised -1.4.2"]) { $0.levels[3] = 100 }
    try device.expect(["changed", "raised -1.3.2", "raised -1.3.3"]) { $0.levels[2] = 100 }
    try device.expect(["unchanged"])
  }

  @Test func `a second replacement within the day ends the first one's alert and raises its own`() throws {
    var device = try Monitored()
    func toner(_ level: Int64, _ serial: String) -> (inout TestPrinter) -> Void {
      { ($0.levels[0], $0.supplyTexts[1]) = (level, "Black Toner;PN 006R01509;SN\(serial)") }
    }
    _ = try device.poll(toner(11, "CAG0001"))
    try device.expect(["changed", "raised -1.1.2", "raised -1.1.3"], toner(100, "CAG0002"))
    let told = [
      "changed", "cleared -1.1.2 after 1380 min", "cleared -1.1.3 after 1380 min", "raised -1.1.2", "raised -1.1.3",
    ]
    try device.expect(told, after: 23 * 60, toner(99, "CAG0003"))
    #expect(device.monitor.known.alerts.values.allSatisfy { $0.raised == device.time })
    try device.expect(["taken"], after: 23 * 60)
    try device.expect(["unchanged", "cleared -1.1.2 after 1440 min", "cleared -1.1.3 after 1440 min"], after: 60)
  }

  @Test
  func `a cartridge that was empty is not replaced early, though the device counts no change of its configuration`()
    throws
  {
    var device = try Monitored()
    _ = try device.poll { ($0.levels[0], $0.supplyTexts[1]) = (5, "Black Toner;PN 006R01509;SNCAG0001") }
    #expect(device.monitor.known.supplies[RowIndex([1, 1])]?.serial == "CAG0001")
    let events = try device.poll { ($0.levels[0], $0.supplyTexts[1]) = (100, "Black Toner;PN 006R01509;SNCAG0002") }
    #expect(words(events) == ["changed", "cleared -1.1.1 after 30 min", "raised -1.1.2"])
    #expect(
      events.contains {
        if case .alertRaised(let raised) = $0 { raised.evidence == "serial CAG0002 instead of CAG0001" } else { false }
      })
    try device.expect(["changed"]) { $0.levels[0] = 98 }
    try device.expect(["taken", "cleared -1.1.2 after 1440 min"], after: 24 * 60 - 30)
  }

  @Test func `a printer that was just switched on loses nothing for longer than it takes to start`() throws {
    var device = try Monitored()
    _ = try device.poll { $0.levels[3] = 9 }
    try device.expect(["unchanged"])
    #expect(device.monitor.nextPoll(time: device.time) == .light)
    try device.expect(["taken"]) { ($0.levels, $0.uptime) = ([], 10) }
    #expect(device.monitor.nextPoll(time: device.time) == .full)
    #expect(device.monitor.pause(interval: .seconds(1_800)) == .seconds(60))
    #expect(device.monitor.known.alerts.count == 1, "what was low is not filled because it is not told")
    // But for the finding of why it was read in full.
    try device.expect(["changed"], after: 1)
    #expect(device.monitor.nextPoll(time: device.time) == .full, "two agree, and the rows are not back")
    #expect(device.monitor.pause(interval: .seconds(1_800)) == .seconds(1_800))
    try device.expect(["taken", "cleared -1.4.1 after 91 min", "raised -1.4.2"]) { $0.levels = [80, 60, 40, 100, 100] }
    #expect(device.monitor.nextPoll(time: device.time) == .full, "what came has to be found twice")
    try device.expect(["unchanged"])
    #expect(device.monitor.nextPoll(time: device.time) == .light)
  }

  @Test func `rows that stay away are waited for in full polls, and not for ever`() throws {
    var device = try Monitored()
    _ = try device.poll()
    _ = try device.poll()
    _ = try device.poll { $0.levels.removeLast() }
    var full = 0
    while device.monitor.nextPoll(time: device.time) == .full, full < 100 {
      _ = try device.poll()
      full += 1
    }
    #expect(full == 24)
  }

  @Test func `a device that does not count changes of its configuration is read in full every few hours`() throws {
    var device = try Monitored()
    _ = try device.poll { $0.configurationChanges = 0 }
    _ = try device.poll()
    let later = device.time + 4 * 3_600_000
    #expect(device.monitor.nextPoll(time: later - 1) == .light && device.monitor.nextPoll(time: later) == .full)
    try device.expect(["taken"], after: 240) { $0.levels.append(50) }
    var counting = try Monitored()
    _ = try counting.poll()
    _ = try counting.poll()
    #expect(counting.monitor.nextPoll(time: counting.time + 4 * 3_600_000) == .light)
  }

  @Test func `a count that went back is told with the board that was swapped, also where nothing else says so`() throws
  {
    var device = try Monitored()
    _ = try device.poll()
    _ = try device.poll()
    let events = words(try device.poll { ($0.lifeCount, $0.mac) = (7, [0, 0x11, 0x22, 0x33, 0x44, 0x99]) })
    #expect(events.first?.contains("00:11:22:33:44:99") == true, "\(events)")
  }

  @Test func `rows that change places move levels, and replace nothing`() throws {
    var device = try Monitored()
    _ = try device.poll { $0.levels = [12, 95, 40, 20, 100] }
    try device.expect(["changed"]) {
      $0.levels = [95, 12, 40, 20, 100]
      $0.colours.swapAt(0, 1)
    }
  }

  @Test func `a level that was read wrongly once is no replacement`() throws {
    var device = try Monitored()
    _ = try device.poll()
    try device.expect(["changed", "raised -1.1.1"]) { $0.levels[0] = 0 }
    try device.expect(["changed", "cleared -1.1.1 after 30 min"]) { $0.levels[0] = 80 }
  }

  @Test func `a level that is unknown for a while clears nothing`() throws {
    var device = try Monitored()
    _ = try device.poll { $0.levels[0] = 5 }
    #expect(device.monitor.known.alerts.count == 1)
    try device.expect(["changed"]) { $0.levels[0] = -2 }
    try device.expect(["changed"]) { $0.levels[0] = 5 }
  }

  @Test func `every bit of the error state is an alert of its own`() throws {
    var device = try Monitored()
    _ = try device.poll()
    let events = words(try device.poll { $0.errorState = [0xff, 0xfe] })
    #expect(events.filter { $0.hasPrefix("raised") } == (0...14).map { "raised 0.0.\($0)" })
    #expect(words(try device.poll { $0.errorState = [0b0000_0100] }).filter { $0.hasPrefix("cleared") }.count == 14)
  }

  @Test func `an alert that flaps is damped: few records, then one long alert`() throws {
    var device = try Monitored()
    _ = try device.poll()
    var told = 0
    for round in 0..<96 {
      let events = words(try device.poll { $0.errorState = [round % 2 == 0 ? 0b0000_1000 : 0] })
      told += events.count { $0.hasPrefix("raised") || $0.hasPrefix("cleared") }
    }
    // Undamped it would be 96.
    #expect(told <= 10, "\(told)")
    #expect(device.monitor.known.alerts.count == 1)
    // Calm for two hours: over.
    var cleared = 0
    for _ in 0..<8 { cleared += words(try device.poll()).count { $0.hasPrefix("cleared") } }
    #expect(cleared == 1 && device.monitor.known.alerts.isEmpty)
  }

  @Test func `a device that sleeps every other poll tells nothing but its first silence`() throws {
    var device = try Monitored()
    _ = try device.poll()
    var alerts = 0
    for round in 0..<96 {
      device.device.agent.answersMax = round % 2 == 0 ? 0 : .max
      alerts += words(try device.poll()).count { $0.hasPrefix("raised") }
    }
    #expect(alerts == 0)
  }

  @Test func `a device unread for six weeks is retired without alerts, and returns with its evidence`() throws {
    var device = try Monitored()
    _ = try device.poll { $0.alerts = [(11, 1, 12, "Toner low")] }
    device.time += 42 * 86_400_000
    #expect(
      words(device.monitor.retire(time: device.time).map(\.body)) == [
        "cleared 11.1.12 after 60480 min", "retired: not read for 42 days",
      ])
    #expect(device.monitor.known.isRetired && device.monitor.known.meters[.total]?.value == 12_345, "not deleted")
    let back = device.monitor.comeBack(at: PolledDevice.endpoint, evidence: "serial VNB3K12345", time: device.time)
    #expect(words(back.map(\.body)) == ["returned: read again after 42 days, known by serial VNB3K12345"])
    #expect(device.monitor.comeBack(at: PolledDevice.endpoint, evidence: "", time: device.time).isEmpty)
  }

  @Test func `a total from another object is another epoch`() throws {
    var device = try Monitored()
    _ = try device.poll()
    let total = try #require(device.monitor.known.meters[.total])
    var known = device.monitor.known
    known.meters[.total] = MeterState(value: 1, epoch: 4, source: [1, 3, 6, 1, 4, 1, 5], unit: total.unit)
    device.monitor = DeviceMonitor(known)
    let events = words(try device.poll())
    #expect(events.first?.hasPrefix("epoch 5 of total: source changed from 1.3.6.1.4.1.5 to") == true)
  }

  @Test func `after a restart of the service nothing known is told twice but the reading`() throws {
    var device = try Monitored()
    _ = try device.poll { $0.alerts = [(11, 1, 12, "Toner low")] }
    device.monitor = DeviceMonitor(device.monitor.known)
    try device.expect(["taken"])
    device.monitor = DeviceMonitor(device.monitor.known)
    try device.expect(["taken", "cleared 11.1.12 after 60 min"]) { $0.alerts = [] }
  }

  @Test func `a silent device is told of once and then ever more rarely`() throws {
    var device = try Monitored()
    _ = try device.poll()
    device.device.agent.answersMax = 0
    var told: [Int] = []
    for minute in stride(from: 0, to: 72 * 60, by: 30) {
      let events = words(try device.poll())
      if events.contains(where: { $0.hasPrefix("failed") }) { told.append(minute) }
      #expect(events.contains("raised -1.0.6") == (minute == 24 * 60), "unreachable after a day, once")
    }
    #expect(told == [0, 60, 4 * 60, 24 * 60, 48 * 60])
    #expect(device.monitor.reachability.pause(interval: .seconds(300)) == .seconds(3_600))
    device.device.agent.answersMax = .max
    try device.expect(["taken", "cleared -1.0.6 after 2880 min"])
    #expect(device.monitor.reachability.pause(interval: .seconds(300)) == .seconds(300))
  }

  @Test func `a device that dies in mid-poll drops no supply, clears no alert and dates no old count anew`() throws {
    var device = try Monitored()
    _ = try device.poll { $0.alerts = [(11, 1, 12, "Toner low")] }
    let before = device.monitor
    device.time += 25 * 3_600_000
    device.device.agent.answersMax = device.device.agent.requests + 2
    let events = try device.poll { $0.alerts = [] }
    #expect(words(events) == ["failed timeout"])
    #expect(device.monitor.reading == before.reading)
    #expect(device.monitor.known.alerts == before.known.alerts)
    #expect(device.monitor.known.meters == before.known.meters)
  }

  @Test func `an interrupted poll that has every counter counts and says what was not read`() throws {
    var device = try Monitored()
    _ = try device.poll { $0.alerts = [(11, 1, 12, "Toner low")] }
    let supplies = device.monitor.reading?.supplies
    device.time += 25 * 3_600_000
    // Silent as soon as the supplies are asked for: the counters come before them, as the smaller table.
    var driver = MachineDriver(PollMachine(.full, memory: device.device.memory, hasActiveAlerts: true, profiles: .none))
    device.printer.lifeCount += 10
    device.device.agent.walk = device.printer.walk
    var agent = device.device.agent
    var isDead = false
    let transcript = try driver.run { _, datagram in
      guard !isDead else { return nil }
      let count = agent.names.count
      let reply = agent.answer(datagram)
      isDead = agent.names[count...].contains { $0.isWithin(PrinterMIB.Supplies.entry) }
      return isDead ? nil : reply
    }
    let (outcome, _) = transcript.interpreted(endpoint: PolledDevice.endpoint, credential: "public", profiles: .none)
    let events = device.monitor.completed(outcome, time: device.time).map(\.body)
    guard case .readingChanged(let changed)? = events.first, events.count == 1 else {
      Issue.record("\(words(events))")
      return
    }
    #expect(changed.change.meters.changed.map(\.value).contains(12_355))
    #expect(changed.change.supplies.isEmpty)
    #expect(changed.removed.isEmpty)
    #expect(changed.change.findings?.last?.message.contains("interrupted after") == true)
    #expect(device.monitor.reading?.supplies == supplies)
    #expect(device.monitor.nextPoll(time: device.time) == .full, "the rest is read as soon as possible")
  }
}
