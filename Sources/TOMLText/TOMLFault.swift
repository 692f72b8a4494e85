// What must not come before the TOML library, because it ends the process instead of saying that it is wrong (toml++ 3.4.0):
//
//   * a NUL character: the library reads a C string, and would silently stop there;
//   * an assertion: a header whose name does not begin like one, `[.]`; a brace that closes a bracket, `a = [}`; a date or time that
//     breaks off, `a = 1979-05-27T:`.
//
// Files of ours have no dates, so that a value without quotes is a number, true or false, and nothing else comes further. All else is the
// library's to judge; where this scanner and the library would understand a text differently, the library has refused it before.

/// A place in a text where it is wrong.
package struct TOMLFault: Error, Equatable, Sendable {
  /// From 1.
  package let line: Int
  package let message: String

  /// The first fault of a text; nil when it may be read.
  package static func first(in text: String) -> TOMLFault? {
    var scanner = Scanner(text)
    return scanner.scan()
  }
}

/// Goes through statements: a header, or `key = value`, whose value may have strings and brackets over several lines.
private struct Scanner {
  private static let (newline, quote, apostrophe, backslash) =
    (UInt8(ascii: "\n"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"))

  private let bytes: [UInt8]
  private var place = 0
  private var line = 1

  init(_ text: String) { bytes = Array(text.utf8) }

  mutating func scan() -> TOMLFault? {
    if let nul = bytes.firstIndex(of: 0) {
      return TOMLFault(line: 1 + bytes[..<nul].count { $0 == Self.newline }, message: "it has a NUL character")
    }
    while place < bytes.count {
      skipBlanks()
      if peek == UInt8(ascii: "["), let fault = headerFault() { return fault }
      if let fault = statementFault() { return fault }
    }
    return nil
  }

  private var peek: UInt8? { place < bytes.count ? bytes[place] : nil }

  private func fault(_ message: String) -> TOMLFault { TOMLFault(line: line, message: message) }

  private mutating func skipBlanks() {
    while let byte = peek, byte == 0x20 || byte == 0x09 { place += 1 }
  }

  /// At a bracket that opens a statement. Reads the name, so that what follows is the rest of the line.
  private mutating func headerFault() -> TOMLFault? {
    place += 1
    if peek == UInt8(ascii: "[") { place += 1 }
    skipBlanks()
    // A name that is missing, or a text that ends here, is told by the library.
    guard let first = peek, first != UInt8(ascii: "]") else { return nil }
    guard first.isBareKey || first == Self.quote || first == Self.apostrophe else {
      return fault("the name of a table begins with neither a letter, a digit nor a quote")
    }
    while let byte = peek, byte != UInt8(ascii: "]"), byte != Self.newline {
      place += 1
      if byte == Self.quote || byte == Self.apostrophe { skipString(byte) }
    }
    while peek == UInt8(ascii: "]") { place += 1 }
    return nil
  }

  /// To the end of the line, or further where a string or bracket is open there.
  private mutating func statementFault() -> TOMLFault? {
    var open: [UInt8] = []
    var wantsValue = false
    while let byte = peek {
      if wantsValue, !byte.endsValue, !byte.opens {
        if let fault = bareValueFault() { return fault }
        wantsValue = false
        continue
      }
      place += 1
      switch byte {
      case Self.newline:
        line += 1
        if open.isEmpty { return nil }
      case UInt8(ascii: "#"): while let next = peek, next != Self.newline { place += 1 }
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        open.append(byte)
        wantsValue = byte == UInt8(ascii: "[")
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        guard let last = open.popLast(), last == (byte == UInt8(ascii: "]") ? UInt8(ascii: "[") : UInt8(ascii: "{"))
        else { return fault("a \(Character(UnicodeScalar(byte))) closes what it did not open") }
        wantsValue = false
      case UInt8(ascii: ","): wantsValue = open.last == UInt8(ascii: "[")
      case UInt8(ascii: "="): wantsValue = true
      case Self.quote, Self.apostrophe:
        skipString(byte)
        wantsValue = false
      default: break
      }
    }
    return nil
  }

  /// At a value without quotes: a number, true or false.
  private mutating func bareValueFault() -> TOMLFault? {
    let start = place
    while let byte = peek, !byte.endsValue { place += 1 }
    let value = bytes[start..<place]
    let isPlain = value.indices.allSatisfy { index in
      let byte = value[index]
      let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
      return isSign
        ? index == start || value[index - 1] | 0x20 == UInt8(ascii: "e") : byte.isBareKey || byte == UInt8(ascii: ".")
    }
    guard !isPlain else { return nil }
    let shown = String(decoding: value.prefix(40), as: UTF8.self)
    return fault("\(shown) is neither a number nor true nor false: a text stands in quotes")
  }

  /// Behind the mark that opened it. One of a single line ends with the line at the latest.
  private mutating func skipString(_ mark: UInt8) {
    let isLong = place + 1 < bytes.count && bytes[place] == mark && bytes[place + 1] == mark
    if isLong { place += 2 }
    while let byte = peek {
      if byte == Self.newline, !isLong { return }
      place += 1
      if byte == Self.newline { line += 1 }
      if byte == Self.backslash, mark == Self.quote, let escaped = peek, escaped != Self.newline { place += 1 }
      guard byte == mark else { continue }
      guard isLong else { return }
      if place + 1 < bytes.count, bytes[place] == mark, bytes[place + 1] == mark {
        place += 2
        return
      }
    }
  }
}

extension UInt8 {
  /// TOML 1.0, "Keys": letters, digits, underscore and dash.
  fileprivate var isBareKey: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }

  /// Whether a value without quotes has ended before it.
  fileprivate var endsValue: Bool {
    // White space as the library has it; other control codes are a part of the value to it.
    (0x09...0x0D).contains(self) || self == 0x20
      || [UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#")].contains(self)
  }

  /// Whether it begins a value that is not a bare one.
  fileprivate var opens: Bool {
    [UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "\""), UInt8(ascii: "'")].contains(self)
  }
}
