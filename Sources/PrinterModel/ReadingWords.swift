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
  /// `72 %`, `some remaining`, `no restriction` or `unknown`.
  package var remaining: String {
    if let percent = percentRemaining { return "\(percent.shortText) %" }
    switch meaning {
    case .someRemaining: return "some remaining"
    case .noRestriction: return "no restriction"
    default: return "unknown"
    }
  }

  /// `18000 of 25000 impressions`, `5 of unknown tenthsOfMilliliters`, or `unknown`.
  package var levelOfCapacity: String {
    guard let level, level >= 0 else { return "unknown" }
    let capacity = (self.capacity ?? 0) > 0 ? self.capacity.map(String.init) ?? "unknown" : "unknown"
    return "\(level) of \(capacity) \(unit?.name ?? "")".trimmed
  }
}

extension InputTray {
  /// `350 of 500 sheets`, `some`, or `unknown`.
  package var levelWords: String {
    guard let level else { return "unknown" }
    guard level >= 0 else { return Self.special(level) }
    let capacity = (self.capacity ?? 0) > 0 ? self.capacity.map(String.init) ?? "unknown" : "unknown"
    return "\(level) of \(capacity) \(capacityUnit?.name ?? "")".trimmed
  }

  /// The specials of tray and bin levels (RFC 3805): -3 at least one unit, -2 unknown, -1 no restriction.
  static func special(_ level: Int64) -> String {
    switch level {
    case -3: "some"
    case -1: "no restriction"
    default: "unknown"
    }
  }
}

extension EnumerationNames {
  /// The type's name, its number, or `unknown`.
  static func supplyType(_ value: Int64?) -> String { value.map { supplyType($0) ?? String($0) } ?? "unknown" }
}

extension ObjectValue {
  /// The value with its SNMP type, for example `Counter32 76064` or `OCTET STRING 00 07 2f`.
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

extension [UInt8] {
  /// Lower-case digits, two a byte.
  var hexadecimal: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

  /// `00:17:c8:65:e2:b9`
  package var macText: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":") }
}

extension Double {
  /// One decimal at most, none where it is whole.
  fileprivate var shortText: String {
    let tenths = (self * 10).rounded()
    guard tenths.magnitude < 1e15 else { return String(describing: self) }
    return tenths.truncatingRemainder(dividingBy: 10) == 0
      ? String(Int64(tenths / 10)) : String(describing: tenths / 10)
  }
}

extension String {
  /// Control characters (C0, DEL, C1) would break a line of a terminal or drive it.
  package var replacingControls: String {
    guard unicodeScalars.contains(where: \.isControl) else { return self }
    var result = String.UnicodeScalarView()
    for scalar in unicodeScalars { result.append(scalar.isControl ? " " : scalar) }
    return String(result)
  }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}
