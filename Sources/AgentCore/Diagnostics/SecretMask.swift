// The last of three walls before a secret gets into diagnostics: the configuration is written field by field, what is logged names credentials and never
// holds them, and what all the same would be there is struck out here.

/// Strikes secrets out of texts.
struct SecretMask: Sendable {
  private static let mark = Array("(redacted)".utf8)

  /// In every form in which they can stand in our texts, the longest first, so that a part of one leaves nothing of it.
  private let forms: [[UInt8]]

  init(_ secrets: [[UInt8]]) {
    let all = secrets.flatMap { [$0, Self.escapedAsJSON($0), Self.escapedAsLog($0), Self.base64($0)] }
    forms = Set(all).filter { !$0.isEmpty }.sorted { ($1.count, $0.description) < ($0.count, $1.description) }
  }

  func masked(_ text: [UInt8]) -> [UInt8] { forms.reduce(text) { Self.replacing($1, in: $0) } }

  private static func replacing(_ form: [UInt8], in text: [UInt8]) -> [UInt8] {
    guard let first = form.first, text.count >= form.count else { return text }
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    var place = 0
    while place < text.count {
      if text[place] == first, text[place...].starts(with: form) {
        result += mark
        place += form.count
      } else {
        result.append(text[place])
        place += 1
      }
    }
    return result
  }

  /// As `JSONEncoder` and our own writers write what must be escaped.
  private static func escapedAsJSON(_ secret: [UInt8]) -> [UInt8] {
    secret.flatMap { byte -> [UInt8] in
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), byte]
      default: [byte]
      }
    }
  }

  /// As a configuration's messages show it, and `'` where a shell would.
  private static func escapedAsLog(_ secret: [UInt8]) -> [UInt8] {
    secret.flatMap { byte -> [UInt8] in byte == UInt8(ascii: "/") ? [UInt8(ascii: "\\"), byte] : [byte] }
  }

  /// As a proxy is told a password (RFC 7617), if it were alone.
  private static func base64(_ secret: [UInt8]) -> [UInt8] {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: secret.count, by: 3) {
      let group = secret[start..<min(start + 3, secret.count)]
      let bits = group.enumerated().reduce(0) { $0 | Int($1.element) << (16 - 8 * $1.offset) }
      for index in 0...group.count { text.append(digits[bits >> (18 - 6 * index) & 63]) }
    }
    return text
  }
}
