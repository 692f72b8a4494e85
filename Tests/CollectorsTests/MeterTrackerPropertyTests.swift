import AlertRules
import Collectors
import Events
import MIB
import PrinterModel
import Testing

/// SplitMix64: the same numbers for the same seed on every machine.
private struct Chance: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// A printer with a 32-bit counter, read now and then, whose board is sometimes changed.
private struct CountingPrinter {
  var counter: UInt64
  var printed: UInt64 = 0
  /// Printed in steps over which nobody can know the volume.
  var unknowable: UInt64 = 0
  var minutesMax = 600
  var chance: Chance

  init(seed: UInt64) {
    chance = Chance(seed: seed)
    counter =
      Bool.random(using: &chance)
      ? (1 << 32) - .random(in: 1...200_000, using: &chance) : .random(in: 0...500_000, using: &chance)
  }

  /// One step between two readings: time passes, pages are printed, and sometimes the board is another one.
  mutating func step() -> (elapsed: Duration, isSwapped: Bool) {
    let before = counter
    let minutes = Int.random(in: 5...minutesMax, using: &chance)
    let pages = UInt64.random(in: 0...UInt64(minutes) * 100, using: &chance)
    printed += pages
    counter = (counter + pages) % (1 << 32)
    let isSwapped = Int.random(in: 0..<12, using: &chance) == 0
    if isSwapped {
      unknowable += pages
      // Below, or above what could be printed: another count is not noticed, and cannot be.
      let goesBack = before > 1 && (Bool.random(using: &chance) || before > 1 << 31)
      counter = goesBack ? before / 2 : before + 5_000_000
    }
    return (.seconds(minutes * 60), isSwapped)
  }
}

@Suite struct `Meter epochs by chance` {
  private func meter(_ value: UInt64) -> Meter {
    Meter(
      name: .total, value: value, unit: .impressions,
      source: Source([1, 3, 6, 1, 2, 1, 43, 10, 2, 1, 4, 1, 1], .counter32(UInt32(truncatingIfNeeded: value))),
      rule: Rule("rfc3805/marker-life-count@1"))
  }

