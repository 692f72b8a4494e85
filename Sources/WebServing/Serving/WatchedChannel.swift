// What is set up for a connection that was accepted: it is counted and clocked, then TLS, then HTTP/1.1.

internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import NIOSSL

struct WatchedChannel: ServerChildChannel {
  typealias Value = HTTP1Channel.Value

  let responder: HTTPChannelHandler.Responder
  let limits: WebLimits
  let count: ConnectionCount
  /// Nil: without TLS.
  let context: NIOSSLContext?

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    let client = channel.remoteAddress?.ipAddress ?? ""
    let isAdmitted = count.begins(client)
    if isAdmitted { channel.closeFuture.whenComplete { [count] _ in count.ended(client) } }
    return channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(ConnectionClock(limits))
      if let context { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context)) }
    }.flatMap {
      http.setup(channel: channel, logger: logger)
    }.map { value in
      // Not before: a channel that closes while it is set up ends the server's own channel with its error.
      if !isAdmitted { channel.close(promise: nil) }
      return value
    }
  }

  func handle(value: Value, logger: Logger) async { await http.handle(value: value, logger: logger) }

  private var http: HTTP1Channel {
    HTTP1Channel(
      responder: responder,
      configuration: HTTP1Channel.Configuration(
        idleTimeout: TimeAmount(limits.idleTimeMax),
        httpDecoderConfiguration: .init(
          maxHeaderFieldSize: limits.headBytesMax, maxHeaderListSize: limits.headBytesMax, maxHeaderFieldCount: 100)))
  }
}
