internal import Evidence
internal import OpenSSL
internal import Testing

@testable internal import Journal

@Suite struct `Appending` {
  private let directory: TemporaryDirectory
  private let configuration: JournalConfiguration
  private let clock = HandClock()

  init() throws {
    directory = try TemporaryDirectory()
    var configuration = JournalConfiguration(directory: directory.journal)
    configuration.clock = clock.clock
    self.configuration = configuration
  }

  @Test func `gives positions without a gap, from 1`() async throws {
    let journal = try Journal.open(configuration)
    #expect(try journal.reader.head() == at(1, 0))
    #expect(try await journal.append([[1], [2]]) == [at(1, 1), at(1, 2)])
    #expect(try await journal.append([]) == [])
    #expect(try journal.appendBlocking([[3]]) == [at(1, 3)])
    #expect(try journal.reader.head() == at(1, 3))
    await journal.close()
  }

  @Test func `keeps payloads of every size as they are`() async throws {
    let journal = try Journal.open(configuration)
    let payloads = [0, 1, 300, 1_975, 1_976, 1_977, 5_000, JournalLimits.payloadBytesMax].map {
      [UInt8](repeating: UInt8(truncatingIfNeeded: $0), count: $0)
    }
    try await journal.append(payloads)
    #expect(try journal.reader.allRecords().map(\.payload) == payloads)
    #expect(try journal.reader.record(at: at(1, 3))?.payload.count == 300)
    #expect(try journal.reader.record(at: at(1, 9)) == nil)
    #expect(try JournalVerifier(journal.reader).verify().isSound)
    await journal.close()
  }

  @Test func `stamps the time of the commit`() async throws {
    let journal = try Journal.open(configuration)
    try await journal.append([[1]])
    clock.turn(by: .seconds(2))
    try await journal.append([[2]])
    #expect(try journal.reader.allRecords().map(\.time) == [1_700_000_000_000_000_000, 1_700_000_002_000_000_000])
    await journal.close()
  }

  @Test func `of many tasks at once loses none, and keeps each call's records together`() async throws {
    let journal = try Journal.open(configuration)
    try await withThrowingTaskGroup(of: [RecordPosition].self) { group in
      for task in UInt8(0)..<50 {
        group.addTask { try await journal.append((0..<5).map { [task, $0] }) }
      }
      for try await positions in group {
        #expect(positions.map(\.sequence) == Array(positions[0].sequence..<positions[0].sequence + 5))
      }
    }
    let records = try journal.reader.allRecords()
    #expect(records.map(\.position.sequence) == Array(1...250))
    for start in stride(from: 0, to: 250, by: 5) {
      let group = records[start..<start + 5].map(\.payload)
      #expect(group == (0..<5).map { [group[0][0], $0] })
    }
    await journal.close()
  }

  @Test func `packs eleven records of 300 bytes into a page`() async throws {
    let journal = try Journal.open(configuration)
    try await journal.append([[UInt8]](repeating: [UInt8](repeating: 7, count: 300), count: 1_100))
    let statistics = try journal.reader.statistics()
    #expect(statistics.pageBytes == 4_096)
    #expect(statistics.recordPages == 100)
    await journal.close()
  }

  @Test func `to a closed journal is refused`() async throws {
    let journal = try Journal.open(configuration)
    await journal.close()
    await #expect(throws: JournalError.closed) { try await journal.append([[1]]) }
    #expect(throws: JournalError.closed) { try journal.appendBlocking([[1]]) }
  }

