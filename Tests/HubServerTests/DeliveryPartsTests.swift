internal import Evidence
internal import FoundationEssentials
internal import HubProtocol
@testable internal import HubServer
internal import Logging
internal import OpenSSL
internal import Synchronization
internal import Testing

@Suite struct BatchCheckTests {
  private let install = InstallNumber(1)

  @Test func `a good batch keeps its records and their leaves`() throws {
    var journal = try TestJournal()
    journal.append(3)
    let append = try #require(try BatchCheck.append(journal.batch(2...3), install: install))
    #expect(append.firstSequence == 2 && append.records.count == 2)
    #expect(append.records.allSatisfy { $0.fault == nil })
    #expect(append.records.map(\.leaf) == journal.records[1...].compactMap { Digest(bytes: $0.hash) })
  }

  @Test func `an empty batch asks for nothing`() throws {
    #expect(try BatchCheck.append(Printtrail_Dcam_V1_Batch(), install: install) == nil)
  }

  @Test(arguments: [(0, 1), (1, 0), (1, UInt64.max), (1, HubLimits.sequenceMax)] as [(UInt32, UInt64)])
  func `an absurd epoch or sequence breaks the protocol`(epoch: UInt32, sequence: UInt64) {
    let batch = TestJournal.batch(epoch, first: sequence, [TestJournal.record(epoch, 1, "x")])
    #expect(throws: BatchCheck.Violation.self) { try BatchCheck.append(batch, install: install) }
  }

  @Test func `too many records and too many bytes break the protocol`() {
    let record = TestJournal.record(1, 1, "")
    let many = TestJournal.batch(1, first: 1, Array(repeating: record, count: HubLimits.batchRecordsMax + 1))
    #expect(throws: BatchCheck.Violation.self) { try BatchCheck.append(many, install: install) }
    let large = TestJournal.record(1, 1, String(repeating: "x", count: HubLimits.batchBytesMax / 2 + 1))
    #expect(throws: BatchCheck.Violation.self) {
      try BatchCheck.append(TestJournal.batch(1, first: 1, [large, large]), install: install)
    }
  }

  @Test func `a record that is too large is rejected by itself`() throws {
    let large = TestJournal.record(1, 1, String(repeating: "x", count: HubLimits.payloadBytesMax + 1))
    let append = try #require(try BatchCheck.append(TestJournal.batch(1, first: 1, [large]), install: install))
    #expect(append.records[0].fault?.contains("at most") == true)
  }

  @Test(arguments: [0, 31, 33])
  func `a hash of another length is a fault, and the hub's own stands for it`(length: Int) throws {
    var record = TestJournal.record(1, 1, "x")
    let own = record.hash
    record.hash = Data(count: length)
    let append = try #require(try BatchCheck.append(TestJournal.batch(1, first: 1, [record]), install: install))
    #expect(append.records[0].fault != nil)
    #expect(Data(append.records[0].leaf.bytes) == own)
  }

  @Test func `a changed time, epoch or sequence changes the hash`() throws {
    var moved = TestJournal.record(1, 1, "x")
    moved.time += 1
    for batch in [
      TestJournal.batch(1, first: 1, [moved]), TestJournal.batch(2, first: 1, [TestJournal.record(1, 1, "x")]),
      TestJournal.batch(1, first: 2, [TestJournal.record(1, 1, "x")]),
    ] {
      #expect(try BatchCheck.append(batch, install: install)?.records[0].fault != nil)
    }
  }
}

@Suite struct ByteBudgetTests {
  @Test func `who waits is served in turn when bytes come back`() async throws {
    let budget = ByteBudget(capacity: 100)
    let first = try await budget.take(80)
    async let second = budget.take(50)
    budget.release(first)
    #expect(try await second == 50)
    #expect(budget.available == 50)
  }

  @Test func `more than the capacity is taken as the capacity`() async throws {
    let budget = ByteBudget(capacity: 10)
    let taken = try await budget.take(1_000)
    #expect(taken == 10 && budget.available == 0)
    budget.release(taken)
    #expect(budget.available == 10)
  }

  @Test func `a cancelled wait takes nothing`() async throws {
    let budget = ByteBudget(capacity: 10)
    let all = try await budget.take(10)
    let waiter = Task { try await budget.take(5) }
    waiter.cancel()
    await #expect(throws: CancellationError.self) { try await waiter.value }
    budget.release(all)
    #expect(budget.available == 10)
  }

  @Test func `a share gives back what its owner forgot`() async throws {
    let budget = ByteBudget(capacity: 10)
    let share = BudgetShare(of: budget)
    _ = try await share.take(3)
    _ = try await share.take(4)
    share.release(3)
    share.close()
    #expect(budget.available == 10)
  }
}

@Suite struct MailboxTests {
  private func taken(_ mailbox: Mailbox<Int>) -> [Int]? {
    if case .elements(let elements) = mailbox.take() { elements } else { nil }
  }

  private func isEmpty(_ mailbox: Mailbox<Int>) -> Bool { if case .nothing = mailbox.take() { true } else { false } }

  private func end(_ mailbox: Mailbox<Int>) -> Result<Void, any Error>? {
    guard case .end(let error) = mailbox.take() else { return nil }
    return error.map { .failure($0) } ?? .success(())
  }

