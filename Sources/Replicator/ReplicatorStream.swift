// Service mode: one stream, and the tasks that it is made of.
//
//    hub's messages ──> inbox ──> Delivery ──> actions ──> outbox ──> the stream
//    journal's head ──> inbox                         |──> reads, when the outbox has room ──> inbox
//                                                     |──> cursor keeper (newest position only)
//                                                     '──> fast lane: calls beside the stream ──> inbox
//    hub's settings ──> whoever decides about them (`SettingsReceiver`)
//
// Everything that happens in a stream goes through one inbox and is dealt with in one place, so that the core needs no lock of its own. A
// failure of the stream leaves journal and cursor as they are; the next stream begins with what the hub says it holds.

internal import Evidence
internal import GRPCCore
internal import HubProtocol
internal import Logging
internal import Platform
internal import Synchronization

extension Replicator {
  func stream(to target: DeliveryTarget, _ delivery: SharedDelivery) async throws {
    try await withGRPCClient(transport: transport(to: target)) { client in
      let service = Printtrail_Dcam_V1_DeviceCollection.Client(wrapping: client)
      let inbox = Inbox(limit: Self.inboxMax)
      live.withLock { $0.inbox = inbox }
      defer { live.withLock { $0.inbox = nil } }
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
        group.addTask { try await self.takeSettings(line.settings.elements) }
        group.addTask { try await self.expectWelcome() }
        group.addTask { try await self.deal(with: inbox, delivery, line) }
        group.addTask {
          try await self.call(service, inbox, line)
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
  func call(
    _ service: some Printtrail_Dcam_V1_DeviceCollection.ClientProtocol, _ inbox: Inbox, _ line: StreamLine
  ) async throws {
    var options = CallOptions.defaults
    options.compression = Compression.algorithm
    try await service.stream(options: options) { writer in
      for await message in line.outbox.messages {
        try await writer.write(message)
        line.outbox.written()
      }
    } onResponse: { response in
      for try await message in response.messages {
        if case .job(let job)? = message.message { self.takeJob(HubJob(job)) }
        if let event = Delivery.Event(message) { try inbox.offer(event) }
        if case .settings(let set)? = message.message { line.settings.put(OfferedSettings(set)) }
      }
    }
  }

  /// Reads records when those before them are on their way.
  func serveReads(_ line: StreamLine, _ inbox: Inbox) async throws {
    for await request in line.reads.elements {
      try await line.outbox.room()
      let run = try await fromSource { try await $0.records(request) }
      try inbox.offer(.read(run))
    }
  }

  /// Ends a stream whose hub does not say in time what it holds.
  func expectWelcome() async throws {
    try await Task.sleep(for: Self.welcomeMax)
    guard status.state == .connecting else { return }
    throw RPCError(code: .unavailable, message: "The hub did not say what it holds within \(Self.welcomeMax.spoken).")
  }

  /// Tells the inbox of new records, epochs and checkpoints.
  func watchJournal(_ inbox: Inbox, _ delivery: SharedDelivery) async throws {
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
  func urgentRecords(through head: RecordPosition, _ delivery: SharedDelivery) async throws -> [ExpressRecord] {
    let seen = delivery.looked(through: head)
    return try await fromSource { try await $0.urgentRecords(after: seen, through: head) }
  }

  /// Writes the newest acknowledged position; those that come while one is being written are left out.
  func keepCursor(_ positions: AsyncStream<RecordPosition>) async throws {
    for await position in positions {
      do { try await source.moveCursor(to: position) } catch { throw SourceFailure(cause: error) }
      update { $0.acknowledged = position }
    }
  }

  func takeSettings(_ sets: AsyncStream<OfferedSettings>) async throws {
    for await set in sets {
      guard let settings else { continue }
      do { try await settings.offered(set) } catch is CancellationError { throw CancellationError() } catch {
        throw SourceFailure(cause: error)
      }
    }
  }

  /// The one place where events meet the core.
  func deal(with inbox: Inbox, _ delivery: SharedDelivery, _ line: StreamLine) async throws {
    defer { line.finish() }
    try await begin(delivery, line)
    while let events = await inbox.takeAll() {
      for event in events { try await deal(with: event, delivery, line) }
    }
  }
}
