// Normal mode: one check-in, in as many exchanges as what waits takes; and the wait for the next, which somebody in a hurry cuts short.

internal import Evidence
internal import GRPCCore
internal import GRPCWire
internal import HubProtocol
internal import Platform
internal import TLS

extension Replicator {
  /// Delivers what the journal has now, in as many exchanges as that takes. Returns when the hub wants to hear of us again, if it says so.
  func checkIn(to target: DeliveryTarget, _ delivery: SharedDelivery) async throws -> Duration? {
    try await withGRPCClient(transport: transport(to: target)) { client in
      let service = Printtrail_Dcam_V1_DeviceCollection.Client(wrapping: client)
      let calls = CheckInCalls(service, introduction)
      let line = CheckInLine(
        calls, source: source, settings: settings,
        moved: { position in self.update { $0.acknowledged = position } }, takeJob: self.takeJob)
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

  /// Returns when the journal has something that should not wait for the next check-in, and the last one is long enough ago.
  func untilUrgent(_ delivery: SharedDelivery) async throws {
    try await Self.untilUrgent(
      source, after: delivery.lookedThrough, spacing: Self.urgentSpacing, look: Self.urgentLook)
  }

  /// - Parameters:
  ///   - seen: what was appended up to here is no news.
  ///   - spacing: what is waited before the first look.
  ///   - look: what is waited between two.
  /// - Throws: `CancellationError`, or `SourceFailure`.
  static func untilUrgent(
    _ source: some DeliverySource, after seen: RecordPosition, spacing: Duration, look: Duration
  ) async throws {
    try await Task.sleep(for: spacing)
    var seen = seen
    while true {
      do {
        if let head = try await source.heads().last, head > seen {
          guard try await source.urgentRecords(after: seen, through: head).isEmpty else { return }
          seen = head
        }
      } catch is CancellationError { throw CancellationError() } catch { throw SourceFailure(cause: error) }
      try await Task.sleep(for: look)
    }
  }

  /// What the journal has that the core may not know of yet.
  func news(_ delivery: SharedDelivery) async throws -> [Delivery.Event] {
    var news = try await fromSource { try await $0.closedCheckpoints() }.map { Delivery.Event.sealed($0) }
    let heads = try await fromSource { try await $0.heads() }
    news += heads.map { .grew($0) }
    if let checkpoint = try await fromSource({ try await $0.checkpoint() }) { news.append(.sealed(checkpoint)) }
    guard let head = heads.last else { return news }
    let urgent = try await urgentRecords(through: head, delivery)
    return urgent.isEmpty ? news : news + [.urgent(urgent)]
  }

  func transport(to target: DeliveryTarget) -> WireTransport {
    let endpoint = Endpoint(host: target.address.host, port: target.address.port)
    var configuration = WireConfiguration(
      endpoint: endpoint, product: "ptagent/\(introduction.agentVersion)", tls: target.tls)
    // What a hub says is short, and ten thousand streams would each have it keep a compressor.
    configuration.acceptsCompressed = false
    return WireTransport(configuration)
  }
}
