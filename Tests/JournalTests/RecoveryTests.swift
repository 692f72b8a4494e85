// The fold beside the records: at open, after a failure, and after its rules changed.

internal import Evidence
internal import LMDB
internal import Synchronization
internal import Testing

@testable internal import Journal

@Suite struct `The fold` {
  private let directory: TemporaryDirectory
  private var configuration: JournalConfiguration { JournalConfiguration(directory: directory.journal) }

  init() throws { directory = try TemporaryDirectory() }

  private static let payloads: [[UInt8]] = (0..<100).map { [UInt8($0 % 7), UInt8($0)] } + [[0xFE, 3]]

  @Test func `moves with each append, and its rows are read back at open without folding again`() async throws {
    let fold = CountingFold()
    let journal = try Journal.open(configuration, fold: fold)
    try await journal.append(Self.payloads)
    let snapshot = try journal.reader.snapshot()
    #expect(snapshot.stateDigest == fold.digest)
    #expect(snapshot.stateRows == 7)
    #expect(snapshot.foldPosition == snapshot.head)
    #expect(try journal.reader.stateRow([2]) == [1, 99])
    await journal.close()

    let loaded = CountingFold()
    let again = try Journal.open(configuration, fold: loaded)
    #expect(loaded.applied == 0)
    #expect(loaded.rows == fold.rows)
    try await again.append([[1]])
    #expect(try again.reader.snapshot().stateDigest == CountingFold.over(try again.reader.allRecords()).digest)
    await again.close()
  }

  @Test func `of another version forgets the rows and folds everything again`() async throws {
    let journal = try Journal.open(configuration, fold: CountingFold())
    try await journal.append(Self.payloads)
    try await journal.openEpoch(reason: "test")
    try await journal.append([[9]])
    await journal.close()
    let newer = CountingFold(version: 2)
    let again = try Journal.open(configuration, fold: newer)
    #expect(newer.loaded == 0)
    #expect(newer.applied == 102)
    let snapshot = try again.reader.snapshot()
    #expect(snapshot.foldVersion == 2)
    #expect(snapshot.stateDigest == CountingFold.over(try again.reader.allRecords()).digest)
    await again.close()
  }

  @Test func `whose rows it cannot read folds everything again`() async throws {
    let journal = try Journal.open(configuration, fold: CountingFold())
    try await journal.append(Self.payloads)
    await journal.close()
    let fold = CountingFold()
    fold.refusesRows = true
    let told = Mutex<[RecordPosition]>([])
    var configuration = configuration
    configuration.foldFailed = { position, _ in told.withLock { $0.append(position) } }
    let again = try Journal.open(configuration, fold: fold)
    #expect(fold.applied == 101)
    #expect(told.withLock { $0 } == [at(1, 101)], "it is not passed over in silence")
    #expect(try again.reader.snapshot().stateDigest == CountingFold.over(try again.reader.allRecords()).digest)
    await again.close()
  }

  /// What a disk may do to the rows: a bit of a value, a row that is gone, one that should be.
  @Test(arguments: ["flipped bit", "row gone", "row too many", "no sum"])
  func `whose rows are not those that were written folds everything again, and says so`(damage: String) async throws {
    let journal = try Journal.open(configuration, fold: CountingFold())
    try await journal.append(Self.payloads)
    await journal.close()
    try directory.corrupt { transaction, environment in
      let state = environment.database("state")
      switch damage {
      case "flipped bit": try transaction.put([2], [1 ^ 4, 99], into: state)
      case "row gone": try transaction.delete([2], from: state)
      case "row too many": try transaction.put([200], [1, 1], into: state)
      default:
        let mark = FoldMark(version: 1, position: at(1, 101), sum: nil)
        try transaction.put(Layout.Meta.fold, mark.rowValue, into: environment.main)
      }
    }
    if damage != "no sum" {
      let reader = try JournalReader.open(directory: directory.journal)
      #expect(throws: JournalError.self, "nobody reads a number from them") { try reader.scanState { _, _ in } }
      let report = try JournalVerifier(reader).verify()
      #expect(report.first?.wrong == .meta(JournalStore.otherState), "\(report.findings)")
    }
    let told = Mutex<[RecordPosition]>([])
    var configuration = configuration
    configuration.foldFailed = { position, _ in told.withLock { $0.append(position) } }
    let fold = CountingFold()
    let again = try Journal.open(configuration, fold: fold)
    #expect(fold.applied == 101)
    #expect(told.withLock { $0 } == (damage == "no sum" ? [] : [at(1, 101)]))
    #expect(try again.reader.snapshot().stateDigest == CountingFold.over(try again.reader.allRecords()).digest)
    try await again.append([[2]])
    #expect(try JournalVerifier(again.reader).verify().isSound)
    await again.close()
  }

