// Rows of the Printer MIB as IPP writes them, as texts.

internal import Testing

internal import PrinterModel

@Suite struct `Key and value pairs of a row` {
  @Test func `are read as the standard writes them`() {
    let supply = AttributeRow(
      "type=tonerCartridge;maxcapacity=100;level=42;index=1;class=supplyThatIsConsumed;unit=percent;colorantname=black;"
    )
    #expect(supply["type"] == "tonerCartridge")
    #expect(supply.number("level") == 42 && supply.number("maxcapacity") == 100)
    #expect(supply.malformed.isEmpty)
  }

  @Test func `are read from what printers send`() {
    // A key doubled into its value, no last semicolon, line breaks, capitals.
    let alert = AttributeRow("code=unknown;\r\n severity=otherother; Group=markersupplies;groupIndex=3")
    #expect(alert["severity"] == "otherother")
    #expect(alert["group"] == "markersupplies" && alert.number("groupindex") == 3)
    let broken = AttributeRow("level;=5;level=12%;max=99999999999;x==y;;")
    #expect(broken.malformed == ["level", "=5"])
    #expect(broken.number("level") == nil, "12% is not a number of the MIB")
    #expect(broken.number("max") == nil, "nor is what does not fit its 32 bits")
    #expect(broken["x"] == "=y")
  }
}
