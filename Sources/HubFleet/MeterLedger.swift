// A device's counters at the hub over time, whichever install reads it: pure.
//
// An epoch here is a stretch in which the counter can be compared with itself: within one, no count is below the one before. It ends
//
//     where the agent that read it last says so; at a rollover with the pages that it knows of
//     where another one takes over with a lower value, or another unit
//     where the same one tells a lower value, whatever it says
//     where two clocks, the hub's and the agent's, say that it is more than a day before the epoch's last reading, and the agent told a later time
//       itself before: both were ahead then. The pages since are of the days that they are read on; what was counted before stays where it was booked
//
// Else nothing moves back: where the hub's clock is behind, or an agent's, pages are of the last day that the epoch has counted on.
//
// One that takes over is another install, or the same whose journal was put back or copied: it goes on in an epoch of its own (docs/formats/journal.md),
// with what it knew then. What it tells that is lower and not newer is history that is there already. Its clock may be behind by years; a count that
// is not lower goes on all the same.
//
// A counter that a reading does not have may come back: its epoch waits for it.

package struct MeterLedger: Equatable, Sendable {
  /// A counter as one install read it.
  package struct Observation: Equatable, Sendable {
    package var name: String
    /// Nil: the device did not say.
    package var value: Int64?
    package var unit: String
    package var quality: String
    /// The agent's own count of epochs.
    package var agentEpoch: Int64
    /// The agent's epoch that goes on in this one, because what was read since was wrong.
    package var continues: Int64?
    /// The last right value of that epoch.
    package var goesOnFrom: Int64?
    /// Whether this reading is the one that opened the agent's epoch.
    package var isOpening = false
    /// What the counter went on by when it rolled over, where this reading is the one that showed it.
    package var rolledOver: Int64?
    /// Of the agent's journal: what tells it from the same agent, put back or copied.
    package var journalEpoch: Int64
    /// Milliseconds since 1970 UTC; never later than the hub's.
    package var time: Int64
    /// The same as the agent told it, whatever the hub's clock says.
    package var told: Int64
    /// The time of the reading that the agent told before, where it differed from its own before; nil: not known.
    package var formerly: Int64?

    /// - Parameter told: nil: as `time`.
    package init(
      name: String, value: Int64?, unit: String, quality: String, agentEpoch: Int64, journalEpoch: Int64 = 1,
      time: Int64, told: Int64? = nil
    ) {
      self.name = name
      self.value = value
      self.unit = unit
      self.quality = quality
      self.agentEpoch = agentEpoch
      self.journalEpoch = journalEpoch
      self.time = time
      self.told = told ?? time
    }

    /// Whether this reading is the one that found the count again.
    var isReturn: Bool { isOpening && goesOnFrom != nil }
  }

  package struct Current: Equatable, Sendable {
    package var value: Int64?
    package var unit: String
    package var quality: String
    package var epoch: Int64
    package var install: Int64
    package var agentEpoch: Int64
    package var journalEpoch: Int64
    package var time: Int64
    /// The last count of the epoch, also where the device does not say now.
    package var last: Int64?
    /// Whether the last reading has it.
    package var isPresent = true
  }

  package struct Day: Hashable, Sendable {
    package var name: String
    package var epoch: Int64
    /// Days since 1970 UTC.
    package var day: Int64
  }

  package struct Values: Equatable, Sendable {
    package var first: Int64
    package var last: Int64
    package var time: Int64
  }

  package private(set) var current: [String: Current]
  /// The days that were touched.
  package private(set) var days: [Day: Values] = [:]
  /// Counters of which an epoch goes on: what the days of later epochs hold counts for nothing and goes.
  package private(set) var resumed: [String: Int64] = [:]
  /// Counters that go on from a value below what days of their epoch hold, because a rise was read wrongly: those days end with that value.
  package private(set) var lowered: [String: Limit] = [:]

  package struct Limit: Equatable, Sendable {
    package var epoch: Int64
    package var value: Int64
  }

  /// The hub's time.
  private let now: Int64

  /// - Parameter now: the hub's time, in milliseconds since 1970 UTC; `max` where no clock is asked.
  package init(current: [String: Current] = [:], now: Int64 = .max) {
    self.current = current
    self.now = now
  }

  package static let millisecondsPerDay: Int64 = 86_400_000
  /// How far two agents' clocks may be apart: the skew that identities allow.
  package static let skewMax: Int64 = 15 * 60_000

  package mutating func observe(_ seen: Observation, by install: Int64) {
    let before = current[seen.name]
    guard var epoch = before.map({ Self.epoch(after: $0, seen, install) }) ?? 1 else { return }
    var isSetBack = false
    if let before, epoch == before.epoch, areClocksSetBack(since: before, seen) {
      isSetBack = true
      epoch += 1
    }
    if let before, epoch < before.epoch {
      resumed[seen.name] = min(epoch, resumed[seen.name] ?? epoch)
      days = days.filter { $0.key.name != seen.name || $0.key.epoch <= epoch }
    }
    if let before, seen.isReturn, let limit = seen.goesOnFrom, let value = seen.value,
      epoch < before.epoch || before.value ?? 0 > value
    {
      lower(seen.name, to: Limit(epoch: epoch, value: limit))
    }
    // The count goes on in the order in which it was told. A clock that was ahead and is put right moves no page to a day before.
    let time = before.map { $0.epoch == epoch ? max($0.time, seen.time) : seen.time } ?? seen.time
    current[seen.name] = Current(
      value: seen.value, unit: seen.unit, quality: seen.quality, epoch: epoch, install: install,
      agentEpoch: seen.agentEpoch, journalEpoch: seen.journalEpoch, time: time,
      last: seen.value ?? before.flatMap { $0.epoch == epoch ? $0.last : nil })
    guard let value = seen.value else { return }
    let day = Day(name: seen.name, epoch: epoch, day: Self.day(time))
    if days[day] == nil {
      var first = value
      if let before, before.epoch != epoch { first = isSetBack ? before.last ?? value : value - (seen.rolledOver ?? 0) }
      days[day] = Values(first: first, last: value, time: time)
    }
    days[day]?.last = value
    days[day]?.time = time
  }

  /// The last reading has only these.
  package mutating func keepPresent(_ names: Set<String>) {
    for name in current.keys where !names.contains(name) { current[name]?.isPresent = false }
  }

  package static func day(_ time: Int64) -> Int64 {
    time >= 0 ? time / millisecondsPerDay : -((-time + millisecondsPerDay - 1) / millisecondsPerDay)
  }

  /// Whether the hub's clock and the agent's were ahead when the counter was read last, and are not any more. A count that is found again, or is
  /// lower, has its own rules.
  private func areClocksSetBack(since before: Current, _ seen: Observation) -> Bool {
    guard let value = seen.value, let last = before.last, value >= last, !seen.isReturn else { return false }
    guard let formerly = seen.formerly, max(now, seen.told) < before.time - Self.millisecondsPerDay else {
      return false
    }
    return seen.told < formerly - Self.millisecondsPerDay
  }

  private mutating func lower(_ name: String, to limit: Limit) {
    lowered[name] = limit
    for (day, values) in days where day.name == name && day.epoch == limit.epoch && values.last > limit.value {
      days[day]?.first = min(values.first, limit.value)
      days[day]?.last = limit.value
    }
  }

  /// The epoch that a reading belongs to; nil for one that is history.
  private static func epoch(after before: Current, _ seen: Observation, _ install: Int64) -> Int64? {
    before.install == install && before.journalEpoch == seen.journalEpoch
      ? epoch(on: before, seen) : epoch(over: before, seen, isSameInstall: before.install == install)
  }

  /// Told by the agent that told the one before.
  private static func epoch(on before: Current, _ seen: Observation) -> Int64 {
    let epochs = seen.agentEpoch - before.agentEpoch
    if epochs > 0, let continues = seen.continues { return max(1, before.epoch + continues - before.agentEpoch) }
    if epochs <= 0, !seen.isReturn, isBelow(before, seen) { return before.epoch + 1 }
    return before.epoch + max(0, epochs)
  }

  /// Told by another one.
  private static func epoch(over before: Current, _ seen: Observation, isSameInstall: Bool) -> Int64? {
    // What an agent knows that was put back is of before; that a counter began anew, it saw itself.
    if isSameInstall, seen.isOpening, seen.continues == nil { return before.epoch + 1 }
    let isSameUnit = before.unit == seen.unit
    if isSameUnit, let goesOnFrom = seen.goesOnFrom, let value = seen.value, value >= goesOnFrom {
      // Another install was the first to see the wrong reading, or the last.
      if (before.last ?? .max) < goesOnFrom { return max(1, before.epoch - 1) }
      if seen.isReturn, value < before.last ?? 0 { return before.epoch }
    }
    if isSameUnit, seen.value != nil, !isBelow(before, seen) { return before.epoch }
    guard seen.time >= before.time + (isSameUnit && seen.value != nil ? skewMax : 0) else { return nil }
    return isSameUnit && seen.value == nil ? before.epoch : before.epoch + 1
  }

  private static func isBelow(_ before: Current, _ seen: Observation) -> Bool {
    guard let value = seen.value, let last = before.last else { return false }
    return value < last
  }
}
