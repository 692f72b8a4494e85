import Events
import MIB
import PrinterModel
import Testing

@testable import Projections

@Suite struct `The fleet's state` {
  let device = DeviceID(0..<16)!

  @Test func `is the current reading after every change, whatever the order of the changes`() {
    var generator = SplitMix(seed: 42)
    for _ in 0..<200 {
      var state = FleetState()
      var current = Fixture.reading(using: &generator)
      state.apply(Event(time: 1, device: device, .readingTaken(taken(current))))
      for time in 2..<12 {
        let next = Fixture.reading(using: &generator)
        let change = next.normalized.changes(since: current.normalized)
        state.apply(Event(time: Int64(time), device: device, .readingChanged(changed(change))))
        current = next
        var expected = current.normalized
        expected.detectors.uptimeTicks = nil
        #expect(state.devices[device]?.reading?.fact == expected)
      }
    }
  }

  @Test func `written as rows folds to the same state`() throws {
    let state = Fixture.busyFleet(device)
    var again = FleetState()
    for row in state.rows {
      let payload = try row.event.encoded()
      again.apply(try Event(payload: payload))
    }
    #expect(again == state)
  }

  @Test func `names every row that an event touched`() {
    var state = FleetState()
    var stored: [[UInt8]: Event] = [:]
    for event in Fixture.events(device) {
      var touched: [StateKey] = []
      state.apply(event) { touched.append($0) }
      for key in touched { stored[key.bytes] = state.row(key) }
    }
    let rows = Dictionary(uniqueKeysWithValues: state.rows.map { ($0.key, $0.event) })
    #expect(stored == rows)
  }

  @Test func `shows a device as replaced until it has an address again, its former one or another`() {
    var state = FleetState()
    let replaced = DeviceReplaced(address: "10.0.0.2:161", replacement: DeviceID(16..<32)!, evidence: "another serial")
    for to in ["10.0.0.2:161", "10.0.0.3:161"] {
      state.apply(Event(time: 1, device: device, .deviceReplaced(replaced)))
      #expect(state.devices[device]?.replaced != nil)
      var touched: [StateKey] = []
      state.apply(Event(time: 2, device: device, .deviceMoved(DeviceMoved(from: "", to: to, evidence: "serial")))) {
        touched.append($0)
      }
      #expect(state.devices[device]?.replaced == nil)
      #expect(touched.contains(StateKey(EventType.deviceReplaced, device)))
    }
  }

  @Test func `adds an offset to a meter, apart from the raw value, and to no count below zero`() {
    var state = FleetState()
    func adjusted(_ value: UInt64, _ offset: Int64) -> UInt64? {
      state.apply(
        Event(
          time: 1, device: device,
          .meterOffsetSet(MeterOffsetSet(meter: .total, offset: offset, previous: 0, reason: "board"))))
      let meter = Meter(
        name: .total, value: value, unit: .impressions, source: Source([1, 3], .counter64(value)), rule: Rule("r@1"))
      return state.devices[device]?.adjusted(meter)
    }
    #expect(adjusted(100, 50) == 150)
    #expect(adjusted(100, -100) == 0)
    #expect(adjusted(100, -101) == nil)
    #expect(adjusted(.max, 1) == nil)
    #expect(adjusted(100, 0) == nil, "no offset, no adjusted value")
    #expect(adjusted(100, .min) == nil)
  }

  @Test(arguments: UInt64(0)..<20) func `is the same when its devices rest between events`(seed: UInt64) {
    var generator = SplitMix(seed: seed)
    var (state, resting) = (FleetState(), FleetState())
    var former = Reading()
    for time in 1...Int64(12) {
      let reading = Fixture.reading(using: &generator)
      let body: EventBody =
        time % 5 == 1
        ? .readingTaken(taken(reading)) : .readingChanged(changed(reading.changes(since: former)))
      former = reading.normalized
      let event = Event(time: time, device: device, body)
      state.apply(event)
      resting.apply(event)
      if time % 3 != 0 { resting.rest(device) }
      #expect(resting == state)
      #expect(resting.devices[device]?.reading == state.devices[device]?.reading)
      #expect(resting.rows.map(\.event) == state.rows.map(\.event))
    }
    var other = resting
    other.devices[device]?.reading?.fact.meters.removeAll()
    #expect(other != state)
  }

