// Devices whose own words contradict what is usually made of them: each number is told as the device means it, or not at all.

internal import MIB
internal import PrinterModel
internal import Testing

private func read(_ lines: String) -> Reading {
  Interpretation.read(SNMPRec.parse(Array((lines + "\n").utf8)).walk)
}

extension Reading {
  fileprivate func value(_ meter: String) -> UInt64? { meters.first { $0.name.description == meter }?.value }
  fileprivate func unit(_ meter: String) -> CounterUnit? { meters.first { $0.name.description == meter }?.unit }
}

@Suite("A table that states its rows' units")
struct StatedUnitTests {
  private static let head = "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.641.2.1\n"

  /// Rows of paperGeneralCountTable: type, unit (UnitsTC: 4 sides, 5 sheets), value.
  private func reading(_ rows: [(type: Int, unit: Int?, value: Int)]) -> Reading {
    let entry = "1.3.6.1.4.1.641.6.4.2.1.1"
    var lines = Self.head
    for (index, row) in rows.enumerated() {
      lines += "\(entry).2.1.\(index + 1)|2|\(row.type)\n\(entry).4.1.\(index + 1)|65|\(row.value)\n"
      if let unit = row.unit { lines += "\(entry).3.1.\(index + 1)|2|\(unit)\n" }
    }
    return read(lines)
  }

  @Test func `sides are impressions and sheets a meter of their own, whichever row comes first`() {
    let reading = reading([
      (16, 5, 2100), (17, 5, 800), (18, 5, 1300), (16, 4, 4000), (17, 4, 1500), (18, 4, 2500),
    ])
    #expect(reading.value("print") == 4000 && reading.unit("print") == .impressions)
    #expect(reading.value("print#sheets") == 2100 && reading.unit("print#sheets") == .sheets)
    #expect(reading.value("print.fullColor") == 2500 && reading.value("print.fullColor#sheets") == 1300)
    #expect(reading.checks.contains { $0.name == "print = monochrome + colour" && $0.expected == 4000 && $0.holds })
    #expect(reading.findings.isEmpty)
  }

  @Test func `a row in sheets alone is no impressions`() {
    let reading = reading([(16, 5, 2100)])
    #expect(reading.value("print") == nil && reading.value("print#sheets") == 2100)
  }

  @Test(arguments: [nil, 1, 2, 99])
  func `a row that states no known unit is left out, and a finding tells it`(unit: Int?) {
    let reading = reading([(16, unit, 2100), (32, 4, 7)])
    #expect(reading.value("print") == nil && reading.value("copy") == 7)
    #expect(reading.findings.contains { $0.message.contains("no unit") })
  }

  @Test func `a poll fetches the column of units`() {
    let targets = PollTargets.privateTargets(for: DeviceEvidence(systemObjectID: [1, 3, 6, 1, 4, 1, 641, 2]))
    #expect(targets.tables.flatMap(\.columnNames).contains([1, 3, 6, 1, 4, 1, 641, 6, 4, 2, 1, 1, 3]))
  }
}

@Suite("A sentinel in a counter")
struct UnsignedSentinelTests {
  private static let marker = "1.3.6.1.2.1.43.10.2.1.3.1.1|2|7\n1.3.6.1.2.1.43.10.2.1.4.1.1"

  @Test(arguments: ["65|4294967295", "65|4294967294", "66|4294967295", "2|4294967294"])
  func `is no count, and a finding tells it`(value: String) {
    let reading = read("\(Self.marker)|\(value)")
    #expect(reading.meters.isEmpty)
    #expect(reading.findings.contains { $0.message.contains("without its sign") })
  }

  @Test(arguments: ["65|4294967293", "70|4294967295"])
  func `is not what a counter can have counted`(value: String) {
    let reading = read("\(Self.marker)|\(value)")
    #expect(reading.value("total") == UInt64(value.dropFirst(3)))
    #expect(reading.findings.isEmpty)
  }

  @Test func `of a maker leaves the life count as the total`() {
    let own = "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.1347.41\n1.3.6.1.4.1.1347.43.10.1.1.12.1.1|65|"
    #expect(read("\(Self.marker)|65|70\n\(own)80").value("total") == 80)
    #expect(read("\(Self.marker)|65|70\n\(own)4294967294").value("total") == 70)
  }
}

