// An OBJECT IDENTIFIER as SNMP uses it (X.660; RFC 2578, section 3.5): at most 128 sub-identifiers of at most 2^32-1 each,
// ordered lexicographically. That order is what GETNEXT walks along, so `Comparable` is the order of a MIB.
//
// Names are what a poll consists of, so they are made, compared and copied without memory of their own (`NameKey`).

/// An object identifier: a path in the tree of managed objects. Also a part of one, as the index of a row is.
package struct ObjectIdentifier: Hashable, Sendable {
  /// RFC 2578, section 3.5: "there are at most 128 sub-identifiers in a value".
  package static let componentsMax = 128

  @usableFromInline let key: NameKey

  @inlinable
  init(key: NameKey) { self.key = key }

  @inlinable
  package init(_ components: some Sequence<UInt32>) {
    var builder = NameKey.Builder()
    for component in components { builder.append(component) }
    key = builder.finished()
  }

  /// The contents of a BER encoding in which each sub-identifier takes one byte, as in most names; nil for any other, and for none.
  package init?(plainBER contents: UnsafeRawBufferPointer) {
    guard let key = NameKey(plainBER: contents) else { return nil }
    self.key = key
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
    self.init(components)
  }

  /// The sub-identifiers from the root, for example `[1, 3, 6, 1, 2, 1, 1, 1, 0]` for `sysDescr.0`, as an array made for it.
  package var components: [UInt32] {
    var components: [UInt32] = []
    components.reserveCapacity(count)
    var rest = NameKey.Iterator(key)
    while let component = rest.next() { components.append(component) }
    return components
  }

  /// How many sub-identifiers there are.
  @inlinable
  package var count: Int { key.count }

  @inlinable
  package var isEmpty: Bool { key.count == 0 }

  package var first: UInt32? { component(0) }

  package var last: UInt32? { isEmpty ? nil : component(count - 1) }

  /// The sub-identifier at a depth, the root's being 0; nil below the last.
  package func component(_ depth: Int) -> UInt32? {
    var rest = NameKey.Iterator(key)
    for _ in 0..<Swift.max(depth, 0) where rest.next() == nil { return nil }
    return rest.next()
  }

  /// The first depth at which two names differ, or at which the shorter one has ended.
  package func sharedCount(with other: ObjectIdentifier) -> Int {
    var (left, right) = (NameKey.Iterator(key), NameKey.Iterator(other.key))
    var depth = 0
    while let component = left.next(), component == right.next() { depth += 1 }
    return depth
  }

  /// The name without its last sub-identifiers; empty if it has no more.
  package func dropLast(_ dropped: Int = 1) -> ObjectIdentifier {
    let kept = Swift.max(count - dropped, 0)
    var rest = NameKey.Iterator(key)
    for _ in 0..<kept { _ = rest.next() }
    return ObjectIdentifier(key: key.prefix(upTo: rest.position, count: kept))
  }

  /// The name's last sub-identifiers; all if it has no more.
  package func suffix(_ kept: Int) -> ObjectIdentifier { dropFirst(count - kept) }

  /// The name without its first sub-identifiers; empty if it has no more.
  package func dropFirst(_ dropped: Int) -> ObjectIdentifier {
    let dropped = Swift.min(Swift.max(dropped, 0), count)
    var rest = NameKey.Iterator(key)
    for _ in 0..<dropped { _ = rest.next() }
    return ObjectIdentifier(key: key.suffix(from: rest.position, count: count - dropped))
  }

  /// This identifier with a further sub-identifier below it.
  @inlinable
  package func appending(_ component: UInt32) -> ObjectIdentifier {
    var builder = NameKey.Builder(key)
    builder.append(component)
    return ObjectIdentifier(key: builder.finished())
  }

  /// This identifier with further sub-identifiers below it.
  package func appending(_ suffix: UInt32...) -> ObjectIdentifier { appending(suffix) }

  /// This identifier with the sub-identifiers of an index below it.
  package func appending(_ suffix: some Sequence<UInt32>) -> ObjectIdentifier {
    var builder = NameKey.Builder(key)
    for component in suffix { builder.append(component) }
    return ObjectIdentifier(key: builder.finished())
  }

  /// This identifier with another, for example a row's index, below it.
  package func appending(_ suffix: ObjectIdentifier) -> ObjectIdentifier {
    var builder = NameKey.Builder(key)
    builder.append(suffix.key)
    return ObjectIdentifier(key: builder.finished())
  }

  /// Whether this identifier is `ancestor` or lies below it.
  @inlinable
  package func isWithin(_ ancestor: ObjectIdentifier) -> Bool { key.begins(with: ancestor.key) }

  /// What follows `ancestor`, or nil if this identifier does not lie within it. For a column this is the row's index.
  package func suffix(below ancestor: ObjectIdentifier) -> ObjectIdentifier? {
    guard isWithin(ancestor) else { return nil }
    return ObjectIdentifier(key: key.suffix(from: ancestor.key.byteCount, count: count - ancestor.count))
  }
}

extension ObjectIdentifier {
  /// A name as its sub-identifiers come.
  package struct Builder {
    @usableFromInline var key = NameKey.Builder()

    @inlinable
    package init() {}

    @inlinable
    package var count: Int { key.count }

    @inlinable
    package mutating func append(_ component: UInt32) { key.append(component) }

    @inlinable
    package consuming func finished() -> ObjectIdentifier { ObjectIdentifier(key: key.finished()) }
  }
}

extension ObjectIdentifier: Comparable {
  @inlinable
  package static func < (left: ObjectIdentifier, right: ObjectIdentifier) -> Bool { left.key < right.key }
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

extension ObjectIdentifier: Sequence {
  /// The sub-identifiers from the root.
  package struct Iterator: IteratorProtocol {
    private var rest: NameKey.Iterator

    fileprivate init(_ key: NameKey) { rest = NameKey.Iterator(key) }

    package mutating func next() -> UInt32? { rest.next() }
  }

  package func makeIterator() -> Iterator { Iterator(key) }
  package var underestimatedCount: Int { count }
}
