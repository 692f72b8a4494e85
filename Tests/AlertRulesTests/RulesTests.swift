import AlertRules
import Events
import PrinterModel
import Testing

/// Supplies and their rules, from reading to reading.
private struct Watched {
  var settings = RuleSettings()
  var memory: SortedTable<RowIndex, SupplyMemory> = [:]
  var standing: [AlertKey: Standing] = [:]
  var identity = DeviceIdentity()
  var time: Int64 = 0
  /// What happened at the last reading.
  var happened: Set<AlertKey> = []
  let device = DeviceID(0..<16)!

  init() { identity.serial = DeviceText("VNB3K12345") }

  /// What holds after a reading, as `rule of row`.
  mutating func read(_ supplies: [Supply], step: MeterStep? = nil, after minutes: Int64 = 30) -> Set<String> {
    time += minutes * 60_000
    var reading = Reading()
    reading.supplies = supplies
    let report = Rules.report(
      on: reading, after: memory, isRead: true, step: step, standing: standing,
      rules: settings.rules(for: device, identity), time: time)
    let before = memory
    for supply in supplies {
      memory[supply.row] = SupplyMemory(supply, after: SupplyRules.memory(of: supply, in: before))
    }
    standing = standing.filter { report.undecided.contains($0.key) || report.conditions[$0.key] != nil }
    for (key, condition) in report.conditions {
      let since = report.happened.contains(key) ? time : standing[key]?.raised ?? time
      standing[key] = Standing(condition, raised: since)
    }
    happened = report.happened
    return Set(standing.keys.map { key in "\(AlertRule(rawValue: key.code)!) of \(key.groupIndex)" })
  }
}

private func toner(
  _ percent: Double?, row: UInt32 = 1, serial: String? = nil, type: Int64 = 3, text: String = "Black Toner",
  quality: Quality = .exact, supplyClass: Int64 = 3
) -> Supply {
  var supply = Supply(
    row: RowIndex([1, row]), quality: percent == nil ? .unknown : quality, rule: Rule("rfc3805/supply@1"))
  (supply.type, supply.supplyClass, supply.percentRemaining, supply.serialNumber) = (type, supplyClass, percent, serial)
  supply.description = DeviceText(text)
  return supply
}

@Suite struct `Which device a setting means` {
  @Test(arguments: ["VNB3K12345", "00vnb3-k12345", "00010203", "000102030405060708090A0B0C0D0E0F"])
  func `is told by a serial number, or the beginning of an id`(text: String) throws {
    var identity = DeviceIdentity()
    identity.serial = DeviceText("VNB3K12345")
    #expect(try #require(DeviceSelector(text)).matches(#require(DeviceID(0..<16)), identity))
  }

  @Test(arguments: ["XXXXXXXX", "00000000000000XX", "unknown", "--", "", "0000"])
  func `is not told by what no device is known by`(text: String) {
    #expect(DeviceSelector(text) == nil)
  }
}

@Suite struct `Rules for supplies` {
  @Test func `the narrowest threshold counts: install, device, supply`() throws {
    let selector = try #require(DeviceSelector("0vnb3k12345"))
    var change = ThresholdChange()
    change.lowSupply = 30
    var watched = Watched()
    #expect(watched.read([toner(20)]).isEmpty)
    watched.settings.devices = [DeviceThresholds(device: selector, change)]
    #expect(watched.read([toner(20)]) == ["lowSupply of 1"])
    watched.settings.supplies = [SupplyThreshold(device: selector, supply: "black", low: 5)]
    #expect(watched.read([toner(20)]).isEmpty)
    watched.settings.supplies = [SupplyThreshold(supply: "cyan", low: 5)]
    #expect(watched.read([toner(20)]) == ["lowSupply of 1"], "another supply's threshold is not this one's")
    watched.identity.serial = DeviceText("OTHER1")
    #expect(watched.read([toner(20)]).isEmpty, "another device's threshold is not this one's")
  }