@Suite("Several markers that count alike")
struct SeveralMarkersTests {
  private static let markers = (1...4).map { row in
    "1.3.6.1.2.1.43.10.2.1.3.1.\(row)|2|7\n1.3.6.1.2.1.43.10.2.1.4.1.\(row)|65|\(row)00\n"
  }.joined()

  @Test func `have no total by the order of their rows`() {
    let reading = read(Self.markers)
    #expect(reading.value("total") == nil)
    #expect(reading.value("total#marker 1.1") == 100 && reading.value("total#marker 1.4") == 400)
    #expect(reading.findings.contains { $0.message.contains("several markers") && $0.message.contains("no total") })
  }

  @Test func `have none either where they have one count, and the finding tells what is not known`() {
    let reading = read(Self.markers.replacing(/[234]00\n/, with: "100\n"))
    #expect(reading.value("total") == nil && reading.meters.count == 4)
    #expect(reading.findings.contains { $0.message.contains("4 times 100") && $0.message.contains("one for each") })
  }

  @Test func `have the total that the device's own sum proves`() {
    let reading = read(
      Self.markers + """
        1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2435.2.3.9.1
        1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.52.21.1.2.1|2|1
        1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.52.21.1.2.2|2|3
        1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.52.21.1.3.1|65|250
        1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.52.21.1.3.2|65|50
        """)
    #expect(reading.value("total") == 300)
    #expect(reading.meters.first?.rule == Rule("rfc3805/primary-marker-life-count@2"))
    #expect(reading.checks.contains { $0.name == "total = print + fax + copy" && $0.holds })
  }

  @Test func `have the total that a maker's own counter equals`() {
    let reading = read(
      Self.markers
        + "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.11.2.3.9.1\n1.3.6.1.4.1.11.2.3.9.4.2.1.4.1.2.5.0|2|200")
    #expect(reading.value("total") == 200)
  }
}

@Suite("Sums that cannot tell one part from another")
struct InterchangeablePartsTests {
  /// Function totals of a Kyocera (print, copy, function 3, function 4) and pages of function 4.
  private func kyocera(_ functions: [Int], fourth: [Int]) -> Reading {
    var lines = "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.1347.41\n"
    lines += "1.3.6.1.4.1.1347.43.10.1.1.12.1.1|2|\(functions.reduce(0, +))\n"
    for (index, value) in functions.enumerated() {
      lines += "1.3.6.1.4.1.1347.42.3.1.1.1.1.\(index + 1)|2|\(value)\n"
    }
    for (index, value) in fourth.enumerated() {
      lines += "1.3.6.1.4.1.1347.42.3.1.2.1.1.4.\(index + 1)|2|\(value)\n"
    }
    return read(lines)
  }

  @Test func `prove both as parts and name neither`() {
    let reading = kyocera([500, 400, 100, 0], fourth: [0, 0, 0])
    #expect(reading.value("fax") == nil && reading.value("fax.monochrome") == nil)
    #expect(reading.value("other#function 3") == 100 && reading.value("other#function 4") == 0)
    #expect(reading.checks.contains { $0.expected == 1000 && $0.holds })
  }

  @Test func `name one where its own pages do`() {
    let reading = kyocera([500, 400, 0, 100], fourth: [100, 0, 0])
    #expect(reading.value("fax") == 100 && reading.value("fax.monochrome") == 100)
    #expect(reading.value("other#function 3") == 0)
  }

  @Test func `name both where there is nothing of either`() {
    #expect(kyocera([500, 400, 0, 0], fourth: [0, 0, 0]).value("fax") == 0)
  }

  @Test func `tell no colour of an OKI`() {
    let counters = "1.3.6.1.4.1.2001.1.1.1.1.11.1.10.170.1"
    let reading = read(
      """
      1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2001.1
      1.3.6.1.2.1.43.10.2.1.3.1.1|2|7
      1.3.6.1.2.1.43.10.2.1.4.1.1|65|800
      \(counters).6.1|2|800
      \(counters).7.1|2|0
      """)
    #expect(!reading.meters.contains { $0.name.colour != .all })
    #expect(reading.value("total#counter 6") == 800)
  }
}

