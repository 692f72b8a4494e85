// Texts of devices in tables for people.

enum ReportText {
  /// A device's text must not move the cursor or the columns.
  static func visible(_ text: String?) -> String {
    guard let text, !text.isEmpty else { return "-" }
    return String(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : Character($0) })
  }
}
