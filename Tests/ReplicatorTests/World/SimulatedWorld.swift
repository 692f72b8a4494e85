// An agent, a hub and the network between them, on one timeline: what one seed does, it does again.
//
//     collect ──> journal ──look──> core ──(network)──> hub: received ──commit──> committed
//                    ^                ^                                              │
//                    └──keepCursor────┴──────────────────(network)───────────────────┘
//
// Between all of these there are moments, and at each of them something may go wrong (`Fault`). The journal is real, as is what
// delivery sees of it; it commits on the thread of its writer, for which this one waits, so that nothing is left to the machine.

import CrashImages
import Evidence
import Foundation
import Journal
import Replicator
import OpenSSL
import Simulation

final class SimulatedWorld {
  enum Happening {
    // At the agent. What belongs to one life of it ends with that.
    case startAgent
    case collect(life: Int)
    case look(life: Int)
    case connect(life: Int)
    case keepCursor(life: Int)
    case learnOfCut(connection: Int)
    case mendDisk(life: Int)
    // On the way.
    case arriveAtHub(connection: Int, Delivery.Action)
    case arriveAtAgent(connection: Int, Delivery.Event)
    /// What answers one request has all arrived.
    case answered(connection: Int)
    // At the hub.
    case startHub
    case commit(life: Int)
    case fault
  }

  var random: SplitMix64
  var timeline = Timeline<Happening>()
  var trace = RunTrace()
  var failures: [String] = []
  let agent: SimulatedAgent
  let mode: DeliveryMode
  var network = SimulatedNetwork()
  /// What the hub's database has committed.
  var hub = SimulatedHub()
  /// What it has received since.
  var received: [(connection: Int, action: Delivery.Action)] = []
  var isHubUp = true
  var hubLife = 0
  var hubBackup = SimulatedHub()
  /// Every hash that the hub ever committed, also what it forgot again.
  private var everCommitted: [RecordPosition: Set<[UInt8]>] = [:]
  var conflictsTold: Set<RecordPosition> = []
  var agentBackup: JournalImage?
  /// The agent's next start is from a copy.
  var isPutBack = false
  /// From then on the hub is not put back any more.
  var isHubWhole = false
  var brokenDisk: BrokenWrites?
  /// Faults yet to come; when there are none, the dust settles.
  var faultsLeft: Int

  init(seed: UInt64, faults: Int) throws {
    random = SplitMix64(seed: seed)
    mode = Bool.random(using: &random) ? .service : .normal
    agent = try SimulatedAgent(random: &random)
    faultsLeft = faults
  }

  /// Lets everything happen until nothing is left to happen.
  func run() async throws {
    timeline.plan(.startAgent, in: .zero)
    timeline.plan(.fault, in: .seconds(2))
    var moments = 0
    while failures.isEmpty, let happening = timeline.next() {
      agent.clock.turn(to: timeline.now)
      try await happen(happening)
      moments += 1
      guard moments < 200_000 else { return failures.append("it never came to rest") }
    }
  }

  private func happen(_ happening: Happening) async throws {
    switch happening {
    case .startAgent: try await startAgent()
    case .collect(agent.life): try await collect()
    case .look(agent.life): try await look()
    case .connect(agent.life): try await connect()
    case .keepCursor(agent.life): try await keepCursor()
    case .mendDisk(agent.life): mendDisk()
    case .collect, .look, .connect, .keepCursor, .mendDisk: break
    case .learnOfCut(let connection): loseConnection(connection)
    case .arriveAtHub(let connection, let action):
      if network.arrivesUp(connection, now: timeline.now) { arriveAtHub(connection, action) }
    case .arriveAtAgent(let connection, let event):
      guard agent.running?.connection == connection, network.arrivesDown(connection, now: timeline.now) else { return }
      try await tell(event)
    case .answered(let connection): try await answered(connection)
    case .startHub:
      isHubUp = true
      note("hub starts")
    case .commit(hubLife): commit()
    case .commit: break
    case .fault: try await fault()
    }
  }

  func note(_ what: String) { trace.note("\(timeline.now / 1_000_000) \(what)") }

