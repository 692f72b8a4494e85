// Names of IPP attributes among the names of objects, so that what a printer said over IPP is a walk as well: kept raw in readings, compared,
// exported and interpreted again like any other (docs/decisions/0009-attributes-are-objects.md).
//
//     3 . length of the keyword . its characters . index       printer-supply, second value:  3.14.112.114.….121.2
//
// The keyword is written as SNMP writes a text in an index (RFC 2578, section 7.7). Index 0: an attribute of one value; values of a set count
// from 1. A member of a collection is named behind a slash: `printer-impressions-completed-col/monochrome`.
//
// 3 is no root of X.660, which has 0 to 2, and BER cannot write it (X.690, section 8.19.4). So no object of a device has such a name.

/// One value of an IPP attribute.
package struct AttributeName: Hashable, Sendable, CustomStringConvertible {
  /// The root under which attributes are named.
  package static let root: ObjectIdentifier = [3]
  /// Keywords have at most 255 octets (RFC 8011, section 5.1.4); a name has room for these, and the attributes that are read are shorter.
  package static let keywordLengthMax = ObjectIdentifier.componentsMax - 3

  package let keyword: String
  /// 0 for an attribute of one value; values of a set count from 1.
  package let index: UInt32

  /// Nil when the keyword is empty, too long for a name, or not of ASCII's printable characters.
  package init?(_ keyword: String, _ index: UInt32 = 0) {
    guard (1...Self.keywordLengthMax).contains(keyword.utf8.count),
      keyword.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return nil }
    self.keyword = keyword
    self.index = index
  }

  /// Reads a name back; nil for those of SNMP's objects.
  package init?(_ name: ObjectIdentifier) {
    let parts = name.components
    guard parts.count >= 4, parts[0] == 3, Int(parts[1]) == parts.count - 3 else { return nil }
    let characters = parts[2..<parts.count - 1].compactMap(UInt8.init(exactly:))
    guard characters.count == parts.count - 3 else { return nil }
    self.init(String(decoding: characters, as: UTF8.self), parts[parts.count - 1])
  }

  package var identifier: ObjectIdentifier { Self.identifier(of: keyword).appending(index) }

  /// What all values of an attribute lie below.
  package static func identifier(of keyword: String) -> ObjectIdentifier {
    ObjectIdentifier([3, UInt32(keyword.utf8.count)] + keyword.utf8.map { UInt32($0) })
  }

  /// `printer-up-time`, `printer-supply.2`
  package var description: String { index == 0 ? keyword : "\(keyword).\(index)" }
}

extension ObjectIdentifier {
  /// For people and reports: an IPP attribute by its name, an object in the dotted form.
  package var shown: String { AttributeName(self)?.description ?? description }
}

extension Walk {
  /// Whether the walk holds IPP attributes instead of SNMP's objects.
  package var isOfAttributes: Bool { bindings.last?.name.components.first == AttributeName.root.components.first }

  /// The values of an attribute in their order, those that say that there is none left out.
  package func attribute(_ keyword: String) -> [VarBind] {
    subtree(AttributeName.identifier(of: keyword)).filter { !$0.value.isException && $0.value != .null }
  }
}
