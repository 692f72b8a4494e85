// Words for the values of a reading: what a person reads where the device gave a code, a sentinel or nothing.

package import MIB

extension Quality {
  /// For people: `some remaining`.
  package var word: String { self == .someRemaining ? "some remaining" : identifier }

  /// For programs: `someRemaining`.
  package var identifier: String {
    switch self {
    case .exact: "exact"
    case .coarse: "coarse"
    case .someRemaining: "someRemaining"
    case .unknown: "unknown"
    }
  }

  /// Whether there is a number to show at all.
  package var isNumber: Bool { self == .exact || self == .coarse }
}

extension Supply {
  /// What is left, in the words that every list and report uses: `72 %`, `~50 %` where the device knows only a few steps,
  /// `7809 pages` where it tells those alone, `some remaining`, `no restriction` or `unknown`; of a receptacle the room that is left in it:
  /// `room 10 %`, `some room`.
  package var remaining: String {
    if let percent = percentRemaining {
      let number = (quality == .coarse ? "~" : "") + percent.shortText + " %"
      return isReceptacle ? "room " + number : number
    }
    if let pagesRemaining { return "\(pagesRemaining) pages" }
    switch meaning {
    case .someRemaining: return isReceptacle ? "some room" : "some remaining"
    case .noRestriction: return "no restriction"
    default: return "unknown"
    }
  }

  /// `18000 of 25000 impressions`, `5 tenthsOfMilliliters, capacity unknown`, `72 percent`, or `unknown`.
  package var levelOfCapacity: String {
    guard let level, level >= 0 else { return "unknown" }
    if unit == .percent, (capacity ?? 0) <= 0 { return "\(level) percent" }
    return amount(level, of: capacity, unit)
  }
}

extension InputTray {
  /// `350 of 500 sheets`, `350 sheets, capacity unknown`, `some`, `no restriction` or `unknown`; so is a level above the capacity.
  package var levelWords: String {
    guard let level, !isOverCapacity else { return "unknown" }
    let meaning = AmountMeaning(level)
    return meaning == .known ? amount(level, of: capacity, capacityUnit) : meaning.word
  }
}

private func amount(_ level: Int64, of capacity: Int64?, _ unit: CounterUnit?) -> String {
  let unit = unit.map { " \($0.name)" } ?? ""
  guard let capacity, capacity > 0 else { return "\(level)\(unit), capacity unknown" }
  return "\(level) of \(capacity)\(unit)"
}

extension OutputBin {
  /// `room for 250`, `some room`, `no restriction` or `unknown`.
  package var remainingWords: String {
    guard let remaining, !isOverCapacity else { return "unknown" }
    switch AmountMeaning(remaining) {
    case .known: return "room for \(remaining)"
    case .some: return "some room"
    case let meaning: return meaning.word
    }
  }
}

extension AmountMeaning {
  /// For people, where there is no number to show.
  fileprivate var word: String {
    switch self {
    case .some: "some"
    case .noRestriction: "no restriction"
    case .known, .unknown, .nonStandardNegative: "unknown"
    }
  }
}

extension EnumerationNames {
  /// The type's name, its number, or `unknown`.
  static func supplyType(_ value: Int64?) -> String { value.map { supplyType($0) ?? String($0) } ?? "unknown" }
}

extension Source {
  /// What the name held: of an IPP attribute a number, or a text between quotation marks; of an object the value with its SNMP type.
  package var rawShown: String { VarBind(name, raw).valueShown }
}

extension VarBind {
  package var valueShown: String {
    guard AttributeName(name) != nil else { return value.display }
    switch value {
    case .integer(let number): return "integer \(number)"
    case .octets(let bytes):
      let text = String(validating: bytes, as: UTF8.self)
      return text.map { "\"\($0.replacingControls)\"" } ?? "octets \(bytes.hexadecimal)"
    default: return value.display
    }
  }
}

extension ObjectValue {
  /// The value with its SNMP type, for example `Counter32 76064` or `OCTET STRING 00072f`.
  package var display: String {
    switch self {
    case .integer(let value): "INTEGER \(value)"
    case .octets(let bytes): "OCTET STRING \(bytes.hexadecimal)"
    case .null: "NULL"
    case .objectIdentifier(let identifier): "OBJECT IDENTIFIER \(identifier)"
    case .ipAddress(let bytes): "IpAddress \(bytes.map(String.init).joined(separator: "."))"
    case .counter32(let value): "Counter32 \(value)"
    case .gauge32(let value): "Gauge32 \(value)"
    case .timeTicks(let value): "TimeTicks \(value)"
    case .opaque(let bytes): "Opaque \(bytes.hexadecimal)"
    case .counter64(let value): "Counter64 \(value)"
    case .noSuchObject: "noSuchObject"
    case .noSuchInstance: "noSuchInstance"
    case .endOfMibView: "endOfMibView"
    }
  }
}

extension Collection<UInt8> {
  /// Lower-case digits, two a byte.
  var hexadecimal: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

  /// `00:17:c8:65:e2:b9`
  package var macText: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":") }
}

extension Double {
  /// One decimal at most, none where it is whole; never more than there is.
  fileprivate var shortText: String {
    let tenths = (self * 10).rounded(.down)
    guard tenths.magnitude < 1e15 else { return String(describing: self) }
    return tenths.truncatingRemainder(dividingBy: 10) == 0
      ? String(Int64(tenths / 10)) : String(describing: tenths / 10)
  }
}

extension String {
  /// Control characters (C0, DEL, C1), line separators and those that turn the direction of writing would break a line of a terminal, drive it,
  /// or show a text as another.
  package var replacingControls: String {
    guard unicodeScalars.contains(where: \.isControl) else { return self }
    var result = String.UnicodeScalarView()
    for scalar in unicodeScalars { result.append(scalar.isControl ? " " : scalar) }
    return String(result)
  }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool {
    value < 0x20 || (0x7F...0x9F).contains(value) || (0x200E...0x200F).contains(value)
      || (0x2028...0x202E).contains(value) || (0x2066...0x2069).contains(value) || value == 0x061C || value == 0xFEFF
  }
}