@Suite("What makers say in their own way")
struct MakersWaysTests {
  @Test(arguments: [6, 7, 26, 62, 69, 117])
  func `an Ethernet by any of its numbers has the device's hardware address`(type: Int) {
    let reading = read(
      """
      1.3.6.1.2.1.2.2.1.3.1|2|24
      1.3.6.1.2.1.2.2.1.3.2|2|\(type)
      1.3.6.1.2.1.2.2.1.6.1|4x|020000000001
      1.3.6.1.2.1.2.2.1.6.2|4x|001122334455
      """)
    #expect(reading.identity.macAddress == [0x00, 0x11, 0x22, 0x33, 0x44, 0x55])
  }

  @Test func `what is left of a Brother's parts in pages is a supply, where it is not there in percent`() throws {
    let info = "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5"
    let reading = read(
      """
      1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2435.2.3.9.1
      \(info).8.0|4x|6901040000206CFF
      \(info).11.0|4x|82010400000000730104000077888801040000A0C8FF
      \(info).17.0|4|Firmware Ver.Q
      """)
    #expect(reading.supplies.map { $0.description?.text } == ["Belt unit", "Drum", "Laser unit"])
    let drum = try #require(reading.supplies.first { $0.description?.text == "Drum" })
    #expect(drum.level == 0 && drum.unit == .impressions && drum.pagesRemaining == 0)
    #expect(drum.percentRemaining == 0, "nothing left is nothing left, whatever the capacity")
    #expect(drum.row.description == "1.2435.130")
    #expect(reading.supplies.first?.percentRemaining == 83 && reading.supplies.first?.pagesRemaining == 41_160)
    let laser = try #require(reading.supplies.last)
    #expect(laser.pagesRemaining == 0x7788 && laser.percentRemaining == nil && laser.remaining == "30600 pages")
    #expect(reading.identity.firmware?.text == "Q")
  }

  @Test
  func `a Brother's drums are told in pages only where all have as many left, since nothing proves which is which`() {
    func pages(_ yellow: String) -> [Int64?] {
      let info = "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5"
      let reading = read(
        """
        1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2435.2.3.9.1
        \(info).8.0|4x|7901040000206C7B01040000206CFF
        \(info).11.0|4x|A4010400004005A60104\(yellow)FF
        """)
      return reading.supplies.map(\.pagesRemaining)
    }
    #expect(pages("00004005") == [0x4005, 0x4005])
    #expect(pages("00004006") == [nil, nil])
  }

