// The kinds of value that model and fleet files share: object identifiers, hexadecimal bytes, row indexes, counts.

internal import MIB

extension SettingsTable {
  func requiredTable(_ key: String) throws -> SettingsTable {
    guard let table = try table(key) else { throw fault(key, "missing; expected a table [\(key)]") }
    return table
  }

  func rows<Row>(_ key: String, _ read: (SettingsTable) throws -> Row) throws -> [Row] {
    let tables = try tables(key)
    guard tables.count <= DeviceModel.rowsMax else {
      throw fault(key, "\(tables.count) rows; at most \(DeviceModel.rowsMax)")
    }
    return try tables.map(read)
  }

  func rowIndex() throws -> UInt32 { UInt32(try requiredInteger("index", in: 1...65_535)) }

  func unique(_ key: String, _ indexes: [UInt32]) throws {
    var seen: Set<UInt32> = []
    for (row, index) in zip(try tables(key), indexes) where !seen.insert(index).inserted {
      throw row.fault("index", "\(index) is used twice; expected a different index for each row")
    }
  }

  func objectIdentifier(_ key: String) throws -> ObjectIdentifier {
    let text = try requiredString(key)
    guard let name = ObjectIdentifier(dotted: text), name.count >= 2 else {
      throw fault(key, "'\(text)' is not an object identifier; expected numbers with dots, such as 1.3.6.1.2.1.1.1.0")
    }
    return name
  }

  /// Pairs of hexadecimal digits, separated by nothing, blanks or colons.
  func hex(_ key: String) throws -> [UInt8] {
    let text = try requiredString(key)
    let digits = text.filter { $0 != " " && $0 != ":" }
    var bytes: [UInt8] = []
    var rest = digits[...]
    while !rest.isEmpty {
      guard rest.count >= 2, let byte = UInt8(rest.prefix(2), radix: 16) else {
        throw fault(key, "'\(text)' is not hexadecimal; expected pairs of digits, such as 00 1f a3")
      }
      bytes.append(byte)
      rest = rest.dropFirst(2)
    }
    return bytes
  }

  func macPrefix(_ key: String) throws -> [UInt8] {
    let bytes = try hex(key)
    guard bytes.count == 3 else {
      throw fault(key, "\(bytes.count) bytes; expected the three of the maker, such as 00:17:c8")
    }
    return bytes
  }

  func counts(_ key: String) throws -> [Count] {
    guard let words = try strings(key), !words.isEmpty else {
      throw fault(key, "missing; expected a list of counts")
    }
    return try words.map { word in
      guard let count = Count(rawValue: word) else {
        let known = Count.allCases.map(\.rawValue).joined(separator: ", ")
        throw fault(key, "'\(word)' is not known; expected some of \(known)")
      }
      return count
    }
  }

  func versions(_ key: String) throws -> Set<AgentVersion>? {
    guard let words = try strings(key) else { return nil }
    return Set(
      try words.map { word in
        guard let version = AgentVersion(rawValue: word) else {
          throw fault(key, "'\(word)' is not known; expected some of v1, v2c, v3")
        }
        return version
      })
  }
}
