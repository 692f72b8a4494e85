// What goes ahead of its turn.

import Evidence
import Replicator
import Testing

@Suite struct FastLaneTests {
  private func place(_ sequence: UInt64) -> RecordPosition { RecordPosition(epoch: 1, sequence: sequence) }

  private func alert(_ sequence: UInt64, bytes: Int = 1) -> ExpressRecord {
    ExpressRecord(
      position: place(sequence),
      record: DeliveryRecord(time: 1, hash: [9], payload: [UInt8](repeating: 2, count: bytes)))
  }

  /// A million records behind, and welcomed.
  private func behind(takesExpress: Bool = true, holdings: [UInt32: UInt64] = [:]) -> Delivery {
    var delivery = Delivery(heads: [place(1_000_000)], cursor: nil)
    _ = delivery.received(.opened)
    _ = delivery.received(
      .welcomed(
        Welcome(holdings: holdings, windowRecords: 100, batchBytesMax: 1 << 20, takesExpress: takesExpress)))
    return delivery
  }

  private func calls(_ actions: [Delivery.Action]) -> [[UInt64]] {
    actions.compactMap { if case .sendExpress(let records) = $0 { records.map(\.position.sequence) } else { nil } }
  }

  @Test func `an alert behind a backlog goes at once, and its turn comes all the same`() {
    var delivery = behind()
    #expect(calls(delivery.received(.urgent([alert(999_999)]))) == [[999_999]])
    #expect(delivery.lag == 1_000_000 && delivery.inFlight == 0 && delivery.cursor == nil)
    #expect(delivery.received(.expressAnswered([ExpressAnswer(position: place(999_999))])) == [])
    #expect(delivery.lag == 1_000_000 && delivery.cursor == nil, "an answer is no acknowledgement")
  }

  @Test func `one call is under way at once, and what came meanwhile goes with the next`() {
    var delivery = behind()
    #expect(calls(delivery.received(.urgent([alert(900_000)]))) == [[900_000]])
    #expect(calls(delivery.received(.urgent([alert(900_001), alert(900_002)]))) == [])
    #expect(calls(delivery.received(.expressAnswered([]))) == [[900_001, 900_002]])
  }

  @Test func `what comes soon by itself does not go ahead`() {
    var delivery = behind()
    #expect(calls(delivery.received(.urgent([alert(FastLane.behindMin)]))) == [])
    #expect(calls(delivery.received(.urgent([alert(FastLane.behindMin + 2)]))) == [[FastLane.behindMin + 2]])
  }

  @Test func `a hub that does not know the fast lane is not sent any`() {
    var delivery = behind(takesExpress: false)
    #expect(calls(delivery.received(.urgent([alert(999_999)]))) == [])
  }

  @Test func `what got no answer is sent again, in the same stream and in the next`() {
    var delivery = behind()
    #expect(calls(delivery.received(.urgent([alert(900_000)]))) == [[900_000]])
    #expect(calls(delivery.received(.expressFailed)) == [[900_000]])
    _ = delivery.received(.closed)
    _ = delivery.received(.opened)
    let welcome = Welcome(holdings: [:], windowRecords: 100, batchBytesMax: 1 << 20)
    #expect(calls(delivery.received(.welcomed(welcome))) == [[900_000]])
    #expect(calls(delivery.received(.expressAnswered([ExpressAnswer(position: place(900_000))]))) == [])
    _ = delivery.received(.closed)
    _ = delivery.received(.opened)
    #expect(calls(delivery.received(.welcomed(welcome))) == [], "it is at the hub")
  }

  @Test func `a refusal is for the log, and the record comes in its turn`() {
    var delivery = behind()
    _ = delivery.received(.urgent([alert(900_000)]))
    #expect(
      delivery.received(.expressAnswered([ExpressAnswer(position: place(900_000), refusal: "full")]))
        == [.reportExpressRefused(place(900_000), reason: "full")])
    #expect(calls(delivery.received(.expressFailed)) == [])
  }

  @Test func `a conflict ahead of its turn begins a new epoch as any other does`() {
    var delivery = behind()
    _ = delivery.received(.urgent([alert(900_000)]))
    let actions = delivery.received(.conflicted(place(900_000), heldHash: [7]))
    #expect(actions.first == .reportConflict(place(900_000), heldHash: [7]))
    #expect(actions.contains { if case .beginEpoch = $0 { true } else { false } })
    #expect(
      delivery.received(.expressAnswered([ExpressAnswer(position: place(900_000), refusal: "another")])).contains(
        .journalConflict(epoch: 1, 900_000...900_000, heldHash: [7])))
    var other = behind()
    #expect(
      other.received(.conflicted(place(900_000), heldHash: [7])) == [.endStream(.aboutUnsent(place(900_000)))])
  }

  @Test func `memory is bounded: the newest wait, in calls that every hub takes`() {
    var delivery = behind()
    _ = delivery.received(.urgent([alert(2_000)]))
    let many = (500_000..<510_000).map { alert($0, bytes: 300) }
    _ = delivery.received(.urgent(many))
    var sent: [UInt64] = []
    while let call = calls(delivery.received(.expressAnswered([]))).first {
      #expect(call.count <= FastLane.callRecordsMax)
      sent += call
    }
    #expect(sent == Array(510_000 - UInt64(FastLane.waitingMax)..<510_000))

    _ = delivery.received(.urgent((600_000..<600_100).map { alert($0, bytes: 60_000) }))
    var bytes = 0
    while let call = calls(delivery.received(.expressAnswered([]))).first {
      #expect(call.count * 60_000 <= FastLane.callBytesMax)
      bytes += call.count * 60_000
    }
    #expect((1..<FastLane.waitingBytesMax).contains(bytes))
    #expect(calls(delivery.received(.urgent([alert(700_000, bytes: FastLane.payloadBytesMax + 1)]))) == [])
  }
}
