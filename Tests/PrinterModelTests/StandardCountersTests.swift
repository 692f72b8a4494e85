// What is read without a profile: imaging counters (PWG 5106.3), finishers (RFC 3806), and what a marker's power-on count cannot be.

internal import MIB
internal import PrinterModel
internal import Testing

@Suite("Counters of standards")
struct StandardCountersTests {
  private static let reading = (try? Fixtures.walk("imaging-counters")).map { Interpretation.read($0) } ?? Reading()

  @Test(
    arguments: [
      ("print", 900, CounterUnit.impressions), ("print.monochrome", 500, .impressions),
      ("print#blank", 50, .impressions),
      ("print.fullColor", 350, .impressions), ("print#waste", 9, .impressions), ("print#sheets", 450, .sheets),
      ("print.all.any.twoSided", 300, .impressions), ("scan#images", 640, .images),
      ("scan.fullColor#images", 600, .images), ("print#jobs, completed", 77, .items),
    ] as [(String, UInt64, CounterUnit)])
  func `an imaging counter is a meter of its service, work and colour`(
    name: String, value: UInt64, unit: CounterUnit
  ) throws {
    let meter = try #require(Self.reading.meters.first { $0.name.description == name })
    #expect(meter.value == value && meter.unit == unit && meter.quality == .exact)
    #expect(meter.rule.description.hasPrefix("pwg5106.3/"))
  }

  @Test func `counters of a subunit and those that start again are no meters`() {
    #expect(!Self.reading.meters.contains { $0.value == 5 || $0.value == 12 })
  }

  @Test func `the total of imaging counters stands beside the life count`() {
    #expect(Self.reading.meters.first { $0.name == .total }?.value == 1010)
    #expect(Self.reading.meters.first { $0.name == MeterName(.total, qualifier: "vendor") }?.value == 1000)
  }

  @Test func `the kinds of impressions are added up, and each of them takes part in that check`() throws {
    let check = try #require(Self.reading.checks.first { $0.name.hasPrefix("print = monochrome") })
    #expect(check.expected == 900 && check.actual == 900 && check.holds)
    for name in ["print", "print.fullColor", "print#blank"] {
      let meter = try #require(Self.reading.meters.first { $0.name.description == name })
      #expect(Self.reading.checks(including: meter).contains(check), "\(name)")
    }
    let sheets = try #require(Self.reading.meters.first { $0.name.description == "print#sheets" })
    #expect(!Self.reading.checks(including: sheets).contains(check))
  }

  @Test func `a finisher's supplies are supplies with rows of their own`() throws {
    #expect(Self.reading.supplies.map(\.row.description) == ["1.1", "1.31.1", "1.31.2"])
    let staples = try #require(Self.reading.supplies.first { $0.row.description == "1.31.1" })
    #expect(staples.percentRemaining == 25 && staples.unit == .items && staples.quality == .exact)
    #expect(staples.type.flatMap(EnumerationNames.supplyType) == "staples")
    let waste = try #require(Self.reading.supplies.first { $0.row.description == "1.31.2" })
    #expect(waste.percentRemaining == nil && waste.quality == .someRemaining)
    let sources = Interpretation.sources(try Fixtures.walk("imaging-counters")).supplies[staples.row] ?? []
    let level = try #require(sources.first { $0.value == "levelRaw" })
    #expect(level.source.name == [1, 3, 6, 1, 2, 1, 43, 31, 1, 1, 8, 1, 1])
    #expect(level.rule == Rule("rfc3806/supply-level@2"))
  }

  @Test func `a power-on count that cannot be one is found`() throws {
    let name = PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.powerOnCount, 1, 1)
    let finding = try #require(Self.reading.findings.first { $0.name == name })
    #expect(finding.message.contains("-7") && finding.message.contains("4294967295"))
    let walk = Walk([
      VarBind(PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.lifeCount, 1, 1), .counter32(9)),
      VarBind(name, .counter64(1 << 40)),
    ])
    #expect(Interpretation.read(walk).findings.contains { $0.name == name })
  }

  @Test func `a poll asks for imaging counters only where the device has keys`() throws {
    let walk = try Fixtures.walk("imaging-counters")
    #expect(PollTargets.further(walk).tables == PollTargets.imagingTables)
    #expect(PollTargets.further(Walk()).tables.isEmpty)
  }
}

