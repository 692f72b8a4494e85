// The device that somebody means: by its id or the beginning of it, its serial number, or its address.

internal import Events
package import Evidence
package import Journal
internal import PrinterModel
internal import Projections

/// Why nothing was found for a name on the command line.
package enum SearchError: Error, Equatable, CustomStringConvertible {
  case unknown(String)
  case ambiguous(String)

  package var description: String {
    switch self {
    case .unknown(let sentence), .ambiguous(let sentence): sentence
    }
  }

  /// `a, b, c and 7 more`
  static func list(_ candidates: [String]) -> String {
    let shown = candidates.prefix(candidatesShownMax).joined(separator: ", ")
    let rest = candidates.count - candidatesShownMax
    return rest > 0 ? "\(shown) and \(rest) more" : shown
  }

  /// More than these nobody reads in a sentence.
  private static let candidatesShownMax = 12
}

package struct DeviceSearch {
  /// Fewer digits are more likely a serial number than the beginning of an id.
  private static let idDigitsMin = 4

  private let devices: [DeviceSummary]
  /// Without those that go on as another device: they are found by their id.
  private let present: [DeviceSummary]

  /// Addresses where a device answers and is not polled, since it is polled at another.
  private let secondAddresses: [String: DeviceID]

  /// The one device that `text` names, as it was after record `last`. What an id, a serial number or an address is exactly goes before the
  /// beginning of an id. Holds the fleet's state, no records; for a whole id that of the one device.
  package static func device(
    _ text: String, _ reader: JournalReader, through last: RecordPosition
  ) throws -> DeviceSummary {
    if let id = DeviceID(hex: text), let found = try DeviceSearch(reader, through: last, only: id).devices.first {
      return found
    }
    return try DeviceSearch(reader, through: last).device(text)
  }

  private init(_ reader: JournalReader, through last: RecordPosition, only device: DeviceID? = nil) throws {
    let base = try FleetBase(reader)
    try base.expect(last)
    var fleet = base.state
    var second: [String: DeviceID] = [:]
    var decoder = EventDecoder(.withoutRaw)
    try reader.scan(from: base.first, through: last) { view in
      guard let header = try? EventHeader(view.payload), let id = header.device, device == nil || id == device,
        Self.isTelling(header.type), let event = try? decoder.event(view.payload)
      else { return true }
      fleet.apply(event)
      if case .deviceSeenAlso(let body) = event.body { second[body.address] = id }
      return true
    }
    devices = FleetReport.devices(of: fleet)
    secondAddresses = second
    present = devices.filter { $0.state.merged == nil }
  }

  /// Whether events of this type tell who a device is, or where.
  private static func isTelling(_ type: UInt16) -> Bool {
    [
      EventType.deviceDiscovered, EventType.deviceMoved, EventType.deviceReplaced, EventType.readingTaken,
      EventType.readingChanged, EventType.deviceMerged,
      EventType.deviceSeenAlso,
    ].contains(type)
  }

  private func device(_ text: String) throws(SearchError) -> DeviceSummary {
    for candidates in [byID(text), bySerial(text), byAddress(text), bySecondAddress(text), byBeginning(text)] {
      guard let first = candidates.first else { continue }
      guard candidates.count == 1 else {
        throw .ambiguous("\"\(text)\" may be \(list(candidates)). Name the device by its id.")
      }
      return first
    }
    let known = devices.isEmpty ? "There are no devices yet: the agent has found none." : "There are \(list(devices))."
    let short =
      (1..<Self.idDigitsMin).contains(text.utf8.count) && text.allSatisfy { $0.isHexDigit && $0.isASCII }
      ? " The beginning of an id has at least \(Self.idDigitsMin) digits." : ""
    throw .unknown("No device has the id, serial number or address \"\(text)\".\(short) \(known)")
  }

  private func list(_ devices: [DeviceSummary]) -> String {
    SearchError.list(devices.map { "\($0.id) (serial \($0.serial), at \($0.address))".replacingControls })
  }

  private func byID(_ text: String) -> [DeviceSummary] {
    DeviceID(hex: text).map { id in devices.filter { $0.id == id } } ?? []
  }

  private func byBeginning(_ text: String) -> [DeviceSummary] {
    guard text.utf8.count >= Self.idDigitsMin else { return [] }
    return devices.filter { $0.id.description.hasPrefix(text.lowercased()) }
  }

  private func bySerial(_ text: String) -> [DeviceSummary] {
    guard let serial = Self.normalizedSerial(DeviceText(text)) else { return [] }
    return present.filter { Self.normalizedSerial($0.identity?.serial) == serial }
  }

  private static func normalizedSerial(_ text: DeviceText?) -> String? {
    var identity = DeviceIdentity()
    identity.serial = text
    return identity.normalizedSerial
  }

  /// With or without the port. Whoever has a second address there.
  private func bySecondAddress(_ text: String) -> [DeviceSummary] {
    let ids = Set(secondAddresses.filter { $0.key == text || $0.key.hasPrefix(text + ":") }.values)
    return present.filter { ids.contains($0.id) }
  }

  /// With or without the port. Who was replaced at an address is meant only if nobody else is there.
  private func byAddress(_ text: String) -> [DeviceSummary] {
    let here = present.filter { $0.address == text || $0.address.hasPrefix(text + ":") }
    let present = here.filter { $0.state.replaced?.fact.address != $0.state.address }
    return present.isEmpty ? here : present
  }
}
