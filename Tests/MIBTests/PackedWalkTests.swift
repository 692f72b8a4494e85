// Walks at rest come back as they were.

internal import MIB
internal import Testing

@Suite("Packed walks")
struct PackedWalkTests {
  private static let values: [ObjectValue] = [
    .integer(0), .integer(.min), .integer(.max), .integer(-1), .octets([]), .octets(Array(repeating: 7, count: 300)),
    .null,
    .objectIdentifier([]), .objectIdentifier([1, 3, 6, 1, 4, 1, 18_334]),
    .objectIdentifier(ObjectIdentifier(Array(repeating: .max, count: 40))), .ipAddress([127, 0, 0, 1]),
    .counter32(.max),
    .gauge32(0), .timeTicks(1), .opaque([0x9F, 0x78]), .counter64(.max), .noSuchObject, .noSuchInstance, .endOfMibView,
  ]

  /// Around what lies inline.
  private static let lengths = [1, 9, 13, 22, 23, 40, 128]

  @Test func `a packed walk is the walk`() {
    var random = SeededGenerator(seed: 2)
    for size in [0, 1, 2, 40, 400] {
      let bindings = (0..<size).map { number in
        let length = Self.lengths.randomElement(using: &random) ?? 1
        let parts: [UInt32] = [0, 1, 43, 300, .max]
        let name = (0..<length).map { _ in parts.randomElement(using: &random) ?? 0 }
        return VarBind(ObjectIdentifier(name), Self.values[number % Self.values.count])
      }
      let walk = Walk(bindings)
      #expect(PackedWalk(walk).walk == walk)
    }
  }

  @Test func `a value is replaced without packing anew, and others with it`() {
    var walk = Walk((1...9).map { VarBind([1, 3, $0], .timeTicks($0)) })
    var packed = PackedWalk(walk)
    for name in [[1, 3, 5], [1, 3, 5], [1, 3, 7], [1, 3, 5]] as [ObjectIdentifier] {
      let binding = VarBind(name, .timeTicks(UInt32(packed.walk.bindings.count) + (name.last ?? 0)))
      walk.set(name, binding.value)
      packed = packed.replacing(binding)
      #expect(packed.walk == walk)
    }
  }

  @Test func `names that follow one another cost the bytes in which they differ`() {
    let rows = (1...100).map { VarBind([1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 9, 1, $0], .integer(Int64($0))) }
    let packed = PackedWalk(Walk(rows))
    #expect(packed.byteCount < 100 * 8, "of one row: two lengths, one sub-identifier, the count, the kind, the number")
  }

  @Test func `octets of several values are pieces of one buffer`() throws {
    let walk = PackedWalk(Walk([VarBind([1, 1], .octets([1, 2])), VarBind([1, 2], .octets([3]))])).walk
    let pieces = walk.bindings.compactMap(\.value.octets)
    #expect(pieces.map(\.array) == [[1, 2], [3]])
    #expect(pieces.allSatisfy { $0.keptByteCount > 3 })
  }
}
