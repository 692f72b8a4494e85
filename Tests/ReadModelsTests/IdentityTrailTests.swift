import Events
import Evidence
import Foundation
import Journal
import MIB
import PrinterModel
import Testing

@testable import ReadModels

@Suite struct `Why a device is that device` {
  private let fleet = JournalOfAFleet()

  private func identity(_ serial: String?, host: String = "printer-3") -> DeviceIdentity {
    var identity = DeviceIdentity()
    identity.serial = serial.map { DeviceText($0) }
    identity.hostName = DeviceText(host)
    identity.macAddress = [0, 1, 2, 3, 4, 5]
    return identity
  }

  private func taken(_ identity: DeviceIdentity) -> EventBody {
    var reading = Reading()
    reading.identity = identity
    return .readingTaken(ReadingTaken(reading: reading, raw: Walk(), cost: PollCost()))
  }

  private func append(_ events: [(Int, EventBody)]) async throws {
    try await fleet.withJournal { journal in
      try await journal.append(
        try events.enumerated().map { offset, event in
          try Event(time: Int64(offset + 1) * 1_000, device: fleet.devices[event.0], event.1).encoded()
        })
    }
  }

  private func trail(_ device: String? = nil) throws -> IdentityTrail {
    try IdentityTrail(JournalReader.open(directory: fleet.journal), device: device)
  }

  private func live() async throws {
    let merged = DeviceMerged(into: fleet.devices[0], address: "b:161", evidence: "MAC is told with serial S7654321")
    try await append([
      (0, .deviceDiscovered(DeviceDiscovered(address: "a:161", identity: identity("S7654321"), credential: "public"))),
      (0, taken(identity("S7654321"))),
      (1, .deviceDiscovered(DeviceDiscovered(address: "b:161", identity: identity(nil), credential: "public"))),
      (
        2,
        .deviceDiscovered(
          DeviceDiscovered(address: "c:161", identity: identity("X9"), credential: "public", evidence: "two devices"))
      ),
      (0, taken(identity("S7654321", host: "reception"))),
      (1, .deviceMerged(merged)),
      (0, .deviceMoved(DeviceMoved(from: "a:161", to: "b:161", evidence: "serial S7654321"))),
      (0, .deviceRetired(DeviceRetired(address: "b:161", lastRead: 1, evidence: "not read for 42 days"))),
    ])
  }

  @Test func `is told for a second address that is not polled`() async throws {
    let second = DeviceSeenAlso(address: "d:161", known: "a:161", evidence: "serial S7654321")
    try await append([
      (0, .deviceDiscovered(DeviceDiscovered(address: "a:161", identity: identity("S7654321"), credential: "public"))),
      (0, .deviceSeenAlso(second)),
    ])
    let last = try #require(try trail("d").entries.last)
    #expect(last.device == fleet.devices[0])
    #expect(last.evidence == "at d:161, where it is not polled, while at a:161: serial S7654321")
  }

  @Test func `is told from the journal, each decision with its evidence, a rename too`() async throws {
    try await live()
    let own = try trail("S7654321").entries
    #expect(
      own.map(\.what) == [
        "DeviceDiscovered", "DeviceDiscovered", "Identity", "DeviceMerged", "DeviceMoved", "DeviceRetired",
      ])
    #expect(own[2].evidence == "host name reception instead of printer-3")
    #expect(own[3].device == fleet.devices[1] && own[3].evidence.hasSuffix("MAC is told with serial S7654321"))
    #expect(own[4].evidence == "from a:161 to b:161: serial S7654321")
    #expect(
      own[0].evidence
        == "at a:161: unlike any known device; serial S7654321, MAC 00:01:02:03:04:05, host name printer-3")
    #expect(own.map(\.position.sequence) == [1, 3, 5, 6, 7, 8])
  }

  @Test func `of all devices is that of each, and of an unknown one a sentence`() async throws {
    try await live()
    let all = try trail()
    #expect(Set(all.entries.map(\.device)) == Set(fleet.devices))
    #expect(all.text.contains("two devices") && all.text.split(separator: "\n").count == all.entries.count + 1)
    let object = try JSONSerialization.jsonObject(with: Data(all.json)) as? [String: Any]
    #expect((object?["trail"] as? [[String: Any]])?.count == all.entries.count)
    #expect(throws: SearchError.self) { try trail("NOBODY99") }
  }

  @Test func `a device that goes on as another is found by that one's serial number and address`() async throws {
    try await live()
    let reader = try JournalReader.open(directory: fleet.journal)
    let found = try DeviceSearch.device("b:161", reader, through: try JournalRange(reader).last)
    #expect(found.id == fleet.devices[0])
  }
}

