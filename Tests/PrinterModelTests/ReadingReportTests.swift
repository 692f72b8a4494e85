// What `ptagent read` prints.

internal import Foundation
internal import MIB
internal import PrinterModel
internal import Testing

@Suite("Reading report")
struct ReadingReportTests {
  private func report(_ name: String) throws -> ReadingReport {
    Self.report(try Fixtures.walk(name))
  }

  private static func report(_ walk: Walk) -> ReadingReport { ReadingReport(Interpretation.read(walk), walk: walk) }

  private static func object(_ report: ReadingReport) throws -> JSON {
    JSON(try JSONSerialization.jsonObject(with: Data(report.json.utf8)))
  }

  /// What a report says beside values: names, meanings and what is made of several values.
  private static let derived: Set<String> = [
    "row", "meaning", "capacityMeaning", "levelMeaning", "remainingMeaning", "remaining", "percentRemaining", "quality",
    "rule", "sources",
  ]

  /// The groups and rows of a report.
  private static func groups(_ object: JSON) -> [[String: JSON]] {
    ["identity", "status", "detectors"].map { object[$0].object }
      + ["supplies", "inputs", "outputs", "covers", "markers", "alerts"].flatMap { object[$0].array.map(\.object) }
  }

  /// Each value that a report shows has a source, and each source is what the walk holds.
  private func expectSources(_ walk: Walk) throws {
    for group in Self.groups(try Self.object(Self.report(walk))) {
      let sources = group["sources"]?.array ?? []
      let names = Set(sources.compactMap { $0["value"].string })
      for (name, value) in group where !Self.derived.contains(name) && !value.isNull && !value.isEmptyArray {
        let isNamed =
          names.contains(name) || names.contains(name + "Raw") || names.contains(String(name.dropLast("Raw".count)))
        #expect(isNamed, "\(name) of \(group["row"]?.string ?? "-") has no source")
      }
      for source in sources {
        let oid = try #require(source["oid"].string.flatMap { ObjectIdentifier(dotted: $0) })
        #expect(walk[oid]?.display == source["raw"].string)
        #expect(source["rule"].string?.contains("@") == true)
        #expect(["exact", "coarse", "someRemaining", "unknown"].contains(source["quality"].string))
      }
    }
  }

  @Test(arguments: Fixtures.names)
  func `every value has its object, raw value, rule and quality`(name: String) throws {
    try expectSources(try Fixtures.walk(name))
  }

  @Test(.enabled(if: Corpus.root != nil, Corpus.skipped), arguments: Corpus.walks)
  func `every value of a recorded walk has its object, raw value, rule and quality`(path: String) throws {
    try expectSources(try Corpus.walk(path))
  }

