import Events
import Evidence
import Foundation
import Journal
import MIB
import OpenSSL
import PrinterModel
import Projections
import Testing

@testable import ReadModels

/// Fixtures/journal/v1, which every release must open. Each test works on a copy: even a reader makes a file.
@Suite final class `The golden journal` {
  private static let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/journal/v1")
  private static let howToRecord: Comment = "where this is on purpose: tools/record-golden"

  private let work = URL(fileURLWithPath: NSTemporaryDirectory() + "printtrail-golden-" + UUID().uuidString)
  private var directory: String { work.path + "/journal" }

  init() throws {
    try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
    let journal = Self.golden.appendingPathComponent("journal")
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    // One by one: git keeps no mode of a directory, and a reader may have left a lock there.
    for name in ["identity", "journal.key", "data.mdb"] {
      try FileManager.default.copyItem(
        at: journal.appendingPathComponent(name), to: URL(fileURLWithPath: directory + "/" + name))
    }
  }

  deinit { try? FileManager.default.removeItem(at: work) }

  private func reader() throws -> JournalReader { try JournalReader.open(directory: directory) }

  private func recorded(_ name: String) throws -> [String] {
    try String(contentsOf: Self.golden.appendingPathComponent(name), encoding: .utf8).split(separator: "\n").map(
      String.init)
  }

  private func record(_ sequence: UInt64) throws -> Record {
    try #require(try reader().record(at: RecordPosition(epoch: 1, sequence: sequence)))
  }

  @Test func `opens and is sound`() throws {
    let report = try JournalVerifier(reader()).verify()
    #expect(report.findings.isEmpty)
    #expect(report.records == 32)
    #expect(try reader().head() == RecordPosition(epoch: 2, sequence: 12))
    #expect(try reader().epochs().map(\.reason) == ["created", "restored from a backup"])
    #expect(try reader().cursor("dcam") == RecordPosition(epoch: 2, sequence: 2))
  }

  @Test func `has every type of event that there was when it was made, and one that there was not`() throws {
    var types: Set<UInt16> = []
    try reader().scan { view in
      if let header = try? EventHeader(view.payload) { types.insert(header.type) }
      return true
    }
    #expect(types == [1, 2, 3, 10, 11, 12, 20, 21, 22, 23, 30, 31, 32, 33, 40, 41, 42, 50, 60, 900])
  }

  @Test func `is written on by this release`() async throws {
    let journal = try Journal.open(JournalConfiguration(directory: directory), fold: FleetFold())
    let event = try Event(time: 1, .agentStopped(AgentStopped(reason: "t"))).encoded()
    #expect(try await journal.append([event]) == [RecordPosition(epoch: 2, sequence: 13)])
    await journal.close()
    #expect(try JournalVerifier(reader()).verify().isSound)
    #expect(try Replay.run(reader()).isEqual == true)
  }

  @Test func `becomes one of this format by being written on, and stays what it is`() async throws {
    let before = try (reader().snapshot(), Replay.run(reader()).digest)
    let identity = try String(contentsOfFile: directory + "/identity", encoding: .utf8)
    #expect(identity.contains("format: 1\n"))
    // The second time as after a power cut between the two steps: data.mdb is of the new format, the identity not yet.
    for _ in 0..<2 {
      try identity.write(toFile: directory + "/identity", atomically: true, encoding: .utf8)
      let journal = try Journal.open(JournalConfiguration(directory: directory), fold: FleetFold())
      #expect(try journal.reader.snapshot().root == before.0.root && journal.reader.head() == before.0.head)
      await journal.close()
      #expect(try String(contentsOfFile: directory + "/identity", encoding: .utf8).contains("format: 2\n"))
    }
    #expect(try Replay.run(reader()).digest == before.1)
    #expect(try Replay.run(reader()).isEqual == true)
    #expect(try JournalVerifier(reader()).verify().isSound)
  }

  @Test func `is folded to the state that was recorded`() throws {
    let result = try Replay.run(reader())
    #expect(result.unreadable == 1)
    let line = "\(FleetFold.currentVersion) \(result.digest.hex)"
    #expect(try recorded("state-digests").contains(line), Self.howToRecord)
  }

