// How installs are: what was made of the last report, who does not report, and the alerts about both (Health/InstallJudgement, Health/InstallWatch).
//
// Whatever hub works here, there is one open alert of a key for an install (`install_alert_open`). One that comes back within
// `HubLimits.alertReopened` is the same alert again: what flaps makes no list of rows.

internal import HubDatabase

extension Schema {
  static let version10 = """
    CREATE TABLE install_health (
      install INTEGER PRIMARY KEY REFERENCES install (number),
      state TEXT NOT NULL,
      since INTEGER NOT NULL,
      reasons TEXT NOT NULL,
      reported_at INTEGER,
      late_at INTEGER,
      records_waiting INTEGER,
      lag_floor INTEGER,
      lag_floor_at INTEGER,
      clock_ahead_milliseconds INTEGER,
      disk_free_bytes INTEGER
    ) STRICT;

    CREATE TABLE install_alert (
      number INTEGER PRIMARY KEY,
      install INTEGER REFERENCES install (number),
      key TEXT NOT NULL,
      severity TEXT NOT NULL,
      description TEXT NOT NULL,
      raised_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      cleared_at INTEGER,
      raises INTEGER NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX install_alert_open ON install_alert (COALESCE(install, 0), key) WHERE cleared_at IS NULL;
    CREATE INDEX install_alert_last ON install_alert (install, key, cleared_at);

    CREATE TABLE install_watch (
      number INTEGER PRIMARY KEY CHECK (number = 1),
      heard_since INTEGER NOT NULL,
      looked_at INTEGER NOT NULL
    ) STRICT;
    INSERT INTO install_watch (number, heard_since, looked_at) VALUES (1, 0, 0);

    CREATE VIEW install_state AS
      SELECT e.name AS entity, i.id AS install, i.host_name, i.agent_version,
        CASE WHEN i.revoked_at IS NOT NULL THEN 'revoked' WHEN h.late_at IS NOT NULL THEN 'late' ELSE COALESCE(h.state, 'new') END AS state,
        CASE WHEN i.revoked_at IS NOT NULL THEN i.revoked_at WHEN h.late_at IS NOT NULL THEN h.late_at ELSE COALESCE(h.since, i.enrolled_at) END
          AS since,
        COALESCE(h.reasons, '') AS reasons, h.reported_at, i.seen_at, h.records_waiting,
        (SELECT max(c.not_after) FROM certificate c WHERE c.install = i.number AND c.revoked_at IS NULL) AS certificate_ends_at,
        h.clock_ahead_milliseconds, h.disk_free_bytes, i.doubted_at
      FROM install i JOIN entity e ON e.number = i.entity LEFT JOIN install_health h ON h.install = i.number;

    CREATE VIEW install_alert_list AS
      SELECT e.name AS entity, i.id AS install, i.host_name, a.key, a.severity, a.description, a.raised_at, a.updated_at, a.cleared_at, a.raises,
        COALESCE(a.cleared_at, NOW_MILLISECONDS) - a.raised_at AS lasted_milliseconds
      FROM install_alert a LEFT JOIN install i ON i.number = a.install LEFT JOIN entity e ON e.number = i.entity;

    DROP VIEW open_alert;
    CREATE VIEW open_alert AS
      WITH early AS (
        SELECT a.*, s.device, i.entity FROM early_alert a JOIN install i ON i.number = a.install
        LEFT JOIN sighting s ON s.install = a.install AND s.agent_device = a.agent_device
        LEFT JOIN device d ON d.number = s.device WHERE d.leader IS NULL OR d.leader = a.install
      )
      SELECT e.name AS entity, d.id AS device, d.make, d.model, d.serial, d.location, a.key, a.severity, a.description, a.raised_at,
        a.updated_at, i.id AS install, i.host_name
      FROM alert a JOIN device d ON d.number = a.device JOIN entity e ON e.number = d.entity JOIN install i ON i.number = d.leader
      WHERE a.cleared_at IS NULL AND NOT EXISTS (SELECT 1 FROM early x WHERE x.device = a.device AND x.key = a.key)
      UNION ALL
      SELECT e.name, d.id, d.make, d.model, d.serial, d.location, x.key, x.severity, x.description,
        COALESCE((SELECT max(a.raised_at) FROM alert a WHERE a.device = x.device AND a.key = x.key AND a.cleared_at IS NULL), x.told_at),
        x.told_at, i.id, i.host_name
      FROM early x JOIN entity e ON e.number = x.entity JOIN install i ON i.number = x.install LEFT JOIN device d ON d.number = x.device
      WHERE x.is_open = 1
      UNION ALL
      SELECT e.name, NULL, NULL, NULL, NULL, NULL, a.key, a.severity, a.description, a.raised_at, a.updated_at, i.id, i.host_name
      FROM install_alert a LEFT JOIN install i ON i.number = a.install LEFT JOIN entity e ON e.number = i.entity
      WHERE a.cleared_at IS NULL;
    """

