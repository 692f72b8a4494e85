// Supplies, trays and bins whose own columns contradict each other: what is not known is told as unknown, with a finding that says why.

internal import MIB
internal import PrinterModel
internal import Testing

private func read(_ lines: String...) -> Reading {
  Interpretation.read(SNMPRec.parse(Array((lines.joined(separator: "\n") + "\n").utf8)).walk)
}

private let supplies = "1.3.6.1.2.1.43.11.1.1"

@Suite("A container of waste")
struct WasteTests {
  /// - Parameter identity: columns of class and type, and a description.
  private func waste(_ identity: String..., level: Int = 3) -> (supply: Supply?, findings: [Finding]) {
    let lines = identity + ["\(supplies).8.1.1|2|100", "\(supplies).9.1.1|2|\(level)"]
    let reading = read(lines.joined(separator: "\n"))
    return (reading.supplies.first, reading.findings)
  }

  @Test func `tells the room that is left in it`() {
    let (supply, findings) = waste("\(supplies).4.1.1|2|4", "\(supplies).5.1.1|2|4")
    #expect(supply?.remaining == "room 3 %" && supply?.quality == .exact)
    #expect(findings.isEmpty)
  }

  @Test func `that is consumed has no level that anybody knows, and a finding tells it`() {
    for type in [4, 8, 14, 24, 26] {
      let (supply, findings) = waste("\(supplies).4.1.1|2|3", "\(supplies).5.1.1|2|\(type)")
      #expect(supply?.percentRemaining == nil && supply?.quality == .unknown && supply?.remaining == "unknown")
      #expect(findings.contains { $0.message.contains("supplyThatIsConsumed") && $0.message.contains("unknown") })
    }
  }

  @Test func `of a device that tells no class is one by its type, or else by its description`() {
    #expect(waste("\(supplies).5.1.1|2|8", level: 90).supply?.remaining == "room 90 %")
    #expect(waste("\(supplies).6.1.1|4|Waste Toner Container, PN 008R13061", level: 5).supply?.remaining == "room 5 %")
    #expect(waste("\(supplies).5.1.1|2|3", "\(supplies).6.1.1|4|No waste here").supply?.remaining == "3 %")
    #expect(waste("\(supplies).6.1.1|4|Wastelands Toner").supply?.remaining == "3 %")
  }
}

@Suite("A column that goes on where the others end")
struct EndlessColumnTests {
  private func reading(rows: Int, column: Int) -> Reading {
    let parts = (1...4).flatMap { row in
      [
        "\(supplies).5.1.\(row)|2|3", "\(supplies).6.1.\(row)|4|Toner", "\(supplies).9.1.\(row)|2|50",
        "1.3.6.1.2.1.43.10.2.1.3.1.\(row)|2|7", "1.3.6.1.2.1.43.10.2.1.4.1.\(row)|65|9",
      ]
    }
    let value = column == 6 ? "4|Toner" : "2|50"
    let endless = (5...rows).flatMap { row in
      ["\(supplies).\(column).1.\(row)|\(value)", "1.3.6.1.2.1.43.10.2.1.4.1.\(row)|65|9"]
    }
    return read((parts + endless).joined(separator: "\n"))
  }

  @Test(arguments: [6, 9])
  func `adds no supplies and no markers, and is found`(column: Int) {
    let reading = reading(rows: 2_048, column: column)
    #expect(reading.supplies.count == 4 && reading.meters.count == 4)
    #expect(reading.findings.contains { $0.message.hasPrefix("2044 rows have one column") })
  }

  @Test func `is told from a device that leaves columns out`() {
    #expect(reading(rows: 60, column: 6).supplies.count == 60)
  }
}

@Suite("A supply's steps")
struct SupplyStepsTests {
  @Test(arguments: [(20, Quality.coarse), (10, .coarse), (21, .exact), (100, .exact)] as [(Int, Quality)])
  func `are coarse where the capacity counts no more than that many`(capacity: Int, quality: Quality) {
    let supply = read("\(supplies).8.1.1|2|\(capacity)", "\(supplies).9.1.1|2|5").supplies.first
    #expect(supply?.quality == quality)
    #expect(supply?.remaining.hasPrefix("~") == (quality == .coarse))
  }
}

