import Collectors
import Events
import MIB
import PrinterModel
import Testing

/// The total of one device, read each half hour.
private struct ReadTotal {
  private(set) var states: SortedTable<MeterName, MeterState> = [:]

  /// - Returns: the epoch that this reading opens.
  mutating func read(
    _ value: UInt64, unit: CounterUnit = .impressions, of object: ObjectIdentifier = [1, 3],
    _ change: (inout MeterContext) -> Void = { _ in }
  ) -> MeterEpochOpened? {
    var context = MeterContext()
    context.elapsed = .seconds(1_800)
    change(&context)
    let meter = Meter(
      name: .total, value: value, unit: unit, source: Source(object, .counter32(UInt32(truncatingIfNeeded: value))),
      rule: Rule("t@1"))
    return MeterTracker.update(&states, with: [meter], context).first
  }

  /// - Returns: the epoch that the last of these readings opens.
  mutating func read(each values: [UInt64]) -> MeterEpochOpened? { values.map { read($0) }.last ?? nil }
}

@Suite struct `Counts that leap and come back` {
  @Test(
    arguments: [
      [1_000, 5_000_000, 1_001], [1_000, 5_000_000, 5_000_000, 1_001], [1_000, 4_294_967_000, 1_001],
      [1_000, 3_000, 1_001], [1_000, 3_000, 3_000, 1_001], [800, 0, 801], [800, 0, 6, 806], [800, 0, 6, 9, 811],
    ] as [[UInt64]])
  func `go on where they were, with what was printed as their volume`(values: [UInt64]) throws {
    var total = ReadTotal()
    let opened = total.read(each: values)
    let (back, first, last) = (try #require(opened), try #require(values.first), try #require(values.last))
    #expect(back.cause == "returned" && back.continues == 1 && back.volume == last - first, "\(back)")
    let next = total.read(last + 1)
    #expect(next == nil)
  }

  @Test(
    arguments: [
      // Put back, and counting on: what is there is neither the former count nor that and what was counted since.
      [800, 0, 6, 800], [800, 0, 6, 850], [800, 0, 6, 900], [800, 0, 300, 800],
      // Fallen to another count than before the rise.
      [1_000, 3_000, 1_300], [1_000, 3_000, 999], [0, 300, 0],
    ] as [[UInt64]])
  func `are not back where the count is another`(values: [UInt64]) {
    var total = ReadTotal()
    let causes = values.compactMap { total.read($0)?.cause }
    #expect(causes == ["drop"])
  }

  @Test func `are back after days in which an old count was there, and hardly moved`() {
    let day: Duration = .seconds(86_400)
    var total = ReadTotal()
    for value in [100_000, 50_000, 50_100, 50_200] as [UInt64] { _ = total.read(value) { $0.elapsed = day } }
    let back = total.read(100_350) { $0.elapsed = day }
    #expect(back?.cause == "returned" && back?.continues == 1 && back?.volume == 350)
    let ends =
      [
        (5_000, 5_003, "returned"), (5_000, 5_200, "returned"), (5_000, 5_700, nil), (500, 503, "returned"),
        (500, 520, nil),
      ] as [(UInt64, UInt64, String?)]
    for (former, last, cause) in ends {
      var still = ReadTotal()
      for value in [former, 0, 0, 0] { _ = still.read(value) { $0.elapsed = day } }
      #expect(still.read(last) { $0.elapsed = day }?.cause == cause, "\(former), days of zeros, then \(last)")
    }
    var swapped = ReadTotal()
    let causes = ([500, 0, 300, 800, 1_300] as [UInt64]).compactMap { swapped.read($0) { $0.elapsed = day }?.cause }
    #expect(causes == ["drop"], "a real board that passes the former count")
  }

  @Test func `fell for good where the device was started and had not written down a job`() {
    for (risen, cause) in [(1_300, "drop"), (3_000, "returned")] as [(UInt64, String)] {
      var total = ReadTotal()
      _ = total.read(each: [1_000, risen])
      let fall = total.read(1_001) { $0.isUpForLess = true }
      #expect(fall?.cause == cause, "\(risen)")
    }
  }

  @Test func `are back after a zero while the firmware was changed, which makes no other board`() {
    var total = ReadTotal()
    _ = total.read(50_000)
    let drop = total.read(0) { $0.board.changes = ["firmware 2018 instead of 2017"] }
    #expect(drop?.cause == "drop" && drop?.evidence == "dropped from 50000 to 0; firmware 2018 instead of 2017")
    let back = total.read(50_001) { $0.board.changes = ["firmware 2017 instead of 2018"] }
    #expect(back?.cause == "returned" && back?.continues == 1 && back?.volume == 1)
  }

  @Test func `are back where the former board is put back and nobody sees it`() {
    var total = ReadTotal()
    _ = total.read(70_000)
    let swap = total.read(12) { change in
      change.board.changes = ["MAC b instead of a"]
      change.board.isOfIdentity = true
    }
    let printed = total.read(15)
    let back = total.read(70_001)
    #expect(swap?.cause == "boardSwap" && printed == nil)
    #expect(back?.cause == "returned" && back?.continues == 1 && back?.volume == 1)
    var other = ReadTotal()
    _ = other.read(1_000)
    _ = other.read(500) { $0.board.isOfIdentity = true }
    let counted = other.read(1_010)
    #expect(counted == nil, "what a board can have counted itself it has counted")
  }

  @Test func `go on when the object or the unit is read again that was read before`() {
    var total = ReadTotal()
    let (first, second): (ObjectIdentifier, ObjectIdentifier) = ([1, 3, 1], [1, 3, 2])
    var opened = [(1_000, first), (1_110, second), (1_115, second), (1_030, first), (1_040, first)].map {
      (value: UInt64, object: ObjectIdentifier) in total.read(value, of: object)
    }
    #expect(opened.map { $0?.cause } == [nil, "source", nil, "returned", nil])
    #expect(opened[3]?.continues == 1 && opened[3]?.volume == 30)
    opened = [(1_040, .impressions), (530, .sheets), (1_060, .impressions)].map {
      (value: UInt64, unit: CounterUnit) in total.read(value, unit: unit, of: first)
    }
    #expect(opened.map { $0?.cause } == [nil, "unit", "returned"])
    #expect(opened[2]?.continues == 3 && opened[2]?.volume == 20)
    opened = [(700, second), (900, first), (20_000, second)].map {
      (value: UInt64, object: ObjectIdentifier) in total.read(value, of: object)
    }
    #expect(
      opened.map { $0?.cause } == ["source", "source", "source"], "below what it was, or beyond what can be printed")
  }

