// Jobs, as the hub keeps them: what an operator wants done by an agent, and each step of it.
//
//     job        what is wanted, of whom, until when; `state` and `is_open` say where it stands
//     job_step   when each step was: the hub's own (created, sent, cancelling, cancelled, expired) by its clock, the agent's (received, started, and
//                its end) by the agent's, with the record that tells it
//
//     created ──sent──> sent ──JobReceived──> received ──JobStarted──> started ──> completed | failed | expired | refused | cancelled
//        └────────────────┴── the deadline passes ──> expired              (an agent's events count also where they come out of order)
//
// The agent's steps follow from its records alone, in the transaction that stores them, ahead of their turn or in it: the same record twice is one
// step. What the agent says of the end counts, whatever the hub thought meanwhile: a job that the hub holds for expired may have been received in
// time by an agent that could not say so.
//
// Of a job that was received the hub does not know whether it ran, unless the agent says so. It does not stay open for that: it has failed once its
// install is revoked or replaced, which is not heard any more, and is expired when its agent told no end for long after the deadline.
//
// A job is sent only after it is marked as sent, so that one that was cancelled before never leaves the hub; and sent again until its receipt
// or its end is known, from whichever hub the agent talks to.

package import Events
internal import HubDatabase

internal import FoundationEssentials
internal import HubProtocol
internal import SwiftProtobuf

/// Something that an operator wants an agent to do.
package struct NewJob: Sendable, Equatable {
  package var id: JobID
  package var install: InstallNumber
  package var order: JobOrder
  /// Milliseconds since 1970 UTC.
  package var deadline: Int64
  /// Who wants it, for people.
  package var creator: String
  /// From where; empty: from the hub's own machine.
  package var peer: String

  package init(
    id: JobID, install: InstallNumber, order: JobOrder, deadline: Int64, creator: String, peer: String = ""
  ) {
    self.peer = peer
    self.id = id
    self.install = install
    self.order = order
    self.deadline = deadline
    self.creator = creator
  }
}

/// A job to send, or to take back.
package struct DueJob: Sendable, Equatable {
  package let number: Int64
  package let id: JobID
  package let order: JobOrder
  package let createdAt: Int64
  package let deadline: Int64
  package let isCancelled: Bool
}

/// One step of a job.
package struct JobStep: Sendable, Equatable {
  package let step: String
  /// `hub` or `agent`: by whose clock.
  package let side: String
  package let at: Int64
  /// An operator, or the agent.
  package let actor: String
  package let detail: String
}

/// A device as one install knows it.
package struct DeviceSighting: Sendable, Equatable {
  package let install: InstallNumber
  package let device: DeviceID
  package let isLeader: Bool
}

package protocol JobStore: Sendable {
  /// - Returns: false if there is this very job already; nothing was done then.
  /// - Throws: `HubError` 64 for the id of another job, or an install that was revoked.
  func create(_ job: NewJob, now: Int64) async throws -> Bool
  /// Takes a job back: at once where it was not sent yet, else when its agent says so.
  ///
  /// - Returns: whether it has ended with this.
  /// - Throws: `HubError` 65 if there is no such job, 64 if it has ended.
  func cancel(_ id: JobID, by actor: Actor, now: Int64) async throws -> Bool
  /// What an install is to be told now; it counts as sent when this returns.
  func dueJobs(of install: InstallNumber, now: Int64) async throws -> [DueJob]
  /// The installs that have something to be told which changed since then.
  func installsWithDueJobs(since: Int64) async throws -> Set<InstallNumber>
  /// Ends what was never received in time, and what was and of which no end was told for `HubLimits.jobUnheardMax` after that.
  func expireJobs(now: Int64) async throws
  func steps(of id: JobID) async throws -> [JobStep]
  /// What the agents that see a device call it, that of its leader first.
  func sightings(of device: String) async throws -> [DeviceSighting]
  /// What a job was asked to bring, compressed with gzip; nil: nothing.
  func attachment(of id: JobID) async throws -> [UInt8]?
}

extension SQLStore: JobStore {
  package func create(_ job: NewJob, now: Int64) async throws -> Bool {
    try await write { try Self.create(job, now: now, $0) }
  }

