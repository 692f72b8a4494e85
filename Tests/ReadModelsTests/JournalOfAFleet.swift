import Events
import Evidence
import Foundation
import Journal
import MIB
import PrinterModel
import Projections
import Testing

@testable import ReadModels

/// A journal in a directory of its own, with a small fleet's life in it.
final class JournalOfAFleet {
  let directory: String
  let devices = (0..<3).map { device in DeviceID((0..<16).map { UInt8($0 * 3 + device) })! }

  init() {
    directory = NSTemporaryDirectory() + "printtrail-readmodels-" + UUID().uuidString
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  var journal: String { directory + "/journal" }
  var export: String { directory + "/export" }

  /// Opens the journal, lets it live through some polls, and closes it in order.
  /// - Parameter sealed: whether a checkpoint covers the last record.
  func live(polls: Int, sealed: Bool = true) async throws {
    try await withJournal { journal in
      try await journal.append(try events(polls: polls).map { try $0.encoded() })
      if !sealed { try await journal.append([try Event(time: 9, .agentStopped(AgentStopped(reason: "t"))).encoded()]) }
    }
  }

  /// Opens the journal and closes it in order.
  func withJournal(_ body: (Journal) async throws -> Void) async throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let journal = try Journal.open(JournalConfiguration(directory: journal), fold: FleetFold())
    try await body(journal)
    await journal.close()
  }

  /// The journal's key, as a verifier is given it.
  func keys() throws -> TrustedKeys {
    try #require(TrustedKeys([try JournalReader.open(directory: journal).identity.verifier()]))
  }

  func records() throws -> [Record] {
    var records: [Record] = []
    try JournalReader.open(directory: journal).scan { view in
      records.append(view.record)
      return true
    }
    return records
  }

  func makeExport(_ options: ExportOptions) throws {
    let reader = try JournalReader.open(directory: journal)
    _ = try Export(reader, options).write(into: export, signer: try reader.signer(), replacing: true)
  }

  func events(polls: Int) -> [Event] {
    var events = [Event(time: 1_000, .agentStarted(AgentStarted(version: "1", hostName: "h")))]
    for (number, device) in devices.enumerated() {
      var identity = DeviceIdentity()
      identity.make = "Maker"
      identity.model = DeviceText(number == 0 ? "=HYPERLINK(\"x\")" : "Model, \(number)")
      identity.serial = DeviceText("S\(number)")
      events.append(
        Event(
          time: 2_000, device: device,
          .deviceDiscovered(DeviceDiscovered(address: "10.0.0.\(number):161", identity: identity, credential: "public"))
        ))
      var reading = Reading()
      reading.identity = identity
      reading.meters = [meter(100)]
      events.append(
        Event(
          time: 3_000, device: device,
          .readingTaken(ReadingTaken(reading: reading, raw: Walk([VarBind([1, 3], .integer(1))]), cost: PollCost()))))
    }
    for poll in 0..<polls {
      let device = devices[poll % devices.count]
      var change = ReadingChange()
      change.meters.changed = [meter(UInt64(101 + poll))]
      events.append(
        Event(
          time: Int64(4_000 + poll * 1_000), device: device,
          .readingChanged(ReadingChanged(change: change, raw: [], removed: [], cost: PollCost()))))
    }
    return events
  }

  func meter(_ value: UInt64) -> Meter {
    Meter(
      name: .total, value: value, unit: .impressions,
      source: Source([1, 3, 6, 1, 2, 1, 43, 10, 2, 1, 4, 1, 1], .counter32(UInt32(value))), rule: Rule("t@1"))
  }

  func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: export + "/" + name))) }
  func lines(_ name: String) throws -> [String] {
    String(decoding: try read(name), as: UTF8.self).split(separator: "\n").map(String.init)
  }
  func write(_ bytes: [UInt8], _ name: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: export + "/" + name))
  }
}