  @Test func `of a cancelled task records nothing`() async throws {
    let journal = try Journal.open(configuration)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await journal.append([[1]])
    }
    let result = await task.result
    #expect(throws: JournalError.cancelled) { try result.get() }
    #expect(try journal.reader.head() == at(1, 0))
    await journal.close()
  }

  @Test func `signs a checkpoint after so many records, after so long, and at the end`() async throws {
    var configuration = configuration
    configuration.checkpointRecords = 10
    configuration.checkpointInterval = .seconds(900)
    let journal = try Journal.open(configuration)
    func sizes() throws -> [UInt64] { try journal.reader.checkpoints().map(\.size) }
    try await journal.append([[UInt8]](repeating: [1], count: 9))
    #expect(try sizes() == [])
    try await journal.append([[1]])
    #expect(try sizes() == [10])
    clock.turn(by: .seconds(899))
    try await journal.append([[1]])
    #expect(try sizes() == [10])
    clock.turn(by: .seconds(1))
    try await journal.append([[1]])
    #expect(try sizes() == [10, 12])
    try await journal.append([[1]])
    await journal.close()
    #expect(try sizes() == [10, 12, 13])
    let last = try #require(try journal.reader.lastCheckpoint(epoch: 1))
    let note = try SignedNote(bytes: last.note)
    try note.verify([try journal.identity.verifier(epoch: 1)])
    #expect(try Checkpoint(text: note.text).root == journal.reader.frontier(epoch: 1).root)
  }

  @Test func `after a new epoch starts at 1 again, behind a checkpoint of the old one`() async throws {
    let journal = try Journal.open(configuration)
    try await journal.append([[1], [2]])
    #expect(try await journal.openEpoch(reason: "restored from a backup") == 2)
    #expect(try journal.reader.head() == at(2, 0))
    #expect(try await journal.append([[3]]) == [at(2, 1)])
    #expect(try journal.reader.checkpoints().map { at($0.epoch, $0.size) } == [at(1, 2)])
    let epochs = try journal.reader.epochs()
    #expect(epochs.map(\.number) == [1, 2])
    #expect(epochs.map(\.reason) == ["created", "restored from a backup"])
    #expect(try JournalVerifier(journal.reader).verify().isSound)
    await journal.close()
  }

  @Test func `begins a new epoch with records, or does neither`() async throws {
    let journal = try Journal.open(configuration)
    try await journal.append([[1]])
    #expect(try await journal.openEpoch(reason: "restored", with: [[2], [3]]) == 2)
    #expect(try journal.reader.head() == at(2, 2))
    #expect(try journal.reader.record(at: at(2, 1))?.payload == [2])
    await #expect(throws: JournalError.self) {
      try await journal.openEpoch(
        reason: "too much", with: [[4], [UInt8](repeating: 0, count: JournalLimits.payloadBytesMax + 1)])
    }
    #expect(try journal.reader.head() == at(2, 2))
    #expect(try JournalVerifier(journal.reader).verify().isSound)
    await journal.close()
  }

  @Test func `takes a countersignature of a stored checkpoint, and of nothing else`() async throws {
    let journal = try Journal.open(configuration)
    try await journal.append([[1]])
    try await journal.checkpoint()
    let hub = SignerKey(name: try NoteKeyName("hub.example/dcam"), privateKey: try .init())
    let stored = try #require(try journal.reader.lastCheckpoint(epoch: 1))
    var note = try SignedNote(bytes: stored.note)
    try note.sign(by: hub)
    try await journal.storeCountersignature(note, by: hub.verifier)
    let signed = try SignedNote(bytes: try #require(try journal.reader.lastCheckpoint(epoch: 1)).note)
    #expect(try signed.verify([hub.verifier, journal.identity.verifier(epoch: 1)]).count == 2)
    #expect(try JournalVerifier(journal.reader).verify().isSound)

    let stranger = SignerKey(name: hub.verifier.name, privateKey: try .init())
    let foreign = Checkpoint(
      origin: journal.identity.origin(epoch: 1), size: 1, root: .zero, sealed: 0)
    for (note, key) in [
      (note, stranger.verifier), (try foreign.signed(by: hub), hub.verifier),
      (try SignedNote(text: "another text\n", signer: hub), hub.verifier),
    ] {
      await #expect(throws: JournalError.self) { try await journal.storeCountersignature(note, by: key) }
    }
    await journal.close()
  }
}
