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
  private let count = ConnectionTally(max: HubLimits.remoteWebConnectionsMax)
  private let perClient = ClientTally(max: HubLimits.remoteWebConnectionsPerClientMax)

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
    guard count.begins(channel), perClient.begins(channel) else { return channel.close(promise: nil) }
    connections.add(channel)
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(SilenceHandler())
    try pipeline.addHandler(NIOSSLServerHandler(context: context))
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = HubLimits.remoteHeadBytesMax
    limits.maxHeaderListSize = HubLimits.remoteHeadBytesMax
    let bridge = WebSocketBridge(proxy: proxy)
    var configuration = NIOUpgradableHTTPServerPipelineConfiguration(
      upgradeConfiguration: NIOTypedHTTPServerUpgradeConfiguration<Void>(
        upgraders: [bridge],
        notUpgradingCompletionHandler: { channel in
          channel.eventLoop.makeCompletedFuture {
            let browser = try Browser(
              wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            Task { await proxy.serve(browser) }
          }
        }))
    configuration.decoderConfiguration = limits
    _ = try pipeline.configureUpgradableHTTPServerPipeline(configuration: configuration)
    let upgrader = try pipeline.handler(type: NIOTypedHTTPServerUpgradeHandler<Void>.self)
    try pipeline.addHandler(FirstUpgrade(), position: .before(upgrader))
  }
}

/// Ends a connection over which nothing moves, and one that shows no request soon. Belongs to its event loop.
final class SilenceHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private var moved = NIODeadline.now()
  private var task: RepeatedTask?

  func handlerAdded(context: ChannelHandlerContext) {
    let (channel, most) = (context.channel, TimeAmount(HubLimits.remoteSilenceMax))
    let own = NIOLoopBound(self, eventLoop: context.eventLoop)
    task = context.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(5), delay: .seconds(5)) { _ in
      if NIODeadline.now() - own.value.moved > most { channel.close(promise: nil) }
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

/// Connections of one address, up to a number.
final class ClientTally: Sendable {
  private let max: Int
  private let open = Mutex<[String: Int]>([:])

  init(max: Int) { self.max = max }

  func begins(_ channel: any Channel) -> Bool {
    let client = channel.remoteAddress?.ipAddress ?? ""
    let isAdmitted = open.withLock { open in
      guard open[client, default: 0] < max else { return false }
      open[client, default: 0] += 1
      return true
    }
    guard isAdmitted else { return false }
    channel.closeFuture.whenComplete { _ in
      self.open.withLock { open in
        let left = (open[client] ?? 1) - 1
        open[client] = left > 0 ? left : nil
      }
    }
    return true
  }
}