  func milliseconds(_ range: ClosedRange<Int>) -> Duration { .milliseconds(Int.random(in: range, using: &random)) }
}

// MARK: the agent

extension SimulatedWorld {
  private func startAgent() async throws {
    try await agent.start()
    guard let running = agent.running else { return }
    if isPutBack { try agent.ledger.goBack(to: running.journal.reader) }
    isPutBack = false
    try agent.ledger.expectWhole(running.journal.reader)
    note("agent starts at \(running.knownHead), cursor \(running.delivery.cursor.map { "\($0)" } ?? "nowhere")")
    timeline.plan(.collect(life: agent.life), in: milliseconds(10...1_000))
    timeline.plan(.connect(life: agent.life), in: milliseconds(1...300))
    planLook()
  }

  /// The journal refused something that delivery cannot do without: the program ends and is started again.
  private func restart(because error: any Error) async {
    note("agent ends: the journal refuses")
    if let connection = agent.running?.connection { network.cut(connection, now: timeline.now, &random) }
    brokenDisk = nil
    await agent.stop()
    timeline.plan(.startAgent, in: .seconds(1))
  }

  private func planLook() { timeline.plan(.look(life: agent.life), in: milliseconds(1...100)) }

  private func collect() async throws {
    if faultsLeft > 0 { timeline.plan(.collect(life: agent.life), in: milliseconds(20...1_500)) }
    guard let journal = agent.running?.journal else { return }
    let payloads = somePayloads()
    do throws(JournalError) {
      let positions = try await journal.append(payloads)
      note("appended \(positions.first.map { "\($0)" } ?? "") and on, \(positions.count)")
    } catch { note("append refused") }
    try agent.ledger.learn(from: journal.reader)
    planLook()
  }

  func somePayloads() -> [[UInt8]] {
    (0..<Int.random(in: 1...12, using: &random)).map { _ in
      [random.once(in: 60) ? SimulatedHub.poison : random.once(in: 20) ? SimulatedAgent.alert : 1]
        + random.bytes(Int.random(in: 8...200, using: &random))
    }
  }

  /// Tells the core what is new in the journal.
  private func look() async throws {
    guard let running = agent.running else { return }
    let head = try await running.source.heads().last ?? .start
    let urgent = try await running.source.urgentRecords(after: running.looked, through: head)
    _ = agent.update { $0.looked = max($0.looked, head) }
    defer { if !urgent.isEmpty { note("alerts: \(urgent.map(\.position))") } }
    let (heads, checkpoint) = (try await running.source.heads(), try await running.source.checkpoint())
    for head in heads where head > running.knownHead { try await tell(.grew(head)) }
    if let checkpoint, checkpoint.position != running.knownCheckpoint { try await tell(.sealed(checkpoint)) }
    if !urgent.isEmpty { try await tell(.urgent(urgent)) }
    _ = agent.update {
      $0.knownHead = heads.last ?? $0.knownHead
      $0.knownCheckpoint = checkpoint?.position
    }
  }

  private func connect() async throws {
    guard agent.running != nil, agent.running?.connection == nil else { return }
    guard isHubUp else { return planConnect() }
    let connection = network.connect(toHub: hubLife)
    _ = agent.update { ($0.connection, $0.unanswered) = (connection, 0) }
    note("connected as \(connection)")
    try await tell(.opened)
  }

  /// A request was answered. In normal mode the check-in is over with the last; the next one comes if there is anything left to come.
  private func answered(_ connection: Int) async throws {
    guard let running = agent.running, running.connection == connection else { return }
    _ = agent.update { $0.unanswered -= 1 }
    guard mode == .normal, running.unanswered == 1 else { return }
    note("check-in \(connection) is over")
    network.cut(connection, now: timeline.now, &random)
    _ = agent.update {
      $0.connection = nil
      _ = $0.delivery.received(.closed)
    }
    let isDone = try await running.source.cursor() ?? .start >= agent.ledger.last && running.dueCursor == nil
    if faultsLeft > 0 || !isDone { timeline.plan(.connect(life: agent.life), in: milliseconds(500...10_000)) }
  }

