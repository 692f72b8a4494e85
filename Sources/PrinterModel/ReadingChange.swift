// The difference of two readings of one device. Most polls find little changed, and what an unchanged printer costs the journal,
// the wire and the hub is what this file saves.
//
// Law: a normalized reading to which `after.changes(since: before)` is applied equals `after.normalized`, but for alerts, which are
// events of their own, and for uptime, which each record carries.

/// What differs from an earlier reading. Nil or empty means as before; groups are replaced whole, rows one by one.
package struct ReadingChange: Equatable, Sendable {
  package var identity: DeviceIdentity?
  package var status: DeviceStatus?
  package var detectors: ChangeDetectors?
  package var meters = RowChanges<Meter>()
  package var supplies = RowChanges<Supply>()
  package var inputs = RowChanges<InputTray>()
  package var outputs = RowChanges<OutputBin>()
  package var covers = RowChanges<Cover>()
  package var markers = RowChanges<MarkerUnit>()
  package var checks: [ArithmeticCheck]?
  package var findings: [Finding]?

  package init() {}

  /// Whether nothing differs but the device's uptime.
  package var isEmpty: Bool { self == ReadingChange() }
}

/// Rows that are new or differ, and the keys of rows that are gone.
package struct RowChanges<Row: KeyedRow>: Equatable, Sendable {
  package var changed: [Row] = []
  package var removed: [Row.Key] = []
  package init() {}
  package var isEmpty: Bool { changed.isEmpty && removed.isEmpty }
}

/// A row with the key that stays the same from reading to reading.
package protocol KeyedRow: Hashable, Sendable {
  associatedtype Key: Hashable & Comparable & Sendable
  var key: Key { get }
}

extension Meter: KeyedRow {
  package var key: MeterName { name }
}
extension Supply: KeyedRow {
  package var key: RowIndex { row }
}
extension InputTray: KeyedRow {
  package var key: RowIndex { row }
}
extension OutputBin: KeyedRow {
  package var key: RowIndex { row }
}
extension Cover: KeyedRow {
  package var key: RowIndex { row }
}

extension MarkerUnit: KeyedRow {
  package var key: RowIndex { row }
}

extension Reading {
  /// What differs from `before`.
  package func changes(since before: Reading) -> ReadingChange {
    var change = ReadingChange()
    if identity != before.identity { change.identity = identity }
    if status != before.status { change.status = status }
    if detectors.withoutUptime != before.detectors.withoutUptime { change.detectors = detectors.withoutUptime }
    change.meters = meters.changes(since: before.meters)
    change.supplies = supplies.changes(since: before.supplies)
    change.inputs = inputs.changes(since: before.inputs)
    change.outputs = outputs.changes(since: before.outputs)
    change.covers = covers.changes(since: before.covers)
    change.markers = markers.changes(since: before.markers)
    if checks != before.checks { change.checks = checks }
    if findings != before.findings { change.findings = findings }
    return change
  }

  /// Applies what changed. Rows that are new come out in the order of their keys if the others are.
  package mutating func apply(_ change: ReadingChange) {
    if let identity = change.identity { self.identity = identity }
    if let status = change.status { self.status = status }
    if let detectors = change.detectors {
      let uptime = self.detectors.uptimeTicks
      self.detectors = detectors.withoutUptime
      self.detectors.uptimeTicks = uptime
    }
    meters.apply(change.meters)
    supplies.apply(change.supplies)
    inputs.apply(change.inputs)
    outputs.apply(change.outputs)
    covers.apply(change.covers)
    markers.apply(change.markers)
    if let checks = change.checks { self.checks = checks }
    if let findings = change.findings { self.findings = findings }
  }

  /// The same reading with every table ordered by key: the form in which readings are compared and stored.
  package var normalized: Reading {
    var result = self
    result.meters.sortByKey()
    result.supplies.sortByKey()
    result.inputs.sortByKey()
    result.outputs.sortByKey()
    result.covers.sortByKey()
    result.markers.sortByKey()
    return result
  }
}

extension ChangeDetectors {
  /// The detectors that tell of a change; uptime always moves and tells nothing.
  package var withoutUptime: ChangeDetectors {
    var copy = self
    copy.uptimeTicks = nil
    return copy
  }
}

extension Array where Element: KeyedRow {
  /// Leaves rows that are in order as they are, shared with whoever else has them.
  fileprivate mutating func sortByKey() {
    let isInOrder = indices.dropFirst().allSatisfy { !(self[$0].key < self[$0 - 1].key) }
    if !isInOrder { sort { $0.key < $1.key } }
  }

  fileprivate func changes(since before: [Element]) -> RowChanges<Element> {
    let old = Dictionary(before.map { ($0.key, $0) }, uniquingKeysWith: { _, later in later })
    var gone = Set(old.keys)
    var changes = RowChanges<Element>()
    for row in self {
      gone.remove(row.key)
      if old[row.key] != row { changes.changed.append(row) }
    }
    changes.removed = gone.sorted()
    return changes
  }

  /// In place: tables have some twenty rows, and most changes touch one or two of them.
  fileprivate mutating func apply(_ changes: RowChanges<Element>) {
    guard !changes.isEmpty else { return }
    for key in changes.removed { removeAll { $0.key == key } }
    var grew = false
    for row in changes.changed {
      if let index = firstIndex(where: { $0.key == row.key }) {
        self[index] = row
      } else {
        append(row)
        grew = true
      }
    }
    if grew { sort { $0.key < $1.key } }
  }
}
