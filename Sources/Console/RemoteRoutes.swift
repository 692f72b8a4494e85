// Technicians' sessions with devices' own pages: those that are open, from the agent's memory, and those that ended, from the journal. Whoever ends one
// here waits for nobody.

package import Events
internal import Evidence
internal import Journal
internal import PrinterModel
internal import Projections
internal import ReadModels
internal import WebServing

/// A session that is open.
package struct ConsoleRemoteSession: Sendable {
  package let job: JobID
  package let device: DeviceID
  package let address: String
  package let visit: JobOrder.Visit
  /// What showed that it is this device, by a fresh poll.
  package let evidence: String
  package let targets: [String]
  /// Milliseconds since 1970 UTC; `until` at the latest.
  package let since: Int64
  package let until: Int64
  package let requests: UInt64
  package let bytesSent: UInt64
  package let bytesReceived: UInt64

  package init(
    job: JobID, device: DeviceID, address: String, visit: JobOrder.Visit, evidence: String, targets: [String],
    since: Int64, until: Int64, requests: UInt64, bytesSent: UInt64, bytesReceived: UInt64
  ) {
    self.job = job
    self.device = device
    self.address = address
    self.visit = visit
    self.evidence = evidence
    self.targets = targets
    self.since = since
    self.until = until
    self.requests = requests
    self.bytesSent = bytesSent
    self.bytesReceived = bytesReceived
  }
}

/// What there is of sessions at this moment.
package struct ConsoleRemote: Sendable {
  /// As ptagent.toml has it.
  package let isEnabled: Bool
  /// Where sessions go; nil where that is not known, or none may be.
  package let hub: String?
  package let sessionsMax: Int
  /// Those that are being opened.
  package let opening: Int
  package let sessions: [ConsoleRemoteSession]

  package init(isEnabled: Bool, hub: String?, sessionsMax: Int, opening: Int, sessions: [ConsoleRemoteSession]) {
    self.isEnabled = isEnabled
    self.hub = hub
    self.sessionsMax = sessionsMax
    self.opening = opening
    self.sessions = sessions
  }
}

struct RemoteRoutes: Sendable {
  let agent: any ConsoleAgent
  let work: HeavyWork

  func answer(_ request: WebRequest, _ path: [String]) async throws -> WebAnswer {
    switch path {
    case []:
      try Self.expect(.get, request)
      try request.query.expect([])
      return .json(open())
    case ["closed"]:
      try Self.expect(.get, request)
      return try await closed(request.query)
    case ["sessions"]:
      try Self.expect(.delete, request)
      return try end(nil, request)
    default:
      guard path.count == 2, path[0] == "sessions" else { throw WebError.notFound() }
      try Self.expect(.delete, request)
      guard let job = JobID(path[1]) else {
        throw WebError(404, "unknown_session", "This is no session's id; the list has them.")
      }
      return try end(job, request)
    }
  }

  private static func expect(_ method: WebMethod, _ request: WebRequest) throws(WebError) {
    guard request.method == method else { throw .methodNotAllowed([method]) }
  }

  // MARK: Ending

  /// - Parameter job: nil: all, and those that are being opened.
  private func end(_ job: JobID?, _ request: WebRequest) throws(WebError) -> WebAnswer {
    try request.query.expect([])
    let ended = agent.endRemote(job)
    guard ended > 0 || job == nil else {
      throw WebError(404, "unknown_session", "There is no such session now: it is over already.")
    }
    return .json(.object([("ended", WebJSON(ended))]))
  }

  // MARK: Open

  private func open() -> WebJSON {
    let remote = agent.remote()
    let fleet = agent.fleet
    return .object([
      ("enabled", .bool(remote.isEnabled)), ("hub", WebJSON(remote.hub)), ("sessionsMax", WebJSON(remote.sessionsMax)),
      ("opening", WebJSON(remote.opening)),
      (
        "sessions",
        .array(
          remote.sessions.map { session in
            .object([
              ("id", .string(session.job.description)), ("device", Self.device(session.device, fleet)),
              ("address", .string(session.address)), ("user", .string(session.visit.user)),
              ("from", .string(session.visit.from)), ("reason", .string(session.visit.reason)),
              ("evidence", .string(session.evidence)), ("targets", .array(session.targets.map { .string($0) })),
              ("since", .string(UTCTime.text(milliseconds: session.since))),
              ("until", .string(UTCTime.text(milliseconds: session.until))), ("requests", WebJSON(session.requests)),
              ("bytesSent", WebJSON(session.bytesSent)), ("bytesReceived", WebJSON(session.bytesReceived)),
            ])
          })
      ),
    ])
  }

  private static func device(_ id: DeviceID?, _ fleet: FleetState) -> WebJSON {
    guard let id else { return .null }
    let state = fleet.devices[id]
    let identity = state.flatMap { DeviceSummary($0).identity }
    return .object([
      ("id", .string(id.description)), ("address", WebJSON(state?.address)), ("make", WebJSON(identity?.make)),
      ("model", WebJSON(identity?.model?.text)), ("serial", WebJSON(identity?.serial?.text)),
    ])
  }

  // MARK: Ended

  /// The newest first. Who it was for is what the projection knows of its job, which it forgets after many others.
  private func closed(_ query: Query) async throws -> WebAnswer {
    try query.expect(["limit", "before"])
    let limit = try query.number("limit", in: 1...500, default: 50)
    let before = try JournalRoutes.position(query, "before")
    let agent = agent
    return try await work.run { isWanted in
      let reader = agent.reader
      var filter = RecordFilter()
      filter.type = EventType.remoteSessionClosed
      let page = try RecordLister(
        reader: reader, filter: filter, limit: limit, form: try RecordForm(reader, isShipping: agent.isShipping),
        isWanted: isWanted
      ).backwards(before: before ?? .end)
      let fleet = agent.fleet
      let items = page.items.compactMap { item -> WebJSON? in
        guard let record = try? reader.record(at: item.position), let event = try? Event(payload: record.payload),
          case .remoteSessionClosed(let body) = event.body
        else { return nil }
        return Self.json(body, event, fleet)
      }
      return .json(
        .object([
          ("items", .array(items)), ("next", WebJSON(page.isComplete ? nil : page.next?.description)),
          ("complete", .bool(page.isComplete)),
        ]))
    }
  }

  private static func json(_ body: RemoteSessionClosed, _ event: Event, _ fleet: FleetState) -> WebJSON {
    let visit = fleet.agent.jobs[body.job]?.received?.fact.order.visit
    return .object([
      ("id", .string(body.job.description)), ("device", device(event.device, fleet)), ("user", WebJSON(visit?.user)),
      ("from", WebJSON(visit?.from)), ("reason", WebJSON(visit?.reason)),
      ("since", .string(UTCTime.text(milliseconds: event.time - Int64(clamping: body.milliseconds)))),
      ("ended", .string(UTCTime.text(milliseconds: event.time))), ("why", .string(body.reason)),
      ("message", .string(body.message)), ("requests", WebJSON(body.requests)),
      ("bytesSent", WebJSON(body.bytesSent)), ("bytesReceived", WebJSON(body.bytesReceived)),
    ])
  }
}
