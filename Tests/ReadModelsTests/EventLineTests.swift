import Events
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
}
