// One delivery stream.
//
//     call ──> reading ──(byte budgets)──> mailbox ──> handling ──> committer
//                      SettingsWatch, JobWatch ─┘ └──────> Welcome, Acknowledgement, Rejection, Conflict, Countersignature, Job, SettingsSet
//
// Reading waits for bytes of the stream's own budget and of the hub's before it hands a message on; while it waits, HTTP/2 flow control slows the
// agent. What is handled is all that is there.
//
// Thousands of streams are silent at any time, and a task keeps the memory of all that it went through until it ends. So a silent stream has no task
// at all: what comes starts one that reads, what is there to handle starts one that handles, and each ends when nothing is left. What happens at a
// time is an alarm.
//
// It ends when the agent ends it, at an error, when its identity ends (`StreamGuard`), or with UNAVAILABLE when the hub goes down: what was committed
// by then is acknowledged first. Whoever handles last ends it, after the reading.

internal import Events
internal import GRPCCore
internal import GRPCProtobuf
internal import HubProtocol
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import RPCServing
internal import Settings
internal import Synchronization

final class StreamSession: GuardedStream {
  enum Message: Sendable {
    case hello(Printtrail_Dcam_V1_Hello)
    case batch(Append)
    case checkpoint(Printtrail_Dcam_V1_SealedCheckpoint)
    /// There may be something to do.
    case jobs
    /// From the hub itself: what is set of this agent is another.
    case settings(SettingsSet)
  }

  /// A message and the bytes to give back when it is dealt with.
  struct Held: Sendable {
    let message: Message
    let own: Int
    let shared: Int
  }

  /// What the stream has come to.
  struct Progress {
    /// Whether the Hello came.
    var isGreeted = false
    /// Whether the agent takes jobs, by its Hello.
    var takesJobs = false
    var sentJobs = SentJobs()
    /// As what it is told of settings.
    var settings: SettingsWatch.ID?
    var helloAlarm: Scheduled<Void>?
    var deadline: Scheduled<Void>?
  }

  /// What goes on, and as what others know the stream.
  private struct Running {
    var reading: Task<Void, Never>?
    var handling: Task<Void, Never>?
    /// How often each began: a task that ends makes room for no other than itself.
    var readings = 0
    var handlings = 0
    var guarded: LiveStreams.ID?
    var listener: JobWatch.Listener?
  }

  let install: Install
  /// Of the agent, without its port.
  let address: String
  let delivery: Delivery
  let response: AgentWriter
  let logger: Logger
  let own = ByteBudget(capacity: HubLimits.streamBytesMax)
  let share: BudgetShare
  let progress = Mutex(Progress())
  private let call: RPCCall
  private let mailbox = Mailbox<Held>(isTaken: true)
  private let running = Mutex(Running())
  /// Told the stream's error, when nothing of it goes on any more.
  private let ended: @Sendable ((any Error)?) -> Void

  /// - Parameters:
  ///   - address: of the agent, without its port.
  ///   - ended: told the stream's error, when nothing of it goes on any more; it then ends the call.
  init(
    install: Install, address: String, delivery: Delivery, call: RPCCall, logger: Logger,
    ended: @escaping @Sendable ((any Error)?) -> Void
  ) {
    self.install = install
    self.address = address
    self.delivery = delivery
    self.call = call
    response = AgentWriter(call: call)
    self.logger = logger
    self.ended = ended
    share = BudgetShare(of: delivery.budget)
  }

  /// Begins to serve the stream. It goes on by itself, to its end.
  ///
  /// - Parameter remotePeer: where it comes from, with its port.
  func begin(_ peer: Peer, from remotePeer: String) {
    let listener = delivery.jobWatch?.listen(install.number) { [weak self] in self?.put(.jobs) }
    progress.withLock { progress in
      progress.helloAlarm = alarm(after: HubLimits.helloTimeout, Self.noHello)
      progress.deadline = call.metadata.callTimeout.map { alarm(after: $0, Self.noTimeLeft) }
    }
    // It may be told to end at once, which waits for the handling that begins below.
    let guarded = delivery.streamGuard.open(peer, address: remotePeer, self)
    running.withLock { running in
      running.listener = listener
      running.guarded = guarded
    }
    startReading()
    startHandling()
  }

  // MARK: The end

  func abort(_ error: RPCError) {
    let mustHandle = mailbox.abort(throwing: error)
    // Whatever it waits for.
    running.withLock { $0.handling }?.cancel()
    if mustHandle { startHandling() }
  }

  func finish(_ error: RPCError) {
    if mailbox.finish(throwing: error) { startHandling() }
  }

