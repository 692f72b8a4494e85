// An agent whose certificate was stolen, or that was broken into, at the port `remotetechnician`: frames by hand, instead of an answer to the hub's hello.

internal import Crypto
internal import Foundation
@testable internal import HubServer
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization
internal import Testing

/// A frame of HTTP/2 (RFC 9113 section 4.1).
private func frame(_ kind: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
  let (length, number) = (payload.count, stream)
  return [UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255), kind, flags]
    + [UInt8(number >> 24 & 127), UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255)] + payload
}

/// Says its settings, and once the hub has asked, the same again and again.
private final class Flooder: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let first: [UInt8]
  private let again: [UInt8]
  private let sent: Counter
  private var hasBegun = false

  final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
  }

  init(_ first: [UInt8], _ again: [UInt8], _ sent: Counter) {
    (self.first, self.again, self.sent) = (first, again, sent)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    context.fireUserInboundEventTriggered(event)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !hasBegun else { return }
    hasBegun = true
    // SETTINGS and the acknowledgement of the hub's; its hello is on stream 1.
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: frame(4) + frame(4, flags: 1) + first)), promise: nil)
    flood(context)
  }

  private func flood(_ context: ChannelHandlerContext) {
    let next = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    let piece = [[UInt8]](repeating: again, count: 16).flatMap { $0 }
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: piece))).whenSuccess {
      let (flooder, context) = next.value
      flooder.sent.add()
      context.eventLoop.assumeIsolated().execute { flooder.flood(context) }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

@Suite(.timeLimit(.minutes(2))) struct `An agent that floods the hub` {
  struct Flood: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var first: [UInt8] = []
    var again: [UInt8]
  }

  /// `:status: 200` of the static table, and a field without indexing.
  private static let field: [UInt8] = [0, 1, 0x78, 0x7f, 0xc1, 0x3d] + [UInt8](repeating: 0x61, count: 8_000)

  static let floods = [
    Flood(
      testDescription: "a head without an end", first: frame(1, stream: 1, [0x88]), again: frame(9, stream: 1, field)),
    Flood(testDescription: "empty pieces of a head", first: frame(1, stream: 1, [0x88]), again: frame(9, stream: 1)),
    Flood(testDescription: "streams that nobody asked for", again: frame(1, flags: 4, stream: 2, [0x88])),
    Flood(
      testDescription: "data beyond the window", first: frame(1, flags: 4, stream: 1, [0x88]),
      again: frame(0, stream: 1, [UInt8](repeating: 1, count: 16_000))),
  ]

  @Test(arguments: floods) func `is closed soon`(_ flood: Flood) async throws {
    try await RemoteSite.run { site in
      var configuration = TLSConfiguration.makeClientConfiguration()
      configuration.trustRoots = .certificates([try NIOSSLCertificate(bytes: site.agent.root, format: .der)])
      configuration.applicationProtocols = [TunnelListener.protocolName]
      configuration.certificateChain = [
        .certificate(try NIOSSLCertificate(bytes: try #require(site.agent.certificate), format: .der))
      ]
      configuration.privateKey = .privateKey(
        try NIOSSLPrivateKey(bytes: Array(site.agent.key.derRepresentation), format: .der))
      let context = try NIOSSLContext(configuration: configuration)
      let sent = Flooder.Counter()
      let begun = ContinuousClock.now
      let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers(
              try NIOSSLClientHandler(context: context, serverHostname: "localhost"),
              Flooder(flood.first, flood.again, sent))
          }
        }
        .connect(host: "127.0.0.1", port: try #require(site.hub.ready.remote).port).get()
      try await channel.closeFuture.get()
      // Sooner than one that says nothing.
      #expect(begun.duration(to: .now) < HubLimits.remoteHelloTimeout)
      #expect(sent.value > 0)
      // Others are served as before.
      let (_, _, browser) = try await site.opened()
      #expect(try await browser.ask("/").status == 200)
    }
  }
}