@Suite("Profile parts")
struct ProfilePartTests {
  private func read(_ lines: String) -> Reading {
    Interpretation.read(SNMPRec.parse(Array((lines + "\n").utf8)).walk)
  }

  @Test func `a supply's numbers come from the maker's table, joined on the description`() throws {
    let reading = read(
      """
      1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.641.2
      1.3.6.1.2.1.43.11.1.1.6.1.1|4|Black Cartridge
      1.3.6.1.2.1.43.11.1.1.6.1.2|4|Twin
      1.3.6.1.4.1.641.6.4.4.1.1.5.1.4|4|Black  cartridge
      1.3.6.1.4.1.641.6.4.4.1.1.5.1.5|4|Twin
      1.3.6.1.4.1.641.6.4.4.1.1.5.1.6|4|Twin
      1.3.6.1.4.1.641.6.4.4.1.1.6.1.4|4|CAX100200300
      1.3.6.1.4.1.641.6.4.4.1.1.6.1.5|4|CAX999
      1.3.6.1.4.1.641.6.4.4.1.1.7.1.4|4|58D0HA0
      """)
    #expect(reading.supplies.map(\.serialNumber) == ["CAX100200300", nil], "of two alike nobody knows which is which")
    #expect(reading.supplies.first?.partNumber == "58D0HA0")
  }

  @Test func `rows without a column of labels are told by their index`() throws {
    let reading = read(
      """
      1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.11.2.3.9.1
      1.3.6.1.4.1.11.2.3.9.4.2.1.1.16.1.1.1.26.0|2|120
      """)
    #expect(reading.meters.first { $0.name.description == "print#one-sided, size 26" }?.value == 120)
  }

  @Test func `codes have names where the maker's MIB numbers them, and a row can have a unit of its own`() throws {
    let reading = read(
      """
      1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2435.2.3.9.1
      1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.52.1.1.2.1.1|2|27
      1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.52.1.1.2.1.2|2|999
      1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.52.1.1.3.1.1|2|31
      1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.52.1.1.3.1.2|2|5
      1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.10.0|4x|16010400000008FF
      """)
    #expect(reading.meters.first { $0.name.description == "print#A3" }?.value == 31)
    #expect(reading.meters.first { $0.name.description == "print#size 999" }?.value == 5)
    #expect(reading.meters.first { $0.name.description == "total#colour planes" }?.unit == .images)
  }

  @Test func `a length in a text is a counter in its unit`() throws {
    func length(_ text: String) -> Meter? {
      read("1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.10642.1\n1.3.6.1.4.1.10642.200.17.3.0|4|\(text)").meters.first
    }
    #expect(length("1920 INCHES, 4876 CENTIMETERS")?.value == 19_200_000)
    #expect(length("1920 INCHES, 4876 CENTIMETERS")?.unit == .tenThousandthsOfInches)
    #expect(length("4876 CENTIMETERS") == nil)
    #expect(length("99999999999999999999 INCHES") == nil)
    #expect(length("18446744073709551615 INCHES") == nil, "no product beyond 64 bits")
  }

  @Test func `parts of a packed record are supplies only where the standard's table is absent`() throws {
    let head = "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.2435.2.3.9.1\n"
    let record = "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.8.0|4x|6F01040000238C41010400FF00006A0204FF\n"
    let reading = read(head + record)
    let toner = try #require(reading.supplies.first)
    #expect(toner.row.description == "1.2435.111" && toner.percentRemaining == 91 && toner.colorant?.text == "black")
    let drum = try #require(reading.supplies.last)
    #expect(drum.percentRemaining == nil && drum.quality == .unknown, "more than all of it is unknown")
    #expect(reading.findings.contains { $0.message.contains("a code, 01, a length") })
    let old = read(head + "1.3.6.1.4.1.2435.2.3.9.4.2.1.5.5.8.0|4x|A1010206144101010363010135FF\n")
    #expect(old.supplies.map(\.percentRemaining) == [30], "6 of 20; a drum's state of one octet is no percentage")
    let standard = head + "1.3.6.1.2.1.43.11.1.1.9.1.1|2|-3\n" + record
    #expect(read(standard).supplies.map(\.row.description) == ["1.1"])
  }
}
