// A DataLink code: what a dealer hands out so that a machine can enrol under an entity. 24 hexadecimal digits; people write them in groups.

package struct DataLinkCode: Hashable, Sendable {
  /// 96 bits.
  package static let digitCount = 24

  /// Upper-case digits without separators.
  package let digits: String

  /// Spaces, hyphens and case do not matter. Nil unless 24 hexadecimal digits remain.
  package init?(_ text: some StringProtocol) {
    let digits = String(text.filter { !$0.isWhitespace && $0 != "-" }).uppercased()
    guard digits.utf8.count == Self.digitCount, digits.utf8.allSatisfy(Self.isDigit) else { return nil }
    self.digits = digits
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte)
  }
}

// A code is a secret until it is used: it must not reach a log by way of a description.
extension DataLinkCode: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "DataLink code (redacted)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
