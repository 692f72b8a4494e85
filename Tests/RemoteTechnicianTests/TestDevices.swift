// Devices: an HTTP server of Python's, and a TCP server that sends what it is told to, right or wrong.

internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import TestPrograms

/// Serves pages as a well-behaved device does; ends with the value.
final class PythonDevice: Sendable {
  let port: UInt16
  private let program: ChildProgram

  /// - Parameter certificate: of `TestKeys`; nil: no TLS.
  init(certificate: String? = nil, isOld: Bool = false) throws {
    let keys = TestKeys.shared
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Support/device.py")
    program = try ChildProgram(
      "/usr/bin/python3",
      [script.path] + (certificate.map { [keys.path("\($0).pem"), keys.path("\($0).key")] } ?? [])
        + (isOld ? ["old"] : []), output: .pipe,
      errors: .nowhere)
    var line = ""
    while !line.hasSuffix("\n") {
      let bytes = program.read()
      if bytes.isEmpty { break }
      line += String(decoding: bytes, as: UTF8.self)
    }
    guard let port = UInt16(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw Unexpected()
    }
    self.port = port
  }
}

/// What a hostile device does once a request's head has come.
enum Act: Sendable {
  case send([UInt8])
  /// The same again and again, until the other side has had enough.
  case sendForEver([UInt8])
  case close

  static func send(_ text: String) -> Act { .send(Array(text.utf8)) }
}

final class RawDevice: Sendable {
  let port: UInt16
  private let channel: any Channel

  init(_ acts: [Act]) async throws {
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).childChannelInitializer {
      channel in
      channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Server(acts)) }
    }.bind(host: "127.0.0.1", port: 0).get()
    port = UInt16(channel.localAddress?.port ?? 0)
  }

  deinit { channel.close(promise: nil) }
}

private final class Server: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let acts: [Act]
  private var received: [UInt8] = []
  private var hasAnswered = false

  init(_ acts: [Act]) { self.acts = acts }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += unwrapInboundIn(data).readableBytesView
    guard !hasAnswered, String(decoding: received, as: UTF8.self).contains("\r\n\r\n") else { return }
    hasAnswered = true
    for act in acts { perform(act, context) }
  }

  private func perform(_ act: Act, _ context: ChannelHandlerContext) {
    switch act {
    case .send(let bytes): context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    case .close: context.close(promise: nil)
    case .sendForEver(let piece):
      // In few writes: a loop that is kept busy with single bytes keeps everybody waiting who is on it.
      let bytes = [[UInt8]](repeating: piece, count: 1 + 16_384 / piece.count).flatMap { $0 }
      let again = NIOLoopBound((self, context), eventLoop: context.eventLoop)
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes))).whenSuccess {
        let (server, context) = again.value
        // Not at once: a write that is done at once would be made from within itself, without end.
        context.eventLoop.assumeIsolated().execute { server.perform(act, context) }
      }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
