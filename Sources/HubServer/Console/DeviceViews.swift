// Devices as the console shows them, cut to a scope.

internal import FoundationEssentials
internal import HubDatabase

extension SQLStore {
  private static let deviceSource = ListSource(
    tables: "device d", number: "d.number",
    searched: [
      "d.serial", "d.model", "d.name", "d.location", "d.make", "d.address", "d.host_name", "d.asset_number", "d.id",
    ],
    sorts: [
      // The first page of the list as it opens: by two indexes, however many devices there are. CROSS JOIN has SQLite keep the order of the two.
      "entity": .init(
        "e.name", "d.model", tables: "entity e CROSS JOIN device d", joined: "d.entity = e.number", isIndexed: true),
      "make": .init("lower(d.make)", "lower(d.model)"), "model": .init("lower(d.model)"), "serial": .init("d.serial"),
      "name": .init("lower(d.name)"), "location": .init("lower(d.location)"), "address": .init("d.address"),
      "state": .init(standing), "lastRead": .init("d.last_read_at"),
      "total": .init(
        "(SELECT m.value FROM meter m WHERE m.device = d.number AND m.name = 'total' AND m.is_present = 1)"),
      "supply": .init("(SELECT min(s.remaining_permille) FROM supply s WHERE s.device = d.number)"),
      "alerts": .init(openAlertCount),
    ])
  private static let openAlertCount =
    "(SELECT count(*) FROM alert a WHERE a.device = d.number AND a.cleared_at IS NULL AND \(isWatched("d.number")))"
  private static let standing = "(SELECT w.state FROM device_standing w WHERE w.device = d.number)"
  static let deviceSorts: Set<String> = Set(deviceSource.sorts.keys)
  static let deviceStates = ["read", "unreachable", "new", "replaced", "merged", "retired", "unwatched"]

  /// - Parameters:
  ///   - state: of these alone; nil: of all but those that go on as another.
  ///   - hasAlerts: those with open alerts alone.
  ///   - install: those that it sees alone.
  func consoleDevices(
    _ query: ListQuery, entity: EntityScope, states: [String]?, hasAlerts: Bool, hasLowSupply: Bool,
    install: InstallNumber?, within scope: EntityScope
  ) async throws -> ConsolePage {
    var conditions = [scope.condition("d.entity"), entity.condition("d.entity")]
    if let states {
      conditions.append(
        SQLCondition("\(Self.standing) IN (\(states.map { _ in "?" }.joined(separator: ", ")))", states.map(\.sqlValue))
      )
    } else {
      conditions.append(SQLCondition("d.state <> 'merged'"))
    }
    if hasAlerts {
      conditions.append(
        SQLCondition(
          "EXISTS (SELECT 1 FROM alert x WHERE x.device = d.number AND x.cleared_at IS NULL) AND \(Self.isWatched("d.number"))"
        ))
    }
    if hasLowSupply {
      conditions.append(
        SQLCondition(
          "EXISTS (SELECT 1 FROM supply x WHERE x.device = d.number AND x.remaining_permille <= 200) AND \(Self.isWatched("d.number"))"
        ))
    }
    if let install {
      conditions.append(
        SQLCondition("d.number IN (SELECT device FROM sighting WHERE install = ?)", [install.sqlValue]))
    }
    return try await read { [conditions] db in
      let (total, numbers) = try Self.page(Self.deviceSource, query, conditions, db)
      let items = try Self.deviceValues(numbers, db)
      return ConsolePage(total: total, offset: query.offset, items: Self.ordered(numbers, items))
    }
  }

  private static func deviceValues(_ numbers: [Int64], _ db: any SQLConnection) throws -> [Int64: ConsoleValue] {
    let among = among(numbers, "d.number")
    let rows = try db.rows(
      """
      SELECT d.*, w.state AS standing, e.name AS entity_name, i.id AS leader_id, i.host_name AS leader_host, m.value AS total, m.unit, m.quality,
        (SELECT count(*) FROM alert a WHERE a.device = d.number AND a.cleared_at IS NULL AND w.is_watched = 1) AS alerts,
        (SELECT count(*) FROM alert a
         WHERE a.device = d.number AND a.cleared_at IS NULL AND w.is_watched = 1 AND a.severity = 'critical') AS critical
      FROM device d JOIN device_standing w ON w.device = d.number JOIN entity e ON e.number = d.entity JOIN install i ON i.number = d.leader
      LEFT JOIN meter m ON m.device = d.number AND m.name = 'total' AND m.is_present = 1 WHERE \(among.sql)
      """, among.arguments)
    let supplies = Dictionary(grouping: try suppliesOf(numbers, db)) { $0.device }
    return Dictionary(
      uniqueKeysWithValues: try rows.map { row in
        let number: Int64 = try row("number")
        return (number, try ConsoleDevice.value(row, supplies: (supplies[number] ?? []).map(\.value)))
      })
  }

