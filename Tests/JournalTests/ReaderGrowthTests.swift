// What readers cost the writer: pages that were freed while a reading transaction is open are not used again, so that the file
// grows. Slow readers must not hold one open, and killed ones must not go on doing so.

internal import Evidence
internal import Foundation
internal import Glibc
internal import LMDB
internal import TestPrograms
internal import Testing

@testable internal import Journal

@Suite struct `The file does not grow` {
  /// What a slow reader may cost, whatever it does.
  private static let growthMax = 1 << 20
  private static let commits = 3_000
  private static let recordsBefore = 3_000

  private let directory: TemporaryDirectory
  private let journal: Journal

  init() throws {
    directory = try TemporaryDirectory(isFast: true)
    journal = try Self.open(directory)
  }

  /// A journal with records, and a state of which each commit changes some.
  private static func open(_ directory: TemporaryDirectory) throws -> Journal {
    let journal = try Journal.open(JournalConfiguration(directory: directory.journal), fold: CountingFold())
    try journal.appendBlocking((0..<recordsBefore).map { payload($0) })
    return journal
  }

  private static func payload(_ number: Int) -> [UInt8] {
    [UInt8](repeating: UInt8(truncatingIfNeeded: number % 250), count: 300)
  }

  private static func commit(_ count: Int, to journal: Journal) throws {
    for number in 0..<count { try journal.appendBlocking([payload(number)]) }
  }

  private func fileBytes() throws -> Int { try journal.reader.statistics().fileBytes }

  /// How long the file gets by the same commits without any reader.
  private static func bytesWithoutReader() throws -> Int {
    let directory = try TemporaryDirectory(isFast: true)
    let journal = try open(directory)
    try commit(commits, to: journal)
    return try journal.reader.statistics().fileBytes
  }

  private func expectLittleGrowth(_ sourceLocation: SourceLocation = #_sourceLocation) throws {
    let growth = try fileBytes() - Self.bytesWithoutReader()
    #expect(growth <= Self.growthMax, "\(growth) bytes more than without a reader", sourceLocation: sourceLocation)
  }

  @Test func `by a scan whose closure takes as long as 3,000 commits`() async throws {
    var lent = 0
    try journal.reader.scan(limit: Self.recordsBefore) { _ in
      try Self.commit(Self.commits / Self.recordsBefore, to: journal)
      lent += 1
      return true
    }
    #expect(lent == Self.recordsBefore)
    try expectLittleGrowth()
    await journal.close()
  }

  @Test func `by batches between which there are 3,000 commits`() async throws {
    var (batches, count) = (journal.reader.batches(limit: Self.recordsBefore), 0)
    while try batches.nextBatch() != nil {
      try Self.commit(Self.commits / 4, to: journal)
      count += 1
    }
    try Self.commit(Self.commits - count * Self.commits / 4, to: journal)
    try expectLittleGrowth()
    await journal.close()
  }

  @Test(.enabled(if: Child.programs != nil, "needs the built programs: run tools/test"))
  func `by an export whose output is read slowly during 3,000 commits`() async throws {
    let export = try Child("ptjournal", ["export", directory.journal])
    var read = 0
    for _ in 0..<Self.commits / 10 {
      // A line has 700 bytes; a pipe takes 65,536 and then the export waits.
      read += export.read(1_000)
      try Self.commit(10, to: journal)
    }
    #expect(read == 1_000 * Self.commits / 10, "the export ended early")
    try expectLittleGrowth()
    export.kill()
    await journal.close()
  }

  @Test(.enabled(if: Child.programs != nil, "needs the built programs: run tools/test"))
  func `any more once a reader is killed, while the journal stays open`() async throws {
    func moveCursor(_ sequences: ClosedRange<UInt64>) async throws {
      for sequence in sequences { try await journal.moveCursor("reader", to: at(1, sequence)) }
    }
    try await moveCursor(1...100)
    let before = try fileBytes()
    let reader = try Child("ptbench", ["hold-reader", directory.journal])
    #expect(reader.read(8) == 8)
    try await moveCursor(101...400)
    let held = try fileBytes()
    #expect(held > before + 1 << 20, "a reader that holds on makes the file grow: else this test shows nothing")
    reader.kill()
    try await moveCursor(401...401 + UInt64(JournalLimits.readerCheckCommits))
    let after = try fileBytes()
    try await moveCursor(500...2_900)
    #expect(try fileBytes() == after, "the file stopped growing")
    await journal.close()
  }

  @Test(.enabled(if: Child.programs != nil, "needs the built programs: run tools/test"))
  func `and a killed reader's slots are given to those who come`() async throws {
    let slots = try journal.reader.store.environment.statistics().readersMax
    // One is its own, while it opens the journal.
    let reader = try Child("ptbench", ["hold-reader", directory.journal, "--transactions", "\(slots)"])
    #expect(reader.read(8) == 8)
    #expect(throws: JournalError.self) { try journal.reader.head() }
    reader.kill()
    #expect(try journal.reader.head() == at(1, UInt64(Self.recordsBefore)))
    await journal.close()
  }

  @Test(.enabled(if: Child.programs != nil, "needs the built programs: run tools/test"))
  func `and a killed reader is forgotten also where nothing is committed`() async throws {
    await journal.close()
    var configuration = JournalConfiguration(directory: directory.journal)
    configuration.readerCheckInterval = .milliseconds(20)
    let journal = try Journal.open(configuration, fold: CountingFold())
    let reader = try Child("ptbench", ["hold-reader", directory.journal])
    #expect(reader.read(8) == 8)
    let environment = journal.reader.store.environment
    #expect(try environment.statistics().readers == 1)
    reader.kill()
    // The writer's thread looks by itself; how soon it runs is the machine's affair.
    let patience = ContinuousClock.now + .seconds(30)
    while try environment.statistics().readers > 0, ContinuousClock.now < patience { await Task.yield() }
    #expect(try environment.statistics().readers == 0)
    await journal.close()
  }
}

/// A built program whose standard output is read as slowly as one likes.
private final class Child {
  /// Where the built programs are.
  static let programs = ProcessInfo.processInfo.environment["PT_BIN"]

  private let process: ChildProgram

  init(_ name: String, _ arguments: [String]) throws {
    process = try ChildProgram(try #require(Self.programs) + "/" + name, arguments, output: .pipe, errors: .inherited)
  }

  /// Reads so many bytes, or fewer where the output ends. Returns how many.
  func read(_ count: Int) -> Int {
    var total = 0
    while total < count, case let bytes = process.read(upTo: count - total), !bytes.isEmpty { total += bytes.count }
    return total
  }

  /// Ends it as a power cut would.
  func kill() { process.kill() }
}
