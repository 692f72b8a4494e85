// Names: packed inline or behind a reference, they are what their sub-identifiers say, in the order of the MIB.

internal import MIB
internal import Testing

@Suite("Object identifiers")
struct ObjectIdentifierTests {
  /// Around each size that a sub-identifier can be packed in.
  private static let edges: [UInt32] = [
    0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, 0x1F_FFFF, 0x20_0000, 0xFFF_FFFF, 0x1000_0000, .max,
  ]

  /// Names of every length around the inline limit, with sub-identifiers of every size; some the beginnings of others.
  private static let names: [[UInt32]] = {
    var random = SeededGenerator(seed: 1)
    var names: [[UInt32]] = [[]]
    for length in [1, 2, 3, 5, 13, 20, 21, 22, 23, 24, 40, 128] {
      names.append(Array(repeating: 0, count: length))
      names.append(Array(repeating: .max, count: length))
      for _ in 0..<6 { names.append((0..<length).map { _ in edges.randomElement(using: &random) ?? 0 }) }
    }
    for name in names { names.append(name + [0]) }
    return names
  }()

  @Test func `a name gives its sub-identifiers back`() {
    for components in Self.names {
      let name = ObjectIdentifier(components)
      #expect(name.components == components)
      #expect(name.count == components.count)
      #expect(name.first == components.first)
      #expect(name.last == components.last)
      #expect(Array(name) == components)
      #expect((0...components.count).map { name.component($0) } == components.map { $0 } + [nil])
    }
  }

  @Test func `names are equal and ordered as their sub-identifiers are`() {
    for left in Self.names {
      for right in Self.names {
        let (one, other) = (ObjectIdentifier(left), ObjectIdentifier(right))
        #expect((one == other) == (left == right))
        #expect((one < other) == left.lexicographicallyPrecedes(right), "\(one) and \(other)")
        if left == right { #expect(one.hashValue == other.hashValue) }
      }
    }
  }

  @Test func `a name lies within its beginnings and nothing else`() {
    for left in Self.names {
      for right in Self.names {
        let (one, other) = (ObjectIdentifier(left), ObjectIdentifier(right))
        #expect(one.isWithin(other) == left.starts(with: right), "\(one) in \(other)")
        #expect(
          one.suffix(below: other)?.components == (left.starts(with: right) ? Array(left.dropFirst(right.count)) : nil))
        #expect(one.sharedCount(with: other) == zip(left, right).prefix { $0 == $1 }.count)
      }
    }
  }

  @Test func `names are put together and taken apart at every place`() {
    for components in Self.names {
      let name = ObjectIdentifier(components)
      for cut in 0...(components.count + 1) {
        let (head, tail) = (components.prefix(cut), components.dropFirst(cut))
        #expect(name.dropFirst(cut) == ObjectIdentifier(tail))
        #expect(name.dropLast(cut) == ObjectIdentifier(components.dropLast(cut)))
        #expect(name.suffix(cut) == ObjectIdentifier(components.suffix(cut)))
        #expect(ObjectIdentifier(head).appending(ObjectIdentifier(tail)) == name)
        #expect(ObjectIdentifier(head).appending(tail) == name)
        if let last = tail.first, tail.count == 1 { #expect(ObjectIdentifier(head).appending(last) == name) }
      }
    }
  }

  @Test func `the dotted form is read and written`() {
    #expect(ObjectIdentifier(dotted: ".1.3.6.4294967295") == [1, 3, 6, 4_294_967_295])
    #expect(ObjectIdentifier([1, 3, 6, 1, 4, 1, 18_334]).description == "1.3.6.1.4.1.18334")
    for text in [
      "", "1..3", "1.3.", "+1.3", "1.-3", "1.4294967296", Array(repeating: "1", count: 129).joined(separator: "."),
    ] {
      #expect(ObjectIdentifier(dotted: text) == nil, "\(text)")
    }
  }
}
