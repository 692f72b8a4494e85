// Private counters of recorded walks: sums that hold on the devices, and what other readers of the same walks found.

internal import MIB
internal import PrinterModel
internal import Testing

@Suite("Private counters of recorded walks", .enabled(if: Corpus.root != nil, Corpus.skipped))
struct CorpusMeterTests {
  @Test(arguments: Corpus.meterFacts.indices)
  func `sums that are known of a device are checked and recorded`(index: Int) throws {
    let fact = Corpus.meterFacts[index]
    let path = try #require(fact["walk"].string)
    let reading = Interpretation.read(try Corpus.walk(path))
    for (name, value) in fact["terms"].object {
      let meter = reading.meters.first { $0.source.name.description == name }
      #expect(meter.map { Int64($0.value) } == value.number, "\(path) \(name)")
      #expect(meter?.quality == .exact)
    }
    let sum = try #require(fact["sum"].number)
    let total = try #require(fact["total"].number)
    let check = reading.checks.first { Set([$0.expected, $0.actual]) == Set([sum, total]) }
    #expect(check?.holds == fact["holds"].bool, "\(path): \(fact["identity"].string ?? "")")
  }

  @Test func `the total of a Kyocera is the printed pages, and the life count stands beside it`() throws {
    let walk = try Corpus.walk("printmaster/snmprec/kyocera_cs4053ci.snmprec")
    let reading = Interpretation.read(walk)
    let total = try #require(reading.meters.first { $0.name == .total })
    #expect(total.value == 76_064)
    #expect(total.rule == Rule("kyocera/printed-pages@3"))
    #expect(Interpretation.reason(for: total.rule)?.contains("panel") == true)
    let life = try #require(reading.meters.first { $0.name == MeterName(.total, qualifier: "marker 1.1") })
    #expect(life.value == 76_498)
    #expect(reading.checks.contains { $0.name == "vendor total = life count" && !$0.holds })
  }

  @Test(arguments: Corpus.expectations.keys.sorted())
  func `serial and model agree with another reader of the same walk`(path: String) throws {
    let expected = try #require(Corpus.expectations[path])
    let reading = Interpretation.read(try Corpus.walk(path))
    let others = ["librenms/snmprec/epson-scanner_ds-860.snmprec", "librenms/snmprec/zebra.snmprec"]
    guard !others.contains(path) else { return }
    if let serial = expected["serial"].text { #expect(reading.identity.serial?.text == serial) }
    if let model = expected["hardware"].text {
      let own = try #require(reading.identity.model?.text)
      #expect(model.hasSuffix(own) || own.hasPrefix(model) || "\(own) ".contains(model + " "), "\(own), not \(model)")
    }
    for counter in expected["counters"].array where counter["index"].string == "prtMarkerLifeCount" {
      let meter = reading.meters.first { $0.source.name.description == counter["oid"].string }
      #expect(meter.map { Int64($0.value) } == counter["value"].number)
    }
  }

  @Test(arguments: Corpus.expectations.keys.sorted())
  func `percentages agree with another reader where that reader follows the standard`(path: String) throws {
    let expected = try #require(Corpus.expectations[path])
    let reading = Interpretation.read(try Corpus.walk(path))
    // That reader merges a second context's rows, which stand in a walk of their own.
    guard !reading.supplies.isEmpty else { return }
    for supply in expected["supplies"].array {
      // `markerSupply` is its word for a type that the device does not tell.
      guard let type = supply["type"].string, type != "markerSupply",
        let row = supply["level_oid"].string?.split(separator: ".").suffix(2).joined(separator: "."),
        let own = reading.supplies.first(where: { $0.row.description == row })
      else { continue }
      #expect(own.type.flatMap(EnumerationNames.supplyType) == type, "\(path) \(row)")
    }
    for supply in expected["supplies"].array where supply["rfc"].string == "agrees" {
      let row = try #require(supply["level_oid"].string?.split(separator: ".").suffix(2).joined(separator: "."))
      let own = try #require(reading.supplies.first { $0.row.description == row })
      let percent = try #require(own.percentRemaining)
      let other = try #require(supply["current_percent"].double)
      #expect((percent - other).magnitude <= 1)
    }
  }

  @Test func `a packed counter record gives total, monochrome and colour`() throws {
    let walk = try Corpus.walk("brother/snmprec/brother-lib_mfc-j680dw.snmprec")
    let meters = Interpretation.read(walk).meters
    #expect(meters.first { $0.name == MeterName(.total, .monochrome) }?.value == 461)
    #expect(meters.first { $0.name == MeterName(.total, .fullColor) }?.value == 491)
    #expect(!meters.contains { $0.name == .total }, "the device states no total, so that there is none")
  }
}

@Suite("What a maker's record says is left", .enabled(if: Corpus.root != nil, Corpus.skipped))
struct CorpusRecordTests {
  /// Another reader's names of parts, and ours.
  private static let parts = [
    "drum": "Drum", "black_drum": "Black drum", "cyan_drum": "Cyan drum", "magenta_drum": "Magenta drum",
    "yellow_drum": "Yellow drum", "belt_unit": "Belt unit", "fuser": "Fuser", "pf_kit_1": "Paper feeding kit 1",
    "black_toner": "Black", "cyan_toner": "Cyan", "magenta_toner": "Magenta", "yellow_toner": "Yellow",
    "black_ink": "Black", "cyan_ink": "Cyan", "magenta_ink": "Magenta", "yellow_ink": "Yellow",
  ]