  private func planConnect() {
    guard var backoff = agent.running?.backoff else { return }
    let delay = backoff.failed(using: &random)
    _ = agent.update { $0.backoff = backoff }
    timeline.plan(.connect(life: agent.life), in: delay)
  }

  func loseConnection(_ connection: Int) {
    guard agent.running?.connection == connection else { return }
    note("agent learns that \(connection) is cut")
    _ = agent.update {
      $0.connection = nil
      _ = $0.delivery.received(.closed)
    }
    planConnect()
  }

  private func tell(_ event: Delivery.Event) async throws {
    if case .acknowledged = event { _ = agent.update { $0.backoff.succeeded() } }
    var due = agent.update { $0.delivery.received(event) } ?? []
    var index = 0
    do {
      while index < due.count {
        due += try await perform(due[index])
        index += 1
      }
    } catch let error as JournalError { await restart(because: error) }
  }

  /// Does what the core asks for, as the replicator does. Returns what the core wants done because of it.
  private func perform(_ action: Delivery.Action) async throws -> [Delivery.Action] {
    guard let running = agent.running else { return [] }
    switch action {
    case .sendHello, .send, .sendLost, .sendCheckpoint:
      guard let connection = running.connection else { return [] }
      _ = agent.update { $0.unanswered += 1 }
      if let arrival = network.sendUp(connection, now: timeline.now, &random) {
        timeline.plan(.arriveAtHub(connection: connection, action), at: arrival)
      }
    case .sendExpress:
      guard let connection = running.connection else { return [] }
      _ = agent.update { $0.unanswered += 1 }
      if let arrival = network.sendAside(connection, now: timeline.now, &random) {
        timeline.plan(.arriveAtHub(connection: connection, action), at: arrival)
      }
    case .reportExpressRefused(let position, _): failures.append("the hub has room for \(position)")
    case .journalConflict(let epoch, let range, let heldHash):
      try await running.source.appendConflict(epoch: epoch, range, heldHash: heldHash)
      note("journalled the conflict of \(epoch)/\(range)")
      try agent.ledger.learn(from: running.journal.reader)
      planLook()
    case .read(let first, let recordsMax, let bytesMax):
      let count = Int.random(in: 1...recordsMax, using: &random)
      let run = try await running.source.records(from: first, recordsMax: count, bytesMax: bytesMax)
      return agent.update { $0.delivery.received(.read(run)) } ?? []
    case .moveCursor(let position):
      if running.dueCursor == nil { timeline.plan(.keepCursor(life: agent.life), in: milliseconds(0...50)) }
      _ = agent.update { $0.dueCursor = position }
    case .journalRejection(let position, let reason):
      try await running.source.appendRejection(of: position, reason: reason)
      note("journalled the rejection of \(position)")
      try agent.ledger.learn(from: running.journal.reader)
      planLook()
    case .reportRejection(let position, _): note("the hub does not take the checkpoint \(position)")
    case .keepCountersignature: failures.append("this hub signs nothing")
    case .reportConflict(let position, _):
      note("conflict at \(position)")
      conflictsTold.insert(position)
    case .beginEpoch(let reason, let beyond):
      let head = try await running.source.beginEpoch(reason: reason, beyond: beyond)
      note("epoch \(head.epoch) begins: \(reason)")
      try agent.ledger.learn(from: running.journal.reader)
      planLook()
      return agent.update { $0.delivery.received(.grew(head)) } ?? []
    case .endStream(let violation):
      note("agent ends the stream: \(violation)")
      if let connection = running.connection {
        network.cut(connection, now: timeline.now, &random)
        loseConnection(connection)
      }
    }
    return []
  }

  private func keepCursor() async throws {
    guard let running = agent.running, let position = running.dueCursor else { return }
    _ = agent.update { $0.dueCursor = nil }
    let before = try await running.source.cursor() ?? .start
    do {
      try await running.source.moveCursor(to: position)
      note("cursor at \(position)")
    } catch let error as JournalError { return await restart(because: error) }
    // Everything between must have been committed by the hub, as it is here.
    for (place, hash) in agent.ledger.records where place > before && place <= position {
      if everCommitted[place]?.contains(hash) != true, !hub.hasRejected(hash, at: place) {
        failures.append("the cursor went to \(position), and the hub never committed \(place)")
      }
    }
  }

