// The device that a setting means: by its serial number, or by the beginning of its id.

package import Events
package import PrinterModel

package struct DeviceSelector: Hashable, Sendable, CustomStringConvertible {
  /// Fewer digits are more likely a serial number than the beginning of an id.
  private static let idDigitsMin = 8

  package let description: String

  /// Nil for a text that can name no device.
  package init?(_ text: String) {
    guard text.contains(where: { $0.isLetter || $0.isNumber }) else { return nil }
    description = text
  }

  package func matches(_ device: DeviceID, _ identity: DeviceIdentity) -> Bool {
    var named = DeviceIdentity()
    named.serial = DeviceText(description)
    if let serial = named.normalizedSerial, serial == identity.normalizedSerial { return true }
    return description.utf8.count >= Self.idDigitsMin && device.description.hasPrefix(description.lowercased())
  }
}
