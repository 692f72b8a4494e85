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

/// What can still be known of a journal whose oldest records were removed: the state, exports and proofs of what is left, and where
/// the answer lies for the rest.
@Suite struct `A journal that retention has shortened` {
  private let fleet = JournalOfAFleet()

  /// 7 records that begin the fleet, 30 polls, all removed; then a change of the first device and confirmations of all others.
  private func shorten() async throws -> RecordPosition {
    let hub = SignerKey(name: try NoteKeyName("printtrail.hub/test"), privateKey: try Ed25519PrivateKey())
    try await fleet.live(polls: 30)
    let base = RecordPosition(epoch: 1, sequence: 37)
    try await fleet.withJournal { journal in
      let stored = try #require(try journal.reader.lastCheckpoint(epoch: 1))
      #expect(stored.size == base.sequence)
      let note = try SignedNote(text: try SignedNote(bytes: stored.note).text, signer: hub)
      try await journal.storeCountersignature(note, by: hub.verifier)
      try await journal.moveCursor("dcam", to: base)
      var change = ReadingChange()
      change.meters.changed = [
        Meter(
          name: .total, value: 500, unit: .impressions,
          source: Source([1, 3, 6, 1, 2, 1, 43, 10, 2, 1, 4, 1, 1], .counter32(500)), rule: Rule("t@1"))
      ]
      let unchanged = EventBody.readingUnchanged(ReadingUnchanged(uptimeTicks: 1, cost: PollCost()))
      try await journal.append([
        try Event(
          time: 90_000, device: fleet.devices[0],
          .readingChanged(ReadingChanged(change: change, raw: [], removed: [], cost: PollCost()))
        ).encoded(), try Event(time: 90_001, device: fleet.devices[1], unchanged).encoded(),
        try Event(time: 90_002, device: fleet.devices[2], unchanged).encoded(),
      ])
      try await journal.prune(through: base, countersignedBy: hub.verifier, acknowledgedBy: "dcam")
    }
    return base
  }

  private func reader() throws -> JournalReader { try JournalReader.open(directory: fleet.journal) }

  @Test func `replays to the live state, from the snapshot`() async throws {
    let base = try await shorten()
    let result = try Replay.run(try reader())
    #expect(result.isEqual == true && result.base == base && result.records == 3)
    #expect(result.state.devices.count == 3)
    #expect(throws: JournalError.removed(through: base)) {
      try Replay.run(try reader(), to: .sequence(20, epoch: nil))
    }
    #expect(try Replay.run(try reader(), to: .sequence(38, epoch: nil)).records == 1)
    #expect(throws: JournalError.removed(through: base)) { try Replay.run(try reader(), to: .time(0)) }
    for end in [JournalPoint.time(0), .sequence(20, epoch: nil)] {
      #expect(throws: JournalError.removed(through: base)) { try JournalRange(try reader(), to: end) }
    }
    // At the base itself it is the snapshot.
    #expect(try Replay.run(try reader(), to: .sequence(37, epoch: nil)).records == 0)
  }

  @Test func `a fold of another version begins with the snapshot, and gives the same state`() async throws {
    _ = try await shorten()
    let digest = try Replay.run(try reader()).digest
    try await fleet.withJournal { journal in
      // What an upgrade finds: rows of a version that is not its own.
      let fresh = FleetFold()
      _ = try journal.reader.scanSnapshot { try fresh.load(key: $0, value: $1) }
      try journal.reader.scan(from: RecordPosition(epoch: 1, sequence: 38)) { view in
        try fresh.apply(view.record)
        return true
      }
      #expect(fresh.state.digest == digest)
    }
  }

  @Test(arguments: [true, false])
  func `exports what is left, provable by everyone`(isWhole: Bool) async throws {
    _ = try await shorten()
    var options = ExportOptions()
    if !isWhole { options.device = fleet.devices[1] }
    try fleet.makeExport(options)
    let report = try ExportVerifier(directory: fleet.export, trusted: try fleet.keys()).verify()
    #expect(report.findings == [])
    #expect(report.records == (isWhole ? 3 : 1) && report.sealed == report.records)
    #expect(try [nil, 0].contains(IndependentVerifier.status(of: fleet.export, reader().identity.verifier())))
  }

  @Test func `an export from a removed record on says where it is`() async throws {
    let base = try await shorten()
    var options = ExportOptions()
    options.from = .sequence(5, epoch: nil)
    #expect(throws: JournalError.removed(through: base)) { try fleet.makeExport(options) }
  }

  @Test func `a table of readings shows what stood before, too`() async throws {
    _ = try await shorten()
    var options = ExportOptions()
    options.format = .csv
    try fleet.makeExport(options)
    let rows = try fleet.read(Export.readingsName).split(separator: UInt8(ascii: "\n"))
    #expect(rows.count > 1 && String(decoding: rows[1], as: UTF8.self).contains("S0"))
  }

  @Test func `explains the number that what is left set, and names the hub for one that it did not`() async throws {
    let base = try await shorten()
    let chain = try MeterExplanation(try reader(), device: "S0", meter: "total")
    #expect(chain.setting.value.meter.value == 500 && chain.setting.value.moment.position.sequence == 38)
    #expect(throws: JournalError.removed(through: base)) {
      try MeterExplanation(try reader(), device: "S1", meter: "total")
    }
  }
}
