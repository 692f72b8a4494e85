// JSON as the console answers it and is asked with it (RFC 8259).

internal import FoundationEssentials
internal import HubDatabase

/// What is answered. Members keep their order; what is not known is null, and never left out.
indirect enum ConsoleValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case text(String)
  case list([ConsoleValue])
  case object([Member])
  /// JSON that was checked before, as it came.
  case raw(String)

  struct Member: Equatable, Sendable {
    let name: String
    let value: ConsoleValue
  }

  init(_ text: String?) { self = text.map { .text($0) } ?? .null }
  init(_ number: Int64?) { self = number.map { .integer($0) } ?? .null }
  init(_ number: Int) { self = .integer(Int64(number)) }

  /// As a column holds it; bytes are for nobody to see.
  init(_ value: SQLValue) {
    self =
      switch value {
      case .null, .bytes: .null
      case .integer(let number): .integer(number)
      case .text(let text): .text(text)
      }
  }

  /// Milliseconds since 1970 UTC as RFC 3339.
  static func time(_ milliseconds: Int64?) -> ConsoleValue {
    guard let milliseconds else { return .null }
    return .text(
      Date(milliseconds: milliseconds).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
  }

  static func object(_ members: KeyValuePairs<String, ConsoleValue>) -> ConsoleValue {
    .object(members.map { Member(name: $0.key, value: $0.value) })
  }

  static func texts(_ texts: [String]) -> ConsoleValue { .list(texts.map { .text($0) }) }

  /// A member of an object; nil if there is none.
  subscript(name: String) -> ConsoleValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  var json: String {
    var text = ""
    write(to: &text)
    return text
  }

  private func write(to text: inout String) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let number): text += "\(number)"
    case .text(let value): Self.quote(value, &text)
    case .raw(let json): text += json
    case .list(let values):
      text += "["
      for (index, value) in values.enumerated() {
        if index > 0 { text += "," }
        value.write(to: &text)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { text += "," }
        Self.quote(member.name, &text)
        text += ":"
        member.value.write(to: &text)
      }
      text += "}"
    }
  }

  private static func quote(_ value: String, _ text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      // Control characters must be escaped; U+2028 and U+2029 end lines in scripts, and some readers stumble over them.
      case _ where scalar.value < 0x20 || scalar.value == 0x7F || scalar.value == 0x2028 || scalar.value == 0x2029:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

/// A member of a body.
enum BodyValue: Equatable, Sendable, Decodable {
  case null
  case bool(Bool)
  case integer(Int64)
  case text(String)
  case texts([String])
  /// Texts, or null for what is to go.
  case changes([String: String?])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int64.self) {
      self = .integer(value)
    } else if let value = try? container.decode(String.self) {
      self = .text(value)
    } else if let value = try? container.decode([String].self) {
      self = .texts(value)
    } else {
      self = .changes(try container.decode([String: String?].self))
    }
  }
}
