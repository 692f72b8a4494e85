// From an answer to Get-Printer-Attributes to a walk: each value by its name and as it was sent. Nothing is interpreted here.
//
//     integer, enum         INTEGER                   unknown        NULL
//     boolean               INTEGER 1 or 2 (TruthValue, RFC 2579)    no-value       noSuchInstance
//     text, octets, URI     OCTET STRING              unsupported    noSuchObject
//     dateTime              OCTET STRING of 11 bytes (DateAndTime, RFC 2579)
//
// Only what is asked for is kept: some printers send everything whatever they are asked.

internal import IPP
internal import MIB
internal import PrinterModel

extension Walk {
  /// - Returns: the walk, and what of the message made no sense.
  static func attributes(of decoded: IPPDecoded) -> (walk: Walk, findings: [Finding]) {
    var walk = Walk()
    var findings = decoded.findings.map { finding in
      Finding(AttributeName(finding.attribute)?.identifier, finding.description)
    }
    guard let group = decoded.message[.printer] else { return (walk, findings) }
    for attribute in PrinterAttribute.all {
      for (place, value) in group[attribute.keyword].prefix(valuesMax).enumerated() {
        guard let left = walk.add(value, attribute, place) else { continue }
        findings.append(Finding(AttributeName(attribute.keyword)?.identifier, left))
      }
    }
    return (walk, findings)
  }

  /// Values of one attribute that are kept: as many as a table has rows.
  private static let valuesMax = Walk.tableRowsMax

  /// Adds a value; returns what is wrong with one that cannot be added.
  private mutating func add(_ value: IPPValue, _ attribute: PrinterAttribute, _ place: Int) -> String? {
    let index: UInt32
    switch attribute.form {
    case .set: index = UInt32(place) + 1
    case .single:
      guard place == 0 else {
        return "\(attribute.keyword) has several values where there is to be one; the first is taken"
      }
      index = 0
    case .collection:
      guard place == 0 else {
        return "\(attribute.keyword) has several values where there is to be one; the first is taken"
      }
      return addMembers(of: value, attribute)
    }
    guard let object = ObjectValue(value), let name = AttributeName(attribute.keyword, index) else {
      return "\(attribute.keyword) has a value of another syntax than it is to have"
    }
    set(name.identifier, object)
    return nil
  }

  private mutating func addMembers(of value: IPPValue, _ attribute: PrinterAttribute) -> String? {
    guard case .collection(let members) = value else {
      if case .outOfBand = value { return nil }
      return "\(attribute.keyword) is no collection"
    }
    for member in members.prefix(Self.valuesMax) {
      guard let name = AttributeName("\(attribute.keyword)/\(member.name)"), let value = member.values.first,
        let object = ObjectValue(value)
      else { continue }
      set(name.identifier, object)
    }
    return nil
  }
}

extension ObjectValue {
  /// Nil for ranges, resolutions, collections, and what could not be read by its syntax.
  fileprivate init?(_ value: IPPValue) {
    switch value {
    case .integer(let number), .enumeration(let number): self = .integer(Int64(number))
    case .boolean(let isTrue): self = .integer(isTrue ? 1 : 2)
    case .string(let text, _): self = .octets(Array(text.utf8))
    case .octets(let bytes): self = .octets(bytes)
    case .dateTime(let date): self = .octets(date.bytes)
    case .outOfBand(.unknown): self = .null
    case .outOfBand(.noValue): self = .noSuchInstance
    case .outOfBand: self = .noSuchObject
    case .range, .resolution, .collection, .undecodable: return nil
    }
  }
}
