// What the collector learns from the journal when an agent starts again.

import AgentCore
import Collectors
import Discovery
import Events
import MIB
import PrinterModel
import Projections
import Testing

@Suite struct KnownDevicesTests {
  let id = DeviceID([UInt8](repeating: 1, count: 16))!
  let other = DeviceID([UInt8](repeating: 2, count: 16))!

  private func discovered(_ address: String = "10.0.0.7:161") -> Event {
    Event(
      time: 1, device: id,
      .deviceDiscovered(DeviceDiscovered(address: address, identity: DeviceIdentity(), credential: "office")))
  }

  private func known(_ events: [Event]) -> KnownDevice? {
    var fleet = FleetState()
    for event in events { fleet.apply(event) }
    return KnownDevice.all(of: fleet).first { $0.id == id }
  }

  @Test func `a device is known with its address and credential`() {
    let device = known([discovered()])
    #expect(device?.endpoint == Endpoint("10.0.0.7:161"))
    #expect(device?.credential == "office")
  }

  @Test func `a device that moved is known where it is now`() {
    let moved = Event(
      time: 2, device: id, .deviceMoved(DeviceMoved(from: "10.0.0.7:161", to: "10.0.0.9:161", evidence: "serial")))
    #expect(known([discovered(), moved])?.endpoint == Endpoint("10.0.0.9:161"))
  }

  @Test func `a device whose place another took is known without a place, until it is found again`() {
    let replaced = Event(
      time: 2, device: id,
      .deviceReplaced(DeviceReplaced(address: "10.0.0.7:161", replacement: other, evidence: "serial")))
    #expect(known([discovered(), replaced])?.endpoint == nil)
    let moved = Event(
      time: 3, device: id, .deviceMoved(DeviceMoved(from: "10.0.0.7:161", to: "10.0.0.9:161", evidence: "serial")))
    #expect(known([discovered(), replaced, moved])?.endpoint == Endpoint("10.0.0.9:161"))
  }

  @Test func `a device that was merged into another is known no more; a retired one is, as retired, until it returns`()
  {
    let merged = Event(
      time: 2, device: id, .deviceMerged(DeviceMerged(into: other, address: "10.0.0.7:161", evidence: "MAC")))
    #expect(known([discovered(), merged]) == nil)
    let retired = Event(
      time: 2, device: id, .deviceRetired(DeviceRetired(address: "10.0.0.7:161", lastRead: 1, evidence: "42 days")))
    #expect(known([discovered(), retired])?.isRetired == true)
    #expect(known([discovered(), retired])?.endpoint == Endpoint("10.0.0.7:161"))
    let returned = Event(time: 3, device: id, .deviceReturned(DeviceReturned(address: "10.0.0.7:161", evidence: "")))
    #expect(known([discovered(), retired, returned])?.isRetired == false)
  }

  @Test func `offsets are known, and one of 0 is none`() {
    func set(_ offset: Int64) -> Event {
      Event(
        time: 2, device: id, .meterOffsetSet(MeterOffsetSet(meter: .total, offset: offset, previous: 0, reason: "r")))
    }
    #expect(known([discovered(), set(7)])?.offsets == [.total: 7])
    #expect(known([discovered(), set(7), set(0)])?.offsets == [:])
  }

  /// Alerts that flap, a level that rises and falls: whenever the agent starts again, it knows from the events what it knew before.
  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `after a restart alerts and their damping are as the events have them`(seed: UInt64) throws {
    var state = seed &* 0x9e37_79b9_7f4a_7c15
    func chance(_ bound: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % bound
    }
    var fleet = FleetState()
    fleet.apply(discovered())
    var live = try #require(KnownDevice.all(of: fleet).first)
    var time: Int64 = 10
    for _ in 0..<200 {
      time += Int64(60_000 + chance(3_600_000))
      let rows = (0..<3 as Range<Int64>).filter { _ in chance(2) == 0 }.map { index in
        var row = PrinterAlert(row: RowIndex([1, UInt32(index)]))
        (row.group, row.groupIndex, row.code) = (8, index, 13)
        row.description = DeviceText("tray \(index), \(chance(2))")
        return row
      }
      for body in AlertTracker.update(&live, with: AlertReport(rows: rows, detectedErrors: nil), time: time) {
        fleet.apply(Event(time: time, device: id, body))
      }
      let again = try #require(KnownDevice.all(of: fleet).first)
      #expect(again.flaps == live.flaps, "seed \(seed)")
      #expect(again.alerts.mapValues(\.alert) == live.alerts.mapValues(\.alert), "seed \(seed)")
      #expect(again.alerts.mapValues(\.raised) == live.alerts.mapValues(\.raised), "seed \(seed)")
      #expect(again.alerts.mapValues(\.penalty) == live.alerts.mapValues(\.penalty), "seed \(seed)")
      #expect(FleetState(rows: fleet.rows.map(\.event)) == fleet, "seed \(seed)")
    }
  }