  @Test func `keeps an alert's beginning when the alert is updated, and forgets it when it is cleared`() {
    var state = FleetState()
    let key = AlertKey(group: 8, groupIndex: 1, code: 13)
    let alert = PrinterAlert(row: RowIndex([1, 1]))
    state.apply(Event(time: 10, device: device, .alertRaised(AlertRaised(key: key, alert: alert))))
    state.apply(Event(time: 20, device: device, .alertUpdated(AlertUpdated(key: key, alert: alert))))
    #expect(state.devices[device]?.alerts[key]?.time == 10)
    state.apply(Event(time: 30, device: device, .alertCleared(AlertCleared(key: key, milliseconds: 20))))
    #expect(state.devices[device]?.alerts.isEmpty == true)
  }

  @Test func `shows a failed poll until the device is read again`() {
    var state = FleetState()
    let failed = PollFailed(address: "a", reason: "timeout", message: "No answer.")
    state.apply(Event(time: 1, device: device, .pollFailed(failed)))
    #expect(state.devices[device]?.failure?.fact == failed)
    state.apply(Event(time: 2, device: device, .readingUnchanged(ReadingUnchanged(uptimeTicks: 1, cost: PollCost()))))
    #expect(state.devices[device]?.failure == nil)
    #expect(state.devices[device]?.lastRead?.time == 2)
  }

  @Test func `is not moved by events of a newer release`() {
    var state = Fixture.busyFleet(device)
    let before = state
    state.apply(Event(time: 99, device: device, .unknown(type: 999, bytes: [1]))) { key in
      Issue.record("\(key) was touched")
    }
    #expect(state == before)
  }

  private func taken(_ reading: Reading) -> ReadingTaken {
    ReadingTaken(reading: reading, raw: Walk(), cost: PollCost())
  }
  private func changed(_ change: ReadingChange) -> ReadingChanged {
    ReadingChanged(change: change, raw: [], removed: [], cost: PollCost())
  }
}

/// SplitMix64: the same sequence for the same seed on every machine.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

enum Fixture {
  static func reading(using generator: inout SplitMix) -> Reading {
    var reading = Reading()
    reading.identity.model = Bool.random(using: &generator) ? DeviceText("A") : DeviceText("B")
    reading.detectors.allAlertEvents = UInt64.random(in: 0..<3, using: &generator)
    reading.detectors.uptimeTicks = UInt64.random(in: 0..<1000, using: &generator)
    for service in MeterName.Service.allCases.shuffled(using: &generator).prefix(5) {
      let value = UInt64.random(in: 0..<10, using: &generator)
      reading.meters.append(
        Meter(
          name: MeterName(service), value: value, unit: .impressions,
          source: Source([1, 3], .counter32(UInt32(value))),
          rule: Rule("test@1")))
    }
    for row in (UInt32(1)...6).shuffled(using: &generator).prefix(4) {
      var supply = Supply(row: RowIndex([1, row]), quality: .exact, rule: Rule("test@1"))
      supply.level = Int64.random(in: -3..<100, using: &generator)
      reading.supplies.append(supply)
    }
    return reading
  }

