// Users with their roles, and the audit trail: the administrator's.

internal import FoundationEssentials
internal import WebServing

extension HubConsole {
  private static let userMembers: Set<String> = ["displayName", "roles", "entity", "everything", "disabled"]

  static let userRoutes: [ConsoleRoute] = [
    ConsoleRoute(.get, "roles", .session) { _, _ in
      .ok(
        .object([
          "items": .list(
            ConsoleRole.allCases.map { .object(["name": .text($0.rawValue), "title": .text($0.title)]) })
        ]))
    },
    ConsoleRoute(.get, "users", .role(.administrator)) { console, call in
      .ok(.object(["items": .list(try await console.store.users(within: call.scope).map(account))]))
    },
    ConsoleRoute(
      .post, "users", .role(.administrator), members: ["name", "displayName", "password", "roles", "entity"]
    ) { console, call in try await console.addUser(call) },
    ConsoleRoute(.get, "users/{id}", .role(.administrator), of: .user) { _, call in
      guard case .user(let user) = call.subject else { throw ConsoleFault.notFound }
      return .ok(account(user))
    },
    ConsoleRoute(.put, "users/{id}", .role(.administrator), of: .user, members: userMembers) { console, call in
      try await console.changeUser(call)
    },
    ConsoleRoute(.put, "users/{id}/password", .role(.administrator), of: .user, members: ["new"]) { console, call in
      guard case .user(let user) = call.subject else { throw ConsoleFault.notFound }
      let new = try call.text("new", max: UserPassword.bytesMax)
      try requireStrong(new, of: user.name, field: "new")
      try await console.store.setPassword(
        hash: try await PasswordHash.make(new), of: user.name, within: call.scope,
        keeping: user.number == call.session?.user.number ? call.session?.number : nil, by: call.actor, now: call.now)
      return .noContent
    },
    ConsoleRoute(.delete, "users/{id}", .role(.administrator), of: .user) { console, call in
      guard case .user(let user) = call.subject else { throw ConsoleFault.notFound }
      try await console.store.removeUser(
        user.name, within: call.scope, keepingAnAdministrator: true, by: call.actor, now: call.now)
      return .noContent
    },
    ConsoleRoute(
      .get, "audit", .role(.administrator), parameters: ["before", "limit", "action", "subject", "q"]
    ) { console, call in try await console.audit(call) },
  ]

  /// By its number; nil: everything, or nothing was said.
  private func scopeEntity(_ call: ConsoleCall) async throws -> String? {
    guard let number = try call.number("entity", 1...Int64.max) else { return nil }
    guard let name = try await store.consoleEntity(number, within: call.scope) else {
      throw ConsoleFault(404, "not_found", "There is no such entity that you may see.", field: "entity")
    }
    return name
  }

  private func addUser(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    let name: String
    do { name = try UserRules.name(try call.text("name")) } catch let error as HubError {
      throw ConsoleFault(error, field: "name")
    }
    let roles = try roles(call) ?? []
    guard !roles.isEmpty else { throw ConsoleFault.badValue("roles", "is missing; give at least one, such as viewer.") }
    let password = try call.text("password", max: UserPassword.bytesMax)
    try Self.requireStrong(password, of: name, field: "password")
    let user = NewConsoleUser(
      name: name, displayName: try UserRules.displayName(try call.optionalText("displayName") ?? name),
      passwordHash: try await PasswordHash.make(password), roles: roles, entity: try await scopeEntity(call))
    try await store.addUser(user, within: call.scope, by: call.actor, now: call.now)
    return .created(Self.account(try await store.user(named: name, within: call.scope)))
  }

  private func roles(_ call: ConsoleCall) throws -> Set<ConsoleRole>? {
    guard let names = try call.texts("roles") else { return nil }
    do { return try ConsoleRole.set(of: names) } catch { throw ConsoleFault(error, field: "roles") }
  }

  private func changeUser(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    guard case .user(let user) = call.subject else { throw ConsoleFault.notFound }
    var change = UserChange(
      displayName: try call.optionalText("displayName").map { try UserRules.displayName($0) },
      roles: try roles(call), isDisabled: try call.flag("disabled"))
    let entity = try await scopeEntity(call)
    switch (entity, try call.flag("everything") ?? false) {
    case (nil, false): break
    case (let entity?, false): change.scope = .entity(entity)
    case (nil, true): change.scope = .everything
    case (_?, true): throw ConsoleFault.badValue("entity", "and \"everything\" exclude each other.")
    }
    try await store.changeUser(
      user.name, change, within: call.scope, keepingAnAdministrator: true, by: call.actor, now: call.now)
    return .ok(Self.account(try await store.user(named: user.name, within: call.scope)))
  }

  private func audit(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    let words = call.request.query["q"] ?? ""
    guard words.count <= HubLimits.searchCharactersMax else {
      throw ConsoleFault.badValue("q", "has more than \(HubLimits.searchCharactersMax) characters.")
    }
    let (items, next) = try await store.consoleAudit(
      before: try call.whole("before", 1...Int.max).map { Int64($0) }, action: call.request.query["action"],
      subject: call.request.query["subject"], words: words.split(separator: " ").map(String.init),
      limit: try call.whole("limit", 1...HubLimits.pageRowsMax) ?? HubLimits.pageRowsDefault, within: call.scope)
    return .ok(.object(["items": .list(items), "next": ConsoleValue(next)]))
  }
}
