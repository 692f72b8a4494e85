import Events
import Evidence
import Foundation
import Journal
import OpenSSL
import Projections
import Testing

@testable import ReadModels

/// Fixtures/journal/v2, and v2-shortened, of which retention removed the beginning: what every release must open. On copies.
@Suite final class `The golden journals of format 2` {
  private static let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/journal")
  private let work = URL(fileURLWithPath: NSTemporaryDirectory() + "printtrail-golden-" + UUID().uuidString)

  deinit { try? FileManager.default.removeItem(at: work) }

  private func reader(_ name: String) throws -> JournalReader {
    let copy = work.appendingPathComponent(name)
    if !FileManager.default.fileExists(atPath: copy.path) {
      try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
      for file in ["identity", "journal.key", "data.mdb"] {
        try FileManager.default.copyItem(
          at: Self.golden.appendingPathComponent("\(name)/journal/\(file)"), to: copy.appendingPathComponent(file))
      }
    }
    return try JournalReader.open(directory: copy.path)
  }

  private func recorded(_ name: String, _ file: String) throws -> String {
    try String(contentsOf: Self.golden.appendingPathComponent("\(name)/\(file)"), encoding: .utf8)
  }

  @Test(arguments: [("v2", 35, nil), ("v2-shortened", 19, RecordPosition(epoch: 1, sequence: 16))])
  func `open, are sound, and give what was recorded`(name: String, records: Int, base: RecordPosition?) async throws {
    let reader = try reader(name)
    let report = try JournalVerifier(reader).verify()
    #expect(report.findings.isEmpty && report.records == records)
    #expect(report.removed == (base.map { [$0] } ?? []))
    #expect(try reader.head() == RecordPosition(epoch: 2, sequence: 15))
    let replayed = try Replay.run(reader)
    // The state in it is of an older fold.
    #expect(replayed.isEqual == nil && replayed.base == base)
    #expect(try recorded(name, "state-digests").contains("\(FleetFold.currentVersion) \(replayed.digest.hex)\n"))
    for format in ExportOptions.Format.allCases {
      var options = ExportOptions()
      options.format = format
      let export = work.path + "/export-" + format.rawValue
      let file = try #require(Export(reader, options).write(into: export, signer: reader.signer()).files.first)
      #expect(try recorded(name, "exports.sha256").contains("\(file.sha256.hex)  \(file.name)"))
      let trusted = TrustedKeys([try reader.identity.verifier()])
      #expect(try ExportVerifier(directory: export, trusted: trusted).verify().findings == [])
      // Every type of event is among them: the other verifier must know their names, too.
      #expect(try [nil, 0].contains(IndependentVerifier.status(of: export, reader.identity.verifier())))
    }
  }

  @Test(arguments: ["v2", "v2-shortened"]) func `are folded anew when they are opened`(name: String) async throws {
    let digest = try Replay.run(reader(name)).digest
    let directory = work.appendingPathComponent(name).path
    let journal = try Journal.open(JournalConfiguration(directory: directory), fold: FleetFold())
    await journal.close()
    let again = try Replay.run(JournalReader.open(directory: directory))
    #expect(again.isEqual == true && again.digest == digest)
  }

  @Test func `are the same fleet, whether or not the beginning is there`() throws {
    #expect(try Replay.run(reader("v2")).state.devices == Replay.run(reader("v2-shortened")).state.devices)
  }

  @Test func `have every type of event`() throws {
    var types: Set<UInt16> = []
    try reader("v2").scan { view in
      if let header = try? EventHeader(view.payload) { types.insert(header.type) }
      return true
    }
    // Types that came after these journals were written.
    let later: Set = [
      EventType.deviceMerged, EventType.deviceRetired, EventType.deviceReturned, EventType.meterOffsetSet,
      EventType.journalRestored,
    ]
    #expect(types == Set(EventType.names.keys).subtracting(later).union([900]))
  }
}
