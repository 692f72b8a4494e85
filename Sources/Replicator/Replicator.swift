// The shell around `Delivery`: streams to dcam, one after the other, for as long as the agent lives.
//
//    run ── wait for an identity ── connect ── stream ── it ends ── back off ──.
//            ^                                                                 |
//            '-----------------------------------------------------------------'
//
//    In normal mode a check-in stands in the stream's place, and when it is over the next one is waited for.
//
//    A journal that can take nothing for a while (a full disk) ends all this as the agent's end would: it begins anew with what the
//    journal knows, once that can be written again.
//
//    stream:  hub's messages ──> inbox ──> Delivery ──> actions ──> outbox ──> the stream
//             journal's head ──> inbox                         |──> reads, when the outbox has room ──> inbox
//                                                              |──> cursor keeper (newest position only)
//                                                              '──> fast lane: calls beside the stream ──> inbox
//
// Everything that happens in a stream goes through one inbox and is dealt with in one place, so that the core needs no lock of its own. A
// failure of the stream leaves journal and cursor as they are; the next stream begins with what the hub says it holds.

package import Logging

internal import Evidence
internal import GRPCCore
internal import GRPCWire
internal import HubProtocol
internal import SwiftProtobuf
internal import OpenSSL
internal import Platform
internal import Synchronization
internal import TLS

/// What an agent says of itself at the start of a stream.
package struct AgentIntroduction: Sendable {
  /// 16 bytes.
  package var journalID: [UInt8]
  /// Ed25519, 32 bytes.
  package var journalPublicKey: [UInt8]
  package var agentVersion: String
  /// Whether there is somebody who does what the hub wants done.
  package var takesJobs: Bool

  package init(journalID: [UInt8], journalPublicKey: [UInt8], agentVersion: String, takesJobs: Bool = false) {
    self.takesJobs = takesJobs
    self.journalID = journalID
    self.journalPublicKey = journalPublicKey
    self.agentVersion = agentVersion
  }
}

