// What agents and devices are, and what is set of them.

internal import FoundationEssentials
internal import HubDatabase
internal import Settings

extension HubConsole {
  static let listParameters: Set<String> = ["offset", "limit", "sort", "q"]

  static let overviewRoutes: [ConsoleRoute] = [
    ConsoleRoute(.get, "overview", .session) { console, call in
      .ok(try await console.store.consoleOverview(within: call.scope))
    }
  ]

  static let fleetRoutes: [ConsoleRoute] = [
    ConsoleRoute(.get, "installs", .session, parameters: listParameters.union(["entity", "state"])) { console, call in
      .ok(
        try await console.store.consoleInstalls(
          try call.list(sorts: SQLStore.installSorts, default: "host"), entity: try call.entityFilter(),
          state: try call.word("state", of: SQLStore.installStates), within: call.scope, now: call.now
        ).value)
    },
    ConsoleRoute(.get, "installs/{id}", .session, of: .install) { console, call in
      guard case .install(let install) = call.subject else { throw ConsoleFault.notFound }
      return .ok(try await console.store.consoleInstall(install, now: call.now))
    },
    ConsoleRoute(
      .get, "devices", .session,
      parameters: listParameters.union(["entity", "state", "alerts", "supply", "install"])
    ) { console, call in try await console.devices(call) },
    ConsoleRoute(.get, "devices/{id}", .session, of: .device) { console, call in
      guard case .device(let id) = call.subject else { throw ConsoleFault.notFound }
      return .ok(try await console.store.consoleDevice(id))
    },
    ConsoleRoute(.get, "devices/{id}/history", .session, of: .device, parameters: ["meters", "days"]) { console, call in
      try await console.history(call)
    },
    ConsoleRoute(
      .post, "devices/{id}/retirement", .role(.operator), of: .device, members: ["reason"]
    ) { console, call in try await console.retire(call) },
    ConsoleRoute(
      .delete, "devices/{id}/retirement", .role(.operator), of: .device
    ) { console, call in
      guard case .device(let id) = call.subject else { throw ConsoleFault.notFound }
      let wasRetired = try await console.store.keepDevice(id, by: call.actor, now: call.now)
      return .ok(.object(["retired": .bool(false), "wasRetired": .bool(wasRetired)]))
    },
    ConsoleRoute(
      .get, "alerts", .session, parameters: listParameters.union(["entity", "severity", "device"])
    ) { console, call in
      .ok(
        try await console.store.consoleAlerts(
          try call.list(sorts: SQLStore.alertSorts, default: "severity"), entity: try call.entityFilter(),
          severity: try call.word("severity", of: ["critical", "warning", "other"]),
          device: call.request.query["device"], within: call.scope
        ).value)
    },
    ConsoleRoute(.get, "installs/{id}/settings", .session, of: .install) { console, call in
      try await console.settings(call)
    },
    ConsoleRoute(.get, "devices/{id}/settings", .session, of: .device) { console, call in
      try await console.settings(call)
    },
    ConsoleRoute(.get, "entities/{id}/settings", .session, of: .entity) { console, call in
      try await console.settings(call)
    },
    ConsoleRoute(
      .put, "installs/{id}/settings", .role(.configurer), of: .install, members: ["changes"]
    ) { console, call in try await console.changeSettings(call) },
    ConsoleRoute(
      .put, "devices/{id}/settings", .role(.configurer), of: .device, members: ["changes"]
    ) { console, call in try await console.changeSettings(call) },
    ConsoleRoute(
      .put, "entities/{id}/settings", .role(.configurer), of: .entity, members: ["changes"]
    ) { console, call in try await console.changeSettings(call) },
  ]

  private func devices(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    let states = call.request.query["state"].map { $0.split(separator: ",").map(String.init) }
    if let wrong = states?.first(where: { !SQLStore.deviceStates.contains($0) }) {
      throw ConsoleFault.badValue(
        "state",
        "has \"\(cleaned(String(wrong.prefix(40))))\"; give \(SQLStore.deviceStates.joined(separator: ", ")), with commas between several."
      )
    }
    var install: InstallNumber?
    if let id = call.request.query["install"] {
      guard let found = try await store.consoleInstall(id, within: call.scope) else {
        throw ConsoleFault(404, "not_found", "There is no such install that you may see.", field: "install")
      }
      install = found.number
    }
    return .ok(
      try await store.consoleDevices(
        try call.list(sorts: SQLStore.deviceSorts, default: "entity"), entity: try call.entityFilter(), states: states,
        hasAlerts: try call.word("alerts", of: ["any"]) != nil,
        hasLowSupply: try call.word("supply", of: ["low"]) != nil, install: install, within: call.scope
      ).value)
  }

