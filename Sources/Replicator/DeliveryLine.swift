// The two ways to a hub: a stream that lasts (service mode), and single exchanges (normal mode). What is sent over them is the same, and so is
// what comes back; the core does not know which one it is.

internal import Evidence
internal import FoundationEssentials
internal import GRPCCore
internal import HubProtocol
internal import SwiftProtobuf
internal import Synchronization

/// How an agent keeps in touch with its hub.
package enum DeliveryMode: String, Sendable, CaseIterable {
  /// A stream that stays open.
  case service
  /// Check-ins, with no connection between them.
  case normal
}

/// What the core wants of the journal; `read` follows.
struct ReadRequest: Sendable {
  let first: RecordPosition
  let recordsMax: Int
  let bytesMax: Int
}

/// Takes what the core wants sent and read. Answers come as events.
protocol DeliveryLine: Sendable {
  func send(_ message: Printtrail_Dcam_V1_AgentMessage) async throws
  func read(_ request: ReadRequest) async throws
  /// Sends these ahead of their turn. `expressAnswered` or `expressFailed` follows.
  func sendExpress(_ records: [ExpressRecord]) async throws
  /// Lets the cursor be kept; it need not be when this returns.
  func moveCursor(to position: RecordPosition) async throws
}

/// Service mode: everything is handed on, and nothing here waits. What goes ahead of its turn goes beside the stream (`ExpressCalls`).
struct StreamLine: DeliveryLine {
  let outbox = Outbox()
  /// One read, one call and one position at a time are all that there are.
  let reads = Channel<ReadRequest>()
  let express = Channel<[ExpressRecord]>()
  let cursors = Channel<RecordPosition>()
  /// Of several sets the last one counts.
  let settings = Channel<OfferedSettings>()

  func send(_ message: Printtrail_Dcam_V1_AgentMessage) { outbox.put(message) }
  func read(_ request: ReadRequest) { reads.put(request) }
  func sendExpress(_ records: [ExpressRecord]) { express.put(records) }
  func moveCursor(to position: RecordPosition) { cursors.put(position) }

  func finish() {
    outbox.finish()
    reads.finish()
    express.finish()
    cursors.finish()
    settings.finish()
  }
}

/// Keeps the newest element until its reader takes it.
struct Channel<Element: Sendable>: Sendable {
  let elements: AsyncStream<Element>
  private let continuation: AsyncStream<Element>.Continuation

  init() {
    (elements, continuation) = AsyncStream.makeStream(of: Element.self, bufferingPolicy: .bufferingNewest(1))
  }

  func put(_ element: Element) { continuation.yield(element) }
  func finish() { continuation.finish() }
}

/// One exchange after the other with a hub: normal mode, and the fast lane of both modes.
final class CheckInCalls<Service: Printtrail_Dcam_V1_DeviceCollection.ClientProtocol>: Sendable {
  private let service: Service
  private let introduction: AgentIntroduction
  private let asked = Mutex<Duration?>(nil)

  init(_ service: Service, _ introduction: AgentIntroduction) {
    self.service = service
    self.introduction = introduction
  }

  /// When the hub wants to hear of us again, as its last answer said; nil: it said nothing.
  var nextCheckIn: Duration? { asked.withLock { $0 } }

  /// - Returns: what the hub answered, in the order in which a stream would have said it.
  func exchange(_ request: Printtrail_Dcam_V1_CheckInRequest) async throws -> Printtrail_Dcam_V1_CheckInResponse {
    var request = request
    if !request.hasHello { request.hello = .init([], acknowledged: nil, introduction) }
    var options = CallOptions.defaults
    options.timeout = Replicator.exchangeMax
    if request.batch.records.reduce(0, { $0 + $1.payload.count }) >= Compression.bytesMin {
      options.compression = Compression.algorithm
    }
    let response = try await service.checkIn(request, options: options)
    let milliseconds = response.nextCheckInMilliseconds
    if milliseconds > 0 { asked.withLock { $0 = .milliseconds(Int64(milliseconds)) } }
    return response
  }

