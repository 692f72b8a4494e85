// The console on its port: TLS always, behind WebServing's gate and limits.
//
//     browser ── HTTPS ──> WebServer (host, site, header, sizes, pace) ──> ConsoleHandler ──> HubConsole       /api/v1/...
//                                                                              └──> the console's files         everything else
//     ConsoleWatch ── looks at the database ──> EventFeed ──> streams of /api/v1/events

internal import FoundationEssentials
internal import Logging
internal import NIOCore
internal import NIOSSL
internal import ServiceLifecycle
internal import Synchronization
internal import WebServing

/// What comes through the gate, answered.
struct ConsoleHandler: WebHandler {
  static let cookie = SessionCookie("pthub_session")
  /// A page that fetches again because something changed, by itself.
  private static let backgroundHeader = "x-printtrail-background"

  let console: HubConsole
  let assets: Assets
  let streams: ConsoleStreams

  @concurrent func answer(_ request: WebRequest) async throws -> WebAnswer {
    guard request.path.first == "api" else { return try file(request) }
    guard request.path.count > 2, request.path[1] == "v1" else { throw WebError.notFound() }
    // A stream has no head to look at alone, and would wait for a reader who never comes.
    guard request.method != .head || request.path.last != "events" else { throw WebError.methodNotAllowed([.get]) }
    let answer = await console.answer(try Self.request(request))
    return try webAnswer(answer, for: request)
  }

  func end() { streams.feed.end() }

  // MARK: In

  private static func request(_ request: WebRequest) throws -> ConsoleRequest {
    // An answer to HEAD is that to GET without its body.
    let method = request.method == .head ? WebMethod.get : request.method
    guard let method = ConsoleRequest.Method(rawValue: method.rawValue) else { throw WebError.notFound() }
    var query: [String: String] = [:]
    for (name, value) in request.query.parameters {
      guard query.updateValue(value, forKey: name) == nil else {
        throw WebError.badValue(name, "\"\(name)\" is given twice; give it once.")
      }
    }
    return ConsoleRequest(
      method: method, path: Array(request.path.dropFirst(2)), query: query, body: try body(request),
      token: cookie.token(request)?.text, peer: peer(request.client),
      isBackground: request.header(backgroundHeader) != nil)
  }

  private static func body(_ request: WebRequest) throws -> [String: BodyValue]? {
    guard !request.body.isEmpty else { return nil }
    let members = try request.members()
    var body: [String: BodyValue] = [:]
    for (name, value) in members {
      guard let value = BodyValue(value) else {
        throw WebError.badValue(name, "\"\(name)\" is of a kind that stands nowhere here.")
      }
      guard body.updateValue(value, forKey: name) == nil else {
        throw WebError.badValue(name, "\"\(name)\" is given twice; give it once.")
      }
    }
    return body
  }

  /// As the audit trail and the limits have addresses.
  private static func peer(_ client: String) -> String {
    guard !client.isEmpty else { return "unknown" }
    return client.contains(":") ? "ipv6:[\(client)]" : "ipv4:\(client)"
  }

  // MARK: Out

  private func webAnswer(_ answer: ConsoleAnswer, for request: WebRequest) throws -> WebAnswer {
    var web: WebAnswer
    switch answer.body {
    case .none: web = .noContent
    case .json(let value): web = .json(Array(value.json.utf8))
    case .file(let name, let type, let bytes): web = .download(name, type: type, .bytes(bytes))
    case .events(let session): web = .events(try streams.open(session, after: request.header("last-event-id")))
    }
    web.status = answer.status
    if let retryAfter = answer.retryAfter { web.headers.append(("Retry-After", "\(retryAfter)")) }
    if !answer.allow.isEmpty {
      web.headers.append(("Allow", answer.allow.map(\.rawValue).joined(separator: ", ")))
    }
    switch answer.cookie {
    case .unchanged: break
    case .set(let token):
      if let token = SessionToken(token) { web.headers.append(Self.cookie.setting(token, isSecure: request.isSecure)) }
    case .clear: web.headers.append(Self.cookie.clearing(isSecure: request.isSecure))
    }
    return web
  }

  /// A file of the console; pages have paths of words, and are all made by the one file.
  private func file(_ request: WebRequest) throws -> WebAnswer {
    guard request.method.isSafe else { throw WebError.methodNotAllowed([.get, .head]) }
    if let answer = assets.answer(request) { return answer }
    var index = request
    index.path = []
    guard !(request.path.last ?? "").contains("."), request.path.first != "shared",
      let answer = assets.answer(index)
    else { throw WebError.notFound() }
    return answer
  }
}

extension BodyValue {
  /// Nil for a value that no member here takes.
  init?(_ json: WebJSON) {
    switch json {
    case .null: self = .null
    case .bool(let value): self = .bool(value)
    case .integer(let number): self = .integer(number)
    case .string(let text): self = .text(text)
    case .array(let values):
      var texts: [String] = []
      for value in values {
        guard case .string(let text) = value else { return nil }
        texts.append(text)
      }
      self = .texts(texts)
    case .object(let members):
      var changes: [String: String?] = [:]
      for (name, value) in members {
        switch value {
        case .string(let text): changes.updateValue(text, forKey: name)
        case .null: changes.updateValue(nil, forKey: name)
        default: return nil
        }
      }
      self = .changes(changes)
    default: return nil
    }
  }
}

/// The streams of events that are open, each with the session that it was opened by.
final class ConsoleStreams: Sendable {
  private struct Stream {
    let session: Int64
    /// The feed has it for as long as it is open.
    weak var subscription: EventSubscription?
  }

  let feed = EventFeed(subscriptionsMax: HubLimits.consoleStreamsMax)
  private let open = Mutex<[Stream]>([])

  /// - Throws: `WebError` 503 where there are too many.
  func open(_ session: OpenSession, after last: String?) throws(WebError) -> EventSubscription {
    let subscription = try feed.subscribe(after: last)
    open.withLock { open in
      open.removeAll { $0.subscription == nil }
      open.append(Stream(session: session.number, subscription: subscription))
    }
    return subscription
  }

  var sessions: Set<Int64> { Set(open.withLock { $0.filter { $0.subscription != nil }.map(\.session) }) }

  /// Ends the streams of sessions that are not among these.
  func keep(_ good: Set<Int64>) {
    let ended = open.withLock { open in
      let ended = open.filter { !good.contains($0.session) }.compactMap(\.subscription)
      open.removeAll { !good.contains($0.session) || $0.subscription == nil }
      return ended
    }
    for subscription in ended { subscription.end() }
  }
}

/// The port of the console, with its bind errors made readable.
struct ConsoleListener: Service {
  let server: WebServer
  let endpoint: Endpoint
  /// What must listen before: a server that is stopped while it starts complains of it in the log.
  let before: [RPCListener]

  func run() async throws {
    for listener in before {
      // One that cannot bind ends the group with the reason; this service only waits for that.
      guard (try? await listener.port) != nil else { return try await gracefulShutdown() }
    }
    do { try await server.run() } catch let error as IOError {
      throw HubError(listening: "console", on: endpoint, error)
    }
  }
}
