// Jobs: what agents are to do.

internal import Events
internal import FoundationEssentials

extension HubConsole {
  static let jobRoutes: [ConsoleRoute] = [
    ConsoleRoute(
      .get, "jobs", .session, parameters: listParameters.union(["entity", "which", "install"])
    ) { console, call in
      try await console.jobs(call)
    },
    ConsoleRoute(
      .post, "jobs", .role(.operator),
      members: ["kind", "install", "entity", "ranges", "devices", "atOnce", "validSeconds"]
    ) { console, call in
      let request = try await console.jobRequest(call)
      guard request.kind != .page else {
        throw ConsoleFault(
          422, "invalid",
          "A device's page is opened from the device, by who has the role \(ConsoleRole.technician.title).",
          field: "kind")
      }
      return try await console.create(request, call)
    },
    ConsoleRoute(.get, "jobs/{id}", .session, of: .job) { console, call in
      guard case .job(let id) = call.subject else { throw ConsoleFault.notFound }
      return .ok(try await console.store.consoleJob(id))
    },
    ConsoleRoute(.get, "jobs/{id}/attachment", .role(.operator), of: .job) { console, call in
      guard case .job(let id) = call.subject, let job = JobID(id) else { throw ConsoleFault.notFound }
      guard let bytes = try await console.store.attachment(of: job) else {
        throw ConsoleFault(404, "not_found", "The job has brought nothing.")
      }
      return ConsoleAnswer(
        status: 200, body: .file(name: "job-\(id.prefix(8)).json.gz", type: "application/gzip", bytes: bytes))
    },
    ConsoleRoute(.delete, "jobs/{id}", .role(.operator), of: .job) { console, call in
      guard case .job(let id) = call.subject, let job = JobID(id) else { throw ConsoleFault.notFound }
      let hasEnded = try await console.store.cancel(job, by: call.actor, now: call.now)
      return .ok(.object(["ended": .bool(hasEnded)]))
    },
  ]

  private func jobs(_ call: ConsoleCall) async throws -> ConsoleAnswer {
    var install: InstallNumber?
    if let id = call.request.query["install"] {
      guard let found = try await store.consoleInstall(id, within: call.scope) else {
        throw ConsoleFault(404, "not_found", "There is no such install that you may see.", field: "install")
      }
      install = found.number
    }
    let which = try call.word("which", of: ["open", "ended", "all"]) ?? "all"
    return .ok(
      try await store.consoleJobs(
        try call.list(sorts: SQLStore.jobSorts, default: "-created"), entity: try call.entityFilter(),
        isOpen: which == "all" ? nil : which == "open", install: install, within: call.scope
      ).value)
  }

  /// What the body asks for. An entity is named by its number here.
  private func jobRequest(_ call: ConsoleCall) async throws -> JobRequest {
    let word = try call.text("kind")
    guard let kind = JobOrder.Kind(rawValue: word) else {
      throw ConsoleFault.badValue(
        "kind", "is none of \(JobOrder.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
    }
    var request = JobRequest(kind: kind)
    request.install = try call.optionalText("install")
    if let number = try call.number("entity", 1...Int64.max) {
      guard let name = try await store.consoleEntity(number, within: call.scope) else {
        throw ConsoleFault(404, "not_found", "There is no such entity that you may see.", field: "entity")
      }
      request.entity = name
    }
    request.ranges = try call.texts("ranges") ?? []
    request.devices = try call.texts("devices") ?? []
    request.atOnce = try call.flag("atOnce") ?? false
    request.validity = try call.validity()
    return request
  }

  private func create(_ request: JobRequest, _ call: ConsoleCall) async throws -> ConsoleAnswer {
    do { try request.check() } catch {
      throw ConsoleFault(
        422, "invalid", error.field.map { "\"\($0)\" \(error.sentence)" } ?? error.sentence, field: error.field)
    }
    let ids = try await store.create(request, within: call.scope, by: call.actor, now: call.now)
    guard !ids.isEmpty else {
      throw ConsoleFault(422, "invalid", "The entity has no install that is not revoked.", field: "entity")
    }
    return .created(.object(["ids": .texts(ids.map(\.description))]))
  }
}

extension ConsoleCall {
  /// How long a job may wait and run.
  fileprivate func validity() throws(ConsoleFault) -> Duration {
    let longest = HubLimits.jobValidityMax.components.seconds
    return .seconds(try number("validSeconds", 60...longest) ?? 3_600)
  }
}