  func express(_ records: [ExpressRecord]) async throws -> [Delivery.Event] {
    try await exchange(.with { $0.express = records.map { .init($0) } }).expressEvents
  }
}

/// Normal mode: each message is an exchange, whose answers wait here until the core has done what it was about.
final class CheckInLine<Service: Printtrail_Dcam_V1_DeviceCollection.ClientProtocol>: DeliveryLine {
  private let calls: CheckInCalls<Service>
  private let source: any DeliverySource
  private let moved: @Sendable (RecordPosition) -> Void
  private let settings: (any SettingsReceiver)?
  private let takeJob: @Sendable (HubJob) -> Void
  private let answers = Mutex<[Delivery.Event]>([])

  init(
    _ calls: CheckInCalls<Service>, source: any DeliverySource, settings: (any SettingsReceiver)?,
    moved: @escaping @Sendable (RecordPosition) -> Void, takeJob: @escaping @Sendable (HubJob) -> Void
  ) {
    self.takeJob = takeJob
    self.calls = calls
    self.source = source
    self.settings = settings
    self.moved = moved
  }

  /// The next answer; nil: there is nothing that has not been answered.
  func next() -> Delivery.Event? { answers.withLock { $0.isEmpty ? nil : $0.removeFirst() } }

  func send(_ message: Printtrail_Dcam_V1_AgentMessage) async throws {
    let response = try await calls.exchange(Printtrail_Dcam_V1_CheckInRequest(message))
    // Only the first one's welcome begins anything.
    if case .hello? = message.message {
      answers.withLock { $0.append(.welcomed(Welcome(response.welcome).inSingleBatches)) }
    }
    answers.withLock { $0 += response.events }
    if response.hasSettings, let settings {
      do { try await settings.offered(OfferedSettings(response.settings)) } catch { throw SourceFailure(cause: error) }
    }
    // Behind the settings, which a job may be about.
    for job in response.jobs.prefix(Replicator.jobsAtOnceMax) { takeJob(HubJob(job)) }
  }

  func read(_ request: ReadRequest) async throws {
    let run: RecordRun
    do { run = try await source.records(request) } catch { throw SourceFailure(cause: error) }
    answers.withLock { $0.append(.read(run)) }
  }

  func sendExpress(_ records: [ExpressRecord]) async throws {
    let events = try await calls.express(records)
    answers.withLock { $0 += events }
  }

  func moveCursor(to position: RecordPosition) async throws {
    do { try await source.moveCursor(to: position) } catch { throw SourceFailure(cause: error) }
    moved(position)
  }
}

/// Service mode's fast lane: calls beside the stream on its connection, so that no window of the stream is in their way.
struct ExpressCalls<Service: Printtrail_Dcam_V1_DeviceCollection.ClientProtocol>: Sendable {
  /// What to wait before another attempt: the stream goes on meanwhile, and brings the same records in their turn.
  static var retryPause: Duration { .seconds(2) }

  let calls: CheckInCalls<Service>
  let records: AsyncStream<[ExpressRecord]>

  /// - Parameters:
  ///   - offer: takes the answers.
  ///   - failed: is told why there were none.
  func run(_ offer: (Delivery.Event) throws -> Void, failed: (RPCError) -> Void) async throws {
    for await records in records {
      let events: [Delivery.Event]
      do { events = try await calls.express(records) } catch let error as RPCError {
        try Task.checkCancellation()
        failed(error)
        try await Task.sleep(for: Self.retryPause)
        events = [.expressFailed]
      }
      for event in events { try offer(event) }
    }
  }
}

extension DeliverySource {
  func records(_ request: ReadRequest) async throws -> RecordRun {
    try await records(from: request.first, recordsMax: request.recordsMax, bytesMax: request.bytesMax)
  }
}

extension Welcome {
  /// The same, for exchanges: one batch is answered before the next is read.
  var inSingleBatches: Welcome {
    var welcome = self
    welcome.windowRecords = min(windowRecords, UInt32(BatchSize.recordsMax))
    return welcome
  }
}