  @Test func `raised alerts and meters with their epochs are known, so that nothing is told twice`() {
    let name = ObjectIdentifier([1, 3, 6])
    var reading = Reading()
    reading.meters = [
      Meter(name: .total, value: 500, unit: .impressions, source: Source(name, .counter32(500)), rule: Rule("r@1"))
    ]
    let taken = Event(time: 2, device: id, .readingTaken(ReadingTaken(reading: reading, raw: Walk(), cost: PollCost())))
    let opened = Event(
      time: 3, device: id,
      .meterEpochOpened(MeterEpochOpened(meter: .total, epoch: 2, previous: 900, current: 500, evidence: "dropped")))
    let key = AlertKey(group: 8, groupIndex: 1, code: 808)
    let raised = Event(
      time: 4, device: id, .alertRaised(AlertRaised(key: key, alert: PrinterAlert(row: RowIndex([1, 1])))))
    let device = known([discovered(), taken, opened, raised])
    #expect(device?.meters[.total] == MeterState(value: 500, epoch: 2, source: name, unit: .impressions))
    #expect(device?.alerts[key]?.raised == 4)
  }

  @Test func `a drop that may have been a wrong reading is remembered over a restart`() {
    let name = ObjectIdentifier([1, 3, 6])
    var reading = Reading()
    reading.meters = [
      Meter(name: .total, value: 0, unit: .impressions, source: Source(name, .counter32(0)), rule: Rule("r@1"))
    ]
    func device(_ cause: String) -> KnownDevice? {
      let opened = MeterEpochOpened(
        meter: .total, epoch: 2, previous: 900, current: 0, evidence: "dropped", cause: cause)
      return known([
        discovered(), Event(time: 3_000, device: id, .meterEpochOpened(opened)),
        Event(time: 3_000, device: id, .readingTaken(ReadingTaken(reading: reading, raw: Walk(), cost: PollCost()))),
        Event(time: 9_000, device: id, .readingUnchanged(ReadingUnchanged(uptimeTicks: 1, cost: PollCost()))),
      ])
    }
    let drop = device("drop")?.meters[.total]?.leaps.first
    #expect(
      drop?.value == 900 && drop?.epoch == 1 && drop?.isStill == true && drop?.kind == .drop
        && drop?.elapsed == .seconds(6) && drop?.landed == 0)
    #expect(device("rollover")?.meters[.total]?.leaps == device("drop")?.meters[.total]?.leaps)
    let board = device("boardSwap")?.meters[.total]?.leaps.first
    #expect(board?.kind == .board && board?.value == 900 && board?.landed == 0)
    #expect(device("source")?.meters[.total]?.leaps == [])
  }

  @Test func `a rise that nobody can have printed is remembered over a restart, until its epoch is over`() {
    let name = ObjectIdentifier([1, 3, 6])
    func device(value: UInt64, at time: Int64 = 9_000, then opened: MeterEpochOpened? = nil) -> KnownDevice? {
      var reading = Reading()
      reading.meters = [
        Meter(
          name: .total, value: value, unit: .impressions, source: Source(name, .counter32(UInt32(value))),
          rule: Rule("r@1"))
      ]
      let leapt = MeterLeapt(meter: .total, epoch: 1, previous: 1_000, current: 5_000_000, evidence: "rose")
      return known(
        [discovered(), Event(time: 3_000, device: id, .meterLeapt(leapt))]
          + (opened.map { [Event(time: 4_000, device: id, .meterEpochOpened($0))] } ?? []) + [
            Event(time: time, device: id, .readingTaken(ReadingTaken(reading: reading, raw: Walk(), cost: PollCost())))
          ])
    }
    var states = device(value: 5_000_000)?.meters ?? [:]
    var context = MeterContext()
    context.elapsed = .seconds(1_800)
    let back = Meter(
      name: .total, value: 1_001, unit: .impressions, source: Source(name, .counter32(1_001)), rule: Rule("r@1"))
    let returned = MeterTracker.update(&states, with: [back], context).first
    #expect(returned?.cause == "returned" && returned?.volume == 1 && returned?.continues == 1)
    func opened(_ cause: MeterEpochOpened.Cause) -> MeterEpochOpened {
      MeterEpochOpened(
        meter: .total, epoch: 2, previous: 5_000_000, current: 1_001, evidence: "", cause: cause.rawValue)
    }
    #expect(device(value: 1_001, then: opened(.returned))?.meters[.total]?.leaps == [])
    #expect(device(value: 1_001, then: opened(.drop))?.meters[.total]?.leaps.map(\.kind) == [.rise, .drop])
    let later: Int64 = 8 * 86_400_000
    #expect(device(value: 5_000_000, at: later)?.meters[.total]?.leaps == [])
  }
}

extension FleetState {
  fileprivate init(rows: [Event]) {
    self.init()
    for event in rows { apply(event) }
  }
}
