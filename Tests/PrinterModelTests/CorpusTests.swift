// Every recorded walk, read whole, against what an independent oracle says that the standards mean.

internal import MIB
internal import PrinterModel
internal import Testing

@Suite("A recorded walk reads as the oracle says", .enabled(if: Corpus.root != nil, Corpus.skipped))
struct CorpusTests {
  private func reading(_ path: String) throws -> (reading: Reading, oracle: JSON) {
    let oracle = try #require(Corpus.oracle[path], "the oracle does not know \(path)")
    return (Interpretation.read(try Corpus.walk(path)), oracle)
  }

  @Test(arguments: Corpus.walks)
  func `no line of the file is lost`(path: String) throws {
    let document = SNMPRec.parse(try Corpus.bytes(path))
    let oracle = try #require(Corpus.oracle[path])
    #expect(document.walk.bindings.count == Int(oracle["oids"].number ?? -1))
    #expect(document.findings.isEmpty)
    #expect(SNMPRec.parse(SNMPRec.bytes(of: document.walk)).walk == document.walk)
  }

  @Test(arguments: Corpus.walks)
  func `identity and detectors`(path: String) throws {
    let (reading, oracle) = try reading(path)
    let system = oracle["system"]
    #expect(reading.identity.systemDescription?.text == system["descr"].text)
    #expect(reading.identity.systemObjectID?.description == system["object_id"].string)
    #expect(reading.identity.hostName?.text == system["name"].text)
    #expect(reading.identity.location?.text == system["location"].text)
    #expect(reading.detectors.uptimeTicks.map(Int64.init) == system["uptime_ticks"].number)
    let general = oracle["general"].object.values.first ?? JSON(nil)
    if let serial = general["serial"].text { #expect(reading.identity.serial?.text == serial) }
    #expect(reading.identity.printerName?.text == general["name"].text)
    #expect(reading.detectors.configurationChanges.map(Int64.init) == general["config_changes"].number)
    #expect(reading.detectors.criticalAlertEvents.map(Int64.init) == general["critical_events"].number)
    #expect(reading.detectors.allAlertEvents.map(Int64.init) == general["all_events"].number)
    let ethernet = oracle["interfaces"].object.sorted { Int($0.key) ?? 0 < Int($1.key) ?? 0 }.map(\.value)
    let first =
      ethernet.first {
        [6, 7].contains($0["type"].number) && $0["mac_len"].number == 6 && $0["mac"].string != "00:00:00:00:00:00"
      }
      ?? ethernet.first { $0["type"].isNull && $0["mac_len"].number == 6 }
    #expect(reading.identity.macAddress?.macText == first?["mac"].string)
  }

  @Test(arguments: Corpus.walks)
  func `life counts with their units`(path: String) throws {
    let (reading, oracle) = try reading(path)
    for (row, marker) in oracle["markers"].object {
      let name = PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.lifeCount).description + "." + row
      let meter = reading.meters.first { $0.source.name.description == name }
      #expect(meter.map { Int64($0.value) } == marker["life_count"].number)
      if let meter { #expect(EnumerationNames.unit(meter.unit.rawValue) == marker["counter_unit"].string ?? "unknown") }
    }
    let markers = Interpretation.markers(try Corpus.walk(path))
    #expect(Set(markers.map(\.row.description)) == Set(oracle["markers"].object.keys))
    for marker in markers {
      let expected = oracle["markers"][marker.row.description]
      #expect(marker.powerOnCount == expected["power_on_count"].number)
      #expect(marker.processColorants == expected["process_colorants"].number)
      #expect(marker.spotColorants == expected["spot_colorants"].number)
      #expect(marker.technology.flatMap(EnumerationNames.markerTechnology) == expected["tech"].string)
      #expect(marker.status == expected["status"].number)
    }
    #expect(reading.meters.count { $0.name == .total } <= 1)
    #expect(Set(reading.meters.map(\.name)).count == reading.meters.count)
  }

  @Test(arguments: Corpus.walks)
  func `supplies, every row`(path: String) throws {
    let (reading, oracle) = try reading(path)
    // Rows of three numbers are of other tables than prtMarkerSuppliesTable.
    let supplies = reading.supplies.filter { $0.row.components.count == 2 }
    #expect(Set(supplies.map(\.row.description)) == Set(oracle["supplies"].object.keys))
    for supply in supplies {
      let expected = oracle["supplies"][supply.row.description]
      #expect(supply.marker == expected["marker"].number)
      #expect(supply.colorantIndex == expected["colorant_index"].number)
      #expect(supply.colorant?.text == expected["colorant"].text)
      #expect(supply.supplyClass.flatMap(EnumerationNames.supplyClass) == expected["class"].string)
      #expect(supply.type.flatMap(EnumerationNames.supplyType) == expected["type"].string)
      #expect(supply.unit?.rawValue == expected["unit_code"].number)
      #expect(supply.capacity == expected["max"].number)
      #expect(supply.level == expected["level"].number)
      #expect(supply.meaning.rawValue == expected["level_meaning"].string)
      #expect(supply.isOverCapacity == (expected["over_capacity"].bool ?? false))
      expectText(supply.description, expected["descr"].text)
      // The oracle divides also where the level is above the capacity; no percentage can be made of that.
      let percent = supply.isOverCapacity ? nil : expected["percent_remaining"].double
      switch (supply.percentRemaining, percent) {
      case (nil, nil): break
      case (let percent?, let other?): #expect((percent - other).magnitude < 0.0001)
      default: Issue.record("\(path) \(supply.row): \(String(describing: supply.percentRemaining))")
      }
    }
  }

  /// Where a hexadecimal tail was put back, the oracle's text begins with what came before the tail.
  private func expectText(_ text: DeviceText?, _ expected: String?) {
    guard let expected, let lineBreak = expected.firstIndex(of: "\n") else {
      #expect(text?.text == expected)
      return
    }
    #expect(text?.raw != nil)
    #expect(text?.text.hasPrefix(String(expected[..<lineBreak]).trimmed) == true)
  }

  @Test(arguments: Corpus.walks)
  func `status, error bits and console`(path: String) throws {
    let (reading, oracle) = try reading(path)
    let printers = oracle["hr_devices"].object.filter { $0.value["is_printer"].bool == true }
    let index = printers.keys.min { Int($0) ?? 0 < Int($1) ?? 0 } ?? oracle["hr_printers"].object.keys.first ?? "1"
    #expect(
      reading.status.device.flatMap(EnumerationNames.deviceStatus) == oracle["hr_devices"][index]["status"].string)
    let printer = oracle["hr_printers"][index]
    #expect(reading.status.printer.flatMap(EnumerationNames.printerStatus) == printer["status"].string)
    let bits = printer["error_bits"].isNull ? nil : printer["error_bits"].array.compactMap(\.string)
    #expect(reading.status.detectedErrors.map(EnumerationNames.detectedErrors) == bits)
    let console = oracle["console"].object.sorted { RowIndex(dotted: $0.key) < RowIndex(dotted: $1.key) }
    let lines = console.compactMap(\.value.text)
    if !lines.isEmpty { #expect(reading.status.console.map(\.text) == lines) }
  }

  @Test(arguments: Corpus.walks)
  func `alerts`(path: String) throws {
    let (reading, oracle) = try reading(path)
    let expected = oracle["alerts"].object.filter { _, alert in
      !(alert["severity"].string == "?0" && alert["group"].string == "?0" && alert["code"].number == 0
        && alert["descr"].text == nil)
    }
    #expect(Set(reading.alerts.map(\.row.description)) == Set(expected.keys))
    for alert in reading.alerts {
      let other = expected[alert.row.description] ?? JSON(nil)
      #expect(named(alert.severity, EnumerationNames.severity) == other["severity"].string)
      #expect(named(alert.training, EnumerationNames.trainingLevel) == other["training"].string)
      #expect(named(alert.group, EnumerationNames.alertGroup) == other["group"].string)
      #expect(named(alert.code, EnumerationNames.alertCode) == other["code_name"].string)
      #expect(alert.code == other["code"].number)
      #expect(alert.groupIndex == other["group_index"].number)
      #expect(alert.location == other["location"].number)
      #expect(alert.time == other["time"].number)
      #expect(alert.description?.text == other["descr"].text)
    }
  }

  /// The oracle writes a number without a name as `?42`.
  private func named(_ value: Int64?, _ names: (Int64) -> String?) -> String? {
    value.map { names($0) ?? "?\($0)" }
  }

  @Test(arguments: Corpus.walks)
  func `trays, bins and covers`(path: String) throws {
    let (reading, oracle) = try reading(path)
    #expect(Set(reading.inputs.map(\.row.description)) == Set(oracle["inputs"].object.keys))
    for tray in reading.inputs {
      let expected = oracle["inputs"][tray.row.description]
      #expect(tray.type == expected["type"].number)
      #expect(tray.capacityUnit.map(\.rawValue).flatMap(EnumerationNames.unit) == expected["capacity_unit"].string)
      #expect(tray.capacity == expected["max"].number)
      #expect(tray.level == expected["level"].number)
      #expect(tray.status == expected["status"].number)
      #expect(tray.media?.text == expected["media"].text)
      #expect(tray.name?.text == expected["name"].text)
      #expect(tray.description?.text == expected["descr"].text)
    }
    #expect(Set(reading.outputs.map(\.row.description)) == Set(oracle["outputs"].object.keys))
    for bin in reading.outputs {
      let expected = oracle["outputs"][bin.row.description]
      #expect(bin.capacity == expected["max"].number)
      #expect(bin.remaining == expected["remaining"].number)
      #expect(bin.status == expected["status"].number)
      #expect(bin.name?.text == expected["name"].text)
      #expect(bin.description?.text == expected["descr"].text)
    }
    #expect(Set(reading.covers.map(\.row.description)) == Set(oracle["covers"].object.keys))
    for cover in reading.covers {
      let expected = oracle["covers"][cover.row.description]
      #expect(cover.description?.text == expected["descr"].text)
      #expect(cover.status.flatMap(EnumerationNames.coverStatus) == expected["status"].string)
    }
  }

  @Test(arguments: Corpus.index.map(\.file))
  func `printers are printers and nothing else is`(file: String) throws {
    let entry = try #require(Corpus.index.first { $0.file == file })
    let classification = Classification.of(try Corpus.walk(file))
    let isContextOnly = file.contains("@") || entry.kind == "synthetic"
    if entry.kind == "negative" {
      #expect(!classification.isPrinter, "\(classification.reason)")
    } else if !isContextOnly {
      #expect(classification.isPrinter, "\(classification.reason)")
    }
  }

  @Test(arguments: Corpus.index.map(\.file))
  func `the make is in one spelling`(file: String) throws {
    let entry = try #require(Corpus.index.first { $0.file == file })
    guard entry.kind != "negative" else { return }
    let reading = Interpretation.read(try Corpus.walk(file))
    if reading.identity.make != nil || entry.kind == "full" { #expect(reading.identity.make == entry.vendor) }
  }
}

extension RowIndex {
  init(dotted: String) { self.init(dotted.split(separator: ".").compactMap { UInt32($0) }) }
}
