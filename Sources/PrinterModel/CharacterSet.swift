// Character sets of prtLocalizationCharacterSet (RFC 3805), by IANA MIBenum.
//
// A device's strings come in the character set of a locale that it names, and most devices say UTF-8, or say something and send UTF-8 all the
// same. So bytes that are valid UTF-8 are read as UTF-8; only others are read by the declared set. A device that declares none, or one that
// such bytes cannot be of (US-ASCII, UTF-8), most likely means ISO 8859-1. One that declares a set which nobody here knows is not guessed at:
// each byte that is not ASCII is shown as U+FFFD.
//
// The tables are those of the C library's iconv.

internal import Glibc

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

  /// What devices say that name no set ("other" and "unknown" of IANA's registry among it), or one that has no such bytes.
  private static let silentOnes: Set<Int64> = [-2, -1, 0, 1, 2, ascii.rawValue, latin1.rawValue, utf8.rawValue]

  /// Sets of two or four bytes a character, in which nearly every other byte of a Latin text is NUL.
  package var isWide: Bool { Self.wide.contains(rawValue) }
  private static let wide: Set<Int64> = [1000, 1001, 1013, 1014, 1015, 1017, 1018, 1019]
  /// Sets whose characters are ASCII bytes between escape sequences.
  private static let escaping: Set<Int64> = [16, 37, 39, 40, 104]

  /// Whether bytes that may be UTF-8 as well are plainly in this set.
  func isBorneOut(by bytes: ArraySlice<UInt8>) -> Bool {
    if Self.escaping.contains(rawValue) { return bytes.contains(0x1B) }
    guard isWide else { return false }
    let hasControls = bytes.contains { $0 < 0x20 && !(0x09...0x0D).contains($0) }
    return hasControls || String(validating: bytes, as: UTF8.self) == nil
  }

  /// Decodes bytes that are not UTF-8. Bytes without a character become U+FFFD.
  package func decode(_ bytes: some Sequence<UInt8>) -> String {
    if Self.silentOnes.contains(rawValue) { return decodeLatin1(bytes) }
    let bytes = Array(bytes)
    return name(for: bytes).flatMap { Self.converted(bytes, from: $0) } ?? decodeASCIIOnly(bytes)
  }

  /// iconv's name. UTF-16 and UTF-32 begin with a mark of their byte order, or are big-endian (RFC 2781, section 4.3), where NUL bytes do not
  /// say the contrary: those of Latin text stand in front there.
  private func name(for bytes: [UInt8]) -> String? {
    guard let name = Self.names[rawValue], name == "UTF-16" || name == "UTF-32" else { return Self.names[rawValue] }
    let marks: [[UInt8]] = [[0xFE, 0xFF], [0xFF, 0xFE], [0, 0, 0xFE, 0xFF]]
    guard !marks.contains(where: bytes.starts) else { return name }
    let isSwapped = bytes.first != 0 && bytes.indices.contains { !$0.isMultiple(of: 2) && bytes[$0] == 0 }
    return name + (isSwapped ? "LE" : "BE")
  }

  private func decodeLatin1(_ bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(Unicode.Scalar(byte)) }
    return String(text)
  }

  private func decodeASCIIOnly(_ bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(byte < 0x80 ? Unicode.Scalar(byte) : Self.replacement) }
    return String(text)
  }

  private static let replacement: Unicode.Scalar = "\u{FFFD}"

  /// Converts with iconv; nil where this system does not know the set.
  private static func converted(_ bytes: [UInt8], from name: String) -> String? {
    guard let converter = iconv_open("UTF-8", name), converter != iconv_t(bitPattern: -1) else { return nil }
    defer { iconv_close(converter) }
    // No character of any of these sets takes more than four bytes of UTF-8 for one of its own.
    var room = [UInt8](repeating: 0, count: 4 * bytes.count + 16)
    var converted: [UInt8] = []
    var input = bytes.map { CChar(bitPattern: $0) }
    var position = 0
    while position < input.count {
      let isWhole = input[position...].withUnsafeMutableBufferPointer { rest in
        room.withUnsafeMutableBytes { output in
          var (from, fromLeft) = (rest.baseAddress, rest.count)
          var (to, toLeft) = (output.baseAddress?.assumingMemoryBound(to: CChar.self), output.count)
          let result = iconv(converter, &from, &fromLeft, &to, &toLeft)
          converted += output[..<(output.count - toLeft)]
          position += rest.count - fromLeft
          return result != -1
        }
      }
      guard !isWhole else { break }
      converted += Array(String(replacement).utf8)
      position += 1
    }
    return String(decoding: converted, as: UTF8.self)
  }

  /// By IANA's registry of character sets; where a printer's firmware means the common superset of a set by its name, that one.
  private static let names: [Int64: String] = [
    5: "ISO-8859-2", 6: "ISO-8859-3", 7: "ISO-8859-4", 8: "ISO-8859-5", 9: "ISO-8859-6", 10: "ISO-8859-7",
    11: "ISO-8859-8", 12: "ISO-8859-9", 13: "ISO-8859-10", 16: "ISO-2022-JP", 17: "CP932", 18: "EUC-JP",
    36: "UHC", 37: "ISO-2022-KR", 38: "UHC", 39: "ISO-2022-JP", 40: "ISO-2022-JP-2", 57: "GBK", 104: "ISO-2022-CN",
    109: "ISO-8859-13", 110: "ISO-8859-14", 111: "ISO-8859-15", 112: "ISO-8859-16", 113: "GBK", 114: "GB18030",
    1000: "UCS-2BE", 1001: "UCS-4BE", 1013: "UTF-16BE", 1014: "UTF-16LE", 1015: "UTF-16", 1017: "UTF-32",
    1018: "UTF-32BE", 1019: "UTF-32LE", 2004: "HP-ROMAN8", 2009: "CP850", 2010: "CP852", 2011: "CP437", 2013: "CP862",
    2024: "CP932", 2025: "GBK", 2026: "BIG5", 2027: "MACINTOSH", 2046: "CP855", 2047: "CP857", 2048: "CP860",
    2049: "CP861", 2050: "CP863", 2051: "CP864", 2052: "CP865", 2054: "CP869", 2084: "KOI8-R", 2086: "CP866",
    2087: "CP775", 2088: "KOI8-U", 2089: "CP858", 2101: "BIG5-HKSCS", 2109: "CP874", 2250: "CP1250", 2251: "CP1251",
    2252: "CP1252", 2253: "CP1253", 2254: "CP1254", 2255: "CP1255", 2256: "CP1256", 2257: "CP1257", 2258: "CP1258",
    2259: "TIS-620",
  ]
}