  @Test func `the taker gets all there is, and the end`() {
    let mailbox = Mailbox<Int>()
    // Called once, for all of it.
    #expect((1...3).map { mailbox.put($0) } == [true, false, false])
    #expect(!mailbox.finish() && !mailbox.put(4))
    #expect(taken(mailbox) == [1, 2, 3])
    #expect(throws: Never.self) { try #require(end(mailbox)).get() }
    #expect(!mailbox.finish() && !mailbox.abort(throwing: CancellationError()))
  }

  @Test func `an error comes after what was put before it`() {
    let mailbox = Mailbox<Int>()
    _ = mailbox.put(1)
    _ = mailbox.finish(throwing: HubError(.unavailable, "x"))
    #expect(taken(mailbox) == [1])
    #expect(throws: HubError.self) { try #require(end(mailbox)).get() }
  }

  @Test func `while somebody takes, nobody else is called; after that, somebody is`() {
    let mailbox = Mailbox<Int>()
    #expect(mailbox.put(1))
    #expect(taken(mailbox) == [1])
    #expect(!mailbox.put(2))
    #expect(taken(mailbox) == [2])
    #expect(isEmpty(mailbox))
    #expect(mailbox.put(3))
    #expect(taken(mailbox) == [3] && isEmpty(mailbox))
    #expect(mailbox.finish())
  }

  @Test func `an abort drops what there is, and comes after a finish, too`() {
    let mailbox = Mailbox<Int>()
    #expect(mailbox.put(1))
    _ = mailbox.finish()
    #expect(!mailbox.abort(throwing: HubError(.unavailable, "x")))
    _ = mailbox.abort(throwing: CancellationError())
    #expect(throws: HubError.self) { try #require(end(mailbox)).get() }
    #expect(!mailbox.put(2))
  }

  @Test func `who takes without being called gets what came before, too`() {
    let mailbox = Mailbox<Int>(isTaken: true)
    #expect(!mailbox.put(1) && !mailbox.finish())
    #expect(taken(mailbox) == [1])
    #expect(end(mailbox) != nil)
  }
}

@Suite struct CommitterTests {
  /// A store that fails for one install, and notes the sizes of its transactions.
  private final class FussyStore: RecordStore {
    let groups = Mutex<[Int]>([])
    let poison = InstallNumber(13)

    func append(_ appends: [Append], now: Int64) async throws -> [AppendOutcome] {
      groups.withLock { $0.append(appends.count) }
      if appends.contains(where: { $0.install == poison }) { throw HubError(.configuration, "damaged") }
      return appends.map { .stored(StoredAppend(held: $0.firstSequence)) }
    }

    func holdings(of install: InstallNumber) async throws -> [Holding] { [] }
    func keep(_ checkpoint: DeliveredCheckpoint, now: Int64) async throws -> CheckpointOutcome { .verified }
    func summaries(of install: InstallNumber) async throws -> [EpochSummary] { [] }
    func keepExpress(_ records: [DeliveredExpress], of install: InstallNumber, now: Int64) async throws
      -> [ExpressOutcome]
    { [] }
    func listed(_ kind: HeldRecord.Kind, of install: InstallNumber, after place: Holding, limit: Int) async throws
      -> [ListedRecord]
    { [] }
    func listed(_ kind: HeldRecord.Kind, of install: InstallNumber, limit: Int) async throws -> [ListedRecord] { [] }
    func records(of install: InstallNumber, epoch: UInt32, sequence: UInt64) async throws -> [HeldRecord] { [] }
  }

  private func append(_ install: Int64) -> Append {
    Append(install: InstallNumber(install), epoch: 1, firstSequence: UInt64(install), records: [], byteCount: 10)
  }

  @Test func `submissions that wait together are committed together, each with its own answer`() async throws {
    let store = FussyStore()
    let committer = Committer(
      store: store, clock: .system, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await withThrowingTaskGroup(of: (Int64, [AppendOutcome]).self) { group in
      for install in Int64(1)...8 {
        group.addTask { (install, try await committer.submit([self.append(install)])) }
      }
      while committer.waiting < 8 { await Task.yield() }
      async let running: Void = committer.run()
      for try await (install, outcomes) in group {
        #expect(outcomes == [.stored(StoredAppend(held: UInt64(install)))])
      }
      committer.close()
      try await running
    }
    #expect(store.groups.withLock { $0 } == [8])
  }

  @Test func `one install that cannot be stored does not stop its neighbours`() async throws {
    let store = FussyStore()
    let committer = Committer(
      store: store, clock: .system, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let good = Task { try await committer.submit([append(1)]) }
    let bad = Task { try await committer.submit([append(13)]) }
    while committer.waiting < 2 { await Task.yield() }
    async let running: Void = committer.run()
    #expect(try await good.value == [.stored(StoredAppend(held: 1))])
    await #expect(throws: Committer.Failure.store("damaged")) { try await bad.value }
    committer.close()
    try await running
  }

  @Test func `what was submitted before the end is committed, what comes later is refused`() async throws {
    let store = FussyStore()
    let committer = Committer(
      store: store, clock: .system, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let before = Task { try await committer.submit([append(1)]) }
    while committer.waiting < 1 { await Task.yield() }
    committer.close()
    try await committer.run()
    #expect(try await before.value.count == 1)
    await #expect(throws: Committer.Failure.shuttingDown) { try await committer.submit([append(2)]) }
  }
}
