// Cuts clients that are slow on purpose or by accident: a request has to come in a time, and an answer has to be taken.
//
//     accepted ──> receiving ──the request is whole──> answering ──the next byte──> receiving ...
//                      └── closed after requestTimeMax, or when more bytes came than a request may have
//
//     not writable for unreadTimeMax: closed
//
// The first handler behind the socket: it sees bytes, and is told when a request is whole. A connection without a request is ended by the idle time of
// the HTTP channel. Who sends a request before the one before was answered has that much less time for it.

internal import NIOCore

/// One connection's times. Belongs to its event loop.
final class ConnectionClock: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// What comes down the pipeline once a request was read.
  struct RequestIsWhole: Sendable {}

  private let limits: WebLimits
  /// Of the request that comes in; nil: none does.
  private var received: Int?
  private var deadline: Scheduled<Void>?
  private var unread: Scheduled<Void>?

  init(_ limits: WebLimits) { self.limits = limits }

  /// A head and a body, each with what TLS and chunks put around them.
  private var bytesMax: Int { 2 * (limits.headBytesMax + limits.bodyBytesMax) }

  func handlerAdded(context: ChannelHandlerContext) { begin(context) }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  private func begin(_ context: ChannelHandlerContext) {
    received = 0
    deadline?.cancel()
    let channel = context.channel
    deadline = context.eventLoop.scheduleTask(in: TimeAmount(limits.requestTimeMax)) { channel.close(promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if received == nil { begin(context) }
    received = (received ?? 0) + unwrapInboundIn(data).readableBytes
    if let received, received > bytesMax { context.close(promise: nil) }
    context.fireChannelRead(data)
  }

  func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
    guard event is RequestIsWhole else { return context.triggerUserOutboundEvent(event, promise: promise) }
    received = nil
    deadline?.cancel()
    deadline = nil
    promise?.succeed()
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    unread?.cancel()
    unread = nil
    if !context.channel.isWritable {
      let channel = context.channel
      unread = context.eventLoop.scheduleTask(in: TimeAmount(limits.unreadTimeMax)) { channel.close(promise: nil) }
    }
    context.fireChannelWritabilityChanged()
  }

  private func end() {
    deadline?.cancel()
    unread?.cancel()
    (deadline, unread) = (nil, nil)
  }
}
