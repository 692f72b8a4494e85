// gRPC over nghttp2 and OpenSSL, as a transport of grpc-swift-2: one connection to one server, kept up for as long as
// `connect` runs. Retries, deadlines and interceptors are GRPCCore's.
//
// A lost connection is replaced after a wait (`Backoff`); one that the server drains (GOAWAY) keeps its running calls
// while the next one is made. Calls queue while there is no connection; while the server cannot be reached, only those
// that said `waitForReady` do, and the others fail with `unavailable` and the reason.

package import GRPCCore
internal import HTTP2
internal import Synchronization
internal import TLS

/// How a transport is doing, for health and the console.
package enum WireConnectivity: Sendable {
  /// Not connected; the first attempt, or the one after a lost connection, goes on.
  case connecting
  case ready(remoteAddress: String)
  /// The last attempt failed; another one follows.
  case failing(RPCError)
  case shutDown
}

package final class WireTransport: ClientTransport {
  package typealias Bytes = [UInt8]

  private struct Shared {
    var state = TransportState<HTTP2Connection>()
    var continuations: [Int: CheckedContinuation<HTTP2Connection, any Error>] = [:]
    var nextCall = 0
    /// Connections that still exist, the drained ones too.
    var connections: [ObjectIdentifier: HTTP2Connection] = [:]
  }

  package let configuration: WireConfiguration
  package let retryThrottle: RetryThrottle?
  let traffic = TrafficCounter()
  private let shared = Mutex(Shared())
  private let shutdown = Latch<Void>()
  /// Of the connections so far, for the next one.
  private let sessions = TLSSessions()
  private let methods: [MethodConfig.Name: MethodConfig]

  package init(_ configuration: WireConfiguration) {
    self.configuration = configuration
    retryThrottle = configuration.service.retryThrottling.map { RetryThrottle(policy: $0) }
    var methods: [MethodConfig.Name: MethodConfig] = [:]
    for method in configuration.service.methodConfig {
      for name in method.names { methods[name] = method }
    }
    self.methods = methods
  }

  package var connectivity: WireConnectivity {
    shared.withLock { shared in
      if shared.state.isShutDown { return .shutDown }
      if let connection = shared.state.connection { return .ready(remoteAddress: connection.remoteAddress) }
      if let failure = shared.state.failure { return .failing(failure) }
      return .connecting
    }
  }

  /// What all calls together have carried.
  package var carried: WireTraffic { traffic.current }

  package func config(forMethod descriptor: MethodDescriptor) -> MethodConfig? {
    let service = descriptor.service.fullyQualifiedService
    return methods[MethodConfig.Name(service: service, method: descriptor.method)]
      ?? methods[MethodConfig.Name(service: service)] ?? methods[MethodConfig.Name(service: "")]
  }

  // MARK: connections

  /// Keeps a connection up until `beginGracefulShutdown`, then until the running calls are over (for
  /// `HTTP2Configuration.drainTimeout` at most).
  /// - Throws: `CancellationError` when cancelled; connections are then closed at once.
  package func connect() async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.keepConnected() }
      // Whatever waits in `keepConnected` ends with the shutdown; the connections drain below.
      group.addTask { try await self.shutdown.value() }
      let outcome = await group.nextResult()
      group.cancelAll()
      while await group.nextResult() != nil {}
      self.beginGracefulShutdown()
      if case .failure(let error)? = outcome {
        self.abortConnections()
        throw error
      }
    }
    do {
      try await drainConnections()
    } catch {
      abortConnections()
      throw error
    }
  }

  package func beginGracefulShutdown() {
    let (refused, connections) = shared.withLock { shared in
      let calls = shared.state.shutDown()
      return (calls.compactMap { shared.continuations.removeValue(forKey: $0) }, Array(shared.connections.values))
    }
    for continuation in refused { continuation.resume(throwing: TransportState<HTTP2Connection>.shutDownError) }
    for connection in connections { connection.close() }
    shutdown.set(())
  }

  private func keepConnected() async throws {
    var backoff = configuration.backoff
    var generator = SystemRandomNumberGenerator()
    while !shared.withLock({ $0.state.isShutDown }) {
      do {
        let connection = try await openConnection()
        let begin = ContinuousClock.now
        adopt(connection)
        _ = try await connection.untilUnusable()
        shared.withLock { $0.state.lost() }
        if shared.withLock({ $0.state.isShutDown }) { return }
        backoff.connectionEnded(after: ContinuousClock.now - begin)
      } catch is CancellationError {
        throw CancellationError()
      } catch {
        refuseWaiting(RPCError(wire: error))
      }
      try await Task.sleep(for: backoff.next(using: &generator))
    }
  }

  private func openConnection() async throws -> HTTP2Connection {
    var tls = try configuration.tls()
    if tls.sessions == nil { tls.sessions = sessions }
    return try await HTTP2Connection.connect(to: configuration.endpoint, tls: tls, configuration: configuration.http2)
  }

  private func adopt(_ connection: HTTP2Connection) {
    let (continuations, isShutDown) = shared.withLock { shared in
      shared.connections = shared.connections.filter { $0.value.isOpen }
      shared.connections[ObjectIdentifier(connection)] = connection
      let calls = shared.state.opened(connection)
      return (calls.compactMap { shared.continuations.removeValue(forKey: $0) }, shared.state.isShutDown)
    }
    for continuation in continuations { continuation.resume(returning: connection) }
    if isShutDown { connection.close() }
  }

  private func refuseWaiting(_ error: RPCError) {
    let continuations = shared.withLock { shared in
      shared.state.failed(error).compactMap { shared.continuations.removeValue(forKey: $0) }
    }
    for continuation in continuations { continuation.resume(throwing: error) }
  }

  private func drainConnections() async throws {
    for connection in shared.withLock({ Array($0.connections.values) }) { _ = try await connection.untilClosed() }
  }

  private func abortConnections() {
    for connection in shared.withLock({ Array($0.connections.values) }) { connection.abort() }
  }

  // MARK: calls

  package func withStream<T: Sendable>(
    descriptor: MethodDescriptor, options: CallOptions,
    _ closure: @concurrent (RPCStream<Inbound, Outbound>, ClientContext) async throws -> T
  ) async throws -> T {
    let connection = try await self.connection(waitForReady: options.waitForReady ?? false)
    let call = WireCall(method: descriptor, options: options, transport: self)
    defer { call.close() }
    let stream = RPCStream(
      descriptor: descriptor, inbound: RPCAsyncSequence(wrapping: WireResponse(call: call)),
      outbound: RPCWriter<RPCRequestPart<[UInt8]>>.Closable(wrapping: WireWriter(call: call)))
    let context = ClientContext(
      descriptor: descriptor, remotePeer: connection.remoteAddress, localPeer: connection.localAddress)
    return try await closure(stream, context)
  }

  /// Opens the stream of a call on the connection of the moment, or on the next one when that one takes no more.
  func openStream(_ headers: [HTTP2Header], _ options: CallOptions) async throws -> HTTP2Stream {
    while true {
      let connection = try await self.connection(waitForReady: options.waitForReady ?? false)
      if let stream = try? connection.openStream(headers) { return stream }
      // It takes no streams any more, and `keepConnected` is about to hear of it.
      shared.withLock { shared in
        if shared.state.connection === connection { shared.state.lost() }
      }
    }
  }

  private func connection(waitForReady: Bool) async throws -> HTTP2Connection {
    let call = shared.withLock { shared in
      shared.nextCall += 1
      return shared.nextCall
    }
    do {
      return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { continuation in
          let outcome = shared.withLock { shared -> Result<HTTP2Connection, any Error>? in
            if Task.isCancelled { return .failure(CancellationError()) }
            switch shared.state.admit(call, waitForReady: waitForReady) {
            case .use(let connection): return .success(connection)
            case .refuse(let error): return .failure(error)
            case .wait:
              shared.continuations[call] = continuation
              return nil
            }
          }
          if let outcome { continuation.resume(with: outcome) }
        }
      } onCancel: {
        let continuation = shared.withLock { shared in
          shared.state.withdraw(call) ? shared.continuations.removeValue(forKey: call) : nil
        }
        continuation?.resume(throwing: CancellationError())
      }
    } catch {
      throw RPCError(wire: error)
    }
  }
}
