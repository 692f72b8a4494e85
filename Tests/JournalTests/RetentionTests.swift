// Retention: what may be removed, what stays in its place, and that everything goes on from there.

internal import Evidence
internal import Foundation
internal import LMDB
internal import OpenSSL
internal import Testing

@testable internal import Journal

@Suite struct `Removing old records` {
  private static let cursor = "dcam"
  private let directory: TemporaryDirectory
  private let hub: SignerKey

  private var configuration: JournalConfiguration {
    var configuration = JournalConfiguration(directory: directory.journal)
    configuration.checkpointRecords = 100
    configuration.mapBytes = 1 << 28
    return configuration
  }

  init() throws {
    directory = try TemporaryDirectory()
    hub = SignerKey(name: try NoteKeyName("printtrail.hub/test"), privateKey: try Ed25519PrivateKey())
  }

  private static func payload(_ number: Int) -> [UInt8] {
    [UInt8(number % 7)] + Array("\(number)".utf8) + [UInt8](repeating: 0x5A, count: 150)
  }

  private func append(_ numbers: Range<Int>, to journal: Journal) async throws {
    for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: 50) {
      try await journal.append((start..<min(start + 50, numbers.upperBound)).map { Self.payload($0) })
    }
  }

  /// What a hub does that has everything up to the newest checkpoint.
  @discardableResult
  private func vouch(_ journal: Journal) async throws -> RecordPosition {
    try await journal.checkpoint()
    let head = try journal.reader.head()
    let stored = try #require(try journal.reader.lastCheckpoint(epoch: head.epoch))
    let note = try SignedNote(text: try SignedNote(bytes: stored.note).text, signer: hub)
    try await journal.storeCountersignature(note, by: hub.verifier)
    let position = at(stored.epoch, stored.size)
    try await journal.moveCursor(Self.cursor, to: position)
    return position
  }

  private func prune(_ journal: Journal, through position: RecordPosition, by key: VerifierKey? = nil) async throws {
    try await journal.prune(through: position, countersignedBy: key ?? hub.verifier, acknowledgedBy: Self.cursor)
  }

  private func expectSound(_ journal: Journal, fold: CountingFold, sourceLocation: SourceLocation = #_sourceLocation)
    throws
  {
    let report = try JournalVerifier(journal.reader).verify()
    #expect(report.isSound, "\(report.findings)", sourceLocation: sourceLocation)
    let snapshot = try journal.reader.snapshot()
    #expect(snapshot.stateDigest == fold.digest, sourceLocation: sourceLocation)
    #expect(snapshot.foldPosition == snapshot.head, sourceLocation: sourceLocation)
    // Replay: the snapshot, and what is left.
    let replayed = CountingFold()
    let base = try journal.reader.scanSnapshot { try replayed.load(key: $0, value: $1) }
    let first = base?.position.next ?? .start
    try journal.reader.scan(from: first) { view in
      try? replayed.apply(view.record)
      return true
    }
    #expect(replayed.digest == fold.digest, sourceLocation: sourceLocation)
  }

  @Test func `what was removed is gone, and everything else is as it was`() async throws {
    let fold = CountingFold()
    let journal = try Journal.open(configuration, fold: fold)
    try await append(0..<5_000, to: journal)
    let checkpoint = try await vouch(journal)
    try await append(5_000..<5_300, to: journal)
    let (head, root) = (try journal.reader.head(), try journal.reader.snapshot().root)
    let kept = try journal.reader.record(at: at(1, 5_001))
    try await prune(journal, through: checkpoint)

    #expect(try journal.reader.head() == head && journal.reader.snapshot().root == root)
    #expect(try journal.reader.allRecords().map(\.position.sequence) == Array(5_001...5_300))
    #expect(try journal.reader.record(at: at(1, 5_001)) == kept)
    #expect(try journal.reader.base(epoch: 1).size == 5_000)
    #expect(try journal.reader.epochs().first?.firstSequence == 5_001)
    #expect(try journal.reader.checkpoints().first?.size == 5_000, "the checkpoint that vouches for the base stays")
    for removed in [1, 4_999, 5_000] as [UInt64] {
      #expect(throws: JournalError.removed(through: checkpoint)) { try journal.reader.record(at: at(1, removed)) }
      #expect(throws: JournalError.removed(through: checkpoint)) {
        try journal.reader.scan(from: at(1, removed)) { _ in true }
      }
    }
    try expectSound(journal, fold: fold)
    #expect(try JournalVerifier(journal.reader).verify().removed == [checkpoint])

    // And it goes on, also after an opening, also for a fold of another version, which begins with the snapshot.
    try await append(5_300..<5_400, to: journal)
    await journal.close()
    for version in [1, 2] as [UInt32] {
      let again = CountingFold(version: version)
      let reopened = try Journal.open(configuration, fold: again)
      try await append(0..<10, to: reopened)
      try expectSound(reopened, fold: again)
      #expect(again.applied == (version == 1 ? 10 : 420), "records behind the base are folded, and no others")
      await reopened.close()
    }
  }

  @Test func `nothing is removed that nobody vouches for`() async throws {
    let journal = try Journal.open(configuration, fold: CountingFold())
    try await append(0..<200, to: journal)
    func expectRefusal(_ position: RecordPosition, _ part: String, by key: VerifierKey? = nil) async throws {
      let error = await #expect(throws: JournalError.self) { try await prune(journal, through: position, by: key) }
      #expect(
        "\(String(describing: error))".contains(part) && "\(String(describing: error))".contains("remove old records"))
    }
    try await expectRefusal(at(1, 200), "not all acknowledged")
    try await journal.moveCursor(Self.cursor, to: at(1, 200))
    try await expectRefusal(at(1, 200), "not countersigned")
    try await expectRefusal(at(1, 150), "no checkpoint")
    let checkpoint = try await vouch(journal)
    let stranger = SignerKey(name: hub.verifier.name, privateKey: try Ed25519PrivateKey())
    try await expectRefusal(checkpoint, "not countersigned", by: stranger.verifier)
    #expect(try journal.reader.allRecords().count == 200)
    await journal.close()

    // Without a fold what the records gave would be lost.
    let deaf = try Journal.open(configuration)
    let error = await #expect(throws: JournalError.self) { try await prune(deaf, through: checkpoint) }
    #expect("\(String(describing: error))".contains("without a fold"))
    await deaf.close()
  }

  @Test func `earlier epochs go as a whole, each by its own last checkpoint`() async throws {
    let fold = CountingFold()
    let journal = try Journal.open(configuration, fold: fold)
    try await append(0..<150, to: journal)
    try await vouch(journal)
    try await journal.openEpoch(reason: "test")
    try await append(150..<400, to: journal)
    let checkpoint = try await vouch(journal)
    #expect(checkpoint == at(2, 250))
    try await prune(journal, through: checkpoint)
    #expect(try journal.reader.allRecords().isEmpty)
    #expect(try journal.reader.base(epoch: 1).size == 150 && journal.reader.base(epoch: 2).size == 250)
    try expectSound(journal, fold: fold)
    try await append(400..<420, to: journal)
    try expectSound(journal, fold: fold)
    await journal.close()
  }

  @Test func `an earlier epoch that nobody countersigned stays, and what is behind it`() async throws {
    let journal = try Journal.open(configuration, fold: CountingFold())
    try await append(0..<150, to: journal)
    try await journal.openEpoch(reason: "test")
    try await append(150..<250, to: journal)
    let checkpoint = try await vouch(journal)
    await #expect(throws: JournalError.self) { try await prune(journal, through: checkpoint) }
    #expect(try journal.reader.allRecords().count == 250)
    await journal.close()
  }

  @Test func `proofs for what is left need nothing of what is gone`() async throws {
    let journal = try Journal.open(configuration, fold: CountingFold())
    for (count, base) in [(137, 137), (300, 300), (777, 777)] {
      let size = Int(try journal.reader.head().sequence)
      try await append(size..<count, to: journal)
      let checkpoint = try await vouch(journal)
      try await append(count..<count + 60, to: journal)
      try await journal.checkpoint()
      try await prune(journal, through: checkpoint)
      #expect(checkpoint.sequence == UInt64(base))
      let prover = JournalProver(journal.reader)
      // A proof is checked before it is handed out.
      for sequence in UInt64(base + 1)...UInt64(base + 60) { _ = try prover.inclusion(of: at(1, sequence)) }
      _ = try prover.consistency(epoch: 1, from: UInt64(base))
      #expect(throws: JournalError.removed(through: checkpoint)) { try prover.inclusion(of: at(1, UInt64(base))) }
    }
    await journal.close()
  }

  @Test func `freed pages are used again, so that the file stops growing`() async throws {
    let fold = CountingFold()
    let journal = try Journal.open(configuration, fold: fold)
    var sizes: [Int] = []
    for round in 0..<12 {
      try await append(round * 2_000..<(round + 1) * 2_000, to: journal)
      try await prune(journal, through: try await vouch(journal))
      sizes.append(try journal.reader.statistics().fileBytes)
    }
    #expect(sizes[11] <= sizes[3] + 262_144, "\(sizes)")
    try expectSound(journal, fold: fold)
    await journal.close()
  }

  @Test func `a removal that was cut short goes on, and is sound in between`() async throws {
    let fold = CountingFold()
    let journal = try Journal.open(configuration, fold: fold)
    let count = 2 * JournalLimits.prunedRecordsPerCommit + 500
    try await append(0..<count, to: journal)
    let checkpoint = try await vouch(journal)
    let pruning = Task { try await prune(journal, through: checkpoint) }
    while try journal.reader.base(epoch: 1).size == 0 { await Task.yield() }
    pruning.cancel()
    _ = await pruning.result
    try expectSound(journal, fold: fold)
    await journal.close()
    let again = CountingFold()
    let reopened = try Journal.open(configuration, fold: again)
    try expectSound(reopened, fold: again)
    try await prune(reopened, through: checkpoint)
    #expect(try reopened.reader.base(epoch: 1).size == UInt64(count))
    try expectSound(reopened, fold: again)
    await reopened.close()
  }

  @Test func `a base that was tampered with is found`() async throws {
    let journal = try Journal.open(configuration, fold: CountingFold())
    try await append(0..<300, to: journal)
    let checkpoint = try await vouch(journal)
    try await append(300..<320, to: journal)
    try await prune(journal, through: checkpoint)
    await journal.close()
    try directory.corrupt { transaction, environment in
      let meta = environment.database("meta")
      var row = try #require(try transaction.value(of: Layout.Meta.base(1), in: meta))
      row[20] ^= 1
      try transaction.put(Layout.Meta.base(1), row, into: meta)
    }
    let report = try JournalVerifier(JournalReader.open(directory: directory.journal)).verify()
    #expect(!report.isSound && report.first?.wrong == .checkpointRoot, "\(report.findings)")
  }

  @Test(arguments: [false, true])
  func `a snapshot with other rows than were written is damage, and no number is read from it`(isGone: Bool)
    async throws
  {
    var configuration = configuration
    configuration.recovery = .forTests
    try await makePruned(configuration)
    try directory.corrupt { transaction, environment in
      let snapshot = try #require(environment.optionalDatabase("snapshot"))
      let key = try transaction.withCursor(snapshot) { try $0.next() ? Array($0.key) : [] }
      var value = try #require(try transaction.value(of: key, in: snapshot))
      value[0] ^= 1
      if isGone {
        try transaction.delete(key, from: snapshot)
      } else {
        try transaction.put(key, value, into: snapshot)
      }
    }
    do {
      let reader = try JournalReader.open(directory: directory.journal)
      #expect(throws: JournalError.self) { try reader.scanSnapshot { _, _ in } }
      let report = try JournalVerifier(reader).verify()
      #expect(report.first?.wrong == .meta(JournalStore.otherSnapshot), "\(report.findings)")
    }
    // What only the snapshot said is lost; the records and their base are not.
    let fold = CountingFold()
    let journal = try Journal.open(configuration, fold: fold)
    let damage = try #require(journal.damage)
    #expect(damage.lost.isEmpty && damage.recordsKept == 100, "\(damage)")
    #expect(damage.reason.contains("snapshot"), "\(damage)")
    #expect(try journal.reader.scanSnapshot { _, _ in } == nil)
    #expect(try JournalVerifier(journal.reader).verify().isSound)
    #expect(fold.applied == 101, "what is left, and the new epoch's first")
    await journal.close()
  }

  @Test func `a snapshot of an earlier version becomes one of this version at the next removal`() async throws {
    try await makePruned(configuration)
    let fold = CountingFold(version: 2)
    let journal = try Journal.open(configuration, fold: fold)
    let second = try await vouch(journal)
    try await prune(journal, through: second)
    let base = try journal.reader.scanSnapshot { _, _ in }
    #expect(base?.foldVersion == 2 && base?.position == at(1, 1_100))
    #expect(try JournalVerifier(journal.reader).verify().isSound)
    try expectSound(journal, fold: fold)
    await journal.close()
  }

  @Test
  func
    `damage behind the base: base and snapshot stay, what is left is kept, and nothing that was removed counts as lost`()
    async throws
  {
    var configuration = configuration
    configuration.recovery = .forTests
    try await makePruned(configuration)
    // Sound as it is, for the quick look and for the thorough one.
    for isThorough in [false, true] {
      if isThorough { JournalRecovery.markFault(directory: directory.journal) }
      let journal = try Journal.open(configuration, fold: CountingFold())
      #expect(journal.damage == nil)
      await journal.close()
    }
    try directory.corrupt { transaction, environment in
      let key = at(1, 1_050).keyBytes
      var value = try #require(try transaction.value(of: key, in: environment.database("records")))
      value[60] ^= 1
      try transaction.put(key, value, into: environment.database("records"))
    }
    let after = CountingFold()
    let journal = try Journal.open(configuration, fold: after)
    let damage = try #require(journal.damage)
    #expect(damage.lost == [LostRecords(epoch: 1, first: 1_050, last: 1_050)], "\(damage)")
    #expect(damage.recordsKept == 99)
    #expect(try journal.reader.base(epoch: 1).size == 1_000)
    let report = try JournalVerifier(journal.reader).verify()
    #expect(report.isSound, "\(report.findings)")
    // The state is the snapshot's and what is left.
    #expect(try journal.reader.snapshot().stateDigest == after.digest)
    #expect(after.applied == 100, "99 records and the new epoch's first")
    // The salvaged epoch goes with the next that is countersigned.
    try await append(0..<150, to: journal)
    let second = try await vouch(journal)
    try await prune(journal, through: second)
    #expect(try journal.reader.allRecords().isEmpty)
    let pruned = try JournalVerifier(journal.reader).verify()
    #expect(pruned.isSound, "\(pruned.findings)")
    await journal.close()
  }

  private func makePruned(_ configuration: JournalConfiguration) async throws {
    let journal = try Journal.open(configuration, fold: CountingFold())
    try await append(0..<1_000, to: journal)
    let checkpoint = try await vouch(journal)
    try await append(1_000..<1_100, to: journal)
    try await prune(journal, through: checkpoint)
    await journal.close()
  }
}