  /// As `create`, within a transaction.
  static func create(_ job: NewJob, now: Int64, _ db: any SQLConnection) throws -> Bool {
    if let row = try db.row("SELECT install, kind, arguments FROM job WHERE id = ?", job.id.description) {
      let isSame =
        try row("install") == job.install && (try row("kind")) == job.order.kind
        && (try row("arguments")) == JobBytes.arguments(job.order)
      guard isSame else {
        throw HubError(.usage, "There is another job \(job.id) already. Leave --id out to get a new one.")
      }
      return false
    }
    guard let row = try db.row("SELECT id, revoked_at FROM install WHERE number = ?", job.install) else {
      throw HubError(.notFound, "There is no such install.")
    }
    let install: String = try row("id")
    guard try row("revoked_at") as Int64? == nil else {
      throw HubError(.usage, "The install \(install) was revoked, and is sent nothing.")
    }
    let open = try db.count("SELECT count(*) FROM job WHERE install = ? AND is_open = 1", job.install)
    guard open < HubLimits.openJobsMax else {
      throw HubError(.usage, "The install \(install) has \(open) open jobs already. Cancel some, or wait.")
    }
    let number = try JobRows.insert(
      job.id, job.install, job.order, createdAt: now, deadline: job.deadline, state: "created", db)
    try JobRows.addStep(number, "created", .hub, at: now, actor: job.creator, detail: "", db)
    try insert(
      AuditEntry(
        at: now, action: "job.created", subject: install, peer: job.peer,
        detail: "\(job.id) \(job.order.summary) by \(job.creator)"), db)
    return true
  }

  package func cancel(_ id: JobID, by actor: Actor, now: Int64) async throws -> Bool {
    try await write { try Self.cancel(id, by: actor, now: now, $0) }
  }

  /// As `cancel`, within a transaction.
  static func cancel(_ id: JobID, by actor: Actor, now: Int64, _ db: any SQLConnection) throws -> Bool {
    guard
      let row = try db.row(
        "SELECT j.number, j.state, j.is_open, i.id AS install FROM job j JOIN install i ON i.number = j.install WHERE j.id = ?",
        id.description)
    else { throw HubError(.notFound, "There is no job '\(id)'. See `pthub job list`.") }
    let (number, state): (Int64, String) = (try row("number"), try row("state"))
    guard try row("is_open") else { throw HubError(.usage, "The job \(id) has ended already: \(state).") }
    let wasSent = state != "created"
    try JobRows.addStep(
      number, wasSent ? "cancelling" : "cancelled", .hub, at: now, actor: actor.name, detail: "", db)
    try db.execute(
      "UPDATE job SET state = ?, is_open = ?, cancelled_at = ?, changed_at = ? WHERE number = ?",
      wasSent ? state : "cancelled", wasSent, now, now, number)
    try insert(
      AuditEntry(
        at: now, action: "job.cancelled", subject: try row("install"), peer: actor.peer,
        detail: "\(id) by \(actor.name)"), db)
    return !wasSent
  }

  package func dueJobs(of install: InstallNumber, now: Int64) async throws -> [DueJob] {
    // Most have none, and most of the others were sent before: that is found without writing.
    let due = try await read { try JobRows.due(install, $0) }
    guard due.contains(where: { $0.state == "created" || $0.job.deadline <= now && !$0.isReceived }) else {
      return due.map(\.job)
    }
    return try await write { db in
      try JobRows.expire(install, now: now, db)
      let due = try JobRows.due(install, db)
      for (job, state) in due.map({ ($0.job, $0.state) }) where state == "created" {
        try JobRows.addStep(job.number, "sent", .hub, at: now, actor: "", detail: "", db)
        try db.execute("UPDATE job SET state = 'sent' WHERE number = ?", job.number)
      }
      return due.map(\.job)
    }
  }

  package func installsWithDueJobs(since: Int64) async throws -> Set<InstallNumber> {
    try await read { db in
      let rows = try db.rows(
        """
        SELECT DISTINCT install FROM job
        WHERE is_open = 1 AND changed_at >= ? AND (state IN ('created', 'sent') OR cancelled_at IS NOT NULL)
        """, since)
      return Set(try rows.map { try $0("install") })
    }
  }

