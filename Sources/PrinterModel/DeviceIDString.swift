// IEEE 1284 device id: `KEY:VALUE;KEY:VALUE;…` (IEEE 1284.1; PWG Command Set Format 1.0). Keys have short and long spellings;
// values may hold colons. Some printers put a two-byte length in front, and some leave the last semicolon out.

/// The fields of an IEEE 1284 device id.
package struct DeviceIDString: Equatable, Sendable {
  package var manufacturer: String?
  package var model: String?
  package var serialNumber: String?
  /// CLS, upper case: `PRINTER`.
  package var deviceClass: String?

  /// Reads what is there; unknown keys are passed over and of two alike the first holds.
  package init(_ text: some StringProtocol) {
    for field in text.split(separator: ";") {
      let halves = field.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard halves.count == 2 else { continue }
      let value = String(halves[1]).trimmed
      guard !value.isEmpty else { continue }
      let key = String(halves[0]).trimmed.uppercased()
      if key.hasSuffix("MFG") || key.hasSuffix("MANUFACTURER") {
        manufacturer = manufacturer ?? value
      } else if key == "MDL" || key == "MODEL" {
        model = model ?? value
      } else if key == "SN" || key == "SER" || key == "SERN" || key == "SERIALNUMBER" {
        serialNumber = serialNumber ?? Self.unfolded(value)
      } else if key == "CLS" || key == "CLASS" {
        deviceClass = deviceClass ?? value.uppercased()
      }
    }
  }

  /// Epson writes the serial as hexadecimal digits of its characters (`58384739…` for `X8G9…`).
  private static func unfolded(_ serial: String) -> String {
    let digits = Array(serial.utf8)
    guard digits.count >= 16, digits.count.isMultiple(of: 2) else { return serial }
    var characters: [UInt8] = []
    for index in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16),
        isAlphanumeric(byte)
      else { return serial }
      characters.append(byte)
    }
    return String(decoding: characters, as: UTF8.self)
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: false
    }
  }
}
