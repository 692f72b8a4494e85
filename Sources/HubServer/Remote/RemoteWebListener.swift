// The port at which browsers see devices' pages. It is one of its own: the console's takes bodies of 64 KiB within ten seconds and knows no WebSocket,
// which is right for a console and wrong for a printer's firmware; and whatever goes wrong here, no request for a device can come out at the console.
//
//     TCP ──> TLS, `*.<remote domain>` ──> HTTP/1.1 ──> RemoteProxy ──< one stream of the session's tunnel for each request
//                                              └─ Upgrade: websocket ──> WebSocketBridge

internal import DevicePages
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import ServiceLifecycle
internal import Synchronization
internal import WebServing

struct RemoteWebListener: Service {
  typealias Browser = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

  let endpoint: Endpoint
  let tls: TLSConfiguration
  let proxy: RemoteProxy
  let logger: Logger
  let bound: @Sendable (Int) -> Void
  private let connections = OpenConnections()
  private let doorway = Doorway(admittedMax: HubLimits.remoteWebConnectionsMax)

  init(
    endpoint: Endpoint, tls: TLSConfiguration, proxy: RemoteProxy, logger: Logger,
    bound: @escaping @Sendable (Int) -> Void
  ) {
    (self.endpoint, self.tls, self.proxy, self.logger, self.bound) = (endpoint, tls, proxy, logger, bound)
  }

  /// - Throws: `HubError` if it cannot listen.
  func run() async throws {
    let context = try NIOSSLContext(configuration: tls)
    let channel = try await RemotePort.open(endpoint, named: "remote-web") { try accept($0, context) }
    bound(channel.localAddress?.port ?? endpoint.port)
    try? await gracefulShutdown()
    try? await channel.close()
    connections.closeAll()
  }

  private func accept(_ channel: any Channel, _ context: NIOSSLContext) throws {
    connections.add(channel)
    let visitor = Visitor(channel, doorway)
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(SilenceHandler(visitor))
    try pipeline.addHandler(NIOSSLServerHandler(context: context))
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = HubLimits.remoteHeadBytesMax
    limits.maxHeaderListSize = HubLimits.remoteHeadBytesMax
    let bridge = WebSocketBridge(proxy: proxy, visitor: visitor)
    var configuration = NIOUpgradableHTTPServerPipelineConfiguration(
      upgradeConfiguration: NIOTypedHTTPServerUpgradeConfiguration<Void>(
        upgraders: [bridge],
        notUpgradingCompletionHandler: { channel in
          channel.eventLoop.makeCompletedFuture {
            let browser = try Browser(
              wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            let serving = Task { await proxy.serve(browser, visitor) }
            // What a browser asked for and does not wait for any more is taken back at the device.
            channel.closeFuture.whenComplete { _ in serving.cancel() }
          }
        }))
    configuration.decoderConfiguration = limits
    // `FaultHandler` answers what cannot be read.
    configuration.enableErrorHandling = false
    _ = try pipeline.configureUpgradableHTTPServerPipeline(configuration: configuration)
    let upgrader = try pipeline.handler(type: NIOTypedHTTPServerUpgradeHandler<Void>.self)
    try pipeline.addHandler(FirstUpgrade(), position: .before(upgrader))
    try pipeline.addHandler(FaultHandler(), position: .before(upgrader))
  }
}

/// Ends a connection over which nothing moves, and one that asks nothing in time. Belongs to its event loop.
final class SilenceHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let visitor: Visitor
  private var moved = NIODeadline.now()
  private var task: RepeatedTask?

  init(_ visitor: Visitor) { self.visitor = visitor }

  func handlerAdded(context: ChannelHandlerContext) {
    let (channel, most) = (context.channel, TimeAmount(HubLimits.remoteSilenceMax))
    let own = NIOLoopBound(self, eventLoop: context.eventLoop)
    task = context.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(2), delay: .seconds(2)) { [visitor] _ in
      let now = NIODeadline.now()
      if now - own.value.moved > most || visitor.isOverdue(at: now) { channel.close(promise: nil) }
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { task?.cancel() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    moved = .now()
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    moved = .now()
    context.write(data, promise: promise)
  }
}

/// Ends a connection whose request cannot be read, with an answer if none is due for an earlier part of it. Goes when a WebSocket comes. Belongs to its event
/// loop.
final class FaultHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart
  typealias OutboundIn = HTTPServerResponsePart
  typealias OutboundOut = HTTPServerResponsePart

  /// Requests whose answer is not over.
  private var unanswered = 0
  private var isOver = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if case .head = unwrapInboundIn(data) { unanswered += 1 }
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard !isOver else { return promise?.fail(ChannelError.ioOnClosedChannel) ?? () }
    if case .end = unwrapOutboundIn(data) { unanswered -= 1 }
    context.write(data, promise: promise)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    defer { context.fireErrorCaught(error) }
    guard !isOver else { return }
    isOver = true
    guard unanswered == 0, let fault = error as? HTTPParserError else { return context.close(promise: nil) }
    let (status, text, further) = Self.answer(to: fault)
    let headers =
      RemotePages.headers(type: "text/plain; charset=utf-8") + further + [
        ("content-length", "\(text.utf8.count)"), ("connection", "close"),
      ]
    let head = HTTPResponseHead(version: .http1_1, status: status, headers: HTTPHeaders(headers))
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
    let own = NIOLoopBound(context, eventLoop: context.eventLoop)
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in own.value.close(promise: nil) }
  }

  /// A page may set so many cookies for all that is below the domain that no request is short enough any more, of any session. They go, and with them the
  /// sessions' own: each is opened again from the console.
  private static func answer(
    to fault: HTTPParserError
  ) -> (status: HTTPResponseStatus, text: String, headers: [(String, String)]) {
    guard fault == .headerOverflow else { return (.badRequest, "This is no request that can be read.\n", []) }
    let text =
      "The request's head is too long, as it is when a page has set too many cookies. They were taken away: open the page again from the hub's console.\n"
    return (.requestHeaderFieldsTooLarge, text, [("clear-site-data", "\"cookies\"")])
  }
}
