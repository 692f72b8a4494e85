// Meters over time. A volume is a difference of two readings of one epoch, and this file decides where an epoch ends: when a counter
// dropped, rolled over, changed its source or its unit, came back after a wrong reading, or jumped with another board. Each end is an event
// with its cause and its evidence, so that a volume is never negative and never invented.
//
//     another source, another unit                                     -> source, unit
//     below the value before, of 32 bits, and what it would have
//       counted around 2^32 is what the device can print in the time   -> rollover, whose volume is known
//     below it, and serial number, MAC or firmware changed with it     -> boardSwap
//     below it                                                         -> drop
//     above what can be printed, and serial number or MAC changed      -> boardSwap
//     back at the value before a leap, or a little above it            -> returned
//
// A leap is a drop, or a rise by more than can have been printed: one of the two readings around it was wrong. Which one, the return tells. The count
// is at least what it was before the leap, above it by no more than can have been printed since, nothing of the board has changed, and
//
//     after either:  it has risen by more than can be printed
//     after a drop:  the drop is not long ago, the meter has not moved since, and it is ten times nearer to the former count than to the last
//     after a rise:  it has fallen, the leap is not long ago or the meter has not moved since, and it is ten times nearer to the former count
//
// Then the former epoch goes on (`continues`): its volume is what was counted since its value before the leap, and what was read in between is in no
// volume. Where that cannot be told, the drop stands. A drop is in the journal and known after a restart of the agent; a rise is not.
//
// A board whose count happens to be a little above the former one's is not noticed by its count.

internal import AlertRules
package import Events
internal import MIB
package import PrinterModel

/// What surrounds a reading of meters.
package struct MeterContext: Equatable, Sendable {
  /// Whether the device's uptime went back since the reading before, which goes into the evidence as it is: a restart, or a clock of 32 bits that went
  /// around.
  package var isUpForLess = false
  /// Since the reading before; nil where it is not known, or the clock was set back.
  package var elapsed: Duration?
  /// What changed with the counters.
  package var board = BoardChange()
  /// How fast the device can count pages.
  package var pagesPerMinuteMax = RuleThresholds().pagesPerMinuteMax

  package init() {}
}

/// What tells another board in the same device.
package struct BoardChange: Equatable, Sendable {
  /// In words, for the evidence; empty: none.
  package var changes: [String] = []
  /// Serial number or MAC, which no update of firmware changes.
  package var isOfIdentity = false

  package init() {}

  package init(from before: DeviceIdentity, to after: DeviceIdentity) {
    if let a = before.comparableSerial, let b = after.comparableSerial, a != b {
      changes.append("serial \(b) instead of \(a)")
    }
    if let a = before.comparableMAC, let b = after.comparableMAC, a != b {
      changes.append("MAC \(b.macText) instead of \(a.macText)")
    }
    isOfIdentity = !changes.isEmpty
    if let a = before.firmware?.text, let b = after.firmware?.text, a != b {
      changes.append("firmware \(b) instead of \(a)")
    }
  }
}