  @Test func `went around at 2 to the 32 only with a history there`() {
    var total = ReadTotal()
    _ = total.read(each: [4_294_967_200, 4_294_967_290])
    let around = total.read(5)
    #expect(around?.cause == "rollover" && around?.volume == 11)
    for values in [[4_294_967_290], [1_000, 4_294_967_290]] as [[UInt64]] {
      var total = ReadTotal()
      _ = total.read(each: values)
      let drop = total.read(5)
      #expect(drop?.cause == "drop" && drop?.volume == nil, "\(values)")
    }
  }

  @Test func `of other units need a history there as well`() {
    for (values, cause) in [
      ([4_294_000_000, 4_294_900_000], "rollover"), ([4_294_900_000], "drop"), ([70_000, 4_294_900_000], "drop"),
    ] as [([UInt64], String)] {
      var total = ReadTotal()
      for value in values { _ = total.read(value, unit: .characters) }
      let fall = total.read(900, unit: .characters)
      #expect(fall?.cause == cause, "\(values)")
    }
  }

  @Test func `are back from a zero just below 2 to the 32`() {
    var total = ReadTotal()
    _ = total.read(each: [4_294_967_280, 4_294_967_290, 0])
    let back = total.read(4_294_967_291)
    #expect(back?.cause == "returned" && back?.continues == 1 && back?.volume == 1)
  }

  @Test(arguments: [CounterUnit.unknown, .other])
  func `go on while the unit is not told`(untold: CounterUnit) {
    var total = ReadTotal()
    _ = total.read(1_000, unit: .impressions)
    let without = total.read(1_010, unit: untold)
    #expect(without == nil && total.states[.total]?.unit == .impressions)
    let again = total.read(1_020, unit: .impressions)
    let other = total.read(1_030, unit: .sheets)
    #expect(again == nil && other?.cause == "unit")
    var late = ReadTotal()
    _ = late.read(1_000, unit: untold)
    let told = late.read(1_010, unit: .sheets)
    #expect(told == nil && late.states[.total]?.unit == .sheets)
  }
}

