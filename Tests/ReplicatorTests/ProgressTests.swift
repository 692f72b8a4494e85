// What ends a series of failures: the waits between attempts begin anew once something got through, and by nothing else.

import Evidence
@testable import Replicator
import Testing

@Suite struct ProgressTests {
  private func place(_ sequence: UInt64) -> RecordPosition { RecordPosition(epoch: 1, sequence: sequence) }

  private func welcome(holding held: UInt64) -> Delivery.Event {
    .welcomed(Welcome(holdings: [1: held], windowRecords: 1_000, batchBytesMax: 1 << 20))
  }

  private func run(_ first: UInt64, _ count: Int) -> RecordRun {
    let record = DeliveryRecord(time: 1, hash: [], payload: [1], isRejectionReport: false)
    return RecordRun(first: place(first), records: Array(repeating: record, count: count))
  }

  /// As `Replicator` does it between two streams.
  private func look(_ delivery: SharedDelivery, _ backoff: inout Backoff) {
    if delivery.takeProgress() { backoff.succeeded() }
  }

  private func failed(_ backoff: inout Backoff, times: Int) {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<times { _ = backoff.failed(using: &generator) }
  }

  @Test func `a connection that only opens and is welcomed changes nothing`() {
    let delivery = SharedDelivery(Delivery(heads: [place(100)], cursor: place(20)))
    var backoff = Backoff()
    failed(&backoff, times: 8)
    for _ in 0..<3 {
      _ = delivery.received(.opened)
      _ = delivery.received(welcome(holding: 20))
      _ = delivery.received(.read(run(21, 80)))
      _ = delivery.received(.closed)
      look(delivery, &backoff)
    }
    #expect(backoff.attempts == 8)
  }

  @Test func `an acknowledgement begins anew, also one of what had arrived before the link broke`() {
    let delivery = SharedDelivery(Delivery(heads: [place(100)], cursor: place(20)))
    var backoff = Backoff()
    failed(&backoff, times: 8)
    _ = delivery.received(.opened)
    _ = delivery.received(welcome(holding: 20))
    _ = delivery.received(.read(run(21, 80)))
    _ = delivery.received(.acknowledged(place(30)))
    _ = delivery.received(.closed)
    look(delivery, &backoff)
    #expect(backoff.attempts == 0)

    failed(&backoff, times: 5)
    look(delivery, &backoff)
    #expect(backoff.attempts == 5, "it counts once")
    // The hub says that it has more; that this is the journal's own, the record shows that is sent once more.
    _ = delivery.received(.opened)
    guard case .read(let first, 1, _)? = delivery.received(welcome(holding: 60)).last else {
      Issue.record("the last record is not sent again")
      return
    }
    #expect(first == place(60))
    _ = delivery.received(.read(run(60, 1)))
    look(delivery, &backoff)
    #expect(backoff.attempts == 5)
    _ = delivery.received(.acknowledged(place(60)))
    _ = delivery.received(.closed)
    look(delivery, &backoff)
    #expect(backoff.attempts == 0)
  }
}
