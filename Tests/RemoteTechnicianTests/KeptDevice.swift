// A device whose connections stay open, and which answers each request on each of them as it is told to.

internal import Foundation
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// A request as the device saw it.
struct SeenRequest: Equatable, Sendable {
  /// From 0, in the order in which they were opened.
  var connection: Int
  /// From 0, on its connection.
  var number: Int
  /// `GET /x HTTP/1.1`.
  var line: String
}

final class KeptDevice: Sendable {
  let port: UInt16
  private let channel: any Channel
  private let log: Log

  /// What all of its connections have in common.
  fileprivate final class Log: Sendable {
    private struct State {
      var opened = 0
      var open = 0
      var requests: [SeenRequest] = []
    }
    private let state = Mutex(State())

    var opened: Int { state.withLock { $0.opened } }
    var open: Int { state.withLock { $0.open } }
    var requests: [SeenRequest] { state.withLock { $0.requests } }

    func accepted() -> Int {
      state.withLock { state in
        state.opened += 1
        state.open += 1
        return state.opened - 1
      }
    }
    func closed() { state.withLock { $0.open -= 1 } }
    func saw(_ request: SeenRequest) { state.withLock { $0.requests.append(request) } }
  }

  /// Connections that were made, and that are open now.
  var opened: Int { log.opened }
  var open: Int { log.open }
  var requests: [SeenRequest] { log.requests }

  /// - Parameters:
  ///   - certificates: of `TestKeys`, one for each connection, the last one for the others too; none: no TLS.
  ///   - answer: what it does once a request's head is there.
  init(certificates: [String] = [], _ answer: @escaping @Sendable (SeenRequest) -> [Act]) async throws {
    let log = Log()
    let tls = try certificates.map { name in
      let keys = TestKeys.shared
      return try NIOSSLContext(
        configuration: .makeServerConfiguration(
          certificateChain: try NIOSSLCertificate.fromPEMFile(keys.path("\(name).pem")).map { .certificate($0) },
          privateKey: .privateKey(try NIOSSLPrivateKey(file: keys.path("\(name).key"), format: .pem))))
    }
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).childChannelInitializer {
      channel in
      channel.eventLoop.makeCompletedFuture {
        let number = log.accepted()
        if !tls.isEmpty {
          try channel.pipeline.syncOperations.addHandler(
            NIOSSLServerHandler(context: tls[min(number, tls.count - 1)]))
        }
        try channel.pipeline.syncOperations.addHandler(Server(number, log, answer))
      }
    }.bind(host: "127.0.0.1", port: 0).get()
    port = UInt16(channel.localAddress?.port ?? 0)
    self.log = log
  }

  deinit { channel.close(promise: nil) }
}

private final class Server: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let log: KeptDevice.Log
  private let answer: @Sendable (SeenRequest) -> [Act]
  private let connection: Int
  private var number = 0
  private var received = ""

  init(_ connection: Int, _ log: KeptDevice.Log, _ answer: @escaping @Sendable (SeenRequest) -> [Act]) {
    (self.connection, self.log, self.answer) = (connection, log, answer)
  }

  func channelInactive(context: ChannelHandlerContext) { log.closed() }

  /// Bodies are passed over: those of tests have no empty line.
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += String(decoding: unwrapInboundIn(data).readableBytesView, as: UTF8.self)
    while let end = received.range(of: "\r\n\r\n") {
      let line = received[..<end.lowerBound].components(separatedBy: "\r\n").first ?? ""
      received = String(received[end.upperBound...])
      let request = SeenRequest(connection: connection, number: number, line: line)
      number += 1
      log.saw(request)
      for act in answer(request) {
        switch act {
        case .send(let bytes), .sendForEver(let bytes):
          context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        case .close: context.close(promise: nil)
        }
      }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
