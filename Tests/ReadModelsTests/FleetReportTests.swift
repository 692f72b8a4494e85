import Events
import Foundation
import Journal
import MIB
import PrinterModel
import Projections
import Testing

@testable import ReadModels

@Suite struct `A list of devices` {
  @Test func `says of a receptacle that it is the room`() {
    let box = Self.supply(supplyClass: 4, level: 10, percent: 10)
    let full = Self.supply(supplyClass: 4, level: -3, percent: nil)
    let black = Self.supply(supplyClass: 3, level: -3, percent: nil)
    #expect(FleetReport.supplies([box, full, black]) == "waste room 10 %, waste some room, row 1.1 some remaining")
  }

  @Test func `drives no terminal, whatever a device calls itself`() {
    var table = TextTable([.init("MODEL")])
    table.add(["red \u{1B}[31m\u{9B}2J\r\nX"])
    #expect(table.text == "MODEL\nred  [31m 2J  X\n")
  }

  @Test func `shows the unit of a total that counts no pages`() throws {
    func table(_ unit: CounterUnit) throws -> String {
      var (reading, fleet) = (Reading(), FleetState())
      reading.meters = [
        Meter(name: .total, value: 1_360_000, unit: unit, source: Source([1, 3], .counter32(1)), rule: Rule("r@1"))
      ]
      let id = try #require(DeviceID(0..<16))
      let taken = ReadingTaken(reading: reading, raw: Walk(), cost: PollCost())
      fleet.apply(Event(time: 1, device: id, .readingTaken(taken)))
      return FleetReport.table(of: fleet)
    }
    #expect(try table(.tenThousandthsOfInches).contains("1360000 tenThousandthsOfInches"))
    #expect(try table(.unknown).contains("1360000 of an unknown unit"))
    #expect(try table(.impressions).contains("1360000 ") && !table(.impressions).contains("impressions"))
  }

