// The chain behind a number: from a meter's value back to the record, the object, the rule and the signature it rests on.
//
//     device, meter ──> MeterHistory ──> the record that set it ──> its hash ──> checkpoint ──> acknowledgement
//
// The value is that after the record `at`; what stands beside the records (checkpoints, the hub's acknowledgement) is as of now. Records are
// passed over in short transactions and none is kept.

package import Events
package import Evidence
package import Journal
package import OpenSSL
internal import PrinterModel

/// What the hub said about a record.
package enum Acknowledgement: Equatable, Sendable {
  /// The hub has it, and everything up to this record.
  case acknowledged(upTo: RecordPosition)
  /// The hub has not said so yet; up to here it did, nil: never.
  case outstanding(upTo: RecordPosition?)
  /// The hub refused it for good.
  case rejected(by: RecordPosition, reason: String)

  /// The cursor that delivery moves when the hub acknowledged (docs/formats/journal.md, "Databases").
  private static let cursorName = "dcam"

  init(of position: RecordPosition, _ reader: JournalReader) throws {
    let cursor = try reader.cursor(Self.cursorName)
    guard let cursor, cursor >= position else {
      self = .outstanding(upTo: cursor)
      return
    }
    self = .acknowledged(upTo: cursor)
    try reader.scan(from: position) { view in
      guard (try? EventHeader(view.payload))?.type == EventType.uploadRejected,
        case .uploadRejected(let rejected)? = (try? Event(payload: view.payload))?.body,
        RecordPosition(epoch: rejected.epoch, sequence: rejected.sequence) == position
      else { return true }
      self = .rejected(by: view.position, reason: rejected.reason)
      return false
    }
  }
}

package struct MeterExplanation: Sendable {
  package var device: DeviceID
  package var setting: MeterSetting
  /// The last record that was looked at for it.
  package var at: RecordPosition
  /// The hash that was recorded with the record, and whether it is that of what is stored now.
  package var leafHash: Digest
  package var isIntact: Bool
  package var seal: RecordSeal?
  package var acknowledgement: Acknowledgement
  /// Other records of this device, which counted the same pages.
  package var merged: [MergedVolume]
  /// Records up to `at` that this release cannot read and that may be about the device.
  package var unreadable: UInt64
  /// Whether the raw objects were asked for; where they are not known, `setting` has none all the same.
  package var wantsObjects: Bool
  /// Whether a countersigner's key was given, without whose signature the record is not vouched for.
  private var wantsCountersignature: Bool

  /// Whether the record is what its hash says, and no checkpoint that should be there is missing or wrong.
  package var isSound: Bool { isIntact && seal?.fault == nil && (seal != nil || !wantsCountersignature) }

  /// - Parameters:
  ///   - device: id, the beginning of it, serial number or address.
  ///   - meter: the meter's name, `total.monochrome`, in any case; or a column of the device table, `mono` or `colour`.
  ///   - withObjects: whether to read the raw objects, too.
  ///   - trusted: the journal's key and those of others that must have signed the checkpoint; nil: the journal's own word.
  /// - Throws: `SearchError` where there is no such device or meter.
  package init(
    _ reader: JournalReader, device: String, meter: String, at point: JournalPoint = .head, withObjects: Bool = false,
    trusted: TrustedKeys? = nil
  ) throws {
    let last = try JournalRange(reader, to: point).last
    let found = try DeviceSearch.device(device, reader, through: last)
    let names = found.reading?.meters.map(\.name) ?? []
    guard let name = Self.name(meter, among: names) else { throw SearchError.meter(meter, of: found, among: names) }
    let base = try FleetBase(reader)
    let passage = try Passage(
      MeterHistory(name, of: found.id, behind: base.state), reader, from: base.first, through: last,
      withObjects: withObjects)
    guard var setting = passage.history.setting else {
      if let removed = base.removed, names.contains(name) { throw JournalError.removed(through: removed) }
      throw SearchError.meter(meter, of: found, among: names)
    }
    if !withObjects { setting.objects = nil }
    let position = setting.value.moment.position
    (self.device, self.setting, at, unreadable) = (found.id, setting, last, passage.unreadable)
    wantsObjects = withObjects
    (leafHash, isIntact) = try Self.hash(of: position, reader)
    seal = try RecordSeal.covering(position, reader, trusted)
    wantsCountersignature = trusted?.countersigners.isEmpty == false
    acknowledgement = try Acknowledgement(of: position, reader)
    merged = try MergedVolume.all(of: found.id, name, reader, base, through: last)
  }

  /// The meter that `text` names; one that the device reports no more is named exactly.
  private static func name(_ text: String, among names: [MeterName]) -> MeterName? {
    let lower = text.lowercased()
    return columns[lower] ?? names.first { $0.description.lowercased() == lower } ?? MeterName(text)
  }

  /// Meters that the device table shows under a title of its own.
  private static let columns: [String: MeterName] = [
    "mono": MeterName(.total, .monochrome), "colour": MeterName(.total, .fullColor),
  ]

  private static func hash(of position: RecordPosition, _ reader: JournalReader) throws -> (Digest, Bool) {
    var found: (Digest, Bool)?
    try reader.scan(from: position, through: position, limit: 1) { view in
      found = (view.leafHash, view.leafHash == view.computedLeafHash())
      return false
    }
    guard let found else { throw SearchError.unknown("Record \(position) is gone.") }
    return found
  }
}

/// One look at all records, for one meter.
private struct Passage {
  private(set) var history: MeterHistory
  private(set) var unreadable: UInt64 = 0
  private var decoder: EventDecoder

  init(
    _ history: MeterHistory, _ reader: JournalReader, from first: RecordPosition, through last: RecordPosition,
    withObjects: Bool
  ) throws {
    self.history = history
    decoder = EventDecoder(withObjects ? .all : .withoutRaw)
    try reader.scan(from: first, through: last) { view in
      take(view)
      return true
    }
  }

  private mutating func take(_ view: RecordView) {
    guard let header = try? EventHeader(view.payload) else { return miss() }
    guard header.device == history.device else { return }
    do throws(EventCodingError) {
      let event = try decoder.event(view.payload)
      if case .unknown = event.body { unreadable += 1 }
      history.apply(
        event,
        at: RecordMoment(position: view.position, type: header.type, observed: event.time, recorded: view.time))
    } catch {
      miss()
    }
  }

  private mutating func miss() {
    unreadable += 1
    history.missed()
  }
}

extension SearchError {
  fileprivate static func meter(_ text: String, of device: DeviceSummary, among names: [MeterName]) -> SearchError {
    let known = names.isEmpty ? "It was not read yet." : "It has \(list(names.map(\.description)))."
    return .unknown("Device \(device.id) has no meter \"\(text)\". \(known)".replacingControls)
  }
}