  @Test func `rows that say no more than that some is left have the percentage of the maker's record, and the pages`()
    throws
  {
    let table = "1.3.6.1.2.1.43.11.1.1"
    let info = "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5"
    func row(_ row: Int, _ kind: Int, _ type: Int, _ name: String, _ capacity: Int, _ level: Int) -> String {
      """
      \(table).4.1.\(row)|2|\(kind)
      \(table).5.1.\(row)|2|\(type)
      \(table).6.1.\(row)|4|\(name)
      \(table).8.1.\(row)|2|\(capacity)
      \(table).9.1.\(row)|2|\(level)
      """
    }
    let walk = [
      "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2435.2.3.9.1", row(1, 3, 3, "Black Toner Cartridge", -2, -3),
      row(2, 3, 3, "Cyan Toner Cartridge", -2, -2), row(3, 4, 4, "Black Waste Toner Box", -2, -3),
      row(4, 3, 9, "Drum Unit", 12_000, 9_000), row(5, 3, 3, "Magenta Toner", 100, 40),
      "\(info).8.0|4x|6F010400001E14700104000000647201040000006471010400001388410104000026ACFF",
      "\(info).11.0|4x|82010400002328FF",
    ].joined(separator: "\n")
    let reading = read(walk)
    #expect(
      reading.supplies.map(\.remaining) == ["77 %", "1 %", "some room", "75 %", "40 %"],
      "what the standard measured stays, and a waste box is no toner")
    let black = try #require(reading.supplies.first)
    #expect(black.level == -3 && black.quality == .exact && black.rule == Rule("brother/supply-record@5"))
    #expect(reading.supplies[3].pagesRemaining == 9_000 && reading.supplies[3].rule == Rule("rfc3805/supply-level@3"))
    let sources = Interpretation.sources(SNMPRec.parse(Array((walk + "\n").utf8)).walk).supplies[black.row] ?? []
    #expect(sources.first { $0.value == "percentRemaining" }?.source.name.description == "\(info).8.0")
    #expect(sources.first { $0.value == "levelRaw" }?.quality == .someRemaining)
    let twins = read(walk.replacing("Cyan Toner Cartridge", with: "Black Toner Cartridge 2"))
    #expect(twins.supplies.prefix(2).map(\.remaining) == ["some remaining", "unknown"], "of twins none is told")
  }

  @Test func `a Brother's toner that tells steps or a state alone is told coarsely, or as some`() {
    func supplies(_ record: String) -> [Supply] {
      read(
        """
        1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2435.2.3.9.1
        1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.8.0|4x|\(record)FF
        """
      ).supplies
    }
    let steps = supplies("310104000000028101040000000A")
    #expect(steps.map(\.remaining) == ["~10 %"] && steps.first?.quality == .coarse)
    #expect(supplies("31010101").map(\.remaining) == ["some remaining"])
    #expect(supplies("31010109").map(\.remaining) == ["unknown"])
    #expect(supplies("31010101810104000000506F010400001E14").map(\.remaining) == ["77 %"])
  }

  @Test func `a sum that cannot tell black from colour, or prints from copies, gives parts without a meaning`() {
    func names(_ tree: String, _ objects: [(String, Int)]) -> [String] {
      let lines = objects.map { "1.3.6.1.4.1.\($0.0)|65|\($0.1)" }
      let walk =
        ([
          "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.\(tree)", "1.3.6.1.2.1.43.10.2.1.3.1.1|2|7",
          "1.3.6.1.2.1.43.10.2.1.4.1.1|65|100",
        ] + lines).joined(separator: "\n")
      return read(walk).meters.map(\.name.description)
    }
    let konica = "18334.1.1.1.5.7.2"
    #expect(
      names("18334.1.1.1.2.1", [("\(konica).1.1.0", 100), ("\(konica).2.1.5.1.1", 30), ("\(konica).2.1.5.1.2", 70)])
        == ["total", "total#vendor", "total#counter 1.1", "total#counter 1.2"])
    let toshiba = "1129.2.3.50.1.3.21.6.1.2.1"
    #expect(
      names(
        "1129.2.3.45.1",
        [("\(toshiba).1", 30), ("\(toshiba).2", 0), ("\(toshiba).3", 70), ("\(toshiba).4", 100)])
        == ["total", "total#vendor", "total#colour 1", "total#colour 2", "total#colour 3"])
    let xerox = "253.8.53.13.2.1.6"
    #expect(
      names("253.8.62.1", [("\(xerox).1.20.1", 100), ("\(xerox).1.20.7", 30), ("\(xerox).11.20.3", 70)])
        == ["total", "total#vendor", "total#usage 1.20.7", "total#usage 11.20.3"])
    #expect(
      names("40093.1.1", [("40093.1.1.3.12", 30), ("40093.1.1.3.9", 70)])
        == ["total", "total#counter 12", "total#counter 9"])
  }

  @Test func `a Ricoh's labels are known with blanks behind their colons, and its own names of sizes and sides`() {
    let table = "1.3.6.1.4.1.367.3.2.1.2.19.5.1"
    let reading = read(
      """
      1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.367.1.1
      \(table).5.1|4|Counter: Print: Black & White
      \(table).5.2|4|A3/DLT
      \(table).5.3|4|Duplex
      \(table).9.1|65|70
      \(table).9.2|65|8
      \(table).9.3|65|9
      """)
    #expect(reading.value("print.monochrome") == 70)
    #expect(reading.value("total.all.large") == 8 && reading.value("total.all.any.twoSided") == 9)
  }

  @Test(
    arguments: [
      ("583847393030303415", "X8G9000415"), ("58384739303132333435", "X8G9012345"), ("5838473930303034FF", nil),
      ("583847393030", nil),
    ] as [(String, String?)])
  func `an Epson's serial number in hexadecimal digits is the text on its label`(digits: String, label: String?) {
    let reading = read(
      """
      1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.1248.1
      1.3.6.1.4.1.2699.1.2.1.2.1.1.3.1|4|MFG:EPSON;MDL:X200;SN:\(digits);
      """)
    #expect(reading.identity.serial?.text == label ?? digits)
  }

  @Test func `model and make of devices that repeat them`() {
    func identity(_ tree: String, _ description: String) -> DeviceIdentity {
      read(
        """
        1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.\(tree)
        1.3.6.1.2.1.25.3.2.1.2.1|6|1.3.6.1.2.1.25.3.1.5
        1.3.6.1.2.1.25.3.2.1.3.1|4|\(description)
        """
      ).identity
    }
    #expect(identity("2001.1", "OKI DATA CORP MC560:PRN").model?.text == "MC560")
    #expect(identity("10642.1", "Zebra Technologies ZTC GK420d-200dpi").model?.text == "ZTC GK420d-200dpi")
    let hp = identity("236.11.5.1", "HP Laser MFP 131 133 135-138")
    #expect(hp.make == "HP" && hp.model?.text == "Laser MFP 131 133 135-138")
    let toshiba = identity("641.2", "TOSHIBA e-STUDIO385P 7463XX9 NH61.CY.N639")
    #expect(toshiba.make == "Toshiba" && toshiba.model?.text == "e-STUDIO385P")
  }

  @Test func `texts in sets that look like ASCII are read in their set`() {
    let japanese: [UInt8] = [0x1B, 0x24, 0x42, 0x25, 0x48, 0x25, 0x4A, 0x21, 0x3C, 0x1B, 0x28, 0x42]
    #expect(DeviceText(decoding: japanese, characterSet: CharacterSet(rawValue: 39))?.text == "トナー")
    let cyrillic: [UInt8] = [0x04, 0x22, 0x04, 0x3E, 0x04, 0x3D, 0x04, 0x35, 0x04, 0x40]
    #expect(DeviceText(decoding: cyrillic, characterSet: CharacterSet(rawValue: 1015))?.text == "Тонер")
    #expect(DeviceText(decoding: [0x41, 0, 0x42, 0], characterSet: CharacterSet(rawValue: 1015))?.text == "AB")
    #expect(DeviceText(decoding: [0xFF, 0xFE, 0x22, 0x04], characterSet: CharacterSet(rawValue: 1015))?.text == "Т")
    #expect(
      DeviceText(decoding: Array("Ready".utf8), characterSet: CharacterSet(rawValue: 1015)) == DeviceText("Ready"))
  }
}

