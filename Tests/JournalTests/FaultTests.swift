// Failing system calls under an open journal.

internal import Evidence
internal import LMDB
internal import Simulation
internal import Testing

@testable internal import Journal

@Suite struct `A write that fails` {
  private let directory: TemporaryDirectory
  private let fold = CountingFold()
  private let journal: Journal

  init() throws {
    directory = try TemporaryDirectory()
    journal = try Journal.open(JournalConfiguration(directory: directory.journal), fold: fold)
    try journal.appendBlocking([[1], [2], [3]])
  }

  private func expectWhole(records: [[UInt8]]) throws {
    #expect(try journal.reader.allRecords().map(\.payload) == records)
    #expect(try JournalVerifier(journal.reader).verify().isSound)
    #expect(fold.digest == CountingFold.over(try journal.reader.allRecords()).digest)
    #expect(try journal.reader.snapshot().stateDigest == fold.digest)
  }

  @Test func `to a page is told every time, changes nothing, and is over when its cause is`() async throws {
    let broken = try BrokenWrites(.pages, in: directory.journal)
    for _ in 0..<2 {
      await #expect(throws: JournalError.self) { try await journal.append([[9]]) }
      await #expect(throws: JournalError.self) { try await journal.moveCursor("hub", to: at(1, 1)) }
    }
    #expect(try journal.reader.allRecords().count == 3)
    #expect(try journal.cursor("hub") == nil)
    broken.mend()
    #expect(try await journal.append([[4]]) == [at(1, 4)])
    try expectWhole(records: [[1], [2], [3], [4]])
    await journal.close()
  }

  @Test func `to the meta page is told, and the journal opens its files again by itself`() async throws {
    _ = try BrokenWrites(.meta, in: directory.journal)
    await #expect(throws: JournalError.self) { try await journal.append([[9]]) }
    #expect(try await journal.append([[4]]) == [at(1, 4)])
    try expectWhole(records: [[1], [2], [3], [4]])
    await journal.close()
  }

  @Test func `to the meta page while somebody reads waits for the reader`() async throws {
    _ = try BrokenWrites(.meta, in: directory.journal)
    try journal.reader.reading { _ in
      _ = #expect(throws: JournalError.self) { try journal.appendBlocking([[9]]) }
    }
    #expect(try await journal.append([[4]]) == [at(1, 4)])
    try expectWhole(records: [[1], [2], [3], [4]])
    await journal.close()
  }
}
