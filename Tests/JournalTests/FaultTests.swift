// Failing system calls under an open journal. LMDB has two descriptors of data.mdb: one for pages and one, opened with O_DSYNC,
// for the meta pages. Putting a descriptor that cannot be written in the place of one makes exactly those writes fail.

internal import Evidence
internal import Glibc
internal import LMDB
internal import Testing

@testable internal import Journal

@Suite struct `A write that fails` {
  private enum Target { case pages, meta }

  private let directory: TemporaryDirectory
  private let fold = CountingFold()
  private let journal: Journal

  init() throws {
    directory = try TemporaryDirectory()
    journal = try Journal.open(JournalConfiguration(directory: directory.journal), fold: fold)
    try journal.appendBlocking([[1], [2], [3]])
  }

  /// LMDB's descriptor for these writes.
  private func descriptor(_ target: Target) throws -> Int32 {
    for candidate in 3..<1_024 as Range<Int32> {
      var link = [CChar](repeating: 0, count: 4_096)
      let count = readlink("/proc/self/fd/\(candidate)", &link, link.count)
      guard count > 0 else { continue }
      let path = String(decoding: link.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard path == directory.journal + "/data.mdb" else { continue }
      let isForMeta = fcntl(candidate, F_GETFL) & O_DSYNC != 0
      if isForMeta == (target == .meta) { return candidate }
    }
    throw FileFailure(code: ENOENT)
  }

  /// Makes the writes fail; gives the descriptor and a copy of what it was.
  private func breakWrites(_ target: Target) throws -> (broken: Int32, saved: Int32) {
    let descriptor = try descriptor(target)
    let saved = dup(descriptor)
    let unwritable = open("/dev/null", O_RDONLY)
    guard saved >= 0, unwritable >= 0, dup2(unwritable, descriptor) == descriptor else {
      throw FileFailure(code: errno)
    }
    close(unwritable)
    return (descriptor, saved)
  }

  private func expectWhole(records: [[UInt8]]) throws {
    #expect(try journal.reader.allRecords().map(\.payload) == records)
    #expect(try JournalVerifier(journal.reader).verify().isSound)
    #expect(fold.digest == CountingFold.over(try journal.reader.allRecords()).digest)
    #expect(try journal.reader.snapshot().stateDigest == fold.digest)
  }

  @Test func `to a page is told every time, changes nothing, and is over when its cause is`() async throws {
    let (broken, saved) = try breakWrites(.pages)
    for _ in 0..<2 {
      await #expect(throws: JournalError.self) { try await journal.append([[9]]) }
      await #expect(throws: JournalError.self) { try await journal.moveCursor("hub", to: at(1, 1)) }
    }
    #expect(try journal.reader.allRecords().count == 3)
    #expect(try journal.cursor("hub") == nil)
    dup2(saved, broken)
    close(saved)
    #expect(try await journal.append([[4]]) == [at(1, 4)])
    try expectWhole(records: [[1], [2], [3], [4]])
    await journal.close()
  }

  @Test func `to the meta page is told, and the journal opens its files again by itself`() async throws {
    let (_, saved) = try breakWrites(.meta)
    close(saved)
    await #expect(throws: JournalError.self) { try await journal.append([[9]]) }
    #expect(try await journal.append([[4]]) == [at(1, 4)])
    try expectWhole(records: [[1], [2], [3], [4]])
    await journal.close()
  }

  @Test func `to the meta page while somebody reads waits for the reader`() async throws {
    let (_, saved) = try breakWrites(.meta)
    close(saved)
    var looked = 0
    try journal.reader.scan(limit: 1) { _ in
      #expect(throws: JournalError.self) { try journal.appendBlocking([[9]]) }
      looked += 1
      return true
    }
    #expect(looked == 1)
    #expect(try await journal.append([[4]]) == [at(1, 4)])
    try expectWhole(records: [[1], [2], [3], [4]])
    await journal.close()
  }
}
