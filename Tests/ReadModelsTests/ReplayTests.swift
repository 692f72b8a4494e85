import Events
import Evidence
import Foundation
import Journal
import PrinterModel
import Projections
import Testing

@testable import ReadModels

@Suite struct `A replay` {
  @Test func `gives the live state to the byte`() async throws {
    let fleet = JournalOfAFleet()
    try await fleet.live(polls: 50)
    let reader = try JournalReader.open(directory: fleet.journal)
    let result = try Replay.run(reader)
    #expect(result.isEqual == true)
    #expect(result.records == 57)
    #expect(try FleetState.live(reader) == result.state)
    #expect(result.state.devices[fleet.devices[1]]?.reading?.fact.meters.first?.value == 150)
  }

  @Test func `in JSON holds each device with its meters, supplies and alerts`() async throws {
    let fleet = JournalOfAFleet()
    try await fleet.live(polls: 50)
    let result = try Replay.run(JournalReader.open(directory: fleet.journal))
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(result.json(withDevices: true))) as? [String: Any])
    #expect(json["deviceCount"] as? Int == 3 && json["equal"] as? Bool == true)
    let devices = try #require(json["devices"] as? [[String: Any]])
    #expect(devices.count == 3)
    for device in devices {
      let meters = try #require(device["meters"] as? [[String: Any]])
      #expect(meters.first?["name"] as? String == "total")
      #expect(device["alerts"] is [Any])
    }
    #expect(String(decoding: result.json(), as: UTF8.self).contains("\"devices\"") == false)
  }

  @Test func `up to a sequence or a time is what was known then, and is compared with nothing`() async throws {
    let fleet = JournalOfAFleet()
    try await fleet.live(polls: 50)
    let reader = try JournalReader.open(directory: fleet.journal)
    let early = try Replay.run(reader, to: .sequence(8, epoch: nil))
    #expect(early.records == 8)
    #expect(early.isEqual == nil)
    #expect(early.state.devices[fleet.devices[0]]?.reading?.fact.meters.first?.value == 101)
    #expect(try Replay.run(reader, to: .time(0)).records == 0)
    #expect(try Replay.run(reader, to: .time(.max)).isEqual == true)
    #expect(try Replay.run(reader, to: .sequence(57, epoch: 1)).isEqual == true)
    let last = RecordPosition(epoch: 1, sequence: 57)
    #expect(throws: NamingError.noRecord(RecordPosition(epoch: 1, sequence: 58), last: last, head: last)) {
      try Replay.run(reader, to: .sequence(58, epoch: nil))
    }
  }

  @Test func `tells a state that was tampered with`() async throws {
    let fleet = JournalOfAFleet()
    try await fleet.live(polls: 5)
    // A fold of the same version that forgets one record: the stored rows no longer follow from the records.
    let journal = try Journal.open(JournalConfiguration(directory: fleet.journal), fold: DeafFold())
    try await journal.append([try fleet.events(polls: 6)[12].encoded()])
    await journal.close()
    #expect(try Replay.run(JournalReader.open(directory: fleet.journal)).isEqual == false)
  }

  @Test(arguments: [1, 99] as [UInt32])
  func `is not compared with a state that other rules made, and says why`(version: UInt32) async throws {
    let fleet = JournalOfAFleet()
    try await fleet.live(polls: 5)
    let journal = try Journal.open(JournalConfiguration(directory: fleet.journal), fold: ForeignFold(version))
    await journal.close()
    let result = try Replay.run(JournalReader.open(directory: fleet.journal))
    #expect(result.isEqual == nil)
    #expect(result.live == .foldedByVersion(version))
    let obstacle = try #require(result.live.obstacle)
    #expect(obstacle.contains("fold version \(version), written by \(version == 1 ? "an older" : "a newer") program"))
  }

  @Test func `is not compared where nothing ever folded`() async throws {
    let fleet = JournalOfAFleet()
    try FileManager.default.createDirectory(atPath: fleet.directory, withIntermediateDirectories: true)
    let journal = try Journal.open(JournalConfiguration(directory: fleet.journal))
    try await journal.append(try fleet.events(polls: 1).map { try $0.encoded() })
    await journal.close()
    #expect(try Replay.run(JournalReader.open(directory: fleet.journal)).live == .foldedByVersion(nil))
  }

  @Test func `counts records that are no events and goes on`() async throws {
    let fleet = JournalOfAFleet()
    try await fleet.live(polls: 5)
    let journal = try Journal.open(JournalConfiguration(directory: fleet.journal), fold: FleetFold())
    try await journal.append([[9, 9, 9], try fleet.events(polls: 7)[13].encoded()])
    await journal.close()
    let result = try Replay.run(JournalReader.open(directory: fleet.journal))
    #expect(result.unreadable == 1)
    #expect(result.firstUnreadable?.position.sequence == 13)
    #expect(result.isEqual == true)
  }

  @Test(arguments: [
    ("4711", JournalPoint.sequence(4711, epoch: nil)), ("2/17", .sequence(17, epoch: 2)),
    ("2026-11-23", .time(1_795_392_000_000_000_000)),
  ])
  func `ends where the text says`(text: String, end: JournalPoint) {
    #expect(JournalPoint(text) == end)
  }

  @Test(arguments: ["", "x", "1/2/3", "-5", "2026-99-99"])
  func `refuses an end that is none`(text: String) {
    #expect(JournalPoint(text) == nil)
  }
}

/// The fold of another release, which has no rows.
private final class ForeignFold: JournalFold {
  let version: UInt32
  init(_ version: UInt32) { self.version = version }
  func makeEmpty() -> any JournalFold { self }
  func canLoad(version: UInt32) -> Bool { true }
  func allRows() -> [StateChange] { [] }
  func reset() {}
  func load(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {}
  func apply(_ record: Record) {}
  func drainChanges() -> [StateChange] { [] }
}

/// Takes the stored rows and applies nothing.
private final class DeafFold: JournalFold {
  var version: UInt32 { FleetFold.currentVersion }
  func makeEmpty() -> any JournalFold { self }
  func canLoad(version: UInt32) -> Bool { true }
  func allRows() -> [StateChange] { [] }
  func reset() {}
  func load(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {}
  func apply(_ record: Record) {}
  func drainChanges() -> [StateChange] { [] }
}