  @Test func `shows a meter's adjusted value beside the raw one, and how a device ended`() throws {
    let id = try #require(DeviceID(0..<16))
    var fleet = FleetState()
    var reading = Reading()
    reading.meters = [
      Meter(name: .total, value: 100, unit: .impressions, source: Source([1, 3], .counter32(100)), rule: Rule("r@1"))
    ]
    let bodies: [EventBody] = [
      .deviceDiscovered(DeviceDiscovered(address: "a", identity: DeviceIdentity(), credential: "public")),
      .readingTaken(ReadingTaken(reading: reading, raw: Walk(), cost: PollCost())),
      .meterOffsetSet(MeterOffsetSet(meter: .total, offset: 900, previous: 0, reason: "board")),
    ]
    for body in bodies { fleet.apply(Event(time: 1, device: id, body)) }
    #expect(FleetReport.table(of: fleet).contains("100 (adjusted 1000)"))
    let devices = try #require(
      try Self.object(String(decoding: FleetReport.json(of: fleet), as: UTF8.self))["devices"] as? [[String: Any]])
    let offset = try #require((devices[0]["meterOffsets"] as? [[String: Any]])?.first)
    #expect(offset["adjusted"] as? Int == 1_000 && offset["offset"] as? Int == 900)
    #expect((devices[0]["meters"] as? [[String: Any]])?.first?["value"] as? Int == 100, "the raw value stays")
    fleet.apply(Event(time: 2, device: id, .deviceRetired(DeviceRetired(address: "a", lastRead: 1, evidence: "42 d"))))
    #expect(FleetReport.table(of: fleet).contains("retired"))
    let other = try #require(DeviceID(16..<32))
    fleet.apply(Event(time: 3, device: id, .deviceMerged(DeviceMerged(into: other, address: "a", evidence: "MAC"))))
    #expect(FleetReport.table(of: fleet).contains("merged"))
    #expect(!FleetReport.table(of: fleet).contains("1000"), "its count is the other's, and stands there")
    #expect(String(decoding: FleetReport.json(of: fleet), as: UTF8.self).contains("\"mergedInto\":\"\(other)\""))
  }

  @Test func `in JSON has each device as a reading of now has it, without the objects`() throws {
    let walk = try Self.walk("colour-mfp")
    let read = Interpretation.read(walk)
    let id = try #require(DeviceID(0..<16))
    let alert = try #require(read.alerts.first)
    let key = AlertKey(group: 8, groupIndex: 1, code: 808)
    var fleet = FleetState()
    fleet.apply(Event(time: 1, device: id, .readingTaken(ReadingTaken(reading: read, raw: walk, cost: PollCost()))))
    fleet.apply(Event(time: 2, device: id, .alertRaised(AlertRaised(key: key, alert: alert))))
    let known = try #require(fleet.devices[id]?.reading?.fact)

    var expected = try Self.object(ReadingReport(known, walk: walk).json)
    let now = try #require((try Self.object(ReadingReport(read, walk: walk).json)["alerts"] as? [Any])?.first)
    let raised = try #require(now as? [String: Any])
    expected["alerts"] = [
      raised.merging(["key": key.description, "since": "1970-01-01T00:00:00.002Z"]) { _, new in new }
    ]
    let of = ["id", "address", "state", "lastRead", "failure"]
    let devices = try #require(
      try Self.object(String(decoding: FleetReport.json(of: fleet), as: UTF8.self))["devices"] as? [[String: Any]])
    #expect(Set(devices[0].keys) == Set(expected.keys).union(of))
    for (name, value) in expected {
      let found = try #require(devices[0][name])
      #expect(try Self.text(Self.withoutSources(value)) == Self.text(found), "\(name)")
    }
    #expect(devices[0]["lastRead"] as? String == "1970-01-01T00:00:00.001Z" && devices[0]["failure"] is NSNull)
  }

  @Test func `in exports names special numbers as raw, with their meaning beside them`() throws {
    var reading = Reading()
    var supply = Self.supply(supplyClass: 3, level: -3, percent: nil)
    supply.capacity = -2
    reading.supplies = [supply]
    var tray = InputTray(row: RowIndex([1, 1]))
    (tray.capacity, tray.level) = (500, -3)
    reading.inputs = [tray]
    var bin = OutputBin(row: RowIndex([1, 1]))
    (bin.capacity, bin.remaining) = (-1, -7)
    reading.outputs = [bin]
    var json = JSONWriter()
    json.object { $0.reading(reading) }
    let text = String(decoding: json.take(), as: UTF8.self)
    for expected in [
      #""capacityRaw":-2,"capacityMeaning":"unknown","levelRaw":-3,"meaning":"some-remaining","#,
      #""capacityRaw":500,"capacityMeaning":"known","levelRaw":-3,"levelMeaning":"some""#,
      #""capacityRaw":-1,"capacityMeaning":"no-restriction","remainingRaw":-7,"remainingMeaning":"non-standard-negative""#,
    ] {
      #expect(text.contains(expected), "\(expected) in \(text)")
    }
    for name in ["\"level\"", "\"capacity\"", "\"remaining\""] { #expect(!text.contains(name)) }
  }

  private static func walk(_ name: String) throws -> Walk {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    return SNMPRec.parse([UInt8](try Data(contentsOf: root.appendingPathComponent("Fixtures/walks/\(name).snmprec"))))
      .walk
  }

  private static func object(_ json: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
  }

  private static func text(_ value: Any) throws -> Data {
    try JSONSerialization.data(withJSONObject: [value], options: .sortedKeys)
  }

  private static func withoutSources(_ value: Any) -> Any {
    switch value {
    case let object as [String: Any]: object.filter { $0.key != "sources" }.mapValues(withoutSources)
    case let array as [Any]: array.map(withoutSources)
    default: value
    }
  }

  private static func supply(supplyClass: Int64, level: Int64, percent: Double?) -> Supply {
    var supply = Supply(row: RowIndex([1, 1]), quality: percent == nil ? .someRemaining : .exact, rule: Rule("t@1"))
    supply.supplyClass = supplyClass
    (supply.level, supply.capacity, supply.percentRemaining) = (level, 100, percent)
    return supply
  }
}
