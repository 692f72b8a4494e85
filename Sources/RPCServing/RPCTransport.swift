// gRPC over HTTP/2 as a transport of grpc-swift's server: a port, its connections, and a task for each call.
//
//    port ──> channel: what `prepare` adds (TLS), RPCConnection ──calls──> listen: a task each ──> GRPCServer ──> service
//                                                                     └──> DirectCall
//
// It ends in order: the port closes, each connection is told to take no more calls, and `listen` returns when the last of them is closed and the
// last call is served.

package import GRPCCore
internal import HTTP2
package import NIOCore
internal import NIOPosix
internal import Synchronization

package final class RPCTransport: ServerTransport {
  package typealias Bytes = [UInt8]

  private struct State {
    var methods: [String: MethodDescriptor] = [:]
    /// Nil before it listens, and after the end.
    var calls: AsyncStream<RPCCall>.Continuation?
    var port: (any Channel)?
    var links: [ObjectIdentifier: RPCLink] = [:]
    /// Direct calls that are being served.
    var directCalls = 0
    var isEnding = false
    /// The port is closed.
    var isClosed = false
  }

  private let host: String
  private let wished: Int
  private let configuration: RPCConfiguration
  private let direct: (any DirectCall)?
  private let prepare: @Sendable (any Channel) throws -> Void
  private let specific: @Sendable (any Channel) -> (any ServerContext.TransportSpecific)?
  private let state = Mutex(State())
  private let bound = Latch<Result<Int, any Error>>()

  /// - Parameters:
  ///   - host: an IPv4 or IPv6 address.
  ///   - port: 0 lets the system choose.
  ///   - direct: served past the server; nil for none.
  ///   - prepare: adds the handlers that stand before this transport's, on the channel's event loop, before anything of it is read.
  ///   - specific: what services learn of a call's channel; on any thread.
  package init(
    host: String, port: Int, configuration: RPCConfiguration, direct: (any DirectCall)? = nil,
    prepare: @escaping @Sendable (any Channel) throws -> Void = { _ in },
    specific: @escaping @Sendable (any Channel) -> (any ServerContext.TransportSpecific)? = { _ in nil }
  ) {
    self.host = host
    wished = port
    self.configuration = configuration
    self.direct = direct
    self.prepare = prepare
    self.specific = specific
  }

  /// The port it listens on, once it does.
  ///
  /// - Throws: why it does not.
  package var port: Int {
    get async throws { try await bound.value().get() }
  }

  package func configure(context: GRPCServerContext) {
    var methods = context.methods
    if let direct { methods.append(direct.method) }
    let byPath = Dictionary(methods.map { ("/\($0.fullyQualifiedMethod)", $0) }) { first, _ in first }
    state.withLock { $0.methods = byPath }
  }

  /// - Throws: what binding the port throws.
  package func listen(
    streamHandler: @concurrent @escaping @Sendable (RPCStream<Inbound, Outbound>, ServerContext) async -> Void
  ) async throws {
    let (calls, accept) = AsyncStream.makeStream(of: RPCCall.self)
    state.withLock { $0.calls = accept }
    do { try await open() } catch {
      bound.set(.failure(error))
      throw error
    }
    await withTaskCancellationHandler {
      await withDiscardingTaskGroup { group in
        for await call in calls {
          group.addTask { await self.serve(call, streamHandler) }
        }
      }
    } onCancel: {
      closeAll()
    }
    closeAll()
  }

  package func beginGracefulShutdown() {
    let (port, links) = state.withLock { state in
      state.isEnding = true
      return (state.port, Array(state.links.values))
    }
    port?.close(promise: nil)
    for link in links { link.enqueue(.shutDown) }
  }

  // MARK: connections

  private func open() async throws {
    let port = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try self.accept(channel) } }
      .bind(host: host, port: wished).get()
    let isEnding = state.withLock { state in
      state.port = port
      return state.isEnding
    }
    port.closeFuture.whenComplete { _ in
      self.state.withLock { $0.isClosed = true }
      self.endIfDone()
    }
    bound.set(.success(port.localAddress?.port ?? wished))
    if isEnding { port.close(promise: nil) }
  }

  /// On the channel's event loop.
  private func accept(_ channel: any Channel) throws {
    try prepare(channel)
    let link = RPCLink(channel, configuration)
    let (methods, isEnding) = state.withLock { state in
      state.links[ObjectIdentifier(link)] = link
      return (state.methods, state.isEnding)
    }
    channel.closeFuture.whenComplete { _ in
      self.state.withLock { _ = $0.links.removeValue(forKey: ObjectIdentifier(link)) }
      self.endIfDone()
    }
    try channel.pipeline.syncOperations.addHandler(RPCConnection(link, methods: methods) { self.take($0) })
    if isEnding { link.enqueue(.shutDown) }
  }

  private func take(_ call: RPCCall) {
    if let direct, direct.method == call.method { return serve(call, direct) }
    let outcome = state.withLock { $0.calls }?.yield(call)
    guard case .enqueued? = outcome else { return call.refuse() }
  }

  private func endIfDone() {
    state.withLock { state in
      guard state.isClosed, state.links.isEmpty, state.directCalls == 0 else { return }
      state.calls?.finish()
      state.calls = nil
    }
  }

  private func closeAll() {
    let (port, links) = state.withLock { state in
      state.isEnding = true
      state.calls?.finish()
      state.calls = nil
      return (state.port, Array(state.links.values))
    }
    port?.close(promise: nil)
    for link in links { link.channel.close(promise: nil) }
  }

  // MARK: calls

  private func serve(
    _ call: RPCCall, _ handler: @concurrent @Sendable (RPCStream<Inbound, Outbound>, ServerContext) async -> Void
  ) async {
    await withServerContextRPCCancellationHandle { handle in
      call.tell(handle)
      let stream = RPCStream(
        descriptor: call.method, inbound: RPCAsyncSequence(wrapping: RequestParts(call: call)),
        outbound: RPCWriter<RPCResponsePart<[UInt8]>>.Closable(wrapping: AnswerWriter(call: call)))
      await handler(stream, context(of: call, handle))
    }
    call.close()
  }

  private func serve(_ call: RPCCall, _ direct: any DirectCall) {
    state.withLock { $0.directCalls += 1 }
    direct.serve(call, context(of: call, ServerContext.RPCCancellationHandle())) {
      call.close()
      self.state.withLock { $0.directCalls -= 1 }
      self.endIfDone()
    }
  }

  private func context(of call: RPCCall, _ handle: ServerContext.RPCCancellationHandle) -> ServerContext {
    var context = ServerContext(
      descriptor: call.method, remotePeer: call.link.remotePeer, localPeer: call.link.localPeer, cancellation: handle)
    context.transportSpecific = specific(call.link.channel)
    return context
  }
}
