// The wait for the next check-in, which a record in a hurry cuts short.

import Evidence
import Synchronization
import Testing

@testable import Replicator

@Suite struct UrgentCheckInTests {
  /// A journal that only tells of its head and of what is urgent in it.
  private final class Source: DeliverySource {
    struct State {
      var head: UInt64 = 10
      var urgent: [UInt64] = []
      /// What was asked for.
      var looks: [ClosedRange<UInt64>] = []
    }

    struct Unused: Error {}

    let state = Mutex(State())
    var looks: [ClosedRange<UInt64>] { state.withLock { $0.looks } }

    func heads() async throws -> [RecordPosition] {
      [RecordPosition(epoch: 1, sequence: state.withLock { $0.head })]
    }
    func urgentRecords(after seen: RecordPosition, through head: RecordPosition) async throws -> [ExpressRecord] {
      state.withLock { state in
        state.looks.append(seen.sequence...head.sequence)
        return state.urgent.filter { $0 > seen.sequence && $0 <= head.sequence }.map {
          ExpressRecord(
            position: RecordPosition(epoch: 1, sequence: $0),
            record: DeliveryRecord(time: 0, hash: [], payload: []))
        }
      }
    }
    func bases() async throws -> [UInt32: UInt64] { throw Unused() }
    func lost() async throws -> [UInt32: [ClosedRange<UInt64>]] { throw Unused() }
    func cursor() async throws -> RecordPosition? { throw Unused() }
    func checkpoint() async throws -> CheckpointNote? { throw Unused() }
    func closedCheckpoints() async throws -> [CheckpointNote] { throw Unused() }
    func records(from first: RecordPosition, recordsMax: Int, bytesMax: Int) async throws -> RecordRun {
      throw Unused()
    }
    func moveCursor(to position: RecordPosition) async throws { throw Unused() }
    func appendRejection(of position: RecordPosition, reason: String) async throws { throw Unused() }
    func appendConflict(epoch: UInt32, _ range: ClosedRange<UInt64>, heldHash: [UInt8]) async throws { throw Unused() }
    func keepCountersignature(_ checkpoint: CheckpointNote, key: String) async throws { throw Unused() }
    func beginEpoch(reason: String, beyond: UInt32) async throws -> RecordPosition { throw Unused() }
    func waitForNews(after head: RecordPosition, checkpoint: RecordPosition?) async throws { throw Unused() }
  }

  private func wait(_ source: Source, after seen: UInt64, spacing: Duration = .zero) async throws {
    try await Replicator.untilUrgent(
      source, after: RecordPosition(epoch: 1, sequence: seen), spacing: spacing, look: .milliseconds(1))
  }

  @Test(.timeLimit(.minutes(1))) func `an alert ends the wait, also one from before the first look`() async throws {
    let source = Source()
    source.state.withLock { $0.urgent = [10] }
    try await wait(source, after: 9)
  }

  @Test(.timeLimit(.minutes(1))) func `readings do not end it, and an alert behind them does`() async throws {
    let source = Source()
    async let waiting: Void = wait(source, after: 9)
    while source.looks.isEmpty { await Task.yield() }
    source.state.withLock { ($0.head, $0.urgent) = (12, [12]) }
    try await waiting
    // Nothing is looked through twice.
    #expect(source.looks == [9...10, 10...12])
  }

  @Test func `what was looked through before the check-in is no news`() async throws {
    let source = Source()
    source.state.withLock { $0.urgent = [10] }
    let waiting = Task { try await wait(source, after: 10) }
    for _ in 0..<1_000 { await Task.yield() }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    #expect(source.looks.isEmpty)
  }

  @Test func `no look is made before the spacing is over`() async throws {
    let source = Source()
    source.state.withLock { $0.urgent = [10] }
    let waiting = Task { try await wait(source, after: 9, spacing: .seconds(3_600)) }
    for _ in 0..<1_000 { await Task.yield() }
    waiting.cancel()
    await #expect(throws: CancellationError.self) { try await waiting.value }
    #expect(source.looks.isEmpty)
    #expect(Replicator.urgentSpacing < Replicator.checkInInterval, "or it would change nothing")
  }
}
