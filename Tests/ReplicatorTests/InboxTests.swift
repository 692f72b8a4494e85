// What waits for the core: bounded, whatever the hub sends.

internal import Evidence
internal import GRPCCore
internal import HubProtocol
internal import Testing

@testable internal import Replicator

@Suite struct InboxTests {
  private func place(_ sequence: UInt64, epoch: UInt32 = 1) -> RecordPosition {
    RecordPosition(epoch: epoch, sequence: sequence)
  }

  @Test func `of thousands of acknowledgements in a row the last one counts, and nothing else is left out`()
    async throws
  {
    let inbox = Inbox(limit: 4)
    for sequence in 1...50_000 as ClosedRange<UInt64> { try inbox.offer(.acknowledged(place(sequence))) }
    #expect(inbox.count == 1)
    try inbox.offer(.rejected(place(7), reason: "no"))
    try inbox.offer(.acknowledged(place(50_001)))
    try inbox.offer(.acknowledged(place(1, epoch: 2)))
    #expect(
      await inbox.takeAll() == [
        .acknowledged(place(50_000)), .rejected(place(7), reason: "no"), .acknowledged(place(50_001)),
        .acknowledged(place(1, epoch: 2)),
      ])
  }

  @Test func `a hub that sends more than there can be questions ends the stream`() throws {
    let inbox = Inbox(limit: 3)
    for sequence in 1...3 as ClosedRange<UInt64> { try inbox.offer(.rejected(place(sequence), reason: "no")) }
    #expect(throws: RPCError.self) { try inbox.offer(.rejected(place(4), reason: "no")) }
    #expect(inbox.count == 3)
    #expect(Replicator.inboxMax >= 2 * Int(Delivery.windowRecordsMax))
  }

  @Test func `whoever waits gets what comes, and the end`() async throws {
    let inbox = Inbox(limit: 3)
    async let first = inbox.takeAll()
    try inbox.offer(.opened)
    #expect(await first == [.opened])
    async let last = inbox.takeAll()
    inbox.finish()
    #expect(await last == nil)
    try inbox.offer(.opened)
    #expect(inbox.count == 0)
  }

  @Test func `a wait that is cancelled ends`() async {
    let inbox = Inbox(limit: 3)
    let waiter = Task { await inbox.takeAll() }
    waiter.cancel()
    #expect(await waiter.value == nil)
  }
}

@Suite struct CheckInScheduleTests {
  @Test func `the one who asks for more patience gets it, within bounds`() {
    #expect(CheckInSchedule().pause(asked: nil) == .seconds(300))
    #expect(CheckInSchedule().pause(asked: .seconds(120)) == .seconds(120))
    #expect(CheckInSchedule(interval: .seconds(1_800)).pause(asked: .seconds(300)) == .seconds(1_800))
    #expect(CheckInSchedule(interval: .seconds(60)).pause(asked: .seconds(300)) == .seconds(300))
    #expect(CheckInSchedule(interval: .seconds(60)).pause(asked: nil) == .seconds(60))
    #expect(CheckInSchedule().pause(asked: .seconds(86_400 * 40)) == Replicator.checkInLongest)
    #expect(CheckInSchedule().pause(asked: .milliseconds(1)) == Replicator.checkInShortest)
  }
}

@Suite struct OutboxTests {
  @Test func `there is room while fewer than two messages wait, and whoever waits for it gets it`() async throws {
    let outbox = Outbox()
    try await outbox.room()
    outbox.put(.init())
    try await outbox.room()
    outbox.put(.init())
    let waiter = Task { try await outbox.room() }
    var messages = outbox.messages.makeAsyncIterator()
    #expect(await messages.next() != nil)
    outbox.written()
    try await waiter.value
    outbox.put(.init())
    let cancelled = Task { try await outbox.room() }
    cancelled.cancel()
    await #expect(throws: CancellationError.self) { try await cancelled.value }
  }
}
