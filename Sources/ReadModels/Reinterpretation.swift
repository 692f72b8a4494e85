// Old readings under other rules: the raw objects of each reading are interpreted again, and what comes out otherwise is told.
//
// Only a reading that a record tells (whole or changed) is interpreted; an unchanged one would come out as the one before it. A difference is
// told where it begins and wherever one of its two values moves, not again at each poll.
//
// A value that stays the same under another rule (a profile's new version) is counted and not told: nobody is billed otherwise for it.
//
// Constraints: records are passed over in short transactions and none is kept. Each device has its last objects in memory (RawObjects) and
// the differences that were told last.

package import Events
internal import Evidence
package import Journal
package import PrinterModel
internal import Projections

package struct ReinterpretationSummary: Equatable, Sendable {
  /// Readings that were interpreted again, and the devices they are of.
  package var readings: UInt64 = 0
  package var devices: Set<DeviceID> = []
  /// Values that would be others, as they were told, and the devices they are of.
  package var changes: UInt64 = 0
  package var devicesChanged: Set<DeviceID> = []
  /// Meters and supplies, each once, whose values stay under another rule.
  package var underOtherRules: Int = 0
  /// Readings whose raw objects are not known, because the records before them are missing or cannot be read.
  package var withoutObjects: UInt64 = 0
  /// Records in the range that this release cannot read.
  package var unreadable: UInt64 = 0

  package var isUnchanged: Bool { changes == 0 }
}

package struct Reinterpretation {
  private let reader: JournalReader
  private let profiles: ProfileSet
  private let range: JournalRange
  private let device: DeviceID?

  private var fleet = FleetState()
  private var objects = RawObjects()
  private var told: [DeviceID: [ValueName: ValueChange]] = [:]
  private var underOtherRules: [DeviceID: Set<ValueName>] = [:]
  private var summary = ReinterpretationSummary()

  /// - Parameters:
  ///   - range: the readings to look at; what comes before them is read for their objects.
  ///   - device: the only device to look at; nil: all.
  package init(_ reader: JournalReader, _ profiles: ProfileSet, range: JournalRange, device: DeviceID? = nil) {
    self.reader = reader
    self.profiles = profiles
    self.range = range
    self.device = device
  }

  /// Interprets the readings, and tells each value that would be another, in the order of the records.
  package consuming func run(_ tell: (ReinterpretedValue) throws -> Void) throws -> ReinterpretationSummary {
    var decoder = EventDecoder()
    let (reader, range, device) = (reader, range, device)
    let base = try FleetBase(reader)
    fleet = base.state
    try reader.scan(from: base.first, through: range.last) { view in
      let header = try? EventHeader(view.payload)
      if let header, header.device == nil || device != nil && header.device != device { return true }
      let event: Event
      do throws(EventCodingError) { event = try decoder.event(view.payload) } catch {
        objects.forget(header?.device)
        if range.contains(view.position) { summary.unreadable += 1 }
        return true
      }
      try take(event, at: view.position, tell)
      return true
    }
    summary.underOtherRules = underOtherRules.values.reduce(0) { $0 + $1.count }
    return summary
  }

  private mutating func take(
    _ event: Event, at position: RecordPosition, _ tell: (ReinterpretedValue) throws -> Void
  ) throws {
    fleet.apply(event)
    objects.apply(event)
    guard let id = event.device, range.contains(position), event.body.tellsReading,
      let state = fleet.devices[id], let recorded = state.reading?.fact
    else { return }
    guard let walk = objects[id] else {
      summary.withoutObjects += 1
      return
    }
    summary.readings += 1
    summary.devices.insert(id)
    let changes = news(of: id, recorded.valueChanges(to: Interpretation.read(walk, profiles: profiles)))
    guard !changes.isEmpty else { return }
    summary.changes += UInt64(changes.count)
    summary.devicesChanged.insert(id)
    for (name, change) in changes.sorted(by: { $0.key < $1.key }) {
      try tell(
        ReinterpretedValue(
          device: id, address: state.address, position: position, observed: event.time, name: name, change: change))
    }
  }

  /// Of a reading's differences those to be told: of the value, and not as they were told before.
  private mutating func news(of id: DeviceID, _ changes: [ValueName: ValueChange]) -> [ValueName: ValueChange] {
    let renamed = changes.filter { $0.value.isSameValue }
    if !renamed.isEmpty { underOtherRules[id, default: []].formUnion(renamed.keys) }
    let others = changes.filter { !$0.value.isSameValue }
    let before = told.updateValue(others, forKey: id) ?? [:]
    return others.filter { before[$0.key] != $0.value }
  }
}

extension EventBody {
  fileprivate var tellsReading: Bool {
    switch self {
    case .readingTaken, .readingChanged: true
    default: false
    }
  }
}
