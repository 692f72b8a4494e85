// Open alerts: the view `open_alert`, cut to a scope.

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
      let scopes = [scope, entity].map { $0.condition("entity_number") }
      let condition = SQLCondition.all(scopes + [narrowed] + words)
      let rows = try db.rows(
        """
        SELECT * FROM open_alert WHERE \(condition.sql) ORDER BY \(order), raised_at DESC, device, install, key LIMIT ? OFFSET ?
        """, condition.arguments + [query.limit.sqlValue, query.offset.sqlValue])
      var total = query.offset + rows.count
      if rows.count == query.limit || rows.isEmpty && query.offset > 0 {
        total =
          try db.rows("SELECT count(*) AS n FROM open_alert WHERE \(condition.sql)", condition.arguments).first?("n")
          ?? 0
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
            "install": try Self.install(ofAlert: row),
            "key": .text(try row("key")), "severity": .text(ConsoleDevice.severity(try row("severity"))),
            "description": .text(try row("description")), "since": .time(try row("raised_at")),
            "updated": .time(try row("updated_at")),
          ])
        })
    }
  }

  /// Whom an alert is about that is not about a device, or about one that is not known yet.
  private static func install(ofAlert row: SQLRow) throws -> ConsoleValue {
    guard try row("device") as String? == nil, let id: String = try row("install") else { return .null }
    return .object(["id": .text(id), "hostName": .text(try row("host_name"))])
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
}
