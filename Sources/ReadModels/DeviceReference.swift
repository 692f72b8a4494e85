// How people name a device on a command line: by the first digits of its id, as tables show them, by its serial number, or by its address.

package import Events
internal import PrinterModel
package import Projections

/// What somebody typed for a device.
package struct DeviceReference: Equatable, Sendable {
  /// Fewer digits name a device by chance.
  package static let digitsLeast = 4

  private let text: String

  /// Any text; whether it names a device only a fleet can tell.
  package init(_ text: String) { self.text = text }

  /// The device of the fleet that is meant. A whole id needs none to be there: its events may be all that is left of it.
  package func device(in fleet: FleetState) throws(DeviceReferenceError) -> DeviceID {
    if let id = DeviceID(hex: text) { return id }
    let matches = FleetReport.devices(of: fleet).filter(isMeant)
    guard let first = matches.first else { throw .nothing(text) }
    guard matches.count == 1 else {
      throw .ambiguous(text, matches.map { "\($0.shortID) (serial \($0.serial), at \($0.address))" })
    }
    return first.id
  }

  private func isMeant(_ device: DeviceSummary) -> Bool {
    let digits = text.lowercased()
    if digits.utf8.count >= Self.digitsLeast, device.id.description.hasPrefix(digits) { return true }
    if device.address == text || device.address.hasPrefix(text + ":") { return true }
    var meant = DeviceIdentity()
    meant.serial = DeviceText(text)
    guard let serial = meant.normalizedSerial else { return false }
    return device.identity?.normalizedSerial == serial
  }
}

package enum DeviceReferenceError: Error, Equatable, Sendable, CustomStringConvertible {
  case nothing(String)
  case ambiguous(String, [String])

  package var description: String {
    switch self {
    case .nothing(let text):
      "There is no device \"\(text)\". Give the first \(DeviceReference.digitsLeast) or more digits of its id, its serial number or its "
        + "address; ptjournal replay lists them."
    case .ambiguous(let text, let matches):
      "\"\(text)\" can be \(matches.count) devices: \(matches.joined(separator: ", ")). Give more digits of the id."
    }
  }
}
