// Open alerts, cut to a scope.

internal import FoundationEssentials
internal import HubDatabase

extension SQLStore {
  private static let severityOrder = "CASE severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END"
  static let alertSorts: Set<String> = ["severity", "since", "device", "entity"]

  func consoleAlerts(
    _ query: ListQuery, entity: EntityScope, severity: String?, device: String?, within scope: EntityScope
  ) async throws -> ConsolePage {
    let direction = query.isDescending ? " DESC" : ""
    let order =
      switch query.sort {
      case "since": "raised_at\(direction)"
      case "device": "lower(model)\(direction), device"
      case "entity": "lower(entity)\(direction), device"
      default: "\(Self.severityOrder)\(direction)"
      }
    let narrowed = SQLCondition.all(Self.alertFilters(severity: severity, device: device))
    return try await read { db in
      let words = query.words.map {
        SQLCondition.search(
          $0, in: ["entity", "make", "model", "serial", "location", "description", "key", "host_name"], db.dialect)
      }
      let source = Self.openAlerts(within: [scope, entity])
      let condition = SQLCondition.all([narrowed] + words)
      let arguments = source.arguments + condition.arguments
      let rows = try db.rows(
        """
        \(source.sql) SELECT * FROM o WHERE \(condition.sql) ORDER BY \(order), raised_at DESC, device, install, key LIMIT ? OFFSET ?
        """, arguments + [query.limit.sqlValue, query.offset.sqlValue])
      var total = query.offset + rows.count
      if rows.count == query.limit || rows.isEmpty && query.offset > 0 {
        total =
          try db.rows("\(source.sql) SELECT count(*) AS n FROM o WHERE \(condition.sql)", arguments).first?("n") ?? 0
      }
      return ConsolePage(
        total: total, offset: query.offset,
        items: try rows.map { row in
          .object([
            "entity": ConsoleValue(try row("entity") as String?),
            "device": try (row("device") as String?).map { id in
              .object([
                "id": .text(id), "make": ConsoleValue(try row("make") as String?),
                "model": ConsoleValue(try row("model") as String?),
                "serial": ConsoleValue(try row("serial") as String?),
                "location": ConsoleValue(try row("location") as String?),
              ])
            } ?? .null,
            "install": try (row("install") as String?).map { id in
              .object(["id": .text(id), "hostName": .text(try row("host_name"))])
            } ?? .null,
            "key": .text(try row("key")), "severity": .text(ConsoleDevice.severity(try row("severity"))),
            "description": .text(try row("description")), "since": .time(try row("raised_at")),
            "updated": .time(try row("updated_at")),
          ])
        })
    }
  }

  private static func alertFilters(severity: String?, device: String?) -> [SQLCondition] {
    let ofDevice = device.map { SQLCondition("device = ?", [$0.sqlValue]) }
    switch severity {
    case "critical"?, "warning"?:
      return [SQLCondition("severity = ?", [severity?.sqlValue ?? .null])] + [ofDevice].compactMap { $0 }
    case "other"?:
      return [SQLCondition("severity IS NULL OR severity NOT IN ('critical', 'warning')")]
        + [ofDevice].compactMap { $0 }
    default: return [ofDevice].compactMap { $0 }
    }
  }

  /// A common table expression `o`: the view `open_alert` (FleetSchema), cut to these scopes before anything else is looked at.
  private static func openAlerts(within scopes: [EntityScope]) -> SQLCondition {
    let (device, install) = (
      SQLCondition.all(scopes.map { $0.condition("d.entity") }),
      SQLCondition.all(scopes.map { $0.condition("i.entity") })
    )
    return SQLCondition(
      """
      WITH early AS (
        SELECT a.*, s.device, i.entity FROM early_alert a JOIN install i ON i.number = a.install
        LEFT JOIN sighting s ON s.install = a.install AND s.agent_device = a.agent_device
        LEFT JOIN device d ON d.number = s.device
        WHERE i.revoked_at IS NULL AND (d.leader IS NULL OR d.leader = a.install) AND \(install.sql)
      ), o AS (
        SELECT e.name AS entity, d.id AS device, d.make, d.model, d.serial, d.location, a.key, a.severity, a.description, a.raised_at,
          a.updated_at, NULL AS install, NULL AS host_name
        FROM alert a JOIN device d ON d.number = a.device JOIN entity e ON e.number = d.entity
        JOIN install l ON l.number = d.leader AND l.revoked_at IS NULL
        WHERE a.cleared_at IS NULL AND \(device.sql)
          AND NOT EXISTS (SELECT 1 FROM early x WHERE x.device = a.device AND x.key = a.key)
        UNION ALL
        SELECT e.name, d.id, d.make, d.model, d.serial, d.location, x.key, x.severity, x.description,
          COALESCE((SELECT max(a.raised_at) FROM alert a WHERE a.device = x.device AND a.key = x.key AND a.cleared_at IS NULL), x.told_at),
          x.told_at, NULL, NULL
        FROM early x JOIN entity e ON e.number = x.entity LEFT JOIN device d ON d.number = x.device WHERE x.is_open = 1
        UNION ALL
        SELECT e.name, NULL, NULL, NULL, NULL, NULL, a.key, a.severity, a.description, a.raised_at, a.updated_at, i.id, i.host_name
        FROM install_alert a LEFT JOIN install i ON i.number = a.install LEFT JOIN entity e ON e.number = i.entity
        WHERE a.cleared_at IS NULL AND \(install.sql)
      )
      """, install.arguments + device.arguments + install.arguments)
  }
}