  @Test func `low is over three points above the threshold, not before`() {
    var watched = Watched()
    #expect(watched.read([toner(11)]).isEmpty)
    for level in [10.0, 12, 9, 12.9] { #expect(watched.read([toner(level)]) == ["lowSupply of 1"]) }
    #expect(watched.read([toner(13)]).isEmpty)
    #expect(watched.read([toner(12)]).isEmpty, "between the two it is as it was")
  }

  @Test func `an unknown level decides nothing`() {
    var watched = Watched()
    _ = watched.read([toner(5)])
    #expect(watched.read([toner(nil)]) == ["lowSupply of 1"])
    #expect(watched.read([]).isEmpty, "a supply that is gone is not low")
  }

  @Test func `another serial number is a replacement, whatever the levels say`() {
    var watched = Watched()
    _ = watched.read([toner(8, serial: "CRUM-1111A")])
    #expect(watched.read([toner(9, serial: "CRUM-2222B")]) == ["lowSupply of 1", "supplyReplaced of 1"])
  }

  @Test func `the same serial number is no replacement, however the level rises`() {
    var watched = Watched()
    _ = watched.read([toner(8, serial: "CRUM-1111A")])
    #expect(watched.read([toner(100, serial: "CRUM-1111A")]).isEmpty)
  }

  @Test(arguments: ["", "0000000", "UNKNOWN", "n/a"])
  func `a serial number that identifies nothing leaves it to the level`(serial: String) {
    var watched = Watched()
    _ = watched.read([toner(8, serial: serial)])
    #expect(watched.read([toner(100, serial: "CRUM-1111A")]).contains("supplyReplaced of 1"))
  }

  @Test func `cartridges that change places are not replaced`() {
    var watched = Watched()
    _ = watched.read([toner(50, row: 1, serial: "AAAA1"), toner(60, row: 2, serial: "BBBB2")])
    #expect(watched.read([toner(60, row: 1, serial: "BBBB2"), toner(50, row: 2, serial: "AAAA1")]).isEmpty)
  }

  @Test func `rows that change places are not replaced, and neither is what stands in them`() {
    var watched = Watched()
    _ = watched.read([toner(11, row: 1), toner(95, row: 2, text: "Cyan Toner")])
    #expect(watched.read([toner(95, row: 1, text: "Cyan Toner"), toner(11, row: 2)]).isEmpty)
    #expect(
      watched.read([toner(95, row: 1, text: "Cyan Toner"), toner(100, row: 2)]) == [
        "supplyReplaced of 2", "prematureReplacement of 2",
      ])
    let key = AlertRule.prematureReplacement.key(RowIndex([1, 2]))
    #expect(watched.standing[key]?.condition.evidence == "the level rose from 11 % to 100 %; 11 % left, threshold 10 %")
  }

  @Test(arguments: [[20.0, 100], [20, 20, 100], [38, 60, 100]])
  func `a rise in several readings is one replacement, of the level before it`(rise: [Double]) {
    var watched = Watched()
    _ = watched.read([toner(5)])
    var told: Set<String> = []
    for level in rise { told.formUnion(watched.read([toner(level)])) }
    #expect(told.subtracting(["lowSupply of 1"]) == ["supplyReplaced of 1"], "5 % were left, which is not early")
  }

  @Test func `the level that was left is that of the old serial number, whatever was read between`() throws {
    let key = AlertRule.prematureReplacement.key(RowIndex([1, 1]))
    var watched = Watched()
    _ = watched.read([toner(5, serial: "CAG-0001")])
    _ = watched.read([toner(30)])
    #expect(watched.read([toner(29, serial: "CAG-0002")]) == ["supplyReplaced of 1"])
    var late = Watched()
    _ = late.read([toner(5, serial: "CAG-0001")])
    _ = late.read([toner(98, serial: "CAG-0001")])
    #expect(late.read([toner(98, serial: "CAG-0002")]) == ["supplyReplaced of 1"], "the device told it late")
    var early = Watched()
    _ = early.read([toner(50, serial: "CAG-0001")])
    _ = early.read([toner(30)])
    #expect(early.read([toner(30, serial: "CAG-0002")]).count == 2)
    #expect(try #require(early.standing[key]).condition.evidence.contains("50 % left"))
  }