/// Delivers the journal to the hub.
package final class Replicator: Sendable {
  /// Messages of the hub that wait to be dealt with. Each is a few bytes and the window bounds how many make sense
  /// (`Delivery.windowRecordsMax`); a hub that sends more than this at once is broken.
  static let inboxMax = 65_536
  /// What to wait, besides jitter, before asking a hub again that refused this agent: somebody must act first.
  static let refusedPause: Duration = .seconds(60)
  /// What to wait before the journal is tried again that could take nothing.
  static let journalPause: Duration = .seconds(5)
  /// How long a hub may take to connect, look the certificate up and say what it holds. One that takes longer is not worth holding on to.
  static let welcomeMax: Duration = .seconds(30)
  /// How long a hub may take for one exchange of a check-in: a batch over a slow line, and a commit that waits for others.
  static let exchangeMax: Duration = .seconds(60)
  /// How often a check-in that goes on looks for what came meanwhile.
  static let lookInterval: Duration = .milliseconds(250)
  /// What is waited between two check-ins where neither hub nor configuration says anything.
  package static let checkInInterval: Duration = .seconds(300)
  /// A hub that asks for more than this is taken at this: a supply lasts hours.
  package static let checkInLongest: Duration = .seconds(3_600)
  /// A hub that asks for less is taken at this, or it would be asked without a pause.
  package static let checkInShortest: Duration = .seconds(1)

  /// Jobs of one answer that are taken; the hub repeats what is not.
  static let jobsAtOnceMax = 64

  private let source: any DeliverySource
  private let targets: any DeliveryTargets
  private let introduction: AgentIntroduction
  private let schedule: CheckInSchedule?
  private let journalRecovers: @Sendable (any Error) -> Bool
  private let logger: Logger
  private let takeJob: @Sendable (HubJob) -> Void
  private let observe: @Sendable (DeliveryStatus) -> Void
  private let shared: Mutex<DeliveryStatus>
  /// Finished, it ends the wait for the next attempt.
  private let bell = Mutex<AsyncStream<Never>.Continuation?>(nil)

  /// - Parameters:
  ///   - schedule: of check-ins, in normal mode; nil: service mode.
  ///   - journalRecovers: whether what the source threw passes without a restart, as a full disk does.
  ///   - takeJob: told of each job that the hub sends, as often as it sends it; it must not block. The hub has proved to be the one that this
  ///     agent is enrolled with: nothing else is spoken to.
  ///   - observe: told of each change of the status, from any task; it must not block.
  package init(
    source: any DeliverySource, targets: any DeliveryTargets, introduction: AgentIntroduction,
    schedule: CheckInSchedule? = nil,
    journalRecovers: @escaping @Sendable (any Error) -> Bool, logger: Logger,
    takeJob: @escaping @Sendable (HubJob) -> Void = { _ in },
    observe: @escaping @Sendable (DeliveryStatus) -> Void
  ) {
    self.source = source
    self.targets = targets
    self.introduction = introduction
    self.schedule = schedule
    self.journalRecovers = journalRecovers
    self.logger = logger
    self.takeJob = takeJob
    self.observe = observe
    let target = targets.current()
    var status = DeliveryStatus(state: target == nil ? .notEnrolled : .connecting)
    status.mode = schedule == nil ? .service : .normal
    if let target { status.hub = target.address.description }
    shared = Mutex(status)
  }

  package var status: DeliveryStatus { shared.withLock { $0 } }

  /// Makes the next attempt or check-in now if it is being waited for: the status is `connecting` when this returns. Does nothing else, least
  /// of all where the hub has refused this agent.
  package func hurry() {
    switch status.state {
    case .waiting, .checkedIn: break
    default: return
    }
    update { $0.state = .connecting }
    bell.withLock { $0?.finish() }
  }

  /// Delivers until the task is cancelled.
  /// - Throws: `CancellationError`, or an error of the journal itself that does not pass.
  package func run() async throws {
    while true {
      do { try await deliver() } catch let failure as SourceFailure {
        guard journalRecovers(failure.cause) else { throw failure.cause }
        update { ($0.state, $0.lag) = (.journalFull(reason: "\(failure.cause)"), nil) }
        logger.warning(
          "delivery is interrupted: the journal cannot be written",
          metadata: ["reason": "\(failure.cause)", "retry_in": "\(Self.journalPause.spoken)"])
        try await Task.sleep(for: Self.journalPause)
      }
    }
  }

  /// Delivers until the journal fails.
  private func deliver() async throws {
    let (delivery, cursor) = try await fromSource { source in
      let cursor = try await source.cursor()
      let delivery = SharedDelivery(
        Delivery(
          heads: try await source.heads(), lost: try await source.lost(), cursor: cursor,
          checkpoint: try await source.checkpoint()))
      return (delivery, cursor)
    }
    update { $0.acknowledged = cursor }
    var backoff = Backoff()
    var generator = SystemRandomNumberGenerator()
    while true {
      try Task.checkCancellation()
      guard let target = targets.current() else {
        update { ($0.state, $0.lag) = (.notEnrolled, nil) }
        try await targets.changed(from: nil)
        continue
      }
      guard Machine.milliseconds / 1000 <= target.usableUntil else {
        logger.error("the certificate has ended", metadata: ["hub": "\(target.address)"])
        update { $0.state = .certificateExpired }
        try await targets.changed(from: target)
        continue
      }
      update { ($0.state, $0.hub, $0.nextCheckIn) = (.connecting, target.address.description, nil) }
      let ending = try await attempt(target, delivery)
      delivery.value.withLock { _ = $0.received(.closed) }
      if delivery.takeProgress() { backoff.succeeded() }
      let (silence, bell) = AsyncStream.makeStream(of: Never.self)
      self.bell.withLock { $0 = bell }
      let delay: Duration
      switch ending {
      case .otherIdentity: continue
      case .checkedIn(let next):
        backoff.succeeded()
        delay = next
        update { ($0.state, $0.nextCheckIn) = (.checkedIn, Machine.milliseconds + next.milliseconds) }
      case .ended(let ending): delay = pause(after: ending, &backoff, &generator)
      }
      try await first(
        { try await Task.sleep(for: delay) }, { try await self.targets.changed(from: target) },
        { for await _ in silence {} })
    }
  }

  private enum Ending {
    case otherIdentity
    /// Everything was answered; the next check-in is due after this.
    case checkedIn(next: Duration)
    case ended(StreamEnding)
  }

  /// One stream, or one check-in. Returns how it ended.
  private func attempt(_ target: DeliveryTarget, _ delivery: SharedDelivery) async throws -> Ending {
    let next = Mutex<Duration?>(nil)
    do {
      try await first(
        {
          guard let schedule = self.schedule else { return try await self.stream(to: target, delivery) }
          let asked = try await self.checkIn(to: target, delivery)
          next.withLock { $0 = schedule.pause(asked: asked) }
        }, { try await self.targets.changed(from: target) })
      return next.withLock { $0 }.map { .checkedIn(next: $0) } ?? .otherIdentity
    } catch let error as CancellationError {
      throw error
    } catch let error as SourceFailure {
      throw error
    } catch {
      try Task.checkCancellation()
      return .ended(StreamEnding(error))
    }
  }

  private func pause(
    after ending: StreamEnding, _ backoff: inout Backoff, _ generator: inout SystemRandomNumberGenerator
  ) -> Duration {
    switch ending {
    case .unavailable(let trouble, let hint):
      update { ($0.state, $0.lag) = (.waiting(trouble), nil) }
      let delay = backoff.failed(hint: hint, using: &generator)
      logger.warning("delivery is interrupted", metadata: Self.metadata(trouble, delay))
      return delay
    case .refused(let trouble):
      update { ($0.state, $0.lag) = (.refused(trouble), nil) }
      let delay = backoff.failed(hint: Self.refusedPause, using: &generator)
      logger.error("the hub refuses this agent", metadata: Self.metadata(trouble, delay))
      return delay
    case .foreign(let trouble):
      update { ($0.state, $0.lag) = (.foreign(trouble), nil) }
      let delay = backoff.failed(hint: Self.refusedPause, using: &generator)
      logger.error("what answers is not this agent's hub", metadata: Self.metadata(trouble, delay))
      return delay
    }
  }

  private static func metadata(_ trouble: DeliveryStatus.Trouble, _ delay: Duration) -> Logger.Metadata {
    ["reason": "\(trouble.reason)", "remedy": "\(trouble.remedy)", "retry_in": "\(delay.spoken)"]
  }

  private func update(_ change: (inout DeliveryStatus) -> Void) {
    let changed = shared.withLock { status -> DeliveryStatus? in
      let before = status
      change(&status)
      return status == before ? nil : status
    }
    if let changed { observe(changed) }
  }
}

