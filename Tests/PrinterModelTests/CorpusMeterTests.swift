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
    #expect(total.rule == Rule("kyocera/printed-pages@1"))
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
