// Hashing a batch in pieces, by one thread or two, gives what hashing record after record gives.

internal import Evidence
internal import Glibc
internal import OpenSSL
internal import Testing

@testable internal import Journal

@Suite struct `Hashing in pieces` {
  private func payloads(_ count: Int) -> [[UInt8]] {
    (0..<count).map { Array(repeating: UInt8(truncatingIfNeeded: $0), count: $0 % 400) }
  }

  /// The frontier of a tree with this many leaves, whatever they are.
  private func tree(_ size: UInt64) -> MerkleFrontier {
    var frontier = MerkleFrontier()
    for index in 0..<size { frontier.append(SHA256.hash(index.bigEndianBytes)) }
    return frontier
  }

  private func oneByOne(_ payloads: [[UInt8]], from frontier: MerkleFrontier) -> (leaves: [Digest], MerkleFrontier) {
    var frontier = frontier
    var leaves: [Digest] = []
    for payload in payloads {
      let position = RecordPosition(epoch: 7, sequence: frontier.size + 1)
      leaves.append(Record(position: position, time: -5, payload: payload).leafHash)
      frontier.append(leaves[leaves.count - 1])
    }
    return (leaves, frontier)
  }

  @Test(arguments: [0, 1, 2, 31, 32, 33, 107, 1_000], [1, 2, 3, 50, 127, 128, 500, 1_201])
  func `gives the same leaves and the same tree`(size: UInt64, count: Int) {
    let hasher = Hasher()
    defer { hasher.stop() }
    var frontier = tree(size)
    let payloads = payloads(count)
    let expected = oneByOne(payloads, from: frontier)
    let batch = LeafBatch(payloads, from: RecordPosition(epoch: 7, sequence: size + 1), time: -5)
    var leaves: [Digest] = []
    hasher.forEachPiece(of: batch) { piece in
      leaves += batch.pieces[piece].records.map { Digest(loading: batch.leaf($0)) }
      frontier.append(batch.root(piece), height: batch.pieces[piece].height)
    }
    #expect(leaves == expected.leaves)
    #expect(frontier == expected.1)
  }

  @Test func `made ahead is used where the records come to stand there, and made again where not`() async throws {
    let directory = try TemporaryDirectory()
    let journal = try Journal.open(JournalConfiguration(directory: directory.journal))
    try await journal.append(payloads(3))
    let queue = journal.writer.queue
    while !queue.takeTurn() { sched_yield() }
    let all = payloads(120)
    let (first, second) = (Array(all[..<40]), Array(all[40...]))
    let right = LeafBatch(first, from: RecordPosition(epoch: 1, sequence: 4), time: -5)
    // As if somebody's append before it had failed.
    let wrong = LeafBatch(second, from: RecordPosition(epoch: 1, sequence: 45), time: -6)
    for batch in [right, wrong] { while batch.hashNext() {} }
    let outcomes = [(first, right), (second, wrong)].map { payloads, hashes in
      let outcome = Handover<WriteOutcome>()
      #expect(queue.submit(WriteRequest(.append(payloads, hashes: hashes)) { outcome.give($0) }) == .queued)
      return outcome
    }
    queue.endTurn(nanosecondsUntilDue: nil)
    #expect(try outcomes[0].wait().get().last == RecordPosition(epoch: 1, sequence: 43))
    #expect(try outcomes[1].wait().get().last == RecordPosition(epoch: 1, sequence: 123))
    var times: [Int64] = []
    try journal.reader.scan { view in
      times.append(view.time)
      return true
    }
    #expect(times[3..<43].allSatisfy { $0 == -5 })
    #expect(times[43...].allSatisfy { $0 != -6 && $0 > 0 })
    await journal.close()
    let verification = try JournalVerifier(JournalReader.open(directory: directory.journal)).verify()
    #expect(verification.isSound)
    #expect(verification.records == 123)
  }

  @Test func `made ahead by callers that wait for each other gives a sound journal`() async throws {
    let directory = try TemporaryDirectory()
    let journal = try Journal.open(JournalConfiguration(directory: directory.journal))
    let payloads = payloads(40)
    try await withThrowingTaskGroup { group in
      for _ in 0..<4 {
        group.addTask { for _ in 0..<25 { try await journal.append(payloads) } }
      }
      try await group.waitForAll()
    }
    await journal.close()
    let verification = try JournalVerifier(JournalReader.open(directory: directory.journal)).verify()
    #expect(verification.isSound)
    #expect(verification.records == 4_000)
  }

  @Test func `goes on with the next batch after one was given up`() {
    struct GivenUp: Error {}
    let hasher = Hasher()
    defer { hasher.stop() }
    for round in 0..<50 {
      let payloads = payloads(600)
      let first = RecordPosition(epoch: 7, sequence: UInt64(round) * 600 + 1)
      #expect(throws: GivenUp.self) {
        try hasher.forEachPiece(of: LeafBatch(payloads, from: first, time: -5)) { if $0 == 3 { throw GivenUp() } }
      }
      let batch = LeafBatch(payloads, from: first, time: -5)
      var records = 0
      hasher.forEachPiece(of: batch) { records += batch.pieces[$0].records.count }
      #expect(records == 600)
      let expected = Record(position: batch.position(599), time: -5, payload: payloads[599]).leafHash
      #expect(Digest(loading: batch.leaf(599)) == expected)
    }
  }
}
