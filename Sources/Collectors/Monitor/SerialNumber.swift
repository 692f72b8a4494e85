// When two serial numbers are the same, and when a serial number is none.

package import PrinterModel

/// A serial number in the form that is compared: `  00abc-12 ` and `ABC-12` are one.
package struct SerialNumber: Hashable, Sendable, CustomStringConvertible {
  package let description: String

  /// Shorter ones are row numbers and remainders, not serial numbers: makers use six characters and more.
  private static let lengthMin = 4
  /// What is shorter tells not even two devices apart.
  fileprivate static let tellingLengthMin = 2

  /// What devices say when nobody set a serial number.
  private static let bogus: Set<String> = [
    "UNKNOWN", "NONE", "NULL", "N/A", "NA", "NOTAVAILABLE", "NOTSET", "UNSET", "UNDEFINED", "DEFAULT", "DEFAULTSERIAL",
    "SERIAL",
    "SERIALNUMBER", "SERIALNO", "S/N", "SN", "TEST", "EMPTY", "INVALID", "NOSERIAL", "TOBEFILLED", "123456", "1234567",
    "12345678",
    "123456789", "1234567890", "ABCDEFG", "ABCDEFGH",
  ]

  /// Nil for texts that identify nothing: empty, a placeholder, one character repeated, or no letter and no digit.
  package init?(_ text: String) { self.init(text, lengthMin: Self.lengthMin) }

  fileprivate init?(_ text: String, lengthMin: Int) {
    var kept = text.unicodeScalars.filter { $0.value > 0x20 && $0.value != 0x7f && $0.value != 0xa0 }.map(
      Character.init)[...]
    while kept.first == "0" { kept.removeFirst() }
    let serial = String(kept).uppercased()
    guard serial.count >= lengthMin, !Self.bogus.contains(serial) else { return nil }
    let meaningful = serial.filter { $0.isLetter || $0.isNumber }
    guard Set(meaningful).count > 1 else { return nil }
    description = serial
  }
}

extension DeviceIdentity {
  /// The serial number to compare, if the device has one that identifies it.
  package var comparableSerial: SerialNumber? { serial.flatMap { SerialNumber($0.text) } }

  /// The serial number by which a device is told from another. One that is too short to find a device by contradicts another of its kind.
  package var tellingSerial: SerialNumber? {
    serial.flatMap { SerialNumber($0.text, lengthMin: SerialNumber.tellingLengthMin) }
  }

  /// The hardware address to compare: six bytes of one station. All zeros, all ones and group addresses identify nothing.
  package var comparableMAC: [UInt8]? {
    guard let macAddress, macAddress.count == 6, macAddress[0] & 1 == 0, macAddress.contains(where: { $0 != 0 }) else {
      return nil
    }
    return macAddress
  }

  /// The UUID to compare. Firmware that was cloned gives one to every device of a model, so serial numbers and hardware addresses go before it.
  package var comparableUUID: String? { uuid.flatMap { $0.isEmpty ? nil : $0.lowercased() } }
}
