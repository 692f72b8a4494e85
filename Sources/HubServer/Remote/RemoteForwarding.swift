// One request through a session's tunnel.
//
// The request's body goes out while the answer comes in: a device may answer before it has read all, and then the rest is read and thrown away, for a
// browser that is cut off while it sends shows no answer.

internal import DevicePages
internal import Events
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP1
internal import NIOHTTP2
internal import OpenSSL
internal import Synchronization

extension RemoteProxy {
  func forward(
    _ request: RemoteRequest, _ visit: RemoteVisit, _ ownOrigin: String, _ parts: inout Parts, _ writer: Writer
  ) async throws -> Bool {
    guard let line = await sessions.line(to: visit.session) else {
      // Mostly because the session has just ended, which was not looked at again yet.
      if let domain = domain.value, let origin = SessionOrigin(host: request.host, domain: domain),
        let now = try? await gate.visit(origin, cookies: request.fields.values("cookie"), isAnew: true),
        case .refused(let why) = now.standing
      {
        return try await tellOver(why, request, &parts, writer)
      }
      return try await tell(
        502, "The hub that the device's agent is connected to cannot be reached.",
        title: RemotePages.title(ofError: "hub"), request, &parts, writer)
    }
    let hasBody = request.fields["content-length"].map { $0 != "0" } ?? (request.fields["transfer-encoding"] != nil)
    let rules = RequestRules(ownOrigin: ownOrigin, ownCookie: RemoteGate.cookieName)
    var head = Self.head(request.method, request.path, visit, line)
    for field in rules.toDevice(request.fields, visit.place).list { head.add(name: field.name, value: field.value) }
    let answering = Answering(
      proxy: self, request: request, visit: visit,
      rules: ResponseRules(ownOrigin: ownOrigin, ownCookie: RemoteGate.cookieName), writer: writer)
    let first = HTTP2Frame.FramePayload.headers(.init(headers: head, endStream: !hasBody))
    let outcome = Outcome()
    var isRead = false
    do {
      isRead = try await line.connection.stream { answers, device in
        try await device.write(first)
        return try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask { try await answering.run(answers, outcome) }
          let isRead = try await send(&parts, to: device, hasBody: hasBody, outcome)
          try await group.waitForAll()
          return isRead
        }
      }
    } catch {
      // What was begun can only be broken off.
      guard !outcome.hasBegun else { throw error }
      return try await tell(
        502, line.connection.said.map { "The session has ended: \($0)." } ?? "The way to the device broke off.",
        title: RemotePages.title(ofError: ""), request, &parts, writer, isRead: outcome.isRequestRead)
    }
    return isRead
  }

  static func head(_ method: String, _ path: String, _ visit: RemoteVisit, _ line: TunnelLine) -> HPACKHeaders {
    var head: HPACKHeaders = [
      ":method": method, ":scheme": visit.place.current.scheme,
      ":authority": "\(hexadecimal(visit.session.agentDevice.bytes)):\(visit.place.current.port)", ":path": path,
    ]
    if let session = line.session { head.add(name: Relay.sessionField, value: Relay.words(of: session)) }
    return head
  }

  /// Sends the request's body on, as fast as the device takes it.
  ///
  /// - Returns: whether all of it was read.
  private func send(
    _ parts: inout Parts, to device: NIOAsyncChannelOutboundWriter<HTTP2Frame.FramePayload>, hasBody: Bool,
    _ outcome: Outcome
  ) async throws -> Bool {
    var drained = 0
    var isTaken = hasBody
    while let part = try await parts.next(isolation: #isolation) {
      switch part {
      case .body(let buffer):
        if isTaken {
          do { try await device.write(.data(.init(data: .byteBuffer(buffer)))) } catch {
            // It has answered, or gone: the answer says which.
            isTaken = false
          }
        }
        if !isTaken {
          drained += buffer.readableBytes
          guard drained <= HubLimits.remoteDrainedBytesMax else { return false }
        }
      case .end:
        if isTaken {
          try? await device.write(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)))
        }
        outcome.requestWasRead()
        return true
      case .head: return false
      }
    }
    return false
  }
}

