// A WebSocket: RFC 6455 towards the browser, extended CONNECT (RFC 8441) in the tunnel, and between them bytes that nobody here reads.
//
//     browser ── GET, Upgrade: websocket ──> stream: CONNECT, :protocol websocket ──> agent ── GET, Upgrade: websocket ──> device
//             <── 101, the key's answer ────          <── 200 ─────────────────────        <── 101 ───────────────────────

internal import Crypto
internal import DevicePages
internal import FoundationEssentials
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP1
internal import NIOHTTP2
internal import Synchronization

final class WebSocketBridge: NIOTypedHTTPServerProtocolUpgrader {
  typealias UpgradeResult = Void
  typealias Bytes = NIOAsyncChannel<ByteBuffer, ByteBuffer>

  let supportedProtocol = "websocket"
  let requiredUpgradeHeaders: [String] = []

  private let proxy: RemoteProxy
  private let visitor: Visitor
  /// Told of the browser's side once it speaks WebSocket. One bridge belongs to one connection, which upgrades once.
  private let browser = Mutex<EventLoopPromise<Bytes>?>(nil)

  init(proxy: RemoteProxy, visitor: Visitor) { (self.proxy, self.visitor) = (proxy, visitor) }

  func buildUpgradeResponse(
    channel: any Channel, upgradeRequest: HTTPRequestHead, initialResponseHeaders: HTTPHeaders
  ) -> EventLoopFuture<HTTPHeaders> {
    visitor.asks()
    let answered = channel.eventLoop.makePromise(of: HTTPHeaders.self)
    let browser = channel.eventLoop.makePromise(of: Bytes.self)
    self.browser.withLock { $0 = browser }
    channel.closeFuture.whenComplete { _ in browser.fail(ChannelError.eof) }
    let request = RemoteRequest(upgradeRequest, peer: RemoteProxy.peer(channel), visitor)
    Task {
      do { try await self.run(request, initialResponseHeaders, answered, browser.futureResult) } catch {
        // NIO would hand the request on without its head. Whoever was told nothing yet is told here, and the connection ends.
        if let refused = error as? Refused { await Self.tell(refused, channel) }
        try? await channel.close()
        answered.fail(error)
      }
    }
    return answered.futureResult
  }

