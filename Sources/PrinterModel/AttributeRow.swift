// The values of `printer-supply`, `printer-alert`, `printer-input-tray` and `printer-output-tray`: PWG 5100.13 (section 7.3) and 5100.9 write
// a row of the Printer MIB as text, in an octetString:
//
//   type=toner;maxcapacity=100;level=42;colorantname=black;
//
// Printers send keys that no standard has, forget the last semicolon, double a key into its value (`severity=otherother`), put line breaks
// between, or write the attribute's own name in front (`printer-alert[0] = code=jam;`). What cannot be read as a pair is kept aside; nothing is
// guessed.

package struct AttributeRow: Hashable, Sendable {
  package struct Pair: Hashable, Sendable {
    /// In lower case, as the standard writes keys.
    package let key: String
    package let value: String
  }

  package private(set) var pairs: [Pair] = []
  /// Parts without `=` or without a key.
  package private(set) var malformed: [String] = []

  /// - Parameter keyword: of the attribute, for rows that begin with it.
  package init(_ text: String, of keyword: String = "") {
    for part in text.split(whereSeparator: { $0 == ";" || $0.isNewline || $0 == "\0" }) {
      var part = part.drop { $0 == " " || $0 == "\t" }
      if pairs.isEmpty, malformed.isEmpty, !keyword.isEmpty, part.hasPrefix(keyword + "["),
        let mark = part.firstIndex(of: "=")
      {
        malformed.append(String(part[..<mark]).trimmed)
        part = part[part.index(after: mark)...].drop { $0 == " " || $0 == "\t" }
      }
      guard !part.isEmpty else { continue }
      guard let equals = part.firstIndex(of: "="), equals > part.startIndex else {
        malformed.append(String(part))
        continue
      }
      pairs.append(Pair(key: part[..<equals].lowercased(), value: String(part[part.index(after: equals)...])))
    }
  }

  /// The first value of this key.
  package subscript(key: String) -> String? { pairs.first { $0.key == key }?.value }

  /// The number of this key; nil when it is not there or is none of 32 bits, as the MIB's objects are.
  package func number(_ key: String) -> Int32? { self[key].flatMap { Int32($0) } }
}