/// How far the two directions of a request have come, for whoever cleans up.
final class Outcome: Sendable {
  private struct State {
    var hasBegun = false
    var isRequestRead = false
  }

  private let state = Mutex(State())

  /// Whether the browser has been sent something of the answer.
  var hasBegun: Bool { state.withLock { $0.hasBegun } }
  /// Whether the whole request came in.
  var isRequestRead: Bool { state.withLock { $0.isRequestRead } }
  func begun() { state.withLock { $0.hasBegun = true } }
  func requestWasRead() { state.withLock { $0.isRequestRead = true } }
}

/// The device's answer, on its way to the browser.
struct Answering: Sendable {
  let proxy: RemoteProxy
  let request: RemoteRequest
  let visit: RemoteVisit
  let rules: ResponseRules
  let writer: RemoteProxy.Writer

  private struct Head {
    let status: Int
    let fields: Fields
    let isOver: Bool
  }

  func run(_ answers: NIOAsyncChannelInboundStream<HTTP2Frame.FramePayload>, _ outcome: Outcome) async throws {
    var answers = answers.makeAsyncIterator()
    guard let head = try await head(&answers) else { throw ChannelError.eof }
    if let word = head.fields["pt-error"] {
      let sentence = head.isOver ? "" : try await text(&answers)
      return try await page(head.status, RemotePages.title(ofError: word), sentence, outcome)
    }
    let passed = rules.toBrowser(head.status, head.fields, visit.place)
    if let elsewhere = passed.elsewhere {
      return try await page(
        502, "The device wanted to send you elsewhere",
        "It answered with the address \(cleaned(String(elsewhere.prefix(300)))), which is not its own. That is not opened from here.",
        outcome)
    }
    if let target = passed.target { try await proxy.gate.go(to: target, visit) }
    let isBodiless = request.method == "HEAD" || head.isOver || head.status == 204 || head.status == 304
    guard !isBodiless, isRewritten(head, passed.fields) else {
      let opening = opening(head.status, passed.fields, isBodiless: isBodiless, outcome)
      guard !head.isOver else { return try await writer.write(contentsOf: [opening, .end(nil)]) }
      try await writer.write(opening)
      return try await stream(&answers, isSilent: request.method == "HEAD")
    }
    try await rewrite(head, passed.fields, &answers, outcome)
  }

  private func head(
    _ answers: inout NIOAsyncChannelInboundStream<HTTP2Frame.FramePayload>.AsyncIterator
  ) async throws -> Head? {
    while let part = try await answers.next(isolation: #isolation) {
      guard case .headers(let head) = part else { continue }
      guard let status = head.headers.first(name: ":status").flatMap({ Int($0) }) else { return nil }
      // What comes before the answer says nothing to a browser.
      guard status >= 200 else { continue }
      return Head(status: status, fields: Fields(head.headers.map { ($0.name, $0.value) }), isOver: head.endStream)
    }
    return nil
  }

  /// A sentence of the agent's.
  private func text(
    _ answers: inout NIOAsyncChannelInboundStream<HTTP2Frame.FramePayload>.AsyncIterator
  ) async throws -> String {
    let (bytes, _) = try await collect(&answers, upTo: 1_000)
    return cleaned(String(decoding: bytes.prefix(1_000), as: UTF8.self))
  }

  private func page(_ status: Int, _ title: String, _ sentence: String, _ outcome: Outcome) async throws {
    let isPage = (request.fields["accept"] ?? "").contains("text/html")
    let text = isPage ? RemotePages.page(title, sentence) : "\(title). \(sentence)\n"
    var fields = Fields(RemotePages.headers(type: isPage ? "text/html; charset=utf-8" : "text/plain; charset=utf-8"))
    fields.set("content-length", "\(text.utf8.count)")
    let body: [HTTPServerResponsePart] = request.method == "HEAD" ? [] : [.body(.byteBuffer(ByteBuffer(string: text)))]
    try await writer.write(
      contentsOf: [opening(status, fields, isBodiless: false, outcome)] + body + [.end(nil)])
  }