@Suite("What a device prints with")
struct ColorantTypeTests {
  private static let record = "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.8.0|4x|6F0104000012C0"

  private func type(_ further: String..., codes: String = "") -> String? {
    let lines = ["1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2435.2.3.9.1", Self.record + codes + "FF"] + further
    return read(lines.joined(separator: "\n")).supplies.first?.type.flatMap(EnumerationNames.supplyType)
  }

  @Test func `decides whether a Brother's codes are toner or ink, and where nothing tells it nobody knows`() {
    #expect(type() == "unknown")
    #expect(type(codes: "41010400002710") == "toner", "it has a drum")
    #expect(type("1.3.6.1.2.1.43.10.2.1.2.1.1|2|12") == "inkCartridge", "prtMarkerMarkTech inkjetAqueous")
    #expect(type("1.3.6.1.2.1.43.10.2.1.2.1.1|2|4") == "toner", "prtMarkerMarkTech electrophotographicLaser")
    let model = "1.3.6.1.4.1.2435.2.4.3.2435.5.13.3.0|4|Brother "
    #expect(type(model + "MFC-J680DW") == "inkCartridge")
    #expect(type(model + "DCP-J562DW") == "inkCartridge")
    #expect(type(model + "HL-L2340DW") == "unknown", "the name alone proves no toner")
    #expect(type(model + "MFC-J680DW", "1.3.6.1.2.1.43.10.2.1.2.1.1|2|4") == "toner", "the object outranks the name")
  }
}

