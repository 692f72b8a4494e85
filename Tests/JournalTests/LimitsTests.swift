internal import Evidence
internal import Testing

@testable internal import Journal

@Suite struct `A limit` {
  private let directory: TemporaryDirectory
  init() throws { directory = try TemporaryDirectory() }

  @Test func `of one payload, of one append's records and of its bytes is kept`() async throws {
    let journal = try Journal.open(JournalConfiguration(directory: directory.journal))
    let tooLarge = [UInt8](repeating: 0, count: JournalLimits.payloadBytesMax + 1)
    await #expect(throws: JournalError.payloadTooLarge(bytes: tooLarge.count)) { try await journal.append([tooLarge]) }
    let tooMany = [[UInt8]](repeating: [], count: JournalLimits.appendRecordsMax + 1)
    await #expect(throws: JournalError.appendTooLarge(records: tooMany.count, bytes: 0)) {
      try await journal.append(tooMany)
    }
    let largest = [UInt8](repeating: 0, count: JournalLimits.payloadBytesMax)
    await #expect(throws: JournalError.self) {
      try await journal.append(Array(repeating: largest, count: JournalLimits.appendBytesMax / largest.count + 1))
    }
    #expect(try journal.reader.head() == at(1, 0))
    try await journal.append(Array(repeating: [], count: JournalLimits.appendRecordsMax))
    #expect(try journal.reader.head() == at(1, UInt64(JournalLimits.appendRecordsMax)))
    await journal.close()
  }

  @Test func `of the journal's size refuses appends, keeps the rest working and can be raised`() async throws {
    var configuration = JournalConfiguration(directory: directory.journal)
    configuration.sizeLimit = 256 << 10
    let journal = try Journal.open(configuration)
    var appended = 0
    var refusal: JournalError?
    while refusal == nil, appended < 1_000 {
      do throws(JournalError) {
        try await journal.append([[UInt8](repeating: 1, count: 1_000)])
        appended += 1
      } catch { refusal = error }
    }
    #expect(refusal == .full(path: directory.journal, limitBytes: 256 << 10))
    #expect(appended > 100)
    try await journal.moveCursor("hub", to: at(1, UInt64(appended)))
    try await journal.checkpoint()
    #expect(try journal.reader.head() == at(1, UInt64(appended)))
    #expect(try JournalVerifier(journal.reader).verify().isSound)
    await journal.close()

    configuration.sizeLimit *= 2
    let again = try Journal.open(configuration)
    #expect(try await again.append([[1]]) == [at(1, UInt64(appended + 1))])
    await again.close()
  }

  @Test(arguments: ["", String(repeating: "x", count: JournalLimits.reasonBytesMax + 1)])
  func `of an epoch's reason is kept`(reason: String) async throws {
    let journal = try Journal.open(JournalConfiguration(directory: directory.journal))
    await #expect(throws: JournalError.reasonRefused(bytes: reason.utf8.count)) {
      try await journal.openEpoch(reason: reason)
    }
    #expect(try journal.reader.head() == at(1, 0))
    await journal.close()
  }
}

@Suite struct `The writer's queue` {
  private func request(_ records: Int, bytes: Int = 0) -> WriteRequest {
    WriteRequest(.append([[UInt8](repeating: 0, count: bytes)] + Array(repeating: [], count: records - 1))) { _ in }
  }

  private func taken(_ queue: RequestQueue) -> Int? {
    // With a checkpoint due at once, taking never waits.
    queue.endTurn(nanosecondsUntilDue: 0)
    return if case .batch(let batch) = queue.take() { batch.count } else { nil }
  }

  @Test func `gives everything queued to one commit, up to its caps`() {
    let queue = RequestQueue()
    for _ in 0..<5 { #expect(queue.submit(request(1_000)) == .queued) }
    #expect(taken(queue) == 4)
    #expect(taken(queue) == 1)
    #expect(taken(queue) == 0)
    for _ in 0..<3 { #expect(queue.submit(request(1, bytes: JournalLimits.batchBytesMax / 2)) == .queued) }
    #expect(taken(queue) == 2)
    #expect(taken(queue) == 1)
  }

  @Test func `holds callers back over its caps until there is room`() async {
    let queue = RequestQueue()
    var queued = 0
    while queue.submit(request(4_096)) == .queued { queued += 1 }
    #expect(queued == JournalLimits.queueRecordsMax / 4_096)
    async let room: Void = queue.waitForRoom()
    #expect(taken(queue) == 1)
    await room
    #expect(queue.submit(request(1)) == .queued)
  }

  @Test func `lends its one turn to a caller when nothing is queued and nobody has it`() {
    let queue = RequestQueue()
    #expect(!queue.takeTurn(), "the writer's thread has it first")
    queue.endTurn(nanosecondsUntilDue: nil)
    #expect(queue.takeTurn())
    #expect(!queue.takeTurn())
    #expect(queue.submit(request(1)) == .queued)
    queue.endTurn(nanosecondsUntilDue: nil)
    #expect(!queue.takeTurn(), "what is queued goes first")
    #expect(taken(queue) == 1)
    queue.close()
    queue.endTurn(nanosecondsUntilDue: nil)
    #expect(!queue.takeTurn())
  }

  @Test func `foresees where records stand that are submitted while somebody commits`() {
    let queue = RequestQueue()
    #expect(queue.foreseen() == nil, "nothing was committed yet")
    queue.endTurn(nanosecondsUntilDue: nil, head: at(3, 10))
    #expect(queue.foreseen() == nil, "nobody commits")
    #expect(queue.takeTurn(records: 5))
    #expect(queue.foreseen() == at(3, 16))
    #expect(queue.submit(request(20)) == .queued)
    #expect(queue.foreseen() == at(3, 36))
    queue.endTurn(nanosecondsUntilDue: nil, head: at(3, 15))
    guard case .batch(let batch) = queue.take() else { return #expect(Bool(false), "there is a batch") }
    #expect(batch.count == 1)
    #expect(queue.foreseen() == at(3, 36))
    queue.endTurn(nanosecondsUntilDue: nil, head: at(3, .max))
    #expect(queue.takeTurn(records: 1))
    #expect(queue.foreseen() == nil, "there is no such position")
  }

  @Test func `closed refuses more, gives what it has, and releases who was held back`() async {
    let queue = RequestQueue()
    while queue.submit(request(4_096)) == .queued {}
    async let room: Void = queue.waitForRoom()
    queue.close()
    await room
    #expect(queue.submit(request(1)) == .closed)
    #expect(queue.submitBlocking(request(1)) == .closed)
    var batches = 0
    while let count = taken(queue), count > 0 { batches += 1 }
    #expect(batches == JournalLimits.queueRecordsMax / 4_096)
  }
}

@Suite struct `A checkpoint's policy` {
  @Test func `waits for records first and for time second`() {
    let policy = CheckpointPolicy(records: 10, interval: 100, lastSize: 20, lastUptime: 1_000)
    #expect(!policy.isDue(size: 20, uptime: 9_999))
    #expect(policy.nanosecondsUntilDue(size: 20, uptime: 9_999) == nil)
    #expect(!policy.isDue(size: 29, uptime: 1_099))
    #expect(policy.nanosecondsUntilDue(size: 29, uptime: 1_060) == 40)
    #expect(policy.isDue(size: 30, uptime: 1_000))
    #expect(policy.isDue(size: 21, uptime: 1_100))
    #expect(policy.nanosecondsUntilDue(size: 21, uptime: 1_200) == 0)
  }
}
