// Why a device is the device that it is: every event that decided about its identity, with the evidence that the event carries, in the order
// of the journal. What a device says of itself is in it too, whenever it says something else than before.

package import Events
package import Evidence
package import Journal
internal import PrinterModel
internal import Projections

package struct IdentityTrail: Sendable {
  /// One thing that was decided, or told.
  package struct Entry: Equatable, Sendable {
    package var device: DeviceID
    package var position: RecordPosition
    /// Milliseconds since 1970 UTC, by the agent's clock.
    package var observed: Int64
    /// The event's name, or `Identity` for what the device says of itself.
    package var what: String
    package var evidence: String
  }

  package private(set) var entries: [Entry] = []
  /// The last record that retention removed: what was before it is not in the trail.
  package let removed: RecordPosition?

  /// - Parameter device: by its id or the beginning of it, its serial number or its address; nil: every device.
  /// - Throws: `SearchError` where there is no such device, `JournalError`.
  package init(_ reader: JournalReader, device text: String?) throws {
    let last = try JournalRange(reader).last
    let base = try FleetBase(reader)
    removed = base.removed
    var wanted: Set<DeviceID>?
    if let text { wanted = [try DeviceSearch.device(text, reader, through: last).id] }
    var fold = TrailFold(base.state)
    var decoder = EventDecoder(.withoutRaw)
    try reader.scan(from: base.first, through: last) { view in
      guard let header = try? EventHeader(view.payload), header.device != nil, TrailFold.isTelling(header.type),
        let event = try? decoder.event(view.payload)
      else { return true }
      fold.apply(event, at: view.position)
      return true
    }
    entries = fold.entries
    guard var devices = wanted else { return }
    // What was merged into the device is a part of its history.
    devices.formUnion(fold.merged.filter { devices.contains($0.value) }.keys)
    entries = entries.filter { devices.contains($0.device) }
  }

  package var text: String {
    guard !entries.isEmpty else { return "Nothing that decided about a device is in the journal.\n" }
    var table = TextTable([.init("TIME"), .init("RECORD"), .init("DEVICE"), .init("WHAT"), .init("EVIDENCE")])
    for entry in entries {
      table.add([
        UTCTime.text(milliseconds: entry.observed), "\(entry.position)", entry.device.short, entry.what, entry.evidence,
      ])
    }
    let gone = removed.map { "Records up to \($0) were removed; what they decided is not shown.\n" } ?? ""
    return table.text + gone
  }

  package var json: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("removedThrough", removed?.description)
      json.key("trail")
      json.array(entries) { json, entry in
        json.object { json in
          json.member("device", entry.device.description)
          json.member("record", entry.position.description)
          json.member("observed", UTCTime.text(milliseconds: entry.observed))
          json.member("what", entry.what)
          json.member("evidence", entry.evidence)
        }
      }
    }
    return json.take()
  }
}

/// Turns events into entries.
private struct TrailFold {
  private(set) var entries: [IdentityTrail.Entry] = []
  private(set) var merged: [DeviceID: DeviceID] = [:]
  private var said: [DeviceID: DeviceIdentity] = [:]

  init(_ base: FleetState) {
    for state in base.devices.values {
      said[state.id] = state.reading?.fact.identity ?? state.discovered?.fact.identity
      if let into = state.merged?.fact.into { merged[state.id] = into }
    }
  }

  static func isTelling(_ type: UInt16) -> Bool {
    switch type {
    case EventType.deviceDiscovered, EventType.deviceMoved, EventType.deviceReplaced, EventType.deviceSeenAlso,
      EventType.deviceMerged, EventType.deviceRetired, EventType.deviceReturned, EventType.readingTaken,
      EventType.readingChanged:
      true
    default: false
    }
  }

  mutating func apply(_ event: Event, at position: RecordPosition) {
    guard let device = event.device else { return }
    func add(_ words: String, to entries: inout [IdentityTrail.Entry]) {
      let name = EventType.name(event.body.type)
      entries.append(
        .init(device: device, position: position, observed: event.time, what: name, evidence: words))
    }
    switch event.body {
    case .deviceDiscovered(let body):
      said[device] = body.identity
      let reason = body.evidence.isEmpty ? "unlike any known device" : body.evidence
      add("at \(body.address): \(reason); \(Self.words(body.identity))", to: &entries)
    case .deviceMoved(let body):
      add("from \(body.from.isEmpty ? "nowhere" : body.from) to \(body.to): \(body.evidence)", to: &entries)
    case .deviceReplaced(let body):
      add("at \(body.address) by \(body.replacement.short): \(body.evidence)", to: &entries)
    case .deviceSeenAlso(let body):
      add("at \(body.address), where it is not polled, while at \(body.known): \(body.evidence)", to: &entries)
    case .deviceMerged(let body):
      merged[device] = body.into
      add("into \(body.into.short), seen at \(body.address): \(body.evidence)", to: &entries)
    case .deviceRetired(let body): add(body.evidence, to: &entries)
    case .deviceReturned(let body): add("at \(body.address): \(body.evidence)", to: &entries)
    case .readingTaken(let body): tell(body.reading.identity, device, event, position)
    case .readingChanged(let body):
      if let identity = body.change.identity { tell(identity, device, event, position) }
    default: break
    }
  }

  /// What the device says of itself now and did not before.
  private mutating func tell(
    _ identity: DeviceIdentity, _ device: DeviceID, _ event: Event, _ position: RecordPosition
  ) {
    let before = said.updateValue(identity, forKey: device) ?? DeviceIdentity()
    let changes = zip(Self.parts(before), Self.parts(identity)).compactMap { old, new -> String? in
      guard old.value != new.value else { return nil }
      return "\(new.name) \(new.value ?? "not told") instead of \(old.value ?? "not told")"
    }
    guard !changes.isEmpty else { return }
    entries.append(
      .init(
        device: device, position: position, observed: event.time, what: "Identity",
        evidence: changes.joined(separator: ", ")))
  }

  private static func words(_ identity: DeviceIdentity) -> String {
    parts(identity).compactMap { part in part.value.map { "\(part.name) \($0)" } }.joined(separator: ", ")
  }

  private static func parts(_ identity: DeviceIdentity) -> [(name: String, value: String?)] {
    [
      ("serial", identity.serial?.text), ("MAC", identity.macAddress?.macText), ("make", identity.make),
      ("model", identity.model?.text), ("host name", identity.hostName?.text),
      ("firmware", identity.firmware?.text),
    ]
  }
}
