// What a printer says over IPP, as a reading. The attributes are written for these tests.

internal import MIB
internal import PrinterModel
internal import Testing

/// A walk of attributes: numbers and texts; an array is a set.
private func walk(_ attributes: [String: Any]) throws -> Walk {
  func value(_ any: Any) throws -> ObjectValue {
    if let number = any as? Int { return .integer(Int64(number)) }
    return .octets(Array(try #require(any as? String).utf8))
  }
  var walk = Walk()
  for (keyword, any) in attributes {
    if let set = any as? [Any] {
      for (place, one) in set.enumerated() {
        walk.set(try #require(AttributeName(keyword, UInt32(place) + 1)).identifier, try value(one))
      }
    } else {
      walk.set(try #require(AttributeName(keyword)).identifier, try value(any))
    }
  }
  return walk
}

private func read(_ attributes: [String: Any]) throws -> Reading { Interpretation.read(try walk(attributes)) }

extension Reading {
  fileprivate var messages: [String] { findings.map(\.message) }
}

@Suite struct `Attributes of a printer` {
  @Test func `tell who it is`() throws {
    let identity = try read([
      "printer-make-and-model": "Kyocera ECOSYS M2040dn",
      "printer-device-id": "MFG:Kyocera;MDL:ECOSYS M2040dn;SER:VCF9192281;",
      "printer-uuid": "urn:uuid:E3248000-80CE-11DB-8000-30055C172EDA", "printer-location": "Flur 2",
      "printer-name": "KM7B6A91", "printer-firmware-name": ["IPP", "System"],
      "printer-firmware-string-version": ["2.0", "2S0_2000"],
      "printer-uri-supported": ["ipp://192.168.1.2:631/ipp/print", "ipps://km7b6a91.local:443/ipp/print"],
    ]).identity
    #expect(identity.make == "Kyocera")
    #expect(identity.model?.text == "ECOSYS M2040dn")
    #expect(identity.serial?.text == "VCF9192281")
    #expect(identity.uuid == "e3248000-80ce-11db-8000-30055c172eda")
    #expect(identity.macAddress == [0x30, 0x05, 0x5C, 0x17, 0x2E, 0xDA], "the node of a version 1 UUID")
    #expect(identity.firmware?.text == "2S0_2000", "IPP's own version is no firmware")
    #expect(identity.hostName?.text == "km7b6a91.local")
    #expect(identity.location?.text == "Flur 2" && identity.printerName?.text == "KM7B6A91")
  }

  @Test(arguments: [
    "urn:uuid:01234567-89ab-cdef-0123-456789abcdef", "urn:uuid:434e3137-4637-5837-4343-9cb6541421a6",
    "urn:uuid:e3248000-80ce-11db-8000-01055c172eda", "urn:uuid:e3248000-80ce-11db-8000-02055c172eda",
    "urn:uuid:e3248000-80ce-11db-8000-000000000000",
  ])
  func `give no hardware address where the UUID holds none`(uuid: String) throws {
    let identity = try read(["printer-uuid": uuid, "printer-state": 3]).identity
    #expect(identity.uuid != nil && identity.macAddress == nil)
  }

  @Test(arguments: [
    "", "urn:uuid:", "urn:uuid:00000000-0000-0000-0000-000000000000", "e3248000-80ce-11db-8000-30055c172edx",
  ])
  func `give no UUID where there is none`(text: String) throws {
    #expect(try read(["printer-uuid": text, "printer-state": 3]).identity.uuid == nil)
  }

  @Test func `count impressions, sheets and pages apart, by colour`() throws {
    let reading = try read([
      "printer-impressions-completed": 1_000, "printer-impressions-completed-col/monochrome": 600,
      "printer-impressions-completed-col/full-color": 390, "printer-impressions-completed-col/blank": 10,
      "printer-media-sheets-completed": 700, "printer-pages-completed": 2_000,
    ])
    let meters = Dictionary(uniqueKeysWithValues: reading.meters.map { ($0.name.description, $0) })
    #expect(meters["total"]?.value == 1_000 && meters["total"]?.unit == .impressions)
    #expect(meters["total.monochrome"]?.value == 600 && meters["total.fullColor"]?.value == 390)
    #expect(meters["total#blank"]?.value == 10)
    #expect(meters["total#sheets"]?.value == 700 && meters["total#sheets"]?.unit == .sheets)
    #expect(meters["total#pages"]?.value == 2_000 && meters["total#pages"]?.unit == .other)
    #expect(meters["total"]?.source.name.shown == "printer-impressions-completed")
    #expect(meters["total"]?.rule.description == "pwg5100.22/printer-impressions-completed@1")
    #expect(reading.checks.map(\.holds) == [true])
  }

  @Test func `have sheets as the total where there are no impressions, and never pages`() throws {
    let sheets = try read(["printer-media-sheets-completed": 7, "printer-pages-completed": 9]).meters
    #expect(sheets.map(\.name.description) == ["total", "total#pages"])
    #expect(sheets[0].unit == .sheets)
    #expect(try read(["printer-pages-completed": 9]).meters.map(\.name.description) == ["total#pages"])
  }

  @Test func `that count below zero count nothing`() throws {
    let reading = try read(["printer-impressions-completed": -2, "printer-state": 3])
    #expect(reading.meters.isEmpty)
    #expect(reading.findings.map(\.name) == [AttributeName("printer-impressions-completed")?.identifier])
  }

  @Test func `do not check sums of which two-sided impressions may be a part or not`() throws {
    let reading = try read([
      "printer-impressions-completed": 10, "printer-impressions-completed-col/monochrome": 10,
      "printer-impressions-completed-col/monochrome-two-sided": 4,
      "printer-impressions-completed-col/blank-two-sided": 2,
    ])
    #expect(reading.checks.isEmpty)
    #expect(reading.meters.contains { $0.name.description == "total.monochrome.any.twoSided" && $0.value == 4 })
    #expect(
      reading.meters.contains { $0.name == MeterName(.total, sides: .twoSided, qualifier: "blank") && $0.value == 2 })
  }

  // MARK: Supplies

  @Test func `tell supplies as the Printer MIB does`() throws {
    let supplies = try read([
      "printer-supply": [
        "index=4;class=receptacleThatIsFilled;type=wasteInk;unit=percent;maxcapacity=100;level=25;colorantname=unknown;",
        "index=7;class=supplyThatIsConsumed;type=toner-cartridge;unit=19;maxcapacity=100;level=-3;colorantname=black;",
        "index=9;class=supplyThatIsConsumed;type=toner;unit=impressions;maxcapacity=-2;level=-2;colorantname=cyan",
      ], "printer-supply-description": ["Waste", "Black;PN TN-1;SN12345", ""],
    ]).supplies
    #expect(supplies.map(\.row.description) == ["1.4", "1.7", "1.9"])
    #expect(supplies[0].remaining == "room 25 %" && supplies[0].colorant == nil)
    #expect(supplies[1].remaining == "some remaining" && supplies[1].percentRemaining == nil)
    #expect(supplies[1].type == 21 && supplies[1].unit == .percent && supplies[1].colorant?.text == "black")
    #expect(supplies[1].partNumber == "TN-1" && supplies[1].serialNumber == "12345")
    #expect(supplies[2].remaining == "unknown" && supplies[2].quality == .unknown)
    #expect(supplies[2].colorantIndex == nil, "the printer told no index")
  }

  @Test func `give rows their places where their indices are not their own`() throws {
    let supplies = try read(["printer-supply": ["type=toner;index=1;level=1", "type=toner;index=1;level=2"]]).supplies
    #expect(supplies.map(\.row.description) == ["1.1", "1.2"])
    #expect(supplies.map(\.level) == [1, 2], "two black cartridges are two")
  }

  @Test func `name supplies by marker attributes where there is no printer-supply`() throws {
    let reading = try read([
      "marker-names": ["Black", "Cyan", "Magenta", "Yellow", "Waste"],
      "marker-types": ["toner", "toner", "ink-cartridge", "toner", "waste-toner"],
      "marker-levels": [84, -1, -2, -3, 30], "marker-low-levels": [5, 5, 5, 5, 0],
      "marker-high-levels": [100, 100, 100, 100, 95],
      "marker-colors": ["#000000", "#00ffff", "#123456", "#FFFF00", "none"],
    ])
    #expect(reading.supplies.map(\.remaining) == ["84 %", "unknown", "unknown", "some remaining", "unknown"])
    #expect(reading.supplies.map { $0.colorant?.text } == ["black", "cyan", "#123456", "yellow", nil])
    #expect(reading.supplies[4].isReceptacle && reading.supplies[4].percentRemaining == nil)
    #expect(reading.messages.contains { $0.contains("does not tell whether 30 is what is in the waste container") })
  }

  @Test func `do not mix up supplies whose attributes differ in number`() throws {
    let reading = try read([
      "marker-names": ["Black", "Cyan"], "marker-levels": [50], "marker-types": ["toner", "toner"],
    ])
    #expect(reading.supplies.map { $0.description?.text } == ["Black", "Cyan"])
    #expect(reading.supplies.allSatisfy { $0.level == nil && $0.quality == .unknown })
    #expect(reading.messages == ["marker-levels has 1 values where there are 2 supplies"])
  }

  @Test func `of a level that is more than full give no percentage`() throws {
    let reading = try read(["marker-names": ["Black"], "marker-levels": [150]])
    #expect(reading.supplies.map(\.remaining) == ["unknown"])
    #expect(reading.findings.map { $0.name?.shown } == ["marker-levels.1"], "the finding names the attribute")
  }

  // MARK: State and alerts

  @Test func `tell the state and what is wrong`() throws {
    let reading = try read([
      "printer-state": 5, "printer-state-message": "Paper jam",
      "printer-state-reasons": ["media-jam-error", "toner-low-warning", "wifi-not-configured-report", "paused"],
    ])
    #expect(reading.status.device == 5 && reading.status.printer == 1)
    #expect(reading.status.console.map(\.text) == ["Paper jam"])
    #expect(EnumerationNames.detectedErrors(reading.status.detectedErrors ?? []) == ["lowToner", "jammed"])
    #expect(reading.alerts.map(\.code) == [8, 1_104])
    #expect(reading.alerts.map(\.severity) == [3, 4])
    #expect(reading.alerts.map { $0.description?.text } == ["media-jam", "toner-low"])
    let sources = Interpretation.sources(
      try walk(["printer-state": 3, "printer-state-reasons": ["cover-open", "media-low-error"]]))
    #expect(
      sources.status.filter { $0.value == "detectedErrors" }.map(\.source.name.shown) == [
        "printer-state-reasons.1", "printer-state-reasons.2",
      ])
  }

  @Test(arguments: [(3, 2, 3), (4, 2, 4), (5, 5, 1)])
  func `know three states`(state: Int, device: Int64, printer: Int64) throws {
    let status = try read(["printer-state": state, "printer-state-reasons": ["none"]]).status
    #expect(status.device == device && status.printer == printer && status.detectedErrors == [0, 0])
  }

  @Test func `of another state say that it is none`() throws {
    let reading = try read(["printer-state": 9])
    #expect(reading.status.device == nil && reading.status.detectedErrors == nil)
    #expect(reading.messages == ["expected 3 (idle), 4 (processing) or 5 (stopped), not INTEGER 9"])
  }

  @Test func `tell an alert once, whether one attribute tells it or two`() throws {
    let reading = try read([
      "printer-alert": [
        "printer-alert[0] = code=jam;index=1;severity=critical;group=mediaPath;groupindex=2;location=8600;training=trained;time=126508"
      ],
      "printer-alert-description": ["A paper jam"], "printer-state-reasons": ["media-jam-error"], "printer-state": 5,
    ])
    #expect(reading.alerts.count == 1)
    let alert = try #require(reading.alerts.first)
    #expect(alert.code == 8 && alert.severity == 3 && alert.group == 13 && alert.groupIndex == 2)
    #expect(alert.location == 8_600 && alert.training == 4 && alert.time == 126_508)
    #expect(alert.description?.text == "A paper jam")
    #expect(reading.messages == ["`printer-alert[0]` is no pair of a key and a value"])
  }

  @Test(arguments: [
    ("code=markerTonerAlmostEmpty;group=markerSupplies;severity=warning", "marker-supply-low-warning", 1),
    ("code=subunitAlmostEmpty;group=markerSupplies;severity=warning", "toner-low-warning", 1),
    ("code=subunitAlmostEmpty;group=input;severity=warning", "toner-low-warning", 2),
    ("code=markerWasteTonerReceptacleFull;group=markerSupplies;severity=critical", "marker-waste-full-error", 1),
    ("code=subunitLifeAlmostOver;group=marker;severity=warning", "opc-near-eol-warning", 1),
    ("code=doorOpen;group=generalPrinter;severity=critical", "cover-open-error", 1),
    ("code=jam;group=input;severity=critical", "media-jam-error", 1),
    ("code=coverOpen;group=cover;severity=critical", "media-jam-error", 2),
  ])
  func `tell an alert once where the row is finer than the reason, or coarser`(row: String, reason: String, count: Int)
    throws
  {
    let reading = try read(["printer-alert": [row], "printer-state-reasons": [reason], "printer-state": 5])
    #expect(reading.alerts.count == count)
  }

  @Test func `tell every reason as an alert of its own, as grave as its suffix says`() throws {
    let reading = try read([
      "printer-state-reasons": [
        "media-jam-error", "toner-low-warning", "spool-area-full-report", "fan-fault-warning", "acme-belt-worn-error",
        "stapler-life-over-warning", "sheet-rotator-jam-error", "media-empty",
      ], "printer-state": 5,
    ])
    let alerts = Dictionary(uniqueKeysWithValues: reading.alerts.map { ($0.description?.text ?? "", $0) })
    #expect(alerts.count == 7, "a report is no alert")
    #expect(alerts["media-jam"]?.code == 8 && alerts["media-jam"]?.severity == 3 && alerts["media-jam"]?.group == 13)
    #expect(alerts["toner-low"]?.code == 1_104 && alerts["toner-low"]?.severity == 4)
    #expect(
      alerts["media-empty"]?.code == 808 && alerts["media-empty"]?.severity == nil, "nothing says how grave it is")
    #expect(alerts["stapler-life-over"]?.code == 30_211 && alerts["stapler-life-over"]?.group == 30)
    #expect(alerts["sheet-rotator-jam"]?.code == 31_708)
    let (fan, belt) = (alerts["fan-fault"], alerts["acme-belt-worn"])
    #expect(fan?.code == 1 && belt?.code == 1, "the standard has no code for them")
    #expect(fan?.groupIndex != nil && fan?.groupIndex != belt?.groupIndex, "which makes them no single alert")
  }

  @Test func `raise no alert from a history of nothing, and take no malformed word for a number`() throws {
    let reading = try read([
      "printer-alert": [
        "code=unknown;severity=otherother", "code=unknown;severity=otherother",
        "code=unknown;severity=other;group=other",
        "code=printerReadyToPrint;severity=other;group=generalPrinter", "none",
        "code=markerInkAlmostEmpty;severity=other;group=markerSupplies", "code=coverOpen;severity=criticalother",
      ]
    ])
    #expect(reading.alerts.map(\.code) == [1_105, 3])
    #expect(reading.alerts.map(\.severity) == [1, nil])
    #expect(reading.messages.count { $0 == "`severity=otherother` is none of the standard's words" } == 1)
    #expect(reading.messages.contains { $0.hasPrefix("4 rows tell of no alert") })
  }

  @Test func `that are no rows are findings`() throws {
    let reading = try read([
      "printer-supply": ["", ";;;", "level", "level=12%;maxcapacity=99999999999", 5], "printer-state": 3,
    ])
    #expect(reading.supplies.allSatisfy { $0.level == nil && $0.capacity == nil })
    #expect(reading.messages.contains("`level=12%` is no number of 32 bits"))
    #expect(reading.messages.contains("`level` is no pair of a key and a value"))
  }

  @Test func `tell trays with their amounts`() throws {
    let reading = try read([
      "printer-input-tray": [
        "type=sheetFeedAutoRemovableTray;unit=8;maxcapacity=250;level=-3;status=0;name=Tray 1;medianame=A4;"
      ],
      "printer-output-tray": ["unit=sheets;maxcapacity=120;remaining=-2;name=Top"],
    ])
    #expect(reading.inputs.map(\.levelWords) == ["some"] && reading.inputs[0].capacityUnit == .sheets)
    #expect(reading.inputs[0].media?.text == "A4" && reading.inputs[0].type == 3)
    #expect(reading.outputs.map(\.remainingWords) == ["unknown"] && reading.outputs[0].capacity == 120)
  }

  // MARK: Provenance and kind

  @Test func `are the sources of everything that a reading shows`() throws {
    let walk = try walk([
      "printer-make-and-model": "HP OfficeJet 1", "printer-device-id": "MFG:HP;MDL:OfficeJet 1;SN:CN1234567;",
      "printer-uuid": "e3248000-80ce-11db-8000-30055c172eda", "printer-state": 3,
      "printer-state-reasons": ["toner-low"],
      "printer-up-time": 77, "printer-supply": ["type=toner;level=5;maxcapacity=10;colorantname=black"],
      "printer-input-tray": ["name=Tray 1;level=-3"], "printer-output-tray": ["name=Bin"],
      "printer-alert": ["code=coverOpen;severity=critical"],
    ])
    let sources = Interpretation.sources(walk)
    let rows = [sources.supplies, sources.inputs, sources.outputs, sources.alerts].flatMap { $0.values.flatMap { $0 } }
    let all = sources.identity + sources.status + sources.detectors + rows
    #expect(all.count > 20)
    for source in all {
      #expect(AttributeName(source.source.name) != nil, "\(source.value) names \(source.source.name)")
      #expect(walk[source.source.name] == source.source.raw, "\(source.value): the raw value is what was sent")
    }
    #expect(Interpretation.read(walk).detectors.uptimeTicks == 7_700)
    let level = try #require(sources.supplies.values.first?.first { $0.value == "levelRaw" })
    #expect(level.source.rawShown == "\"type=toner;level=5;maxcapacity=10;colorantname=black\"")
  }

  @Test func `are those of a printer, of a print server's queue, or of nothing`() throws {
    #expect(Classification.of(try walk(["printer-state": 3])).isPrinter)
    let queue = Classification.of(
      try walk(["printer-state": 3, "printer-make-and-model": "HP 1", "cups-version": "2.4.2"]))
    #expect(!queue.isPrinter && queue.reason.contains("queue of a print server"))
    #expect(!Classification.of(try walk(["printer-location": "Flur"])).isPrinter)
  }
}
