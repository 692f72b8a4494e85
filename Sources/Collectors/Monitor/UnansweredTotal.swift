// A total whose object the device answered with an error, with "unknown", or not at all, in one poll. That is no statement that a counter has gone: the
// total is unknown in that poll, and no other counter takes its place, since its source would change to and fro and the pages between be in no volume.
// Where a full poll does not find the object, the next one settles whether it has gone.

internal import MIB
internal import PrinterModel

extension PollReading {
  /// The same with an unknown total, where the object of the total that is known was asked for and told no count.
  /// - Parameter known: the total as it was read last.
  func holding(_ known: MeterState?) -> PollReading {
    guard let known, reading.meters.first(where: { $0.name == .total })?.source.name != known.source,
      leavesUnknown(known.source)
    else { return self }
    var reading = reading
    reading.holdTotal(known)
    return telling(reading)
  }

  /// The same poll with another reading of its walk.
  func telling(_ reading: Reading) -> PollReading {
    var poll = PollReading(
      kind: kind, walk: walk, reading: reading, alerts: alerts, read: read, interruption: interruption)
    poll.step = step
    poll.unanswered = unanswered
    return poll
  }

  private func leavesUnknown(_ name: ObjectIdentifier) -> Bool {
    if walk[name]?.isUnknownCount == true { return true }
    if kind == .full, step == .fewer, walk[name] == nil { return true }
    guard !read.contains(name) else { return false }
    // A row that follows one is asked for by the name of that row.
    return unanswered.contains { name.isWithin($0) || $0.count == name.count && $0.dropLast() == name.dropLast() }
  }
}

extension Reading {
  fileprivate mutating func holdTotal(_ known: MeterState) {
    if let index = meters.firstIndex(where: { $0.name == .total }) {
      let total = meters[index]
      let about = Set(checks(including: total).map(\.name))
      checks.removeAll { about.contains($0.name) }
      let lifeCounts = PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.lifeCount)
      let row = total.source.name.suffix(below: lifeCounts).map { "marker \(RowIndex($0))" }
      meters[index].name = MeterName(.total, qualifier: row ?? "other")
    }
    // The value that it had is kept beside, so that the meter goes on from it after a restart; it is not told.
    meters.insert(
      Meter(
        name: .total, value: known.value, unit: known.unit, quality: .unknown, source: Source(known.source, .null),
        rule: Rule("printtrail/unanswered-total@1")), at: 0)
    findings.append(
      Finding(
        known.source, "the total's object told no count: the total is unknown, and no other counter is taken for it"))
  }
}