  @Test func `a source has the row's unit, the rule of the profile, and the quality of the number`() throws {
    let object = try Self.object(try report("colour-mfp"))
    func source(_ row: JSON, _ value: String) -> JSON? { row["sources"].array.first { $0["value"].string == value } }
    let black = try #require(object["supplies"].array.first { $0["row"].string == "3.1" })
    let capacity = try #require(source(black, "capacityRaw"))
    #expect(capacity["oid"].string == "1.3.6.1.2.1.43.11.1.1.8.3.1" && capacity["unit"].string == "impressions")
    #expect(capacity["raw"].string == "INTEGER 20000")
    #expect(source(black, "levelRaw")?["rule"].string == "rfc3805/supply-level@3")
    #expect(source(black, "colorant")?["oid"].string == "1.3.6.1.2.1.43.12.1.1.4.3.4")
    #expect(
      source(black, "partNumber")?["raw"].string == "OCTET STRING 426c61636b20546f6e65723b504e203130304b3b534e30303031")
    #expect(source(object["inputs"][0], "levelRaw")?["quality"].string == "someRemaining")
    #expect(source(object["outputs"][0], "remainingRaw")?["quality"].string == "unknown")
    var walk = try Fixtures.walk("colour-mfp")
    walk.set(PrinterMIB.Output.entry.appending(PrinterMIB.Output.capacityUnit, 3, 1), .integer(8))
    let bin = try Self.object(Self.report(walk))["outputs"][0]
    #expect(source(bin, "capacityRaw")?["unit"].string == "sheets")
    #expect(source(object["identity"], "make")?["rule"].string?.hasPrefix("kyocera/make@") == true)
    #expect(source(object["identity"], "serial")?["rule"].string == "rfc3805/prtGeneralSerialNumber@1")
    #expect(source(object["detectors"], "uptimeTicks")?["unit"].string == "hundredths of a second")
  }

  @Test func `the text lists the sources under the tables, a value a line`() throws {
    let lines = try report("colour-mfp").text.split(separator: "\n").map(String.init)
    let heading = try #require(lines.firstIndex(of: "Sources"))
    for (value, parts) in [
      ("supply 3.1 capacityRaw", ["impressions", "1.3.6.1.2.1.43.11.1.1.8.3.1", "INTEGER 20000", "exact"]),
      ("tray 3.1 levelRaw", ["1.3.6.1.2.1.43.8.2.1.10.3.1", "INTEGER -3", "someRemaining"]),
      ("identity hostName", ["rfc3418/sysName@1", "OCTET STRING 6d66702d3372642d666c6f6f72"]),
      ("alert 3.5 code", ["1.3.6.1.2.1.43.18.1.1.7.3.5", "INTEGER 808"]),
    ] {
      let line = try #require(lines[heading...].first { $0.contains("\(value) ") })
      for part in parts { #expect(line.contains(part), "\(part)") }
    }
    #expect(lines[..<heading].allSatisfy { !$0.contains("1.3.6.1.2.1.43.11") || $0.contains("above") })
  }

  @Test func `of a receptacle the room is told, in the same words in every list`() throws {
    var box = Supply(row: RowIndex([1, 1]), quality: .exact, rule: Rule("t@1"))
    box.supplyClass = 4
    (box.level, box.capacity, box.percentRemaining) = (10, 100, 10)
    #expect(box.remaining == "room 10 %")
    (box.level, box.percentRemaining, box.quality) = (-3, nil, .someRemaining)
    #expect(box.remaining == "some room")
    box.supplyClass = 3
    #expect(box.remaining == "some remaining")
    let waste = try #require(try report("colour-mfp").text.split(separator: "\n").first { $0.contains("Waste Toner") })
    #expect(waste.contains("room 25 %"))
  }

  @Test func `a percentage is never rounded up`() {
    var supply = Supply(row: RowIndex([1, 1]), quality: .exact, rule: Rule("t@1"))
    (supply.level, supply.capacity, supply.percentRemaining) = (9_999, 10_000, 99.99)
    #expect(supply.remaining == "99.9 %")
    (supply.percentRemaining, supply.quality) = (50, .coarse)
    #expect(supply.remaining == "~50 %")
  }

  @Test func `a meter stands with its object, raw value, unit, rule and reason`() throws {
    let line = try #require(try report("colour-mfp").text.split(separator: "\n").first { $0.contains("10000") })
    for part in [
      "total", "10000 impressions", "exact", "1.3.6.1.4.1.1347.43.10.1.1.12.1.1", "INTEGER 10000",
      "kyocera/printed-pages@3", "because:",
    ] {
      #expect(line.contains(part), "\(part)")
    }
  }

  @Test func `unknown is shown as unknown, never as a number`() throws {
    let text = try report("colour-mfp").text
    let cyan = try #require(text.split(separator: "\n").first { $0.contains("Cyan Toner") })
    #expect(cyan.contains("some remaining") && !cyan.contains("%"))
    let nonsense = try report("nonsense").text
    #expect(!nonsense.contains("-100 %") && nonsense.contains("unknown"))
  }

  /// The level's number stands in the findings and the sources, as what the device sent, and not among the supplies.
  @Test func `a number out of range is told by a finding alone`() throws {
    let text = try report("out-of-range").text
    let sections = text.components(separatedBy: "\n\n").filter { !$0.hasPrefix("Sources") && !$0.hasPrefix("Findings") }
    #expect(!sections.joined().contains("9223372036854775807") && !sections.joined().contains("2147483648"))
    #expect(text.contains("expected a number from -2147483648 to 2147483647, not INTEGER 9223372036854775807"))
    for (value, quality) in [
      ("supply 1.1 levelRaw", "unknown"), ("supply 1.2 levelRaw", "exact"), ("detectors uptimeTicks", "unknown"),
    ] {
      let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("  \(value) ") })
      #expect(line.contains(" \(quality) "), "\(line)")
    }
  }

  @Test(
    arguments: [
      (50, -2, 7, "50 impressions, capacity unknown"), (50, 100, 7, "50 of 100 impressions"),
      (72, -2, 19, "72 percent"),
      (72, 100, 19, "72 of 100 percent"), (-3, 100, 7, "unknown"),
    ] as [(Int64, Int64, Int, String)])
  func `a level reads as a sentence does`(level: Int64, capacity: Int64, unit: Int, words: String) {
    var supply = Supply(row: RowIndex([1, 1]), quality: .exact, rule: Rule("t@1"))
    (supply.level, supply.capacity, supply.unit) = (level, capacity, CounterUnit(rawValue: Int64(unit)))
    #expect(supply.levelOfCapacity == words)
    var tray = InputTray(row: RowIndex([1, 1]))
    (tray.level, tray.capacity, tray.capacityUnit) = (350, nil, CounterUnit(rawValue: 8))
    #expect(tray.levelWords == "350 sheets, capacity unknown")
  }

  @Test(arguments: Fixtures.names)
  func `the JSON is JSON, with null where nothing is known`(name: String) throws {
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(try report(name).json.utf8)) as? [String: Any])
    #expect(object.keys.count == 12)
    let supplies = JSON(object["supplies"]).array
    for supply in supplies where supply["quality"].string == "unknown" || supply["quality"].string == "someRemaining" {
      #expect(supply["percentRemaining"].isNull)
    }
  }

  @Test func `control characters of a device do not reach the terminal`() {
    var reading = Reading()
    reading.identity.hostName = DeviceText("a\u{1B}[31mb\nc")
    let report = ReadingReport(reading, walk: Walk())
    #expect(!report.text.contains("\u{1B}"))
    #expect(report.json.contains("\\u001b"))
  }
}
