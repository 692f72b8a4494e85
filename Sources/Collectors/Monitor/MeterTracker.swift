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
//     back at the value before a drop, or a little above it            -> returned
//
// A wrong reading is told by the return. The count is at least what it was before the drop, above it by no more than can have been printed since,
// nothing of the board has changed, and either it has risen by more than can be printed, or the drop is not long ago, the meter has not
// moved since, and it is ten times nearer to the former count than to the last. Then the former epoch goes on (`continues`): its volume is
// what was counted since its last value, and the epochs in between are in no volume. Where that cannot be told, the drop stands.
//
// A board whose count happens to be a little above the former one's is not noticed by its count.

internal import AlertRules
package import Events
internal import MIB
package import PrinterModel

/// What surrounds a reading of meters.
package struct MeterContext: Equatable, Sendable {
  /// Whether the device's uptime went back since the reading before; it goes into the evidence.
  package var hasRestarted = false
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
  /// A count that can have been printed from the dropped one is taken for a return within this time, or at the next reading.
  private static let soon: Duration = .seconds(2 * 3_600)
  /// By how much such a count must be nearer to the former one.
  private static let nearer: UInt64 = 10
  /// How long a drop is remembered.
  private static let dropRememberedFor: Duration = .seconds(7 * 24 * 3_600)
  /// A meter that has moved on from a drop for so long counts: it is the next drop that may be wrong.
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
      after.drops = drops(before, meter, end?.cause, context)
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
    var continues: UInt32?
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
    if meter.value < before.value { return below(before, meter, context) }
    if let jump = jump(before, meter, context) { return jump }
    guard let drop = before.drops.first(where: { isReturn(to: $0, before, meter, context) }) else { return nil }
    return End(
      cause: .returned,
      evidence:
        "returned to \(meter.value) from \(before.value), after it was \(drop.value) in epoch \(drop.epoch), which goes on",
      volume: meter.value - drop.value, continues: drop.epoch)
  }

  /// Whether the count before the drop goes on, by this file's header.
  private static func isReturn(
    to drop: MeterDrop, _ before: MeterState, _ meter: Meter, _ context: MeterContext
  ) -> Bool {
    guard meter.value >= drop.value, context.board.changes.isEmpty else { return false }
    let (step, rise) = (meter.value - drop.value, meter.value - before.value)
    let sinceDrop = drop.elapsed + (context.elapsed ?? .zero)
    if MeterRules.countsPages(meter.unit) {
      func plausible(_ time: Duration) -> UInt64 {
        MeterRules.plausiblePages(time, perMinute: context.pagesPerMinuteMax)
      }
      guard step <= plausible(sinceDrop) else { return false }
      if let elapsed = context.elapsed, rise > plausible(elapsed) { return true }
    }
    let isSoon = drop.readings == 0 || sinceDrop <= soon
    return isSoon && drop.isStill && step <= rise / nearer
  }

  /// The drop to remember after this reading, if any.
  private static func drops(
    _ before: MeterState, _ meter: Meter, _ cause: MeterEpochOpened.Cause?, _ context: MeterContext
  ) -> [MeterDrop] {
    // Only what has no reason may have been read wrongly.
    guard cause == nil || cause == .drop else { return [] }
    var drops = before.drops
    for index in drops.indices {
      drops[index].elapsed += context.elapsed ?? .zero
      drops[index].readings += 1
      drops[index].isStill = drops[index].isStill && meter.value == before.value
    }
    drops.removeAll { $0.elapsed > dropRememberedFor || cause == .drop && !$0.isStill && $0.elapsed > countsAfter }
    // Of wrong readings in a row the first tells what was before.
    if cause == .drop, drops.isEmpty { drops.append(MeterDrop(value: before.value, epoch: before.epoch)) }
    return drops
  }

  private static func below(_ before: MeterState, _ meter: Meter, _ context: MeterContext) -> End {
    if let volume = volumeAround(before, meter, context) {
      return End(
        cause: .rollover, evidence: "rolled over at 2^32: \(before.value) to \(meter.value)", volume: volume)
    }
    let drop =
      "dropped from \(before.value) to \(meter.value)" + (context.hasRestarted ? " after a restart" : "")
    guard !context.board.changes.isEmpty else { return End(cause: .drop, evidence: drop) }
    return End(
      cause: .boardSwap, evidence: "another board: \(context.board.changes.joined(separator: ", ")); \(drop)")
  }

  /// A board that was in another device before brings that device's count along.
  private static func jump(_ before: MeterState, _ meter: Meter, _ context: MeterContext) -> End? {
    guard context.board.isOfIdentity, let elapsed = context.elapsed, MeterRules.countsPages(meter.unit),
      meter.value - before.value
        > MeterRules.plausiblePages(elapsed, perMinute: context.pagesPerMinuteMax)
    else { return nil }
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
      let plausible = MeterRules.plausiblePages(elapsed, perMinute: context.pagesPerMinuteMax)
      return volume <= plausible ? volume : nil
    }
    return before.value >= rolloverAbove && meter.value < rolledOverBelow ? volume : nil
  }
}
