// Devices' own pages: asking for one, entering it, ending it, and where such may be asked for.

internal import DevicePages
internal import Events
internal import FoundationEssentials
internal import WebServing

extension HubConsole {
  static let remoteRoutes: [ConsoleRoute] = [
    ConsoleRoute(
      .post, "devices/{id}/page", .role(.technician), of: .device, members: ["reason", "seconds"]
    ) { console, call in try await console.askForPage(call) },
    ConsoleRoute(.get, "jobs/{id}/page", .session, of: .job) { console, call in
      let session = try await console.remoteSession(call)
      let requests = try await console.store.remoteRequests(of: session)
      return .ok(try await console.remote(session, call, requests: requests))
    },
    ConsoleRoute(.post, "jobs/{id}/page", .role(.technician), of: .job) { console, call in
      try await console.enterPage(call)
    },
    ConsoleRoute(.delete, "jobs/{id}/page", .session, of: .job) { console, call in try await console.endPage(call) },
    ConsoleRoute(.get, "pages", .session) { console, call in
      let all = try await console.store.openRemoteSessions(
        of: call.isConfigurer ? nil : call.session?.user.number, within: call.scope)
      let about = try await console.store.remoteAbout(devices: Set(all.map(\.device)))
      return .ok(.object(["items": .list(all.map { HubConsole.remote($0, about[$0.device], call) })]))
    },
    ConsoleRoute(.get, "devices/{id}/remote", .session, of: .device) { console, call in try await console.offer(call) },
    ConsoleRoute(.get, "installs/{id}/remote", .session, of: .install) { console, call in
      try await console.offer(call)
    },
    ConsoleRoute(.get, "entities/{id}/remote", .session, of: .entity) { console, call in
      try await console.offer(call)
    },
    ConsoleRoute(
      .put, "devices/{id}/remote", .role(.configurer), of: .device, members: ["offered"]
    ) { console, call in try await console.changeOffer(call) },
    ConsoleRoute(
      .put, "installs/{id}/remote", .role(.configurer), of: .install, members: ["offered"]
    ) { console, call in try await console.changeOffer(call) },
    ConsoleRoute(
      .put, "entities/{id}/remote", .role(.configurer), of: .entity, members: ["offered"]
    ) { console, call in try await console.changeOffer(call) },
  ]

  // MARK: Sessions

  private func askForPage(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    guard case .device(let id) = call.subject, let login = call.session else { throw ConsoleFault.notFound }
    let range = HubLimits.remoteReasonRange
    let reason = cleaned(try call.text("reason", max: range.upperBound)).trimmed
    guard reason.count >= range.lowerBound else {
      throw ConsoleFault.badValue("reason", "says too little: write why you have to see the device's page.")
    }
    let most = HubLimits.remoteTimeMax.components.seconds
    let seconds = try call.number("seconds", 60...most) ?? most
    guard remote?.value != nil else {
      throw ConsoleFault(
        422, "not_served", "This hub does not serve devices' own pages. Who runs it starts it with --remote.")
    }
    switch try await store.askForPage(
      of: id, reason: reason, seconds: seconds, by: login, actor: call.actor, now: call.now)
    {
    case .done(let session): return .created(try await remote(session, call))
    case .refused(let why): throw ConsoleFault(422, "refused", why)
    }
  }

  private func remoteSession(_ call: ConsoleCall) async throws -> RemoteSession {
    guard case .job(let id) = call.subject, let job = JobID(id) else { throw ConsoleFault.notFound }
    guard let session = try await store.remoteSession(job) else {
      throw ConsoleFault(422, "invalid", "This job is no session with a device's page.")
    }
    return session
  }

