internal import Evidence
internal import Testing

@testable internal import Journal

@Suite struct `A reader` {
  private let directory: TemporaryDirectory
  private let journal: Journal

  init() throws {
    directory = try TemporaryDirectory()
    journal = try Journal.open(JournalConfiguration(directory: directory.journal), fold: CountingFold())
    for _ in 0..<3 { try journal.appendBlocking((0..<3_000).map { [UInt8(truncatingIfNeeded: $0)] }) }
  }

  private func sequences(
    from first: RecordPosition = .start, through last: RecordPosition = .end, limit: Int = .max
  ) throws -> [UInt64] {
    var scanned: [UInt64] = []
    try journal.reader.scan(from: first, through: last, limit: limit) {
      scanned.append($0.position.sequence)
      return true
    }
    var copied: [UInt64] = []
    var batches = journal.reader.batches(from: first, through: last, limit: limit)
    while let batch = try batches.nextBatch() { copied += batch.map(\.position.sequence) }
    #expect(copied == scanned)
    return scanned
  }

  @Test func `gets exactly the range and number asked for, over several transactions`() async throws {
    #expect(try sequences() == Array(1...9_000))
    #expect(try sequences(from: at(1, 4_000), through: at(1, 8_500)) == Array(4_000...8_500))
    #expect(try sequences(from: at(1, 2), limit: 5_000) == Array(2...5_001))
    #expect(try sequences(from: at(1, 9_001)) == [])
    #expect(try sequences(through: at(1, 0)) == [])
    #expect(try sequences(limit: 0) == [])
    #expect(try sequences(limit: JournalLimits.portionRecordsMax).count == JournalLimits.portionRecordsMax)
    #expect(try sequences(limit: JournalLimits.portionRecordsFirst).count == JournalLimits.portionRecordsFirst)
    await journal.close()
  }

  @Test func `that stops is not called again`() async throws {
    var calls = 0
    try journal.reader.scan { _ in
      calls += 1
      return calls < 4_500
    }
    #expect(calls == 4_500)
    await journal.close()
  }

  @Test func `may read again while records are lent to it`() async throws {
    var looked = 0
    try journal.reader.scan(limit: 3) { view in
      let found = try journal.reader.record(at: view.position)
      #expect(found == view.record)
      looked += 1
      return true
    }
    #expect(looked == 3)
    await journal.close()
  }

  @Test func `is told when there are records after a position`() async throws {
    let reader = journal.reader
    let told = Task { try await reader.waitForRecords(after: at(1, 9_000), lookingEvery: .milliseconds(1)) }
    try await journal.append([[1]])
    #expect(try await told.value == at(1, 9_001))
    #expect(try await journal.reader.waitForRecords(after: at(1, 8_999)) == at(1, 9_001))
    let waiting = Task { try await reader.waitForRecords(after: at(1, 9_001)) }
    waiting.cancel()
    let result = await waiting.result
    #expect(throws: CancellationError.self) { try result.get() }
    await journal.close()
  }

  @Test func `measures records, epochs, cursors, bytes and readers`() async throws {
    try await journal.moveCursor("hub", to: at(1, 7))
    try await journal.openEpoch(reason: "test")
    let statistics = try journal.reader.statistics()
    #expect(statistics.records == 9_000)
    #expect(statistics.epochs == 2)
    #expect(statistics.head == at(2, 0))
    #expect(statistics.cursors == [JournalCursor(name: "hub", position: at(1, 7))])
    #expect(statistics.usedBytes > 9_000 * 65)
    #expect(statistics.usedBytes <= statistics.fileBytes)
    #expect(statistics.allocatedBytes >= statistics.usedBytes)
    #expect(statistics.mapBytes == JournalLimits.mapBytesDefault)
    #expect(statistics.readers >= 1)
    await journal.close()
  }

  @Test func `sees the state's rows in order, as the digest takes them`() async throws {
    var digest = StateDigest()
    try journal.reader.scanState { digest.add(key: $0, value: $1) }
    let snapshot = try journal.reader.snapshot()
    #expect(snapshot.stateDigest == digest.digest)
    #expect(snapshot.stateRows == 255)
    #expect(snapshot.head == at(1, 9_000))
    #expect(snapshot.root == (try journal.reader.frontier(epoch: 1).root))
    await journal.close()
  }

  @Test func `opened beside the writer sees what it appends, and goes on after it closed`() async throws {
    let beside = try JournalReader.open(directory: directory.journal)
    try await journal.append([[1]])
    #expect(try beside.head() == at(1, 9_001))
    await journal.close()
    #expect(try beside.head() == at(1, 9_001))
    #expect(try JournalVerifier(beside).verify().isSound)
  }
}
