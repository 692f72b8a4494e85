// Part and serial numbers in the descriptions of supplies.

/// Part and serial numbers that some makers put into a supply's description: `Black Toner;PN 006R01509;SN48178080E0000481`, `Black
/// Toner (PN: 006R01697) (SN: 6BA21)`, `Black Toner P/N 106R01443`, `Black Toner Cartridge S/N:CRUM-1234`, `Black Toner_S/N_:CRUM-1234`; `Black
/// Cartridge 827A HP CF300A`; and Kyocera's, which are nothing but the part number, `TK-8527K`. `unknown` and the like are no numbers. The marks
/// are also spelled (`Part No. 106R01443`, `Serial Number: 16030A12`), and all that stands between mark and number is left out (`S/N=CAJ1234`).
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

  /// What stands before a number when it is spelled, in lower case; `PN` and `SN` alone are read in upper case only.
  private static let partMarks = ["p/n", "part number", "part no"]
  private static let serialMarks = ["s/n", "serial number", "serial no", "ser. no", "serial"]

  /// Numbers behind a mark, at the beginning of a word.
  private static func markedNumbers(in description: String) -> (part: String?, serial: String?) {
    var (part, serial): (String?, String?)
    var rest = description[...]
    var previous: Character?
    while let first = rest.first {
      switch first {
      case "P", "p": part = part ?? number(in: rest, behind: previous, "PN", partMarks)
      case "S", "s": serial = serial ?? number(in: rest, behind: previous, "SN", serialMarks)
      default: break
      }
      previous = first
      rest = rest.dropFirst()
    }
    return (part, serial)
  }

  /// The word behind the mark, with colons, blanks and the like between; nil where the text does not begin with one, or the word is no number.
  /// - Parameter previous: what stands before the text.
  private static func number(
    in text: Substring, behind previous: Character?, _ short: String, _ spelled: [String]
  ) -> String? {
    guard let mark = mark(in: text, short, spelled) else { return nil }
    let hasSlash = mark.contains("/")
    // `CRUM-S/N:` has a mark, and `X-SN12` none.
    guard previous.map({ isBetweenWords($0) || isQuote($0) || (hasSlash && $0 == "-") }) ?? true else { return nil }
    let rest = text.dropFirst(mark.count)
    let word = rest.drop(while: isBetweenMarkAndNumber)
    // Behind a semicolon or a comma stands a mark and no other word; else `SNAP2` is a word, and `SN48178080` a number behind its mark.
    let isMark = hasSlash || (mark.count == short.count && (previous == ";" || previous == ","))
    guard isMark || word.startIndex > rest.startIndex || word.first?.isNumber == true else { return nil }
    var number = word.prefix { !isBetweenWords($0) || $0 == "_" }
    while let last = number.last, last == "." || isQuote(last) { number.removeLast() }
    return number.contains(where: \.isNumber) ? String(number) : nil
  }

  private static func mark(in text: Substring, _ short: String, _ spelled: [String]) -> String? {
    if text.hasPrefix(short) { return short }
    return spelled.first { text.prefix($0.count).lowercased() == $0 }
  }

  private static func isBetweenWords(_ character: Character) -> Bool {
    character.isWhitespace || ";,()[]_".contains(character)
  }

  private static func isBetweenMarkAndNumber(_ character: Character) -> Bool {
    character.isWhitespace || "_:=#.-[(".contains(character) || isQuote(character)
  }

  private static func isQuote(_ character: Character) -> Bool { character == "\"" || character == "'" }
}
