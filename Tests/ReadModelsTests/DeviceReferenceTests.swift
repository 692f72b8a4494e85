import Events
import Journal
import Projections
import Testing

@testable import ReadModels

@Suite struct `A device on the command line` {
  private let fleet = JournalOfAFleet()

  private var state: FleetState {
    var state = FleetState()
    for event in fleet.events(polls: 0) { state.apply(event) }
    return state
  }

  // Ids begin 000306, 010407 and 020508.
  @Test(arguments: ["0104", "010407", "0104070a", "S1", "s1", "10.0.0.1", "10.0.0.1:161"])
  func `is named by its first digits, its serial number or its address`(text: String) throws {
    #expect(try DeviceReference(text).device(in: state) == fleet.devices[1])
  }

  @Test func `is found by its whole id also where the fleet does not have it`() throws {
    let id = fleet.devices[2]
    #expect(try DeviceReference(id.description).device(in: FleetState()) == id)
  }

  @Test(arguments: ["01", "010408", "S9", "10.0.0.", "10.0.0.9", "", "10.0.0.1:1"])
  func `that nobody has is refused with a way to find it`(text: String) {
    let state = state
    #expect(throws: DeviceReferenceError.nothing(text)) { try DeviceReference(text).device(in: state) }
  }

  @Test func `that two have is refused with the list of them`() {
    var state = self.state
    for event in fleet.events(polls: 0) {
      guard case .deviceDiscovered(let discovered) = event.body, discovered.address == "10.0.0.1:161" else { continue }
      var bytes = fleet.devices[1].bytes
      bytes[15] = 255
      state.apply(Event(time: event.time, device: DeviceID(bytes), event.body))
    }
    let error = #expect(throws: DeviceReferenceError.self) { try DeviceReference("S1").device(in: state) }
    let message = error?.description ?? ""
    #expect(message.contains("2 devices") && message.contains("0104070a (serial S1, at 10.0.0.1:161)"), "\(message)")
  }

  @Test func `is shown with the digits by which it can be named`() throws {
    let table = FleetReport.table(of: state)
    for device in fleet.devices { #expect(table.contains(device.short)) }
    let shown = try #require(table.split(separator: "\n").dropFirst().first?.split(separator: " ").first)
    #expect(try DeviceReference(String(shown)).device(in: state) == fleet.devices[0])
  }
}