  static func events(_ device: DeviceID) -> [Event] {
    var generator = SplitMix(seed: 7)
    var events: [Event] = [
      Event(time: 1, .agentStarted(AgentStarted(version: "1", hostName: "h"))),
      Event(time: 2, .sweepStarted(SweepStarted(sweep: 1, ranges: ["r"], addresses: 4))),
      Event(
        time: 3, device: device,
        .deviceDiscovered(DeviceDiscovered(address: "a", identity: DeviceIdentity(), credential: "public"))),
      Event(time: 4, .sweepCompleted(SweepCompleted(sweep: 1, milliseconds: 2, outcomes: []))),
    ]
    let first = reading(using: &generator)
    let second = reading(using: &generator)
    let alert = PrinterAlert(row: RowIndex([1, 1]))
    let bodies: [EventBody] = [
      .readingTaken(ReadingTaken(reading: first, raw: Walk(), cost: PollCost(requests: 1))),
      .readingChanged(
        ReadingChanged(
          change: second.normalized.changes(since: first.normalized), raw: [], removed: [], cost: PollCost())),
      .alertRaised(AlertRaised(key: AlertKey(group: 8, groupIndex: 1, code: 13), alert: alert)),
      .alertRaised(AlertRaised(key: AlertKey(group: 8, groupIndex: -1, code: 13), alert: alert)),
      .alertRaised(AlertRaised(key: AlertKey(group: 11, groupIndex: 2, code: 4), alert: alert)),
      .alertCleared(AlertCleared(key: AlertKey(group: 11, groupIndex: 2, code: 4), milliseconds: 1)),
      .alertCleared(AlertCleared(key: AlertKey(group: 8, groupIndex: 1, code: 13), milliseconds: 1, penalty: 900)),
      .alertRaised(AlertRaised(key: AlertKey(group: 8, groupIndex: 1, code: 13), alert: alert, penalty: 1_800)),
      .alertCleared(AlertCleared(key: AlertKey(group: 8, groupIndex: -1, code: 13), milliseconds: 1, penalty: 800)),
      .meterOffsetSet(MeterOffsetSet(meter: .total, offset: 5, previous: 0, reason: "board")),
      .meterOffsetSet(MeterOffsetSet(meter: MeterName(.print), offset: 5, previous: 0, reason: "board")),
      .meterOffsetSet(MeterOffsetSet(meter: MeterName(.print), offset: 0, previous: 5, reason: "over")),
      .deviceRetired(DeviceRetired(address: "a", lastRead: 3, evidence: "42 days")),
      .deviceReturned(DeviceReturned(address: "a", evidence: "read again")),
      .deviceRetired(DeviceRetired(address: "a", lastRead: 4, evidence: "43 days")),
      .deviceMerged(DeviceMerged(into: DeviceID(16..<32)!, address: "a", evidence: "MAC")),
      .meterLeapt(MeterLeapt(meter: .total, epoch: 1, previous: 1, current: 9, evidence: "leapt")),
      .meterLeapt(MeterLeapt(meter: MeterName(.print), epoch: 1, previous: 1, current: 9, evidence: "leapt")),
      .meterEpochOpened(
        MeterEpochOpened(
          meter: MeterName(.print), epoch: 2, previous: 9, current: 2, evidence: "back", cause: "returned", continues: 1
        )),
      .meterEpochOpened(
        MeterEpochOpened(meter: .total, epoch: 2, previous: 9, current: 1, evidence: "drop", cause: "drop")),
      .readingUnchanged(ReadingUnchanged(uptimeTicks: 77, cost: PollCost())),
      .deviceMoved(DeviceMoved(from: "a", to: "b", evidence: "serial")),
      .remoteCertificatePinned(RemoteCertificate(port: 443, digest: [1], subject: "CN=a")),
      .remoteCertificatePinned(RemoteCertificate(port: 631, digest: [2], subject: "CN=b")),
      .remoteCertificatePinned(RemoteCertificate(port: 443, digest: [3], former: [1], subject: "CN=c")),
      .remoteCertificateChanged(RemoteCertificate(port: 631, digest: [4], former: [2], subject: "CN=d")),
      .pollFailed(PollFailed(address: "b", reason: "timeout", message: "No answer.")),
    ]
    for (offset, body) in bodies.enumerated() {
      events.append(Event(time: Int64(10 + offset), device: device, body))
    }
    events.append(Event(time: 30, .uploadRejected(UploadRejected(epoch: 1, sequence: 2, reason: "no"))))
    events += jobs.enumerated().map { Event(time: Int64(40 + $0), $1) }
    events.append(Event(time: 31, .settingsApplied(SettingsApplied(version: 1, digest: [1]))))
    events.append(
      Event(time: 32, .settingsRefused(SettingsRefused(version: 2, digest: [2], keys: ["k"], reason: "no"))))
    events.append(Event(time: 33, .agentStopped(AgentStopped(reason: "SIGTERM"))))
    return events
  }

  static func job(_ number: UInt8) -> JobID { JobID([UInt8](repeating: 0, count: 15) + [number])! }

  static var jobs: [EventBody] {
    let order = JobOrder(.scan, ranges: ["10.0.0.0/24"], devices: [DeviceID(0..<16)!])
    func received(_ number: UInt8) -> EventBody {
      .jobReceived(JobReceived(id: job(number), order: order, created: 1, deadline: 99))
    }
    return [
      received(1), .jobStarted(JobStarted(id: job(1))),
      .jobCompleted(JobCompleted(id: job(1), result: "done", milliseconds: 5, attachment: [1, 2, 3])),
      received(2), received(3), .jobStarted(JobStarted(id: job(3))), received(4),
      .jobFailed(JobFailed(id: job(4), .interrupted, "ended")), received(5),
      .jobExpired(JobExpired(id: job(5), hadStarted: false)),
      .jobRefused(JobRefused(id: job(6), .busy, "many", kind: "scan", deadline: 98)),
    ]
  }

  static func busyFleet(_ device: DeviceID) -> FleetState {
    var state = FleetState()
    for event in events(device) { state.apply(event) }
    return state
  }
}
