// Numbers that reach a person or a place though they are short, and text that is written as numbers.

internal import MIB

/// Numbers of which the word before them says that they are somebody's.
enum PersonalNumber {
  /// What stands before a number to call, a secret, or a place on the map. `Fax` is not here: that is what printers count.
  private static let words: Set<String> = [
    "tel", "telefon", "telephone", "telefono", "teléfono", "téléphone", "phone", "fon", "mobil", "mobile", "handy",
    "cell", "ext",
    "extension", "durchwahl", "call", "hotline", "pin", "password", "passwort", "kennwort", "passcode", "pwd", "lat",
    "latitude", "lon",
    "lng", "longitude", "gps", "geo",
  ]
  /// Fewer digits are a menu's entry.
  private static let digitsMin = 3
  /// A place is told in degrees: as many digits behind the point are some ten metres.
  private static let decimalsMin = 4
  private static let degreesMax = 180

  /// - Parameters:
  ///   - number: with its points, hyphens and spaces.
  ///   - word: the last one before it, in lower case; empty: none.
  static func isOne(_ number: String, behind word: String) -> Bool {
    words.contains(word) && number.count(where: \.isNumber) >= digitsMin
  }

  /// Whether a number can be half of a place; alone it may be a version.
  static func isDegrees(_ number: String) -> Bool {
    let halves = number.split(separator: ".", omittingEmptySubsequences: false)
    guard halves.count == 2, let degrees = Int(halves[0]), halves[1].allSatisfy(\.isNumber) else { return false }
    return degrees <= degreesMax && halves[1].count >= decimalsMin
  }
}

/// Pairs of hexadecimal digits in a row, with one character between each two of them.
struct HexadecimalDump {
  /// The bytes that are written.
  var bytes: [UInt8] = []
  /// Where the first digit of each byte stands.
  var digits: [Int] = []

  /// Fewer say no word.
  private static let bytesMin = 4
  private static let separators: Set<UInt8> = [
    UInt8(ascii: " "), UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: ","),
  ]

  /// Those that are readable text.
  static func all(in text: [UInt8]) -> [HexadecimalDump] {
    var dumps: [HexadecimalDump] = []
    var index = 0
    while index < text.count {
      let dump = HexadecimalDump(in: text, from: index)
      if dump.bytes.count >= bytesMin, TextPattern.readable(dump.bytes) != nil { dumps.append(dump) }
      index = (dump.digits.last ?? index) + 1
    }
    return dumps
  }

  private init(in text: [UInt8], from start: Int) {
    guard start == 0 || !text[start - 1].isAlphanumeric else { return }
    var index = start
    while index + 1 < text.count, let high = text[index].hexadecimalDigit, let low = text[index + 1].hexadecimalDigit {
      let isClosed = index + 2 == text.count || !text[index + 2].isAlphanumeric
      guard isClosed else { break }
      bytes.append(high << 4 | low)
      digits.append(index)
      guard index + 2 < text.count, Self.separators.contains(text[index + 2]), text[index + 2] == text[start + 2] else {
        break
      }
      index += 3
    }
  }

  /// Writes another byte, in the case of the one that stands there.
  func write(_ byte: UInt8, at index: Int, in text: inout [UInt8]) {
    let place = digits[index]
    let isUpper = text[place...(place + 1)].contains { (0x41...0x46).contains($0) }
    let written = String(UInt16(byte) | 0x100, radix: 16, uppercase: isUpper).utf8.dropFirst()
    text.replaceSubrange(place...(place + 1), with: written)
  }
}

extension UInt8 {
  fileprivate var hexadecimalDigit: UInt8? {
    switch self {
    case 0x30...0x39: self - 0x30
    case 0x41...0x46: self - 0x41 + 10
    case 0x61...0x66: self - 0x61 + 10
    default: nil
    }
  }
}