@Suite("Numbers in a supply's description")
struct SupplyLabelTests {
  @Test(
    arguments: [
      ("Black Toner Cartridge, P/N 106R01443", "106R01443", nil), ("Magenta Toner P/N: 106R01444", "106R01444", nil),
      ("Black Toner (PN: 006R01697) (SN: 6BA21)", "006R01697", "6BA21"), ("PN: 006R01697", "006R01697", nil),
      ("Lexmark 58D2H00 (S/N: CAJ1234)", nil, "CAJ1234"), ("Black Toner Cartridge S/N CRUM-18112", nil, "CRUM-18112"),
      ("Black Toner Cartridge S/N:CRUM-1234", nil, "CRUM-1234"), ("Black Toner_S/N_:CRUM-1234", nil, "CRUM-1234"),
      ("Black Toner;PN 006R01509;SN48178080E0000481", "006R01509", "48178080E0000481"),
      ("Cyan Toner, PN44315308", "44315308", nil), ("Toner;PN unknown;SN unknown", nil, nil),
      ("SNAP2 unit", nil, nil), ("PNEUMATIC 3 UNIT", nil, nil), ("Toner S/N: (unknown)", nil, nil),
      ("TK-8527K", "TK-8527K", nil),
      ("Toner S/N=CAJ1234", nil, "CAJ1234"), ("Toner S/N#CAJ1234", nil, "CAJ1234"),
      ("\"Toner S/N CAJ1234\"", nil, "CAJ1234"), ("Toner S/N CAJ1234.", nil, "CAJ1234"),
      ("Toner S/N: [CAJ1234]", nil, "CAJ1234"), ("Toner (S/N 'CAJ1234')", nil, "CAJ1234"),
      ("Toner s/n caj1234", nil, "caj1234"), ("CRUM-S/N:SEC1234567", nil, "SEC1234567"),
      ("Black Toner Serial Number: 16030A12", nil, "16030A12"), ("Toner Ser. No. 16030A12", nil, "16030A12"),
      ("Black Toner Part No. 106R01443", "106R01443", nil), ("Black Toner, Part Number 106R01443", "106R01443", nil),
      ("Black Toner PN-106R01443", "106R01443", nil), ("Toner S/N CRUM-12.5-", nil, "CRUM-12.5-"),
      ("Toner X-SN12 Serial Interface", nil, nil), ("Toner Serialised 7", nil, nil), ("Toner SN/A, PN: -", nil, nil),
    ] as [(String, String?, String?)])
  func `are read whatever stands around them`(description: String, part: String?, serial: String?) throws {
    let row = "1.3.6.1.2.1.43.11.1.1"
    let supply = try #require(
      read("\(row).6.1.1|4|\(description)\n\(row).8.1.1|2|100\n\(row).9.1.1|2|50").supplies.first)
    #expect(supply.partNumber == part)
    #expect(supply.serialNumber == serial)
  }
}

@Suite("Canon's total")
struct CanonTotalTests {
  private func total(_ lines: String...) -> Meter? {
    let head = [
      "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.1602.4.7", "1.3.6.1.2.1.43.10.2.1.3.1.1|2|7",
      "1.3.6.1.2.1.43.10.2.1.4.1.1|65|950",
    ]
    return read((head + lines).joined(separator: "\n")).meters.first { $0.name == .total }
  }

  @Test func `is Total 1, by its code and by its label`() throws {
    let code = total("1.3.6.1.4.1.1602.1.11.1.3.1.4.101|65|1000")
    let table = "1.3.6.1.4.1.1602.1.11.2.1.1"
    let label = total("\(table).2.1|4|Total 1", "\(table).3.1|65|1000")
    #expect(code?.value == 1000 && label?.value == 1000)
    #expect(label?.rule == Rule("canon/named-counters@3"))
    #expect(label.flatMap { Interpretation.reason(for: $0) }?.contains("Total 1") == true)
    #expect(total()?.value == 950)
  }
}