  /// Late means the same everywhere: without a report for as long as `HubLimits.lateAfter` says. A view of v5 had a time of its own.
  static let version11 = """
    DROP VIEW late_install;
    CREATE VIEW late_install AS
      SELECT entity, install, host_name, agent_version, since AS late_at, seen_at, NOW_MILLISECONDS - since AS late_milliseconds
      FROM install_state WHERE state = 'late';
    """
}

/// The keys of alerts about installs.
enum InstallAlertKey {
  static let late = "late"
  static let silence = "silence"
  /// For metrics: those of components are one.
  static let kinds = [late, silence, "component", "damage", "certificate", "clock", "lag", "disk"]
}

extension SQLStore {
  // MARK: A report

  package func keepHealth(_ json: String, install: InstallNumber, now: Int64) async throws {
    let report = ReportSummary(json: json)
    try await write { db in
      try db.execute(
        """
        INSERT INTO health (install, json, received_at) VALUES (?, ?, ?)
        ON CONFLICT (install) DO UPDATE SET json = excluded.json, received_at = excluded.received_at
        """, install, json, now)
      try db.execute("UPDATE install SET seen_at = ? WHERE number = ? AND COALESCE(seen_at, 0) < ?", now, install, now)
      let before = try db.row(
        "SELECT state, since, lag_floor, lag_floor_at FROM install_health WHERE install = ?", install)
      let judgement = InstallJudgement(
        report, lag: try before.flatMap { try Self.lag($0) }, certificate: try Self.certificate(install, db), now: now)
      var since = now
      if let before, try before("state") == judgement.state.rawValue { since = try before("since") }
      try Self.keep(judgement, report, install, since: since, now: now, db)
      try Self.tell(judgement.findings, install, now, db)
    }
  }

  private static func lag(_ row: SQLRow) throws -> LagTrail? {
    guard let floor: Int64 = try row("lag_floor"), let at: Int64 = try row("lag_floor_at") else { return nil }
    return LagTrail(floor: floor, floorAt: at)
  }

  private static func certificate(
    _ install: InstallNumber, _ db: any SQLConnection
  ) throws -> (from: Int64, until: Int64)? {
    try db.row(
      """
      SELECT not_before, not_after FROM certificate WHERE install = ? AND revoked_at IS NULL
      ORDER BY number DESC LIMIT 1
      """, install
    ).map { (from: try $0("not_before"), until: try $0("not_after")) }
  }

  private static func keep(
    _ judgement: InstallJudgement, _ report: ReportSummary, _ install: InstallNumber, since: Int64, now: Int64,
    _ db: any SQLConnection
  ) throws {
    try db.execute(
      """
      INSERT INTO install_health (install, state, since, reasons, reported_at, late_at, records_waiting, lag_floor, lag_floor_at,
        clock_ahead_milliseconds, disk_free_bytes)
      VALUES (?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, ?)
      ON CONFLICT (install) DO UPDATE SET state = excluded.state, since = excluded.since, reasons = excluded.reasons,
        reported_at = excluded.reported_at, late_at = NULL, records_waiting = excluded.records_waiting, lag_floor = excluded.lag_floor,
        lag_floor_at = excluded.lag_floor_at, clock_ahead_milliseconds = excluded.clock_ahead_milliseconds,
        disk_free_bytes = excluded.disk_free_bytes
      """,
      install, judgement.state.rawValue, since, judgement.findings.map(\.text).joined(separator: "\n"), now, report.lag,
      judgement.lag.floor, judgement.lag.floorAt, judgement.clockAhead, report.diskFreeBytes)
  }

