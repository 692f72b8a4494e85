// The rules of the interpretation, each on a small walk that was written to show it.

internal import MIB
internal import PrinterModel
internal import Testing

@Suite("Interpretation")
struct InterpretationTests {
  private func reading(_ name: String) throws -> Reading { Interpretation.read(try Fixtures.walk(name)) }

  private func supply(_ row: String, _ name: String = "colour-mfp") throws -> Supply {
    try #require(try reading(name).supplies.first { $0.row.description == row })
  }

  @Test func `the printer's device index is found, not taken to be 1`() throws {
    let status = try reading("colour-mfp").status
    #expect(status.device == 3)
    #expect(status.printer == 4)
  }

  @Test func `every bit of a two-octet error state has its name`() throws {
    let errors = try #require(try reading("colour-mfp").status.detectedErrors)
    #expect(EnumerationNames.detectedErrors(errors) == ["lowToner", "jammed", "outputTrayMissing"])
    #expect(EnumerationNames.detectedErrors([0x80]) == ["lowPaper"])
    #expect(EnumerationNames.detectedErrors([0, 0x01, 0x80]) == ["bit15", "bit16"])
    #expect(EnumerationNames.detectedErrors([]).isEmpty)
  }

  @Test func `two cartridges of one colour are two supplies`() throws {
    let blacks = try reading("colour-mfp").supplies.filter { $0.colorant?.text == "black" }
    #expect(blacks.map(\.row.description) == ["3.1", "3.2"])
    #expect(blacks.map(\.serialNumber) == ["0001", "0002"])
    #expect(blacks.map(\.partNumber) == ["100K", "100K"])
  }

  @Test func `some remaining is not a number`() throws {
    let cyan = try supply("3.7")
    #expect(cyan.percentRemaining == nil)
    #expect(cyan.quality == .someRemaining)
    #expect(cyan.partNumber == nil && cyan.serialNumber == nil)
  }

  @Test func `a device of a few steps is coarse, and one that counts is exact`() throws {
    for (level, capacity, unit, quality) in [
      (1, 3, 18, Quality.coarse), (0, 1, 18, .coarse), (60, 100, 19, .exact), (60, -2, 19, .exact),
      (-2, 100, 19, .unknown),
      (-1, -1, 19, .unknown), (-3, 100, 19, .someRemaining), (-9, 100, 19, .unknown),
    ] as [(Int64, Int64, Int64, Quality)] {
      let supply = try #require(Self.reading(level: level, capacity: capacity, unit: unit).supplies.first)
      #expect(supply.quality == quality, "\(level) of \(capacity)")
      #expect((supply.percentRemaining == nil) == (quality == .unknown || quality == .someRemaining))
    }
  }

