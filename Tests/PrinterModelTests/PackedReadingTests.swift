// Readings at rest come back as they were, to the byte of their texts.

internal import MIB
internal import PrinterModel
internal import Testing

@Suite("Packed readings")
struct PackedReadingTests {
  @Test(arguments: Fixtures.names) func `a packed reading is the reading`(_ name: String) throws {
    let reading = Interpretation.read(try Fixtures.walk(name))
    let packed = PackedReading(reading)
    #expect(packed.reading == reading)
    #expect(PackedReading(packed.reading) == packed)
  }

  @Test(.enabled(if: Corpus.root != nil, Corpus.skipped)) func `so it is of every recorded device`() throws {
    for path in Corpus.walks {
      let reading = Interpretation.read(try Corpus.walk(path))
      let packed = PackedReading(reading)
      #expect(packed.reading == reading, "\(path)")
      #expect(PackedReading(packed.reading) == packed, "\(path)")
    }
  }

  @Test func `every field comes back, at the ends of its range too`() {
    let reading = Self.extreme
    #expect(PackedReading(reading).reading == reading)
    #expect(PackedReading(Reading()).reading == Reading())
  }

  /// Who adds one must pack it, set it in `extreme`, and count it here: a forgotten one would be lost between two polls.
  @Test func `a new field is not forgotten`() throws {
    let reading = Self.extreme
    func fields(_ value: Any) -> Int { Mirror(reflecting: value).children.count }
    #expect(fields(reading) == 12)
    #expect(fields(reading.identity) == 13)
    #expect(fields(reading.status) == 4)
    #expect(fields(reading.detectors) == 4)
    #expect(fields(try #require(reading.meters.first)) == 7)
    #expect(fields(try #require(reading.supplies.first)) == 16)
    #expect(fields(try #require(reading.inputs.first)) == 9)
    #expect(fields(try #require(reading.outputs.first)) == 6)
    #expect(fields(try #require(reading.covers.first)) == 3)
    #expect(fields(try #require(reading.markers.first)) == 4)
    #expect(fields(try #require(reading.alerts.first)) == 9)
    #expect(fields(try #require(reading.checks.first)) == 3)
    #expect(fields(try #require(reading.findings.first)) == 2)
  }

  @Test func `texts that are equal and have other bytes are not taken for one another`() {
    var reading = Reading()
    let source = Source([1, 3], .counter32(1))
    reading.meters = ["e\u{301}", "\u{e9}"].map {
      Meter(name: MeterName(.other, qualifier: $0), value: 1, unit: .sheets, source: source, rule: Rule($0))
    }
    let meters = PackedReading(reading).reading.meters
    #expect(meters.map { Array($0.name.qualifier.utf8) } == [[0x65, 0xCC, 0x81], [0xC3, 0xA9]])
    #expect(meters.map { Array($0.rule.description.utf8) } == [[0x65, 0xCC, 0x81], [0xC3, 0xA9]])
  }

  @Test func `any other value is another packed reading, but for the uptime, which stands beside it`() {
    let packed = PackedReading(Self.extreme)
    for change in Self.changes {
      var other = Self.extreme
      change(&other)
      #expect(!packed.equalsButForUptime(PackedReading(other)))
    }
    var later = Self.extreme
    later.detectors.uptimeTicks = 7
    #expect(packed.equalsButForUptime(PackedReading(later)))
    #expect(packed != PackedReading(later))
    var moved = packed
    moved.uptimeTicks = 7
    #expect(moved.reading == later)
  }

  private static let changes: [@Sendable (inout Reading) -> Void] = [
    { $0.identity.uuid = nil }, { $0.identity.serial?.raw = nil }, { $0.status.console = [] },
    { $0.detectors.allAlertEvents = 0 }, { $0.meters[0].value -= 1 }, { $0.meters[0].reason = nil },
    { $0.meters[0].quality = .coarse },
    { $0.meters[0].source.raw = .gauge32(7) }, { $0.supplies[0].level = 0 },
    { $0.supplies[0].percentRemaining = 33.3 }, { $0.inputs[0].status = nil }, { $0.outputs[0].remaining = 1 },
    { $0.covers[0].description = nil },
    { $0.markers[0].powerOnCount = 1 }, { $0.markers[0].status = nil }, { $0.supplies[0].pagesRemaining = 1 },
    { $0.alerts[0].time = nil }, { $0.checks[0].actual = 0 },
    { $0.findings[0].name = nil },
  ]