  /// Raises what is found and clears what is not any more; that it reports clears `late`.
  private static func tell(
    _ findings: [InstallJudgement.Finding], _ install: InstallNumber, _ now: Int64, _ db: any SQLConnection
  ) throws {
    let open = try db.rows(
      "SELECT number, key, severity, description FROM install_alert WHERE install = ? AND cleared_at IS NULL", install)
    var told: Set<String> = []
    for row in open {
      let (number, key): (Int64, String) = (try row("number"), try row("key"))
      guard let finding = findings.first(where: { $0.key == key }) else {
        try db.execute("UPDATE install_alert SET cleared_at = ? WHERE number = ?", now, number)
        continue
      }
      told.insert(key)
      guard try row("severity") != finding.severity.rawValue || row("description") != finding.text else { continue }
      try db.execute(
        "UPDATE install_alert SET severity = ?, description = ?, updated_at = ? WHERE number = ?",
        finding.severity.rawValue, finding.text, now, number)
    }
    for finding in findings where told.insert(finding.key).inserted {
      try raise(finding.key, finding.severity.rawValue, finding.text, install, now, db)
    }
  }

  private static func raise(
    _ key: String, _ severity: String, _ text: String, _ install: InstallNumber?, _ now: Int64, _ db: any SQLConnection
  ) throws {
    let again = try db.execute(
      """
      UPDATE install_alert SET cleared_at = NULL, raises = raises + 1, severity = ?, description = ?, updated_at = ?
      WHERE number = (SELECT max(number) FROM install_alert WHERE COALESCE(install, 0) = ? AND key = ? AND cleared_at > ?)
      """, severity, text, now, install?.rawValue ?? 0, key, now - HubLimits.alertReopened.milliseconds)
    guard again == 0 else { return }
    try db.execute(
      """
      INSERT INTO install_alert (install, key, severity, description, raised_at, updated_at, raises)
      VALUES (?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO NOTHING
      """, install, key, severity, text, now, now)
  }

  // MARK: No report

  /// Marks who does not report, and raises alerts about it.
  func lookForLate(now: Int64) async throws -> LateLook {
    try await write(.readCommitted) { db in
      // The row is the turn: another hub's look begins when this one is committed.
      try db.execute(
        """
        UPDATE install_watch SET heard_since = CASE WHEN ? - looked_at > ? THEN ? ELSE heard_since END, looked_at = ?
        WHERE number = 1
        """, now, HubLimits.lateLookMissed.milliseconds, now, now)
      try Self.forgetRevoked(now, db)
      let due = now - HubLimits.lateAfter.milliseconds
      guard let heard: Int64 = try db.value("SELECT heard_since FROM install_watch"), heard <= due else {
        return LateLook()
      }
      var look = LateLook()
      look.becameLate = try Self.markLate(due, db)
      let current = try db.count("SELECT count(*) FROM install WHERE revoked_at IS NULL")
      look.late = try db.count("SELECT count(*) FROM install_health WHERE late_at IS NOT NULL")
      look.isSilence = try Self.tellSilence(late: look.late, of: current, now, db)
      if !look.isSilence { try Self.tellLate(now, db) }
      return look
    }
  }

  private static func forgetRevoked(_ now: Int64, _ db: any SQLConnection) throws {
    try db.execute(
      """
      UPDATE install_alert SET cleared_at = ?
      WHERE cleared_at IS NULL AND install IN (SELECT number FROM install WHERE revoked_at IS NOT NULL)
      """, now)
    try db.execute(
      """
      UPDATE install_health SET late_at = NULL
      WHERE late_at IS NOT NULL AND install IN (SELECT number FROM install WHERE revoked_at IS NOT NULL)
      """)
  }