@Suite struct `How long supplies last` {
  private let device = DeviceID(0..<16)!

  private func taken(_ day: Int, _ percent: Double?, serial: String? = nil, part: String? = nil) -> Event {
    var supply = Supply(row: RowIndex([1, 1]), quality: percent == nil ? .unknown : .exact, rule: Rule("r@1"))
    supply.percentRemaining = percent
    supply.serialNumber = serial
    supply.partNumber = part
    var reading = Reading()
    reading.supplies = [supply]
    return Event(
      time: Int64(day) * 86_400_000, device: device,
      .readingTaken(ReadingTaken(reading: reading, raw: Walk(), cost: PollCost())))
  }

  private func forecast(_ events: [Event]) -> String {
    var histories = LevelHistories()
    for event in events { histories.apply(event) }
    return histories.forecast(device, RowIndex([1, 1]), at: events.last?.time ?? 0).words
  }

  @Test func `is estimated from the levels since the last replacement, where these are enough`() {
    let before = (0..<20).map { taken($0, 90 - 4 * Double($0)) }
    #expect(forecast(before).hasPrefix("3 ("))
    let justReplaced = before + [taken(20, 100), taken(21, 99)]
    #expect(forecast(justReplaced).hasPrefix("26 ("), "as the one before was used")
    let after = before + (20..<41).map { taken($0, 100 - Double($0 - 20)) }
    #expect(forecast(after).hasPrefix("80 ("))
  }

  @Test func `another serial number is another cartridge, whatever the level`() {
    let before = (0..<20).map { taken($0, 90 - 4 * Double($0), serial: "AAAA1") }
    #expect(forecast(before + [taken(20, 12, serial: "BBBB2")]).hasPrefix("3 ("))
  }

  @Test func `a supply that is replaced every few days is used as those before it were`() {
    // Twenty percent a day, read each six hours, and a new one each fifth day.
    func quarters(_ range: Range<Int>, part: (Int) -> String? = { _ in nil }) -> [Event] {
      range.map { quarter in
        var event = taken(0, 100 - 5 * Double(quarter % 20), part: part(quarter))
        event.time = Int64(quarter) * 21_600_000
        return event
      }
    }
    #expect(forecast(quarters(0..<16)) == "unknown: too short a history")
    #expect(forecast(quarters(0..<248)).hasPrefix("3 ("), "65 percent, 19 a day: none while it was replaced")
    let larger = quarters(0..<248) { $0 < 240 ? "T08M1" : "T08M1XL" }
    #expect(forecast(larger) == "unknown: too short a history", "a percent of it is more")
    let quiet = forecast(quarters(0..<240) + (60..<73).map { taken($0, 100 - Double($0 - 60)) })
    #expect(quiet.hasPrefix("88 (") || quiet.hasPrefix("87 ("), "its own levels, once they are enough: \(quiet)")
  }

  @Test func `unknown levels are no points, and ten years of readings are as good as one`() {
    let gaps = (0..<20).map { taken($0, $0 % 2 == 0 ? 90 - 4 * Double($0) : nil) }
    #expect(forecast(gaps).hasPrefix("3 ("), "a day has passed since the last level")
    let long = (0..<3_650).map { taken($0, 100 - Double($0) / 40) }
    #expect(forecast(long).hasPrefix("351 (35"))
  }
}
