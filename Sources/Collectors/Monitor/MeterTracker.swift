// Meters over time. A volume is a difference of two readings of one epoch, and this file decides where an epoch ends: when a counter
// dropped, rolled over, changed its source or its unit, or came back after a wrong reading. Each end is an event with its evidence, so that
// a volume is never negative and never invented.

internal import Events
internal import MIB
internal import PrinterModel

enum MeterTracker {
  /// A 32-bit counter that was above this and is below `rolledOverBelow` went once around: a device prints less than a sixteenth of
  /// 2^32 pages between two polls.
  private static let rolloverAbove: UInt64 = 0xf000_0000
  private static let rolledOverBelow: UInt64 = 0x1000_0000

  /// Moves `states` to the meters of a reading; returns the epochs that it opens, ordered by meter.
  /// - Parameter restarted: whether the device's uptime went back since the reading before; it goes into the evidence.
  static func update(
    _ states: inout [MeterName: MeterState], with meters: [Meter], restarted: Bool
  ) -> [MeterEpochOpened] {
    var opened: [MeterEpochOpened] = []
    for meter in meters.sorted(by: { $0.name < $1.name }) where meter.quality == .exact || meter.quality == .coarse {
      guard let before = states[meter.name] else {
        states[meter.name] = MeterState(value: meter.value, source: meter.source.name, unit: meter.unit)
        continue
      }
      var after = MeterState(value: meter.value, epoch: before.epoch, source: meter.source.name, unit: meter.unit)
      if let evidence = evidence(before, meter, restarted: restarted) {
        after.epoch = before.epoch &+ 1
        if meter.value < before.value { after.beforeDrop = before.value }
        opened.append(
          MeterEpochOpened(
            meter: meter.name, epoch: after.epoch, previous: before.value, current: meter.value, evidence: evidence))
      }
      states[meter.name] = after
    }
    return opened
  }

  private static func evidence(_ before: MeterState, _ meter: Meter, restarted: Bool) -> String? {
    if before.source != meter.source.name {
      return "source changed from \(before.source.shown) to \(meter.source.name.shown) (\(meter.rule))"
    }
    if before.unit != meter.unit {
      return "counter unit changed from \(before.unit.rawValue) to \(meter.unit.rawValue)"
    }
    if meter.value < before.value {
      let is32Bits = before.value <= UInt64(UInt32.max)
      if is32Bits, before.value >= rolloverAbove, meter.value < rolledOverBelow {
        return "rolled over at 2^32: \(before.value) to \(meter.value)"
      }
      return "dropped from \(before.value) to \(meter.value)" + (restarted ? " after a restart" : "")
    }
    if let earlier = before.beforeDrop, meter.value >= earlier {
      return "returned to \(meter.value) after one reading of \(before.value), before which it was \(earlier)"
    }
    return nil
  }
}