// MARK: one check-in

extension Replicator {
  /// Delivers what the journal has now, in as many exchanges as that takes. Returns when the hub wants to hear of us again, if it says so.
  private func checkIn(to target: DeliveryTarget, _ delivery: SharedDelivery) async throws -> Duration? {
    try await withGRPCClient(transport: transport(to: target)) { client in
      let service = Printtrail_Dcam_V1_DeviceCollection.Client(wrapping: client)
      let calls = CheckInCalls(service, introduction)
      let line = CheckInLine(
        calls, source: source, moved: { position in self.update { $0.acknowledged = position } }, takeJob: self.takeJob)
      for event in try await self.news(delivery) { _ = delivery.received(event) }
      var looked = ContinuousClock.now
      try await self.begin(delivery, line)
      while let event = line.next() {
        try Task.checkCancellation()
        try await self.deal(with: event, delivery, line)
        // A backlog takes its time; who is in a hurry does not wait for its end.
        guard looked.duration(to: .now) >= Self.lookInterval else { continue }
        for event in try await self.news(delivery) { try await self.deal(with: event, delivery, line) }
        looked = .now
      }
      return calls.nextCheckIn
    }
  }

  /// What the journal has that the core may not know of yet.
  private func news(_ delivery: SharedDelivery) async throws -> [Delivery.Event] {
    var news = try await fromSource { try await $0.closedCheckpoints() }.map { Delivery.Event.sealed($0) }
    let heads = try await fromSource { try await $0.heads() }
    news += heads.map { .grew($0) }
    if let checkpoint = try await fromSource({ try await $0.checkpoint() }) { news.append(.sealed(checkpoint)) }
    guard let head = heads.last else { return news }
    let urgent = try await urgentRecords(through: head, delivery)
    return urgent.isEmpty ? news : news + [.urgent(urgent)]
  }

