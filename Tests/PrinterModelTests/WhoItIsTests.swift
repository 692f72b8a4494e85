// Who a device is: makers that are known by their names alone, and agents that answer for more than one printer.

internal import MIB
internal import PrinterModel
internal import Testing

private func read(_ lines: String...) -> Reading {
  Interpretation.read(SNMPRec.parse(Array((lines.joined(separator: "\n") + "\n").utf8)).walk)
}

@Suite("A maker")
struct MakerNameTests {
  @Test(
    arguments: [
      ("SATO NETWORK PRINTING VERSION E 3.6.0.16", "SATO"), ("Intermec PM43", "Intermec"),
      ("Datamax-ONeil I-4212e", "Datamax"), ("CAB SQUIX 4", "cab"), ("DYMO", "DYMO"),
      ("Printronix P7000", "Printronix"), ("OCE VarioPrint 6000", "Oce"), ("Océ VarioPrint 6000", "Oce"),
      ("Cabletron switch", nil), ("Ocean server", nil), ("Satori host", nil),
    ] as [(String, String?)])
  func `is told by what its printers' descriptions begin with`(description: String, make: String?) {
    #expect(read("1.3.6.1.2.1.1.1.0|4|\(description)").identity.make == make)
  }

  @Test func `is told by the tree of its private objects`() {
    #expect(read("1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.1963.10.25").identity.make == "Intermec")
  }

  @Test func `and the kind of device are no part of the model`() {
    let text = "Xerox WorkCentre 5632 v1 Multifunction System; System Software 025.054.055.00060, ESS 061.060.03400"
    let id = "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.253.8.62.1.19"
    #expect(read(id, "1.3.6.1.2.1.1.1.0|4|\(text)").identity.model?.text == "WorkCentre 5632")
    let printer = "1.3.6.1.2.1.25.3.2.1.2.1|6|1.3.6.1.2.1.25.3.1.5"
    let reading = read(id, printer, "1.3.6.1.2.1.25.3.2.1.3.1|4|\(text)")
    #expect(reading.identity.model?.text == "WorkCentre 5632")
    #expect(read(id, printer, "1.3.6.1.2.1.25.3.2.1.3.1|4|Xerox Phaser 4600").identity.model?.text == "Phaser 4600")
  }
}

@Suite("Several printers behind one agent")
struct SeveralPrintersTests {
  /// Two printers with a serial number, a counter, a toner and a tray each.
  private func both(_ first: String, _ second: String) -> Reading {
    let rows = [(3, first, 100, "A"), (7, second, 900, "B")].map { index, serial, count, name in
      """
      1.3.6.1.2.1.25.3.2.1.2.\(index)|6|1.3.6.1.2.1.25.3.1.5
      1.3.6.1.2.1.25.3.2.1.3.\(index)|4|Printer \(name)
      1.3.6.1.2.1.25.3.5.1.1.\(index)|2|\(index)
      1.3.6.1.2.1.43.5.1.1.17.\(index)|4|\(serial)
      1.3.6.1.2.1.43.8.2.1.10.\(index).1|2|\(count)
      1.3.6.1.2.1.43.10.2.1.3.\(index).1|2|7
      1.3.6.1.2.1.43.10.2.1.4.\(index).1|65|\(count)
      1.3.6.1.2.1.43.11.1.1.6.\(index).1|4|Toner \(name)
      1.3.6.1.2.1.43.11.1.1.9.\(index).1|2|50
      """
    }
    return read(rows.joined(separator: "\n"))
  }

  @Test func `are not mixed: the first is read, and a finding names them all`() {
    let reading = both("SERAAAA111", "SERBBBB222")
    #expect(reading.identity.serial?.text == "SERAAAA111" && reading.identity.model?.text == "Printer A")
    #expect(reading.status.printer == 3)
    #expect(reading.meters.map(\.name) == [.total] && reading.meters.first?.value == 100)
    #expect(reading.supplies.map(\.description?.text) == ["Toner A"] && reading.inputs.map(\.level) == [100])
    #expect(
      reading.findings.map(\.message) == [
        "2 printers answer here (serial numbers SERAAAA111 at 3, SERBBBB222 at 7): only the first is read"
      ])
  }

  @Test(arguments: [("SERAAAA111", "SERAAAA111"), ("SERAAAA111", ""), ("N/A", "SERBBBB222")])
  func `are one where their serial numbers do not tell them apart`(first: String, second: String) {
    #expect(both(first, second).supplies.count == 2)
  }
}
