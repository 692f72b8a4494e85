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
//     back at or above the value before a drop                         -> returned
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
      if let end = end(before, meter, context) {
        after.epoch = before.epoch &+ 1
        // Only what has no reason may have been read wrongly.
        if end.cause == .drop { after.beforeDrop = before.value }
        opened.append(
          MeterEpochOpened(
            meter: meter.name, epoch: after.epoch, previous: before.value, current: meter.value,
            evidence: end.evidence, cause: end.cause.rawValue, volume: end.volume))
      }
      states[meter.name] = after
    }
    return opened
  }

  private struct End {
    var cause: MeterEpochOpened.Cause
    var evidence: String
    var volume: UInt64?
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
    if let earlier = before.beforeDrop, meter.value >= earlier {
      return End(
        cause: .returned,
        evidence: "returned to \(meter.value) after one reading of \(before.value), before which it was \(earlier)")
    }
    return nil
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
