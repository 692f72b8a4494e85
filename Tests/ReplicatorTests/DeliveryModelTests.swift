// The delivery core against a simulated hub over a network that loses, cuts and repeats: whatever happens, in the end the hub holds the
// journal, each record once, and the cursor never stood beyond what the hub had.

import Evidence
import Replicator
import Simulation
import Testing

@Suite struct DeliveryModelTests {
  @Test(arguments: 0..<60 as Range<UInt64>)
  func `after any run of losses, cuts, restarts and repeats the hub holds every record once`(seed: UInt64) {
    var world = World(seed: seed)
    for _ in 0..<400 { world.step() }
    world.settle()
    #expect(world.failures.isEmpty, "seed \(seed): \(world.failures)")
    #expect(world.hub.conflicts.isEmpty, "seed \(seed)")
    for (place, record) in world.journal {
      if record.payload.first == SimulatedHub.poison {
        #expect(world.hub.rejected.contains(place), "seed \(seed): \(place)")
      } else {
        #expect(world.hub.records[place] == record.hash, "seed \(seed): \(place)")
      }
    }
    #expect(world.hub.records.count + world.hub.rejected.count == world.journal.count, "seed \(seed)")
    #expect(world.delivery.lag == 0, "seed \(seed)")
    #expect(world.hub.express.isEmpty, "seed \(seed): \(world.hub.express.keys.sorted())")
    let told = Set(world.journal.values.filter(\.isRejectionReport).map { String(decoding: $0.payload, as: UTF8.self) })
    for place in world.hub.rejected {
      #expect(told.contains("\(place): poison"), "seed \(seed): nobody was told that \(place) was rejected")
    }
    #expect(world.cursor == world.heads.last, "seed \(seed)")
    #expect(world.checkpoint.map { world.hub.checkpoints.contains($0.position) } ?? true, "seed \(seed)")
  }
}

