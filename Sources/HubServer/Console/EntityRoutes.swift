// The tree of entities, and DataLink codes.

internal import FoundationEssentials

extension HubConsole {
  static let entityRoutes: [ConsoleRoute] = [
    ConsoleRoute(.get, "entities", .session) { console, call in
      .ok(.object(["items": .list(try await console.store.consoleEntities(within: call.scope))]))
    },
    ConsoleRoute(.post, "entities", .role(.configurer), members: ["name", "under"]) { console, call in
      try await console.addEntity(call)
    },
    ConsoleRoute(.put, "entities/{id}", .role(.configurer), of: .entity, members: ["name"]) { console, call in
      guard case .entity(_, let name) = call.subject else { throw ConsoleFault.notFound }
      let new = try call.text("name")
      try EntityRules.check(new)
      try await console.store.renameEntity(name, to: new, by: call.actor, now: call.now)
      return .noContent
    },
    ConsoleRoute(.delete, "entities/{id}", .role(.configurer), of: .entity) { console, call in
      guard case .entity(let number, let name) = call.subject else { throw ConsoleFault.notFound }
      guard call.scope.root != number else {
        throw ConsoleFault(422, "invalid", "'\(name)' is the entity that your own rights are of.")
      }
      try await console.store.removeEntity(name, by: call.actor, now: call.now)
      return .noContent
    },
  ]

  private func addEntity(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    let name = try call.text("name")
    try EntityRules.check(name)
    if let number = try call.number("under", 1...Int64.max) {
      guard let parent = try await store.consoleEntity(number, within: call.scope) else {
        throw ConsoleFault(404, "not_found", "There is no such entity that you may see.", field: "under")
      }
      try await store.addEntity(named: name, under: parent, by: call.actor, now: call.now)
    } else {
      guard call.scope.isEverything else {
        throw ConsoleFault(422, "invalid", "Say which entity it comes under: yours, or one below it.", field: "under")
      }
      try await store.addEntity(named: name, by: call.actor, now: call.now)
    }
    let entities = try await store.consoleEntities(within: call.scope)
    return .created(entities.first { $0["name"] == .text(name) } ?? .null)
  }

  static let codeRoutes: [ConsoleRoute] = [
    ConsoleRoute(.get, "codes", .session) { console, call in
      let codes = try await console.store.codes(within: call.scope)
      return .ok(.object(["items": .list(codes.reversed().map { code($0, now: call.now) })]))
    },
    ConsoleRoute(
      .post, "codes", .role(.operator), members: ["entity", "uses", "validSeconds", "replaces"]
    ) { console, call in try await console.createCode(call) },
    ConsoleRoute(.delete, "codes/{id}", .role(.operator), of: .code) { console, call in
      guard case .code(let number) = call.subject else { throw ConsoleFault.notFound }
      try await console.store.revokeCode(number: number, within: call.scope, by: call.actor, now: call.now)
      return .noContent
    },
  ]

  /// - Parameter text: the code itself, for who just made it.
  private static func code(_ record: CodeRecord, text: String? = nil, now: Int64) -> ConsoleValue {
    let known: KeyValuePairs<String, ConsoleValue> = [
      "id": .integer(record.number), "entity": .text(record.entity), "state": .text(record.state(now: now).rawValue),
      "uses": ConsoleValue(record.uses), "usesMax": ConsoleValue(record.usesMax), "created": .time(record.createdAt),
      "expires": .time(record.expiresAt), "revoked": .time(record.revokedAt),
    ]
    let secret = text.map { ConsoleValue.Member(name: "code", value: .text($0)) }
    return .object(known.map { ConsoleValue.Member(name: $0.key, value: $0.value) } + [secret].compactMap { $0 })
  }

  /// The code is in this answer and nowhere else: the hub keeps its hash.
  private func createCode(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    let uses = try call.number("uses", 1...Int64(HubLimits.codeUsesMax)) ?? 1
    let month = HubLimits.limitedCodeValidityMax.components.seconds
    let validity: Duration = .seconds(try call.number("validSeconds", 60...month) ?? 86_400)
    try CodeRules.check(uses: Int(uses), validity: validity)
    let (code, expiresAt) = (DataLinkCode(), call.now + validity.milliseconds)
    let record: CodeRecord
    if let replaces = try call.optionalText("replaces") {
      guard uses == 1 else {
        throw ConsoleFault(422, "invalid", "A code that replaces an install is for one machine.", field: "uses")
      }
      guard let install = try await store.consoleInstall(replaces, within: call.scope) else {
        throw ConsoleFault(404, "not_found", "There is no such install that you may see.", field: "replaces")
      }
      record = try await store.addReplacementCode(
        hash: code.hash(in: directory), for: install.id, expiresAt: expiresAt, by: call.actor, now: call.now)
    } else {
      guard let number = try call.number("entity", 1...Int64.max) else {
        throw ConsoleFault.badValue("entity", "is missing; give an entity's id.")
      }
      guard let entity = try await store.consoleEntity(number, within: call.scope) else {
        throw ConsoleFault(404, "not_found", "There is no such entity that you may see.", field: "entity")
      }
      record = try await store.addCode(
        hash: code.hash(in: directory), entity: entity, within: call.scope, usesMax: Int(uses), expiresAt: expiresAt,
        by: call.actor, now: call.now)
    }
    return .created(Self.code(record, text: code.text, now: call.now))
  }
}
