// What must not come before the TOML library, because it ends the process instead of saying that it is wrong (toml++ 3.1):
//
//   * a NUL character: the library reads a C string, and would silently stop there;
//   * a header whose name does not begin like one, `[.]` or `[[ .a]]`: an assertion.
//
// Everything else is the library's to judge.

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

  /// Goes through statements: a header or `key = value`, whose value may have strings and brackets over several lines.
  private struct Scanner {
    private let bytes: [UInt8]
    private var place = 0
    private var line = 1

    init(_ text: String) { bytes = Array(text.utf8) }

    private static let (newline, quote, apostrophe, backslash) =
      (UInt8(ascii: "\n"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"))

    mutating func scan() -> TOMLFault? {
      if let nul = bytes.firstIndex(of: 0) {
        return TOMLFault(line: 1 + bytes[..<nul].count { $0 == Self.newline }, message: "it has a NUL character")
      }
      while place < bytes.count {
        skipBlanks()
        if peek == UInt8(ascii: "["), let fault = headerFault() { return fault }
        skipStatement()
      }
      return nil
    }

    private var peek: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipBlanks() {
      while let byte = peek, byte == 0x20 || byte == 0x09 { place += 1 }
    }

    /// At a bracket that opens a statement.
    private mutating func headerFault() -> TOMLFault? {
      place += 1
      if peek == UInt8(ascii: "[") { place += 1 }
      skipBlanks()
      // What may begin a name; a text that ends here, or a name that is missing, is told by the library.
      guard peek == UInt8(ascii: ".") else { return nil }
      return TOMLFault(line: line, message: "the name of a table begins with a dot")
    }

    /// To the end of the line, or further where a string or bracket is open there.
    private mutating func skipStatement() {
      var depth = 0
      while let byte = peek {
        place += 1
        switch byte {
        case Self.newline:
          line += 1
          if depth <= 0 { return }
        case UInt8(ascii: "#"): while let next = peek, next != Self.newline { place += 1 }
        case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
        case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
        case Self.quote, Self.apostrophe: skipString(byte)
        default: break
        }
      }
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
}
