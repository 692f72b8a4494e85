// Replaces the words of a text that a printer does not say by stand-ins of their length and kind: the same word by the same stand-in in all
// the file and in either case, so that rows which belong together still do.

internal import MIB

struct WordMask {
  private let vocabulary: PrinterVocabulary
  private let characterSet: CharacterSet?
  private var random: ReplacementSource
  /// By the word in lower case; as many ASCII letters and digits as it has characters.
  private var standIns: [String: [UInt8]] = [:]

  init(_ vocabulary: PrinterVocabulary, _ characterSet: CharacterSet?, _ random: ReplacementSource) {
    (self.vocabulary, self.characterSet, self.random) = (vocabulary, characterSet, random)
  }

  /// Replaces what nobody knows.
  /// - Parameters:
  ///   - covered: bytes that have been replaced already, and stay.
  ///   - learnsWords: whether words that have not been replaced elsewhere are, too.
  mutating func masked(_ bytes: [UInt8], covered: [Bool], learnsWords: Bool = true) -> [UInt8] {
    var covered = covered
    for phrase in vocabulary.phrases { Self.cover(phrase, in: bytes, &covered) }
    var masked = bytes
    for run in TextRuns.of(bytes, characterSet) {
      let isFree = run.map { unit in !covered[unit.bytes].contains(true) }
      let words = run.indices.split { !isFree[$0] || !(run[$0].isLetter || run[$0].isDigit) }.map(Array.init)
      guard learnsWords else {
        for word in words where standIns[text(run, word)] != nil && word.count >= Self.nameLettersMin {
          replace(run, word, in: &masked)
        }
        continue
      }
      for word in words where !run[word[0]].isDigit || word.contains(where: { run[$0].isLetter }) {
        mask(run, word, in: &masked)
      }
      maskNumbers(run, words, isFree, in: &masked)
    }
    maskHexadecimalText(in: &masked, covered)
    return masked
  }

  /// A phrase stands for itself where no letter or digit is next to it; `PN` may stand before a part's number.
  private static func cover(_ phrase: [UInt8], in bytes: [UInt8], _ covered: inout [Bool]) {
    var from = 0
    while let place = bytes.place(of: phrase, from: from) {
      from = place.upperBound
      let isClosed = place.upperBound == bytes.count || !bytes[place.upperBound].isAlphanumeric
      let before = bytes[..<place.lowerBound].reversed().prefix { $0.isAlphanumeric }
      guard isClosed, before.isEmpty || before.elementsEqual("NP".utf8) else { continue }
      for index in place where !covered[index] { covered[index] = true }
    }
  }

