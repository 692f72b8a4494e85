// One value of an attribute, by its syntax: RFC 8010, section 3.9.

package indirect enum IPPValue: Hashable, Sendable {
  case integer(Int32)
  case enumeration(Int32)
  case boolean(Bool)
  case dateTime(IPPDateTime)
  case resolution(across: Int32, along: Int32, units: Int8)
  case range(Int32, Int32)
  /// Text of any of the character-string syntaxes.
  case string(String, IPPStringSyntax)
  /// Bytes that are no text by their syntax; printers put text into them all the same (`printer-supply`).
  case octets([UInt8])
  case collection([IPPAttribute])
  /// A value that says that there is none.
  case outOfBand(IPPOutOfBand)
  /// What could not be read by its syntax, or has one that nobody defined: kept as it came.
  case undecodable(tag: UInt8, [UInt8])
}

/// The character-string syntaxes, by their tags.
package enum IPPStringSyntax: UInt8, Hashable, Sendable, CaseIterable {
  case textWithLanguage = 0x35
  case nameWithLanguage = 0x36
  case textWithoutLanguage = 0x41
  case nameWithoutLanguage = 0x42
  case keyword = 0x44
  case uri = 0x45
  case uriScheme = 0x46
  case charset = 0x47
  case naturalLanguage = 0x48
  case mimeMediaType = 0x49
}

/// The out-of-band values, by their tags (RFC 8010, section 3.8; RFC 3380).
package enum IPPOutOfBand: Hashable, Sendable {
  case unsupported, unknown, noValue
  /// One of the others.
  case other(UInt8)

  init(tag: UInt8) {
    switch tag {
    case 0x10: self = .unsupported
    case 0x12: self = .unknown
    case 0x13: self = .noValue
    default: self = .other(tag)
    }
  }

  var tag: UInt8 {
    switch self {
    case .unsupported: 0x10
    case .unknown: 0x12
    case .noValue: 0x13
    case .other(let tag): tag
    }
  }
}

/// DateAndTime of RFC 2579: what the printer sent, sensible or not.
package struct IPPDateTime: Hashable, Sendable, CustomStringConvertible {
  static let byteCount = 11

  /// year 2, month, day, hour, minute, second, tenth, `+` or `-`, hours and minutes from UTC.
  package let bytes: [UInt8]

  /// Nil unless there are exactly 11.
  package init?(bytes: [UInt8]) {
    guard bytes.count == Self.byteCount else { return nil }
    self.bytes = bytes
  }

  /// `2026-11-25T08:15:00.0+0100`
  package var description: String {
    func two(_ index: Int) -> String { bytes[index] < 10 ? "0\(bytes[index])" : "\(bytes[index])" }
    let year = String(Int(bytes[0]) << 8 | Int(bytes[1]))
    let padded = String(repeating: "0", count: max(0, 4 - year.count)) + year
    return "\(padded)-\(two(2))-\(two(3))T\(two(4)):\(two(5)):\(two(6)).\(bytes[7])"
      + "\(Character(Unicode.Scalar(bytes[8])))\(two(9))\(two(10))"
  }
}

extension IPPValue {
  /// The number of an integer or an enum.
  package var number: Int32? {
    switch self {
    case .integer(let number), .enumeration(let number): number
    default: nil
    }
  }

  /// The text of a string, and of octets where they are text.
  package var text: String? {
    switch self {
    case .string(let text, _): text
    case .octets(let bytes): String(validating: bytes, as: UTF8.self)
    default: nil
    }
  }
}
