internal import MIB
internal import Testing

@Suite struct `The name of an IPP attribute` {
  @Test(arguments: [
    ("printer-up-time", UInt32(0), "printer-up-time"), ("printer-supply", 2, "printer-supply.2"),
    (
      "printer-impressions-completed-col/full-color-two-sided", 0,
      "printer-impressions-completed-col/full-color-two-sided"
    ),
  ])
  func `is read back from the identifier that it is written as`(keyword: String, index: UInt32, shown: String) throws {
    let name = try #require(AttributeName(keyword, index))
    #expect(AttributeName(name.identifier) == name)
    #expect(name.identifier.shown == shown)
    #expect(ObjectIdentifier(dotted: name.identifier.description) == name.identifier)
  }

  @Test func `is never one of an object`() {
    #expect(AttributeName(MIB2.sysUpTime) == nil)
    #expect(MIB2.sysUpTime.shown == "1.3.6.1.2.1.1.3.0")
    // Lengths that lie, characters that are none.
    for components: [UInt32] in [
      [3], [3, 0, 0], [3, 2, 97, 0], [3, 1, 300, 0], [3, 1, 10, 0], [3, 4_294_967_295, 97, 0],
    ] {
      #expect(AttributeName(ObjectIdentifier(components)) == nil, "\(components)")
    }
  }

  @Test func `has room for every keyword that is asked for, and for no longer one`() {
    #expect(PrinterAttribute.keywords.allSatisfy { AttributeName("\($0)/highlight-color-two-sided") != nil })
    #expect(Set(PrinterAttribute.keywords).count == PrinterAttribute.keywords.count)
    #expect(AttributeName("") == nil)
    #expect(AttributeName(String(repeating: "a", count: 126)) == nil)
    #expect(
      AttributeName(String(repeating: "a", count: 125))?.identifier.components.count == ObjectIdentifier.componentsMax)
    #expect(AttributeName("printer state") == nil)
  }

  @Test func `finds the values of one attribute and of no longer one`() throws {
    var walk = Walk()
    for (keyword, index, value) in [
      ("printer-state", 0, 3), ("printer-state-reasons", 1, 4), ("marker-levels", 1, 50), ("marker-levels", 2, -3),
    ] { walk.set(try #require(AttributeName(keyword, UInt32(index))).identifier, .integer(Int64(value))) }
    walk.set(try #require(AttributeName("marker-levels", 3)).identifier, .null)
    #expect(walk.isOfAttributes)
    #expect(walk.attribute("printer-state").map(\.value) == [.integer(3)])
    #expect(walk.attribute("marker-levels").map(\.value) == [.integer(50), .integer(-3)], "unknown is no value")
    #expect(!Walk([VarBind(MIB2.sysUpTime, .timeTicks(1))]).isOfAttributes)
  }
}