  @Test func `after a replacement the next one is told again`() {
    var watched = Watched()
    _ = watched.read([toner(5)])
    #expect(watched.read([toner(100)]) == ["supplyReplaced of 1"])
    #expect(watched.read([toner(60)], after: 25 * 60).isEmpty)
    #expect(watched.read([toner(92)]).count == 2, "and not taken for a return to the 100 before")
  }

  @Test func `each replacement stands its own day`() {
    var watched = Watched()
    let key = AlertRule.supplyReplaced.key(RowIndex([1, 1]))
    _ = watched.read([toner(5, serial: "CRUM-1111A")])
    for serial in ["CRUM-2222B", "CRUM-3333C"] {
      #expect(watched.read([toner(100, serial: serial)], after: 23 * 60) == ["supplyReplaced of 1"])
      #expect(watched.happened == [key])
      #expect(watched.read([toner(4, serial: serial)]).contains("supplyReplaced of 1") && watched.happened.isEmpty)
    }
    #expect(watched.read([toner(3, serial: "CRUM-3333C")], after: 23 * 60).contains("supplyReplaced of 1"))
    #expect(watched.read([toner(3, serial: "CRUM-3333C")], after: 30) == ["lowSupply of 1"])
  }

  @Test func `a cartridge that was out for hours and is put back is not replaced`() {
    var watched = Watched()
    _ = watched.read([toner(72)])
    for _ in 0..<20 { #expect(watched.read([toner(0)]) == ["lowSupply of 1"]) }
    #expect(watched.read([toner(72)]).isEmpty)
    for _ in 0..<20 { _ = watched.read([toner(0)]) }
    #expect(watched.read([toner(100)]).contains("supplyReplaced of 1"), "another level is another cartridge's")
    for level in [60.0, 0] + [Double](repeating: 1, count: 10) { _ = watched.read([toner(level)]) }
    #expect(watched.read([toner(62)]).contains("supplyReplaced of 1"), "it moved since, so that it was not out")
  }

  @Test func `a box for waste is nearly full, and what it had left is room`() throws {
    func box(_ room: Double) -> Supply { toner(room, type: 4, text: "Waste Toner Box", supplyClass: 4) }
    func told(_ rule: AlertRule) throws -> String? {
      try #require(watched.standing[rule.key(RowIndex([1, 1]))]).condition.alert.description?.text
    }
    var watched = Watched()
    _ = watched.read([box(8)])
    #expect(try told(.lowSupply) == "Waste Toner Box is nearly full: 10 % of room or less")
    #expect(watched.standing.values.first?.condition.evidence == "8 % of room, threshold 10 %")
    _ = watched.read([box(100)])
    #expect(try told(.supplyReplaced) == "Waste Toner Box was replaced, 8 % of room was left")
    var other = Watched()
    _ = other.read([toner(8)])
    #expect(other.standing.values.first?.condition.alert.description?.text == "Black Toner is low: 10 % or less")
  }

  @Test func `a small rise, and one that ends below half, are none`() {
    var watched = Watched()
    _ = watched.read([toner(60)])
    #expect(watched.read([toner(85)]).isEmpty)
    var other = Watched()
    _ = other.read([toner(15)])
    #expect(other.read([toner(48)]).isEmpty)
  }

  @Test func `replaced above its threshold is premature, with the level that was left`() throws {
    var watched = Watched()
    _ = watched.read([toner(40)])
    #expect(watched.read([toner(100)]) == ["supplyReplaced of 1", "prematureReplacement of 1"])
    let key = AlertRule.prematureReplacement.key(RowIndex([1, 1]))
    #expect(watched.standing[key]?.condition.evidence == "the level rose from 40 % to 100 %; 40 % left, threshold 10 %")
    #expect(watched.read([toner(99)], after: 23 * 60).count == 2, "what happened is told for a day")
    #expect(watched.read([toner(98)], after: 60).isEmpty)
  }

  @Test func `replaced when low, of a coarse level, a waste box and a maintenance part are not premature`() {
    let cases = [
      (toner(9), toner(100)), (toner(40, quality: .coarse), toner(100, quality: .coarse)),
      (toner(40, type: 4, supplyClass: 4), toner(100, type: 4, supplyClass: 4)),
      (toner(40, type: 15), toner(100, type: 15)),
    ]
    for (before, after) in cases {
      var watched = Watched()
      _ = watched.read([before])
      #expect(watched.read([after]) == ["supplyReplaced of 1"], "\(before)")
    }
  }

  @Test func `a fuser, a drum and a maintenance kit are due, not low`() {
    for supply in [toner(5, type: 15), toner(5, type: 9), toner(5, type: 1, text: "Maintenance Kit 110V")] {
      var watched = Watched()
      #expect(watched.read([supply]) == ["maintenanceDue of 1"])
      #expect(watched.read([toner(7, type: supply.type!, text: supply.description!.text)]) == ["maintenanceDue of 1"])
      #expect(watched.read([toner(8, type: supply.type!, text: supply.description!.text)]).isEmpty)
    }
  }

  @Test func `two black cartridges are two alerts`() {
    var watched = Watched()
    #expect(watched.read([toner(5, row: 1), toner(4, row: 2)]) == ["lowSupply of 1", "lowSupply of 2"])
  }
}

@Suite struct `Rules for meters and silence` {
  private func step(_ before: UInt64, _ now: UInt64, minutes: Int64? = 30, unit: CounterUnit = .impressions)
    -> MeterStep
  {
    MeterStep(before: before, now: now, unit: unit, elapsed: minutes.map { .seconds($0 * 60) })
  }

