// A DataLink code: 96 random bits as 24 hexadecimal digits, typed by a person, shown in groups of six.
//
// At rest it is HMAC-SHA-256(pepper, the digits in lower case). A slow password hash would add nothing: the codes are
// random, not chosen, and 2^96 guesses are out of reach of any speed. The key (a file beside the database) keeps a
// copied database from telling whether a code that turned up elsewhere is one of its own.

internal import Crypto
internal import FoundationEssentials

package struct DataLinkCode: Sendable, Equatable {
  static let digitCount = 24

  /// Lower-case hexadecimal digits.
  private let digits: String

  /// A new code.
  package init() {
    var random = SystemRandomNumberGenerator()
    digits = (0..<Self.digitCount / 2).map { _ in hexadecimal(UInt8.random(in: .min ... .max, using: &random)) }
      .joined()
  }

  /// Nil unless `text` has 24 hexadecimal digits; spaces, hyphens and case do not matter.
  package init?(_ text: String) {
    // A typed code has at most a separator after each digit.
    guard text.utf8.count <= 2 * Self.digitCount else { return nil }
    let kept = text.utf8.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "-") }
    guard kept.count == Self.digitCount, kept.allSatisfy(Self.isHexadecimal) else { return nil }
    digits = String(decoding: kept, as: UTF8.self).lowercased()
  }

  /// As a person reads it: four groups of six digits.
  package var text: String {
    stride(from: 0, to: Self.digitCount, by: 6).map { offset in
      String(digits.dropFirst(offset).prefix(6))
    }.joined(separator: "-")
  }

  /// What the store keeps and looks up, 32 bytes.
  package func hash(in directory: HubDirectory) -> [UInt8] {
    Array(HMAC<Crypto.SHA256>.authenticationCode(for: Data(digits.utf8), using: directory.pepper))
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
  }
}

/// The rules for new codes, shared by the command and by its tests.
package enum CodeRules {
  /// - Throws: `HubError` 64 if a code may not be for so many uses or so long.
  package static func check(uses: Int, validity: Duration) throws(HubError) {
    guard (1...HubLimits.codeUsesMax).contains(uses) else {
      throw HubError(.usage, "A code is for 1 to \(HubLimits.codeUsesMax) uses, not \(uses).")
    }
    let longest = uses == 1 ? HubLimits.oneTimeCodeValidityMax : HubLimits.limitedCodeValidityMax
    guard validity > .zero, validity <= longest else {
      let rule =
        uses == 1
        ? "A one-time code is valid for at most 24 hours" : "A code for several uses is valid for at most 30 days"
      throw HubError(.usage, "\(rule). Choose a shorter --valid, and create another code when it is needed.")
    }
  }
}
