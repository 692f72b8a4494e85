// The words that stay in a walk which is given away. What is kept is what is known to be a printer's own; a word of which nobody knows
// whose it is goes.
//
//     Words/printer-words.txt    printing terms of the languages that printers speak, papers (PWG 5101.1), protocols, units
//     profiles                   makers, and the labels of their counters and parts
//     the device itself          MFG, MDL, CMD, CLS and DES of its IEEE 1284 device id, firmware and part numbers; of its descriptions
//                                (sysDescr, hrDeviceDescr of the printer, supplies) codes and numbers alone: `M553`, `T08M1`
//
// Texts that a person can set (names of trays, a console's message, an alert) teach nothing: what stands in them may be anybody's. A description
// can have a name in it, too: that of the host, as `uname -a` tells it, or of the room that somebody added.

internal import MIB

struct PrinterVocabulary {
  /// The list of this release.
  private static let shipped = words(ofList: String(decoding: PackageResources.printer_words_txt, as: UTF8.self))

  /// Lower case.
  private var words: Set<String>
  /// The device's own words that have digits in them: `m553`, `2403293_000123`.
  private var codes: Set<String> = []
  /// What the device says of itself, in lower case, for numbers of several groups.
  private var ownText = ""
  /// Texts that are no words and stay as they are: part numbers, the model, the firmware.
  private(set) var phrases: [[UInt8]] = []

  init(profiles: ProfileSet) {
    words = Self.shipped
    for profile in profiles.profiles {
      learnWords(of: profile.make)
      for brand in profile.brands { learnWords(of: brand.prefix + " " + brand.make) }
      for text in profile.match.descriptions + profile.match.printerDescriptions { learnWords(of: text) }
      for table in profile.tables {
        learnWords(of: table.qualifierPrefix)
        if case .labels(let rows) = table.meaning { for row in rows { learnWords(of: row.label) } }
        for name in table.names { learnWords(of: name.key + " " + name.value) }
        for label in table.units.map({ Array($0.codes.keys) }) ?? [] { learnWords(of: label) }
      }
      for code in profile.supplyRecords.flatMap(\.codes) { learnWords(of: code.description) }
    }
  }

  /// Reads a list: words between spaces, `#` before a comment, a language in brackets.
  static func words(ofList list: String) -> Set<String> {
    let lines = list.split(separator: "\n").filter { !$0.hasPrefix("#") && !$0.hasPrefix("[") }
    return Set(lines.flatMap { $0.split(separator: " ") }.map(String.init))
  }

  /// Takes what the device says of itself.
  /// - Parameter text: without what must go.
  mutating func learn(own text: String) {
    learnWords(of: text)
    ownText += "\n" + text.lowercased()
  }

  /// Takes what a description of the device has besides words: numbers, and codes of which each letter may be any model's.
  /// - Parameter text: without what must go.
  mutating func learn(described text: String) {
    ownText += "\n" + text.lowercased()
    for code in Self.codes(of: text) where code.split(whereSeparator: \.isNumber).allSatisfy({ isModels(String($0)) }) {
      codes.insert(code)
    }
    // The letters of a series: `FS-1028MFP`.
    for name in text.lowercased().split(separator: " ") where name.contains("-") && name.contains(where: \.isNumber) {
      for part in name.split(separator: "-") where part.allSatisfy(\.isLetter) && part.count <= Self.modelLettersMax {
        words.insert(String(part))
      }
    }
  }

  /// Takes the makers' numbers of parts from a supply's description: `T08M1`.
  /// - Parameter text: without what must go.
  mutating func learn(partsOf text: String) {
    for code in Self.codes(of: text) where code.count <= Self.partCharactersMax {
      if code.split(whereSeparator: \.isNumber).allSatisfy({ $0.count <= Self.partLettersMax }) { codes.insert(code) }
    }
  }

  /// Letters of a model that are no word: `MFC`, `L8260CDW`.
  private static let modelLettersMax = 3
  private static let partLettersMax = 2
  private static let partCharactersMax = 8

  private func isModels(_ letters: String) -> Bool { letters.count <= Self.modelLettersMax || words.contains(letters) }