  @Test func `each multiple that the total passes is told once`() {
    var watched = Watched()
    watched.settings.thresholds.volumeEvery = 1_000
    #expect(watched.read([], step: step(900, 999)).isEmpty)
    #expect(watched.read([], step: step(999, 1_000)) == ["volumeThreshold of 0"])
    #expect(watched.standing.values.first?.condition.alert.description?.text == "The total has passed 1000")
    _ = watched.read([], step: step(1_000, 2_500), after: 23 * 60)
    #expect(watched.happened == [AlertRule.volumeThreshold.key()])
    #expect(watched.standing.values.first?.condition.alert.description?.text == "The total has passed 2000")
    #expect(watched.read([], step: step(2_500, 2_600), after: 23 * 60) == ["volumeThreshold of 0"])
    #expect(watched.read([], step: step(2_600, 2_600), after: 60).isEmpty)
    watched.settings.thresholds.volumeEvery = 0
    #expect(watched.read([], step: step(2_600, 3_600)).isEmpty, "0 is off")
  }

  @Test func `a jump beyond what can be printed in the time is an anomaly, and what can be is none`() {
    // 30 minutes of 250 pages, and the slack of 1000.
    for (volume, isAnomaly) in [(8_500 as UInt64, false), (8_501, true)] {
      var watched = Watched()
      #expect(watched.read([], step: step(100, 100 + volume)) == (isAnomaly ? ["meterAnomaly of 0"] : []))
    }
    var watched = Watched()
    #expect(watched.read([], step: step(100, 900_000, minutes: nil)).isEmpty, "the time is not known")
    #expect(watched.read([], step: step(100, 900_000, unit: .hours)).isEmpty, "hours are no pages")
    #expect(watched.read([], step: step(0, .max, minutes: 1 << 40)).isEmpty == false)
  }

  @Test func `a device is unreachable after its patience, and nothing else is cleared by its silence`() {
    var rules = RuleSettings()
    rules.thresholds.unreachableAfter = .seconds(7_200)
    let device = rules.rules(for: DeviceID(0..<16)!, DeviceIdentity())
    let low = AlertRule.lowSupply.key(RowIndex([1, 1]))
    let standing = [low: Standing(Condition(AlertRule.lowSupply.alert("low")), raised: 0)]
    let early = Rules.report(silentSince: 0, standing: standing, rules: device, time: 7_199_999)
    #expect(early.conditions.isEmpty && early.undecided == [low])
    let late = Rules.report(silentSince: 0, standing: standing, rules: device, time: 7_200_000)
    #expect(late.conditions.keys.map(\.code) == [AlertRule.unreachable.rawValue] && late.undecided == [low])
  }
}
