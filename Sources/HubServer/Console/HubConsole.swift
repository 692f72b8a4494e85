// The hub's console for a dealer: routes over the store (docs/formats/hub-console-api.md).
//
//     request ──> admit: route, session, role, subject within the scope, names of parameters ──> handler ──> answer
//
// `admit` is the one place where it is decided who may ask what. A handler gets a call that was let in: what its path names was found in the
// caller's scope, and lists are cut by `call.scope`, without which the store gives none.

internal import HubDatabase
internal import Logging
internal import WebServing

/// Who may use a route.
enum ConsoleNeed: Equatable, Sendable {
  /// Whoever reaches the port.
  case anyone
  /// Whoever is logged in, with any role.
  case session
  case role(ConsoleRole)
}

/// What `{id}` of a path is.
enum ConsoleSubjectKind: Sendable {
  case none, entity, install, device, job, code, user
}

struct ConsoleRoute: Sendable {
  typealias Handler = @Sendable (HubConsole, ConsoleCall) async throws -> ConsoleAnswer

  let method: ConsoleRequest.Method
  /// `{id}` stands for one part.
  let path: [String]
  let need: ConsoleNeed
  let subject: ConsoleSubjectKind
  let parameters: Set<String>
  let members: Set<String>
  let handle: Handler

  init(
    _ method: ConsoleRequest.Method, _ path: String, _ need: ConsoleNeed, of subject: ConsoleSubjectKind = .none,
    parameters: Set<String> = [], members: Set<String> = [], _ handle: @escaping Handler
  ) {
    self.method = method
    self.path = path.split(separator: "/").map(String.init)
    self.need = need
    self.subject = subject
    self.parameters = parameters
    self.members = members
    self.handle = handle
  }

  /// What stands for `{id}`, empty without one; nil if the path is another.
  func match(_ parts: [String]) -> String? {
    guard parts.count == path.count else { return nil }
    var id = ""
    for (part, pattern) in zip(parts, path) {
      if pattern == "{id}" { id = part } else if part != pattern { return nil }
    }
    return id
  }
}

struct HubConsole: Sendable {
  let store: SQLStore
  let directory: HubDirectory
  let clock: HubClock
  let logger: Logger
  /// Below which devices' own pages have their origins; nil: this hub serves none.
  var remote: RemoteDomainBox?

  static let routes: [ConsoleRoute] =
    accountRoutes + overviewRoutes + entityRoutes + fleetRoutes + jobRoutes + remoteRoutes + codeRoutes + userRoutes

  /// Answers a request; a fault is an answer as well.
  func answer(_ request: ConsoleRequest) async -> ConsoleAnswer {
    do {
      let (route, call) = try await admit(request)
      return try await route.handle(self, call)
    } catch let fault as ConsoleFault {
      return fault.answer
    } catch let error as WebError {
      return ConsoleFault(
        error.status, error.first.code, error.first.message, field: error.first.field,
        retryAfter: error.retryAfter.map { Int64($0) }
      ).answer
    } catch let error as HubError {
      let fault = ConsoleFault(error)
      if fault.status >= 500 {
        logger.error(
          "console request failed",
          metadata: [
            "method": "\(request.method.rawValue)", "path": "\(request.path.joined(separator: "/"))",
            "error": "\(error)",
          ])
      }
      return fault.answer
    } catch is CancellationError {
      return ConsoleFault(503, "stopping", "The hub stops. Try again in a moment.").answer
    } catch {
      logger.error(
        "console request failed",
        metadata: [
          "method": "\(request.method.rawValue)", "path": "\(request.path.joined(separator: "/"))", "error": "\(error)",
        ])
      return ConsoleFault(500, "internal", "The hub could not do it. Its log says why.").answer
    }
  }

  // MARK: Who may

  /// Lets a request in, or says why not.
  private func admit(_ request: ConsoleRequest) async throws -> (ConsoleRoute, ConsoleCall) {
    let matches = Self.routes.compactMap { route in route.match(request.path).map { (route, $0) } }
    guard !matches.isEmpty else { throw ConsoleFault.notFound }
    guard let (route, id) = matches.first(where: { $0.0.method == request.method }) else {
      var fault = ConsoleFault(405, "method_not_allowed", "This path takes other methods: see Allow.")
      fault.allow = matches.map(\.0.method)
      throw fault
    }
    let now = clock.now
    var session: OpenSession?
    if let token = request.token {
      session = try await store.session(token: token, isUse: !request.isBackground, now: now)
    }
    if route.need != .anyone {
      guard let session else {
        throw ConsoleFault(401, "login_required", "Log in first: there is no session, or it has ended.")
      }
      do { try Self.check(route.need, session.user) } catch {
        if route.need == .role(.technician) {
          try await store.noteRefusedPage(id, by: session, peer: request.peer, because: error.message, now: now)
        }
        throw error
      }
    }
    try check(request, by: route)
    let scope = session?.user.scope ?? EntityScope(root: 0)
    let subject = try await subject(route.subject, id, within: scope)
    return (route, ConsoleCall(request: request, session: session, subject: subject, now: now))
  }

  private static func check(_ need: ConsoleNeed, _ user: ConsoleUser) throws(ConsoleFault) {
    switch need {
    case .anyone: break
    case .session:
      guard !user.roles.isEmpty else {
        throw ConsoleFault(403, "not_allowed", "This user has no role. An administrator gives one.")
      }
    case .role(let role):
      guard user.roles.contains(role) else {
        throw ConsoleFault(403, "not_allowed", "This takes the role \(role.title). An administrator gives it.")
      }
    }
  }

  private func check(_ request: ConsoleRequest, by route: ConsoleRoute) throws(ConsoleFault) {
    if let unknown = request.query.keys.sorted().first(where: { !route.parameters.contains($0) }) {
      throw ConsoleFault(
        400, "unknown_member", "There is no parameter \"\(cleaned(String(unknown.prefix(40))))\" here.",
        field: cleaned(String(unknown.prefix(40))))
    }
    guard let body = request.body else { return }
    if let unknown = body.keys.sorted().first(where: { !route.members.contains($0) }) {
      throw ConsoleFault(
        400, "unknown_member", "There is no member \"\(cleaned(String(unknown.prefix(40))))\" here.",
        field: cleaned(String(unknown.prefix(40))))
    }
  }

  /// What the path names. What lies outside the scope is not there: nobody learns what others have.
  private func subject(
    _ kind: ConsoleSubjectKind, _ id: String, within scope: EntityScope
  ) async throws -> ConsoleSubject {
    let found: ConsoleSubject? =
      switch kind {
      case .none: ConsoleSubject.none
      case .entity:
        if let number = Int64(id) {
          try await store.consoleEntity(number, within: scope).map { .entity(number: number, name: $0) }
        } else {
          nil
        }
      case .install: try await store.consoleInstall(id, within: scope).map { .install($0) }
      case .device: try await store.isDevice(id, within: scope) ? .device(id) : nil
      case .job: try await store.isJob(id, within: scope) ? .job(id) : nil
      case .code:
        if let number = Int64(id), try await store.isCode(number, within: scope) { .code(number) } else { nil }
      case .user: try await store.consoleUser(id, within: scope).map { .user($0) }
      }
    guard let found else {
      throw ConsoleFault(404, "not_found", "There is no such \(kind) that you may see.")
    }
    return found
  }
}
