// How sessions with devices' own pages end, whoever ends them: in the row, and with it in the audit trail and the job. The tunnel follows within moments,
// at the hub that holds it (RemoteWatch.swift).

package import Events
internal import FoundationEssentials
internal import HubDatabase

extension SQLStore {
  /// Ends a session, if it has not ended: its row, its job, and within moments its tunnel.
  ///
  /// - Parameter actor: who ends it; nil: nobody did, it came so.
  /// - Returns: whether it had not ended before.
  @discardableResult
  package func endRemote(_ job: JobID, because reason: String, by actor: Actor?, now: Int64) async throws -> Bool {
    try await write { try Self.endRemote(job, because: reason, by: actor, now: now, $0) }
  }

  @discardableResult
  private static func endRemote(
    _ job: JobID, because reason: String, by actor: Actor?, now: Int64, _ db: any SQLConnection
  ) throws -> Bool {
    guard let session = try remoteSession(job, db), session.endedAt == nil else { return false }
    let changed = try db.execute(
      """
      UPDATE remote_session SET ended_at = ?, end_reason = ?, entry_hash = NULL WHERE number = ? AND ended_at IS NULL
      """, now, cleaned(reason), session.number)
    guard changed == 1 else { return false }
    let isOpen = try db.count(
      "SELECT count(*) FROM job WHERE id = ? AND is_open = 1 AND cancelled_at IS NULL", job.description)
    // Where its agent has come, the tunnel's end tells it, with the reason; a job that is taken back would tell it sooner, and without.
    if isOpen == 1, session.openedAt == nil {
      _ = try cancel(job, by: actor ?? Actor(name: "the hub"), now: now, db)
    }
    try audit(session, "remote.ended", "\(cleaned(reason))", peer: actor?.peer ?? "", now, db)
    return true
  }

  /// Ends what is over: by its time, by nobody having come, by its job, by its install or the certificate that it came with.
  func endRemotesThatAreOver(now: Int64) async throws {
    let over = try await read { db in try Self.remotesThatAreOver(now: now, db) }
    guard !over.isEmpty else { return }
    try await write { db in
      for (job, reason) in over { try Self.endRemote(job, because: reason, by: nil, now: now, db) }
    }
  }

  /// Ends what a hub held that is no more.
  ///
  /// - Parameter holder: nil: whoever held it.
  func endRemotesHeldBefore(by holder: String?, now: Int64) async throws {
    try await write { db in
      let held = try db.rows(
        """
        SELECT job FROM remote_session WHERE ended_at IS NULL AND opened_at IS NOT NULL AND opened_at < ?
          \(holder == nil ? "" : "AND held_by = ?")
        """, [now.sqlValue, holder?.sqlValue].compactMap { $0 })
      for row in held {
        guard let job = JobID(try row("job") as String) else { continue }
        try Self.endRemote(
          job, because: "the hub that its agent was connected to was started anew", by: nil, now: now, db)
      }
    }
  }

  private static func remotesThatAreOver(now: Int64, _ db: any SQLConnection) throws -> [(JobID, String)] {
    try db.rows(
      """
      SELECT r.job, r.ends_at, r.opened_at, r.open_until, j.is_open, j.state, i.revoked_at, c.revoked_at AS certificate_revoked_at,
        (SELECT x.detail FROM job_step x WHERE x.job = j.number ORDER BY x.number DESC LIMIT 1) AS detail,
        s.number AS open_login, u.roles, u.entity AS scope, r.device
      FROM remote_session r JOIN install i ON i.number = r.install JOIN job j ON j.id = r.job
      LEFT JOIN certificate c ON c.serial = r.certificate
      LEFT JOIN console_user u ON u.number = r.user_number AND u.disabled_at IS NULL
      LEFT JOIN console_session s ON s.number = r.login AND s.user_number = r.user_number AND s.expires_at > ? AND s.seen_at > ?
      WHERE r.ended_at IS NULL
      """, now, now - HubLimits.sessionIdle.milliseconds
    ).compactMap { row in
      guard let job = JobID(try row("job") as String) else { return nil }
      let detail = try row("detail") as String? ?? ""
      if try row("revoked_at") as Int64? != nil { return (job, "its install was revoked") }
      if try row("certificate_revoked_at") as Int64? != nil { return (job, "its agent's certificate was revoked") }
      if try !row("is_open") {
        let state: String = try row("state")
        return (job, detail.isEmpty ? "its job is \(state)" : detail)
      }
      let (endsAt, openUntil): (Int64, Int64) = (try row("ends_at"), try row("open_until"))
      guard now < endsAt else { return (job, "its time is over") }
      guard let roles = try row("roles") as String?, ConsoleRole.roles(roles).contains(.technician) else {
        return (job, "its user may open devices' pages no more")
      }
      guard try mayBeSeen(row("device"), within: EntityScope(root: row("scope")), db) else {
        return (job, "its user may not see the device any more")
      }
      if try row("open_login") as Int64? == nil { return (job, "its user is not logged in any more") }
      if try row("opened_at") as Int64? == nil, openUntil < now { return (job, "its agent did not come in time") }
      return nil
    }
  }

  static func mayBeSeen(_ device: String, within scope: EntityScope, _ db: any SQLConnection) throws -> Bool {
    guard !scope.isEverything else { return true }
    let condition = scope.condition("entity")
    return try !db.rows(
      "SELECT number FROM device WHERE id = ? AND \(condition.sql)", [device.sqlValue] + condition.arguments
    ).isEmpty
  }

  /// Those of these that have ended, and why.
  func endedRemotes(among jobs: [JobID]) async throws -> [(job: JobID, reason: String)] {
    guard !jobs.isEmpty else { return [] }
    let marks = jobs.map { _ in "?" }.joined(separator: ", ")
    return try await read { db in
      try db.rows(
        "SELECT job, end_reason FROM remote_session WHERE ended_at IS NOT NULL AND job IN (\(marks))",
        jobs.map(\.description.sqlValue)
      ).compactMap { row in
        guard let job = JobID(try row("job") as String) else { return nil }
        return (job, try row("end_reason") as String? ?? "it has ended")
      }
    }
  }
}