  package func expireJobs(now: Int64) async throws {
    let isAny = try await read { db in
      try !db.rows("SELECT 1 FROM job WHERE is_open = 1 AND \(JobRows.isLate) LIMIT 1", JobRows.limits(now)).isEmpty
    }
    guard isAny else { return }
    try await write { try JobRows.expire(nil, now: now, $0) }
  }

  /// Ends the open jobs of an install that is not heard any more, within the transaction that revokes it.
  ///
  /// - Parameter reason: a sentence.
  static func endJobs(of install: InstallNumber, because reason: String, now: Int64, _ db: any SQLConnection) throws {
    let open = try db.rows(
      "SELECT number, state FROM job WHERE install = ? AND is_open = 1 ORDER BY number", install)
    for row in open {
      let wasSent = try row("state") as String != "created"
      try JobRows.end(
        try row("number"), "failed", reason + (wasSent ? " Whether it ran is not known." : " It was not sent."),
        now: now, db)
    }
  }

  package func steps(of id: JobID) async throws -> [JobStep] {
    try await read { db in
      try db.rows(
        """
        SELECT s.step, s.side, s.at, s.actor, s.detail FROM job_step s JOIN job j ON j.number = s.job WHERE j.id = ?
        ORDER BY s.number
        """, id.description
      ).map {
        JobStep(
          step: try $0("step"), side: try $0("side"), at: try $0("at"), actor: try $0("actor"),
          detail: try $0("detail"))
      }
    }
  }

  package func sightings(of device: String) async throws -> [DeviceSighting] {
    try await read { db in
      try db.rows(
        """
        SELECT s.install, s.agent_device, d.leader FROM sighting s JOIN device d ON d.number = s.device WHERE d.id = ?
        ORDER BY CASE WHEN s.install = d.leader THEN 0 ELSE 1 END, s.install
        """, device
      ).compactMap { row in
        let install: InstallNumber = try row("install")
        let leader: InstallNumber = try row("leader")
        return DeviceID(try row("agent_device") as Data).map {
          DeviceSighting(install: install, device: $0, isLeader: install == leader)
        }
      }
    }
  }

  package func attachment(of id: JobID) async throws -> [UInt8]? {
    try await read { db in try db.value("SELECT attachment FROM job WHERE id = ?", id.description) as [UInt8]?? ?? nil }
  }
}

// MARK: - What the agents' records say

/// Moves jobs on by the records that tell of them.
enum JobLedger {
  /// Notes what a record says of a job, if it is one of those; in the transaction that stores it.
  static func note(
    _ record: DeliveredRecord, _ install: InstallNumber, now: Int64, _ db: any SQLConnection
  ) throws {
    guard isOfJob(record.payload) else { return }
    // What cannot be read is told of by the read models, which meet it as well.
    guard let event = try? Event(payload: Array(record.payload)) else { return }
    try note(event, install, now: now, db)
  }

  /// The type alone: it is asked for each record.
  private static func isOfJob(_ payload: Data) -> Bool {
    payload.withUnsafeBytes { bytes in
      guard bytes.count >= EventHeader.size, bytes[0] == EventHeader.version else { return false }
      return EventType.isOfJob(UInt16(bytes[1]) << 8 | UInt16(bytes[2]))
    }
  }

  private static func note(_ event: Event, _ install: InstallNumber, now: Int64, _ db: any SQLConnection) throws {
    let (step, id, detail): (String, JobID, String)
    var attachment: [UInt8] = []
    switch event.body {
    case .jobReceived(let body): (step, id, detail) = ("received", body.id, "")
    case .jobStarted(let body): (step, id, detail) = ("started", body.id, "")
    case .jobCompleted(let body):
      (step, id, detail) = ("completed", body.id, body.result)
      attachment = body.attachment
    case .jobFailed(let body):
      let isCancelled = body.reason == JobFailed.Reason.cancelled.rawValue
      (step, id, detail) = (isCancelled ? "cancelled" : "failed", body.id, "\(body.reason): \(body.message)")
    case .jobExpired(let body):
      (step, id) = ("expired", body.id)
      detail = body.hadStarted ? "It had begun." : "It had not begun."
    case .jobRefused(let body):
      let isCancelled = body.reason == JobRefused.Reason.cancelled.rawValue
      (step, id, detail) = (isCancelled ? "cancelled" : "refused", body.id, "\(body.reason): \(body.message)")
    default: return
    }
    guard let number = try job(id, event, install, db) else { return }
    guard
      try JobRows.addStep(
        number, step, .agent, at: event.time, actor: "agent", detail: cleaned(detail), db)
    else { return }
    try move(number, to: step, attachment, now: now, db)
  }

