// Texts of devices in tables and files for people.

enum ReportText {
  /// A device's text must not move the cursor or the columns.
  static func visible(_ text: String?) -> String {
    guard let text, !text.isEmpty else { return "-" }
    return String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : Character($0) })
  }

  /// A line of CSV (RFC 4180), without its end.
  static func csvLine(_ fields: [String]) -> String { fields.map(quoted).joined(separator: ",") }

  private static func quoted(_ field: String) -> String {
    let special: Set<Character> = [",", "\"", "\r", "\n", "\r\n"]
    return field.contains(where: special.contains) ? "\"\(field.replacing("\"", with: "\"\""))\"" : field
  }
}
