import Collectors
import Events
import Evidence
import Foundation
import Logging
import OpenSSL
import Settings
import Testing

@testable import AgentCore
@testable import Journal

@Suite struct `The retention service` {
  private let directory = NSTemporaryDirectory() + "printtrail-retention-" + UUID().uuidString
  private let hub: SignerKey

  init() throws {
    hub = SignerKey(name: try NoteKeyName("printtrail.hub/test"), privateKey: try Ed25519PrivateKey())
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  /// A journal with records of about 1 KB, closed at the end.
  private func withJournal(
    records: Int, at time: Int64 = 1_700_000_000, _ body: (Journal, RetentionService) async throws -> Void
  ) async throws {
    var configuration = JournalConfiguration(directory: directory + "/journal")
    configuration.checkpointRecords = 500
    configuration.clock = JournalClock(now: { time * 1_000_000_000 }, uptime: JournalClock.system.uptime)
    let journal = try Journal.open(configuration, fold: EmptyFold())
    var settings = JournalSettings()
    settings.directory = configuration.directory
    settings.sizeMax = ByteCount(bytes: 16 << 20)
    let key = hub.verifier.description
    let service = RetentionService(
      journal: journal, settings: settings, countersigningKey: { key }, gauge: ThinningGauge(), board: StatusBoard(),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    for start in stride(from: 0, to: records, by: 500) {
      try await journal.append((start..<min(start + 500, records)).map { _ in [UInt8](repeating: 0x5A, count: 900) })
      try await journal.checkpoint()
    }
    try await body(journal, service)
    await journal.close()
    try FileManager.default.removeItem(atPath: directory)
  }

  /// What a hub does that has everything.
  private func vouch(_ journal: Journal) async throws {
    for stored in try journal.reader.checkpoints() {
      let note = try SignedNote(text: try SignedNote(bytes: stored.note).text, signer: hub)
      try await journal.storeCountersignature(note, by: hub.verifier)
    }
    try await journal.moveCursor("dcam", to: try journal.reader.head())
  }

  private func events(_ journal: Journal) throws -> [EventBody] {
    var bodies: [EventBody] = []
    try journal.reader.scan { view in
      if let event = try? Event(payload: view.payload) { bodies.append(event.body) }
      return true
    }
    return bodies
  }

  @Test func `removes what is older than it is kept, and says so in the journal`() async throws {
    try await withJournal(records: 2_200) { journal, service in
      var policy = ThinningPolicy()
      try await service.look(&policy)
      #expect(try journal.reader.base(epoch: 1).size == 0, "nobody has vouched for anything")
      try await vouch(journal)
      try await service.look(&policy)
      #expect(try journal.reader.base(epoch: 1).size == 2_200)
      #expect(
        try events(journal) == [
          .recordsRemoved(
            RecordsRemoved(
              epoch: 1, through: 2_200, records: 2_200, reason: "age", countersigner: "printtrail.hub/test"))
        ])
      // What it told is young.
      try await service.look(&policy)
      #expect(try events(journal).count == 1)
    }
  }

  @Test func `makes room when the journal is near its limit, with the oldest records`() async throws {
    let now = Int64(Date().timeIntervalSince1970)
    try await withJournal(records: 14_000, at: now) { journal, service in
      var policy = ThinningPolicy()
      try await vouch(journal)
      let before = try journal.reader.statistics()
      #expect(before.usedBytes * 100 / (16 << 20) > 80)
      try await service.look(&policy)
      let after = try journal.reader.statistics()
      let base = try journal.reader.base(epoch: 1).size
      #expect(base > 0 && base < 14_000 && base % 500 == 0, "\(base)")
      #expect((60...75).contains(after.usedBytes * 100 / (16 << 20)), "\(after.usedBytes)")
      guard case .recordsRemoved(let removed)? = try events(journal).last else {
        Issue.record("not told")
        return
      }
      #expect(removed.reason == "size" && removed.through == base)
      #expect(policy.interval == nil, "the hub has everything")
    }
  }

  @Test func `without the hub it removes nothing, thins, and ends that when the hub has everything`() async throws {
    let now = Int64(Date().timeIntervalSince1970)
    try await withJournal(records: 11_000, at: now) { journal, service in
      var policy = ThinningPolicy()
      try await service.look(&policy)
      #expect(service.gauge.interval == .seconds(3_600))
      #expect(try journal.reader.base(epoch: 1).size == 0)
      guard case .readingsThinned(let thinned)? = try events(journal).last else {
        Issue.record("not told")
        return
      }
      #expect(thinned.intervalSeconds == 3_600 && thinned.percent >= 60)
      #expect(service.board.snapshot.components.contains { $0.name == "journal" && $0.state == .degraded })
      try await service.look(&policy)
      #expect(try events(journal).count == 1, "told once")
      try await vouch(journal)
      try await service.look(&policy)
      #expect(service.gauge.interval == nil)
      #expect(try events(journal).last == .readingsThinned(ReadingsThinned(intervalSeconds: 0, percent: 0)))
      #expect(service.board.snapshot.components.contains { $0.name == "journal" && $0.state == .ok })
    }
  }
}

/// Keeps nothing.
private final class EmptyFold: JournalFold {
  let version: UInt32 = 1
  func makeEmpty() -> any JournalFold { EmptyFold() }
  func canLoad(version: UInt32) -> Bool { true }
  func allRows() -> [StateChange] { [] }
  func reset() {}
  func load(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {}
  func apply(_ record: Record) {}
  func drainChanges() -> [StateChange] { [] }
}
