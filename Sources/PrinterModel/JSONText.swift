// JSON text (RFC 8259) out of plain values. Object members stay in the order in which they were given.

/// A JSON value on its way to text.
package indirect enum JSONText {
  case null
  case bool(Bool)
  case integer(Int64)
  case unsigned(UInt64)
  case number(Double)
  case string(String)
  case array([JSONText])
  case object([(String, JSONText)])

  /// Two spaces of indentation a level, `\n` between lines.
  func text(indentation: String = "") -> String {
    switch self {
    case .null: return "null"
    case .bool(let value): return value ? "true" : "false"
    case .integer(let value): return String(value)
    case .unsigned(let value): return String(value)
    case .number(let value): return value.isFinite ? String(describing: value) : "null"
    case .string(let value): return Self.quoted(value)
    case .array(let elements):
      return Self.block("[", elements.map { $0.text(indentation: indentation + "  ") }, "]", indentation)
    case .object(let members):
      let lines = members.map { "\(Self.quoted($0.0)): \($0.1.text(indentation: indentation + "  "))" }
      return Self.block("{", lines, "}", indentation)
    }
  }

  private static func block(_ open: String, _ lines: [String], _ close: String, _ indentation: String) -> String {
    guard !lines.isEmpty else { return open + close }
    let inner = lines.map { "\(indentation)  \($0)" }.joined(separator: ",\n")
    return "\(open)\n\(inner)\n\(indentation)\(close)"
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case let scalar where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

extension JSONText {
  package init(_ value: String?) { self = value.map(JSONText.string) ?? .null }
  init(_ value: Int64?) { self = value.map(JSONText.integer) ?? .null }
  init(_ value: UInt64?) { self = value.map(JSONText.unsigned) ?? .null }
  init(_ text: DeviceText?) { self = JSONText(text?.text) }
}