  /// The install's job of this id. One that this hub does not know, because its database was put back, is known by its receipt again.
  private static func job(
    _ id: JobID, _ event: Event, _ install: InstallNumber, _ db: any SQLConnection
  ) throws -> Int64? {
    if let row = try db.row("SELECT number, install FROM job WHERE id = ?", id.description) {
      // Another install's: what this one says of it counts for nothing.
      return try row("install") == install ? try row("number") : nil
    }
    guard case .jobReceived(let received) = event.body else { return nil }
    return try JobRows.insert(
      id, install, received.order, createdAt: received.created, deadline: received.deadline, state: "sent", db)
  }

  private static func move(
    _ number: Int64, to step: String, _ attachment: [UInt8], now: Int64, _ db: any SQLConnection
  ) throws {
    let hasEnded = try db.count(
      """
      SELECT count(*) FROM job_step WHERE job = ? AND side = 'agent'
        AND step IN ('completed', 'failed', 'expired', 'refused', 'cancelled') AND step <> ?
      """, number, step)
    let hasStarted = try db.count(
      "SELECT count(*) FROM job_step WHERE job = ? AND side = 'agent' AND step = 'started'", number)
    // A step that comes behind a later one, as records ahead of their turn let it, is kept and moves nothing.
    guard hasEnded == 0, step != "received" || hasStarted == 0 else { return }
    let isEnd = step != "received" && step != "started"
    try db.execute(
      "UPDATE job SET state = ?, is_open = ?, attachment = ?, changed_at = ? WHERE number = ?", step, !isEnd,
      attachment.isEmpty ? nil : attachment, now, number)
  }
}

// MARK: - Rows

private enum JobRows {
  enum Side: String {
    case hub, agent
  }

  struct Due: Sendable {
    let job: DueJob
    let state: String
    var isReceived: Bool { state != "created" && state != "sent" }
  }

  /// What an install is to be told, as many as may be sent at once.
  static func due(_ install: InstallNumber, _ db: any SQLConnection) throws -> [Due] {
    try db.rows(
      """
      SELECT number, id, arguments, state, created_at, deadline_at, cancelled_at FROM job
      WHERE install = ? AND is_open = 1 AND (state IN ('created', 'sent') OR cancelled_at IS NOT NULL)
      ORDER BY number LIMIT ?
      """, install, HubLimits.jobsAtOnceMax
    ).map { row in
      let number: Int64 = try row("number")
      guard let id = JobID(try row("id") as String), let order = JobBytes.order(try row("arguments")) else {
        throw HubError.damaged("The job \(number) cannot be read.")
      }
      let isCancelled = try row("cancelled_at") as Int64? != nil
      return Due(
        job: DueJob(
          number: number, id: id, order: order, createdAt: try row("created_at"), deadline: try row("deadline_at"),
          isCancelled: isCancelled), state: try row("state"))
    }
  }

  static func insert(
    _ id: JobID, _ install: InstallNumber, _ order: JobOrder, createdAt: Int64, deadline: Int64, state: String,
    _ db: any SQLConnection
  ) throws -> Int64 {
    try db.inserted(
      """
      INSERT INTO job (id, install, kind, arguments, summary, created_at, deadline_at, state, is_open, changed_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, ?)
      """, id.description, install, order.kind, JobBytes.arguments(order), cleaned(order.summary), createdAt, deadline,
      state, createdAt)
  }

  /// - Returns: false if it was noted before.
  @discardableResult
  static func addStep(
    _ job: Int64, _ step: String, _ side: Side, at: Int64, actor: String, detail: String, _ db: any SQLConnection
  ) throws -> Bool {
    try db.execute(
      "INSERT INTO job_step (job, step, side, at, actor, detail) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (job, step, side) DO NOTHING",
      job, step, side.rawValue, at, actor, detail) > 0
  }

  /// What the hub itself ends: not received by the deadline, or received and not told to have ended long after it.
  static let isLate =
    "(state IN ('created', 'sent') AND deadline_at <= ? OR state IN ('received', 'started') AND deadline_at <= ?)"

