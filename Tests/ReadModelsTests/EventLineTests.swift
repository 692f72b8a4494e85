import Events
import Evidence
import MIB
import PrinterModel
import Testing

@testable import ReadModels

@Suite struct `An event in one line` {
  @Test(arguments: [
    (AlertKey(group: 0, groupIndex: 0, code: 6), "0.0.6 (offline)"),
    (AlertKey(group: 0, groupIndex: 0, code: 2), "0.0.2 (lowToner)"),
    (AlertKey(group: 0, groupIndex: 0, code: 15), "0.0.15"),
    (AlertKey(group: 0, groupIndex: 0, code: .min), "0.0.\(Int64.min)"),
    (AlertKey(group: -1, groupIndex: 3, code: 4), "-1.3.4 (maintenanceDue)"),
    (AlertKey(group: -1, groupIndex: 1, code: 1), "-1.1.1 (lowSupply)"),
    (AlertKey(group: -1, groupIndex: 1, code: 99), "-1.1.99"),
    (AlertKey(group: 8, groupIndex: 1, code: 808), "8.1.808 (input, inputMediaSupplyEmpty)"),
  ])
  func `names an alert that was cleared by whoever gave its code`(key: AlertKey, words: String) {
    #expect(EventLine.words(key) == words)
  }

  /// What a total was stands beside one that was not answered.
  @Test func `and in an export has no number of a meter that is unknown`() {
    let name = ObjectIdentifier([1, 3, 6])
    var reading = Reading()
    reading.meters = [
      Meter(
        name: .total, value: 76_064, unit: .impressions, quality: .unknown, source: Source(name, .null),
        rule: Rule("r@1")),
      Meter(
        name: MeterName(.total, qualifier: "marker 1.1"), value: 5, unit: .impressions,
        source: Source(name, .counter32(5)), rule: Rule("r@1")),
    ]
    let taken = ReadingTaken(reading: reading, raw: Walk(), cost: PollCost())
    #expect(EventLine.summary(.readingTaken(taken)).hasPrefix("total unknown, total#marker 1.1 5;"))
    var change = ReadingChange()
    change.meters.changed = [reading.meters[0]]
    let changed = ReadingChanged(change: change, raw: [], removed: [], cost: PollCost())
    #expect(EventLine.summary(.readingChanged(changed)) == "total unknown")
    var json = JSONWriter()
    json.meter(reading.meters[0])
    #expect(!String(decoding: json.take(), as: UTF8.self).contains("76064"))
  }
}
