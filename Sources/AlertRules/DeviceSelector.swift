// The device that a setting means: by its serial number, or by the beginning of its id.

package import Events
package import PrinterModel

package struct DeviceSelector: Hashable, Sendable, CustomStringConvertible {
  /// Fewer digits are more likely a serial number than the beginning of an id.
  private static let idDigitsMin = 8

  package let description: String

  /// Nil for a text that can name no device: neither a serial number that identifies one, nor the beginning of an id.
  package init?(_ text: String) {
    description = text
    guard serial != nil || mayBeID else { return nil }
  }

  package func matches(_ device: DeviceID, _ identity: DeviceIdentity) -> Bool {
    if let serial, serial == identity.normalizedSerial { return true }
    return mayBeID && device.description.hasPrefix(description.lowercased())
  }

  /// Whether both can mean one device: by one serial number, however it is written, or by beginnings of one id.
  package func mayBe(_ other: DeviceSelector) -> Bool {
    if let serial, serial == other.serial { return true }
    guard mayBeID, other.mayBeID else { return false }
    let (mine, others) = (description.lowercased(), other.description.lowercased())
    return mine.hasPrefix(others) || others.hasPrefix(mine)
  }

  private var serial: String? {
    var named = DeviceIdentity()
    named.serial = DeviceText(description)
    return named.normalizedSerial
  }

  private var mayBeID: Bool {
    description.utf8.count >= Self.idDigitsMin && description.allSatisfy { $0.isHexDigit && $0.isASCII }
  }
}