  func upgrade(channel: any Channel, upgradeRequest: HTTPRequestHead) -> EventLoopFuture<Void> {
    let browser = browser.withLock { $0 }
    return channel.eventLoop.makeCompletedFuture {
      let pipeline = channel.pipeline.syncOperations
      pipeline.removeHandler(try pipeline.handler(type: FaultHandler.self), promise: nil)
      browser?.succeed(
        try Bytes(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true)))
    }
  }

  /// Why there is to be no WebSocket.
  private struct Refused: Error {
    let status: Int
    let sentence: String

    /// The same for whatever is not exactly a session of whoever asks.
    static let nothing = Refused(status: 404, sentence: RemotePages.nothing)
    static let none = Refused(status: 502, sentence: "The device opened no WebSocket.\n")
    static let full = Refused(status: 503, sentence: RemoteProxy.tooMany + "\n")
  }

  private static func tell(_ refused: Refused, _ channel: any Channel) async {
    if refused.status == 404 { try? await Task.sleep(for: HubLimits.remoteRefusalDelay) }
    let headers =
      RemotePages.headers(type: "text/plain; charset=utf-8") + [
        ("content-length", "\(refused.sentence.utf8.count)"), ("connection", "close"),
      ]
    let head = HTTPResponseHead(
      version: .http1_1, status: .init(statusCode: refused.status), headers: HTTPHeaders(headers))
    channel.write(HTTPServerResponsePart.head(head), promise: nil)
    channel.write(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: refused.sentence))), promise: nil)
    try? await channel.writeAndFlush(HTTPServerResponsePart.end(nil)).get()
  }

  private func run(
    _ request: RemoteRequest, _ initial: HTTPHeaders, _ answered: EventLoopPromise<HTTPHeaders>,
    _ browser: EventLoopFuture<Bytes>
  ) async throws {
    guard let domain = proxy.domain.value, let origin = SessionOrigin(host: request.host, domain: domain),
      // A WebSocket asks nobody before it is opened; its origin is all that tells whose page it is.
      request.fields["origin"] == origin.url(in: domain), request.method == "GET", request.path.hasPrefix("/"),
      !request.path.hasPrefix("/.printtrail/"),
      let visit = try? await proxy.gate.visit(origin, cookies: request.fields.values("cookie"))
    else { throw Refused.nothing }
    if case .refused(let why) = visit.standing { throw Refused(status: 403, sentence: why) }
    guard visitor.isOfSession() else { throw Refused.full }
    guard proxy.requests.begins(visit.session.number) else { throw Refused.full }
    defer { proxy.requests.ends(visit.session.number) }
    guard request.fields["sec-websocket-version"] == "13", let key = request.fields["sec-websocket-key"],
      key.utf8.count == 24, let line = await proxy.sessions.line(to: visit.session)
    else { throw Refused.none }
    let rules = RequestRules(ownOrigin: origin.url(in: domain), ownCookie: RemoteGate.cookieName)
    var head = RemoteProxy.head("CONNECT", request.path, visit, line)
    head.add(name: ":protocol", value: "websocket")
    for field in rules.toDevice(request.fields, visit.place, isWebSocket: true).list {
      head.add(name: field.name, value: field.value)
    }
    let connect = Self.ordered(head)
    try await line.connection.stream { answers, device in
      try await device.write(.headers(.init(headers: connect)))
      var answers = answers.makeAsyncIterator()
      guard case .headers(let answer)? = try await answers.next(isolation: #isolation),
        answer.headers.first(name: ":status") == "200",
        !answer.endStream
      else { throw Refused.none }
      var headers = initial
      headers.replaceOrAdd(name: "sec-websocket-accept", value: Self.accept(key))
      for name in ["sec-websocket-protocol", "sec-websocket-extensions"] {
        if let value = answer.headers.first(name: name) { headers.replaceOrAdd(name: name, value: value) }
      }
      answered.succeed(headers)
      let own = try await browser.get()
      try await own.executeThenClose { inbound, outbound in
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            for try await bytes in inbound { try await device.write(.data(.init(data: .byteBuffer(bytes)))) }
            try await device.write(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)))
          }
          while let part = try await answers.next(isolation: #isolation) {
            guard case .data(let data) = part else { continue }
            if case .byteBuffer(let bytes) = data.data { try await outbound.write(bytes) }
            if data.endStream { break }
          }
          // The device's side is over; the browser's is once it has read what was sent.
          outbound.finish()
        }
      }
    }
  }

  /// With what begins with a colon before all else (RFC 9113, section 8.3).
  private static func ordered(_ head: HPACKHeaders) -> HPACKHeaders {
    var ordered = HPACKHeaders()
    for field in head where field.name.hasPrefix(":") { ordered.add(name: field.name, value: field.value) }
    for field in head where !field.name.hasPrefix(":") { ordered.add(name: field.name, value: field.value) }
    return ordered
  }

  /// RFC 6455, section 4.2.2.
  private static func accept(_ key: String) -> String {
    let text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    return Data(Insecure.SHA1.hash(data: Data(text.utf8))).base64EncodedString()
  }
}

/// Takes `Upgrade` out of the first request, unless that asks for a WebSocket: NIO waits for an upgrade to anything, and loses the head where there is
/// none. Only the first can be one; this goes with it. Belongs to its event loop.
final class FirstUpgrade: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
    let protocols = head.headers[canonicalForm: "upgrade"].map { $0.lowercased() }
    let hasBody = head.headers.contains(name: "content-length") || head.headers.contains(name: "transfer-encoding")
    if protocols != ["websocket"] || hasBody || head.method != .GET { head.headers.remove(name: "upgrade") }
    context.fireChannelRead(wrapInboundOut(.head(head)))
    context.pipeline.syncOperations.removeHandler(self, promise: nil)
  }
}