/// The agent's side around the core, and a network of two queues that can be cut at any place.
private struct World {
  var random: SplitMix64
  var hub = SimulatedHub()
  var journal: [RecordPosition: DeliveryRecord] = [:]
  var heads: [RecordPosition] = [RecordPosition(epoch: 1, sequence: 0)]
  /// What survives a restart of the agent.
  var cursor: RecordPosition?
  var checkpoint: CheckpointNote?
  var delivery: Delivery
  var failures: [String] = []
  private var isOpen = false
  private var up: [Delivery.Action] = []
  private var down: [Delivery.Event] = []
  private var pendingReads: [Delivery.Action] = []

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    delivery = Delivery(heads: heads, cursor: nil, expressBehind: 5)
  }

  mutating func step() {
    switch Int.random(in: 0..<100, using: &random) {
    case 0..<25: append(Int.random(in: 1...40, using: &random))
    case 25..<30: beginEpoch()
    case 30..<34: seal()
    case 34..<40: cut()
    case 40..<43: restart()
    case 43..<45: forget()
    case 45..<60: if !isOpen { open() }
    case 60..<75: answerRead()
    case 75..<90: hubReceives()
    default: agentReceives()
    }
  }

  /// Lets everything arrive.
  mutating func settle() {
    for _ in 0..<100_000 {
      if !isOpen { open() }
      if pendingReads.isEmpty, up.isEmpty, down.isEmpty { return }
      answerRead()
      hubReceives()
      agentReceives()
    }
    failures.append("it never came to rest")
  }

  private mutating func append(_ count: Int) {
    for _ in 0..<count {
      let isPoison = Int.random(in: 0..<60, using: &random) == 0
      write([isPoison ? SimulatedHub.poison : 1, UInt8.random(in: 0...255, using: &random)])
    }
    tell(.grew(heads[heads.count - 1]))
    guard let last = journal[heads[heads.count - 1]], last.payload[1] < 128 else { return }
    tell(.urgent([ExpressRecord(position: heads[heads.count - 1], record: last)]))
  }

  private mutating func write(_ payload: [UInt8], isReport: Bool = false) {
    heads[heads.count - 1].sequence += 1
    let hash = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
    journal[heads[heads.count - 1]] = DeliveryRecord(
      time: 0, hash: hash, payload: payload, isRejectionReport: isReport)
  }

  private mutating func beginEpoch() {
    guard heads[heads.count - 1].sequence > 0, heads.count < 4 else { return }
    heads.append(RecordPosition(epoch: heads[heads.count - 1].epoch + 1, sequence: 0))
    tell(.grew(heads[heads.count - 1]))
  }

  private mutating func seal() {
    guard heads[heads.count - 1].sequence > 0 else { return }
    let note = CheckpointNote(position: heads[heads.count - 1], note: "note")
    checkpoint = note
    tell(.sealed(note))
  }

  private mutating func cut() {
    guard isOpen else { return }
    isOpen = false
    (up, down, pendingReads) = ([], [], [])
    _ = delivery.received(.closed)
  }

  /// The agent dies: only journal and cursor remain.
  private mutating func restart() {
    cut()
    delivery = Delivery(heads: heads, cursor: cursor, checkpoint: checkpoint, expressBehind: 5)
  }

  /// The hub is restored from a backup while nobody is connected.
  private mutating func forget() {
    guard !isOpen, let head = heads.last, head.sequence > 3 else { return }
    hub.lose(head.epoch, after: UInt64.random(in: 0...head.sequence, using: &random))
  }

  private mutating func open() {
    isOpen = true
    perform(delivery.received(.opened))
  }

  private mutating func answerRead() {
    guard !pendingReads.isEmpty, case .read(let first, let recordsMax, _) = pendingReads.removeFirst() else { return }
    var records: [DeliveryRecord] = []
    var place = first
    let count = Int.random(in: 1...recordsMax, using: &random)
    while records.count < count, let record = journal[place] {
      records.append(record)
      place.sequence += 1
    }
    tell(.read(RecordRun(first: first, records: records)))
  }

  private mutating func hubReceives() {
    guard !up.isEmpty else { return }
    switch up.removeFirst() {
    case .sendHello(_, let acknowledged):
      down.append(
        .welcomed(
          Welcome(
            holdings: hub.holdings(), windowRecords: UInt32.random(in: 1...80, using: &random), batchBytesMax: 1 << 20,
            troubles: hub.troubles(after: acknowledged))))
    case .sendExpress(let records):
      // Beside the stream: it may be answered at any moment, or not at all.
      let answers = records.flatMap { hub.keepExpress($0) }.map(Delivery.Event.init)
      let end = Int.random(in: 0..<8, using: &random) == 0 ? [.expressFailed] : answers + [.expressAnswered([])]
      down.insert(contentsOf: end, at: Bool.random(using: &random) ? 0 : down.count)
    case .send(let run):
      guard let answers = hub.commit(run) else { return failures.append("a gap before \(run.first)") }
      down += answers.map(Delivery.Event.init)
      // Repeats and late acknowledgements are allowed and mean nothing.
      if Bool.random(using: &random), let last = down.last { down.append(last) }
    case .sendCheckpoint(let note):
      if note.position.sequence > hub.holdings()[note.position.epoch] ?? 0 {
        failures.append("a checkpoint before its records")
      }
      hub.seal(note.position)
    default: break
    }
  }

  private mutating func agentReceives() {
    if !down.isEmpty { tell(down.removeFirst()) }
  }

  private mutating func tell(_ event: Delivery.Event) { perform(delivery.received(event)) }

  private mutating func perform(_ actions: [Delivery.Action]) {
    for action in actions {
      switch action {
      case .sendHello, .send, .sendCheckpoint, .sendExpress: up.append(action)
      case .read: pendingReads.append(action)
      case .moveCursor(let place): moveCursor(place)
      case .journalRejection(let place, let reason):
        if journal[place]?.payload.first != SimulatedHub.poison { failures.append("a rejection of what is fine") }
        write(Array("\(place): \(reason)".utf8), isReport: true)
        tell(.grew(heads[heads.count - 1]))
      case .reportRejection, .beginEpoch, .sendLost, .keepCountersignature, .reportExpressRefused, .journalConflict:
        failures.append("unexpected \(action)")
      case .reportConflict(let place, _): failures.append("a conflict at \(place)")
      case .endStream(let violation):
        if case .unconfirmed = violation {} else { failures.append("\(violation)") }
        cut()
      }
    }
  }

  private mutating func moveCursor(_ place: RecordPosition) {
    cursor = place
    // The hub must have everything up to the cursor, in this epoch and those before.
    let held = hub.holdings()
    for head in heads where head.epoch <= place.epoch {
      let needed = head.epoch == place.epoch ? place.sequence : head.sequence
      if held[head.epoch] ?? 0 < needed { failures.append("the cursor ran ahead of the hub at \(place)") }
    }
  }
}