  @Test func `is exported to the bytes that were recorded, and soundly`() throws {
    for format in ExportOptions.Format.allCases {
      var options = ExportOptions()
      options.format = format
      let export = work.path + "/" + format.rawValue
      let summary = try Export(reader(), options).write(into: export, signer: reader().signer())
      let file = try #require(summary.files.first)
      // 1/19, of a newer version: told where it has no row.
      #expect(summary.unreadable == (format == .csv ? 1 : 0))
      #expect(try recorded("exports.sha256").contains("\(file.sha256.hex)  \(file.name)"), Self.howToRecord)
      let trusted = TrustedKeys([try reader().identity.verifier()])
      #expect(try ExportVerifier(directory: export, trusted: trusted).verify().findings == [])
    }
  }

  @Test func `answers why a meter stands where it stands`() throws {
    let now = try MeterExplanation(reader(), device: "00ABC12345", meter: "total")
    #expect(now.setting.value.meter.value == 15)
    #expect(now.setting.value.moment.position == RecordPosition(epoch: 2, sequence: 8))
    #expect(now.setting.epoch.number == 2)
    #expect(now.setting.epoch.opening?.event.previous == 10_007)
    #expect(now.setting.earlier.map { now.setting.value.volume(since: $0) } == 3)
    #expect(now.setting.address == "192.0.2.9:161")
    #expect(now.isIntact)
    #expect(now.acknowledgement == .outstanding(upTo: RecordPosition(epoch: 2, sequence: 2)))

    let before = try MeterExplanation(
      reader(), device: "192.0.2.9", meter: "total", at: .sequence(20, epoch: 1), withObjects: true)
    #expect(before.setting.value.meter.value == 10_007)
    #expect(before.setting.checks.map(\.holds) == [true, false])
    #expect(before.setting.objects?[before.setting.value.meter.source.name] == .integer(10_007))
    #expect(before.seal?.countersigners == ["hub.example"])
    #expect(before.acknowledgement == .acknowledged(upTo: RecordPosition(epoch: 2, sequence: 2)))
  }

  @Test func `names a countersigned checkpoint before an earlier one that only the journal signed`() throws {
    let chain = try MeterExplanation(reader(), device: "00ABC12345", meter: "total", at: .sequence(8, epoch: 1))
    #expect(chain.setting.value.moment.position == RecordPosition(epoch: 1, sequence: 7))
    #expect(try reader().checkpoint(epoch: 1, atLeast: 7)?.size == 8)
    #expect(chain.seal?.size == 16)
  }

  @Test func `says that a record was changed behind its back`() throws {
    let payload = try #require(try reader().record(at: RecordPosition(epoch: 2, sequence: 8))).payload
    let path = URL(fileURLWithPath: directory + "/data.mdb")
    var file = try Data(contentsOf: path)
    // Pages of earlier commits may hold the record, too.
    var rest = file.startIndex..<file.endIndex
    while let found = file.range(of: Data(payload), in: rest) {
      file[found.upperBound - 1] ^= 1
      rest = found.upperBound..<file.endIndex
    }
    try file.write(to: path)
    let chain = try MeterExplanation(reader(), device: "00ABC12345", meter: "total")
    #expect(chain.isIntact == false)
    #expect(chain.text.contains("NOT THAT OF THE RECORD"))
  }

  @Test func `keeps what a newer release wrote, to the byte`() throws {
    guard case .unknown(900, let bytes) = try Event(payload: record(17).payload).body else {
      Issue.record("expected a type that nobody knows")
      return
    }
    #expect(bytes == Array("of a newer release".utf8))
    guard case .readingUnchanged = try Event(payload: record(18).payload).body else {
      Issue.record("expected a reading")
      return
    }
    #expect(try record(18).payload.suffix(5) == Array("newer".utf8))
    #expect(throws: EventCodingError.unknownVersion(2)) { try Event(payload: record(19).payload) }

    let expected = ["printtrail.Type900.v1", "printtrail.ReadingUnchanged.v1", "printtrail.Unreadable.v1"]
    for (index, type) in expected.enumerated() {
      let record = try record(17 + UInt64(index))
      let line = try line(of: record.position)
      #expect(line["type"] as? String == type)
      #expect(line["payload"] as? String == Data(record.payload).base64EncodedString())
      #expect(line["leafhash"] as? String == record.leafHash.hex)
    }
  }

  private func line(of position: RecordPosition) throws -> [String: Any] {
    var options = ExportOptions()
    options.from = .sequence(position.sequence, epoch: position.epoch)
    options.to = .sequence(position.sequence, epoch: position.epoch)
    var lines: [[UInt8]] = []
    try Export(reader(), options).lines { lines.append($0) }
    let line = try #require(lines.first)
    return try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
  }
}
