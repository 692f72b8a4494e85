// What delivery reads from a real journal.

internal import Evidence
internal import Foundation
internal import Journal
internal import OpenSSL
internal import Simulation
internal import Testing

@testable internal import Replicator

@Suite struct `What delivery reads` {
  private static let coding = DeliveryCoding(
    rejection: { _, _ in [] }, isRejection: { _ in false }, conflict: { _, _, _ in [] },
    isUrgent: { $0.first == 0xA1 },
    restoration: { end, reason in Array("\(end): \(reason)".utf8) })

  /// A restored backup is known by the first record of the epoch that follows, and that epoch is behind all of the hub's.
  @Test func `begins, after the journal was put back, with a record that says so`() async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("printtrail-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let journal = try Journal.open(JournalConfiguration(directory: directory.path))
    try await journal.append([[1], [2]])
    let head = try await JournalSource(journal, coding: Self.coding).beginEpoch(reason: "the hub holds more", beyond: 3)
    #expect(head == RecordPosition(epoch: 4, sequence: 1))
    #expect(try journal.reader.head() == head)
    #expect(try journal.reader.record(at: head)?.payload == Array("1/2: the hub holds more".utf8))
    #expect(
      try journal.reader.epochs().map { $0.reason } == ["created"] + Array(repeating: "the hub holds more", count: 3))
    await journal.close()
  }

  /// Whoever sent it would have the hub refuse it for its hash, and nobody would know that the journal is damaged.
  @Test func `is as it was recorded, or damage that ends the agent's run`() async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("printtrail-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let payload = [UInt8](repeating: 0xA7, count: 300)
    do {
      let journal = try Journal.open(JournalConfiguration(directory: directory.path))
      try await journal.append([[1], payload, [3]])
      let run = try await JournalSource(journal, coding: Self.coding).records(
        from: RecordPosition(epoch: 1, sequence: 1), recordsMax: 10, bytesMax: 10_000)
      #expect(run.records.map(\.payload) == [[1], payload, [3]])
      await journal.close()
    }
    let file = directory.appendingPathComponent("data.mdb")
    var bytes = try Data(contentsOf: file)
    var from = bytes.startIndex
    while let place = bytes.range(of: Data(payload), in: from..<bytes.endIndex) {
      bytes[place.lowerBound + 150] ^= 4
      from = place.upperBound
    }
    try bytes.write(to: file)
    let journal = try Journal.open(JournalConfiguration(directory: directory.path))
    let error = await #expect(throws: JournalError.self) {
      try await JournalSource(journal, coding: Self.coding).records(
        from: RecordPosition(epoch: 1, sequence: 1), recordsMax: 10, bytesMax: 10_000)
    }
    #expect(error.flatMap { JournalError.damagedDirectory(of: $0) } == directory.path, "\(String(describing: error))")
    #expect(error.map { "\($0)" }?.contains("1/2") == true)
    await journal.close()
  }

  @Test func `what should not wait is found among what was appended, the newest where there is much`() async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("printtrail-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let journal = try Journal.open(JournalConfiguration(directory: directory.path))
    let source = JournalSource(journal, coding: Self.coding)
    func urgent(_ after: UInt64, _ head: UInt64) async throws -> [UInt64] {
      try await source.urgentRecords(
        after: RecordPosition(epoch: 1, sequence: after), through: RecordPosition(epoch: 1, sequence: head)
      ).map(\.position.sequence)
    }
    try await journal.append([[1], [0xA1, 2], [3], [0xA1, 4]])
    #expect(try await urgent(0, 4) == [2, 4])
    #expect(try await urgent(2, 4) == [4])
    #expect(try await urgent(0, 3) == [2])
    #expect(try await urgent(4, 4) == [])
    let found = try await source.urgentRecords(after: .start, through: RecordPosition(epoch: 1, sequence: 2))
    let record = try #require(try journal.reader.record(at: RecordPosition(epoch: 1, sequence: 2)))
    #expect(found.first?.record == DeliveryRecord(time: record.time, hash: record.leafHash.bytes, payload: [0xA1, 2]))
    try await journal.append(Array(repeating: [0xA1], count: FastLane.waitingMax + 10))
    let all = try await urgent(0, UInt64(FastLane.waitingMax + 14))
    #expect(all.count == FastLane.waitingMax && all.last == UInt64(FastLane.waitingMax + 14))
    // Of another epoch than the one that was looked through, it begins anew.
    try await journal.openEpoch(reason: "test")
    try await journal.append([[0xA1]])
    let next = try await source.urgentRecords(
      after: RecordPosition(epoch: 1, sequence: 9), through: RecordPosition(epoch: 2, sequence: 1))
    #expect(next.map(\.position) == [RecordPosition(epoch: 2, sequence: 1)])
    await journal.close()
  }

  @Test func `the rejection of a rejection's report is not appended`() async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("printtrail-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let journal = try Journal.open(JournalConfiguration(directory: directory.path))
    let coding = DeliveryCoding(
      rejection: { _, _ in [0xEE] }, isRejection: { $0.first == 0xEE }, conflict: { _, _, _ in [] },
      isUrgent: { _ in false }, restoration: { _, _ in [] })
    let source = JournalSource(journal, coding: coding)
    try await journal.append([[1], [0xEE]])
    try await source.appendRejection(of: RecordPosition(epoch: 1, sequence: 2), reason: "no")
    #expect(try journal.reader.head().sequence == 2)
    try await source.appendRejection(of: RecordPosition(epoch: 1, sequence: 1), reason: "no")
    #expect(try journal.reader.record(at: RecordPosition(epoch: 1, sequence: 3))?.payload == [0xEE])
    await journal.close()
  }
}
