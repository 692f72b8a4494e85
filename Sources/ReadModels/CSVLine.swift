// Comma-separated lines (RFC 4180) for people with spreadsheets.

package enum CSVLine {
  /// A line without its end.
  package static func text(_ cells: [String]) -> String { cells.map(cell).joined(separator: ",") }

  /// Quoted where it must be. A text that a spreadsheet would run as a formula gets an apostrophe in front, because names and serial
  /// numbers come from devices.
  private static func cell(_ text: String) -> String {
    var text = text
    if let first = text.utf8.first, "=+-@\t\r".utf8.contains(first) { text = "'" + text }
    guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
