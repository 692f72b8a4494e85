// Devices that an operator took out of what is looked at: a customer who left, a printer that was scrapped.
//
// A device is retired until an agent reads it again, whichever leads for it; nobody has to take it back for that. It stays in the lists of devices, as `retired`; none of its
// alerts is open and none of its supplies due; what it counted stays.
//
// A device is named as in `setting`: by each install that had seen it, and that agent's id of it. These are in the journals, and so outlive the read
// models. `at` is the hub's time; agents' times are never later than that (FleetProjector.swift), so that the two may be compared.

internal import HubDatabase

extension Schema {
  static let version14 = """
    CREATE TABLE retirement (
      install INTEGER NOT NULL REFERENCES install (number),
      agent_device BLOB NOT NULL,
      at INTEGER NOT NULL,
      author TEXT NOT NULL,
      reason TEXT NOT NULL,
      PRIMARY KEY (install, agent_device)
    ) STRICT, WITHOUT ROWID;

    CREATE VIEW retired_device AS
      SELECT s.device, max(r.at) AS retired_at FROM retirement r
      JOIN sighting s ON s.install = r.install AND s.agent_device = r.agent_device
      WHERE NOT EXISTS (SELECT 1 FROM sighting t WHERE t.device = s.device AND t.last_read_at > r.at) GROUP BY s.device;

    CREATE VIEW device_standing AS
      SELECT d.number AS device,
        CASE WHEN d.state = 'merged' THEN d.state WHEN d.number IN (SELECT device FROM retired_device) THEN 'retired'
          WHEN i.revoked_at IS NOT NULL THEN 'unwatched' ELSE d.state END AS state,
        CASE WHEN i.revoked_at IS NOT NULL OR d.number IN (SELECT device FROM retired_device) THEN 0 ELSE 1 END AS is_watched
      FROM device d JOIN install i ON i.number = d.leader;

    DROP VIEW device_list;
    CREATE VIEW device_list AS
      SELECT e.name AS entity, d.id, d.make, d.model, d.serial, d.asset_number, d.name, d.location, d.address, d.mac, d.firmware,
        d.host_name, m.value AS total, w.state, i.id AS leader, d.first_seen_at, d.last_read_at,
        (SELECT count(*) FROM alert a WHERE a.device = d.number AND a.cleared_at IS NULL AND w.is_watched = 1) AS alerts,
        (SELECT count(*) FROM sighting s WHERE s.device = d.number) AS installs
      FROM device d JOIN device_standing w ON w.device = d.number JOIN entity e ON e.number = d.entity JOIN install i ON i.number = d.leader
      LEFT JOIN meter m ON m.device = d.number AND m.name = 'total';

    DROP VIEW supply_due;
    CREATE VIEW supply_due AS
      SELECT e.name AS entity, d.id AS device, d.make, d.model, d.serial, d.location, s.row, s.colorant, s.description,
        s.remaining_permille, s.remaining, s.quality, s.part_number,
        CASE WHEN d.last_read_at > s.read_at THEN d.last_read_at ELSE s.read_at END AS read_at, s.read_at AS changed_at
      FROM supply s JOIN device d ON d.number = s.device JOIN device_standing w ON w.device = d.number JOIN entity e ON e.number = d.entity
      WHERE s.remaining_permille <= 200 AND w.state = 'read';

    DROP VIEW open_alert;
    CREATE VIEW open_alert AS
      WITH early AS (
        SELECT a.*, s.device, i.entity FROM early_alert a JOIN install i ON i.number = a.install
        LEFT JOIN sighting s ON s.install = a.install AND s.agent_device = a.agent_device
        LEFT JOIN device d ON d.number = s.device LEFT JOIN retired_device r ON r.device = s.device
        WHERE i.revoked_at IS NULL AND (d.leader IS NULL OR d.leader = a.install) AND (r.retired_at IS NULL OR a.told_at > r.retired_at)
      )
      SELECT e.name AS entity, d.id AS device, d.make, d.model, d.serial, d.location, a.key, a.severity, a.description, a.raised_at,
        a.updated_at, i.id AS install, i.host_name, d.entity AS entity_number
      FROM alert a JOIN device d ON d.number = a.device JOIN device_standing w ON w.device = d.number JOIN entity e ON e.number = d.entity
      JOIN install i ON i.number = d.leader
      WHERE a.cleared_at IS NULL AND w.is_watched = 1
        AND NOT EXISTS (SELECT 1 FROM early x WHERE x.device = a.device AND x.key = a.key)
      UNION ALL
      SELECT e.name, d.id, d.make, d.model, d.serial, d.location, x.key, x.severity, x.description,
        COALESCE((SELECT max(a.raised_at) FROM alert a WHERE a.device = x.device AND a.key = x.key AND a.cleared_at IS NULL), x.told_at),
        x.told_at, i.id, i.host_name, x.entity
      FROM early x JOIN entity e ON e.number = x.entity JOIN install i ON i.number = x.install LEFT JOIN device d ON d.number = x.device
      WHERE x.is_open = 1
      UNION ALL
      SELECT e.name, NULL, NULL, NULL, NULL, NULL, a.key, a.severity, a.description, a.raised_at, a.updated_at, i.id, i.host_name, i.entity
      FROM install_alert a LEFT JOIN install i ON i.number = a.install LEFT JOIN entity e ON e.number = i.entity
      WHERE a.cleared_at IS NULL;
    """
}