  private static func suppliesOf(
    _ numbers: [Int64], _ db: any SQLConnection
  ) throws -> [(device: Int64, value: ConsoleValue)] {
    let among = among(numbers, "device")
    return try db.rows("SELECT * FROM supply WHERE \(among.sql) ORDER BY device, row", among.arguments).map {
      (try $0("device"), try ConsoleDevice.supply($0))
    }
  }

  /// A device with everything that is known of it, by its id.
  func consoleDevice(_ id: String) async throws -> ConsoleValue {
    try await read { db in
      guard let number: Int64 = try db.value("SELECT number FROM device WHERE id = ?", id) else {
        throw HubError(.notFound, "There is no such device.")
      }
      guard case .object(let members)? = try Self.deviceValues([number], db)[number] else {
        throw HubError(.notFound, "There is no such device.")
      }
      let meters = try db.rows("SELECT * FROM meter WHERE device = ? AND is_present = 1 ORDER BY name", number).map(
        ConsoleDevice.meter)
      let alerts = try db.rows(
        "SELECT * FROM alert WHERE device = ? ORDER BY (cleared_at IS NULL) DESC, raised_at DESC LIMIT ?", number,
        ConsoleDevice.alertsMax
      ).map(ConsoleDevice.alert)
      let seen = try db.rows(
        """
        SELECT s.state, s.last_read_at, i.id, i.host_name, CASE WHEN i.number = d.leader THEN 1 ELSE 0 END AS leads
        FROM sighting s JOIN install i ON i.number = s.install JOIN device d ON d.number = s.device
        WHERE s.device = ? ORDER BY i.number
        """, number
      ).map { row in
        ConsoleValue.object([
          "install": .text(try row("id")), "hostName": .text(try row("host_name")), "state": .text(try row("state")),
          "lastRead": .time(try row("last_read_at")), "leads": .bool(try row("leads")),
        ])
      }
      let retirement = try db.row(
        """
        SELECT r.at, r.author, r.reason FROM retired_device x JOIN sighting s ON s.device = x.device
        JOIN retirement r ON r.install = s.install AND r.agent_device = s.agent_device WHERE x.device = ? AND r.at = x.retired_at LIMIT 1
        """, number
      ).map { row in
        ConsoleValue.object([
          "at": .time(try row("at")), "by": .text(try row("author")), "reason": .text(try row("reason")),
        ])
      }
      return .object(
        members + [
          .init(name: "retirement", value: retirement ?? .null),
          .init(name: "allMeters", value: .list(meters)), .init(name: "history", value: .list(alerts)),
          .init(name: "installs", value: .list(seen)),
        ])
    }
  }

  /// The first and the last value of each day of a device's meters.
  ///
  /// - Parameter names: at most some of them; empty: all.
  func consoleHistory(of id: String, meters names: [String], since day: Int64) async throws -> ConsoleValue {
    try await read { db in
      guard let number: Int64 = try db.value("SELECT number FROM device WHERE id = ?", id) else {
        throw HubError(.notFound, "There is no such device.")
      }
      let some = names.isEmpty ? "" : " AND name IN (\(names.map { _ in "?" }.joined(separator: ", ")))"
      let rows = try db.rows(
        "SELECT * FROM meter_day WHERE device = ? AND day >= ?\(some) ORDER BY name, epoch, day",
        [.integer(number), .integer(day)] + names.map(\.sqlValue))
      var meters: [(name: String, points: [ConsoleValue])] = []
      for row in rows {
        let name: String = try row("name")
        if meters.last?.name != name { meters.append((name, [])) }
        meters[meters.count - 1].points.append(
          .object([
            "time": .time(try row("last_at")), "value": .integer(try row("last")),
            "first": .integer(try row("first")), "epoch": .integer(try row("epoch")),
            "day": .integer(try row("day")),
          ]))
      }
      return .object([
        "meters": .list(meters.map { .object(["name": .text($0.name), "points": .list($0.points)]) })
      ])
    }
  }
}