  private static func markLate(_ due: Int64, _ db: any SQLConnection) throws -> Int {
    try db.execute(
      """
      INSERT INTO install_health (install, state, since, reasons, late_at)
      SELECT i.number, 'new', i.enrolled_at, '', COALESCE(h.reported_at, i.enrolled_at)
      FROM install i LEFT JOIN install_health h ON h.install = i.number
      WHERE i.revoked_at IS NULL AND i.enrolled_at < ? AND COALESCE(h.reported_at, 0) < ? AND h.late_at IS NULL
      ON CONFLICT (install) DO UPDATE SET late_at = excluded.late_at
      """, due, due)
  }

  /// - Returns: whether those that are late are one matter.
  private static func tellSilence(late: Int, of current: Int, _ now: Int64, _ db: any SQLConnection) throws -> Bool {
    let open: Int64? = try db.value(
      "SELECT number FROM install_alert WHERE install IS NULL AND key = ? AND cleared_at IS NULL",
      InstallAlertKey.silence)
    // Half as many end it as begin it, so that it does not come and go.
    let share = open == nil ? HubLimits.silenceShare : HubLimits.silenceShare * 2
    let least = open == nil ? HubLimits.silenceLeast : HubLimits.silenceLeast / 2
    let isSilence = late >= least && late * share >= current
    let text =
      "\(late) of \(current) installs do not report: look at this hub's network, its balancer and its hc port before you look at them."
    switch (open, isSilence) {
    case (nil, false): break
    case (nil, true): try raise(InstallAlertKey.silence, "critical", text, nil, now, db)
    case (let number?, true):
      try db.execute("UPDATE install_alert SET description = ?, updated_at = ? WHERE number = ?", text, now, number)
    case (let number?, false): try db.execute("UPDATE install_alert SET cleared_at = ? WHERE number = ?", now, number)
    }
    return isSilence
  }

  private static func tellLate(_ now: Int64, _ db: any SQLConnection) throws {
    let text = "It does not report its health."
    let delivers = "It does not report its health, though it delivers records: does it reach the hub's hc port?"
    try db.execute(
      """
      UPDATE install_alert SET cleared_at = NULL, raises = raises + 1, updated_at = ?
      WHERE key = ? AND cleared_at > ? AND install IN (SELECT install FROM install_health WHERE late_at IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM install_alert o WHERE o.install = install_alert.install AND o.key = ? AND o.cleared_at IS NULL)
        AND number = (SELECT max(n.number) FROM install_alert n WHERE n.install = install_alert.install AND n.key = ?)
      """, now, InstallAlertKey.late, now - HubLimits.alertReopened.milliseconds, InstallAlertKey.late,
      InstallAlertKey.late)
    try db.execute(
      """
      INSERT INTO install_alert (install, key, severity, description, raised_at, updated_at, raises)
      SELECT h.install, ?, 'warning', CASE WHEN i.seen_at > h.late_at THEN ? ELSE ? END, ?, ?, 1
      FROM install_health h JOIN install i ON i.number = h.install
      WHERE h.late_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM install_alert a WHERE a.install = h.install AND a.key = ? AND a.cleared_at IS NULL)
      ON CONFLICT DO NOTHING
      """, InstallAlertKey.late, delivers, text, now, now, InstallAlertKey.late)
  }
}

/// How an install is.
package struct InstallCondition: Equatable, Sendable {
  /// `good`, `degraded`, `failed`, `late`, `revoked`, or `new`: it has not reported yet.
  package let state: String
  package let since: Int64
  /// Sentences, by the last report.
  package let reasons: [String]
  package let reportedAt: Int64?
}

extension SQLStore {
  /// The condition of each install, by its id.
  package func conditions() async throws -> [String: InstallCondition] {
    try await read { db in
      let rows = try db.rows("SELECT install, state, since, reasons, reported_at FROM install_state")
      return Dictionary(
        try rows.map { row in
          let reasons: String = try row("reasons")
          return (
            try row("install"),
            InstallCondition(
              state: try row("state"), since: try row("since"),
              reasons: reasons.split(separator: "\n").map(String.init), reportedAt: try row("reported_at"))
          )
        }, uniquingKeysWith: { first, _ in first })
    }
  }
}