  private func history(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    guard case .device(let id) = call.subject else { throw ConsoleFault.notFound }
    let days = try call.whole("days", 1...HubLimits.historyDaysMax) ?? 90
    let names = call.request.query["meters"].map { $0.split(separator: ",").map(String.init) } ?? []
    guard names.count <= 16 else { throw ConsoleFault.badValue("meters", "has more than 16 names.") }
    return .ok(
      try await store.consoleHistory(of: id, meters: names, since: call.now / 86_400_000 - Int64(days)))
  }

  private func retire(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    guard case .device(let id) = call.subject else { throw ConsoleFault.notFound }
    let reason = try call.text("reason", max: HubLimits.retirementReasonRange.upperBound)
    let outcome = try await store.retireDevice(id, reason: reason, by: call.actor, now: call.now)
    return .ok(
      .object([
        "retired": .bool(true), "wasRetired": .bool(outcome == .wasRetired),
        "isRead": .bool(outcome == .retired(isRead: true)),
      ]))
  }

  // MARK: Settings

  private static func target(_ subject: ConsoleSubject) throws(ConsoleFault) -> SettingsTarget {
    switch subject {
    case .entity(_, let name): .entity(name)
    case .install(let install): .install(install.id)
    case .device(let id): .device(id)
    default: throw ConsoleFault.notFound
    }
  }

  private func settings(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    .ok(try await explained(try Self.target(call.subject), within: call.scope))
  }

  private func explained(_ target: SettingsTarget, within scope: EntityScope) async throws -> ConsoleValue {
    let explained = try await store.explainSettings(of: target)
    var isDevice = false
    if case .device = target { isDevice = true }
    // What an entity above is called is not for those who may not see it.
    let visible = try await store.entityNames(within: scope)
    let lines = ExplainedLine.lines(of: explained, forDevice: isDevice).map { line in
      var origin = line.origin
      if case .entity(let name)? = line.setBy, !visible.contains(name) { origin = "above" }
      return ConsoleValue.object([
        "key": .text(line.key), "value": ConsoleValue(line.value), "origin": .text(origin),
        "agent": ConsoleValue(line.agent),
      ])
    }
    return .object([
      "install": ConsoleValue(explained.install), "standing": Self.standing(explained.standing),
      "settings": .list(lines),
    ])
  }

  private static func standing(_ standing: SettingsExplanation.Standing) -> ConsoleValue {
    func made(
      _ state: String, _ version: UInt64? = nil, _ at: Int64? = nil, inUse: UInt64? = nil, _ keys: [String] = [],
      _ reason: String? = nil
    ) -> ConsoleValue {
      .object([
        "state": .text(state), "version": ConsoleValue(version.map { Int64(clamping: $0) }), "since": .time(at),
        "inUse": ConsoleValue(inUse.map { Int64(clamping: $0) }), "wrongKeys": .texts(keys),
        "reason": ConsoleValue(reason),
      ])
    }
    switch standing {
    case .none: return made("none")
    case .applied(let version, let at): return made("applied", version, at)
    case .refused(let version, let at, let keys, let reason, let inUse):
      return made("refused", version, at, inUse: inUse, keys, reason)
    case .waiting(let version): return made("waiting", version)
    }
  }

  private func changeSettings(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    let target = try Self.target(call.subject)
    guard case .changes(let wanted)? = call.request.body?["changes"], !wanted.isEmpty else {
      throw ConsoleFault.badValue("changes", "is no object of keys, each with a text, or null for what is to go.")
    }
    var changes: [SettingChange] = []
    for (name, text) in wanted.sorted(by: { $0.key < $1.key }) {
      do {
        changes.append(SettingChange(key: name, value: try text.map { try SettingWords.value($0, of: name) }))
      } catch let error as HubError {
        throw ConsoleFault(error, field: name)
      }
    }
    try await store.change(changes, at: target, author: call.actor.name, peer: call.actor.peer, now: call.now)
    return .ok(try await explained(target, within: call.scope))
  }
}

extension ConsoleCall {
  /// `entity` of the query: by its number, and those under it. One outside the scope gives nothing, because the scope counts besides.
  func entityFilter() throws(ConsoleFault) -> EntityScope {
    guard let text = request.query["entity"] else { return .everything }
    guard let number = Int64(text), number > 0 else {
      throw .badValue("entity", "is no entity's id; see the list of entities.")
    }
    return EntityScope(root: number)
  }
}
