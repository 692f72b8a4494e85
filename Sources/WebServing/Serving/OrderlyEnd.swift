// How a server of connections ends.
//
// NIO's asynchronous servers must not be cancelled: a connection that was accepted and is not served yet would be dropped with its
// writer unfinished, and NIO ends the process for that (swift-nio issue 2637). So a server's task hears of no cancellation. It is asked to
// end in order instead, and the connections are closed at once; what was accepted meanwhile is served, and finds itself closed.

package import Hummingbird
package import HummingbirdCore
package import Logging
package import NIOCore
internal import ServiceLifecycle
internal import Synchronization

/// The connections that a listener has accepted, to close them all.
package final class OpenConnections: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var isClosing = false
  }

  private let state = Mutex(State())

  package init() {}

  /// Keeps `channel` until it closes; closes it at once after `closeAll`.
  package func add(_ channel: any Channel) {
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
  package func closeAll() {
    let channels = state.withLock { state in
      state.isClosing = true
      return state.channels.values.map { $0 }
    }
    for channel in channels { channel.close(promise: nil) }
  }
}

/// What Hummingbird serves on a connection, which is kept in `connections`.
package struct KeptChannel<Inner: ServerChildChannel>: ServerChildChannel {
  private let inner: Inner
  private let connections: OpenConnections

  package init(inner: Inner, connections: OpenConnections) {
    self.inner = inner
    self.connections = connections
  }

  package func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Inner.Value> {
    connections.add(channel)
    return inner.setup(channel: channel, logger: logger)
  }

  package func handle(value: Inner.Value, logger: Logger) async { await inner.handle(value: value, logger: logger) }
}

/// Runs a server until it has ended by itself. When the service group shuts down, `end` asks it to; when the task is cancelled, its
/// connections are closed besides.
///
/// - Parameter end: must be without effect when called again.
package func servedToTheEnd(
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

/// Runs an application of Hummingbird until it has ended by itself, as `servedToTheEnd` says.
///
/// - Parameter ending: told first when the service group shuts down, so that answers without an end come to one.
package func servedToTheEnd(
  _ application: some ApplicationProtocol, _ connections: OpenConnections, logger: Logger,
  ending: @escaping @Sendable () -> Void = {}
) async throws {
  let group = ServiceGroup(configuration: ServiceGroupConfiguration(services: [application], logger: logger))
  try await servedToTheEnd(connections) {
    ending()
    Task { await group.triggerGracefulShutdown() }
  } serve: {
    try await group.run()
  }
}