  @Test(arguments: Corpus.expectations.keys.filter { $0.hasPrefix("brother/") }.sorted())
  func `is what another reader finds`(path: String) throws {
    let sensors = try #require(Corpus.expectations[path])["brother_sensors"].object
    let reading = Interpretation.read(try Corpus.walk(path))
    for (name, part) in Self.parts {
      // Without `_remaining` or `_remaining_life` a number is of steps of ten.
      let expected = sensors["\(name)_remaining_life"] ?? sensors["\(name)_remaining"]
      guard let percent = expected?.double else { continue }
      let supply = try #require(reading.supplies.first { $0.description?.text == part }, "\(path) \(part)")
      #expect(supply.percentRemaining == percent, "\(path) \(part)")
      // One tells its inks in twentieths.
      #expect(supply.quality == ((supply.capacity ?? 100) <= 20 ? .coarse : .exact))
      let type = try #require(supply.type.flatMap(EnumerationNames.supplyType))
      if name.hasSuffix("_ink") { #expect(["ink", "inkCartridge"].contains(type), "\(path) \(part)") }
      if name.hasSuffix("_toner") { #expect(["toner", "tonerCartridge"].contains(type), "\(path) \(part)") }
      if name.hasSuffix("drum") { #expect(type == "opc", "\(path) \(part)") }
    }
    if let version = try #require(Corpus.expectations[path])["version"].text, version != "None" {
      #expect(reading.identity.firmware?.text == version, "\(path)")
    }
    let pages = Self.parts.merging(["laser_unit": "Laser unit", "fuser_unit": "Fuser"]) { own, _ in own }
      .merging(["pf_kit_mp": "Paper feeding kit, multi-purpose tray"]) { own, _ in own }
    for (name, part) in pages {
      guard let expected = sensors["\(name)_remaining_pages"]?.number else { continue }
      let supply = try #require(reading.supplies.first { $0.description?.text == part }, "\(path) \(part)")
      #expect(supply.pagesRemaining == expected, "\(path) \(part)")
    }
    if sensors["black_toner_status"] != nil {
      #expect(reading.supplies.contains { $0.description?.text == "Black" && $0.quality != .unknown }, "\(path)")
    }
    let counters = [
      "bw_counter": "total.monochrome", "color_counter": "total.fullColor", "black_counter": "total#with black",
      "cyan_counter": "total#with cyan", "magenta_counter": "total#with magenta",
      "yellow_counter": "total#with yellow", "image_counter": "total#colour planes",
      "duplex_unit_pages_counter": "total.all.any.twoSided", "drum_counter": "maintenance#drum pages",
      "cyan_drum_counter": "maintenance#cyan drum pages", "magenta_drum_counter": "maintenance#magenta drum pages",
      "yellow_drum_counter": "maintenance#yellow drum pages", "black_drum_counter": "maintenance#black drum pages",
    ]
    for (name, meter) in counters {
      guard let expected = sensors[name]?.number else { continue }
      #expect(
        reading.meters.first { $0.name.description == meter }.map { Int64($0.value) } == expected, "\(path) \(name)")
    }
    if sensors["image_counter"] != nil {
      #expect(reading.checks.contains { $0.name.hasPrefix("colour planes") && $0.holds }, "\(path)")
    }
  }

  @Test func `scans of a Kyocera add up, and the printed pages of an Epson are proved by their colours`() throws {
    let kyocera = Interpretation.read(try Corpus.walk("printmaster/snmprec/kyocera_cs4053ci.snmprec"))
    #expect(kyocera.meters.first { $0.name == MeterName(.scan) }?.value == 230_478)
    #expect(kyocera.checks.contains { $0.name == "scan = copy + fax + other" && $0.holds })
    let epson = Interpretation.read(try Corpus.walk("printmaster/snmprec/epson_am-c550.snmprec"))
    #expect(epson.meters.first { $0.name.description == "total#printed" }?.value == 81_563)
    #expect(epson.meters.first { $0.name.description == "print#PS/PDF" }?.value == 41_587)
  }
}