  private func transport(to target: DeliveryTarget) -> WireTransport {
    let endpoint = Endpoint(host: target.address.host, port: target.address.port)
    var configuration = WireConfiguration(
      endpoint: endpoint, product: "ptagent/\(introduction.agentVersion)", tls: target.tls)
    // What a hub says is short, and ten thousand streams would each have it keep a compressor.
    configuration.acceptsCompressed = false
    return WireTransport(configuration)
  }
}

// MARK: one stream

extension Replicator {
  private func stream(to target: DeliveryTarget, _ delivery: SharedDelivery) async throws {
    try await withGRPCClient(transport: transport(to: target)) { client in
      let service = Printtrail_Dcam_V1_DeviceCollection.Client(wrapping: client)
      let inbox = Inbox(limit: Self.inboxMax)
      let line = StreamLine()
      let fastLane = ExpressCalls(calls: CheckInCalls(service, introduction), records: line.express.elements)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await self.watchJournal(inbox, delivery) }
        group.addTask { try await self.serveReads(line, inbox) }
        group.addTask {
          try await fastLane.run({ try inbox.offer($0) }) {
            self.logger.warning(
              "records that are in a hurry did not get through", metadata: ["reason": "\($0.message)"])
          }
        }
        group.addTask { try await self.keepCursor(line.cursors.elements) }
        group.addTask { try await self.expectWelcome() }
        group.addTask { try await self.deal(with: inbox, delivery, line) }
        group.addTask {
          try await self.call(service, inbox, line.outbox)
          throw RPCError(code: .unavailable, message: "The hub ended the stream.")
        }
        defer {
          inbox.finish()
          group.cancelAll()
        }
        // Tasks that only end are done with their part; why the stream ended is what the first failure says.
        for try await _ in group {}
      }
    }
  }

  /// The call itself: writes what waits, and takes what comes.
  private func call(
    _ service: some Printtrail_Dcam_V1_DeviceCollection.ClientProtocol, _ inbox: Inbox, _ outbox: Outbox
  ) async throws {
    var options = CallOptions.defaults
    options.compression = Compression.algorithm
    try await service.stream(options: options) { writer in
      for await message in outbox.messages {
        try await writer.write(message)
        outbox.written()
      }
    } onResponse: { response in
      for try await message in response.messages {
        if case .job(let job)? = message.message { self.takeJob(HubJob(job)) }
        if let event = Delivery.Event(message) { try inbox.offer(event) }
      }
    }
  }

  /// Reads records when those before them are on their way.
  private func serveReads(_ line: StreamLine, _ inbox: Inbox) async throws {
    for await request in line.reads.elements {
      try await line.outbox.room()
      let run = try await fromSource { try await $0.records(request) }
      try inbox.offer(.read(run))
    }
  }

  /// Ends a stream whose hub does not say in time what it holds.
  private func expectWelcome() async throws {
    try await Task.sleep(for: Self.welcomeMax)
    guard status.state == .connecting else { return }
    throw RPCError(code: .unavailable, message: "The hub did not say what it holds within \(Self.welcomeMax.spoken).")
  }

  /// Tells the inbox of new records, epochs and checkpoints.
  private func watchJournal(_ inbox: Inbox, _ delivery: SharedDelivery) async throws {
    for closed in try await fromSource({ try await $0.closedCheckpoints() }) { try inbox.offer(.sealed(closed)) }
    var known = RecordPosition.start
    var sealed: RecordPosition?
    while true {
      let heads = try await fromSource { try await $0.heads() }
      for head in heads where head > known { try inbox.offer(.grew(head)) }
      known = heads.last ?? known
      let urgent = try await urgentRecords(through: known, delivery)
      if !urgent.isEmpty { try inbox.offer(.urgent(urgent)) }
      if let checkpoint = try await fromSource({ try await $0.checkpoint() }), checkpoint.position != sealed {
        sealed = checkpoint.position
        try inbox.offer(.sealed(checkpoint))
      }
      let (position, checkpoint) = (known, sealed)
      try await fromSource { try await $0.waitForNews(after: position, checkpoint: checkpoint) }
    }
  }

  /// What was appended since the last time and should not wait.
  private func urgentRecords(through head: RecordPosition, _ delivery: SharedDelivery) async throws -> [ExpressRecord] {
    let seen = delivery.looked(through: head)
    return try await fromSource { try await $0.urgentRecords(after: seen, through: head) }
  }

  /// Writes the newest acknowledged position; those that come while one is being written are left out.
  private func keepCursor(_ positions: AsyncStream<RecordPosition>) async throws {
    for await position in positions {
      do { try await source.moveCursor(to: position) } catch { throw SourceFailure(cause: error) }
      update { $0.acknowledged = position }
    }
  }

  /// The one place where events meet the core.
  private func deal(with inbox: Inbox, _ delivery: SharedDelivery, _ line: StreamLine) async throws {
    defer { line.finish() }
    try await begin(delivery, line)
    while let events = await inbox.takeAll() {
      for event in events { try await deal(with: event, delivery, line) }
    }
  }

  private func begin(_ delivery: SharedDelivery, _ line: some DeliveryLine) async throws {
    _ = delivery.received(.based(try await fromSource { try await $0.bases() }))
    try await perform(delivery.received(.opened), delivery, line)
  }

  private func deal(with event: Delivery.Event, _ delivery: SharedDelivery, _ line: some DeliveryLine) async throws {
    let due = delivery.received(event)
    note(event, delivery)
    try await perform(due, delivery, line)
  }

  private func perform(
    _ actions: [Delivery.Action], _ delivery: SharedDelivery, _ line: some DeliveryLine
  ) async throws {
    var due = actions[...]
    while let action = due.popFirst() { due += try await perform(action, delivery, line) }
  }

  /// Does what the core asks for. Returns what the core wants done next because of it.
  private func perform(
    _ action: Delivery.Action, _ delivery: SharedDelivery, _ line: some DeliveryLine
  ) async throws -> [Delivery.Action] {
    switch action {
    case .sendHello(let heads, let acknowledged):
      try await line.send(.with { $0.hello = .init(heads, acknowledged: acknowledged, introduction) })
    case .send(let run):
      try await line.send(Printtrail_Dcam_V1_AgentMessage(run))
      update { $0.recordsSent += UInt64(run.records.count) }
    case .sendLost(let epoch, let range):
      logger.warning(
        "the hub is told that records are lost",
        metadata: ["from": "\(epoch)/\(range.lowerBound)", "to": "\(range.upperBound)"])
      try await line.send(Printtrail_Dcam_V1_AgentMessage(lost: range, epoch: epoch))
    case .sendCheckpoint(let checkpoint): try await line.send(Printtrail_Dcam_V1_AgentMessage(checkpoint))
    case .read(let first, let recordsMax, let bytesMax):
      try await line.read(ReadRequest(first: first, recordsMax: recordsMax, bytesMax: bytesMax))
    case .moveCursor(let position): try await line.moveCursor(to: position)
    case .journalRejection(let position, let reason):
      logger.warning("the hub rejected a record", metadata: ["record": "\(position)", "reason": "\(reason)"])
      update { $0.rejections += 1 }
      try await fromSource { try await $0.appendRejection(of: position, reason: reason) }
    case .reportRejection(let position, let reason):
      logger.error(
        "the hub rejected a report of a rejection, or a checkpoint",
        metadata: ["record": "\(position)", "reason": "\(reason)"])
      update { $0.rejections += 1 }
    case .reportConflict(let position, let heldHash):
      logger.critical(
        "the hub holds another record under this identity",
        metadata: ["record": "\(position)", "held_hash": "\(hexadecimal(heldHash))"])
      update { $0.conflicts += 1 }
    case .journalConflict(let epoch, let range, let heldHash):
      try await fromSource { try await $0.appendConflict(epoch: epoch, range, heldHash: heldHash) }
    case .sendExpress(let records):
      logger.info(
        "records go ahead of their turn",
        metadata: ["from": "\(records[0].position)", "records": "\(records.count)"])
      update { $0.expressSent += UInt64(records.count) }
      try await line.sendExpress(records)
    case .reportExpressRefused(let position, let reason):
      logger.warning(
        "the hub does not take a record ahead of its turn", metadata: ["record": "\(position)", "reason": "\(reason)"])
    case .keepCountersignature(let checkpoint, let key):
      do {
        try await source.keepCountersignature(checkpoint, key: key)
        update { $0.countersigned = checkpoint.position }
      } catch let refusal as CountersignatureRefused {
        logger.error(
          "the hub's countersignature proves nothing",
          metadata: ["checkpoint": "\(checkpoint.position)", "reason": "\(refusal)"])
      } catch is CancellationError { throw CancellationError() } catch { throw SourceFailure(cause: error) }
    case .beginEpoch(let reason, let beyond):
      logger.critical(
        "the journal was put back to an earlier state; a new epoch begins", metadata: ["reason": "\(reason)"])
      let head = try await fromSource { try await $0.beginEpoch(reason: reason, beyond: beyond) }
      return delivery.received(.grew(head))
    case .endStream(let violation): throw violation
    }
    return []
  }

  private func note(_ event: Delivery.Event, _ delivery: SharedDelivery) {
    let (lag, total) = delivery.value.withLock { ($0.lag, $0.acknowledgedCount) }
    if case .acknowledged = event { update { $0.recordsAcknowledged = total } }
    switch event {
    case .welcomed(let welcome):
      logger.info(
        "the hub welcomes this agent", metadata: ["lag": "\(lag ?? 0)", "window": "\(welcome.windowRecords)"])
      update { ($0.state, $0.lag, $0.countersigningKey) = (.delivering, lag, welcome.countersigningKey) }
    default: update { if $0.state == .delivering { $0.lag = lag } }
    }
  }

  private func fromSource<Value: Sendable>(
    _ body: (any DeliverySource) async throws -> Value
  ) async throws -> Value {
    do { return try await body(source) } catch is CancellationError { throw CancellationError() } catch {
      throw SourceFailure(cause: error)
    }
  }
}