  private func text(_ run: [TextUnit], _ word: [Int]) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: word.map { run[$0].scalar })
    return String(text).lowercased()
  }

  private mutating func mask(_ run: [TextUnit], _ word: [Int], in bytes: inout [UInt8]) {
    var written = String.UnicodeScalarView()
    written.append(contentsOf: word.map { run[$0].scalar })
    let isCode = word.contains { run[$0].isDigit }
    let isKnown = isCode ? vocabulary.knowsCode(String(written)) : vocabulary.knows(String(written))
    if !isKnown { replace(run, word, in: &bytes) }
  }

  private mutating func maskNumbers(_ run: [TextUnit], _ words: [[Int]], _ isFree: [Bool], in bytes: inout [UInt8]) {
    let numbers = numbers(run, words, isFree)
    let arePlaces = numbers.count { PersonalNumber.isDegrees($0.written) } > 1
    for number in numbers {
      let isPersonal =
        PersonalNumber.isOne(number.written, behind: number.word)
        || (arePlaces && PersonalNumber.isDegrees(number.written))
      if !isPersonal, vocabulary.knowsNumber(number.written) { continue }
      for digits in number.groups { replace(run, digits, in: &bytes) }
    }
  }

  /// Groups of digits with little between them.
  private struct Number {
    var groups: [[Int]]
    /// With what is between the groups.
    var written: String
    /// The last word before it, in lower case.
    var word: String
  }

  private func numbers(_ run: [TextUnit], _ words: [[Int]], _ isFree: [Bool]) -> [Number] {
    var numbers: [Number] = []
    var groups: [[Int]] = []
    var word = ""
    for group in words + [[]] {
      let isDigits = !group.isEmpty && group.allSatisfy { run[$0].isDigit }
      let gap = groups.last?.last.flatMap { last in group.first.map { (last + 1)..<$0 } }
      if isDigits, let gap, Self.joins(run[gap], isFree[gap]) {
        groups.append(group)
        continue
      }
      if let first = groups.first?.first, let last = groups.last?.last {
        numbers.append(Number(groups: groups, written: text(run, Array(first...last)), word: word))
      }
      groups = isDigits ? [group] : []
      if !isDigits, !group.isEmpty { word = text(run, group) }
    }
    return numbers
  }

  /// Text that is written as the numbers of its characters: `75 7a 61 6e`. What it says is masked as if it stood there.
  private mutating func maskHexadecimalText(in bytes: inout [UInt8], _ covered: [Bool]) {
    for dump in HexadecimalDump.all(in: bytes) where !dump.digits.contains(where: { covered[$0] }) {
      let masked = masked(dump.bytes, covered: [Bool](repeating: false, count: dump.bytes.count))
      for (index, byte) in masked.enumerated() where byte != dump.bytes[index] {
        dump.write(byte, at: index, in: &bytes)
      }
    }
  }

  private static func joins(_ gap: ArraySlice<TextUnit>, _ isFree: ArraySlice<Bool>) -> Bool {
    gap.count <= 3 && !isFree.contains(false) && gap.allSatisfy { " -/.()+".unicodeScalars.contains($0.scalar) }
  }

  private mutating func replace(_ run: [TextUnit], _ word: [Int], in bytes: inout [UInt8]) {
    let standIn = standIn(for: text(run, word), count: word.count)
    for (index, letter) in zip(word, standIn) {
      let unit = run[index]
      let isUpper = unit.scalar.properties.isUppercase && letter.isASCIILetter
      for position in unit.bytes { bytes[position] = unit.isWide ? 0 : UInt8(ascii: "x") }
      bytes[unit.bytes.lowerBound + unit.letterAt] = isUpper ? letter & ~0x20 : letter
    }
  }

  /// Another word of the same kind of characters, and none that says something.
  private mutating func standIn(for word: String, count: Int) -> [UInt8] {
    if let known = standIns[word] { return known }
    let pattern = word.unicodeScalars.map { $0.isASCII ? UInt8($0.value) : UInt8(ascii: "a") }
    var standIn = random.likeness(of: pattern)
    for _ in 0..<Self.attemptsMax {
      let text = String(decoding: standIn, as: UTF8.self)
      let isNumber = standIn.allSatisfy { !$0.isASCIILetter }
      if isNumber || !(vocabulary.knows(text) || vocabulary.knowsCode(text)) { break }
      standIn = random.likeness(of: pattern)
    }
    standIns[word] = standIn
    return standIn
  }

  /// Words of two letters are nearly all taken.
  private static let attemptsMax = 64

  // MARK: Names

  /// As many letters in a row within an object's name are a word that was replaced elsewhere.
  private static let nameLettersMin = 4
  /// As many are a word whether it stands elsewhere or not. Makers' names have up to four: Epson's `EEPS`.
  private static let unseenLettersMin = 5

  /// Replaces words that sub-identifiers spell, as where a table is indexed by a user's name.
  /// - Parameter start: what is before it has a meaning.
  mutating func masked(_ name: ObjectIdentifier, from start: Int) -> ObjectIdentifier {
    var components = name.components
    guard start < components.count else { return name }
    let isLetter = { (value: UInt32) in
      value < 0x100 && (UInt8(value).isASCIILetter || value >= 0x80 || (0x30...0x39).contains(value))
    }
    let runs = (start..<components.count).split { !isLetter(components[$0]) }.map(Array.init)
    for run in runs where run.count >= Self.nameLettersMin {
      let bytes = run.map { UInt8(components[$0]) }
      guard bytes.count(where: \.isASCIILetter) >= Self.nameLettersMin else { continue }
      let units = TextRuns.of(bytes, characterSet).flatMap { $0 }
      let indexes = Array(units.indices)
      let word = text(units, indexes)
      let isCode = units.contains(where: \.isDigit)
      let letters = bytes.count(where: \.isASCIILetter)
      let isUnknown = !(isCode ? vocabulary.knowsCode(word) : vocabulary.knows(word))
      guard standIns[word] != nil || (letters >= Self.unseenLettersMin && isUnknown) else { continue }
      var masked = bytes
      replace(units, indexes, in: &masked)
      for (index, byte) in zip(run, masked) { components[index] = UInt32(byte) }
    }
    return ObjectIdentifier(components)
  }
}
