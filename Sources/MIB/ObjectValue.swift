// The values a variable binding can carry (RFC 3416, section 3; RFC 2578, section 7.1).

/// A value as a device gave it: the SNMP application types and the three exceptions of RFC 3416.
package enum ObjectValue: Hashable, Sendable {
  /// INTEGER / Integer32. Devices send more than 32 bits now and then, so 64 are kept.
  case integer(Int64)
  /// OCTET STRING: bytes until somebody knows their character set.
  case octets(Octets)
  case null
  case objectIdentifier(ObjectIdentifier)
  /// IpAddress: four bytes as sent; malformed ones of other lengths are kept as they are.
  case ipAddress(Octets)
  case counter32(UInt32)
  /// Gauge32 / Unsigned32.
  case gauge32(UInt32)
  /// TimeTicks, hundredths of a second.
  case timeTicks(UInt32)
  case opaque(Octets)
  case counter64(UInt64)
  case noSuchObject
  case noSuchInstance
  case endOfMibView
}

extension ObjectValue {
  /// An OCTET STRING of these bytes.
  package static func octets(_ bytes: [UInt8]) -> ObjectValue { .octets(Octets(bytes)) }
  package static func ipAddress(_ bytes: [UInt8]) -> ObjectValue { .ipAddress(Octets(bytes)) }
  package static func opaque(_ bytes: [UInt8]) -> ObjectValue { .opaque(Octets(bytes)) }
}

/// The numbers that an object can have by its MIB (RFC 2578, section 7.1), in whichever type a device sends them.
package enum NumericSyntax: Sendable {
  /// Integer32, and every enumeration.
  case integer32
  /// Counter32, Gauge32, Unsigned32 and TimeTicks.
  case unsigned32

  package var range: ClosedRange<Int64> {
    switch self {
    case .integer32: Int64(Int32.min)...Int64(Int32.max)
    case .unsigned32: 0...Int64(UInt32.max)
    }
  }
}

extension ObjectValue {
  /// The value as a signed number, for any of the numeric types; nil for the others or when it does not fit.
  package var number: Int64? {
    switch self {
    case .integer(let value): value
    case .counter32(let value), .gauge32(let value), .timeTicks(let value): Int64(value)
    case .counter64(let value): Int64(exactly: value)
    default: nil
    }
  }

  /// The value as a signed number that an object of this syntax can have; nil for every other.
  package func number(as syntax: NumericSyntax) -> Int64? {
    number.flatMap { syntax.range.contains($0) ? $0 : nil }
  }

  /// The value as a counter: numeric and not negative.
  package var unsigned: UInt64? {
    if case .counter64(let value) = self { return value }
    return number.flatMap { UInt64(exactly: $0) }
  }

  /// The value as a counter of an object whose syntax is not known: a Counter64, or what the types of 32 bits can hold. A device may send
  /// an INTEGER of more bits, which is no number that SNMP has.
  package var counter: UInt64? {
    if case .counter64(let value) = self { return value }
    return number(as: .unsigned32).flatMap { UInt64(exactly: $0) }
  }

  /// Whether the value is of a numeric type.
  package var isNumeric: Bool { number != nil || unsigned != nil }

  /// The bytes of an OCTET STRING.
  package var octets: Octets? {
    if case .octets(let bytes) = self { bytes } else { nil }
  }

  /// Whether this is one of RFC 3416's exceptions instead of a value.
  package var isException: Bool {
    switch self {
    case .noSuchObject, .noSuchInstance, .endOfMibView: true
    default: false
    }
  }
}

/// One name with its value (RFC 3416, section 3: VarBind).
package struct VarBind: Hashable, Sendable {
  package var name: ObjectIdentifier
  package var value: ObjectValue

  package init(_ name: ObjectIdentifier, _ value: ObjectValue) {
    self.name = name
    self.value = value
  }
}