@Suite struct `Units that a poll does not tell` {
  private let life = PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.lifeCount, 1)
  private let unit = PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.counterUnit, 1)

  /// One poll of a printer with these counts and units, by marker.
  private func poll(_ monitor: inout DeviceMonitor, _ markers: [(count: UInt32, unit: Int64?)], time: Int64) -> [Event]
  {
    var walk = TestPrinter().walk
    for (index, marker) in markers.enumerated() {
      let row = UInt32(index + 1)
      walk.set(life.appending(row), .counter32(marker.count))
      if let code = marker.unit { walk.set(unit.appending(row), .integer(code)) }
    }
    let bindings = walk.bindings.filter { binding in
      !markers.indices.contains { markers[$0].unit == nil && binding.name == unit.appending(UInt32($0 + 1)) }
    }
    walk = Walk()
    for binding in bindings { walk.set(binding.name, binding.value) }
    let poll = PollReading(
      kind: .full, walk: walk, reading: Interpretation.read(walk), alerts: AlertReport(rows: [], detectedErrors: nil),
      read: NameSet(of: walk.bindings))
    let outcome = PollOutcome(
      endpoint: PolledDevice.endpoint, credential: "public", cost: PollCost(), result: .reading(poll))
    return monitor.completed(outcome, time: time)
  }

  private func monitor() throws -> DeviceMonitor {
    let id = try #require(DeviceID([UInt8](repeating: 1, count: 16)))
    return DeviceMonitor(
      KnownDevice(id: id, endpoint: PolledDevice.endpoint, credential: "public", identity: DeviceIdentity()))
  }

  private func epochs(_ events: [Event]) -> [MeterEpochOpened] {
    events.compactMap { if case .meterEpochOpened(let opened) = $0.body { opened } else { nil } }
  }

  @Test(arguments: [nil, 2, 1] as [Int64?])
  func `are those of before, with a finding, and no page is lost`(untold: Int64?) throws {
    var monitor = try monitor()
    var events: [Event] = []
    for (index, code) in [7, untold, 7, 7].enumerated() {
      events += poll(&monitor, [(1_000 + UInt32(index) * 10, code)], time: Int64(index + 1) * 1_800_000)
      let total = monitor.reading?.meters.first { $0.name == .total }
      #expect(total?.unit == .impressions && total?.value == 1_000 + UInt64(index) * 10)
      let finding = monitor.reading?.findings.first { $0.message.contains("keeps the one before: impressions") }
      #expect((finding != nil) == (index == 1))
      #expect(monitor.reading?.findings.contains { $0.message == Interpretation.noCounterUnit } == false)
    }
    #expect(epochs(events).isEmpty && monitor.known.meters[.total]?.epoch == 1)
  }

  @Test func `leave the total where it was, of two markers`() throws {
    var monitor = try monitor()
    var events = poll(&monitor, [(1_000, 7), (510, 8)], time: 1_800_000)
    #expect(monitor.reading?.meters.first { $0.name == .total }?.value == 1_000)
    events += poll(&monitor, [(1_010, nil), (515, 8)], time: 3_600_000)
    let total = monitor.reading?.meters.first { $0.name == .total }
    #expect(total?.value == 1_010 && total?.unit == .impressions)
    #expect(monitor.reading?.meters.count { $0.name == .total } == 1)
    events += poll(&monitor, [(1_020, 7), (520, 8)], time: 5_400_000)
    #expect(monitor.reading?.meters.first { $0.name == .total }?.value == 1_020)
    #expect(epochs(events).isEmpty)
  }

  @Test func `begin another epoch where the device tells another one`() throws {
    var monitor = try monitor()
    _ = poll(&monitor, [(1_000, 7)], time: 1_800_000)
    let events = poll(&monitor, [(1_010, 8)], time: 3_600_000)
    #expect(epochs(events).map(\.cause) == ["unit"])
  }
}
