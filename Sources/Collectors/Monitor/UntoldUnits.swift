// The unit of a count that the device does not tell in one poll: the row lacks it, or says "other" or "unknown". That is no statement that something
// else is counted now: the count keeps the unit that it was told with before, and a finding says so. Which of several markers stands for the device
// goes by their units, so it stays the same one as well.

internal import MIB
internal import PrinterModel

extension PollReading {
  /// The same with the units that are known, where the device tells none.
  /// - Parameter known: the meters as they were read last.
  func keepingUnits(of known: SortedTable<MeterName, MeterState>) -> PollReading {
    var reading = reading
    let kept = reading.keepUnits(of: known)
    guard !kept.isEmpty else { return self }
    if let total = known[.total], kept.contains(total.source) { reading.keepTotal(at: total.source) }
    return telling(reading)
  }
}

extension Reading {
  /// - Returns: the counters whose units are kept.
  fileprivate mutating func keepUnits(of known: SortedTable<MeterName, MeterState>) -> Set<ObjectIdentifier> {
    var kept: Set<ObjectIdentifier> = []
    for index in meters.indices where !meters[index].unit.isStated {
      let source = meters[index].source.name
      guard let unit = known.values.first(where: { $0.source == source && $0.unit.isStated })?.unit else { continue }
      meters[index].unit = unit
      kept.insert(source)
      findings.removeAll { $0.name == source && $0.message == Interpretation.noCounterUnit }
      findings.append(
        Finding(source, "the device tells no unit for this count, which keeps the one before: \(unit.name)"))
    }
    return kept
  }

  /// The total is read where it was; what took its place for want of the unit has the other one's name.
  fileprivate mutating func keepTotal(at source: ObjectIdentifier) {
    guard let right = meters.firstIndex(where: { $0.source.name == source }),
      let wrong = meters.firstIndex(where: { $0.name == .total }), right != wrong
    else { return }
    let lifeCounts = PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.lifeCount)
    guard let row = meters[wrong].source.name.suffix(below: lifeCounts) else { return }
    meters[wrong].name = MeterName(.total, qualifier: "marker \(RowIndex(row))")
    meters[right].name = .total
    (meters[wrong].rule, meters[right].rule) = (meters[right].rule, meters[wrong].rule)
  }
}
