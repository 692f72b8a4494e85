// The tree of entities, and the numbers of everything at a glance, cut to a scope.

internal import FoundationEssentials
internal import HubDatabase

extension SQLStore {
  /// The tree within a scope, each entity behind the one that it is in; its numbers are its own, and with `...Below` those of all below it, too.
  func consoleEntities(within scope: EntityScope) async throws -> [ConsoleValue] {
    let condition = scope.condition("e.number")
    let (rows, devices, alerts) = try await read { db in
      let rows = try db.rows(
        """
        SELECT e.number, e.name, e.parent, e.created_at, (SELECT count(*) FROM install i WHERE i.entity = e.number AND i.revoked_at IS NULL) AS installs,
          (SELECT count(*) FROM setting s WHERE s.entity = e.number) AS settings
        FROM entity e WHERE \(condition.sql) ORDER BY lower(e.name)
        """, condition.arguments)
      let devices = try db.rows("SELECT entity, count(*) AS n FROM device GROUP BY entity")
      let alerts = try db.rows(
        """
        SELECT d.entity, count(*) AS n FROM alert a JOIN device d ON d.number = a.device
        WHERE a.cleared_at IS NULL AND \(Self.isWatched("d.number")) GROUP BY d.entity
        """)
      return (rows, try Self.counts(devices), try Self.counts(alerts))
    }
    let tree = EntityCounts(
      try rows.map { row in
        let number: Int64 = try row("number")
        return (
          number, try row("parent"),
          EntityCounts.Numbers(
            installs: try row("installs"), devices: devices[number] ?? 0, alerts: alerts[number] ?? 0)
        )
      })
    let known = Dictionary(uniqueKeysWithValues: try rows.map { (try $0("number") as Int64, $0) })
    return try tree.places.compactMap { place in
      guard let row = known[place.number] else { return nil }
      return .object([
        "id": .integer(place.number), "name": .text(try row("name")), "parent": ConsoleValue(place.parent),
        "depth": ConsoleValue(place.depth), "created": .time(try row("created_at")),
        "settings": ConsoleValue(try row("settings") as Int), "installs": ConsoleValue(place.own.installs),
        "devices": ConsoleValue(place.own.devices), "alerts": ConsoleValue(place.own.alerts),
        "installsBelow": ConsoleValue(place.below.installs), "devicesBelow": ConsoleValue(place.below.devices),
        "alertsBelow": ConsoleValue(place.below.alerts),
      ])
    }
  }

  private static func counts(_ rows: [SQLRow]) throws -> [Int64: Int] {
    Dictionary(uniqueKeysWithValues: try rows.map { (try $0("entity"), try $0("n")) })
  }

  func consoleOverview(within scope: EntityScope) async throws -> ConsoleValue {
    let (install, device) = (scope.condition("i.entity"), scope.condition("d.entity"))
    return try await read { db in
      let installs = try db.rows(
        """
        SELECT count(*) AS total, coalesce(sum(CASE WHEN i.revoked_at IS NOT NULL THEN 1 ELSE 0 END), 0) AS revoked,
          coalesce(sum(CASE WHEN i.revoked_at IS NULL AND w.late_at IS NOT NULL THEN 1 ELSE 0 END), 0) AS late,
          coalesce(sum(CASE WHEN i.revoked_at IS NULL AND w.late_at IS NULL AND w.state IN ('degraded', 'failed') THEN 1 ELSE 0 END), 0)
            AS unwell,
          coalesce(sum(CASE WHEN i.doubted_at IS NOT NULL THEN 1 ELSE 0 END), 0) AS doubted
        FROM install i LEFT JOIN install_health w ON w.install = i.number WHERE \(install.sql)
        """, install.arguments)
      let devices = try db.rows(
        """
        SELECT w.state, count(*) AS n FROM device d JOIN device_standing w ON w.device = d.number
        WHERE d.state <> 'merged' AND \(device.sql) GROUP BY w.state ORDER BY w.state
        """, device.arguments)
      // Of everything no list of devices need be made.
      let ofDevices = scope.isEverything ? "1 = 1" : "device IN (SELECT d.number FROM device d WHERE \(device.sql))"
      let alerts = try db.rows(
        """
        SELECT severity, count(*) AS n FROM alert WHERE cleared_at IS NULL AND \(ofDevices) AND \(Self.isWatched("alert.device"))
        GROUP BY severity
        """, device.arguments)
      let jobs = try db.rows(
        "SELECT j.state, count(*) AS n FROM job j JOIN install i ON i.number = j.install WHERE j.is_open = 1 AND \(install.sql) GROUP BY j.state",
        install.arguments)
      let supplies = try db.rows(
        "SELECT count(*) AS n FROM supply WHERE remaining_permille <= 200 AND \(ofDevices) AND \(Self.isWatched("supply.device"))",
        device.arguments)
      let ofInstalls = try db.rows(
        """
        SELECT a.severity, count(*) AS n FROM install_alert a LEFT JOIN install i ON i.number = a.install
        WHERE a.cleared_at IS NULL AND \(install.sql) GROUP BY a.severity
        """, install.arguments)
      let bySeverity = Dictionary(
        try (alerts + ofInstalls).map { (try $0("severity") as String? ?? "", try $0("n") as Int) },
        uniquingKeysWith: +)
      let allAlerts = bySeverity.values.reduce(0, +)
      let (critical, warning) = (bySeverity["critical"] ?? 0, bySeverity["warning"] ?? 0)
      let states = try devices.map { (try $0("state") as String, try $0("n") as Int) }
      let open = try jobs.map { (try $0("state") as String, try $0("n") as Int) }
      func byState(_ states: [(String, Int)]) -> ConsoleValue {
        .object(states.map { .init(name: $0.0, value: ConsoleValue($0.1)) })
      }
      func counted(_ column: String) throws -> Int { try installs.first?(column) ?? 0 }
      let (total, revoked, lateCount) = (try counted("total"), try counted("revoked"), try counted("late"))
      return .object([
        "installs": .object([
          "total": ConsoleValue(total), "current": ConsoleValue(total - revoked - lateCount),
          "late": ConsoleValue(lateCount), "unwell": ConsoleValue(try counted("unwell")),
          "revoked": ConsoleValue(revoked),
          "doubted": ConsoleValue(try counted("doubted")),
        ]),
        "devices": .object([
          "total": ConsoleValue(states.reduce(0) { $0 + $1.1 }), "byState": byState(states),
        ]),
        "alerts": .object([
          "total": ConsoleValue(allAlerts), "critical": ConsoleValue(critical), "warning": ConsoleValue(warning),
          "other": ConsoleValue(allAlerts - critical - warning),
        ]),
        "jobs": .object(["open": ConsoleValue(open.reduce(0) { $0 + $1.1 }), "byState": byState(open)]),
        "supplies": .object(["low": ConsoleValue(try supplies.first?("n") ?? 0)]),
      ])
    }
  }
}
