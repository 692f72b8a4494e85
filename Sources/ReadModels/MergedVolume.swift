// What two records of one device have both counted, so that nobody counts it twice.
//
// A printer may be known twice for a while: by its serial number, and at another address by its MAC or UUID alone. When it is seen that both are one
// (DeviceMerged), one record ends and the other goes on. Each has readings of the same counter, so that the volumes of both together may hold a page twice:
//
//     goes on   ├──────────────────────────┤ …        its volume:  last - first
//     ended            ├───────────┤                  its volume:  last - first, of which the record that goes on has what lies within its own
//
// Volumes of one device are added up as: those of the record that goes on, and of one that ended what is not `shared`. Where the two were read from
// different objects (SNMP and IPP), what they share is unknown.

package import Events
internal import Evidence
internal import Journal
package import PrinterModel
internal import MIB
internal import Projections

package struct MergedVolume: Equatable, Sendable {
  /// The other record of the device.
  package var other: DeviceID
  /// Whether the other one goes on, and this one ended; else the other way around.
  package var goesOnThere: Bool
  package var unit: CounterUnit
  /// What the record that ended counted.
  package var counted: UInt64
  /// What of that the record that goes on counted as well, as of now; nil where that cannot be known.
  package var shared: UInt64?

  /// The merges that a device took part in, in the order of the other devices' ids.
  static func all(
    of device: DeviceID, _ meter: MeterName, _ reader: JournalReader, _ base: FleetBase, through last: RecordPosition
  ) throws -> [MergedVolume] {
    let merges = try merges(reader, base, through: last).filter { $0.key == device || $0.value == device }
    guard !merges.isEmpty else { return [] }
    let concerned = Set(merges.keys).union(merges.values)
    var ranges = Dictionary(
      uniqueKeysWithValues: concerned.map { ($0, CountedRanges(meter, behind: base.state.devices[$0])) })
    var decoder = EventDecoder(.withoutRaw)
    try reader.scan(from: base.first, through: last) { view in
      guard let id = (try? EventHeader(view.payload))?.device, concerned.contains(id),
        let event = try? decoder.event(view.payload)
      else { return true }
      ranges[id]?.apply(event)
      return true
    }
    return merges.sorted { $0.key < $1.key }.compactMap { ended, goesOn in
      guard let gone = ranges[ended], let stays = ranges[goesOn], let unit = gone.ranges.last?.unit else { return nil }
      return MergedVolume(
        other: ended == device ? goesOn : ended, goesOnThere: ended == device, unit: unit, counted: gone.counted,
        shared: gone.shared(with: stays))
    }
  }

  /// Which device goes on as which.
  private static func merges(
    _ reader: JournalReader, _ base: FleetBase, through last: RecordPosition
  ) throws -> [DeviceID: DeviceID] {
    var merges = Dictionary(
      uniqueKeysWithValues: base.state.devices.values.compactMap { device in
        device.merged.map { (device.id, $0.fact.into) }
      })
    var decoder = EventDecoder(.withoutRaw)
    try reader.scan(from: base.first, through: last) { view in
      guard let header = try? EventHeader(view.payload), header.type == EventType.deviceMerged, let id = header.device,
        case .deviceMerged(let merged)? = (try? decoder.event(view.payload))?.body
      else { return true }
      merges[id] = merged.into
      return true
    }
    return merges
  }
}

/// What a meter of one device counted: a range of its values for each meter epoch.
struct CountedRanges {
  struct Range: Equatable {
    var first: UInt64
    var last: UInt64
    /// Between these times it was read so, in milliseconds since 1970 UTC.
    var began: Int64
    var ended: Int64
    var unit: CounterUnit
    var source: ObjectIdentifier
  }

  private(set) var ranges: [Range] = []
  private let name: MeterName
  private var opensRange = true

  /// - Parameter state: the device before the first event that `apply` gets.
  init(_ name: MeterName, behind state: DeviceState? = nil) {
    self.name = name
    guard let reading = state?.reading, let meter = reading.fact.meters.first(where: { $0.name == name }) else {
      return
    }
    read(meter, at: reading.time)
  }

  mutating func apply(_ event: Event) {
    switch event.body {
    case .meterEpochOpened(let opened) where opened.meter == name: begin(opened)
    case .readingTaken(let taken): read(taken.reading.meters.first { $0.name == name }, at: event.time)
    case .readingChanged(let changed): read(changed.change.meters.changed.first { $0.name == name }, at: event.time)
    case .readingUnchanged: if let last = ranges.indices.last { ranges[last].ended = event.time }
    default: break
    }
  }

  /// Opens a range, or goes on with the one whose count was found again: those after it counted nothing.
  private mutating func begin(_ opened: MeterEpochOpened) {
    opensRange = true
    guard opened.continues != nil, let volume = opened.volume, volume <= opened.current else { return }
    let right = opened.current - volume
    // A rise that was read wrongly is within the range itself.
    guard
      let former = ranges.lastIndex(where: { $0.last == right })
        ?? ranges.lastIndex(where: { ($0.first...$0.last).contains(right) })
    else { return }
    ranges[former].last = right
    ranges.removeSubrange((former + 1)...)
    opensRange = false
  }

  private mutating func read(_ meter: Meter?, at time: Int64) {
    guard let meter else {
      // What a changed reading does not name is as it was.
      if let last = ranges.indices.last { ranges[last].ended = time }
      return
    }
    guard meter.quality.isNumber else { return }
    if !opensRange, let last = ranges.indices.last, ranges[last].last <= meter.value,
      ranges[last].unit == meter.unit, ranges[last].source == meter.source.name
    {
      ranges[last].last = meter.value
      ranges[last].ended = time
      return
    }
    opensRange = false
    ranges.append(
      Range(
        first: meter.value, last: meter.value, began: time, ended: time, unit: meter.unit, source: meter.source.name))
  }

  var counted: UInt64 { ranges.reduce(0) { $0 &+ ($1.last - $1.first) } }

  /// What of `counted` the other record counted as well; nil where the two were read from different objects at one time.
  func shared(with other: CountedRanges) -> UInt64? {
    var shared: UInt64 = 0
    for own in ranges {
      for (place, range) in other.ranges.enumerated() {
        // A range goes on until the next one begins: what was printed in between is in its next reading.
        let until = place + 1 < other.ranges.count ? other.ranges[place + 1].began : .max
        guard own.began <= until, own.ended >= range.began else { continue }
        guard own.unit == range.unit, own.source == range.source else { return nil }
        let (low, high) = (max(own.first, range.first), min(own.last, range.last))
        if high > low { shared &+= high - low }
      }
    }
    return shared
  }
}