/// The journal failed, not the hub: delivery cannot go on by trying again.
struct SourceFailure: Error {
  let cause: any Error
}

/// The core, shared by the streams that follow one another.
private final class SharedDelivery: Sendable {
  let value: Mutex<Delivery>
  private let hasProgressed = Mutex(false)
  /// Up to where the journal was looked through for what should not wait.
  private let looked: Mutex<RecordPosition>

  init(_ delivery: Delivery) {
    looked = Mutex(delivery.cursor ?? .start)
    value = Mutex(delivery)
  }

  /// Returns where the last look ended, and remembers that this one ends at `head`.
  func looked(through head: RecordPosition) -> RecordPosition {
    looked.withLock { looked in
      defer { looked = max(looked, head) }
      return looked
    }
  }

  func received(_ event: Delivery.Event) -> [Delivery.Action] {
    if case .acknowledged = event { hasProgressed.withLock { $0 = true } }
    return value.withLock { $0.received(event) }
  }

  /// Whether the hub acknowledged anything since the last call.
  func takeProgress() -> Bool {
    hasProgressed.withLock { progressed in
      defer { progressed = false }
      return progressed
    }
  }
}

/// Runs them all; the first to end ends the others, and what it throws is thrown.
private func first(_ operations: (@Sendable () async throws -> Void)...) async throws {
  try await withThrowingTaskGroup(of: Void.self) { group in
    for operation in operations { group.addTask { try await operation() } }
    defer { group.cancelAll() }
    try await group.next()
  }
}
