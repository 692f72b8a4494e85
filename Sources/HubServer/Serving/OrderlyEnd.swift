// How a server of connections ends.
//
// NIO's asynchronous servers must not be cancelled: a connection that was accepted and is not served yet would be dropped with its
// writer unfinished, and NIO ends the process for that (swift-nio issue 2637). So a server's task hears of no cancellation. It is asked to
// end in order instead, and the connections are closed at once; what was accepted meanwhile is served, and finds itself closed.

internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import Synchronization

/// The connections that a listener has accepted, to close them all.
final class OpenConnections: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isClosing = false
  }

  private let state = Mutex(State())

  /// Keeps `channel` until it closes; closes it at once after `closeAll`.
  func add(_ channel: any Channel) {
    let isClosing = state.withLock { state in
      if !state.isClosing { state.channels[ObjectIdentifier(channel)] = channel }
      return state.isClosing
    }
    guard !isClosing else { return channel.close(promise: nil) }
    channel.closeFuture.whenComplete { _ in
      self.state.withLock { _ = $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
    }
  }

  /// Closes those that are open, and each that is accepted from now on.
  func closeAll() {
    let channels = state.withLock { state in
      state.isClosing = true
      return state.channels.values.map { $0 }
    }
    for channel in channels { channel.close(promise: nil) }
  }
}

/// What Hummingbird serves on a connection, which is kept in `connections`.
struct KeptChannel<Inner: ServerChildChannel>: ServerChildChannel {
  let inner: Inner
  let connections: OpenConnections

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Inner.Value> {
    connections.add(channel)
    return inner.setup(channel: channel, logger: logger)
  }

  func handle(value: Inner.Value, logger: Logger) async { await inner.handle(value: value, logger: logger) }
}

/// Runs a server until it has ended by itself. When the service group shuts down, `end` asks it to; when the task is cancelled, its
/// connections are closed besides.
///
/// - Parameter end: must be without effect when called again.
func servedToTheEnd(
  _ connections: OpenConnections, end: @escaping @Sendable () -> Void,
  serve: @escaping @Sendable () async throws -> Void
) async throws {
  let serving = Task { try await serve() }
  try await withTaskCancellationHandler {
    try await withGracefulShutdownHandler {
      try await serving.value
    } onGracefulShutdown: {
      end()
    }
  } onCancel: {
    end()
    connections.closeAll()
  }
}
