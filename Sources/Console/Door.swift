// Who may come in: everybody on this machine as long as no password is set, and then who is logged in.

internal import Platform
internal import Synchronization
internal import WebServing

final class Door: Sendable {
  private let password: ConsolePassword
  private let sessions = Sessions()
  private let limiter = Mutex(LoginLimiter())
  private let cookie = SessionCookie("printtrail_session")
  private let agent: any ConsoleAgent
  /// Streams are cut when a session ends: nobody listens on who has left.
  private let feed: EventFeed
  /// Whether the console listens on loopback alone.
  private let isLocal: Bool

  init(_ password: ConsolePassword, agent: any ConsoleAgent, feed: EventFeed, isLocal: Bool) {
    self.feed = feed
    self.password = password
    self.agent = agent
    self.isLocal = isLocal
  }

  /// - Throws: `WebError` 401.
  func check(_ request: WebRequest) throws(WebError) {
    guard password.state != .none || !isLocal else { return }
    guard sessions.use(cookie.token(request)) == nil else { return }
    throw WebError(401, "login_required", "Log in first.")
  }

  func answer(_ request: WebRequest) async throws -> WebAnswer {
    switch request.method {
    case .get, .head: return state(request, sessions.use(cookie.token(request)))
    case .post: return try await login(request)
    case .delete:
      sessions.end(cookie.token(request))
      feed.cut()
      var answer = WebAnswer.noContent
      answer.headers.append(cookie.clearing(isSecure: request.isSecure))
      return answer
    case .put: throw WebError.methodNotAllowed([.get, .post, .delete])
    }
  }

  private func state(_ request: WebRequest, _ left: Duration?) -> WebAnswer {
    let isSet = password.state != .none
    let isRequired = isSet || !isLocal
    let end = left.map { UTCTimeText.at(Machine.milliseconds + $0.components.seconds * 1_000) }
    return .json(
      .object([
        ("loginRequired", .bool(isRequired)), ("authenticated", .bool(!isRequired || left != nil)),
        ("passwordSet", .bool(isSet)),
        ("secure", .bool(request.isSecure)), ("version", .string(agent.version)), ("hostName", .string(agent.hostName)),
        ("expires", WebJSON(end)),
      ]))
  }

  private func login(_ request: WebRequest) async throws -> WebAnswer {
    var members = Members(try request.members())
    let text = try members.requiredText("password", bytesMax: PasswordHash.passwordBytesMax)
    try members.finish()
    try await check(text, request, field: "password")
    let token = sessions.begin()
    var answer = state(request, Sessions.idleMax)
    answer.headers.append(cookie.setting(token, isSecure: request.isSecure))
    return answer
  }

  /// - Throws: `WebError` 401, 429, 503.
  private func check(_ text: String, _ request: WebRequest, field: String) async throws {
    if let wait = limiter.withLock({ $0.wait(request.client, now: .now) }) {
      let seconds = Int(wait.components.seconds) + 1
      var error = WebError(
        429, "too_many_attempts", "Too many wrong passwords. Try again in \(Duration.seconds(seconds).spoken).")
      error.retryAfter = seconds
      throw error
    }
    // Counted before it is known, so that many at once are no way around.
    limiter.withLock { $0.failed(request.client, now: .now) }
    switch password.state {
    case .hash(let hash) where try await PasswordHash.verify(text, hash):
      limiter.withLock { $0.succeeded(request.client) }
    case .unusable(let reason): throw WebError(503, "password_unusable", reason)
    case .hash, .none: throw WebError(401, "wrong_password", "This is not the password.", field: field)
    }
  }

  /// `PUT /password`
  func change(_ request: WebRequest) async throws -> WebAnswer {
    var members = Members(try request.members())
    let current = try members.text("current")
    let isGiven = members.has("new")
    let new = try members.text("new", bytesMax: 4 * PasswordHash.passwordBytesMax)
    try members.finish()
    if password.state != .none {
      try await check(current ?? "", request, field: "current")
    } else if !request.isLocal {
      throw WebError(403, "not_allowed", "The first password is set on the machine itself: ptagent console password")
    }
    guard isGiven else {
      throw WebError.badValue("new", "\"new\" is missing; give the new password, or null to have none.")
    }
    guard let new else {
      guard isLocal else {
        throw WebError(
          409, "not_changeable",
          "A console that others reach keeps its password. Have it listen on loopback alone first.")
      }
      try password.remove()
      return .noContent
    }
    if let complaint = PasswordRules.complaint(about: new, besides: [agent.hostName]) {
      throw WebError(422, "invalid", complaint, field: "new")
    }
    try password.set(hash: try await PasswordHash.make(new))
    sessions.endAll(but: cookie.token(request))
    feed.cut()
    return .noContent
  }
}