@Suite("A supply's colour")
struct SupplyColourTests {
  @Test(
    arguments: [
      ("Toner Cartridge (Cyan)", "cyan"), ("Tonerpatrone Magenta", "magenta"), ("Black Toner Cartridge", "black"),
      ("Toner(Yellow)", "yellow"), ("Toner Noir", "black"), ("Tóner amarillo", "yellow"), ("Czarny toner", "black"),
      ("シアン トナー", "cyan"), ("Photo Black Ink", "photo black"), ("Light Cyan", "light cyan"), ("Blue toner", "blue"),
      ("Black and White drum", nil), ("Cyan/Magenta/Yellow Drum", nil), ("Color drum", nil), ("Tri-color ink", nil),
      ("Background", nil), ("Dredger", nil), ("Greyscale kit", nil), ("Waste Toner Black", nil), ("TK-8505K", nil),
    ] as [(String, String?)])
  func `is the one that the description names`(description: String, colour: String?) throws {
    let supply = try #require(
      read("\(supplies).6.1.1|4|\(description)", "\(supplies).9.1.1|2|50").supplies.first)
    #expect(supply.colour == colour && supply.colorant == nil)
  }

  @Test func `is none of what holds waste, whatever its type says`() throws {
    let reading = read(
      "\(supplies).5.1.1|2|3", "\(supplies).6.1.1|4|Waste Toner Black", "\(supplies).5.1.2|2|4",
      "\(supplies).6.1.2|4|Black box")
    #expect(reading.supplies.map(\.colour) == [nil, nil])
  }

  @Test func `is the device's own where it tells one`() throws {
    let reading = read(
      "\(supplies).3.1.1|2|1", "\(supplies).6.1.1|4|Magenta Toner", "\(supplies).9.1.1|2|50",
      "1.3.6.1.2.1.43.12.1.1.4.1.1|4|Rosso")
    #expect(reading.supplies.first?.colour == "Rosso")
  }

  @Test func `has the description as its source`() throws {
    let document = SNMPRec.parse(Array("\(supplies).6.1.1|4|Cyan Toner\n\(supplies).9.1.1|2|50\n".utf8))
    let sources = Interpretation.sources(document.walk).supplies.values.first ?? []
    #expect(sources.first { $0.value == "colour" }?.rule == Rule("printtrail/supply-colour@1"))
  }
}

@Suite("A tray or bin that is fuller than full")
struct OverfullTests {
  @Test func `has a level that nobody knows, and a finding that tells both numbers`() throws {
    let document = SNMPRec.parse(
      Array("1.3.6.1.2.1.43.8.2.1.9.1.1|2|500\n1.3.6.1.2.1.43.8.2.1.10.1.1|2|600\n".utf8))
    let reading = Interpretation.read(document.walk)
    let tray = try #require(reading.inputs.first)
    #expect(tray.levelWords == "unknown" && tray.level == 600 && tray.capacity == 500)
    #expect(reading.findings.contains { $0.message.contains("600") && $0.message.contains("500") })
    let sources = Interpretation.sources(document.walk).inputs[tray.row]
    #expect(sources?.first { $0.value == "levelRaw" }?.quality == .unknown)
    #expect(sources?.first { $0.value == "capacityRaw" }?.quality == .exact)
  }

  @Test func `has a room that nobody knows`() throws {
    let reading = read("1.3.6.1.2.1.43.9.2.1.4.1.1|2|250", "1.3.6.1.2.1.43.9.2.1.5.1.1|2|300")
    #expect(reading.outputs.first?.remainingWords == "unknown")
    #expect(reading.findings.contains { $0.message.contains("300") && $0.message.contains("250") })
  }

  @Test func `is told where it is full, or where the capacity is not known`() throws {
    let reading = read(
      "1.3.6.1.2.1.43.8.2.1.9.1.1|2|500", "1.3.6.1.2.1.43.8.2.1.10.1.1|2|500", "1.3.6.1.2.1.43.8.2.1.9.1.2|2|-2",
      "1.3.6.1.2.1.43.8.2.1.10.1.2|2|7", "1.3.6.1.2.1.43.9.2.1.4.1.1|2|0", "1.3.6.1.2.1.43.9.2.1.5.1.1|2|9")
    #expect(reading.inputs.map(\.levelWords) == ["500 of 500", "7, capacity unknown"])
    #expect(reading.outputs.first?.remainingWords == "room for 9")
    #expect(reading.findings.isEmpty)
  }
}
