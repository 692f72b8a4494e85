// From a request on the wire to the answer on it.

internal import HTTPTypes
internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import Synchronization
internal import Zlib

/// A request and the connection that it came on.
struct WebContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
  }
}

struct WebResponder: HTTPResponder {
  typealias Context = WebContext

  private let gate: Gate
  private let limits: WebLimits
  private let handler: any WebHandler
  private let isSecure: Bool
  private let logger: Logger
  private let pace: Pace

  private final class Pace: Sendable {
    let value: Mutex<RequestPace>
    init(_ pace: RequestPace) { value = Mutex(pace) }
  }

  init(gate: Gate, limits: WebLimits, handler: any WebHandler, isSecure: Bool, logger: Logger) {
    self.gate = gate
    self.limits = limits
    self.handler = handler
    self.isSecure = isSecure
    self.logger = logger
    pace = Pace(RequestPace(perSecond: limits.requestsPerSecond, burst: limits.requestsBurst))
  }

  @concurrent func respond(to request: Request, context: Context) async throws -> Response {
    let client = context.channel.remoteAddress?.ipAddress ?? ""
    var method = WebMethod(rawValue: request.head.method.rawValue)
    var answer: WebAnswer
    var isGzipTaken = false
    do {
      try await admit(client)
      let read = try await self.request(request, client)
      context.channel.triggerUserOutboundEvent(ConnectionClock.RequestIsWhole(), promise: nil)
      (method, isGzipTaken) = (read.method, AcceptedCoding.takesGzip(read))
      answer = try await limited(read)
    } catch {
      answer = told(error, request)
    }
    return Self.response(answer, isHead: method == .head, isGzipTaken: isGzipTaken, heartbeat: limits.heartbeat)
  }

  // MARK: In

  private func admit(_ client: String) async throws {
    guard !pace.value.withLock({ $0.admits(client, now: .now) }) else { return }
    try await Task.sleep(for: limits.refusalDelay)
    var error = WebError(
      429, "too_many_requests",
      "More than \(Int(limits.requestsPerSecond)) requests a second came from this address. Ask more slowly.")
    error.retryAfter = 1
    throw error
  }

  private func request(_ request: Request, _ client: String) async throws -> WebRequest {
    guard let method = WebMethod(rawValue: request.head.method.rawValue) else {
      throw WebError.methodNotAllowed(WebMethod.allCases)
    }
    let target = try RequestTarget(request.head.path ?? "")
    var headers = request.head.headerFields.map { (name: $0.name.canonicalName, value: $0.value) }
    // HTTP Types keeps Host apart from the other fields.
    if let authority = request.head.authority { headers.append((name: "host", value: authority)) }
    var read = WebRequest(
      method, path: target.path, query: target.query, headers: headers, client: client, isSecure: isSecure)
    let length = request.headers[.contentLength].flatMap { Int($0) } ?? 0
    let hasBody = length > 0 || request.headers[.transferEncoding] != nil
    try gate.check(read, hasBody: hasBody)
    guard hasBody else { return read }
    let tooLarge = WebError(413, "too_large", "The body has more than \(limits.bodyBytesMax) bytes.")
    guard length <= limits.bodyBytesMax else { throw tooLarge }
    do {
      read.body = Array(try await request.body.collect(upTo: limits.bodyBytesMax).readableBytesView)
    } catch is NIOTooManyBytesError { throw tooLarge }
    return read
  }

  /// The handler's answer, if it comes in time.
  private func limited(_ request: WebRequest) async throws -> WebAnswer {
    try await withThrowingTaskGroup(of: WebAnswer.self) { group in
      group.addTask { try await handler.answer(request) }
      group.addTask {
        try await Task.sleep(for: limits.answerTimeMax)
        throw WebError(
          504, "took_too_long",
          "This took longer than \(limits.answerTimeMax.components.seconds) s and was given up. Ask for less, or try again later."
        )
      }
      defer { group.cancelAll() }
      guard let answer = try await group.next() else { throw CancellationError() }
      return answer
    }
  }

  private func told(_ error: any Error, _ request: Request) -> WebAnswer {
    if let error = error as? WebError { return error.answer }
    if error is CancellationError {
      return WebError(503, "stopping", "The program is ending. Try again in a moment.").answer
    }
    logger.error(
      "a request could not be answered",
      metadata: [
        "method": "\(request.head.method)", "path": "\((request.head.path ?? "").prefix(200))", "reason": "\(error)",
      ])
    return WebError(500, "internal", "Something went wrong in the program; its log says what.").answer
  }

  // MARK: Out

  /// What every answer of a console has, errors too. Nothing is loaded from elsewhere, and nobody else shows or opens our pages.
  private static let protections: [(String, String)] = [
    (
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Embedder-Policy", "require-corp"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
  ]

  static func response(_ answer: WebAnswer, isHead: Bool, isGzipTaken: Bool, heartbeat: Duration) -> Response {
    var answer = answer
    if case .bytes(let bytes) = answer.body, isGzipTaken, bytes.count >= WebLimits.compressedFromBytes,
      !answer.headers.contains(where: { $0.0 == "ETag" }), let deflater = try? Deflater(.gzip),
      let gzip = deflater.deflate(bytes)
    {
      answer.body = .gzip(gzip)
      answer.headers.append(("Vary", "Accept-Encoding"))
    }
    var fields = HTTPFields()
    for (name, value) in answer.headers + protections {
      if let name = HTTPField.Name(name) { fields.append(HTTPField(name: name, value: value)) }
    }
    let body: ResponseBody
    switch answer.body {
    case .none: body = ResponseBody()
    case .bytes(let bytes): body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
    case .gzip(let bytes):
      fields[.contentEncoding] = "gzip"
      body = ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
    case .pieces(let length, let next): body = Self.pieces(length, next)
    case .events(let subscription): body = Self.events(subscription, heartbeat)
    }
    var response = Response(status: .init(code: answer.status), headers: fields, body: body)
    if isHead {
      response.headers[.contentLength] = body.contentLength.map { "\($0)" }
      response.body = ResponseBody()
    }
    return response
  }

  private static func pieces(_ length: Int?, _ next: @escaping @Sendable () async throws -> [UInt8]?) -> ResponseBody {
    ResponseBody(contentLength: length) { writer in
      while let piece = try await next() { try await writer.write(ByteBuffer(bytes: piece)) }
      try await writer.finish(nil)
    }
  }

  /// The client's end shows in a write that fails, at the next heartbeat at the latest.
  private static func events(_ subscription: EventSubscription, _ heartbeat: Duration) -> ResponseBody {
    ResponseBody { writer in
      let beats = Task {
        while !Task.isCancelled {
          try await Task.sleep(for: heartbeat)
          subscription.beat()
        }
      }
      defer {
        beats.cancel()
        subscription.end()
      }
      while let bytes = await subscription.next() { try await writer.write(ByteBuffer(bytes: bytes)) }
      try await writer.finish(nil)
    }
  }
}
