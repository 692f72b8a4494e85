// Runs delivery streams under the eyes of `LiveStreams`: the shell around it.

internal import GRPCCore
internal import Logging
internal import Synchronization

final class StreamGuard: Sendable {
  private struct Shared {
    var live = LiveStreams()
    /// Told why their stream must end.
    var ends: [LiveStreams.ID: AsyncStream<LiveStreams.Ending>.Continuation] = [:]
  }

  private let store: any RegistryStore
  private let clock: HubClock
  private let logger: Logger
  private let metrics: HubMetrics
  private let shared = Mutex(Shared())

  init(store: any RegistryStore, clock: HubClock, logger: Logger, metrics: HubMetrics = HubMetrics()) {
    self.store = store
    self.metrics = metrics
    self.clock = clock
    self.logger = logger
  }

  /// Runs `body`, which serves a stream of `peer`, until it ends, or until the peer's identity does.
  ///
  /// - Throws: what `body` throws, or an `RPCError` with the status of the table in `LiveStreams`.
  func run<Message: Sendable>(
    _ peer: Peer, address: String, _ request: RPCAsyncSequence<Message, any Error>,
    _ body: @Sendable @escaping (RPCAsyncSequence<Message, any Error>) async throws -> Void
  ) async throws {
    let (endings, end) = AsyncStream.makeStream(of: LiveStreams.Ending.self, bufferingPolicy: .bufferingOldest(1))
    let (id, crowdedOut) = shared.withLock { shared in
      let opened = shared.live.open(peer, address: SigningService.address(of: address), now: clock.now)
      shared.ends[opened.id] = end
      return (opened.id, opened.crowdedOut.flatMap { shared.ends[$0] })
    }
    if let crowdedOut {
      logger.warning(
        "an install has too many streams", metadata: ["install": "\(peer.install.id)", "peer": "\(address)"])
      crowdedOut.yield(.crowdedOut)
    }
    defer {
      shared.withLock { shared in
        shared.live.close(id)
        shared.ends[id] = nil
      }
    }
    let heard = RPCAsyncSequence(
      wrapping: request.map { message in
        await self.heard(id, peer.install)
        return message
      })
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await body(heard) }
      group.addTask {
        for await ending in endings { throw Self.error(ending) }
        try Task.checkCancellation()
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func heard(_ id: LiveStreams.ID, _ install: Install) async {
    guard let twins = shared.withLock({ $0.live.heard(id, now: clock.now) }) else { return }
    let detail =
      twins.first == twins.second
      ? "two agents deliver as this install at the same time, both from \(twins.first)"
      : "two agents deliver as this install at the same time, from \(twins.first) and from \(twins.second)"
    await doubt(install, detail, peer: twins.second)
  }

  /// Tells the operator that an identity seems to be in two places: in the log, the audit trail, and the list of installs.
  func doubt(_ install: Install, _ detail: String, peer: String) async {
    do {
      guard try await store.doubt(install.number, detail, peer: peer, now: clock.now) else { return }
      metrics.count(.doubts)
      logger.critical(
        "an identity is in doubt", metadata: ["install": "\(install.id)", "peer": "\(peer)", "detail": "\(detail)"])
    } catch {
      logger.error(
        "doubt about an identity not stored",
        metadata: ["install": "\(install.id)", "detail": "\(detail)", "error": "\(error)"])
    }
  }

  /// Ends the streams whose identity has ended.
  func end(_ ended: EndedIdentities) {
    let due = shared.withLock { shared in
      shared.live.due(ended, now: clock.now).compactMap { id, ending in shared.ends[id].map { ($0, ending) } }
    }
    for (end, ending) in due { end.yield(ending) }
  }

  private static func error(_ ending: LiveStreams.Ending) -> RPCError {
    switch ending {
    case .installRevoked: RPCError(code: .permissionDenied, message: PeerCheck.revokedText)
    case .certificateRevoked: RPCError(code: .unauthenticated, message: PeerCheck.certificateRevokedText)
    case .crowdedOut:
      RPCError(
        code: .aborted,
        message: "This install has opened more than \(HubLimits.streamsPerInstallMax) streams; the oldest is ended.")
    case .certificateEnded:
      RPCError(
        code: .unauthenticated, message: "The client certificate has ended. Enrol again with a new DataLink code.")
    case .certificateReplaced:
      RPCError(
        code: .unauthenticated,
        message: "The client certificate was replaced by a newer one that was used already. Use that one.")
    }
  }
}