  /// HP gives rows the index 0, and many devices leave out numbers.
  @Test func `a row's index may be 0, and may leave gaps`() throws {
    let walk = Walk([
      VarBind(PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.level, 1, 0), .integer(10)),
      VarBind(PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.level, 1, 4), .integer(20)),
      VarBind(PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.level, 1, 901), .integer(30)),
      VarBind(PrinterMIB.Input.entry.appending(PrinterMIB.Input.currentLevel, 1, 0), .integer(-3)),
      VarBind(PrinterMIB.Alert.entry.appending(PrinterMIB.Alert.code, 1, 0), .integer(3)),
    ])
    let reading = Interpretation.read(walk)
    #expect(reading.supplies.map(\.row.description) == ["1.0", "1.4", "1.901"])
    #expect(reading.inputs.map(\.row.description) == ["1.0"])
    #expect(reading.alerts.map(\.row.description) == ["1.0"])
  }

  @Test func `a receptacle's level is the space that is left`() throws {
    #expect(try supply("3.9").percentRemaining == 25)
    #expect(try supply("3.9").serialNumber == "BOX-77")
  }

  /// A cartridge that is fuller than full, in a unit with a capacity and in percent without one.
  @Test(arguments: [(150, 100, 7), (300, -2, 19), (101, 0, 19), (5, 4, 13), (150, 100, 19)] as [(Int64, Int64, Int64)])
  func `a level above what is full has no percentage; both numbers are kept, and it is found`(
    level: Int64, capacity: Int64, unit: Int64
  ) throws {
    let reading = Self.reading(level: level, capacity: capacity, unit: unit)
    let supply = try #require(reading.supplies.first)
    #expect(supply.percentRemaining == nil && supply.quality == .unknown)
    #expect(supply.level == level && supply.capacity == capacity && supply.isOverCapacity)
    let name = PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.level, 1, 1)
    let finding = try #require(reading.findings.first { $0.name == name })
    #expect(finding.message.contains("\(level)") && finding.message.contains("above"))
  }

  @Test func `full is full`() throws {
    #expect(Self.reading(level: 100, capacity: -2, unit: 19).supplies.first?.percentRemaining == 100)
    #expect(Self.reading(level: 250, capacity: 250, unit: 7).supplies.first?.percentRemaining == 100)
    #expect(Self.reading(level: 250, capacity: -2, unit: 7).supplies.first?.quality == .exact)
    #expect(Self.reading(level: 250, capacity: -2, unit: 7).supplies.first?.percentRemaining == nil)
  }

  @Test func `a number that the object cannot have by its MIB is not used, and is found`() throws {
    let reading = try reading("out-of-range")
    #expect(reading.supplies.map(\.level) == [nil, 50, nil, 2_147_483_647])
    #expect(reading.supplies.map(\.capacity) == [-2, nil, 100, 2_147_483_647])
    #expect(reading.supplies.map(\.percentRemaining) == [nil, nil, nil, 100])
    #expect(reading.supplies.map(\.quality) == [.unknown, .exact, .unknown, .exact])
    #expect(reading.inputs.map(\.level) == [nil, 250] && reading.inputs.map(\.capacity) == [500, nil])
    #expect(reading.outputs.map(\.remaining) == [nil, 2_147_483_647])
    #expect(reading.meters.map(\.value) == [4_294_967_295])
    #expect(reading.detectors.uptimeTicks == nil && reading.detectors.criticalAlertEvents == nil)
    #expect(reading.detectors.configurationChanges == 4_294_967_295)
    let found = Set(reading.findings.map { $0.name?.description ?? "" })
    for name in [
      "1.3.0", "43.5.1.1.18.1", "43.8.2.1.9.1.2", "43.8.2.1.10.1.1", "43.9.2.1.5.1.1", "43.10.2.1.4.1.1",
      "43.10.2.1.4.1.2", "43.11.1.1.8.1.2", "43.11.1.1.9.1.1", "43.11.1.1.9.1.3",
    ] {
      #expect(found.contains("1.3.6.1.2.1.\(name)"), "\(name)")
    }
    #expect(found.count == 10)
  }

  @Test(
    arguments: [
      (ObjectValue.integer(4_294_967_296), nil), (.integer(-1), nil), (.integer(4_294_967_295), 4_294_967_295),
      (.counter64(.max), UInt64.max), (.counter32(.max), 4_294_967_295), (.octets([49]), nil),
    ] as [(ObjectValue, UInt64?)])
  func `a private counter is what its type can hold`(value: ObjectValue, counter: UInt64?) {
    #expect(value.counter == counter)
  }

  @Test func `a level above the capacity in a recorded walk`() throws {
    #expect(try supply("3.2").percentRemaining == nil)
    #expect(try supply("3.2").quality == .unknown)
    let name = ObjectIdentifier(dotted: "1.3.6.1.2.1.43.11.1.1.9.3.2")
    #expect(try reading("colour-mfp").findings.contains { $0.name == name })
  }

  /// A device with one supply, 1.1.
  private static func reading(level: Int64, capacity: Int64, unit: Int64) -> Reading {
    let entry = PrinterMIB.Supplies.entry
    return Interpretation.read(
      Walk([
        VarBind(entry.appending(PrinterMIB.Supplies.supplyClass, 1, 1), .integer(3)),
        VarBind(entry.appending(PrinterMIB.Supplies.unit, 1, 1), .integer(unit)),
        VarBind(entry.appending(PrinterMIB.Supplies.maxCapacity, 1, 1), .integer(capacity)),
        VarBind(entry.appending(PrinterMIB.Supplies.level, 1, 1), .integer(level)),
      ]))
  }

  @Test func `a serial is trimmed, and compared without zeros in front`() throws {
    let identity = try reading("colour-mfp").identity
    #expect(identity.serial == DeviceText("00ABC12345"))
    #expect(identity.normalizedSerial == "ABC12345")
    var other = identity
    other.serial = DeviceText("abc-12345")
    #expect(other.normalizedSerial == "ABC12345")
    other.serial = DeviceText("0000000")
    #expect(other.normalizedSerial == nil)
  }

  @Test(arguments: [
    "N/A", "unknown", "none", "0000000000", "XXXXXXXXXX", "Not Set", "(null)", "To be filled by O.E.M.",
  ])
  func `a text that stands for no serial number identifies nothing, and a finding quotes it`(text: String) {
    let entry = PrinterMIB.General.entry
    let name = entry.appending(PrinterMIB.General.serialNumber, 1)
    let reading = Interpretation.read(Walk([VarBind(name, .octets(Array(text.utf8)))]))
    #expect(reading.identity.serial?.text == text && reading.identity.comparableSerial == nil)
    #expect(reading.findings.contains { $0.name == name && $0.message == "\"\(text)\" is no serial number" })
  }

  @Test func `the hardware address is the first Ethernet interface's`() throws {
    #expect(try reading("colour-mfp").identity.macAddress?.macText == "02:00:00:a1:b2:c3")
  }

  @Test func `model, make and texts`() throws {
    let identity = try reading("colour-mfp").identity
    #expect(identity.make == "Kyocera")
    #expect(identity.model?.text == "Example 4000ci")
    #expect(identity.hostName?.text == "mfp-3rd-floor")
    #expect(identity.location == DeviceText("Grüne Etage"))
  }

  @Test func `the character set of the localization in force decodes the console, and the bytes are kept`() throws {
    let console = try #require(try reading("colour-mfp").status.console.first)
    // In hp-roman8 0xCC is the letter that ISO 8859-1 has at 0xE4.
    #expect(console.text.contains("bäcp"))
    #expect(console.text == CharacterSet.hpRoman8.decode([0x4B, 0xF1, 0xD8, 0x20, 0x62, 0xCC, 0x63, 0x70]))
    #expect(console.raw == [0x4B, 0xF1, 0xD8, 0x20, 0x62, 0xCC, 0x63, 0x70, 0x20])
  }

  @Test func `a row of zeros is no alert`() throws {
    let reading = try reading("colour-mfp")
    let alert = try #require(reading.alerts.first)
    #expect(reading.alerts.count == 1)
    #expect(EnumerationNames.alertCode(try #require(alert.code)) == "inputMediaSupplyEmpty")
    #expect(alert.description?.text == "Add paper")
    #expect(reading.findings.contains { $0.message.contains("3.6") })
  }

  @Test func `a vendor's total with a reason replaces the life count, which stays under a name of its own`() throws {
    let meters = try reading("colour-mfp").meters
    #expect(meters.first?.name == .total)
    #expect(meters.first?.value == 10_000)
    #expect(meters.first { $0.name == MeterName(.total, qualifier: "marker 3.1") }?.value == 10_030)
  }

  @Test func `sums are checked and recorded, whether they hold or not`() throws {
    let checks = try reading("colour-mfp").checks
    #expect(checks.contains { $0.name == "total = print + copy + function 3 + fax" && $0.holds })
    #expect(checks.contains { $0.name == "print = monochrome + single colour + full colour" && $0.holds })
    let difference = try #require(checks.first { $0.name == "vendor total = life count" })
    #expect(!difference.holds && difference.expected == 10_000 && difference.actual == 10_030)
  }

  @Test func `a vendor total of zero is the total: with the first page its source does not change`() throws {
    var walk = try Fixtures.walk("colour-mfp")
    walk.set([1, 3, 6, 1, 4, 1, 1347, 43, 10, 1, 1, 12, 1, 1], .integer(0))
    let reading = Interpretation.read(walk)
    #expect(reading.meters.first { $0.name == .total }?.value == 0)
    #expect(reading.meters.first { $0.name.description == "total#marker 3.1" }?.value == 10_030)
    #expect(reading.checks.contains { $0.name == "vendor total = life count" && !$0.holds })
  }

  @Test func `of several markers the first that counts impressions is the total, each with its unit`() throws {
    let reading = try reading("several-markers")
    let total = try #require(reading.meters.first { $0.name == .total })
    #expect(total.value == 1_000 && total.unit == .impressions)
    #expect(Interpretation.reason(for: total.rule)?.contains("several markers") == true)
    let other = reading.meters.first { $0.name == MeterName(.total, qualifier: "marker 1.1") }
    #expect(other?.value == 700 && other?.unit == .sheets)
    #expect(reading.findings.contains { $0.message.contains("since power-on") })
  }

  @Test func `reported counters are believed where the device's sum proves them`() throws {
    let meters = try reading("reported-counters").meters
    #expect(meters.first { $0.name.description == "total#counter 2.2" }?.value == 300)
    #expect(meters.first { $0.name == .total }?.rule == Rule("rfc3805/marker-life-count@1"))
  }

  @Test func `reported counters are left out where the sum does not prove them`() throws {
    var walk = try Fixtures.walk("reported-counters")
    walk.set([1, 3, 6, 1, 4, 1, 18334, 1, 1, 1, 5, 7, 2, 2, 1, 5, 1, 1], .counter32(301))
    let reading = Interpretation.read(walk)
    #expect(reading.meters.map(\.name) == [.total])
    #expect(reading.checks.isEmpty)
    #expect(reading.findings.contains { $0.message.contains("left out") })
  }

  @Test func `a table that names its rows is joined on the names`() throws {
    let reading = try reading("named-counters")
    #expect(reading.meters.first { $0.name == .total }?.value == 900)
    #expect(reading.meters.first { $0.name == MeterName(.total, .fullColor) }?.value == 300)
    #expect(reading.meters.first { $0.name == MeterName(.print, .monochrome) }?.value == 600)
    #expect(reading.checks.allSatisfy { $0.holds })
    #expect(reading.identity.model?.text == "Example C2000")
  }

  @Test func `two values under one label of a table are a finding, and neither is told`() throws {
    var walk = try Fixtures.walk("named-counters")
    walk.set([1, 3, 6, 1, 4, 1, 367, 3, 2, 1, 2, 19, 5, 1, 9, 9], .integer(901))
    let reading = Interpretation.read(walk)
    #expect(
      !reading.meters.contains {
        $0.rule.description.hasPrefix("ricoh") && $0.name.service == .total && $0.name.colour == .all
      })
    #expect(reading.findings.contains { $0.message.contains("901") && $0.message.contains("neither") })
  }

  @Test func `nonsense is found and nothing is made of it`() throws {
    let reading = try reading("nonsense")
    #expect(reading.meters.isEmpty)
    #expect(reading.supplies.count == 3)
    #expect(reading.supplies.allSatisfy { $0.quality != .exact || $0.percentRemaining == nil })
    #expect(try supply("1.0", "nonsense").capacity == nil)
    #expect(try supply("1.0", "nonsense").meaning == .nonStandardNegative)
    #expect(reading.identity.serial == nil)
    #expect(reading.identity.hostName == DeviceText("ab", raw: [0x61, 0, 0x62, 0]))
    #expect(reading.findings.count >= 5)
  }

  @Test func `a text that was continued as hexadecimal digits is put together again`() throws {
    let text = try #require(try supply("1.2", "nonsense").description)
    #expect(text.text == "Magenta Cartridge2A")
    #expect(text.raw?.contains(0x0A) == true)
  }

  @Test func `a print queue is not a printer`() throws {
    let classification = Classification.of(try Fixtures.walk("print-server"))
    #expect(!classification.isPrinter)
    #expect(classification.reason.contains("queue"))
    #expect(Classification.of(try Fixtures.walk("several-markers")).isPrinter)
    #expect(!Classification.of(Walk()).isPrinter)
  }

  @Test(arguments: [(5, true), (6, true), (7, false), (10, true), (11, true), (15, false), (18, true)])
  func `a row of Printer-MIB tells a printer, but localization or an interpreter alone does not`(
    group: UInt32, isPrinter: Bool
  ) {
    let walk = Walk([VarBind(PrinterMIB.root.appending(group, 1, 1, 2, 1, 1), .integer(1))])
    #expect(Classification.of(walk).isPrinter == isPrinter)
  }

  @Test func `without profiles the standards still read`() throws {
    let reading = Interpretation.read(try Fixtures.walk("colour-mfp"), profiles: .none)
    #expect(reading.meters.map(\.value) == [10_030])
    #expect(reading.identity.make == nil)
    #expect(reading.supplies.count == 4)
  }
}