  private func mendDisk() {
    note("disk mended")
    brokenDisk.take()?.mend()
  }
}

// MARK: the hub

extension SimulatedWorld {
  private func arriveAtHub(_ connection: Int, _ action: Delivery.Action) {
    guard isHubUp, network.hub(of: connection) == hubLife else { return }
    if case .sendExpress(let records) = action {
      // A call of its own: it waits for nothing that the stream has brought.
      note("hub keeps ahead of their turn: \(records.map(\.position))")
      let told = records.flatMap { hub.keepExpress($0) }.map(Delivery.Event.init)
      return aside(connection, random.once(in: 6) ? [.expressFailed] : told + [.expressAnswered([])])
    }
    if case .sendHello(_, let acknowledged) = action {
      let window = UInt32.random(in: 1...80, using: &random)
      let holdings = hub.holdings()
      note("hub welcomes \(connection), holds \(holdings.sorted { $0.key < $1.key }.map { "\($0.key)/\($0.value)" })")
      let welcome = Welcome(
        holdings: holdings, windowRecords: window, batchBytesMax: 1 << 16, troubles: hub.troubles(after: acknowledged))
      answer(connection, .welcomed(welcome))
      return endAnswer(connection)
    }
    if received.isEmpty { timeline.plan(.commit(life: hubLife), in: milliseconds(1...300)) }
    received.append((connection, action))
  }

  private func answer(_ connection: Int, _ event: Delivery.Event) {
    guard let arrival = network.sendDown(connection, now: timeline.now, &random) else { return }
    timeline.plan(.arriveAtAgent(connection: connection, event), at: arrival)
  }

  /// Nothing more belongs to the answer.
  private func endAnswer(_ connection: Int) {
    guard let arrival = network.sendDown(connection, now: timeline.now, &random) else { return }
    timeline.plan(.answered(connection: connection), at: arrival)
  }

  private func aside(_ connection: Int, _ events: [Delivery.Event]) {
    guard let arrival = network.sendAside(connection, now: timeline.now, &random) else { return }
    for event in events { timeline.plan(.arriveAtAgent(connection: connection, event), at: arrival) }
    timeline.plan(.answered(connection: connection), at: arrival)
  }

  /// One transaction with all that came; then it is answered.
  private func commit() {
    let batch = received
    received = []
    for (connection, action) in batch {
      switch action {
      case .send(let run):
        guard let answers = hub.commit(run) else { return failures.append("a gap before \(run.first)") }
        note("hub commits \(run.records.count) from \(run.first)")
        for (offset, record) in run.records.enumerated() {
          let place = RecordPosition(epoch: run.first.epoch, sequence: run.first.sequence + UInt64(offset))
          everCommitted[place, default: []].insert(record.hash)
        }
        for event in answers.map(Delivery.Event.init) { answer(connection, event) }
        endAnswer(connection)
      case .sendCheckpoint(let checkpoint):
        if checkpoint.position.sequence > hub.holdings()[checkpoint.position.epoch] ?? 0 {
          failures.append("a checkpoint before its records: \(checkpoint.position)")
        }
        let stated = try? Checkpoint(text: SignedNote(bytes: Array(checkpoint.note.utf8)).text)
        guard stated?.root == hub.root(checkpoint.position) else {
          note("hub refuses the checkpoint \(checkpoint.position)")
          answer(connection, .rejected(checkpoint.position, reason: "its root is not that of the records"))
          endAnswer(connection)
          continue
        }
        hub.seal(checkpoint.position)
        endAnswer(connection)
      default: failures.append("unexpected \(action)")
      }
    }
  }
}

extension Delivery.Event {
  init(_ answer: SimulatedHub.Answer) {
    self =
      switch answer {
      case .acknowledged(let place): .acknowledged(place)
      case .rejected(let place): .rejected(place, reason: "poison")
      case .conflicted(let place, let hash): .conflicted(place, heldHash: hash)
      }
  }
}