  /// Ends the stream after a while, a year at most: more does not fit an event loop's clock.
  private func alarm(after duration: Duration, _ error: RPCError) -> Scheduled<Void> {
    MultiThreadedEventLoopGroup.singleton.any().scheduleTask(in: TimeAmount(min(duration, .seconds(365 * 86_400)))) {
      [weak self] in
      self?.abort(error)
    }
  }

  private static let noHello = RPCError(
    code: .invalidArgument, message: "The stream did not begin with a Hello within \(HubLimits.helloTimeout).")

  private static let noTimeLeft = RPCError(
    code: .deadlineExceeded, message: "The caller waited for the end of the stream no longer.")

  /// Called by who handled last. What nobody handled is given back, too.
  private func end(_ error: (any Error)?) async {
    // From here on reading finds nothing, whoever starts it.
    call.abandon()
    let running = running.withLock { $0 }
    running.reading?.cancel()
    await running.reading?.value
    share.close()
    if let listener = running.listener { delivery.jobWatch?.leave(install.number, listener) }
    if let guarded = running.guarded { delivery.streamGuard.close(guarded) }
    let progress = progress.withLock { $0 }
    progress.settings.map { delivery.settings?.forget($0) }
    progress.helloAlarm?.cancel()
    progress.deadline?.cancel()
    ended(error)
  }

  // MARK: Reading

  /// Starts a task that reads what there is. Nobody else must be reading.
  private func startReading() {
    running.withLock { running in
      running.readings += 1
      running.reading = Task { [number = running.readings] in await self.read(number) }
    }
  }

  private func read(_ number: Int) async {
    do {
      while true {
        switch try call.read() {
        case .message(let bytes): try await received(bytes)
        case .end:
          if mailbox.finish() { startHandling() }
          return
        case .nothing:
          guard call.wait({ self.startReading() }) else { continue }
          running.withLock { running in
            if running.readings == number { running.reading = nil }
          }
          return
        }
      }
    } catch {
      if mailbox.finish(throwing: error) { startHandling() }
    }
  }

  private func received(_ bytes: [UInt8]) async throws {
    let message: Printtrail_Dcam_V1_AgentMessage = try ProtobufDeserializer().deserialize(bytes)
    let guarded = running.withLock { $0.guarded }
    if let guarded, let twins = delivery.streamGuard.heard(guarded) {
      await delivery.streamGuard.tell(twins, of: install)
    }
    guard let (message, bytes) = try checked(message), !put(message, bytes) else { return }
    put(Held(message: message, own: try await own.take(bytes), shared: try await share.take(bytes)))
  }

  /// The message and what it costs to keep; nil for an empty batch, which asks for nothing.
  private func checked(_ message: Printtrail_Dcam_V1_AgentMessage) throws -> (Message, Int)? {
    switch message.message {
    case .hello(let hello): return (.hello(hello), BatchCheck.recordOverheadBytes * (1 + hello.heads.count))
    case .batch(let batch): return try delivery.check(batch, install: install).map { (.batch($0), $0.byteCount) }
    case .checkpoint(let checkpoint): return (.checkpoint(checkpoint), checkpoint.note.utf8.count)
    case .lost(let lost):
      let append = try delivery.check(lost, install: install)
      return (.batch(append), append.byteCount)
    case nil:
      delivery.metrics.count(.violations, "order")
      throw RPCError(
        code: .invalidArgument, message: "The stream does not follow the protocol: a message of an unknown kind.")
    }
  }

  /// Hands a message on if there is room for it now.
  private func put(_ message: Message, _ bytes: Int) -> Bool {
    guard let own = own.takeNow(bytes) else { return false }
    guard let shared = share.takeNow(bytes) else {
      self.own.release(own)
      return false
    }
    put(Held(message: message, own: own, shared: shared))
    return true
  }

  /// From the hub itself.
  func put(_ message: Message) { put(Held(message: message, own: 0, shared: 0)) }

  private func put(_ held: Held) { if mailbox.put(held) { startHandling() } }

  // MARK: Handling

  /// Starts a task that handles what there is. Nobody else must be handling.
  private func startHandling() {
    running.withLock { running in
      running.handlings += 1
      running.handling = Task { [number = running.handlings] in await self.handle(number) }
    }
  }

  /// Handles what there is until nothing is left.
  private func handle(_ number: Int) async {
    while true {
      switch mailbox.take() {
      case .elements(let taken):
        do { try await handle(taken) } catch {
          // Nobody else is to be called: this one goes on.
          _ = mailbox.abort(throwing: error)
        }
      case .nothing:
        running.withLock { running in
          if running.handlings == number { running.handling = nil }
        }
        return
      case .end(let error): return await end(error)
      }
    }
  }
}