  /// The arguments of `isLate`.
  static func limits(_ now: Int64) -> [SQLValue] {
    [now.sqlValue, (now - HubLimits.jobUnheardMax.milliseconds).sqlValue]
  }

  /// - Parameter install: nil: of all.
  static func expire(_ install: InstallNumber?, now: Int64, _ db: any SQLConnection) throws {
    let ofOne = install == nil ? "" : "install = ? AND "
    let late = try db.rows(
      "SELECT number, state FROM job WHERE \(ofOne)is_open = 1 AND \(isLate) ORDER BY number",
      [install?.sqlValue].compactMap { $0 } + limits(now))
    for row in late {
      let reason =
        switch try row("state") as String {
        case "started": "It had begun, and its agent told no end of it. Whether it came to one is not known."
        case "received": "It was received, and its agent told nothing more of it. Whether it ran is not known."
        default: "It was not received in time."
        }
      try end(try row("number"), "expired", reason, now: now, db)
    }
  }

  /// The hub's own end of a job; what the agent may still say of it counts more.
  static func end(
    _ number: Int64, _ state: String, _ reason: String, now: Int64, _ db: any SQLConnection
  ) throws {
    try addStep(number, state, .hub, at: now, actor: "", detail: reason, db)
    try db.execute("UPDATE job SET state = ?, is_open = 0, changed_at = ? WHERE number = ?", state, now, number)
  }
}

/// A job's order as a column: the message of dcam that it is sent as, without what changes from one sending to the next.
enum JobBytes {
  static func arguments(_ order: JobOrder) throws -> Data { try Printtrail_Dcam_V1_Job(order).serializedBytes() }

  static func order(_ bytes: Data) -> JobOrder? {
    (try? Printtrail_Dcam_V1_Job(serializedBytes: bytes)).map { JobOrder($0) }
  }
}

extension Printtrail_Dcam_V1_Job {
  init(_ order: JobOrder) {
    let devices = order.devices.map { Data($0.bytes) }
    self = .with {
      switch JobOrder.Kind(rawValue: order.kind) {
      case .scan?: $0.scanDevices = .with { $0.ranges = order.ranges }
      case .upload?: $0.uploadReadings = .with { $0.devices = devices }
      case .alerts?: $0.processAlerts = .with { $0.devices = devices }
      case .settings?: $0.updateSettings = .with { $0.device = devices.first ?? Data() }
      case .restart?: $0.restart = .with { $0.standalone = order.option == JobOrder.RestartMode.standalone.rawValue }
      case .page?:
        $0.openDevicePage = .with {
          $0.device = devices.first ?? Data()
          guard let visit = order.visit else { return }
          ($0.user, $0.reason, $0.from, $0.seconds) = (visit.user, visit.reason, visit.from, visit.seconds)
        }
      case .diagnostics?: $0.captureDiagnostics = .init()
      case nil: break
      }
    }
  }

  /// As it is sent.
  init(_ job: DueJob, now: Int64) {
    self.init(job.order)
    id = Data(job.id.bytes)
    created = job.createdAt
    millisecondsLeft = max(job.deadline - now, 0)
    cancelled = job.isCancelled
  }
}

extension JobOrder {
  fileprivate init(_ job: Printtrail_Dcam_V1_Job) {
    func devices(_ ids: [Data]) -> [DeviceID] { ids.compactMap { DeviceID($0) } }
    self =
      switch job.kind {
      case .scanDevices(let body)?: JobOrder(.scan, ranges: body.ranges)
      case .uploadReadings(let body)?: JobOrder(.upload, devices: devices(body.devices))
      case .processAlerts(let body)?: JobOrder(.alerts, devices: devices(body.devices))
      case .updateSettings(let body)?: JobOrder(.settings, devices: devices([body.device]))
      case .restart(let body)?:
        JobOrder(.restart, option: (body.standalone ? JobOrder.RestartMode.standalone : .queued).rawValue)
      case .openDevicePage(let body)?:
        JobOrder(
          .page, devices: devices([body.device]),
          visit: .init(user: body.user, reason: body.reason, from: body.from, seconds: body.seconds))
      case .captureDiagnostics?: JobOrder(.diagnostics)
      case nil: JobOrder(kind: "")
      }
  }
}