package enum MeterTracker {
  /// For counters of other units than pages, whose speed nobody knows, and where the time is not known: a 32-bit counter that was above this
  /// and is below `rolledOverBelow` went once around.
  private static let rolloverAbove: UInt64 = 0xf000_0000
  private static let rolledOverBelow: UInt64 = 0x1000_0000
  private static let modulus: UInt64 = 1 << 32
  /// A count that can have been printed from the one before a leap is taken for a return within this time, or at the next reading.
  private static let soon: Duration = .seconds(2 * 3_600)
  /// By how much such a count must be nearer to the former one.
  private static let nearer: UInt64 = 10
  /// How long a leap is remembered.
  private static let leapRememberedFor: Duration = .seconds(7 * 24 * 3_600)
  /// A meter that has moved on from a leap for so long counts: it is the next drop that may be wrong.
  private static let countsAfter: Duration = .seconds(24 * 3_600)

  /// Moves `states` to the meters of a reading; returns the epochs that it opens, ordered by meter.
  package static func update(
    _ states: inout SortedTable<MeterName, MeterState>, with meters: [Meter], _ context: MeterContext = MeterContext()
  ) -> [MeterEpochOpened] {
    var opened: [MeterEpochOpened] = []
    for meter in meters.sorted(by: { $0.name < $1.name }) where meter.quality == .exact || meter.quality == .coarse {
      guard let before = states[meter.name] else {
        states[meter.name] = MeterState(value: meter.value, source: meter.source.name, unit: meter.unit)
        continue
      }
      var after = MeterState(value: meter.value, epoch: before.epoch, source: meter.source.name, unit: meter.unit)
      let end = end(before, meter, context)
      after.leaps = leaps(before, meter, end, context)
      if let end {
        after.epoch = before.epoch &+ 1
        opened.append(
          MeterEpochOpened(
            meter: meter.name, epoch: after.epoch, previous: before.value, current: meter.value,
            evidence: end.evidence, cause: end.cause.rawValue, volume: end.volume, continues: end.continues))
      }
      states[meter.name] = after
    }
    return opened
  }

  private struct End {
    var cause: MeterEpochOpened.Cause
    var evidence: String
    var volume: UInt64?
    /// The leap that the count has come back from.
    var returned: MeterLeap?
    var continues: UInt32? { returned?.epoch }
  }

  private static func end(_ before: MeterState, _ meter: Meter, _ context: MeterContext) -> End? {
    if before.source != meter.source.name {
      return End(
        cause: .source,
        evidence: "source changed from \(before.source.shown) to \(meter.source.name.shown) (\(meter.rule))")
    }
    if before.unit != meter.unit {
      return End(
        cause: .unit, evidence: "counter unit changed from \(before.unit.rawValue) to \(meter.unit.rawValue)")
    }
    if let leap = before.leaps.first(where: { isReturn(to: $0, before, meter, context) }) {
      return returned(to: leap, before, meter)
    }
    return meter.value < before.value ? below(before, meter, context) : jump(before, meter, context)
  }

  private static func returned(to leap: MeterLeap, _ before: MeterState, _ meter: Meter) -> End {
    End(
      cause: .returned,
      evidence:
        "returned to \(meter.value) from \(before.value), after it was \(leap.value) in epoch \(leap.epoch), which goes on",
      volume: meter.value - leap.value, returned: leap)
  }

  /// Whether the count before the leap goes on, by this file's header.
  private static func isReturn(
    to leap: MeterLeap, _ before: MeterState, _ meter: Meter, _ context: MeterContext
  ) -> Bool {
    guard meter.value >= leap.value, context.board.changes.isEmpty else { return false }
    let step = meter.value - leap.value
    let sinceLeap = leap.elapsed + (context.elapsed ?? .zero)
    if MeterRules.countsPages(meter.unit) {
      guard step <= plausible(sinceLeap, context) else { return false }
      if isImplausible(before, meter, context) { return true }
    }
    let distance = max(meter.value, before.value) - min(meter.value, before.value)
    guard step <= distance / nearer else { return false }
    let isSoon = leap.readings == 0 || sinceLeap <= soon
    guard meter.value > before.value else {
      return before.leaps.contains(where: \.isRise) && (isSoon || leap.isStill)
    }
    return isSoon && leap.isStill
  }

  private static func plausible(_ time: Duration, _ context: MeterContext) -> UInt64 {
    MeterRules.plausiblePages(time, perMinute: context.pagesPerMinuteMax)
  }

  /// Whether a count of pages has risen by more than can have been printed; false where the time is not known.
  private static func isImplausible(_ before: MeterState, _ meter: Meter, _ context: MeterContext) -> Bool {
    guard let elapsed = context.elapsed, MeterRules.countsPages(meter.unit), meter.value > before.value else {
      return false
    }
    return meter.value - before.value > plausible(elapsed, context)
  }

  /// The leaps to remember after this reading.
  private static func leaps(
    _ before: MeterState, _ meter: Meter, _ end: End?, _ context: MeterContext
  ) -> [MeterLeap] {
    let cause = end?.cause
    // Only what has no reason may have been read wrongly.
    guard cause == nil || cause == .drop || cause == .returned else { return [] }
    var leaps = Array(before.leaps.prefix { $0 != end?.returned })
    for index in leaps.indices {
      leaps[index].elapsed += context.elapsed ?? .zero
      leaps[index].readings += 1
      leaps[index].isStill = leaps[index].isStill && meter.value == before.value
    }
    if let returned = end?.returned {
      // The epoch that goes on has a new number; whether it was right before an older leap is still to be seen.
      for index in leaps.indices where leaps[index].epoch == returned.epoch { leaps[index].epoch = before.epoch &+ 1 }
      return leaps
    }
    leaps.removeAll { $0.elapsed > leapRememberedFor || cause == .drop && !$0.isStill && $0.elapsed > countsAfter }
    let isRise = cause == nil
    guard !isRise || isImplausible(before, meter, context) else { return leaps }
    // Of wrong readings in a row the first tells what was before.
    guard !leaps.contains(where: { $0.isRise == isRise }) else { return leaps }
    return leaps + [MeterLeap(value: before.value, epoch: before.epoch, isRise: isRise)]
  }

  private static func below(_ before: MeterState, _ meter: Meter, _ context: MeterContext) -> End {
    if let volume = volumeAround(before, meter, context) {
      return End(
        cause: .rollover, evidence: "rolled over at 2^32: \(before.value) to \(meter.value)", volume: volume)
    }
    let drop =
      "dropped from \(before.value) to \(meter.value)"
      + (context.isUpForLess ? ", while the device is up for less time than before" : "")
    guard !context.board.changes.isEmpty else { return End(cause: .drop, evidence: drop) }
    return End(
      cause: .boardSwap, evidence: "another board: \(context.board.changes.joined(separator: ", ")); \(drop)")
  }

  /// A board that was in another device before brings that device's count along.
  private static func jump(_ before: MeterState, _ meter: Meter, _ context: MeterContext) -> End? {
    guard context.board.isOfIdentity, isImplausible(before, meter, context) else { return nil }
    return End(
      cause: .boardSwap,
      evidence:
        "another board: \(context.board.changes.joined(separator: ", ")); jumped from \(before.value) to \(meter.value)"
    )
  }

  /// What was counted if the counter went once around 2^32; nil if it cannot have.
  private static func volumeAround(_ before: MeterState, _ meter: Meter, _ context: MeterContext) -> UInt64? {
    if case .counter64 = meter.source.raw { return nil }
    guard before.value < modulus, !context.board.isOfIdentity else { return nil }
    let volume = modulus - before.value + meter.value
    if let elapsed = context.elapsed, MeterRules.countsPages(meter.unit) {
      return volume <= plausible(elapsed, context) ? volume : nil
    }
    return before.value >= rolloverAbove && meter.value < rolledOverBelow ? volume : nil
  }
}