  /// A new origin and its key: both are in this answer and nowhere else.
  private func enterPage(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    let session = try await remoteSession(call)
    guard let login = call.session, let domain = remote?.value else { throw ConsoleFault.notFound }
    let origin = SessionOrigin.make()
    let key = SessionOrigin.make().token
    _ = try await store.admitToRemote(session.job, token: origin.token, key: key, login: login, now: call.now)
    return .created(
      .object([
        "url": .text(origin.url(in: domain) + RemoteProxy.enterPath), "key": .text(key),
        "expires": .time(call.now + HubLimits.remoteEntryValidity.milliseconds),
      ]))
  }

  private func endPage(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    let session = try await remoteSession(call)
    guard session.user == call.session?.user.number || call.isConfigurer else {
      throw ConsoleFault(
        403, "not_allowed", "This is \(session.userName)'s session. Who has the role Configurer may end it as well.")
    }
    let hasEnded = try await store.endRemote(
      session.job, because: "ended by \(call.actor.name)", by: call.actor, now: call.now)
    return .ok(.object(["ended": .bool(hasEnded)]))
  }

  private func remote(
    _ session: RemoteSession, _ call: ConsoleCall, requests: [ConsoleValue]? = nil
  ) async throws -> ConsoleValue {
    let about = try await store.remoteAbout(devices: [session.device])
    return Self.remote(session, about[session.device], call, requests: requests)
  }

  private static func remote(
    _ session: RemoteSession, _ about: ConsoleValue?, _ call: ConsoleCall, requests: [ConsoleValue]? = nil
  ) -> ConsoleValue {
    let isOwn = session.user == call.session?.user.number
    var members: [ConsoleValue.Member] = []
    let known: KeyValuePairs<String, ConsoleValue> = [
      "id": .text(session.job.description), "device": .text(session.device),
      "about": about ?? .null, "user": .text(session.userName),
      "from": .text(session.from),
      "reason": .text(session.reason), "state": .text(session.state), "created": .time(session.createdAt),
      "opened": .time(session.openedAt), "entered": .time(session.enteredAt),
      "ends": .time(session.openedAt == nil ? nil : session.endsAt), "ended": .time(session.endedAt),
      "endReason": ConsoleValue(session.endReason), "own": .bool(isOwn),
      "mayEnd": .bool(session.endedAt == nil && (isOwn || call.isConfigurer)),
    ]
    for (name, value) in known { members.append(.init(name: name, value: value)) }
    if let requests { members.append(.init(name: "requests", value: .list(requests))) }
    return .object(members)
  }

  // MARK: Where it is offered

  private static func offerTarget(_ subject: ConsoleSubject) throws(ConsoleFault) -> SettingsTarget {
    switch subject {
    case .entity(_, let name): .entity(name)
    case .install(let install): .install(install.id)
    case .device(let id): .device(id)
    default: throw ConsoleFault.notFound
    }
  }

  private func offer(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    let offer = try await store.remoteOffer(at: try Self.offerTarget(call.subject))
    // What an entity above is called is not for those who may not see it.
    let names = try await store.entityNames(within: call.scope)
    let place = offer.place.map { place in
      place.hasPrefix("entity ") && !names.contains(String(place.dropFirst(7))) ? "an entity above" : place
    }
    return .ok(
      .object([
        "offered": .bool(offer.isOffered), "place": ConsoleValue(place), "served": .bool(remote?.value != nil),
      ]))
  }

  private func changeOffer(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    guard let body = call.request.body, body["offered"] != nil else {
      throw ConsoleFault.badValue("offered", "is missing; give true, false, or null for what is inherited.")
    }
    try await store.offerRemote(
      try call.flag("offered"), at: try Self.offerTarget(call.subject), by: call.actor, now: call.now)
    return try await offer(call)
  }
}

extension ConsoleCall {
  fileprivate var isConfigurer: Bool { session?.user.roles.contains(.configurer) ?? false }
}

extension RemoteSession {
  /// `asked`, `open` or `ended`.
  package var state: String { endedAt != nil ? "ended" : openedAt != nil ? "open" : "asked" }
}

extension String {
  fileprivate var trimmed: String {
    var text = Substring(self)
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
