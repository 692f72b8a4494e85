// Meters over time. A volume is a difference of two readings of one epoch, and this file decides where an epoch ends: when a counter
// dropped, rolled over, changed its source or its unit, came back after a wrong reading, or jumped with another board. Each end is an event
// with its cause and its evidence, so that a volume is never negative and never invented.
//
//     another source, another unit                                     -> source, unit
//     below the value before, of 32 bits, and what it would have
//       counted around 2^32 is what the device can print in the time   -> rollover, whose volume is known
//     below it, and serial number or MAC changed with it               -> boardSwap
//     below it                                                         -> drop
//     above what can be printed, and serial number or MAC changed      -> boardSwap
//     back at the value before a leap, or a little above it            -> returned
//     back at an object and a unit that were read before, and not
//       below what they told then                                      -> returned
//
// A unit that is not told, in either of the two readings, is no other unit. A rollover needs a history near 2^32: the reading before the last was there
// as well, and the meter did not leap there. Other firmware in the same device is no other board: a drop's evidence says so, and the count may return.
//
// A leap is a drop, or a rise by more than can have been printed: one of the two readings around it was wrong. Which one, the return tells. The count
// is at least what it was before the leap, above it by no more than can have been printed since, serial number and MAC have not changed, and
//
//     after either:  it has risen by more than can be printed
//     after a drop:  the meter has not moved since, and the count is ten times nearer to the former one than to the last, or a hundred times where the
//                    drop is long ago and somebody may just have printed as much at once; or it has moved, and is above the former count by what
//                    it moved, and by hardly more; after a long time it has moved by hardly anything
//     after a rise:  it has fallen, the leap is not long ago or the meter has not moved since, and it is ten times nearer to the former count
//
// The same holds after a rise that can have been printed, where the next reading that differs falls back so. Of a device that was started meanwhile it holds
// for what is more than a job or two: it may have lost what it had not written down, and that is a drop.
//
// A count that fell with another board may return as well, where the former board is put back and nobody sees but a rise by more than can be printed.
//
// Then the former epoch goes on (`continues`): its volume is what was counted since its value before the leap, and what was read in between is in no
// volume. Where that cannot be told, the drop stands. A drop, a rise by more than can be printed, and a count that fell with another board are in the
// journal and known after a restart of the agent; another object or unit, and a rise that can have been printed, are not.
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
  /// Whether serial number or MAC are among them, which no update of firmware changes. Firmware alone tells no other board.
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
  /// A counter of 32 bits is near 2^32 above this. Where its speed or the time is not known, it went once around if it is below `rolledOverBelow`
  /// then.
  private static let rolloverAbove: UInt64 = 0xf000_0000
  private static let rolledOverBelow: UInt64 = 0x1000_0000
  private static let modulus: UInt64 = 1 << 32
  /// A count that can have been printed from the one before a leap is taken for a return within this time, or at the next reading.
  private static let soon: Duration = .seconds(2 * 3_600)
  /// By how much such a count must be nearer to the former one.
  private static let nearer: UInt64 = 10
  /// By how much, where the meter has moved since, or, after a long time, by no more than a job or two: a counter that was really put back may count to
  /// the former value by itself.
  private static let nearerIfMoved: UInt64 = 100
  /// Where nobody knows how fast a counter of 32 bits is, it is taken to have leapt if it rose by more than half of what it can hold.
  private static let leapsBy: UInt64 = 1 << 31
  /// How long a leap is remembered.
  package static let leapRememberedFor: Duration = .seconds(7 * 24 * 3_600)
  /// Objects and units that are remembered beside the present one.
  private static let meaningsMax = 4
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
      let unit = meter.unit.isStated ? meter.unit : before.unit
      var after = MeterState(value: meter.value, epoch: before.epoch, source: meter.source.name, unit: unit)
      let end = end(before, meter, context)
      after.lastRise = lastRise(before, meter, end)
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

  /// The rises that this reading showed to be more than can have been printed, ordered by meter: for the journal, which remembers them.
  /// - Parameters:
  ///   - before: the states before `update`.
  ///   - after: the states after it.
  ///   - meters: those that it was called with.
  package static func leapt(
    from before: SortedTable<MeterName, MeterState>, to after: SortedTable<MeterName, MeterState>, with meters: [Meter],
    _ context: MeterContext
  ) -> [MeterLeapt] {
    meters.filter { $0.quality.isNumber }.sorted { $0.name < $1.name }.compactMap { meter in
      guard let leap = after[meter.name]?.leaps.last(where: { $0.kind == .rise }), leap.readings == 0,
        leap.value == before[meter.name]?.value, leap.landed == meter.value
      else { return nil }
      return MeterLeapt(
        meter: meter.name, epoch: leap.epoch, previous: leap.value, current: leap.landed,
        evidence: words(ofRise: leap, meter.unit, context))
    }
  }

  private static func words(ofRise leap: MeterLeap, _ unit: CounterUnit, _ context: MeterContext) -> String {
    let rise = "rose by \(leap.landed - leap.value)"
    guard let elapsed = context.elapsed, MeterRules.countsPages(unit) else {
      return "\(rise), more than half of what 32 bits hold"
    }
    return
      "\(rise), and at most \(plausible(elapsed, context)) can be printed in \(Int(elapsed / .seconds(60))) min"
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
    if let leap = before.leaps.first(where: { isRead(again: $0, meter, context) }) {
      return returned(to: leap, before, meter)
    }
    if before.source != meter.source.name {
      return End(
        cause: .source,
        evidence: "source changed from \(before.source.shown) to \(meter.source.name.shown) (\(meter.rule))")
    }
    if before.unit.isStated, meter.unit.isStated, before.unit != meter.unit {
      return End(
        cause: .unit, evidence: "counter unit changed from \(before.unit.rawValue) to \(meter.unit.rawValue)")
    }
    if let leap = before.leaps.first(where: { isReturn(to: $0, before, meter, context) }) {
      return returned(to: leap, before, meter)
    }
    if let rise = riseTakenBack(before, meter, context) { return returned(to: rise, before, meter) }
    return meter.value < before.value ? below(before, meter, context) : jump(before, meter, context)
  }

  private static func returned(to leap: MeterLeap, _ before: MeterState, _ meter: Meter) -> End {
    End(
      cause: .returned,
      evidence:
        "returned to \(meter.value) from \(before.value), after it was \(leap.value) in epoch \(leap.epoch), which goes on",
      volume: meter.value - leap.value, returned: leap)
  }

  /// Whether the meter is read where it was before another object or unit was: the same counter goes on.
  private static func isRead(again leap: MeterLeap, _ meter: Meter, _ context: MeterContext) -> Bool {
    guard leap.kind == .meaning(source: meter.source.name, unit: meter.unit), meter.value >= leap.value,
      !context.board.isOfIdentity
    else { return false }
    guard MeterRules.countsPages(meter.unit) else { return true }
    return meter.value - leap.value <= plausible(leap.elapsed + (context.elapsed ?? .zero), context)
  }

  /// Whether the count before the leap goes on, by this file's header.
  private static func isReturn(
    to leap: MeterLeap, _ before: MeterState, _ meter: Meter, _ context: MeterContext
  ) -> Bool {
    if case .meaning = leap.kind { return false }
    guard meter.value >= leap.value, !context.board.isOfIdentity else { return false }
    let step = meter.value - leap.value
    let sinceLeap = leap.elapsed + (context.elapsed ?? .zero)
    if MeterRules.countsPages(before.unit) {
      guard step <= plausible(sinceLeap, context) else { return false }
      if isImplausible(before, meter, context) { return true }
    }
    guard leap.kind != .board else { return false }
    let distance = max(meter.value, before.value) - min(meter.value, before.value)
    let isSoon = leap.readings == 0 || sinceLeap <= soon
    guard meter.value > before.value else {
      guard step <= distance / nearer else { return false }
      return before.leaps.contains { $0.kind == .rise } && (isSoon || leap.isStill)
    }
    if leap.isStill {
      let isBurst = distance <= MeterRules.slackPages
      return step <= distance / (isSoon || !isBurst ? nearer : nearerIfMoved)
    }
    let moved = before.value - min(leap.landed, before.value)
    guard leap.kind == .drop, moved > 0, step >= moved, step - moved <= distance / nearerIfMoved else { return false }
    return isSoon || moved <= distance / nearerIfMoved
  }

  /// The rise that the meter made last, if it can have been printed and has gone again.
  private static func riseTakenBack(_ before: MeterState, _ meter: Meter, _ context: MeterContext) -> MeterLeap? {
    guard let former = before.valueBeforeRise, former > 0, meter.value >= former, meter.value < before.value,
      !context.board.isOfIdentity, meter.value - former <= (before.value - meter.value) / nearer,
      !context.isUpForLess || before.value - meter.value > MeterRules.slackPages
    else { return nil }
    return MeterLeap(.rise, value: former, landed: before.value, epoch: before.epoch)
  }

  private static func lastRise(_ before: MeterState, _ meter: Meter, _ end: End?) -> UInt32 {
    if let returned = end?.returned { return UInt32(clamping: meter.value - returned.value) }
    guard end == nil, meter.value >= before.value else { return MeterState.noRise }
    if meter.value == before.value { return before.lastRise == MeterState.noRise ? 0 : before.lastRise }
    return UInt32(clamping: meter.value - before.value)
  }

  private static func plausible(_ time: Duration, _ context: MeterContext) -> UInt64 {
    MeterRules.plausiblePages(time, perMinute: context.pagesPerMinuteMax)
  }

  /// Whether a count has risen by more than can have been counted.
  private static func isImplausible(_ before: MeterState, _ meter: Meter, _ context: MeterContext) -> Bool {
    guard meter.value > before.value else { return false }
    let rise = meter.value - before.value
    if let elapsed = context.elapsed, MeterRules.countsPages(before.unit) { return rise > plausible(elapsed, context) }
    return meter.isOf32Bits && meter.value < modulus && rise > leapsBy
  }

  /// The leaps to remember after this reading.
  private static func leaps(
    _ before: MeterState, _ meter: Meter, _ end: End?, _ context: MeterContext
  ) -> [MeterLeap] {
    var leaps = before.leaps.prefix { $0 != end?.returned }.map { leap in
      var leap = leap
      leap.elapsed += context.elapsed ?? .zero
      leap.readings += 1
      leap.isStill = leap.isStill && meter.value == before.value
      return leap
    }
    if let returned = end?.returned {
      // The epoch that goes on has a new number; whether it was right before an older leap is still to be seen.
      for index in leaps.indices where leaps[index].epoch == returned.epoch { leaps[index].epoch = before.epoch &+ 1 }
      return leaps
    }
    guard let kind = kind(of: end, before, meter, context) else {
      leaps.removeAll { $0.elapsed > leapRememberedFor }
      // Nothing before another board that jumped is comparable.
      return end == nil ? leaps : []
    }
    leaps.removeAll { $0.elapsed > leapRememberedFor || hasEnded($0, with: kind) }
    // Of wrong readings in a row the first tells what was before.
    guard !leaps.contains(where: { $0.kind == kind }) else { return leaps }
    return leaps.suffix(meaningsMax) + [
      MeterLeap(kind, value: before.value, landed: meter.value, epoch: before.epoch)
    ]
  }

  /// What leap this reading shows; nil: none, or one that leads back to nothing.
  private static func kind(
    of end: End?, _ before: MeterState, _ meter: Meter, _ context: MeterContext
  ) -> MeterLeap.Kind? {
    switch end?.cause {
    case .drop, .rollover: .drop
    case .source, .unit: .meaning(source: before.source, unit: before.unit)
    case .boardSwap: meter.value < before.value ? .board : nil
    case .returned: nil
    case nil: isImplausible(before, meter, context) ? .rise : nil
    }
  }

  /// Whether a leap leads back to nothing any more after one of another kind: only what has no reason may have been read wrongly.
  private static func hasEnded(_ leap: MeterLeap, with kind: MeterLeap.Kind) -> Bool {
    switch (kind, leap.kind) {
    case (.meaning, .meaning): leap.kind == kind
    case (.meaning, _), (.board, _): true
    case (.drop, .drop), (.drop, .rise): !leap.isStill && leap.elapsed > countsAfter
    default: false
    }
  }

  private static func below(_ before: MeterState, _ meter: Meter, _ context: MeterContext) -> End {
    if let volume = volumeAround(before, meter, context) {
      return End(
        cause: .rollover, evidence: "rolled over at 2^32: \(before.value) to \(meter.value)", volume: volume)
    }
    let drop =
      "dropped from \(before.value) to \(meter.value)"
      + (context.isUpForLess ? ", while the device is up for less time than before" : "")
    let changes = context.board.changes.joined(separator: ", ")
    if context.board.isOfIdentity { return End(cause: .boardSwap, evidence: "another board: \(changes); \(drop)") }
    return End(cause: .drop, evidence: changes.isEmpty ? drop : "\(drop); \(changes)")
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
    guard meter.isOf32Bits, before.value < modulus, !context.board.isOfIdentity, hasHistoryNear2To32(before) else {
      return nil
    }
    let volume = modulus - before.value + meter.value
    if let elapsed = context.elapsed, MeterRules.countsPages(before.unit) {
      return volume <= plausible(elapsed, context) ? volume : nil
    }
    return meter.value < rolledOverBelow ? volume : nil
  }

  /// Whether the last reading and one before it were near 2^32, and none leapt there.
  private static func hasHistoryNear2To32(_ state: MeterState) -> Bool {
    guard let former = state.valueBeforeRise else { return false }
    return former >= rolloverAbove && !state.leaps.contains { $0.kind == .rise }
  }
}

extension Meter {
  fileprivate var isOf32Bits: Bool {
    if case .counter64 = source.raw { false } else { true }
  }
}