  /// The head, which is about to be sent.
  private func opening(
    _ status: Int, _ fields: Fields, isBodiless: Bool, _ outcome: Outcome
  ) -> HTTPServerResponsePart {
    var headers = HTTPHeaders(fields.list.map { ($0.name, $0.value) })
    // Without a length the encoder would announce chunks, also where none may come.
    if isBodiless, status != 204, status != 304, !headers.contains(name: "content-length") {
      headers.add(name: "content-length", value: "0")
    }
    outcome.begun()
    return .head(HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers))
  }

  /// The body up to its end. What is written together goes in one packet: small files are most of a page.

  private func stream(
    _ answers: inout NIOAsyncChannelInboundStream<HTTP2Frame.FramePayload>.AsyncIterator, isSilent: Bool
  ) async throws {
    while let part = try await answers.next(isolation: #isolation) {
      switch part {
      case .data(let data):
        var parts: [HTTPServerResponsePart] = []
        if !isSilent, case .byteBuffer(let buffer) = data.data, buffer.readableBytes > 0 {
          parts.append(.body(.byteBuffer(buffer)))
        }
        if data.endStream { parts.append(.end(nil)) }
        if !parts.isEmpty { try await writer.write(contentsOf: parts) }
        if data.endStream { return }
      // Trailers are dropped.
      case .headers(let trailers) where trailers.endStream: return try await writer.write(.end(nil))
      default: break
      }
    }
    throw ChannelError.eof
  }

  // MARK: Pages whose links are rewritten

  private func isRewritten(_ head: Head, _ fields: Fields) -> Bool {
    guard head.status != 206, LinkRewriter.applies(toType: fields["content-type"]),
      PageBody.isReadable(coding: fields["content-encoding"])
    else { return false }
    return (fields["content-length"].flatMap { Int($0) } ?? 0) <= LinkRewriter.bytesMax
  }

  private func rewrite(
    _ head: Head, _ fields: Fields,
    _ answers: inout NIOAsyncChannelInboundStream<HTTP2Frame.FramePayload>.AsyncIterator, _ outcome: Outcome
  ) async throws {
    let (bytes, isWhole) = try await collect(&answers, upTo: LinkRewriter.bytesMax)
    var fields = fields
    var body = bytes
    if isWhole, let page = PageBody.rewritten(bytes, coding: fields["content-encoding"], visit.place) {
      body = page
      for name in [
        "content-encoding", "etag", "content-md5", "digest", "content-digest", "repr-digest", "accept-ranges",
      ] {
        fields.remove(name)
      }
      fields.set("content-length", "\(body.count)")
    }
    var parts = [opening(head.status, fields, isBodiless: false, outcome)]
    if !body.isEmpty { parts.append(.body(.byteBuffer(ByteBuffer(bytes: body)))) }
    if isWhole { parts.append(.end(nil)) }
    try await writer.write(contentsOf: parts)
    if !isWhole { try await stream(&answers, isSilent: false) }
  }

  /// - Returns: what came, and whether that was all; it ends with the part that passes the limit.
  private func collect(
    _ answers: inout NIOAsyncChannelInboundStream<HTTP2Frame.FramePayload>.AsyncIterator, upTo limit: Int
  ) async throws -> (bytes: [UInt8], isWhole: Bool) {
    var bytes: [UInt8] = []
    while let part = try await answers.next(isolation: #isolation) {
      switch part {
      case .data(let data):
        if case .byteBuffer(let buffer) = data.data { bytes.append(contentsOf: buffer.readableBytesView) }
        if data.endStream { return (bytes, true) }
        if bytes.count > limit { return (bytes, false) }
      case .headers(let trailers) where trailers.endStream: return (bytes, true)
      default: break
      }
    }
    throw ChannelError.eof
  }
}
