// A TCP server on loopback that answers each request with bytes of a script, right or wrong.

internal import Foundation
internal import NIOCore
internal import NIOPosix

/// What a server does once it has read a request.
enum Act: Sendable {
  case send([UInt8])
  /// The same again and again, until the other side has had enough.
  case sendForEver([UInt8])
  case close

  static func send(_ text: String) -> Act { .send(Array(text.utf8)) }
}

/// Ends with the value.
final class RawServer: Sendable {
  let port: UInt16
  private let channel: any Channel

  /// - Parameter answer: for a request's bytes; nothing at all holds the connection open in silence.
  init(_ answer: @escaping @Sendable ([UInt8]) -> [Act]) async throws {
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).childChannelInitializer { channel in
      channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Server(answer)) }
    }
    channel = try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
    port = UInt16(channel.localAddress?.port ?? 0)
  }

  deinit { channel.close(promise: nil) }
}

private final class Server: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let answer: @Sendable ([UInt8]) -> [Act]
  private var received: [UInt8] = []
  private var hasAnswered = false

  init(_ answer: @escaping @Sendable ([UInt8]) -> [Act]) { self.answer = answer }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += unwrapInboundIn(data).readableBytesView
    guard !hasAnswered, isWhole else { return }
    hasAnswered = true
    for act in answer(received) { perform(act, context) }
  }

  private func perform(_ act: Act, _ context: ChannelHandlerContext) {
    switch act {
    case .send(let bytes): context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    case .close: context.close(promise: nil)
    case .sendForEver(let bytes):
      let again = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes))).whenSuccess {
        let (server, context) = again.value
        server.perform(act, context)
      }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  /// Whether the head and as many bytes as it announces are there.
  private var isWhole: Bool {
    let text = String(decoding: received, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n"), let mark = text.range(of: "Content-Length: ") else { return false }
    let length = Int(text[mark.upperBound...].prefix { $0.isNumber }) ?? 0
    return received.count >= text[..<end.upperBound].utf8.count + length
  }
}
