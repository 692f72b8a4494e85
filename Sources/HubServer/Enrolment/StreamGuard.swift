// The delivery streams under the eyes of `LiveStreams`: the shell around it.

internal import GRPCCore
internal import Logging
internal import Synchronization

/// A stream that can be ended from elsewhere.
protocol GuardedStream: AnyObject, Sendable {
  /// Ends it at once, whatever it does.
  func abort(_ error: RPCError)
  /// Ends it when what it has received is dealt with.
  func finish(_ error: RPCError)
}

final class StreamGuard: Sendable {
  private struct Shared {
    var live = LiveStreams()
    var streams: [LiveStreams.ID: any GuardedStream] = [:]
    var isShutDown = false
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

  /// Notes a stream of `peer` that was opened, until `close`.
  func open(_ peer: Peer, address: String, _ stream: any GuardedStream) -> LiveStreams.ID {
    let (id, crowdedOut, isShutDown) = shared.withLock { shared in
      let opened = shared.live.open(peer, address: SigningService.address(of: address), now: clock.now)
      shared.streams[opened.id] = stream
      return (opened.id, opened.crowdedOut.flatMap { shared.streams[$0] }, shared.isShutDown)
    }
    if isShutDown { stream.finish(.shuttingDown) }
    if let crowdedOut {
      logger.warning(
        "an install has too many streams", metadata: ["install": "\(peer.install.id)", "peer": "\(address)"])
      crowdedOut.abort(Self.error(.crowdedOut))
    }
    return id
  }

  func close(_ id: LiveStreams.ID) {
    shared.withLock { shared in
      shared.live.close(id)
      shared.streams[id] = nil
    }
  }

  /// Something came in a stream.
  ///
  /// - Returns: twins, of which `tell` tells the operator.
  func heard(_ id: LiveStreams.ID) -> LiveStreams.Twins? { shared.withLock { $0.live.heard(id, now: clock.now) } }

  func tell(_ twins: LiveStreams.Twins, of install: Install) async {
    let detail =
      twins.first == twins.second
      ? "two agents deliver as this install at the same time, both from \(twins.first)"
      : "two agents deliver as this install at the same time, from \(twins.first) and from \(twins.second)"
    await doubt(install, detail, peer: twins.second)
  }

  /// The hub goes down: each stream ends when what it has received is dealt with, and so does each that is opened from here on.
  func shutDown() {
    let open = shared.withLock { shared in
      shared.isShutDown = true
      return Array(shared.streams.values)
    }
    for stream in open { stream.finish(.shuttingDown) }
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
      shared.live.due(ended, now: clock.now).compactMap { id, ending in shared.streams[id].map { ($0, ending) } }
    }
    for (stream, ending) in due { stream.abort(Self.error(ending)) }
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