extension SQLStore {
  /// What became of a device that was to be retired.
  package enum RetirementOutcome: Equatable, Sendable {
    /// - Parameter isRead: its agent read it when it was last due, so that it will be back.
    case retired(isRead: Bool)
    case wasRetired
  }

  /// Retires a device until an agent reads it again.
  ///
  /// - Parameters:
  ///   - id: the hub's of it.
  ///   - reason: for the audit trail.
  /// - Throws: `HubError`: 65 if there is no such device, 64 for a reason that says nothing, for a device that goes on as another, or by a clock that is
  ///   behind what was read.
  package func retireDevice(
    _ id: String, reason: String, by actor: Actor, now: Int64
  ) async throws -> RetirementOutcome {
    let range = HubLimits.retirementReasonRange
    guard range.contains(reason.count), range.contains(cleaned(reason).count) else {
      throw HubError(
        .usage, "Why? A reason has \(range.lowerBound) to \(range.upperBound) characters; the audit trail keeps it.")
    }
    return try await write { db in
      let device = try Self.standing(ofDevice: id, db)
      guard device.state != "merged" else {
        throw HubError(.usage, "This device goes on as another one, and is in no list but that of devices.")
      }
      guard !device.isRetired else { return .wasRetired }
      try db.execute(
        """
        INSERT INTO retirement (install, agent_device, at, author, reason)
        SELECT install, agent_device, ?, ?, ? FROM sighting WHERE device = ?
        ON CONFLICT (install, agent_device) DO UPDATE SET at = excluded.at, author = excluded.author, reason = excluded.reason
        """, now, actor.name, cleaned(reason), device.number)
      guard try Self.standing(ofDevice: id, db).isRetired else {
        throw HubError(
          .usage, "This device was last read at a time that the hub has not reached yet. Is this machine's clock right?"
        )
      }
      let detail = Self.words([device.words, cleaned(reason)], by: actor)
      try Self.note("device.retired", id, detail, device, actor, now, db)
      return .retired(isRead: device.state == "read")
    }
  }

  /// Takes a retirement back.
  ///
  /// - Returns: whether the device was retired.
  /// - Throws: `HubError` 65 if there is no such device.
  package func keepDevice(_ id: String, by actor: Actor, now: Int64) async throws -> Bool {
    try await write { db in
      let device = try Self.standing(ofDevice: id, db)
      guard device.isRetired else { return false }
      try db.execute(
        """
        DELETE FROM retirement WHERE EXISTS (SELECT 1 FROM sighting s WHERE s.device = ? AND s.install = retirement.install
          AND s.agent_device = retirement.agent_device)
        """, device.number)
      try Self.note("device.kept", id, Self.words([device.words], by: actor), device, actor, now, db)
      return true
    }
  }

  private struct Standing {
    let number: Int64
    let entity: Int64
    let state: String
    let isRetired: Bool
    /// For the audit trail.
    let words: String
  }

  private static func standing(ofDevice id: String, _ db: any SQLConnection) throws -> Standing {
    guard
      let row = try db.row(
        """
        SELECT d.number, d.entity, d.model, d.serial, w.state, r.retired_at FROM device d JOIN device_standing w ON w.device = d.number
        LEFT JOIN retired_device r ON r.device = d.number WHERE d.id = ?
        """, id)
    else { throw HubError(.notFound, "There is no device '\(cleaned(id))'. See `pthub device list`.") }
    let names: [String?] = [try row("model"), try row("serial")]
    return Standing(
      number: try row("number"), entity: try row("entity"), state: try row("state"),
      isRetired: try row("retired_at") as Int64? != nil, words: names.compactMap { $0 }.joined(separator: " "))
  }

  private static func note(
    _ action: String, _ id: String, _ detail: String, _ device: Standing, _ actor: Actor, _ now: Int64,
    _ db: any SQLConnection
  ) throws {
    try insert(
      AuditEntry(at: now, action: action, subject: id, peer: actor.peer, detail: detail), entity: device.entity, db)
  }

  /// Whether a device is looked at, for statements that name its number so.
  static func isWatched(_ number: String) -> String {
    "EXISTS (SELECT 1 FROM device_standing w WHERE w.device = \(number) AND w.is_watched = 1)"
  }
}