  @Test(arguments: 1...200 as ClosedRange<UInt64>)
  func `no volume is negative, and the volumes add up to what was printed`(seed: UInt64) throws {
    var printer = CountingPrinter(seed: seed)
    var states: SortedTable<MeterName, MeterState> = [:]
    // A rollover needs a history.
    for _ in 1...2 { #expect(MeterTracker.update(&states, with: [meter(printer.counter)]).isEmpty) }
    var sum: UInt64 = 0
    for _ in 0..<120 {
      let before = try #require(states[.total])
      let (elapsed, isSwapped) = printer.step()
      var context = MeterContext()
      context.elapsed = elapsed
      if isSwapped {
        context.board.changes = ["MAC b instead of a"]
        context.board.isOfIdentity = true
      }
      let opened = MeterTracker.update(&states, with: [meter(printer.counter)], context)
      let after = try #require(states[.total])
      #expect(opened.count == Int(after.epoch - before.epoch), "each epoch is an event, seed \(seed)")
      for event in opened {
        #expect(!event.evidence.isEmpty && MeterEpochOpened.Cause(rawValue: event.cause) != nil)
        sum += event.volume ?? 0
      }
      if isSwapped { #expect(opened.map(\.cause) == ["boardSwap"], "seed \(seed)") }
      guard opened.isEmpty else { continue }
      #expect(after.value >= before.value, "seed \(seed)")
      sum += after.value - before.value
    }
    #expect(sum == printer.printed - printer.unknowable, "seed \(seed)")
  }
}

@Suite struct `Wrong readings by chance` {
  @Test(arguments: 1...200 as ClosedRange<UInt64>)
  func `add nothing to what was printed, and take nothing away`(seed: UInt64) throws {
    var chance = Chance(seed: seed)
    var counter = UInt64.random(in: 100_000...2_000_000, using: &chance)
    let first = counter
    var states: SortedTable<MeterName, MeterState> = [:]
    var context = MeterContext()
    func read(_ value: UInt64) -> [MeterEpochOpened] {
      let meter = Meter(
        name: .total, value: value, unit: .impressions, source: Source([1, 3], .counter32(UInt32(value))),
        rule: Rule("t@1"))
      return MeterTracker.update(&states, with: [meter], context)
    }
    // As the books of a reader have it: for each epoch the first and last value, of which what counted nothing is struck out.
    var books: [UInt32: ClosedRange<UInt64>] = [:]
    func note(_ value: UInt64) throws {
      let opened = read(value)
      let epoch = try #require(states[.total]).epoch
      guard let back = opened.first, let continues = back.continues, let volume = back.volume else {
        books[epoch] = (books[epoch]?.lowerBound ?? value)...value
        return
      }
      let former = try #require(books[continues])
      #expect(former.contains(value - volume))
      books = books.filter { $0.key < continues }
      books[epoch] = former.lowerBound...value
    }
    try note(counter)
    for _ in 0..<80 {
      context.elapsed = .seconds(Int.random(in: 60...1_800, using: &chance))
      counter += UInt64.random(in: 0...20, using: &chance)
      switch Int.random(in: 0..<10, using: &chance) {
      case 0: try note(.random(in: 0...9, using: &chance))
      case 1: try note(counter + .random(in: 500_000...900_000, using: &chance))
      default: try note(counter)
      }
    }
    context.elapsed = .seconds(60)
    try note(counter)
    #expect(books.values.map { $0.upperBound - $0.lowerBound }.reduce(0, +) == counter - first, "seed \(seed)")
  }
}

@Suite struct `Flap damping by chance` {
  private static let key = AlertKey(group: 8, groupIndex: 1, code: 13)

  private func report(_ isThere: Bool) -> AlertReport {
    var row = PrinterAlert(row: RowIndex([1, 1]))
    (row.severity, row.group, row.groupIndex, row.code) = (3, 8, 1, 13)
    row.description = DeviceText("Tray 1 empty")
    return AlertReport(rows: isThere ? [row] : [], detectedErrors: nil)
  }

  @Test(arguments: 1...100 as ClosedRange<UInt64>)
  func `whatever comes and goes, alerts are raised and cleared in turn, few in a day, and gone after calm`(seed: UInt64)
    throws
  {
    var chance = Chance(seed: seed)
    let id = try #require(DeviceID([UInt8](repeating: 1, count: 16)))
    var known = KnownDevice(id: id, endpoint: nil, credential: "public", identity: DeviceIdentity())
    var (time, isRaised) = (Int64(0), false)
    var raisings: [Int64] = []
    func take(_ events: [EventBody]) {
      for event in events {
        switch event {
        case .alertRaised:
          #expect(!isRaised, "seed \(seed)")
          isRaised = true
          raisings.append(time)
        case .alertCleared(let cleared):
          #expect(isRaised && cleared.milliseconds == UInt64(time - (raisings.last ?? 0)), "seed \(seed)")
          isRaised = false
        default: Issue.record("seed \(seed): \(event)")
        }
      }
    }
    let share = Int.random(in: 1...99, using: &chance)
    for _ in 0..<2_000 {
      time += Int64.random(in: 60_000...3_600_000, using: &chance)
      let isThere = Int.random(in: 0..<100, using: &chance) < share
      take(AlertTracker.update(&known, with: report(isThere), time: time))
      if isThere { #expect(isRaised, "what is there is raised, seed \(seed)") }
    }
    for (index, first) in raisings.enumerated() {
      // Undamped it comes and goes up to 24 times a day with these polls.
      #expect(raisings[index...].count { $0 < first + 86_400_000 } <= 16, "seed \(seed)")
    }
    for _ in 0..<4 {
      time += 3_600_000
      take(AlertTracker.update(&known, with: report(false), time: time))
    }
    #expect(!isRaised && known.alerts.isEmpty, "seed \(seed)")
  }
}
