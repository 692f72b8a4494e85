// The two ends of an exchange in a channel: what counts its bytes, and what sends the request and gathers the answer.

internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import OpenSSL

/// Sends the request once the channel is ready and completes the promise with the answer, or with why there is none. Lives on its channel's loop.
final class DeviceExchange: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  private let request: DeviceRequest
  private let answer: EventLoopPromise<DeviceResponse>
  private var response: DeviceResponse?
  /// DER.
  var certificate: [UInt8]?
  var byteCount = 0

  var loop: any EventLoop { answer.futureResult.eventLoop }

  init(_ request: DeviceRequest, _ answer: EventLoopPromise<DeviceResponse>) {
    self.request = request
    self.answer = answer
  }

  func channelActive(context: ChannelHandlerContext) {
    var headers = HTTPHeaders()
    headers.add(name: "Host", value: "\(request.address):\(request.port)")
    headers.add(name: "Content-Type", value: request.contentType)
    headers.add(name: "Content-Length", value: String(request.body.count))
    headers.add(name: "User-Agent", value: "PrintTrail")
    headers.add(name: "Connection", value: "close")
    let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: request.path, headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: request.body)))), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      response = DeviceResponse(status: Int(head.status.code), location: head.headers.first(name: "Location"))
      response?.contentType = head.headers.first(name: "Content-Type")
    case .body(let part):
      guard let count = response?.body.count, count + part.readableBytes <= DeviceHTTPLimits.bodyBytesMax else {
        return fail(.tooLarge, context)
      }
      response?.body += part.readableBytesView
    case .end:
      guard var response else { return fail(.malformed("no head"), context) }
      response.byteCount = byteCount
      response.certificate = certificate.map { SHA256.hash($0).description }
      answer.succeed(response)
      context.close(promise: nil)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Printers close without TLS's goodbye; an answer that was whole by then has been told.
    answer.fail(error)
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    answer.fail(DeviceHTTPError.cut)
    context.fireChannelInactive()
  }

  private func fail(_ error: DeviceHTTPError, _ context: ChannelHandlerContext) {
    answer.fail(error)
    context.close(promise: nil)
  }
}

/// Stands before the parser, which would read headers without end.
final class ByteCounter: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let exchange: DeviceExchange

  init(seenBy exchange: DeviceExchange) { self.exchange = exchange }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    exchange.byteCount += unwrapInboundIn(data).readableBytes
    guard exchange.byteCount <= DeviceHTTPLimits.answerBytesMax else {
      context.fireErrorCaught(DeviceHTTPError.tooLarge)
      return
    }
    context.fireChannelRead(data)
  }
}

extension DeviceHTTPError {
  init(_ error: any Error) {
    switch error {
    case let error as DeviceHTTPError: self = error
    case is CancellationError: self = .cancelled
    case let error as NIOConnectionError: self = Self.connecting(error)
    case let error as IOError: self = Self.system(error)
    case let error as ChannelError:
      if case .connectTimeout = error { self = .timedOut } else { self = .cut }
    case let error as HTTPParserError: self = error == .invalidEOFState ? .cut : .malformed("\(error)")
    case let error as NIOSSLError:
      if case .uncleanShutdown = error { self = .cut } else { self = .tls("\(error)") }
    case let error as BoringSSLError: self = .tls("\(error)")
    default: self = .malformed("\(error)")
    }
  }

  private static func connecting(_ error: NIOConnectionError) -> DeviceHTTPError {
    guard let first = error.connectionErrors.first?.error else { return .unreachable("no address") }
    return DeviceHTTPError(first)
  }

  /// In the system's words for its errno, and not in those of whoever asked for it.
  private static func system(_ error: IOError) -> DeviceHTTPError {
    switch error.errnoCode {
    case ECONNREFUSED: .refused
    case ECONNRESET, EPIPE: .cut
    case ETIMEDOUT: .timedOut
    default: .unreachable(String(cString: strerror(error.errnoCode)))
    }
  }
}
