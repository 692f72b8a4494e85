// Character sets of prtLocalizationCharacterSet (RFC 3805), by IANA MIBenum.
//
// A device's strings come in the character set of its current locale, and most devices say UTF-8, or say something and send UTF-8 all
// the same. So bytes that are valid UTF-8 are read as UTF-8; only others are read by the declared set, and without one by ISO 8859-1.
// Sets of more than one byte a character (Shift_JIS, EUC-JP, GB 2312, Big5) are not decoded: their bytes are kept, and the text shows
// U+FFFD for each byte that is not ASCII.

/// A character set by its IANA MIBenum.
package struct CharacterSet: RawRepresentable, Hashable, Sendable {
  package let rawValue: Int64
  package init(rawValue: Int64) { self.rawValue = rawValue }

  package static let ascii = CharacterSet(rawValue: 3)
  package static let latin1 = CharacterSet(rawValue: 4)
  package static let utf8 = CharacterSet(rawValue: 106)
  package static let hpRoman8 = CharacterSet(rawValue: 2004)
  package static let ibm850 = CharacterSet(rawValue: 2009)
  package static let windows1252 = CharacterSet(rawValue: 2252)

  /// The sets of several bytes a character that devices declare: Shift_JIS, EUC-JP, EUC-KR, ISO-2022-JP, GBK, GB 18030, GB 2312, Big5.
  private static let multibyte: Set<Int64> = [16, 17, 18, 37, 38, 39, 113, 114, 2024, 2025, 2026]

  /// Decodes bytes that are not UTF-8. Bytes without a character become U+FFFD.
  package func decode(_ bytes: some Sequence<UInt8>) -> String {
    if Self.multibyte.contains(rawValue) { return decodeASCIIOnly(bytes) }
    guard let (table, start) = table else { return decodeLatin1(bytes) }
    var text = String.UnicodeScalarView()
    for byte in bytes {
      let codePoint = byte < start ? UInt16(byte) : table[Int(byte - start)]
      text.append(Unicode.Scalar(codePoint) ?? replacement)
    }
    return String(text)
  }

  private func decodeLatin1(_ bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(Unicode.Scalar(byte)) }
    return String(text)
  }

  private func decodeASCIIOnly(_ bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(byte < 0x80 ? Unicode.Scalar(byte) : replacement) }
    return String(text)
  }

  private var replacement: Unicode.Scalar { "\u{FFFD}" }

  /// The upper half and the byte that it begins with; nil for ISO 8859-1, which maps each byte to itself.
  private var table: (codePoints: [UInt16], start: UInt8)? {
    switch rawValue {
    case 5: (CharacterSetTables.latin2, 0xA0)
    case 6: (CharacterSetTables.latin3, 0xA0)
    case 7: (CharacterSetTables.latin4, 0xA0)
    case 8: (CharacterSetTables.cyrillic, 0xA0)
    case 9: (CharacterSetTables.arabic, 0xA0)
    case 10: (CharacterSetTables.greek, 0xA0)
    case 11: (CharacterSetTables.hebrew, 0xA0)
    case 12: (CharacterSetTables.latin5, 0xA0)
    case 111: (CharacterSetTables.latin9, 0xA0)
    case 2004: (CharacterSetTables.hpRoman8, 0xA0)
    case 2009: (CharacterSetTables.ibm850, 0x80)
    case 2011: (CharacterSetTables.ibm437, 0x80)
    case 2250: (CharacterSetTables.windows1250, 0x80)
    case 2251: (CharacterSetTables.windows1251, 0x80)
    case 2252: (CharacterSetTables.windows1252, 0x80)
    default: nil
    }
  }
}
