// A device's counters at the hub over time, whichever install reads it: pure.
//
// An epoch here is a stretch in which the counter can be compared with itself. It ends where the agent says so, and where another install's
// readings take over with a lower value.

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
    /// Whether this reading is the one that found the count again.
    package var isReturn = false
    /// Milliseconds since 1970 UTC.
    package var time: Int64

    package init(name: String, value: Int64?, unit: String, quality: String, agentEpoch: Int64, time: Int64) {
      self.name = name
      self.value = value
      self.unit = unit
      self.quality = quality
      self.agentEpoch = agentEpoch
      self.time = time
    }
  }

  package struct Current: Equatable, Sendable {
    package var value: Int64?
    package var unit: String
    package var quality: String
    package var epoch: Int64
    package var install: Int64
    package var agentEpoch: Int64
    package var time: Int64
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

  package init(current: [String: Current] = [:]) { self.current = current }

  package static let millisecondsPerDay: Int64 = 86_400_000

  package mutating func observe(_ seen: Observation, by install: Int64) {
    let before = current[seen.name]
    let epoch = before.map { Self.epoch(after: $0, seen, install) } ?? 1
    // What was read before something newer, by an install that was late to tell, is history that is there already.
    if let before, before.install != install, seen.time < before.time { return }
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
      agentEpoch: seen.agentEpoch, time: time)
    guard let value = seen.value else { return }
    let day = Day(name: seen.name, epoch: epoch, day: Self.day(time))
    if days[day] == nil { days[day] = Values(first: value, last: value, time: time) }
    days[day]?.last = value
    days[day]?.time = time
  }

  /// Takes a counter away that the device does not have any more; its days stay.
  package mutating func forget(_ name: String) { current[name] = nil }

  package static func day(_ time: Int64) -> Int64 {
    time >= 0 ? time / millisecondsPerDay : -((-time + millisecondsPerDay - 1) / millisecondsPerDay)
  }

  private mutating func lower(_ name: String, to limit: Limit) {
    lowered[name] = limit
    for (day, values) in days where day.name == name && day.epoch == limit.epoch && values.last > limit.value {
      days[day]?.first = min(values.first, limit.value)
      days[day]?.last = limit.value
    }
  }

  private static func epoch(after before: Current, _ seen: Observation, _ install: Int64) -> Int64 {
    if before.install == install {
      let epochs = seen.agentEpoch - before.agentEpoch
      guard epochs > 0, let continues = seen.continues else { return before.epoch + max(0, epochs) }
      return max(1, before.epoch + continues - before.agentEpoch)
    }
    // Another install was the first to see the wrong reading, or the last.
    if let goesOnFrom = seen.goesOnFrom, before.unit == seen.unit, (before.value ?? .max) < goesOnFrom,
      seen.value ?? 0 >= goesOnFrom
    {
      return max(1, before.epoch - 1)
    }
    if seen.isReturn, before.unit == seen.unit, let goesOnFrom = seen.goesOnFrom, let value = seen.value,
      value >= goesOnFrom, value < before.value ?? 0
    {
      return before.epoch
    }
    // Another install reads the same counter: it goes on, unless it cannot be the same.
    let isSame = before.unit == seen.unit && (seen.value ?? .max) >= (before.value ?? 0)
    return isSame ? before.epoch : before.epoch + 1
  }
}
