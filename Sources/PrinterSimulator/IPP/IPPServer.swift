// HTTP for the devices of a fleet that speak IPP: one listening socket for each, on its own address, on loopback alone. SwiftNIO parses; a handler keeps one
// request at a time.
//
//     POST /ipp/print, /ipp/printer, /ipp or / of application/ipp  -> the device's answer
//     another path 404, another method 405, another type 415, a body that is too long 413, no IPP message 400
//
// Bounded: bytes of a body, connections of a device, and how long a connection may say nothing.

internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// Listens until it is closed.
final class IPPServer: Sendable {
  /// Bytes of a request: the names of some hundred attributes.
  static let requestBytesMax = 64 << 10
  /// A client that says nothing for so long is not coming back.
  static let idleMax: TimeAmount = .seconds(30)
  /// Connections that may wait to be accepted, for each device.
  static let backlog: Int32 = 64
  /// Connections of one device at a time; further ones are closed at once, as small devices do.
  static let connectionsMax = 64
  private static let paths: Set<String> = ["/ipp/print", "/ipp/printer", "/ipp", "/"]

  /// What is answered, and how.
  struct Reply: Sendable {
    var bytes: [UInt8]
    var delay: Duration = .zero
    /// So many bytes of those that are announced are sent, and the connection ends; nil for all.
    var bytesSent: Int?
    /// Whether HTTP says that nobody has the time (503).
    var isBusy = false
  }

  /// Bytes of a request in, an answer out; nil for what is no IPP message.
  typealias Answer = @Sendable ([UInt8]) -> Reply?

  /// The port of every device.
  let port: Int
  private let channels: [any Channel]

  /// - Parameters:
  ///   - devices: addresses, all on loopback, and what answers there.
  ///   - port: 0 lets the kernel choose one for all.
  /// - Throws: `SimulatorError`; nothing listens then.
  init(_ devices: [(address: HostAddress, answer: Answer)], port: Int) throws(SimulatorError) {
    var channels: [any Channel] = []
    var bound = port
    for (address, answer) in devices {
      guard address.isLoopback else {
        Self.close(channels)
        throw .notLoopback(address)
      }
      do {
        let channel = try Self.listen(address, bound, answer)
        if bound == 0 { bound = channel.localAddress?.port ?? 0 }
        channels.append(channel)
      } catch {
        Self.close(channels)
        throw .listeningFailed(address: address, port: bound, "\(error)")
      }
    }
    self.channels = channels
    self.port = bound
  }

  func close() { Self.close(channels) }

  private static func close(_ channels: [any Channel]) {
    for channel in channels { channel.close(promise: nil) }
  }

  private static func listen(_ address: HostAddress, _ port: Int, _ answer: @escaping Answer) throws -> any Channel {
    let places = ConnectionPlaces()
    return try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        guard places.take() else { return channel.close() }
        channel.closeFuture.whenComplete { _ in places.giveBack() }
        return channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
          try pipeline.addHandler(IdleStateHandler(allTimeout: idleMax))
          try pipeline.addHandler(IPPRequestHandler(paths: paths, answer))
        }
      }
      .bind(host: address.description, port: port).wait()
  }
}

/// How many connections a device has.
private final class ConnectionPlaces: Sendable {
  private let taken = Mutex(0)

  func take() -> Bool {
    taken.withLock { taken in
      guard taken < IPPServer.connectionsMax else { return false }
      taken += 1
      return true
    }
  }

  func giveBack() { taken.withLock { $0 -= 1 } }
}

/// One connection.
private final class IPPRequestHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let paths: Set<String>
  private let answer: IPPServer.Answer
  private var head: HTTPRequestHead?
  private var body: [UInt8] = []
  private var refusal: HTTPResponseStatus?

  init(paths: Set<String>, _ answer: @escaping IPPServer.Answer) {
    self.paths = paths
    self.answer = answer
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body = []
      refusal = refusal(of: head)
    case .body(let buffer):
      guard refusal == nil else { return }
      body += buffer.readableBytesView
      if body.count > IPPServer.requestBytesMax { refusal = .payloadTooLarge }
    case .end:
      guard let head else { return }
      if let refusal { return reply(context, head, refusal, []) }
      guard let found = answer(body) else { return reply(context, head, .badRequest, []) }
      let status: HTTPResponseStatus = found.isBusy ? .serviceUnavailable : .ok
      let bytes = found.isBusy ? [] : found.bytes
      guard found.delay > .zero else { return reply(context, head, status, bytes, sending: found.bytesSent) }
      let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      context.eventLoop.scheduleTask(in: TimeAmount(found.delay)) {
        let (handler, context) = bound.value
        if context.channel.isActive { handler.reply(context, head, status, bytes, sending: found.bytesSent) }
      }
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func refusal(of head: HTTPRequestHead) -> HTTPResponseStatus? {
    guard head.method == .POST else { return .methodNotAllowed }
    guard paths.contains(head.uri) else { return .notFound }
    guard head.headers.first(name: "content-type") == "application/ipp" else { return .unsupportedMediaType }
    return nil
  }

  /// - Parameter sending: how many of the bytes are sent before the connection ends; nil for all.
  private func reply(
    _ context: ChannelHandlerContext, _ head: HTTPRequestHead, _ status: HTTPResponseStatus, _ bytes: [UInt8],
    sending part: Int? = nil
  ) {
    var headers = HTTPHeaders([("Content-Length", "\(bytes.count)")])
    if !bytes.isEmpty { headers.add(name: "Content-Type", value: "application/ipp") }
    let staysOpen = head.isKeepAlive && status == .ok
    if !staysOpen { headers.add(name: "Connection", value: "close") }
    context.write(
      wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: status, headers: headers))), promise: nil)
    if let part, part < bytes.count {
      let channel = context.channel
      return context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes.prefix(part))))))
        .whenComplete { _ in channel.close(promise: nil) }
    }
    context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
    let done = context.eventLoop.makePromise(of: Void.self)
    if !staysOpen {
      let channel = context.channel
      done.futureResult.whenComplete { _ in channel.close(promise: nil) }
    }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: done)
  }
}
