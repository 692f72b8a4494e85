// When two serial numbers are the same, and when a serial number is none. Readings, the agent's registry and the hub all ask here.

/// A serial number in the form that is compared: `  00abc-12 ` and `ABC12` are one.
package struct SerialNumber: Hashable, Sendable, CustomStringConvertible {
  /// Upper case letters and digits of ASCII, without zeros in front: devices, their own pages and their labels differ in these.
  package let description: String

  /// Shorter ones are row numbers and remainders, not serial numbers: makers use six characters and more.
  package static let lengthMin = 4
  /// What is shorter tells not even two devices apart.
  package static let tellingLengthMin = 2

  /// What devices say when nobody set a serial number, in the form that is compared.
  private static let placeholders: Set<String> = [
    "UNKNOWN", "NONE", "NULL", "NA", "NOTAVAILABLE", "NOTAPPLICABLE", "NOTSET", "NOTSPECIFIED", "NOTDEFINED", "UNSET",
    "UNDEFINED", "UNSPECIFIED", "DEFAULT", "DEFAULTSERIAL", "DEFAULTSTRING", "SERIAL", "SERIALNUMBER", "SERIALNO",
    "SYSTEMSERIALNUMBER", "SN", "TEST", "EMPTY", "INVALID", "NOSERIAL", "NOSERIALNUMBER", "TOBEFILLED",
    "TOBEFILLEDBYOEM", "TOBEDEFINED", "TBD", "TBA", "BLANK", "PLACEHOLDER", "PLEASESET", "PLEASEENTER",
    "SERIALNUMBERHERE", "SERIALHERE", "SERIALNUMBERNOTAVAILABLE", "SERIALNUMBERNOTSET", "PRINTERSERIAL",
    "PRINTERSERIALNUMBER", "UNKNOWNSERIAL", "UNKNOWNSERIALNUMBER", "UNSETSERIAL", "UNASSIGNED", "UNINITIALIZED",
    "UNINITIALISED", "UNPROGRAMMED", "NOTASSIGNED", "NOTCONFIGURED", "NOTFOUND", "NOTINITIALIZED", "NOTINITIALISED",
    "NOTPRESENT", "NOTPROGRAMMED", "NOTSUPPORTED", "NOTWRITTEN",
    // Memory that nobody wrote to: all bits set, as 8, 4 and 2 bytes hold them, and as a signed number; and the mark of programmers.
    "XFFFF", "XFFFFFFFF", "XFFFFFFFFFFFFFFFF", "65535", "2147483647", "4294967295", "18446744073709551615",
    "DEADBEEF", "XDEADBEEF",
  ]

  /// What fingers type into a field that must be filled: digits or letters in their order, from the first on. A running number passes one such value
  /// in a hundred thousand devices, and that one is still known by its MAC or its address.
  private static let sequences = ["123456789012345678901234567890", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
  private static let sequenceMin = 6
  /// Letters and a number that is nothing but so many zeros: running numbers begin at one.
  private static let zerosMin = 6

  /// A pattern that was never filled in, as `JPXXXXXXXX` is: this many of one mark at the end.
  private static let blankMarksMin = 6

  /// Nil for texts that identify nothing: placeholders, and what is shorter than `lengthMin`.
  package init?(_ text: String, lengthMin: Int = Self.lengthMin) {
    let serial = Self.comparable(text)
    guard serial.count >= lengthMin, !Self.isPlaceholder(text) else { return nil }
    description = serial
  }

  /// Whether a text stands where a serial number should be and is none: no letter and no digit, one character repeated, words for
  /// "not set", characters in their order, or a pattern that was not filled in.
  package static func isPlaceholder(_ text: String) -> Bool {
    let serial = comparable(text)
    if Set(serial).count <= 1 || placeholders.contains(serial) { return true }
    if serial.count >= sequenceMin, sequences.contains(where: { $0.hasPrefix(serial) }) { return true }
    return serial.hasSuffix(String(repeating: "X", count: blankMarksMin)) || isNumberZero(serial)
  }

  private static func isNumberZero(_ serial: String) -> Bool {
    let number = serial.drop(while: \.isLetter)
    return number.count >= zerosMin && number.allSatisfy { $0 == "0" }
  }

  private static func comparable(_ text: String) -> String {
    let kept = text.uppercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    return String(kept.drop { $0 == "0" })
  }
}

extension DeviceIdentity {
  /// The serial number to compare, if the device has one that identifies it.
  package var comparableSerial: SerialNumber? { serial.flatMap { SerialNumber($0.text) } }

  /// The serial number by which a device is told from another. One that is too short to find a device by contradicts another of its kind.
  package var tellingSerial: SerialNumber? {
    serial.flatMap { SerialNumber($0.text, lengthMin: SerialNumber.tellingLengthMin) }
  }

  /// The serial number as the hub keeps it and people search for it; nil if there is none or only a placeholder.
  package var normalizedSerial: String? { tellingSerial?.description }

  /// Whether it holds anything that one device alone has.
  package var isAnyones: Bool { normalizedSerial != nil || macAddress != nil || uuid != nil }
}