  /// Something in every field, and numbers at the ends of their ranges.
  private static var extreme: Reading {
    var reading = Reading()
    let texts = ["", "\u{0}", "Büro 3", String(repeating: "x", count: 300), "印刷", "a\nb", "#", "7", "8"].map {
      DeviceText($0, raw: $0.count < 2 ? Array($0.utf8) + [0xFF] : nil)
    }
    reading.identity.make = ""
    reading.identity.model = texts[0]
    reading.identity.serial = texts[1]
    reading.identity.macAddress = [0, 1, 2, 0xFF, 4, 5]
    reading.identity.firmware = texts[2]
    reading.identity.hostName = texts[3]
    reading.identity.location = texts[4]
    reading.identity.assetNumber = texts[5]
    reading.identity.printerName = texts[6]
    reading.identity.systemDescription = texts[7]
    reading.identity.systemObjectID = ObjectIdentifier(Array(repeating: .max, count: 40))
    reading.identity.deviceID = texts[8]
    reading.identity.uuid = "f81d4fae"
    reading.status.device = .min
    reading.status.printer = .max
    reading.status.detectedErrors = []
    reading.status.console = texts
    reading.detectors.configurationChanges = .max
    reading.detectors.criticalAlertEvents = 0
    reading.detectors.allAlertEvents = 1 << 63
    reading.detectors.uptimeTicks = .max
    for service in MeterName.Service.allCases {
      for (index, colour) in MeterName.Colour.allCases.enumerated() {
        let name = MeterName(
          service, colour, size: MeterName.Size.allCases[index % 3], sides: MeterName.Sides.allCases[index % 3],
          qualifier: index == 0 ? "" : "marker 1.\(index)")
        reading.meters.append(
          Meter(
            name: name, value: .max, unit: CounterUnit(rawValue: .min),
            quality: Quality.allCases[index % Quality.allCases.count],
            source: Source([1, 3, 6, 1, UInt32(index), .max], .integer(.min)), rule: Rule("rule \(index % 2)"),
            reason: index % 3 == 0 ? "a site's own, \(index)" : nil))
      }
    }
    var supply = Supply(row: RowIndex([1, .max, 3]), quality: .someRemaining, rule: Rule(""))
    (supply.marker, supply.colorantIndex, supply.colorant) = (.min, .max, texts[2])
    (supply.supplyClass, supply.type, supply.description) = (-1, 0, texts[1])
    (supply.unit, supply.capacity, supply.level) = (.percent, .max, .min)
    (supply.percentRemaining, supply.partNumber, supply.serialNumber) = (100.0 / 3, "", "CRUM-1")
    supply.pagesRemaining = .max
    reading.supplies = [supply, Supply(row: RowIndex([]), quality: .unknown, rule: Rule("rule 1"))]
    var tray = InputTray(row: RowIndex([1, 1]))
    (tray.type, tray.capacityUnit, tray.capacity, tray.level) = (1, .sheets, .max, -3)
    (tray.status, tray.media, tray.name, tray.description) = (.min, texts[0], texts[1], texts[2])
    reading.inputs = [tray, InputTray(row: RowIndex([1, 2]))]
    var bin = OutputBin(row: RowIndex([1, 1]))
    (bin.capacity, bin.remaining, bin.status, bin.name, bin.description) = (.min, .max, 0, texts[3], texts[4])
    reading.outputs = [bin, OutputBin(row: RowIndex([1, 2]))]
    var cover = Cover(row: RowIndex([1, 1]))
    (cover.status, cover.description) = (4, texts[5])
    reading.covers = [cover, Cover(row: RowIndex([1, 2]))]
    var marker = MarkerUnit(row: RowIndex([1, 1]))
    (marker.technology, marker.powerOnCount, marker.status) = (.min, .max, 0)
    reading.markers = [marker, MarkerUnit(row: RowIndex([1, 2]))]
    var alert = PrinterAlert(row: RowIndex([1, 7]))
    (alert.severity, alert.training, alert.group, alert.groupIndex) = (3, .min, .max, -1)
    (alert.location, alert.code, alert.description, alert.time) = (0, 8, texts[6], .max)
    reading.alerts = [alert, PrinterAlert(row: RowIndex([1, 8]))]
    reading.checks = [ArithmeticCheck(name: "total = a + b", expected: .min, actual: .max)]
    reading.findings = [Finding([1, 3, 6], "odd"), Finding(nil, "")]
    return reading
  }
}