  /// Runs of letters and digits that have both, in lower case.
  private static func codes(of text: String) -> [String] {
    text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init).filter { word in
      word.contains(where: \.isNumber) && word.contains(where: \.isLetter)
    }
  }

  /// Takes a text that is to stay wherever it stands for itself.
  mutating func keep(_ phrase: String) {
    guard phrase.contains(where: \.isNumber), phrase.utf8.count >= Self.phraseBytesMin else { return }
    phrases.append(Array(phrase.utf8))
  }

  /// Shorter ones are in too many numbers.
  private static let phraseBytesMin = 4

  private mutating func learnWords(of text: String) {
    for word in text.lowercased().split(whereSeparator: { !$0.isLetter }) { words.insert(String(word)) }
    for code in text.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }) { codes.insert(String(code)) }
  }

  /// Whether a run of letters says nothing of anybody. A single letter is a code; `tonerLow` is two words.
  func knows(_ word: String) -> Bool {
    word.count == 1 || words.contains(word.lowercased()) || isCompound(word)
  }

  /// Whether each word and code of a text says nothing of anybody.
  func knowsAll(of text: String) -> Bool {
    text.split { !$0.isLetter && !$0.isNumber }.map(String.init).allSatisfy { word in
      guard word.contains(where: \.isNumber) else { return knows(word) }
      return word.contains(where: \.isLetter) ? knowsCode(word) : knowsNumber(word)
    }
  }

  private func isCompound(_ word: String) -> Bool {
    var parts: [String] = []
    var isAfterSmall = false
    for character in word {
      if parts.isEmpty || (isAfterSmall && character.isUppercase) { parts.append("") }
      parts[parts.count - 1].append(character)
      isAfterSmall = character.isLowercase
    }
    return parts.count > 1 && parts.allSatisfy { words.contains($0.lowercased()) }
  }

  /// Whether letters and digits together are a known code, a size or a numbered thing: `M553`, `A4`, `297mm`, `Tray2`.
  func knowsCode(_ code: String) -> Bool {
    if codes.contains(code.lowercased()) { return true }
    let digits = code.count(where: \.isNumber)
    let letters = code.split(whereSeparator: \.isNumber).map { $0.lowercased() }
    let groups = code.split(whereSeparator: { !$0.isNumber })
    let isMeasure = code.first?.isNumber == true && letters.allSatisfy(Self.units.contains)
    if isMeasure { return groups.allSatisfy { $0.count <= 4 } }
    return digits <= Self.codeDigitsMax && letters.allSatisfy { $0.count == 1 || words.contains($0) }
  }

  /// More digits behind a word may be a password or a number of somebody's: `printer2024`.
  private static let codeDigitsMax = 2
  /// What stands behind a measure.
  private static let units: Set<String> = [
    "x", "mm", "cm", "in", "inch", "dpi", "kb", "mb", "gb", "mhz", "ghz", "ppm", "pt", "ml", "gsm", "bit", "v", "w",
    "k",
  ]

  /// Whether a number, with all its groups, is one that a printer counts or names itself by and that nobody is called at.
  func knowsNumber(_ number: String) -> Bool {
    let groups = number.split(whereSeparator: { !$0.isNumber })
    let digits = groups.reduce(0) { $0 + $1.count }
    if digits < Self.numberDigitsMin || ownText.contains(number.lowercased()) || Self.isDate(groups) { return true }
    // A counter that is padded to its width; no number that is dialled begins so.
    return groups.count == 1 && number.hasPrefix("000") && number.drop { $0 == "0" }.count < Self.numberDigitsMin
  }

  /// The digits of the shortest numbers that reach a person.
  private static let numberDigitsMin = 7

  /// Year, month and day in either order.
  private static func isDate(_ groups: [Substring]) -> Bool {
    guard groups.count == 3, let first = Int(groups[0]), let month = Int(groups[1]), let last = Int(groups[2]) else {
      return false
    }
    let years = 1980...2099
    guard (1...31).contains(month) else { return false }
    return (years.contains(first) && (1...31).contains(last)) || ((1...31).contains(first) && years.contains(last))
  }
}

/// The fields of an IEEE 1284 device id in which a printer says what it is; in others it says whose.
enum DeviceIDFields {
  private static let ownKeys: Set<String> = [
    "MFG", "MANUFACTURER", "MDL", "MODEL", "CMD", "COMMAND SET", "CLS", "CLASS", "DES", "DESCRIPTION", "CID",
  ]

  static func own(of text: String) -> [String] {
    text.split(separator: ";").compactMap { field in
      let halves = field.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard halves.count == 2, ownKeys.contains(String(halves[0]).trimmed.uppercased()) else { return nil }
      return String(halves[1])
    }
  }
}
