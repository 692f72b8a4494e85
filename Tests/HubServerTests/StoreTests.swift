internal import Evidence
internal import FoundationEssentials
internal import HubDatabase
internal import HubProtocol
@testable internal import HubServer
internal import OpenSSL
internal import Testing

@Suite struct StoreTests {
  private let now = TestStore.now

  private func loss(_ range: ClosedRange<UInt64>, _ install: Install) throws -> Append {
    var lost = Printtrail_Dcam_V1_Lost()
    (lost.epoch, lost.firstSequence, lost.lastSequence) = (1, range.lowerBound, range.upperBound)
    return try BatchCheck.append(lost, install: install.number)
  }

  private func append(_ batch: Printtrail_Dcam_V1_Batch, _ install: Install) throws -> Append {
    try #require(try BatchCheck.append(batch, install: install.number))
  }

  private func stored(_ outcome: AppendOutcome?) throws -> StoredAppend {
    guard case .stored(let stored)? = outcome else {
      Issue.record("not stored: \(String(describing: outcome))")
      throw HubError(.notFound, "not stored")
    }
    return stored
  }

  @Test(arguments: TestDatabase.all)
  func `what was appended is there after a restart, with the journal's own root`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    journal.append(1_234)
    let install = try await test.install(journal: journal)
    for first in stride(from: 1, through: 1_234, by: 100) {
      let batch = journal.batch(first...min(first + 99, 1_234))
      let outcome = try await test.store.append([try append(batch, install)], now: now).first
      #expect(try stored(outcome).held == UInt64(min(first + 99, 1_234)))
    }

