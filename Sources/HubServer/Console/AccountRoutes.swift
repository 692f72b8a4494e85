// Logging in and out, and one's own account.

internal import FoundationEssentials
internal import WebServing

extension HubConsole {
  static let accountRoutes: [ConsoleRoute] = [
    ConsoleRoute(.get, "session", .anyone) { console, call in .ok(console.session(call.session)) },
    ConsoleRoute(.post, "session", .anyone, members: ["user", "password"]) { console, call in
      try await console.logIn(call)
    },
    ConsoleRoute(.delete, "session", .session) { console, call in
      if let session = call.session {
        try await console.store.endSession(session, by: call.actor, now: call.now)
      }
      return ConsoleAnswer(status: 204, body: .none, cookie: .clear)
    },
    ConsoleRoute(.put, "password", .session, members: ["current", "new"]) { console, call in
      try await console.changeOwnPassword(call)
    },
    ConsoleRoute(.get, "events", .session) { _, call in
      guard let session = call.session else { throw ConsoleFault.notFound }
      return ConsoleAnswer(status: 200, body: .events(session))
    },
  ]

  private func session(_ session: OpenSession?) -> ConsoleValue {
    .object([
      "loginRequired": .bool(true), "authenticated": .bool(session != nil), "secure": .bool(true),
      "version": .text(HubVersion.text), "expires": .time(session?.expiresAt),
      "user": session.map { Self.account($0.user) } ?? .null,
    ])
  }

  static func account(_ user: ConsoleUser) -> ConsoleValue {
    .object([
      "name": .text(user.name), "displayName": .text(user.displayName),
      "roles": .texts(user.roles.sorted().map(\.rawValue)), "entity": ConsoleValue(user.entity),
      "created": .time(user.createdAt), "passwordChanged": .time(user.passwordAt),
      "lastLogin": .time(user.lastLoginAt), "disabled": .time(user.disabledAt),
    ])
  }

  private func logIn(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    let name = try call.text("user").lowercased()
    let password = try call.text("password", max: UserPassword.bytesMax)
    // Nobody tries nothing.
    guard !name.isEmpty, !password.isEmpty else {
      let field = name.isEmpty ? "user" : "password"
      throw ConsoleFault(422, "invalid", "Type your name and your password.", field: field)
    }
    let peer = call.request.peer
    if let wait = try await store.beginLogin(user: name, peer: peer, now: call.now) {
      let seconds = wait / 1_000 + 1
      throw ConsoleFault(
        429, "too_many_attempts", "Too many logins have failed. Wait \(seconds) seconds, then try again.",
        retryAfter: seconds)
    }
    let known = try await store.credential(of: name)
    let isRight = try await PasswordHash.verify(password, known?.hash ?? "")
    guard let known, isRight else {
      try await store.loginFailed(user: name, peer: peer, now: call.now)
      // The same for a name that nobody has, for one that is disabled, and for a wrong password.
      throw ConsoleFault(401, "wrong_password", "The user's name or the password is wrong.")
    }
    let token = SessionToken.make().text
    try await store.openSession(token: token, for: known.user, peer: peer, now: call.now)
    try await store.loginSucceeded(user: name, peer: peer, now: call.now)
    let opened = try await store.session(token: token, isUse: false, now: call.now)
    var answer = ConsoleAnswer.ok(session(opened))
    answer.cookie = .set(token)
    return answer
  }

  private func changeOwnPassword(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    guard let session = call.session else { throw ConsoleFault.notFound }
    let current = try call.text("current", max: UserPassword.bytesMax)
    let new = try call.text("new", max: UserPassword.bytesMax)
    // A stolen session is not good for guessing either.
    if let wait = try await store.beginLogin(user: session.user.name, peer: call.request.peer, now: call.now) {
      throw ConsoleFault(
        429, "too_many_attempts", "Too many attempts. Wait \(wait / 1_000 + 1) seconds, then try again.",
        retryAfter: wait / 1_000 + 1)
    }
    let known = try await store.credential(of: session.user.name)
    guard try await PasswordHash.verify(current, known?.hash ?? "") else {
      try await store.loginFailed(user: session.user.name, peer: call.request.peer, now: call.now)
      throw ConsoleFault(401, "wrong_password", "This is not your present password.", field: "current")
    }
    try await store.loginSucceeded(user: session.user.name, peer: call.request.peer, now: call.now)
    try Self.requireStrong(new, of: session.user.name, field: "new")
    try await store.setPassword(
      hash: try await PasswordHash.make(new), of: session.user.name, within: .everything, keeping: session.number,
      by: call.actor, now: call.now)
    return .noContent
  }

  static func requireStrong(_ password: String, of user: String, field: String) throws(ConsoleFault) {
    if let complaint = UserPassword.complaint(about: password, user: user) {
      throw ConsoleFault(422, "invalid", complaint, field: field)
    }
  }
}
