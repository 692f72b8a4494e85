// An OBJECT IDENTIFIER as SNMP uses it (X.660; RFC 2578, section 3.5): at most 128 sub-identifiers of at most 2^32-1 each,
// ordered lexicographically. That order is what GETNEXT walks along, so `Comparable` is the order of a MIB.

/// An object identifier: a path in the tree of managed objects.
package struct ObjectIdentifier: Hashable, Sendable {
  /// RFC 2578, section 3.5: "there are at most 128 sub-identifiers in a value".
  package static let componentsMax = 128

  /// The sub-identifiers from the root, for example `[1, 3, 6, 1, 2, 1, 1, 1, 0]` for `sysDescr.0`.
  package let components: [UInt32]

  package init(_ components: [UInt32]) {
    self.components = components
  }

  /// Reads the dotted form (`1.3.6.1`, a leading dot is allowed). Returns nil for anything else, or for more than `componentsMax` parts.
  package init?(dotted text: some StringProtocol) {
    let body = text.hasPrefix(".") ? text.dropFirst() : text[...]
    var components: [UInt32] = []
    for part in body.split(separator: ".", omittingEmptySubsequences: false) {
      guard let value = UInt32(part), part.utf8.first != UInt8(ascii: "+") else { return nil }
      components.append(value)
    }
    guard components.count <= Self.componentsMax else { return nil }
    self.components = components
  }

  /// This identifier with further sub-identifiers below it.
  package func appending(_ suffix: UInt32...) -> ObjectIdentifier {
    ObjectIdentifier(components + suffix)
  }

  /// This identifier with the sub-identifiers of an index below it.
  package func appending(_ suffix: some Sequence<UInt32>) -> ObjectIdentifier {
    ObjectIdentifier(components + suffix)
  }

  /// Whether this identifier is `ancestor` or lies below it.
  package func isWithin(_ ancestor: ObjectIdentifier) -> Bool {
    let depth = ancestor.components.count
    guard components.count >= depth else { return false }
    // Names that are compared mostly differ in their last parts: from the back the answer comes sooner.
    var index = depth
    while index > 0 {
      index -= 1
      if components[index] != ancestor.components[index] { return false }
    }
    return true
  }

  /// What follows `ancestor`, or nil if this identifier does not lie within it. For a column this is the row's index.
  package func suffix(below ancestor: ObjectIdentifier) -> ArraySlice<UInt32>? {
    isWithin(ancestor) ? components[ancestor.components.count...] : nil
  }
}

extension ObjectIdentifier: Comparable {
  package static func < (left: ObjectIdentifier, right: ObjectIdentifier) -> Bool {
    // A walk is searched and checked by this more than by anything else: spans spare the counting of references.
    let (left, right) = (left.components.span, right.components.span)
    for index in 0..<min(left.count, right.count) where left[index] != right[index] {
      return left[index] < right[index]
    }
    return left.count < right.count
  }
}

extension ObjectIdentifier: CustomStringConvertible {
  /// The dotted form without a leading dot.
  package var description: String {
    components.map(String.init).joined(separator: ".")
  }
}

extension ObjectIdentifier: ExpressibleByArrayLiteral {
  package init(arrayLiteral elements: UInt32...) {
    self.init(elements)
  }
}
