// An HTTP/2 connection on which this hub asks: an agent's tunnel, which the agent opened, or the way to the hub that has one.
//
//     TLS ──> idle clock ──> HTTP/2 (client) ──> TunnelKeeper: pings, and what GOAWAY says
//                                 └──< streams, one for each request, with back pressure both ways

internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import NIOSSL
internal import Synchronization

final class TunnelConnection: Sendable {
  typealias Stream = NIOAsyncChannel<HTTP2Frame.FramePayload, HTTP2Frame.FramePayload>

  let channel: any Channel
  private let multiplexer: NIOHTTP2Handler.AsyncStreamMultiplexer<Void>
  private let farewell: Farewell

  private init(
    _ channel: any Channel, _ multiplexer: NIOHTTP2Handler.AsyncStreamMultiplexer<Void>, _ farewell: Farewell
  ) {
    (self.channel, self.multiplexer, self.farewell) = (channel, multiplexer, farewell)
  }

  /// Sets a channel up whose TLS is done. On its event loop.
  static func made(on channel: any Channel) throws -> TunnelConnection {
    let farewell = Farewell()
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(IdleStateHandler(readTimeout: TimeAmount(HubLimits.remotePingAfter)))
    let multiplexer = try pipeline.configureAsyncHTTP2Pipeline(mode: .client, configuration: configuration) { stream in
      // Nobody pushes anything at a hub.
      stream.close()
    }
    try pipeline.addHandler(TunnelKeeper(farewell))
    return TunnelConnection(channel, multiplexer, farewell)
  }

  /// As `made`, for the other side, which is asked. On its event loop.
  static func serve(
    on channel: any Channel, _ answer: @escaping @Sendable (Stream) async -> Void
  ) throws {
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(IdleStateHandler(readTimeout: TimeAmount(HubLimits.remotePingAfter)))
    var configuration = configuration
    // A browser that loads a page anew takes all of its requests back, and many share the way between two hubs.
    configuration.stream.streamResetFrameRateLimit.maximumCount = HubLimits.remoteResetsMax
    _ = try pipeline.configureAsyncHTTP2Pipeline(mode: .server, configuration: configuration) { stream in
      stream.eventLoop.makeCompletedFuture {
        let stream = try wrapped(stream)
        Task { await answer(stream) }
      }
    }
    try pipeline.addHandler(TunnelKeeper(Farewell()))
  }

  private static var configuration: NIOHTTP2Handler.Configuration {
    var configuration = NIOHTTP2Handler.Configuration()
    configuration.connection.initialSettings = [
      HTTP2Setting(parameter: .maxConcurrentStreams, value: HubLimits.remoteStreamsMax),
      HTTP2Setting(parameter: .maxHeaderListSize, value: HubLimits.remoteHeadBytesMax),
      HTTP2Setting(parameter: .initialWindowSize, value: HubLimits.remoteWindowBytes),
      HTTP2Setting(parameter: .enablePush, value: 0),
      HTTP2Setting(parameter: .enableConnectProtocol, value: 1),
    ]
    configuration.connection.targetWindowSize = HubLimits.remoteConnectionWindowBytes
    configuration.stream.targetWindowSize = HubLimits.remoteWindowBytes
    configuration.stream.outboundBufferSizeHighWatermark = 256 << 10
    configuration.stream.outboundBufferSizeLowWatermark = 64 << 10
    return configuration
  }

  private static func wrapped(_ stream: any Channel) throws -> Stream {
    try NIOAsyncChannel(wrappingChannelSynchronously: stream)
  }

  /// Opens a stream and lets `body` use it; it is reset when `body` ends before it does.
  func stream<Result: Sendable>(
    _ body: (
      NIOAsyncChannelInboundStream<HTTP2Frame.FramePayload>, NIOAsyncChannelOutboundWriter<HTTP2Frame.FramePayload>
    ) async throws -> Result
  ) async throws -> Result {
    let stream = try await multiplexer.openStream { stream in
      stream.eventLoop.makeCompletedFuture { try Self.wrapped(stream) }
    }
    return try await stream.executeThenClose(isolation: #isolation) { try await body($0, $1) }
  }

  var isOpen: Bool { channel.isActive }

  /// A word and a sentence, if the other side gave them when it went.
  var said: String? { farewell.text }

  /// Ends the connection, and what runs over it.
  ///
  /// - Parameter reason: a word and a sentence.
  func close(saying reason: String) {
    let frame = HTTP2Frame(
      streamID: .rootStream,
      payload: .goAway(lastStreamID: .rootStream, errorCode: .noError, opaqueData: ByteBuffer(string: reason)))
    channel.writeAndFlush(frame).whenComplete { [channel] _ in channel.close(promise: nil) }
    // One that reads nothing is not waited for.
    _ = channel.eventLoop.scheduleTask(in: TimeAmount(HubLimits.remoteGoodbyeMax)) { [channel] in
      channel.close(promise: nil)
    }
  }
}

/// What the other side said when it went.
final class Farewell: Sendable {
  private let said = Mutex<String?>(nil)
  private static let bytesMax = 500

  var text: String? { said.withLock { $0 } }

  func hear(_ bytes: ByteBuffer) {
    let text = cleaned(String(decoding: bytes.readableBytesView.prefix(Self.bytesMax), as: UTF8.self))
    guard !text.isEmpty else { return }
    said.withLock { $0 = $0 ?? text }
  }
}

/// Sees whether the other side is there, and hears what it says of the connection. Belongs to its event loop.
final class TunnelKeeper: ChannelInboundHandler {
  typealias InboundIn = HTTP2Frame
  typealias InboundOut = HTTP2Frame
  typealias OutboundOut = HTTP2Frame

  private let farewell: Farewell
  private var isPinged = false

  init(_ farewell: Farewell) { self.farewell = farewell }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data).payload {
    case .ping(_, ack: true): isPinged = false
    case .goAway(_, _, let said?): farewell.hear(said)
    default: break
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard event is IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
    guard !isPinged else { return context.close(promise: nil) }
    isPinged = true
    let ping = HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 1), ack: false))
    context.writeAndFlush(wrapOutboundOut(ping), promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // That a connection broke was said by nobody, and is told in other words.
    if !Self.isBreak(error) { farewell.hear(ByteBuffer(string: "failed: \(error)")) }
    context.close(promise: nil)
  }

  private static func isBreak(_ error: any Error) -> Bool {
    switch error {
    case is IOError, is ChannelError: true
    case let error as NIOSSLError: if case .uncleanShutdown = error { true } else { false }
    default: false
    }
  }
}