    let reopened = try test.reopened()
    #expect(try await reopened.holdings(of: install.number) == [Holding(epoch: 1, sequence: 1_234)])
    let summary = try #require(try await reopened.summaries(of: install.number).first)
    #expect(summary.count == 1_234 && summary.minSequence == 1 && summary.maxSequence == 1_234 && summary.gaps == 0)
    #expect(summary.root == journal.frontier.root)
    #expect(summary.agrees)
  }

  @Test(arguments: TestDatabase.all)
  func `the same batch twice is stored once and acknowledged twice`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    journal.append(10)
    let install = try await test.install(journal: journal)
    let batch = try append(journal.batch(1...10), install)
    let first = try stored(try await test.store.append([batch], now: now).first)
    let second = try stored(try await test.store.append([batch], now: now).first)
    #expect(first.appended == 10 && first.duplicates == 0 && first.held == 10)
    #expect(second.appended == 0 && second.duplicates == 10 && second.held == 10)
    #expect(second.conflicts.isEmpty && second.rejections.isEmpty)
    #expect(try await test.store.summaries(of: install.number).first?.count == 10)
  }

  @Test(arguments: TestDatabase.all)
  func `a batch that overlaps adds only what is new`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    journal.append(20)
    let install = try await test.install(journal: journal)
    let outcomes = try await test.store.append(
      [try append(journal.batch(1...12), install), try append(journal.batch(8...20), install)], now: now)
    #expect(try stored(outcomes[1]).duplicates == 5)
    #expect(try stored(outcomes[1]).held == 20)
    #expect(try await test.store.summaries(of: install.number).first?.root == journal.frontier.root)
  }

  @Test(arguments: TestDatabase.all)
  func `a gap stores nothing and leaves the neighbours of its transaction alone`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    journal.append(20)
    let (first, second) = (try await test.install(1), try await test.install(2))
    let outcomes = try await test.store.append(
      [try append(journal.batch(3...20), first), try append(journal.batch(1...20), second)], now: now)
    #expect(outcomes[0] == .gap(held: 0))
    #expect(try stored(outcomes[1]).held == 20)
    #expect(try await test.store.holdings(of: first.number).isEmpty)
  }

  @Test(arguments: TestDatabase.all)
  func `what an agent lost is noted in its place, and nothing that is held is given up`(database: TestDatabase)
    async throws
  {
    let test = try TestStore(database)
    var journal = try TestJournal()
    journal.append(30)
    let install = try await test.install(journal: journal)
    let appends = [
      try append(journal.batch(1...10), install), try loss(6...20, install),
      try append(journal.batch(21...30), install),
    ]
    // Twice: what was told before is told again after a stream that was cut.
    for round in 1...2 {
      let outcomes = try await test.store.append(appends, now: now)
      #expect(try stored(outcomes[1]).held == (round == 1 ? 20 : 30))
      #expect(try stored(outcomes[2]).held == 30)
    }
    let summary = try #require(try await test.store.summaries(of: install.number).first)
    #expect(summary.held == 30 && summary.count == 20 && summary.lost == 10 && summary.gaps == 0 && summary.agrees)
    #expect(try await test.store.records(of: install.number, epoch: 1, sequence: 7).map(\.kind) == [.accepted])
    #expect(try await test.store.append([try loss(32...40, install)], now: now) == [.gap(held: 30)])
    // A record for a place that was given up is kept, and is a conflict.
    let late = try stored(try await test.store.append([try append(journal.batch(15...15), install)], now: now).first)
    #expect(late.conflicts.map(\.sequence) == [15] && late.held == 30)
  }

  @Test(arguments: TestDatabase.all)
  func `a loss of absurd size costs nothing`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    let install = try await test.install(1)
    let outcome = try stored(
      try await test.store.append([try loss(1...HubLimits.sequenceMax, install)], now: now).first)
    #expect(outcome.held == HubLimits.sequenceMax)
    #expect(throws: BatchCheck.Violation.self) { try loss(1...UInt64.max, install) }
  }

  @Test(arguments: TestDatabase.all)
  func `one identity with two hashes keeps both and tells which was first`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    journal.append(5)
    let install = try await test.install(journal: journal)
    _ = try await test.store.append([try append(journal.batch(1...5), install)], now: now)
    let other = TestJournal.batch(1, first: 3, [TestJournal.record(1, 3, "another event 3")])
    for _ in 1...2 {
      let outcome = try stored(try await test.store.append([try append(other, install)], now: now).first)
      #expect(
        outcome.conflicts == [
          ConflictingRecord(sequence: 3, heldHash: try #require(Digest(bytes: journal.records[2].hash)))
        ])
      #expect(outcome.held == 5)
    }
    let held = try await test.store.records(of: install.number, epoch: 1, sequence: 3)
    #expect(held.map(\.kind) == [.accepted, .conflicting])
    #expect(held.map(\.payload) == [Data("event 3 of epoch 1".utf8), Data("another event 3".utf8)])
    let summary = try #require(try await test.store.summaries(of: install.number).first)
    #expect(summary.conflicts == 1 && summary.root == journal.frontier.root)
  }

  @Test(arguments: TestDatabase.all)
  func `a record whose bytes were changed is rejected, and the tree still is the journal's`(database: TestDatabase)
    async throws
  {
    let test = try TestStore(database)
    var journal = try TestJournal()
    journal.append(6)
    let install = try await test.install(journal: journal)
    var batch = journal.batch(1...6)
    batch.records[3].payload = Data("changed".utf8)
    for _ in 1...2 {
      let outcome = try stored(try await test.store.append([try append(batch, install)], now: now).first)
      #expect(outcome.rejections.map(\.sequence) == [4])
      #expect(outcome.rejections.first?.reason.contains("hash") == true)
      #expect(outcome.held == 6)
    }
    let summary = try #require(try await test.store.summaries(of: install.number).first)
    #expect(summary.count == 5 && summary.rejections == 1 && summary.gaps == 0 && summary.maxSequence == 6)
    #expect(summary.root == journal.frontier.root && summary.agrees)
    #expect(try await test.store.records(of: install.number, epoch: 1, sequence: 4).map(\.kind) == [.rejected])
  }

  @Test(arguments: TestDatabase.all)
  func `epochs are trees of their own`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    journal.append(3)
    var later = journal.nextEpoch()
    later.append(4)
    let install = try await test.install(journal: journal)
    _ = try await test.store.append(
      [try append(journal.batch(1...3), install), try append(later.batch(1...4), install)], now: now)
    let summaries = try await test.store.summaries(of: install.number)
    #expect(summaries.map(\.root) == [journal.frontier.root, later.frontier.root])
    #expect(
      try await test.store.holdings(of: install.number) == [
        Holding(epoch: 1, sequence: 3), Holding(epoch: 2, sequence: 4),
      ])
  }

  @Test(arguments: TestDatabase.all)
  func `more epochs than a sound journal has are refused`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    let install = try await test.install()
    let appends = try (1...HubLimits.epochsMax + 1).map { epoch in
      try append(TestJournal.batch(UInt32(epoch), first: 1, [TestJournal.record(UInt32(epoch), 1, "x")]), install)
    }
    let outcomes = try await test.store.append(appends, now: now)
    #expect(outcomes.count { $0 == .tooManyEpochs } == 1)
    #expect(outcomes.last == .tooManyEpochs)
  }

  @Test(arguments: TestDatabase.all)
  func `a revoked install stores nothing more`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    journal.append(2)
    let install = try await test.install(journal: journal)
    _ = try await test.store.append([try append(journal.batch(1...1), install)], now: now)
    try await test.store.revokeInstall(id: install.id, now: now)
    #expect(try await test.store.append([try append(journal.batch(2...2), install)], now: now) == [.revoked])
    #expect(try await test.store.holdings(of: install.number) == [Holding(epoch: 1, sequence: 1)])
  }

  @Test(arguments: TestDatabase.all)
  func `a damaged frontier stops appends instead of being built upon`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    journal.append(2)
    let install = try await test.install(journal: journal)
    _ = try await test.store.append([try append(journal.batch(1...1), install)], now: now)
    try await test.store.write { try $0.execute("UPDATE journal SET frontier = ?", [0, 0] as [UInt8]) }
    let next = try append(journal.batch(2...2), install)
    await #expect(throws: HubError.self) { try await test.store.append([next], now: now) }
    #expect(try await test.store.summaries(of: install.number).first?.agrees == false)
  }

  @Test(arguments: TestDatabase.all)
  func `a record that is missing from the rows shows as a gap`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    journal.append(5)
    let install = try await test.install(journal: journal)
    _ = try await test.store.append([try append(journal.batch(1...5), install)], now: now)
    try await test.store.write { try $0.execute("DELETE FROM record WHERE sequence IN (2, 5)") }
    let summary = try #require(try await test.store.summaries(of: install.number).first)
    #expect(summary.gaps == 2)
    #expect(!summary.agrees)
  }

  // MARK: Checkpoints

  private func keep(_ sealed: Printtrail_Dcam_V1_SealedCheckpoint, _ install: Install, _ test: TestStore) async throws
    -> CheckpointOutcome
  {
    try await test.store.keep(
      DeliveredCheckpoint(install: install, epoch: sealed.epoch, sequence: sealed.sequence, note: sealed.note), now: now
    )
  }

  @Test(arguments: TestDatabase.all)
  func `checkpoints at the head and behind it are verified against the hub's own tree`(database: TestDatabase)
    async throws
  {
    let test = try TestStore(database)
    var journal = try TestJournal()
    journal.append(50)
    let install = try await test.install(journal: journal)
    _ = try await test.store.append([try append(journal.batch(1...50), install)], now: now)
    for size in [17, 50, 33] {
      #expect(try await keep(try journal.checkpoint(at: size), install, test) == .verified)
    }
    #expect(try await test.store.summaries(of: install.number).first?.checkpointsVerified == 3)
  }

  @Test(arguments: TestDatabase.all)
  func `a checkpoint over records that the hub does not hold is ahead`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    journal.append(5)
    let install = try await test.install(journal: journal)
    _ = try await test.store.append([try append(journal.batch(1...3), install)], now: now)
    #expect(try await keep(try journal.checkpoint(at: 5), install, test) == .ahead(held: 3))
  }

  @Test(arguments: TestDatabase.all)
  func `a checkpoint of another key, another root or another epoch is refused and kept`(database: TestDatabase)
    async throws
  {
    let test = try TestStore(database)
    var journal = try TestJournal()
    journal.append(5)
    let install = try await test.install(journal: journal)
    _ = try await test.store.append([try append(journal.batch(1...5), install)], now: now)
    var otherEpoch = try journal.checkpoint(at: 0)
    otherEpoch.epoch = 2
    var garbage = try journal.checkpoint(at: 5)
    garbage.note = "no note at all"
    for wrong in [
      try journal.checkpoint(at: 5, signer: try Ed25519PrivateKey()), try journal.checkpoint(at: 5, root: .zero),
      otherEpoch, garbage,
    ] {
      guard case .refused(let reason) = try await keep(wrong, install, test) else {
        Issue.record("accepted: \(wrong.note)")
        continue
      }
      #expect(reason.hasPrefix("Checkpoint not verified:"))
    }
    #expect(try await test.store.summaries(of: install.number).first?.checkpointsRefused == 3)
  }

  // MARK: Opening

  @Test(arguments: TestDatabase.all)
  func `a database of a newer pthub is refused`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    let applied = database == .sqlite ? "grdb_migrations (identifier)" : "migration (name)"
    try await test.store.write { try $0.execute("INSERT INTO \(applied) VALUES ('v99')") }
    #expect(
      throws: HubError(
        .configuration,
        "\(test.store.database.place) was written by a newer pthub. Install that version or a later one.")
    ) {
      _ = try test.reopened()
    }
  }

  @Test func `a file that is no database is refused with the remedy`() throws {
    let directory = try TestDirectory()
    let path = directory.path + "/hub.sqlite"
    try SecretFile.write([UInt8](repeating: 0x41, count: 4_096), to: path)
    let error = #expect(throws: HubError.self) { _ = try SQLStore(at: path) }
    #expect(error?.kind == .configuration)
  }
}
