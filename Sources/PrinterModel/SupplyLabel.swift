// Part and serial numbers in the descriptions of supplies.

/// Part and serial numbers that some makers put into a supply's description: `Black Toner;PN 006R01509;SN48178080E0000481`, `Black
/// Toner (PN: 006R01697) (SN: 6BA21)`, `Black Toner P/N 106R01443`, `Black Toner Cartridge S/N:CRUM-1234`, `Black Toner_S/N_:CRUM-1234`; `Black
/// Cartridge 827A HP CF300A`; and Kyocera's, which are nothing but the part number, `TK-8527K`. `unknown` and the like are no numbers.
enum SupplyLabel {
  static func numbers(in description: String) -> (part: String?, serial: String?) {
    let marked = markedNumbers(in: description)
    return (marked.part ?? makersPart(in: description), marked.serial)
  }

  /// HP's follow its name, Kyocera's stand alone.
  private static func makersPart(in description: String) -> String? {
    let words = description.split(separator: " ")
    if words.count == 1, let word = words.first, isKyoceraPart(word) { return String(word) }
    guard let name = words.lastIndex(of: "HP"), words.indices.contains(name + 1) else { return nil }
    return isHPPart(words[name + 1]) ? String(words[name + 1]) : nil
  }

  /// A letter, three to five letters and digits, a letter: `CF300A`, `Q7551X`, `C1P70A`.
  private static func isHPPart(_ word: Substring) -> Bool {
    func isLetter(_ character: Character?) -> Bool { character.map { ("A"..."Z").contains($0) } ?? false }
    return (5...7).contains(word.count) && isLetter(word.first) && isLetter(word.last)
      && word.allSatisfy { isLetter($0) || ("0"..."9").contains($0) } && word.count(where: \.isNumber) >= 2
  }

  /// Two letters (toner, drum, developer, fuser, maintenance and process kits), a hyphen, three or four digits, and often a colour's letter.
  private static func isKyoceraPart(_ word: Substring) -> Bool {
    let parts = word.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, ["TK", "DK", "DV", "FK", "MK", "PK", "TR", "WT"].contains(parts[0]) else { return false }
    let digits = parts[1].prefix { ("0"..."9").contains($0) }
    return (3...4).contains(digits.count) && ["", "K", "C", "M", "Y", "S"].contains(parts[1].dropFirst(digits.count))
  }

  /// Numbers behind a mark: `PN` or `P/N`, `SN` or `S/N`, at the beginning of a word.
  private static func markedNumbers(in description: String) -> (part: String?, serial: String?) {
    // What each mark has, and most descriptions have not.
    guard description.utf8.contains(UInt8(ascii: "N")) else { return (nil, nil) }
    var (part, serial): (String?, String?)
    var rest = description[...]
    var previous: Character?
    while let first = rest.first {
      if previous.map(isBetweenWords) ?? true {
        // Behind a semicolon or a comma stands a mark and no other word.
        let isMark = previous == ";" || previous == ","
        part = part ?? number(in: rest, marked: "P", isMark: isMark)
        serial = serial ?? number(in: rest, marked: "S", isMark: isMark)
      }
      previous = first
      rest = rest.dropFirst()
    }
    return (part, serial)
  }

  /// The word behind the mark, with colons, blanks and underscores between; nil where the text does not begin with it, or the word is no number.
  private static func number(in text: Substring, marked letter: Character, isMark: Bool) -> String? {
    guard text.first == letter else { return nil }
    var rest = text.dropFirst()
    let hasSlash = rest.first == "/"
    if hasSlash { rest = rest.dropFirst() }
    guard rest.first == "N" else { return nil }
    rest = rest.dropFirst()
    let word = rest.drop { $0 == " " || $0 == "_" || $0 == ":" }
    // `SNAP2` is a word, `SN48178080` a number behind its mark.
    guard hasSlash || isMark || word.startIndex > rest.startIndex || word.first?.isNumber == true else { return nil }
    let number = word.prefix { !isBetweenWords($0) || $0 == "_" }
    return number.contains(where: \.isNumber) ? String(number) : nil
  }

  private static func isBetweenWords(_ character: Character) -> Bool {
    character.isWhitespace || ";,()[]_".contains(character)
  }
}
