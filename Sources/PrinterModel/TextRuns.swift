// Where a device's bytes are text, and of which letters: for replacing words in place, each by as many bytes.
//
//     UTF-8 without control codes     all of it
//     UTF-16, of either order         its runs of printable characters, also within other bytes
//     a declared set of two bytes     all of it (prtLocalizationCharacterSet)
//     a declared set of one byte      all of it, where there are no control codes; else ISO 8859-1
//     other bytes                     runs of printable ASCII with what may be letters between them

/// A character and the bytes that it is made of.
struct TextUnit {
  var scalar: Unicode.Scalar
  var bytes: Range<Int>
  /// Where in `bytes` a letter of ASCII is written; the others are NUL then, or `x`.
  var isWide = false
  var letterAt = 0

  var isDigit: Bool { ("0"..."9").contains(scalar) }
  var isLetter: Bool { scalar.properties.isAlphabetic || (scalar.value >= 0x80 && isUncertain) }
  /// A byte of a set that nobody knows.
  var isUncertain = false
}

enum TextRuns {
  /// Fewer printable bytes in a row are there by chance.
  private static let runBytesMin = 4
  private static let runLettersMin = 3
  private static let wideUnitsMin = 3

  static func of(_ bytes: [UInt8], _ characterSet: CharacterSet?) -> [[TextUnit]] {
    guard bytes.contains(where: { $0 >= 0x30 }) else { return [] }
    let whole = range(ofTrimmed: bytes)
    if let characterSet, characterSet.isWide, characterSet.rawValue != 1001, whole.count > 1,
      characterSet.isBorneOut(by: bytes[whole])
    {
      return [pairs(bytes, in: 0..<(bytes.count & ~1), isSwapped: isSwapped(bytes, characterSet))]
    }
    let hasControls = bytes[whole].contains { $0 < 0x20 && !(0x09...0x0D).contains($0) }
    if !hasControls { return [letters(bytes, in: whole, characterSet)] }
    var runs: [[TextUnit]] = []
    var rest = 0
    for run in wideRuns(bytes) {
      guard let first = run.first, let last = run.last else { continue }
      runs += narrowRuns(bytes, in: rest..<first.bytes.lowerBound, characterSet)
      runs.append(run)
      rest = last.bytes.upperBound
    }
    return runs + narrowRuns(bytes, in: rest..<max(rest, bytes.count), characterSet)
  }

  private static func range(ofTrimmed bytes: [UInt8]) -> Range<Int> {
    let trimmed = bytes.trimmed
    return trimmed.startIndex..<trimmed.endIndex
  }

  private static func isSwapped(_ bytes: [UInt8], _ characterSet: CharacterSet) -> Bool {
    let (even, odd) = bytes.enumerated().reduce(into: (0, 0)) { count, byte in
      if byte.element == 0 { if byte.offset.isMultiple(of: 2) { count.0 += 1 } else { count.1 += 1 } }
    }
    return even == odd ? characterSet.rawValue == 1014 || bytes.starts(with: [0xFF, 0xFE]) : odd > even
  }

  /// Two bytes a character.
  private static func pairs(_ bytes: [UInt8], in range: Range<Int>, isSwapped: Bool) -> [TextUnit] {
    stride(from: range.lowerBound, to: range.upperBound - 1, by: 2).map { index in
      let (first, second) = (UInt32(bytes[index]), UInt32(bytes[index + 1]))
      let value = isSwapped ? second << 8 | first : first << 8 | second
      // Half of a pair of surrogates is a letter that nobody knows.
      return TextUnit(
        scalar: Unicode.Scalar(value) ?? "\u{4E00}", bytes: index..<(index + 2), isWide: true,
        letterAt: isSwapped ? 0 : 1)
    }
  }

  /// Runs of a printable character beside a NUL each.
  private static func wideRuns(_ bytes: [UInt8]) -> [[TextUnit]] {
    func isPrintable(_ byte: UInt8) -> Bool { (0x20...0x7E).contains(byte) || byte >= 0xA0 }
    func isPair(_ index: Int, _ isSwapped: Bool) -> Bool {
      guard index + 1 < bytes.count else { return false }
      return isPrintable(bytes[isSwapped ? index : index + 1]) && bytes[isSwapped ? index + 1 : index] == 0
    }
    var runs: [[TextUnit]] = []
    var index = 0
    while index < bytes.count {
      var best = 0
      var order = false
      for isSwapped in [true, false] {
        var end = index
        while isPair(end, isSwapped) { end += 2 }
        // The last one's NUL may be cut off.
        if end > index, isSwapped, end == bytes.count - 1, isPrintable(bytes[end]) { end += 1 }
        if end - index > best { (best, order) = (end - index, isSwapped) }
      }
      guard best >= 2 * wideUnitsMin else {
        index += 1
        continue
      }
      var run = pairs(bytes, in: index..<(index + best), isSwapped: order)
      if !best.isMultiple(of: 2), let last = bytes[..<(index + best)].last {
        run.append(
          TextUnit(scalar: Unicode.Scalar(last), bytes: (index + best - 1)..<(index + best), isWide: true))
      }
      runs.append(run)
      index += best
    }
    return runs
  }

  private static func narrowRuns(
    _ bytes: [UInt8], in range: Range<Int>, _ characterSet: CharacterSet?
  ) -> [[TextUnit]] {
    guard !range.isEmpty else { return [] }
    let isPrintable = { (byte: UInt8) in (0x20...0x7E).contains(byte) || byte >= 0x80 }
    return bytes[range].indices.split { !isPrintable(bytes[$0]) }.compactMap { run in
      guard let first = run.first, let last = run.last, run.count >= runBytesMin else { return nil }
      let plain = run.count { bytes[$0] < 0x80 }
      let letters = run.count { bytes[$0].isASCIILetter }
      guard letters >= runLettersMin, 2 * plain >= run.count else { return nil }
      return self.letters(bytes, in: first..<(last + 1), characterSet)
    }
  }

  /// One byte a character, or UTF-8.
  private static func letters(_ bytes: [UInt8], in range: Range<Int>, _ characterSet: CharacterSet?) -> [TextUnit] {
    var position = range.lowerBound
    if let text = String(validating: bytes[range], as: UTF8.self) {
      return text.unicodeScalars.map { scalar in
        let next = position + UTF8.width(scalar)
        defer { position = next }
        return TextUnit(scalar: scalar, bytes: position..<next)
      }
    }
    let decoded = Array((characterSet ?? .latin1).decode(bytes[range]).unicodeScalars)
    let isOneToOne = decoded.count == range.count && !decoded.contains("\u{FFFD}")
    return range.map { index in
      let scalar = isOneToOne ? decoded[index - range.lowerBound] : Unicode.Scalar(bytes[index])
      return TextUnit(scalar: scalar, bytes: index..<(index + 1), isUncertain: !isOneToOne)
    }
  }
}

extension UTF8 {
  fileprivate static func width(_ scalar: Unicode.Scalar) -> Int { scalar.utf8.count }
}

extension UInt8 {
  var isASCIILetter: Bool { (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) }
}