  @Test func `that was interrupted while folding again goes on from where it was`() async throws {
    let journal = try Journal.open(configuration)
    try await journal.append(Self.payloads)
    await journal.close()
    // As after a crash between two of the bounded transactions: the rows of the first 40 records and their mark.
    let partial = CountingFold.over(
      Self.payloads.prefix(40).enumerated().map {
        Record(position: at(1, UInt64($0.offset + 1)), time: 0, payload: $0.element)
      })
    var sums = RowSums()
    sums.apply(partial.allRows())
    let mark = FoldMark(version: 1, position: at(1, 40), sum: sums.total)
    try directory.corrupt { transaction, environment in
      for (key, value) in partial.rows { try transaction.put(key, value, into: environment.database("state")) }
      try transaction.put(Layout.Meta.fold, mark.rowValue, into: environment.main)
    }
    let fold = CountingFold()
    let again = try Journal.open(configuration, fold: fold)
    #expect(fold.applied == 61)
    #expect(fold.digest == CountingFold.over(try again.reader.allRecords()).digest)
    #expect(try again.reader.snapshot().stateDigest == fold.digest)
    await again.close()
  }

  @Test func `that refuses a record does not lose it`() async throws {
    let refused = Mutex<[RecordPosition]>([])
    var configuration = configuration
    configuration.foldFailed = { position, _ in refused.withLock { $0.append(position) } }
    let journal = try Journal.open(configuration, fold: CountingFold())
    #expect(try await journal.append([[1], [0xFF], [2]]).count == 3)
    #expect(try journal.reader.allRecords().map(\.payload) == [[1], [0xFF], [2]])
    #expect(refused.withLock { $0 } == [at(1, 2)])
    #expect(try journal.reader.snapshot().stateDigest == CountingFold.over(try journal.reader.allRecords()).digest)
    await journal.close()
  }

  @Test func `after a failed commit is as it was committed, and the journal goes on`() async throws {
    var configuration = configuration
    configuration.mapBytes = 512 << 10
    let fold = CountingFold()
    let journal = try Journal.open(configuration, fold: fold)
    try await journal.append(Self.payloads)
    let before = try journal.reader.snapshot()
    let large = [[UInt8]](repeating: [UInt8](repeating: 1, count: 100_000), count: 10)
    let error = await #expect(throws: JournalError.self) { try await journal.append(large) }
    guard case .storage(let failure) = error else {
      Issue.record("the full map was not told as such: \(String(describing: error))")
      return
    }
    #expect(failure.kind == .mapFull)
    #expect(try journal.reader.snapshot() == before)
    // The fold is loaded again on the writer's thread before the next batch.
    #expect(try await journal.append([[5]]) == [at(1, 102)])
    #expect(fold.digest == CountingFold.over(try journal.reader.allRecords()).digest)
    #expect(try journal.reader.snapshot().stateDigest == fold.digest)
    #expect(try JournalVerifier(journal.reader).verify().isSound)
    await journal.close()
  }

  @Test func `is left behind by a writer without it, and catches up`() async throws {
    let first = try Journal.open(configuration, fold: CountingFold())
    try await first.append([[1]])
    await first.close()
    let second = try Journal.open(configuration)
    try await second.append([[2]])
    await second.close()
    let fold = CountingFold()
    let third = try Journal.open(configuration, fold: fold)
    #expect(fold.applied == 1)
    #expect(fold.digest == CountingFold.over(try third.reader.allRecords()).digest)
    await third.close()
  }
}
