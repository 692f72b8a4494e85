// The members of a JSON object, and the parameters of a query, taken one by one: what is of another type is refused by its name, and what nobody took
// is unknown.

/// One object of a request's body.
package struct Members: ~Copyable {
  private var members: [String: WebJSON]
  private let prefix: String

  package init(_ members: [(String, WebJSON)], in field: String? = nil) {
    self.members = Dictionary(members, uniquingKeysWith: { $1 })
    prefix = field.map { $0 + "." } ?? ""
  }

  /// Whether the member is there, null or not.
  package func has(_ name: String) -> Bool { members[name] != nil }

  private func wrong(_ name: String, _ value: WebJSON, _ wanted: String) -> WebError {
    .badValue(prefix + name, "\"\(prefix + name)\" is \(value.kind); give \(wanted).")
  }

  private mutating func take(_ name: String) -> WebJSON? {
    guard let value = members.removeValue(forKey: name), value != .null else { return nil }
    return value
  }

  /// - Throws: `WebError` where it is no text, or longer than `bytesMax` bytes.
  package mutating func text(_ name: String, bytesMax: Int = 1_024) throws(WebError) -> String? {
    guard let value = take(name) else { return nil }
    guard case .string(let text) = value else { throw wrong(name, value, "a text") }
    guard text.utf8.count <= bytesMax else {
      throw .badValue(prefix + name, "\"\(prefix + name)\" has more than \(bytesMax) bytes.")
    }
    return text
  }

  /// - Throws: `WebError` where it is missing, too.
  package mutating func requiredText(_ name: String, bytesMax: Int = 1_024) throws(WebError) -> String {
    guard let text = try text(name, bytesMax: bytesMax) else {
      throw .badValue(prefix + name, "\"\(prefix + name)\" is missing; give a text.")
    }
    return text
  }

  package mutating func flag(_ name: String) throws(WebError) -> Bool? {
    guard let value = take(name) else { return nil }
    guard case .bool(let flag) = value else { throw wrong(name, value, "true or false") }
    return flag
  }

  package mutating func number(_ name: String, in range: ClosedRange<Int64>) throws(WebError) -> Int64? {
    guard let value = take(name) else { return nil }
    guard case .integer(let number) = value, range.contains(number) else {
      throw wrong(name, value, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  package mutating func texts(_ name: String, countMax: Int, bytesMax: Int = 256) throws(WebError) -> [String]? {
    guard let value = take(name) else { return nil }
    guard case .array(let elements) = value, elements.count <= countMax else {
      throw wrong(name, value, "a list of at most \(countMax) texts")
    }
    var texts: [String] = []
    for element in elements {
      guard case .string(let text) = element, text.utf8.count <= bytesMax else {
        throw wrong(name, element, "texts of at most \(bytesMax) bytes in it")
      }
      texts.append(text)
    }
    return texts
  }

  /// An object within this one; nil where it is missing or null.
  package mutating func object(_ name: String) throws(WebError) -> [(String, WebJSON)]? {
    guard let value = take(name) else { return nil }
    guard case .object(let members) = value else { throw wrong(name, value, "an object") }
    return members
  }

  /// - Throws: `WebError` that names a member which nobody took.
  package mutating func finish() throws(WebError) {
    // Taken ones are gone, and so are those that were null.
    guard let name = members.keys.sorted().first else { return }
    throw WebError(400, "unknown_member", "There is no member \"\(prefix + name)\" here.", field: prefix + name)
  }

  /// Takes a member that is null or missing, so that `finish` does not complain of it.
  package mutating func know(_ name: String) { members[name] = nil }
}

/// What follows the question mark (`application/x-www-form-urlencoded`).
package struct Query: Sendable {
  package static let parametersMax = 64

  package let parameters: [(name: String, value: String)]

  package init(_ parameters: [(name: String, value: String)] = []) { self.parameters = parameters }

  /// Nil where it is no text in UTF-8, or has too many parameters.
  init?(encoded text: Substring) {
    guard !text.isEmpty else {
      parameters = []
      return
    }
    let parts = text.split(separator: "&", omittingEmptySubsequences: true)
    guard parts.count <= Self.parametersMax else { return nil }
    var parameters: [(String, String)] = []
    for part in parts {
      let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = PercentCoding.decode(pair[0], plusIsSpace: true),
        let value = PercentCoding.decode(pair.count > 1 ? pair[1] : "", plusIsSpace: true)
      else { return nil }
      parameters.append((name, value))
    }
    self.parameters = parameters
  }

  package subscript(_ name: String) -> String? { parameters.first { $0.name == name }?.value }
  package func all(_ name: String) -> [String] { parameters.filter { $0.name == name }.map(\.value) }

  /// - Throws: `WebError` that names a parameter which is none of these, or stands twice where it may once.
  package func expect(_ names: Set<String>, repeatable: Set<String> = []) throws(WebError) {
    var seen: Set<String> = []
    for (name, _) in parameters {
      guard names.contains(name) || repeatable.contains(name) else {
        throw WebError(400, "unknown_member", "There is no parameter \"\(name)\" here.", field: name)
      }
      guard seen.insert(name).inserted || repeatable.contains(name) else {
        throw .badValue(name, "\"\(name)\" is given twice; give it once.")
      }
    }
  }

  package func number(_ name: String, in range: ClosedRange<Int>, default preset: Int) throws(WebError) -> Int {
    guard let text = self[name] else { return preset }
    guard let number = Int(text), text.utf8.first != UInt8(ascii: "+"), range.contains(number) else {
      throw .badValue(
        name,
        "\"\(name)\" is \"\(text.prefix(40))\"; give a whole number from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  package func text(_ name: String, bytesMax: Int = 1_024) throws(WebError) -> String? {
    guard let text = self[name], !text.isEmpty else { return nil }
    guard text.utf8.count <= bytesMax else { throw .badValue(name, "\"\(name)\" has more than \(bytesMax) bytes.") }
    return text
  }
}

/// `%41` and `+` (RFC 3986, section 2.1).
enum PercentCoding {
  /// Nil where a percent sign is not followed by two hexadecimal digits, or the result is no UTF-8.
  static func decode(_ text: Substring, plusIsSpace: Bool) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "%"):
        guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
        bytes.append(high << 4 | low)
      case UInt8(ascii: "+") where plusIsSpace: bytes.append(0x20)
      default: bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
