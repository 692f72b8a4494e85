// Counts a listener's connections and what breaks below gRPC, which the services never hear of: handshakes that fail, and what HTTP/2 refuses
// (headers that are too large, floods, frames that make no sense). Sits between TLS and HTTP/2.
//
//     TLS ──> ConnectionMeter ──> HTTP/2
//                  ▲ errors of TLS on their way up; frames of the hub on their way down
//
// Of the frames that the hub sends only headers are looked at (RFC 9113, 4.1): GOAWAY (6.8) and RST_STREAM (6.4) with a code that is not
// NO_ERROR or REFUSED_STREAM say that the peer did what it must not. CANCEL is how gRPC's transport ends a call whose messages it
// does not read: one that is announced with more bytes than may be.

internal import Logging
internal import NIOCore
internal import NIOSSL

final class ConnectionMeter: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let listener: String
  private let metrics: HubMetrics
  private let logger: Logger
  private var frames = FrameScanner()
  private var isOpen = false
  private var isEnded = false
  /// One line a connection, or a peer could fill the disk with them.
  private var isTold = false

  init(listener: String, metrics: HubMetrics, logger: Logger) {
    self.listener = listener
    self.metrics = metrics
    self.logger = logger
  }

  func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { opened() } }

  func channelActive(context: ChannelHandlerContext) {
    opened()
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    if isOpen { metrics.connectionClosed() }
    isOpen = false
    context.fireChannelInactive()
  }

  /// What TLS read is handed on as a copy of its own size. TLS reads into a buffer of 32 KB, and whoever keeps a few bytes of that keeps all of it,
  /// so that it takes another: 60 KB for each connection that is idle. Copying costs little beside deciphering.
  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let read = unwrapInboundIn(data)
    var copy = context.channel.allocator.buffer(capacity: read.readableBytes)
    copy.writeImmutableBuffer(read)
    context.fireChannelRead(wrapInboundOut(copy))
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A peer that just goes away, or that the network takes away, is no error of TLS.
    if !(error is ChannelError), !(error is IOError), (error as? NIOSSLError) != .uncleanShutdown {
      metrics.count(.connectionErrors, "tls")
      tell("connection broke TLS", "\(error)", context)
    }
    context.fireErrorCaught(error)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    for end in frames.scan(unwrapOutboundIn(data).readableBytesView) {
      // A connection is ended with one GOAWAY or with several.
      guard !end.isConnection || !isEnded else { continue }
      isEnded = isEnded || end.isConnection
      metrics.count(.connectionErrors, end.kind)
      tell(
        end.isConnection ? "connection broke HTTP/2" : "call broke the protocol", "HTTP/2 error \(end.code)", context)
    }
    context.write(data, promise: promise)
  }

  private func opened() {
    guard !isOpen else { return }
    isOpen = true
    metrics.connectionOpened()
    metrics.count(.connections, listener)
  }

  private func tell(_ message: Logger.Message, _ reason: String, _ context: ChannelHandlerContext) {
    guard !isTold else { return }
    isTold = true
    logger.notice(
      message,
      metadata: [
        "listener": "\(listener)", "peer": "\(context.remoteAddress?.ipAddress ?? "unknown")",
        "reason": "\(reason.prefix(HubLimits.machineTextMax))",
      ])
  }
}

/// Finds what ends connections and streams among frames that pass. Pure; keeps a few bytes.
struct FrameScanner {
  struct End: Equatable {
    let isConnection: Bool
    let code: UInt32

    /// As the label says it.
    var kind: String {
      if isConnection { return "http2_connection" }
      return code == FrameScanner.cancelCode ? "call" : "http2_stream"
    }
  }

  private static let headerBytes = 9
  private static let resetType: UInt8 = 3
  private static let goAwayType: UInt8 = 7
  /// RFC 9113, 7.
  private static let cancelCode: UInt32 = 8
  /// NO_ERROR and REFUSED_STREAM: nobody's fault.
  private static let harmless: Set<UInt32> = [0, 7]

  /// Of the frame whose beginning has come: its header, and the first bytes of the payload of those that count.
  private var head: [UInt8] = []
  /// Bytes of the frame's payload that are still to pass unseen.
  private var rest = 0

  mutating func scan(_ bytes: some Collection<UInt8>) -> [End] {
    var ends: [End] = []
    var left = bytes[...]
    while !left.isEmpty {
      if rest > 0 {
        let count = min(rest, left.count)
        left = left.dropFirst(count)
        rest -= count
        continue
      }
      let wanted = wanted
      let count = min(wanted - head.count, left.count)
      head += left.prefix(count)
      left = left.dropFirst(count)
      if head.count == self.wanted { end(&ends) }
    }
    return ends
  }

  /// How many bytes of this frame are looked at, as far as is known.
  private var wanted: Int {
    guard head.count >= Self.headerBytes else { return Self.headerBytes }
    switch head[3] {
    case Self.resetType: return Self.headerBytes + min(payload, 4)
    case Self.goAwayType: return Self.headerBytes + min(payload, 8)
    default: return Self.headerBytes
    }
  }

  private var payload: Int { Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2]) }

  private mutating func end(_ ends: inout [End]) {
    let isConnection = head[3] == Self.goAwayType
    if isConnection || head[3] == Self.resetType, head.count >= Self.headerBytes + 4 {
      let code = head.suffix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      if !Self.harmless.contains(code) { ends.append(End(isConnection: isConnection, code: code)) }
    }
    rest = payload - (head.count - Self.headerBytes)
    head.removeAll(keepingCapacity: true)
  }
}
