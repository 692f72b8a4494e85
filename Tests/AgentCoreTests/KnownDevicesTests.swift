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
}
