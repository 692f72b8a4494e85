// The delivery core, one behaviour at a time.

import Evidence
import Replicator
import Testing

@Suite struct DeliveryTests {
  private func place(_ epoch: UInt32, _ sequence: UInt64) -> RecordPosition {
    RecordPosition(epoch: epoch, sequence: sequence)
  }

  private func welcome(_ holdings: [UInt32: UInt64], window: UInt32 = 1000) -> Delivery.Event {
    .welcomed(Welcome(holdings: holdings, windowRecords: window, batchBytesMax: 1 << 20))
  }

  private func run(_ first: RecordPosition, _ count: Int, isReport: Bool = false) -> RecordRun {
    let record = DeliveryRecord(time: 1, hash: [], payload: [1], isRejectionReport: isReport)
    return RecordRun(first: first, records: Array(repeating: record, count: count))
  }

  @Test func `the first message names every epoch with its head`() {
    var delivery = Delivery(heads: [place(2, 5), place(1, 9)], cursor: nil)
    #expect(delivery.received(.opened) == [.sendHello(heads: [place(1, 9), place(2, 5)], acknowledged: nil)])
  }

  @Test func `it resumes after what the hub holds, whatever the cursor says`() {
    var delivery = Delivery(heads: [place(1, 100)], cursor: place(1, 90))
    _ = delivery.received(.opened)
    #expect(
      delivery.received(welcome([1: 40])) == [
        .read(first: place(1, 41), recordsMax: 60, bytesMax: BatchSize.bytesMax)
      ])
    #expect(delivery.cursor == place(1, 90))
    #expect(delivery.lag == 60)
  }

  @Test func `no more than the window is under way`() {
    var delivery = Delivery(heads: [place(1, 1000)], cursor: nil)
    _ = delivery.received(.opened)
    #expect(
      delivery.received(welcome([:], window: 10)).last
        == .read(first: place(1, 1), recordsMax: 10, bytesMax: BatchSize.bytesMax))
    #expect(delivery.received(.read(run(place(1, 1), 10))) == [.send(run(place(1, 1), 10))])
    #expect(delivery.inFlight == 10)
    #expect(delivery.received(.acknowledged(place(1, 1))) == [.moveCursor(place(1, 1))])
    #expect(
      delivery.received(.acknowledged(place(1, 5))) == [
        .moveCursor(place(1, 5)), .read(first: place(1, 11), recordsMax: 5, bytesMax: BatchSize.bytesMax),
      ])
  }

  /// A link that takes so many bytes and breaks: what fits is acknowledged, what does not is lost.
  @Test func `over a link that breaks all the time batches shrink until they get through, and grow again`() {
    let (payload, carried) = (1_000, 20_000)
    let head: UInt64 = 2_000
    var delivery = Delivery(heads: [place(1, head)], cursor: nil)
    var (held, streams, sizes) = (UInt64(0), 0, [Int]())
    while held < head, streams < 500 {
      streams += 1
      _ = delivery.received(.opened)
      var actions = delivery.received(welcome([1: held], window: 10_000))
      var left = carried
      while case .read(let first, let recordsMax, let bytesMax)? = actions.last {
        sizes.append(bytesMax)
        let count = min(recordsMax, max(bytesMax / payload, 1))
        actions = delivery.received(.read(run(first, count)))
        left -= count * payload
        guard left >= 0 else { break }
        held = first.sequence + UInt64(count) - 1
        actions = delivery.received(.acknowledged(place(1, held)))
      }
      _ = delivery.received(.closed)
    }
    #expect(held == head)
    #expect(streams < 300)
    #expect(sizes.first == BatchSize.bytesMax)
    #expect(zip(sizes, sizes.dropFirst()).contains { $0 < $1 }, "none grew")
  }

  @Test func `a batch is never smaller than some kilobytes, and never larger than before`() {
    var size = BatchSize()
    for _ in 0..<50 { size.broke() }
    #expect(size.bytes == BatchSize.bytesMin && size.records == BatchSize.bytesMin / BatchSize.bytesPerRecord)
    for _ in 0..<50 { size.arrived() }
    #expect(size == BatchSize() && size.records == BatchSize.recordsMax)
  }

  @Test func `a countersignature is kept with the key that the hub named, and without a key it is nothing`() {
    let note = CheckpointNote(position: place(1, 3), note: "signed")
    for key in ["hub+key", nil] {
      var delivery = Delivery(heads: [place(1, 3)], cursor: nil)
      _ = delivery.received(.opened)
      _ = delivery.received(
        .welcomed(Welcome(holdings: [1: 3], windowRecords: 10, batchBytesMax: 100, countersigningKey: key)))
      #expect(delivery.received(.countersigned(note)) == (key.map { [.keepCountersignature(note, key: $0)] } ?? []))
    }
  }

  @Test func `what retention removed is not asked for, and is lost for a hub that lost it`() {
    var delivery = Delivery(heads: [place(1, 100)], cursor: place(1, 80))
    #expect(delivery.received(.based([1: 60])) == [])
    _ = delivery.received(.opened)
    #expect(
      delivery.received(welcome([1: 60])).last
        == .read(first: place(1, 61), recordsMax: 40, bytesMax: BatchSize.bytesMax))

    _ = delivery.received(.closed)
    _ = delivery.received(.opened)
    let actions = delivery.received(welcome([1: 20]))
    #expect(
      actions == [
        .sendLost(epoch: 1, 21...60), .read(first: place(1, 61), recordsMax: 40, bytesMax: BatchSize.bytesMax),
      ])

    // A hub that does not know of losses is left where it is.
    _ = delivery.received(.closed)
    _ = delivery.received(.opened)
    let old = Delivery.Event.welcomed(
      Welcome(holdings: [1: 20], windowRecords: 1000, batchBytesMax: 1 << 20, takesLost: false))
    #expect(delivery.received(old) == [])
  }

  @Test func `a journal that retention shortened is still known for one that was put back`() {
    var delivery = Delivery(heads: [place(1, 100)], cursor: place(1, 80))
    _ = delivery.received(.based([1: 60]))
    _ = delivery.received(.opened)
    guard case .beginEpoch = delivery.received(welcome([1: 200])).first else {
      Issue.record("no new epoch")
      return
    }
  }

  @Test func `the last checkpoint of each epoch is sent, once in a stream`() {
    let notes = [CheckpointNote(position: place(1, 9), note: "a"), CheckpointNote(position: place(2, 3), note: "b")]
    var delivery = Delivery(heads: [place(1, 9), place(2, 3)], cursor: place(2, 3))
    _ = delivery.received(.opened)
    #expect(delivery.received(welcome([1: 9, 2: 3])) == [])
    #expect(delivery.received(.sealed(notes[0])) == [.sendCheckpoint(notes[0])])
    #expect(delivery.received(.sealed(notes[1])) == [.sendCheckpoint(notes[1])])
    #expect(delivery.received(.sealed(notes[0])) == [])
    _ = delivery.received(.closed)
    _ = delivery.received(.opened)
    #expect(delivery.received(welcome([1: 9, 2: 3])) == notes.map { .sendCheckpoint($0) })
    #expect(
      delivery.received(.rejected(place(1, 9), reason: "no")) == [.reportRejection(place(1, 9), reason: "no")],
      "of a tree that differs from the hub's: each stream would end by it otherwise")
  }

  @Test func `the cursor does not move before the acknowledgement`() {
    var delivery = Delivery(heads: [place(1, 3)], cursor: place(1, 0))
    _ = delivery.received(.opened)
    let reading = delivery.received(welcome([:]))
    let sending = delivery.received(.read(run(place(1, 1), 3)))
    for action in reading + sending {
      if case .moveCursor(let moved) = action { Issue.record("moved to \(moved)") }
    }
    #expect(delivery.received(.acknowledged(place(1, 3))) == [.moveCursor(place(1, 3))])
  }

  @Test func `an acknowledgement of what was never sent ends the stream`() {
    var delivery = Delivery(heads: [place(1, 3)], cursor: nil)
    _ = delivery.received(.opened)
    _ = delivery.received(welcome([:]))
    #expect(
      delivery.received(.acknowledged(place(1, 3))) == [.endStream(.acknowledgedUnsent(place(1, 3), sent: 0))])
  }

  @Test(arguments: [
    Delivery.Event.acknowledged(RecordPosition(epoch: 1, sequence: 1)),
    .rejected(RecordPosition(epoch: 1, sequence: 1), reason: ""),
    .conflicted(RecordPosition(epoch: 1, sequence: 1), heldHash: []),
    .countersigned(CheckpointNote(position: RecordPosition(epoch: 1, sequence: 1), note: "")),
  ])
  func `an answer before the welcome ends the stream`(event: Delivery.Event) {
    var delivery = Delivery(heads: [place(1, 3)], cursor: nil)
    _ = delivery.received(.opened)
    #expect(delivery.received(event) == [.endStream(.messageBeforeWelcome)])
  }

  @Test func `a welcome without a window ends the stream`() {
    var delivery = Delivery(heads: [place(1, 3)], cursor: nil)
    _ = delivery.received(.opened)
    #expect(delivery.received(welcome([:], window: 0)) == [.endStream(.noWindow)])
  }

  @Test func `epochs go in order, and an epoch that is done gives way to the next`() {
    var delivery = Delivery(heads: [place(1, 2), place(2, 1)], cursor: nil)
    _ = delivery.received(.opened)
    _ = delivery.received(welcome([:]))
    let actions = delivery.received(.read(run(place(1, 1), 2)))
    #expect(
      actions == [
        .send(run(place(1, 1), 2)), .read(first: place(2, 1), recordsMax: 1, bytesMax: BatchSize.bytesMax),
      ])
  }

  @Test func `a checkpoint follows the records that it seals`() {
    let note = CheckpointNote(position: place(1, 2), note: "sealed")
    var delivery = Delivery(heads: [place(1, 2)], cursor: nil, checkpoint: note)
    _ = delivery.received(.opened)
    let reading = delivery.received(welcome([:]))
    #expect(!reading.contains(.sendCheckpoint(note)))
    #expect(delivery.received(.read(run(place(1, 1), 2))) == [.send(run(place(1, 1), 2)), .sendCheckpoint(note)])
  }

  @Test func `a rejection becomes one event, however often it is told`() {
    var delivery = Delivery(heads: [place(1, 2)], cursor: nil)
    _ = delivery.received(.opened)
    _ = delivery.received(welcome([:]))
    _ = delivery.received(.read(run(place(1, 1), 2)))
    #expect(delivery.received(.rejected(place(1, 2), reason: "no")) == [.journalRejection(place(1, 2), reason: "no")])
    #expect(delivery.received(.rejected(place(1, 2), reason: "no")) == [])
  }

  @Test func `the rejection of a rejection's report is logged and not journalled`() {
    var delivery = Delivery(heads: [place(1, 1)], cursor: nil)
    _ = delivery.received(.opened)
    _ = delivery.received(welcome([:]))
    _ = delivery.received(.read(run(place(1, 1), 1, isReport: true)))
    #expect(delivery.received(.rejected(place(1, 1), reason: "no")) == [.reportRejection(place(1, 1), reason: "no")])
  }

  @Test func `a hub that holds more than the journal makes a new epoch begin, and sees what was appended since`() {
    var delivery = Delivery(heads: [place(1, 520)], cursor: place(1, 498))
    _ = delivery.received(.opened)
    let actions = delivery.received(welcome([1: 800]))
    #expect(actions.contains { if case .beginEpoch = $0 { true } else { false } })
    #expect(actions.contains(.read(first: place(1, 499), recordsMax: 22, bytesMax: BatchSize.bytesMax)))
    _ = delivery.received(.read(run(place(1, 499), 22)))
    for sequence in 501...503 as ClosedRange<UInt64> {
      #expect(
        delivery.received(.conflicted(place(1, sequence), heldHash: [UInt8(sequence & 0xff)]))
          == [.reportConflict(place(1, sequence), heldHash: [UInt8(sequence & 0xff)])])
    }
    #expect(delivery.received(.conflicted(place(1, 503), heldHash: [7])) == [], "told twice")
    #expect(
      delivery.received(.conflicted(place(1, 510), heldHash: [7])) == [
        .reportConflict(place(1, 510), heldHash: [7]), .journalConflict(epoch: 1, 501...503, heldHash: [245]),
      ])
    #expect(
      delivery.received(.acknowledged(place(1, 800))) == [
        .journalConflict(epoch: 1, 510...510, heldHash: [7]), .moveCursor(place(1, 520)),
      ])
    #expect(
      delivery.received(.grew(place(2, 1)))
        == [.read(first: place(2, 1), recordsMax: 1, bytesMax: BatchSize.bytesMax)])
  }

  @Test func `what was appended just before an epoch began, and is told after, is sent in the same stream`() {
    var delivery = Delivery(heads: [place(1, 20)], cursor: place(1, 20))
    _ = delivery.received(.opened)
    #expect(delivery.received(welcome([1: 20])) == [])
    let all = BatchSize.bytesMax
    #expect(delivery.received(.grew(place(2, 1))) == [.read(first: place(2, 1), recordsMax: 1, bytesMax: all)])
    // While a read is under way nothing is read besides.
    #expect(delivery.received(.grew(place(1, 22))) == [])
    #expect(
      delivery.received(.read(run(place(2, 1), 1))) == [
        .send(run(place(2, 1), 1)), .read(first: place(1, 21), recordsMax: 2, bytesMax: all),
      ])
    #expect(delivery.received(.read(run(place(1, 21), 2))) == [.send(run(place(1, 21), 2))])
    #expect(delivery.received(.grew(place(2, 2))) == [.read(first: place(2, 2), recordsMax: 1, bytesMax: all)])
  }

  @Test func `a hub that holds later epochs makes one begin that is later still`() {
    var delivery = Delivery(heads: [place(1, 20)], cursor: place(1, 10))
    _ = delivery.received(.opened)
    let actions = delivery.received(welcome([1: 20, 3: 7]))
    let reason = "the hub holds records of epoch 3, the journal ends with epoch 1"
    #expect(actions.first == .beginEpoch(reason: reason, beyond: 3))
    var other = Delivery(heads: [place(1, 20)], cursor: nil)
    _ = other.received(.opened)
    #expect(other.received(welcome([9_999: 1])) == [.endStream(.epochsClaimed(9_999, last: 1))])
  }

  @Test func `what the cursor does not know of is confirmed by the hub's last record before anything follows it`() {
    var delivery = Delivery(heads: [place(1, 30)], cursor: place(1, 10))
    _ = delivery.received(.opened)
    #expect(
      delivery.received(welcome([1: 20]))
        == [.read(first: place(1, 20), recordsMax: 1, bytesMax: BatchSize.bytesMax)])
    #expect(delivery.received(.read(run(place(1, 20), 1))) == [.send(run(place(1, 20), 1))])
    #expect(
      delivery.received(.acknowledged(place(1, 20))) == [
        .moveCursor(place(1, 20)), .read(first: place(1, 21), recordsMax: 10, bytesMax: BatchSize.bytesMax),
      ])
  }

  @Test
  func
    `another record at the hub's end is sent behind the cursor again, and a new epoch begins with the first conflict`()
  {
    var delivery = Delivery(heads: [place(1, 30)], cursor: place(1, 10))
    _ = delivery.received(.opened)
    _ = delivery.received(welcome([1: 20]))
    _ = delivery.received(.read(run(place(1, 20), 1)))
    #expect(
      delivery.received(.conflicted(place(1, 20), heldHash: [7])) == [.endStream(.unconfirmed(place(1, 20)))])
    _ = delivery.received(.opened)
    #expect(
      delivery.received(welcome([1: 20]))
        == [.read(first: place(1, 11), recordsMax: 10, bytesMax: BatchSize.bytesMax)], "not beyond the hub's end")
    _ = delivery.received(.read(run(place(1, 11), 10)))
    let reason = "the hub holds another record under 1/18"
    #expect(
      delivery.received(.conflicted(place(1, 18), heldHash: [7]))
        == [.reportConflict(place(1, 18), heldHash: [7]), .beginEpoch(reason: reason, beyond: 1)])
    #expect(
      delivery.received(.conflicted(place(1, 19), heldHash: [7])) == [.reportConflict(place(1, 19), heldHash: [7])])
  }

  @Test func `what damage took is sent as lost in its place, and the epoch goes on behind it`() {
    var delivery = Delivery(heads: [place(1, 30), place(2, 1)], lost: [1: [11...20, 29...30]], cursor: nil)
    _ = delivery.received(.opened)
    #expect(
      delivery.received(welcome([:])).contains(
        .read(first: place(1, 1), recordsMax: 30, bytesMax: BatchSize.bytesMax)))
    // The journal's run ends at the gap.
    #expect(
      delivery.received(.read(run(place(1, 1), 10))) == [
        .send(run(place(1, 1), 10)), .sendLost(epoch: 1, 11...20),
        .read(first: place(1, 21), recordsMax: 10, bytesMax: BatchSize.bytesMax),
      ])
    #expect(
      delivery.received(.read(run(place(1, 21), 8))) == [
        .send(run(place(1, 21), 8)), .sendLost(epoch: 1, 29...30),
        .read(first: place(2, 1), recordsMax: 1, bytesMax: BatchSize.bytesMax),
      ])
    _ = delivery.received(.read(run(place(2, 1), 1)))
    _ = delivery.received(.acknowledged(place(1, 30)))
    #expect(delivery.received(.acknowledged(place(2, 1))) == [.moveCursor(place(2, 1))])
  }

  @Test func `what the hub holds of what damage took is neither sent nor told as lost`() {
    var delivery = Delivery(heads: [place(1, 30)], lost: [1: [11...20]], cursor: nil)
    _ = delivery.received(.opened)
    #expect(
      delivery.received(welcome([1: 15])) == [
        .moveCursor(place(1, 15)), .sendLost(epoch: 1, 16...20),
        .read(first: place(1, 21), recordsMax: 10, bytesMax: BatchSize.bytesMax),
      ])
    // A hub that has everything, also what came after the end that is known here.
    var behind = Delivery(heads: [place(1, 30), place(2, 1)], lost: [1: [11...20]], cursor: nil)
    _ = behind.received(.opened)
    #expect(
      behind.received(welcome([1: 40])) == [
        .read(first: place(2, 1), recordsMax: 1, bytesMax: BatchSize.bytesMax)
      ])
  }

  @Test func `to a hub that does not know of losses an epoch ends where its first one begins`() {
    var delivery = Delivery(heads: [place(1, 30), place(2, 1)], lost: [1: [11...20]], cursor: nil)
    _ = delivery.received(.opened)
    let old = Welcome(holdings: [1: 10], windowRecords: 100, batchBytesMax: 1 << 20, takesLost: false)
    #expect(
      delivery.received(.welcomed(old)) == [
        .read(first: place(2, 1), recordsMax: 1, bytesMax: BatchSize.bytesMax)
      ])
    #expect(delivery.lag == 1)
  }

  @Test
  func
    `what a cut took of the hub's answers is in the next welcome, and is told once it is known to be about the journal's records`()
  {
    let troubles: [Welcome.Trouble] = [
      .rejected(place(1, 9), reason: "known"), .rejected(place(1, 12), reason: "no"),
      .conflicted(place(1, 13), heldHash: [7]), .rejected(place(1, 99), reason: "beyond the journal"),
    ]
    var delivery = Delivery(heads: [place(1, 30), place(2, 1)], cursor: place(1, 10))
    #expect(
      delivery.received(.opened)
        == [.sendHello(heads: [place(1, 30), place(2, 1)], acknowledged: place(1, 10))])
    #expect(
      delivery.received(
        .welcomed(Welcome(holdings: [1: 20], windowRecords: 1000, batchBytesMax: 1 << 20, troubles: troubles)))
        == [.read(first: place(1, 20), recordsMax: 1, bytesMax: BatchSize.bytesMax)], "not before the proof")
    _ = delivery.received(.read(run(place(1, 20), 1)))
    #expect(
      delivery.received(.acknowledged(place(1, 20))).dropLast() == [
        .journalRejection(place(1, 12), reason: "no"), .reportConflict(place(1, 13), heldHash: [7]),
        .journalConflict(epoch: 1, 13...13, heldHash: [7]), .moveCursor(place(1, 20)),
      ])

    // Of a journal that was put back, the records behind the cursor are sent again instead.
    var other = Delivery(heads: [place(1, 15)], cursor: place(1, 10))
    _ = other.received(.opened)
    let actions = other.received(
      .welcomed(Welcome(holdings: [1: 20], windowRecords: 1000, batchBytesMax: 1 << 20, troubles: troubles)))
    #expect(!actions.contains { if case .journalRejection = $0 { true } else { false } })
  }

  @Test func `records that the journal does not have any more end the stream`() {
    var delivery = Delivery(heads: [place(1, 5)], cursor: nil)
    _ = delivery.received(.opened)
    _ = delivery.received(welcome([:]))
    #expect(
      delivery.received(.read(RecordRun(first: place(1, 1), records: []))) == [.endStream(.recordsMissing(place(1, 1)))]
    )
  }
}
